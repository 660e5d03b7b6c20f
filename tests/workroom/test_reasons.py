"""Whatever moves money or changes a state says who or what did it, and why (R0 Activity, R12).

Each way is played by the services and the sweep; its last lines of history are read as both read them.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from billing.gateways.base import Status
from billing.models import Payment
from billing.services import closing, payments, release_requests, releases, sweeping
from jobs.models import Activity, Job, Person, Policy
from jobs.notices import KINDS
from jobs.selectors import history
from jobs.services.columns import set_columns
from tests.billing import banking
from tests.billing.steps import NOON, request_release
from tests.scenarios import START, fund, running_job
from tests.workroom.agreements import agreed, awarded, hourly_draft
from workroom.services import awards, terms

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
LATER = START + timedelta(hours=3)
Line = tuple[str, str, str]

CLIENT, FREELANCER = "Clara Client", "Frank Freelancer"
TIMER, SYSTEM = "The timer", "The system"
UNFUNDED = "nothing was charged, and what was Pending is unfunded again."
RULE = "30-day rule: requested 9 Mar 2026 12:00 UTC, "
NOTHING_LEFT = "Every Milestone of the agreed Terms is released, refunded or removed."


def utc(month: int, day: int, hour: int = 0) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


def sweep(*instants: datetime) -> None:
    for at in instants:
        sweeping.sweep(at=at)


def story(job: Job) -> list[Line]:
    """Kind, actor and reason of each line of a Job's history, in order."""
    rows = Activity.objects.filter(job=job).select_related("actor").order_by("pk")
    with timezone.override("UTC"):
        told = history.lines(rows, job, None)  # type: ignore[arg-type]
    return [(row.kind, line["who"], line["why"]) for row, line in zip(rows, told, strict=True)]


def pending(job: Job, *, behaviour: str = "needs_authentication") -> Payment:
    return banking.fund(job, 1, behaviour=behaviour, at=START)


# --- Terms and awards ---


def accepted(client: Person, freelancer: Person) -> Job:
    return agreed(client, freelancer)


def award_expires(client: Person, freelancer: Person) -> Job:
    job = awarded(client, freelancer.email)
    sweep(utc(3, 8, 10))
    return job


def terms_lapse(client: Person, freelancer: Person) -> Job:
    """What a change of Terms on a running Job will leave open."""
    job = running_job(client, freelancer)
    set_columns(job, open_proposal_until=utc(3, 8, 10), next_due_at=utc(3, 8, 10))
    sweep(utc(3, 8, 10))
    return job


def award_declined(client: Person, freelancer: Person) -> Job:
    job = awarded(client, freelancer.email)
    return awards.decline_award(job, by=freelancer, at=LATER, reason="No time until May.")


def award_withdrawn(client: Person, freelancer: Person) -> Job:
    job = awarded(client, freelancer.email)
    return awards.withdraw_award(job, by=client, at=LATER, reason="Not needed any more.")


def terms_declined(client: Person, freelancer: Person) -> Job:
    job = awarded(client, freelancer.email)
    terms.decline(job, by=freelancer, version=1, at=LATER, answer="Too short.")
    return job


# --- Money coming in ---


def funded(client: Person, freelancer: Person) -> Job:
    job = running_job(client, freelancer)
    fund(job, 1)
    return job


def authenticated(client: Person, freelancer: Person) -> Job:
    job = running_job(client, freelancer)
    banking.authenticate(pending(job), at=LATER)
    return job


def refused_by_the_bank(client: Person, freelancer: Person) -> Job:
    job = running_job(client, freelancer)
    banking.fund(job, 1, behaviour="insufficient_funds", at=START)
    return job


def not_authenticated(client: Person, freelancer: Person) -> Job:
    job = running_job(client, freelancer)
    banking.refuse(pending(job), at=LATER)
    return job


def cancelled(client: Person, freelancer: Person) -> Job:
    job = running_job(client, freelancer)
    payments.cancel(pending(job), by=client, at=LATER)
    return job


def stopped(client: Person, freelancer: Person) -> Job:
    job = running_job(client, freelancer)
    method = banking.add_card(client)
    payment = payments.start(job.pk, numbers=[1], method=method, by=client, at=START)
    payments.cancel(payment, by=client, at=LATER)
    return job


def cancelled_at_the_bank(client: Person, freelancer: Person) -> Job:
    job = running_job(client, freelancer)
    banking.deliver(banking.bank_says(pending(job), Status.CANCELLED), at=LATER)
    return job


def reminded(client: Person, freelancer: Person) -> Job:
    job = running_job(client, freelancer)
    pending(job)
    sweep(utc(3, 7, 10))
    return job


