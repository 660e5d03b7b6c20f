"""What holds at every step: the product is as the oracle says, and the ledger adds up."""

import copy
from typing import Any

from django.db import connection

from billing import timers, timetables
from billing.models import (
    Account,
    Cancellation,
    ClosingStatement,
    Dispute,
    Escrow,
    Refund,
    Release,
    ReleaseRequest,
)
from billing.selectors import escrow_rows
from billing.services import audit
from jobs.models import Job
from tests.billing.machine.base import Base, always
from workroom.models import Terms

RULES = {"30-day rule: requested ": "released", "Dormancy rule: ": "returned"}
SUMS = """
SELECT escrow.number,
       (SELECT coalesce(sum(amount_minor), 0) FROM billing_transfer
         WHERE credit_account_id = account.id) AS funded,
       (SELECT coalesce(sum(gross_minor), 0) FROM billing_release
         WHERE escrow_id = escrow.id) AS released,
       (SELECT coalesce(sum(amount_minor + fee_minor), 0) FROM billing_refund
         WHERE escrow_id = escrow.id AND NOT of_released) AS refunded,
       (SELECT coalesce(sum(amount_minor), 0) FROM billing_refund
         WHERE escrow_id = escrow.id AND of_released) AS credited,
       account.balance_minor AS held,
       escrow.service_fee_minor AS fees  -- the audit holds it against Releases and credit notes
  FROM billing_escrow AS escrow
  JOIN billing_account AS account ON account.escrow_id = escrow.id
 WHERE escrow.job_id = %s
"""


