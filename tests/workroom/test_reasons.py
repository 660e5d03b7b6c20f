"""Whatever moves money or changes a state says who or what did it, and why (R0 Activity, R12).

The ways are in ``ways``; the last lines of history of each are read as both sides read them.
"""

from collections.abc import Callable

import pytest
from django.utils import timezone

from jobs.models import Activity, Job, Notification, Person
from jobs.notices import KINDS
from jobs.selectors import history, notices
from tests.workroom import ways
from tests.workroom.timer_mails import Told

pytestmark = pytest.mark.django_db

Line = tuple[str, str, str]

CLIENT, FREELANCER = "Clara Client", "Frank Freelancer"
TIMER, SYSTEM = "The timer", "The system"
UNFUNDED = "nothing was charged, and what was Pending is unfunded again."
RULE = "30-day rule: requested 9 Mar 2026 12:00 UTC, "
NOTHING_LEFT = "Every Milestone of the agreed Terms is released, refunded or removed."


def story(job: Job) -> list[Line]:
    """Kind, actor and reason of each line of a Job's history, in order."""
    rows = Activity.objects.filter(job=job).select_related("actor").order_by("pk")
    with timezone.override("UTC"):
        told = history.lines(rows, job, None)  # type: ignore[arg-type]
    return [(row.kind, line["who"], line["why"]) for row, line in zip(rows, told, strict=True)]


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
    "Dormancy rule: the Job was Dormant since 30 Jun 2026 00:00 UTC. By 14 Jul 2026 00:00 UTC the "
    "Freelancer had not requested release of this money, and nobody had done anything else for "
    "14 days: so it goes back to the Client."
)
SETTLED = ("settled", TIMER, SETTLED_BY_RULE)
RETURNED = ("returned", TIMER, SETTLED_BY_RULE)