def lapsed(client: Person, freelancer: Person) -> Job:
    job = running_job(client, freelancer)
    pending(job)
    sweep(utc(3, 8, 10))
    return job


# --- Money that is not wanted ---


def late_after_lapsing(client: Person, freelancer: Person) -> Job:
    job = running_job(client, freelancer)
    payment = pending(job)
    sweep(utc(3, 8, 10))
    banking.deliver(banking.bank_says(payment, Status.SUCCEEDED), at=utc(3, 9))
    return job


def late_and_refused_by_the_card(client: Person, freelancer: Person) -> Job:
    job = running_job(client, freelancer)
    method = banking.add_card(client, "closed")
    payment = payments.start(job.pk, numbers=[1], method=method, by=client, at=START)
    payments.cancel(payment, by=client, at=START)
    banking.deliver(banking.bank_says(payment, Status.SUCCEEDED), at=LATER)
    return job


def price_changed(client: Person, freelancer: Person) -> Job:
    job = running_job(client, freelancer)
    payment = pending(job)
    job.escrows.filter(number=1).update(amount_minor=400_00)
    banking.deliver(banking.bank_says(payment, Status.SUCCEEDED), at=LATER)
    return job


# --- Requests and releases ---


def requested(client: Person, freelancer: Person, *amounts_minor: int) -> Job:
    job = running_job(client, freelancer, amounts_minor=amounts_minor or (500_00, 1_000_00))
    fund(job, 1)
    request_release(job)
    return job


def voided(client: Person, freelancer: Person) -> Job:
    job = requested(client, freelancer)
    request = job.release_requests.get()
    release_requests.void(request.pk, by=freelancer, at=NOON + DAY, reason="One page is missing.")
    return job


def overdue(client: Person, freelancer: Person) -> Job:
    job = requested(client, freelancer)
    sweep(utc(3, 24, 12))
    return job


def warned(client: Person, freelancer: Person) -> Job:
    job = requested(client, freelancer)
    sweep(utc(3, 24, 12), utc(3, 29, 12))
    return job


def released_by_silence(client: Person, freelancer: Person) -> Job:
    job = requested(client, freelancer)
    sweep(utc(4, 8, 12))
    return job


def released_by_shorter_silence(client: Person, freelancer: Person) -> Job:
    job = running_job(client, freelancer)
    set_columns(job, policy=Policy.objects.create(version=9, release_days=20))
    fund(job, 1)
    request_release(job)
    sweep(utc(3, 29, 12))
    return job


def last_one_released_by_silence(client: Person, freelancer: Person) -> Job:
    job = requested(client, freelancer, 500_00)
    sweep(utc(4, 8, 12))
    return job


def released(client: Person, freelancer: Person) -> Job:
    job = running_job(client, freelancer, amounts_minor=[500_00])
    fund(job, 1)
    releases.release(job.pk, numbers=[1], by=client, at=NOON)
    return job


# --- The end by hand ---


def completed_by_hand(client: Person, freelancer: Person) -> Job:
    job = running_job(client, freelancer, open_ended=True)
    return closing.complete(job.pk, by=client, at=NOON)


def hourly_completed(client: Person, freelancer: Person) -> Job:
    job = awards.award(hourly_draft(client), by=client, email=freelancer.email, at=START)
    terms.accept(job, by=freelancer, version=1, at=START)
    return closing.complete(job.pk, by=freelancer, at=NOON)


# --- Dormancy: D is 30 Jun, 60 days after the end of 30 Apr ---


def dormant(client: Person, freelancer: Person) -> Job:
    job = running_job(client, freelancer)
    fund(job, 1)
    sweep(utc(6, 30))
    return job


def freelancer_told(client: Person, freelancer: Person) -> Job:
    job = dormant(client, freelancer)
    sweep(utc(7, 7))
    return job


def settled(client: Person, freelancer: Person) -> Job:
    job = freelancer_told(client, freelancer)
    sweep(utc(7, 14))
    return job


def settled_with_an_open_end(client: Person, freelancer: Person) -> Job:
    job = running_job(client, freelancer, open_ended=True)
    fund(job, 1)
    sweep(utc(6, 30), utc(7, 7), utc(7, 14))
    return job


def woken_by_a_release(client: Person, freelancer: Person) -> Job:
    job = dormant(client, freelancer)
    releases.release(job.pk, numbers=[1], by=client, at=utc(7, 1))
    return job


def woken_by_a_request(client: Person, freelancer: Person) -> Job:
    job = dormant(client, freelancer)
    request_release(Job.objects.get(pk=job.pk), at=utc(7, 10, 8))
    return job


