"""The rules in sentences, from the Policy that they run by: pages and mails say the same words.

One function a rule; what a rule says without any number stands where it is read. Templates get all
of them as filters: ``{% load rules %}{{ job.policy|thirty_day_rule }}``.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from billing.models.dispute import EVIDENCE_AT_MOST, SEALED_AT_MOST, SEALED_PAUSE
from escrow_site.lib import display, money
from escrow_site.lib.templatetags.escrow import basis_points
from jobs.models import Policy


def days(count: int, unit: str = "day") -> str:
    """``1 day``, ``30 days``."""
    return f"{count:,} {unit}" if count == 1 else f"{count:,} {unit}s"


def together(words: Iterable[object]) -> str:
    """``10, 5, 2 and 1``."""
    *others, last = map(str, words)
    return f"{', '.join(others)} and {last}" if others else last


def _days_before(counts: list[int]) -> str:
    """``10, 5, 2 and 1 days``, the farthest first."""
    ordered = sorted(counts, reverse=True)
    return days(ordered[0]) if len(ordered) == 1 else f"{together(ordered)} days"


# --- Silence, and the 30-day rule (R6) ---


def thirty_day_rule_name(policy: Policy) -> str:
    """What the rule is called: after its days."""
    return f"{policy.release_days}-day rule"


def silence_rule(policy: Policy) -> str:
    return (
        "Money moves because one of you said so. Silence moves money by two rules only: "
        f"the {thirty_day_rule_name(policy)} and the dormancy rule."
    )


def thirty_day_rule(policy: Policy) -> str:
    return (
        f"If nobody answers a Release Request for {days(policy.release_days)}, all that is still "
        "held for its Milestone is released to the Freelancer. The final invoice is made, and both "
        "are told why."
    )


def overdue_rule(policy: Policy) -> str:
    return (
        f"A request that is unanswered after {days(overdue_day(policy))} is Overdue: "
        "both are reminded."
    )


def overdue_day(policy: Policy) -> int:
    """On which day of a request it is Overdue."""
    return policy.release_days - policy.overdue_days_before_due


def warning_days(policy: Policy) -> list[int]:
    """On which days of a request the Client is warned."""
    return sorted(policy.release_days - before for before in policy.warning_days_before_due)


def warning_rule(policy: Policy) -> str:
    if not policy.warning_days_before_due:
        return "The Client is not warned again before the release."
    on_days = warning_days(policy)
    return (
        f"The Client is warned {_days_before(policy.warning_days_before_due)} before the release: "
        f"on day{'s' if len(on_days) > 1 else ''} {together(on_days)}."
    )


def void_rule(policy: Policy) -> str:
    return (
        "The Freelancer can void a request that is open or Overdue. Its clock stops, its pro-forma "
        "invoice is kept and marked void, and the money stays held. A later request starts a new "
        f"{days(policy.release_days)}."
    )


def changes_rule(policy: Policy) -> str:
    """Empty when there are no requests for changes."""
    if not policy.returns_at_most:
        return ""
    return (
        "Instead of releasing, the Client can request changes: the Release Request goes back with a "
        "comment and ends as if it had been voided. That is possible "
        f"{_times(policy.returns_at_most)} per Milestone; then the Client releases or opens a "
        "Dispute."
    )


# --- Cancellation (R8.3) ---


def cancellation_rule(policy: Policy) -> str:
    return (
        "Either of you can request cancellation of the Job, with a reason and a proposal how each "
        "held Milestone is split; all goes back to the Client unless the request says otherwise. The "
        f"other accepts or declines within {days(policy.cancellation_days)}, or the request lapses."
    )


# --- Disputes (R9) ---


def answer_rule(policy: Policy) -> str:
    answer_days = days(policy.dispute_answer_business_days, "business day")
    return (
        f"The other side answers within {answer_days}, Monday to Friday in UTC"
        f"{_less_holidays(policy)}, at the same time of day. Without an answer the Dispute goes to "
        "support, and so it does when either of you asks for it."
    )


def _less_holidays(policy: Policy) -> str:
    """The holidays still to come and past, as the clock of the answer leaves them out."""
    if not policy.holidays:
        return ""
    return f" less {together(display.day(on) for on in sorted(policy.holidays))}"


def resumed_clock_rule(policy: Policy) -> str:
    return (
        "Only the side that opened a Dispute can withdraw it. The clock of its Release Request then "
        f"goes on with the time it had left, but at least {days(policy.dispute_days_left_at_least)}; "
        "that minimum holds once per request. Whoever withdrew cannot open another Dispute about "
        "that request; the other side can."
    )


def sealed_rule(policy: Policy) -> str:
    """The same under every Policy: nobody is to probe for the other side's limit."""
    return (
        "Each side may also enter a limit under seal: the Freelancer the least, the Client the most "
        "that may go to the Freelancer. If the two meet or cross, the Dispute is settled at their "
        "midpoint, rounded down to the smallest unit for the Freelancer; if not, both learn only "
        f"that there is no match. {sealed_tries_rule(policy)}"
    )


def sealed_tries_rule(policy: Policy) -> str:
    """The same under every Policy."""
    return (
        f"Each side can enter a limit {_times(SEALED_AT_MOST)} for one Milestone, once in "
        f"{SEALED_PAUSE // timedelta(hours=1)} hours."
    )


def evidence_rule(policy: Policy) -> str:
    """The same under every Policy."""
    return f"A side can add at most {EVIDENCE_AT_MOST} files to one Dispute."


# --- Terms and payments (R1.2, R2.3, R3.4, R13) ---


def proposal_rule(policy: Policy) -> str:
    return (
        f"Proposed Terms that nobody answers within {days(policy.proposal_days)} lapse. "
        "If they belong to an award, the award lapses with them."
    )