WAYS: list[tuple[Callable[[Person, Person], Job], list[Line]]] = [
    (ways.accepted, [ACCEPTED, FIRST_FUNDING]),
    (
        ways.award_expires,
        [
            (
                "award_expired",
                TIMER,
                "Nobody answered the proposal within 7 days, by 8 Mar 2026 10:00 UTC.",
            )
        ],
    ),
    (
        ways.terms_lapse,
        [
            (
                "terms_lapsed",
                TIMER,
                "Nobody answered the proposal within 7 days, by 8 Mar 2026 10:00 UTC.",
            )
        ],
    ),
    (ways.award_declined, [("award_declined", FREELANCER, "No time until May.")]),
    (ways.award_withdrawn, [("award_withdrawn", CLIENT, "Not needed any more.")]),
    (ways.terms_declined, [("terms_declined", FREELANCER, "Too short.")]),
    (ways.funded, [FIRST_FUNDING, CONFIRMED]),
    (
        ways.authenticated,
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
        ways.refused_by_the_bank,
        [("payment_failed", CLIENT, "The bank refused the payment: nothing was charged.")],
    ),
    (
        ways.not_authenticated,
        [
            (
                "authentication_failed",
                CLIENT,
                f"The bank did not authenticate the Pending payment: {UNFUNDED}",
            )
        ],
    ),
    (
        ways.cancelled,
        [
            (
                "payment_cancelled",
                CLIENT,
                f"Cancelled before the bank had authenticated it: {UNFUNDED}",
            )
        ],
    ),
    (ways.stopped, [STOPPED]),
    (
        ways.cancelled_at_the_bank,
        [("payment_cancelled", SYSTEM, f"The bank says that the payment is cancelled: {UNFUNDED}")],
    ),
    (ways.reminded, [IS_PENDING, REMINDER, REMINDER]),
    (ways.lapsed, [LAPSED]),
    (
        ways.late_after_lapsing,
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
        ways.late_and_refused_by_the_card,
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
        ways.price_changed,
        [("money_returned", SYSTEM, f"{NOT_WANTED}the price of “Milestone 1” had changed.")],
    ),
    (
        ways.voided,
        [("release_requested", FREELANCER, ""), ("voided", FREELANCER, "One page is missing.")],
    ),
    (ways.overdue, [OVERDUE]),
    (ways.warned, [OVERDUE, WARNING]),
    (ways.released_by_silence, [OVERDUE, *[WARNING] * 4, RELEASED]),
    (
        ways.released_by_shorter_silence,
        [
            (
                "released",
                TIMER,
                "20-day rule: requested 9 Mar 2026 12:00 UTC, no answer by 29 Mar 2026 12:00 UTC.",
            )
        ],
    ),
    (ways.last_one_released_by_silence, [RELEASED, ("completed", TIMER, NOTHING_LEFT)]),
    (
        ways.released,
        [("released", CLIENT, "Released by the Client."), ("completed", SYSTEM, NOTHING_LEFT)],
    ),
    (
        ways.completed_by_hand,
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
        ways.hourly_completed,
        [
            (
                "completed",
                FREELANCER,
                "Marked complete: an hourly Job has no Milestones that could complete it.",
            )
        ],
    ),
    (ways.dormant, [IS_DORMANT]),
    (ways.freelancer_told, [IS_DORMANT, TOLD]),
    (
        ways.settled,
        [
            SETTLED,
            RETURNED,
            ("removed", TIMER, "Dormancy rule: it was never funded, and nothing else is held."),
            (
                "completed",
                TIMER,
                "Dormancy rule: nothing is held any more, and what was never funded is removed.",
            ),
        ],
    ),
    (
        ways.settled_with_an_open_end,
        [SETTLED, RETURNED, ("reactivated", TIMER, "Dormancy rule: no money is held any more.")],
    ),
    (
        ways.woken_by_a_release,
        [
            ("released", CLIENT, "Released by the Client."),
            ("reactivated", CLIENT, "The Client released money."),
        ],
    ),
    (
        ways.woken_by_a_request,
        [
            ("release_requested", FREELANCER, ""),
            ("reactivated", FREELANCER, "Release of all that is held is requested."),
        ],
    ),
    (
        ways.woken_by_a_void,
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


# Played, with who and why, where each is tested: test_disputes, test_dispute_offers, test_mediation,
# test_sealed, test_cancellations, test_refunding, test_changes_requested, test_terms_changes,
# test_interventions, test_chargeback_ends, test_chargeback_amounts, test_locking.
ELSEWHERE = {
    name
    for name in KINDS
    if name.startswith(
        (
            "dispute_",
            "cancellation_",
            "sealed_",
            "offer_",
            "decision_",
            "intervention_",
            "support_",
            "chargeback_",
            "account_",
        )
    )
} | {
    "cancelled", "changes_requested", "credited", "refund_covers_chargeback", "refunded", "terms_changed",
    "terms_unfit",
}  # fmt: skip


def test_every_kind_that_moves_money_or_a_state_is_among_them() -> None:
    """A new kind of Activity is told here, or is one that is a person's plain choice."""
    told = {kind for _, lines in WAYS for kind, _, _ in lines}
    assert set(KINDS) - told - ELSEWHERE == {
        "awarded", "invited", "terms_proposed", "terms_withdrawn", "report_submitted",
        "timesheet_submitted", "taken_up_again",
    }  # fmt: skip


# --- The mails, each in its reader's own zone ---


def mails_to(reader: Person, kind: str) -> str:
    """What happened, in the newest mail of this kind to the reader."""
    mine = Notification.objects.filter(person=reader, activity__kind=kind)
    return Told(notices.with_all_they_name(mine).latest("pk")).happened


@pytest.mark.parametrize(
    ("way", "kind", "said"),
    [
        (
            ways.released_by_silence,
            "released",
            "by the 30-day rule: Frank Freelancer requested the release on 9 Mar 2026, 21:00 JST, "
            "and you had not answered by 8 Apr 2026, 21:00 JST.",
        ),
        (
            ways.released_by_shorter_silence,
            "released",
            "by the 20-day rule: Frank Freelancer requested the release on 9 Mar 2026, 21:00 JST, "
            "and you had not answered by 29 Mar 2026, 21:00 JST.",
        ),
        (
            ways.settled,
            "settled",
            "by the dormancy rule: $500.00 held for Milestone 1 goes back to you. The Job was "
            "Dormant since 30 Jun 2026, 09:00 JST, for 14 days neither of you had done anything "
            "but request releases, and the release of this money was not requested.",
        ),
        (
            ways.settled,
            "completed",
            "is completed. Dormancy rule: nothing is held any more, and what was never funded is "
            "removed.",
        ),
        (ways.released, "completed", f"is completed. {NOTHING_LEFT}"),
        (
            ways.lapsed,
            "payment_lapsed",
            "has lapsed: it was not authenticated at your bank within 7 days, by 8 Mar 2026, "
            "19:00 JST. Nothing was charged.",
        ),
        (
            ways.award_expires,
            "award_expired",
            "the Terms that were proposed for it had not been accepted within 7 days, by 8 Mar "
            "2026, 19:00 JST.",
        ),
        (
            ways.terms_lapse,
            "terms_lapsed",
            "they had not been answered within 7 days, by 8 Mar 2026, 19:00 JST.",
        ),
        (
            ways.late_after_lapsing,
            "money_returned",
            "arrived when it was no longer wanted: the payment had lapsed on 8 Mar 2026, 19:00 JST. "
            "It goes back to your card",
        ),
        (ways.authenticated, "funded", "The bank authenticated the Pending payment: it is Funded"),
        (ways.woken_by_a_request, "reactivated", "Release of all that is held is requested."),
    ],
    ids=lambda one: getattr(one, "__name__", None),
)
def test_the_mail_says_the_rule_in_the_zone_of_its_reader(
    client_person: Person,
    freelancer: Person,
    way: Callable[[Person, Person], Job],
    kind: str,
    said: str,
) -> None:
    Person.objects.filter(pk=client_person.pk).update(time_zone="Asia/Tokyo")
    client_person.refresh_from_db()
    way(client_person, freelancer)
    happened = mails_to(client_person, kind)
    assert said in happened
    assert " UTC" not in happened