def woken_by_a_void(client: Person, freelancer: Person) -> Job:
    """R14.14: the request that is voided after the settlement was for the last held Milestone."""
    job = running_job(client, freelancer)
    fund(job, 1, 2)
    sweep(utc(6, 30), utc(7, 7))
    request = request_release(Job.objects.get(pk=job.pk), 2, at=utc(7, 10, 8))
    sweep(utc(7, 14))
    release_requests.void(request.pk, by=freelancer, at=utc(7, 20, 8))
    return job


FIRST_FUNDING = (
    "funding_requested",
    SYSTEM,
    "The Terms were accepted: funding of the first Milestone is requested at once.",
)
IS_PENDING = (
    "payment_pending",
    CLIENT,
    "The bank has not authenticated the card yet: the money is Pending, and not held.",
)
CONFIRMED = ("funded", CLIENT, "The bank confirmed the payment.")
REMINDER = (
    "authentication_reminder",
    TIMER,
    "Not authenticated yet: the payment lapses 8 Mar 2026 10:00 UTC.",
)
LAPSED = (
    "payment_lapsed", TIMER, f"Not authenticated within 7 days, by 8 Mar 2026 10:00 UTC: {UNFUNDED}",
)  # fmt: skip
NOT_WANTED = "The money arrived when it was no longer wanted: "
STOPPED = ("payment_stopped", CLIENT, "Stopped before the bank had answered: nothing was charged.")
LATE = f"{NOT_WANTED}the payment had been cancelled on 1 Mar 2026 10:00 UTC."
NO_ANSWER = f"{RULE}released 8 Apr 2026 12:00 UTC unless answered."
OVERDUE = (
    "overdue",
    TIMER,
    f"{RULE}no answer by 24 Mar 2026 12:00 UTC, released 8 Apr 2026 12:00 UTC unless answered.",
)
WARNING = ("release_warning", TIMER, NO_ANSWER)
RELEASED = ("released", TIMER, f"{RULE}no answer by 8 Apr 2026 12:00 UTC.")
ACCEPTED = ("terms_accepted", FREELANCER, "Both sides agree to these Terms: the Job is active.")
NEVER_FUNDED = (
    "removed", CLIENT, "The Job was marked complete: what was never funded is removed.",
)  # fmt: skip
IS_DORMANT = (
    "dormant",
    TIMER,
    "Dormancy rule: money is held, and nothing was done for 60 days, by 30 Jun 2026 00:00 UTC.",
)
TOLD = (
    "dormant_freelancer",
    TIMER,
    "Dormancy rule: Dormant since 30 Jun 2026 00:00 UTC, and nothing was done for 7 days, by "
    "7 Jul 2026 00:00 UTC.",
)
SETTLED_BY_RULE = (
    "Dormancy rule: Dormant since 30 Jun 2026 00:00 UTC, release of this money not requested by "
    "14 Jul 2026 00:00 UTC, and nothing else done for 14 days."
)
SETTLED = ("settled", TIMER, SETTLED_BY_RULE)
RETURNED = ("returned", TIMER, SETTLED_BY_RULE)