def largest_amount_rule(policy: Policy) -> str:
    dollars, yen = (
        money.display(policy.largest_amount * 10 ** money.digits(currency), currency)
        for currency in ("USD", "JPY")
    )
    return (
        f"The price of a Milestone is at most {policy.largest_amount:,} in whole units of its "
        f"currency: {dollars}, or {yen}."
    )


def pending_rule(policy: Policy) -> str:
    return (
        "A Pending payment that is not authenticated within "
        f"{days(policy.authentication_days)} lapses: nothing is charged, and the Milestone is "
        "unfunded again."
    )


def authentication_reminder_rule(policy: Policy) -> str:
    """Empty when there is no reminder."""
    if not policy.authentication_reminder_days:
        return ""
    return f"The Client is reminded {_days_before(policy.authentication_reminder_days)} before."


# --- Fees (R5.2, R10.5) ---


def fee_rule(policy: Policy) -> str:
    service = basis_points(policy.service_fee_basis_points)
    processing = policy.processing_fee_basis_points
    also = f"a processing fee of {basis_points(processing)}" if processing else "no processing fee"
    return (
        f"Of what is released, the platform takes a service fee of {service} and {also}. "
        "The rest goes to the Freelancer."
    )


def return_fee_rule(policy: Policy) -> str:
    if not policy.return_fee_basis_points:
        return "No fee is taken from money that goes back to the Client."
    fee = basis_points(policy.return_fee_basis_points)
    return f"From money that goes back to the Client a processing fee of {fee} is taken."


# --- Dormancy (R10) ---


def dormant_rule(policy: Policy) -> str:
    return (
        "A Job that holds Funded money becomes Dormant when nobody has done anything on it for "
        f"{days(policy.dormant_days)}, counted from the end of its last Milestone date or from its "
        "last Activity, whichever is later. The Client is told on that day, the Dormant Date."
    )


def dormant_freelancer_rule(policy: Policy) -> str:
    return (
        f"{days(policy.dormant_freelancer_days).capitalize()} after the Dormant Date the "
        "Freelancer is told."
    )


def settlement_rule(policy: Policy) -> str:
    return (
        f"{days(policy.dormant_settlement_days).capitalize()} after the Dormant Date the Job is "
        "settled. A held Milestone without a Release Request goes back to the Client at once. One "
        f"with a Release Request goes to the Freelancer when the request is {days(policy.release_days)} old, "
        "or at once if it already is."
    )


def restart_rule(policy: Policy) -> str:
    return (
        "Any Activity other than a Release Request starts the "
        f"{days(policy.dormant_settlement_days)} again. Settlement never comes earlier than "
        f"{days(settlement_notice_days(policy))} after the Freelancer was told."
    )


def settlement_notice_days(policy: Policy) -> int:
    """How long the Freelancer has at least between being told and settlement (R10.3)."""
    return policy.dormant_settlement_days - policy.dormant_freelancer_days


def reactivation_rule(policy: Policy) -> str:
    return (
        "A Dormant Job is active again when the Client releases a Milestone or requests cancellation, "
        "when either of you proposes or accepts changed Terms, or when every "
        f"Milestone that holds money has a Release Request. The {days(policy.dormant_days)} then "
        "begin anew."
    )


# --- All numbers ---


@dataclass(frozen=True)
class Number:
    """One number of the Policy in words."""

    label: str
    value: str


def numbers_of(policy: Policy) -> list[Number]:
    """All the Policy's numbers: no column of it is left out."""
    return [
        *_numbers_of_money(policy),
        *_numbers_of_time(policy),
        *_numbers_of_disagreement(policy),
    ]


def _numbers_of_money(policy: Policy) -> list[Number]:
    return [
        Number("Service fee", basis_points(policy.service_fee_basis_points)),
        Number("Processing fee", basis_points(policy.processing_fee_basis_points)),
        Number("Fee on returns", basis_points(policy.return_fee_basis_points)),
        Number("Largest amount", f"{policy.largest_amount:,}"),
    ]


def _numbers_of_time(policy: Policy) -> list[Number]:
    return [
        Number("A proposal lapses after", days(policy.proposal_days)),
        Number("A pending payment lapses after", days(policy.authentication_days)),
        Number("Reminders of it", _before_that(policy.authentication_reminder_days)),
        Number("Silence releases after", days(policy.release_days)),
        Number("Overdue", f"{days(policy.overdue_days_before_due)} before that"),
        Number("Warnings", _before_that(policy.warning_days_before_due)),
        Number("Dormant after", days(policy.dormant_days)),
        Number("Freelancer told of it after", days(policy.dormant_freelancer_days)),
        Number("Settled after", days(policy.dormant_settlement_days)),
    ]


def _numbers_of_disagreement(policy: Policy) -> list[Number]:
    answer = days(policy.dispute_answer_business_days, "business day")
    at_least = days(policy.dispute_days_left_at_least)
    holidays = ", ".join(display.day(on) for on in policy.holidays) or "none"
    return [
        Number("Changes can be requested", f"{_times(policy.returns_at_most)} per Milestone"),
        Number("A cancellation request lapses after", days(policy.cancellation_days)),
        Number("A Dispute is answered within", answer),
        Number("Holidays", holidays),
        Number("After a Dispute a clock has at least", at_least),
    ]


def _before_that(counts: list[int]) -> str:
    if not counts:
        return "none"
    ordered = sorted(counts, reverse=True)
    return f"{', '.join(map(str, ordered))} day{'' if ordered == [1] else 's'} before that"


def _times(count: int) -> str:
    return "1 time" if count == 1 else f"{count} times"
