"""The sentences of ``billing.selectors.rules`` for templates of pages and mails: ``{{ policy|overdue_rule }}``."""

from django import template

from billing.selectors import rules

register = template.Library()

for sentence in (
    rules.thirty_day_rule_name,
    rules.silence_rule,
    rules.thirty_day_rule,
    rules.overdue_rule,
    rules.warning_rule,
    rules.void_rule,
    rules.changes_rule,
    rules.cancellation_rule,
    rules.answer_rule,
    rules.resumed_clock_rule,
    rules.sealed_rule,
    rules.sealed_tries_rule,
    rules.evidence_rule,
    rules.proposal_rule,
    rules.largest_amount_rule,
    rules.pending_rule,
    rules.authentication_reminder_rule,
    rules.fee_rule,
    rules.return_fee_rule,
    rules.dormant_rule,
    rules.dormant_freelancer_rule,
    rules.settlement_rule,
    rules.restart_rule,
    rules.reactivation_rule,
):
    register.filter(sentence.__name__, sentence)
register.filter("days", rules.days)