WAYS: list[tuple[Callable[[Person, Person], Job], list[Line]]] = [
    (accepted, [ACCEPTED, FIRST_FUNDING]),
    (
        award_expires,
        [
            (
                "award_expired",
                TIMER,
                "Nobody answered the proposal within 7 days, by 8 Mar 2026 10:00 UTC.",
            )
        ],
    ),
    (
        terms_lapse,
        [
            (
                "terms_lapsed",
                TIMER,
                "Nobody answered the proposal within 7 days, by 8 Mar 2026 10:00 UTC.",
            )
        ],
    ),
    (award_declined, [("award_declined", FREELANCER, "No time until May.")]),
    (award_withdrawn, [("award_withdrawn", CLIENT, "Not needed any more.")]),
    (terms_declined, [("terms_declined", FREELANCER, "Too short.")]),
    (funded, [FIRST_FUNDING, CONFIRMED]),
    (
        authenticated,
        [
            IS_PENDING,
            (
                "funded",
                CLIENT,
                "The bank authenticated the Pending payment: it is Funded from this instant.",
            ),
        ],
    ),
    (
        refused_by_the_bank,
        [("payment_failed", CLIENT, "The bank refused the payment: nothing was charged.")],
    ),
    (
        not_authenticated,
        [
            (
                "authentication_failed",
                CLIENT,
                f"The bank did not authenticate the Pending payment: {UNFUNDED}",
            )
        ],
    ),
    (
        cancelled,
        [
            (
                "payment_cancelled",
                CLIENT,
                f"Cancelled before the bank had authenticated it: {UNFUNDED}",
            )
        ],
    ),
    (stopped, [STOPPED]),
    (
        cancelled_at_the_bank,
        [("payment_cancelled", SYSTEM, f"The bank says that the payment is cancelled: {UNFUNDED}")],
    ),
    (reminded, [IS_PENDING, REMINDER, REMINDER]),
    (lapsed, [LAPSED]),
    (
        late_after_lapsing,
        [
            LAPSED,
            (
                "money_returned",
                SYSTEM,
                f"{NOT_WANTED}the payment had lapsed on 8 Mar 2026 10:00 UTC.",
            ),
        ],
    ),
    (
        late_and_refused_by_the_card,
        [
            STOPPED,
            ("money_returned", SYSTEM, LATE),
            (
                "refund_refused",
                SYSTEM,
                f"{LATE} The card takes no money back, so it is on the Client’s available balance.",
            ),
        ],
    ),
    (
        price_changed,
        [("money_returned", SYSTEM, f"{NOT_WANTED}the price of “Milestone 1” had changed.")],
    ),
    (
        voided,
        [("release_requested", FREELANCER, ""), ("voided", FREELANCER, "One page is missing.")],
    ),
    (overdue, [OVERDUE]),
    (warned, [OVERDUE, WARNING]),
    (released_by_silence, [OVERDUE, *[WARNING] * 4, RELEASED]),
    (
        released_by_shorter_silence,
        [
            (
                "released",
                TIMER,
                "20-day rule: requested 9 Mar 2026 12:00 UTC, no answer by 29 Mar 2026 12:00 UTC.",
            )
        ],
    ),
    (last_one_released_by_silence, [RELEASED, ("completed", SYSTEM, NOTHING_LEFT)]),
    (
        released,
        [("released", CLIENT, "Released by the Client."), ("completed", SYSTEM, NOTHING_LEFT)],
    ),
    (
        completed_by_hand,
        [
            NEVER_FUNDED,
            NEVER_FUNDED,
            (
                "completed",
                CLIENT,
                "Marked complete: its end was to be determined, and no money was held, Pending or "
                "asked for.",
            ),
        ],
    ),
    (
        hourly_completed,
        [
            (
                "completed",
                FREELANCER,
                "Marked complete: an hourly Job has no Milestones that could complete it.",
            )
        ],
    ),
    (dormant, [IS_DORMANT]),
    (freelancer_told, [IS_DORMANT, TOLD]),
    (
        settled,
        [
            SETTLED,
            RETURNED,
            ("removed", TIMER, "Dormancy rule: it was never funded, and nothing else is held."),
            (
                "completed",
                SYSTEM,
                "Dormancy rule: nothing is held any more, and what was never funded is removed.",
            ),
        ],
    ),
    (
        settled_with_an_open_end,
        [SETTLED, RETURNED, ("reactivated", TIMER, "Dormancy rule: no money is held any more.")],
    ),
    (
        woken_by_a_release,
        [
            ("released", CLIENT, "Released by the Client."),
            ("reactivated", CLIENT, "The Client released money."),
        ],
    ),
    (
        woken_by_a_request,
        [
            ("release_requested", FREELANCER, ""),
            ("reactivated", FREELANCER, "Release of all that is held is requested."),
        ],
    ),
    (
        woken_by_a_void,
        [
            SETTLED,
            RETURNED,
            ("voided", FREELANCER, ""),
            ("reactivated", FREELANCER, "A Release Request ended after the Job had been settled."),
        ],
    ),
]


@pytest.mark.parametrize(("way", "expected"), WAYS, ids=lambda one: getattr(one, "__name__", ""))
def test_each_way_says_who_and_why(
    client_person: Person,
    freelancer: Person,
    way: Callable[[Person, Person], Job],
    expected: list[Line],
) -> None:
    job = way(client_person, freelancer)
    assert story(Job.objects.get(pk=job.pk))[-len(expected) :] == expected
    assert [kind for kind, who, why in story(job) if who in (TIMER, SYSTEM) and not why] == []


def test_every_kind_that_moves_money_or_a_state_is_among_them() -> None:
    """A new kind of Activity is told here, or is one that is a person's plain choice."""
    told = {kind for _, lines in WAYS for kind, _, _ in lines}
    assert set(KINDS) - told == {
        "awarded", "invited", "terms_proposed", "terms_withdrawn", "report_submitted",
        "timesheet_submitted", "taken_up_again",
    }  # fmt: skip
