"""What the mails of the timers say to each side: why, what now, until when, what if nothing is done.

Those about dormancy are in ``test_dormancy_mails``, what the Client can do about a request in
``test_request_ways``.
"""

import pytest

from jobs.models import Invitation, Job, Person
from tests.workroom.agreements import awarded
from tests.workroom.timer_mails import (
    DORMANT,
    DUE_AT,
    PAYMENT,
    RELEASED,
    REQUEST,
    RULE,
    read_far_apart,
    tell,
    with_policy,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    return read_far_apart(client_person, freelancer)


def test_overdue_reminds_both(job: Job) -> None:
    client, freelancer = tell(job, "overdue", reason=RULE, **REQUEST)
    assert [client.to, freelancer.to] == [["clara@example.com"], ["frank@example.com"]]
    assert client.subject == freelancer.subject == "Overdue: Design, $500.00"
    assert (
        "Frank Freelancer requested the release of $500.00 for “Design” on 9 Mar 2026, 21:00 JST, "
        "and you have not answered yet. The request is Overdue now; Frank Freelancer is told as "
        "well." in client.happened
    )
    assert client.until == "8 Apr 2026, 21:00 JST."
    assert client.otherwise == (
        "On 8 Apr 2026, 21:00 JST what is still held for “Design” is released to Frank Freelancer "
        "by the 30-day rule, and the final invoice is made. You are warned before."
    )
    assert (
        "You requested the release of $500.00 for “Design” on 9 Mar 2026, 08:00 EDT, and Clara "
        "Client has not answered yet." in freelancer.happened
    )
    assert freelancer.until == "8 Apr 2026, 08:00 EDT."
    assert freelancer.otherwise == (
        "On 8 Apr 2026, 08:00 EDT what is still held for “Design” is released to you, less the "
        "fees, by the 30-day rule, and the final invoice is made."
    )


def test_a_policy_without_warnings_promises_none(job: Job) -> None:
    client = tell(with_policy(job, warning_days_before_due=[]), "overdue", **REQUEST)[0]
    assert client.otherwise.endswith("and the final invoice is made.")


@pytest.mark.parametrize(("days_left", "days"), [(10, "10 days"), (1, "1 day")])
def test_a_warning_says_what_silence_does(job: Job, days_left: int, days: str) -> None:
    (client,) = tell(job, "release_warning", reason=RULE, **REQUEST, days_left=days_left)
    assert client.to == ["clara@example.com"]
    assert client.subject == "Will be released on 8 Apr 2026, 21:00 JST: Design, $500.00"
    assert (
        "you have not answered yet. Without your answer the money is released on 8 Apr 2026, "
        f"21:00 JST. You get this warning {days} before that." in client.happened
    )
    assert client.until == "8 Apr 2026, 21:00 JST."
    assert client.otherwise == (
        "On 8 Apr 2026, 21:00 JST what is still held for “Design” is released to Frank Freelancer "
        "by the 30-day rule, and the final invoice is made."
    )


def test_released_by_the_rule_tells_both_why(job: Job) -> None:
    client, freelancer = tell(job, "released", reason=RULE, **RELEASED)
    assert client.subject == freelancer.subject == "Released: Design, $500.00"
    assert (
        "$500.00 of “Design” was released to Frank Freelancer by the 30-day rule: Frank Freelancer "
        "requested the release on 9 Mar 2026, 21:00 JST, and you had not answered by 8 Apr 2026, "
        "21:00 JST. Frank Freelancer got $456.25: $500.00 less the service fee of $43.75 and the "
        "processing fee of $0.00. INV-2-0001 was made for both of you." in client.happened
    )
    assert client.until == (
        "There is no deadline. The release was due on 8 Apr 2026, 21:00 JST and is final."
    )
    assert (
        "$500.00 of “Design” was released to you by the 30-day rule: you requested the release on "
        "9 Mar 2026, 08:00 EDT, and Clara Client had not answered by 8 Apr 2026, 08:00 EDT. You "
        "got $456.25" in freelancer.happened
    )
    assert freelancer.now.startswith("The money is in your available balance.")
    # The rule stands there in each reader's own zone, and not a second time in UTC.
    assert "12:00 UTC" not in client.happened + freelancer.happened


def test_a_release_by_the_client_speaks_of_no_rule(job: Job) -> None:
    facts = {name: RELEASED[name] for name in RELEASED if name not in ("rule", "due_at")}
    client, freelancer = tell(job, "released", by=job.client, reason="Released.", **facts)
    assert "You released $500.00 of “Design”." in client.happened
    assert "Clara Client released $500.00 of “Design”." in freelancer.happened
    assert client.until == "There is no deadline. The release was immediate and is final."
    assert "rule" not in client.happened + freelancer.happened


@pytest.mark.parametrize(("days_left", "days"), [(4, "4 days"), (1, "1 day")])
def test_a_reminder_to_authenticate(job: Job, days_left: int, days: str) -> None:
    (client,) = tell(job, "authentication_reminder", **PAYMENT, days_left=days_left)
    assert client.to == ["clara@example.com"]
    assert client.subject == "Authenticate by 8 Apr 2026, 21:00 JST: Design, $500.00"
    assert (
        "Your payment of $500.00 for Design is still Pending: your bank wants to know that the "
        "card is yours. It lapses on 8 Apr 2026, 21:00 JST. You get this reminder "
        f"{days} before that." in client.happened
    )
    assert "authenticate it at your bank: it turns Funded at once." in client.now
    assert client.until == "The payment can be authenticated until 8 Apr 2026, 21:00 JST."
    assert client.otherwise == (
        "If you have not authenticated it by 8 Apr 2026, 21:00 JST, the payment lapses: nothing is "
        "charged, and Design is unfunded again."
    )


def test_a_payment_that_lapsed(job: Job) -> None:
    facts = PAYMENT | {"numbers": [1], "card": "Visa ending in 4242"}
    client, freelancer = tell(job, "payment_lapsed", **facts)
    assert client.subject == freelancer.subject == "Payment lapsed: Design, $500.00"
    assert (
        "Your Pending payment of $500.00 for Design with Visa ending in 4242 has lapsed: it was "
        "not authenticated at your bank within 7 days, by 8 Apr 2026, 21:00 JST. Nothing was "
        "charged. Design is unfunded again." in client.happened
    )
    assert client.now == "You can fund it at any time, with this card or another one."
    assert (
        "The Pending payment of $500.00 for Design has lapsed: Clara Client did not authenticate "
        "it within 7 days, by 8 Apr 2026, 08:00 EDT. The money did not arrive. Design is unfunded "
        "again." in freelancer.happened
    )
    assert freelancer.now.startswith("You need not start on it.")
    assert "Visa" not in freelancer.happened
    assert client.until == freelancer.until == "There is no deadline."
    assert client.otherwise == freelancer.otherwise == "Design stays unfunded."


def test_a_payment_for_several_milestones_that_lapsed(job: Job) -> None:
    facts = PAYMENT | {"escrow": "Design, Build", "numbers": [1, 2], "card": "Visa"}
    client, freelancer = tell(job, "payment_lapsed", **facts)
    assert "Design, Build are unfunded again." in client.happened
    assert freelancer.now.startswith("You need not start on them.")
    assert client.otherwise == "Design, Build stay unfunded."


def test_an_award_that_expired(job: Job) -> None:
    client, freelancer = tell(job, "award_expired", due_at=DUE_AT)
    assert client.subject == freelancer.subject == "Award expired: Website"
    assert (
        "The award of the Job “Website” has expired: the Terms that were proposed for it had not "
        "been accepted within 7 days, by 8 Apr 2026, 21:00 JST. The Job has ended; nobody has paid anything."
        in client.happened
    )
    assert client.now == "If you still want the work done, award it again as a new Job."
    assert "been accepted within 7 days, by 8 Apr 2026, 08:00 EDT." in freelancer.happened
    assert freelancer.now == (
        "Please do not begin to work on it. If you would like to do the work, ask Clara Client to "
        "award it again."
    )
    assert client.otherwise == "Nothing happens. Nothing was agreed, and nothing is charged."


def test_an_award_that_expired_before_anybody_was_bound(client_person: Person) -> None:
    job = awarded(client_person, "nora@example.com")
    told = tell(job, "award_expired", due_at=DUE_AT, address="nora@example.com")
    client, invited = sorted(told, key=lambda one: one.to)
    assert [client.to, invited.to] == [["clara@example.com"], ["nora@example.com"]]
    assert invited.subject == "Award expired: Website"
    assert invited.now.startswith("Please do not begin to work on it.")
    assert "been accepted within 7 days, by 8 Apr 2026, 12:00 UTC." in invited.happened
    token = Invitation.objects.get(job=job).token
    assert f"\nhttp://localhost:8000/invitations/{token}/\n" in str(invited.message.body)


def test_terms_that_lapsed(job: Job) -> None:
    client, freelancer = tell(job, "terms_lapsed", due_at=DUE_AT)
    assert client.subject == freelancer.subject == "Terms lapsed: Website"
    assert (
        "The Terms that were proposed for the Job “Website” have lapsed: they had not been "
        "answered within 7 days, by 8 Apr 2026, 21:00 JST. They can no longer be accepted."
        in client.happened
    )
    assert client.now.startswith("Nothing is asked of you.")
    assert client.otherwise == freelancer.otherwise == (
        "What was agreed before stays as it is. If nothing of it is left to do, the Job is "
        "completed, and you get a notice of its own about that."
    )  # fmt: skip


def test_terms_that_lapsed_complete_no_open_ended_job(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(open_ended=True)
    client = tell(Job.objects.get(pk=job.pk), "terms_lapsed", due_at=DUE_AT)[0]
    assert client.otherwise == "What was agreed before stays as it is."


def test_the_numbers_are_those_of_the_policy_of_the_job(job: Job) -> None:
    job = with_policy(
        job, release_days=20, authentication_days=1, authentication_reminder_days=[],
        dormant_days=90, dormant_freelancer_days=5, dormant_settlement_days=11,
        return_fee_basis_points=125,
    )  # fmt: skip
    assert "to Frank Freelancer by the 20-day rule" in tell(job, "overdue", **REQUEST)[0].otherwise
    released = tell(job, "released", **RELEASED | {"rule": "20-day rule"})
    assert "by the 20-day rule: you requested" in released[1].happened
    lapsed = tell(job, "payment_lapsed", **PAYMENT, numbers=[1], card="Visa")
    assert (
        "authenticated at your bank within 1 day, by 8 Apr 2026, 21:00 JST." in lapsed[0].happened
    )
    (dormant,) = tell(job, "dormant", **DORMANT)
    assert "and for 90 days neither of you" in dormant.happened
    assert "lets the 11 days until its settlement begin anew" in dormant.now
    assert "A fee of 1.25 % is taken on what goes back." in dormant.otherwise
    (freelancer,) = tell(job, "dormant_freelancer", **DORMANT)
    assert "in the 5 days before this notice" in freelancer.happened
    settled = tell(job, "settled", amount_minor=1_000_00, escrow="Build")[0]
    assert "for 11 days neither of you" in settled.happened
    assert settled.now == "There is nothing that you have to do. A fee of 1.25 % was taken."