class Looking(Base):
    """Reads the product after each step."""

    @always
    def the_ledger_holds(self) -> None:
        assert [one for one in audit.audit_ledger(at=self.at) if one.differences] == []

    @always
    def the_job_is_as_the_rules_say(self) -> None:
        job, oracle = self.fresh(), self.oracle
        proposal, cancellation = oracle.proposal, oracle.cancellation
        assert {
            "state": job.state,
            "dormant": job.dormant_at,
            "proposal": job.open_proposal_until,
            "cancellation": job.open_cancellation_until,
            "statements": ClosingStatement.objects.filter(job=job).count(),
        } == {
            "state": oracle.state,
            "dormant": oracle.dormant_date if oracle.is_running else None,
            "proposal": proposal and proposal.lapses_at,
            "cancellation": cancellation and cancellation.lapses_at,
            "statements": oracle.statements,
        }
        if oracle.is_running:
            table = timetables.of_job(job, escrow_rows.rows_of([job.pk])[job.pk])
            following = timers.next_event(copy.deepcopy(table))
            if following is not None:
                assert job.next_due_at is not None and job.next_due_at <= following.at

    @always
    def milestones_and_clocks_are_as_the_rules_say(self) -> None:
        milestones = self.oracle.milestones
        escrows = list(Escrow.objects.filter(job=self.job).order_by("number"))
        assert {row.number: (row.state, row.amount_minor, row.held_minor) for row in escrows} == {
            number: (one.state, one.price, one.held) for number, one in milestones.items()
        }
        requests = ReleaseRequest.objects.filter(job=self.job).unanswered().select_related("escrow")
        assert {
            row.escrow.number: (
                row.state,
                row.auto_release_at,
                None if row.overdue_at <= self.at else row.overdue_at,
            )
            for row in requests
        } == {
            number: (
                one.request.state,
                one.request.due_at,
                None if one.request.overdue_at <= self.at else one.request.overdue_at,
            )
            for number, one in milestones.items()
            if one.request is not None
        }

    @always
    def disputes_are_as_the_rules_say(self) -> None:
        roles = {person.pk: side for side, person in self.people.items()}
        rows = (
            Dispute.objects.open()
            .filter(job=self.job)
            .select_related("escrow")
            .prefetch_related("offers", "sealed_limits", "decisions")
        )
        assert {row.escrow.number: _said(row, roles) for row in rows} == {
            number: (
                one.dispute.state,
                one.dispute.opener,
                one.dispute.answer_due_at,
                one.dispute.is_answered,
                one.dispute.offers,
                one.dispute.limits,
                one.dispute.decision and one.dispute.decision[1],
            )
            for number, one in self.oracle.milestones.items()
            if one.dispute is not None
        }

    @always
    def what_is_proposed_is_as_the_rules_say(self) -> None:
        rows = Terms.objects.of(self.job).filter(state__in=["agreed", "proposed"])
        is_running, proposal = self.oracle.is_running, self.oracle.proposal
        # What has lapsed, or ended with its Job, keeps its state until the next proposal.
        assert {
            row.state: row.version
            for row in rows
            if row.state == "agreed" or (is_running and row.lapses_at > self.at)
        } == {"agreed": self.oracle.version} | ({"proposed": proposal.version} if proposal else {})
        open_one = Cancellation.objects.open().filter(job=self.job).first()
        shares = open_one and {
            share.escrow.number: share.to_freelancer_minor
            for share in open_one.shares.select_related("escrow")
        }
        assert shares == (self.oracle.cancellation and self.oracle.cancellation.shares)

    @always
    def every_milestone_adds_up(self) -> None:
        """R11.2 with what is held: funded = released − released and later refunded + all refunded +
        held; the sums of transfers, Releases, Refunds and account, none of them the Escrow's own.
        """
        said = _statement_sums(self.job)
        for number, funded, released, refunded, credited, held, fees in _sums(self.job):
            assert funded == released - credited + (refunded + credited) + held, number
            one = self.oracle.milestones[number]
            assert (funded, released, refunded, credited, held, fees) == (
                one.funded, one.released, one.refunded, one.credited, one.held, one.fee_taken
            ), number  # fmt: skip
            assert said.get(number, (released, refunded, credited)) == (
                released, refunded, credited
            ), number  # fmt: skip
        balance = Account.objects.filter(person=self.people["freelancer"], kind="available").first()
        assert (balance.balance_minor if balance else 0) == self.oracle.available

    @always
    def silence_moves_money_by_two_rules_only(self) -> None:
        """What nobody did is what the oracle had said, with its rule in words."""
        released = Release.objects.filter(job=self.job, released_by=None).values_list(
            "happened_at", "escrow__number", "gross_minor", "reason"
        )
        returned = Refund.objects.filter(escrow__job=self.job, refunded_by=None).values_list(
            "started_at", "escrow__number", "amount_minor", "reason"
        )
        silent = list(released.union(returned, all=True))
        assert sorted(
            (at, _rule(reason), number, amount) for at, number, amount, reason in silent
        ) == (sorted(self.moved_by_silence))


def _rule(reason: str) -> str:
    """Which of the two rules is named as the reason, as the history names what it does."""
    (what,) = [what for name, what in RULES.items() if reason.startswith(name)]
    return what


def _sums(job: Job) -> list[tuple[int, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(SUMS, [job.pk])
        return cursor.fetchall()


def _statement_sums(job: Job) -> dict[int, tuple[int, int, int]]:
    """What the newest Closing Statement says was released, refunded, refunded after release."""
    newest = ClosingStatement.objects.filter(job=job).order_by("pk").last()
    return {
        said["number"]: (said["released_minor"], said["refunded_minor"], said["credited_minor"])
        for said in (newest.totals["milestones"] if newest else [])
    }


def _said(dispute: Dispute, roles: dict[int, str]) -> tuple[Any, ...]:
    waiting = [one for one in dispute.sealed_limits.all() if one.state == "waiting"]
    decisions = [one for one in dispute.decisions.all() if one.state == "proposed"]
    return (
        dispute.state,
        roles[dispute.opened_by_id],
        dispute.escrow.answer_due_at,
        dispute.answered_at is not None,
        {
            roles[one.by_id]: one.to_freelancer_minor
            for one in dispute.offers.all()
            if one.state == "open"
        },
        {roles[one.by_id]: one.limit_minor for one in waiting},
        decisions[0].to_freelancer_minor if decisions else None,
    )
