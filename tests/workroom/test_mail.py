"""What a mail says: every kind of notice, to each of its readers (R12)."""

import re
from datetime import UTC, date, datetime
from itertools import product
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from django.urls import resolve

from billing.models import ReleaseRequest
from billing.services import release_requests, releases
from jobs.models import Activity, Invitation, Job, Notification, Person
from jobs.notices import KINDS, Audience, Kind
from jobs.selectors import notices
from jobs.services import activity
from tests.billing.steps import NOON
from tests.scenarios import fund
from tests.workroom import report_steps
from tests.workroom.agreements import START, agreed, awarded
from workroom.notices import AWARD_DECLINED, TERMS_PROPOSED
from workroom.services import awards, mail, terms, timesheets
from workroom.services.reports import Line

pytestmark = pytest.mark.django_db

DUE = datetime(2026, 3, 31, 10, tzinfo=UTC)
PAYMENT = {
    "escrow": "Design", "number": 1, "numbers": [1], "amount_minor": 500_00, "payment": 7,
    "card": "Visa ending in 4242",
}  # fmt: skip
REQUEST = {
    "escrow": "Design", "number": 1, "request": 9, "amount_minor": 500_00, "requested_at": START,
    "due_at": DUE,
}  # fmt: skip
DORMANT = {
    "amount_minor": 1_500_00, "told_at": DUE, "due_at": DUE,
    "returns": [{"escrow": "Build", "number": 2, "amount_minor": 1_000_00, "at": DUE}],
    "releases": [{"escrow": "Design", "number": 1, "amount_minor": 500_00, "at": DUE}],
}  # fmt: skip
CANCELLATION = {"cancellation": 8, "requester": "Clara Client"}
SHARES = {
    "amount_minor": 1_500_00, "back_minor": 1_300_00, "gross_minor": 200_00, "net_minor": 182_50,
    "shares": [
        {"escrow": "Design", "number": 1, "amount_minor": 500_00, "back_minor": 300_00,
         "gross_minor": 200_00, "net_minor": 182_50},
        {"escrow": "Build", "number": 2, "amount_minor": 1_000_00, "back_minor": 1_000_00},
    ],
}  # fmt: skip
TERMS = {"version": 2, "total_minor": 1_500_00, "lapses_at": DUE}
DISPUTE = {"dispute": 3, "escrow": "Design", "number": 1}
SPLIT = {"amount_minor": 500_00, "to_freelancer_minor": 300_00, "to_client_minor": 200_00}
SETTLED = DISPUTE | SPLIT | {
    "net_minor": 273_75, "fees_minor": 26_25, "document": "INV-2-0001", "document_id": 5,
}  # fmt: skip
# The facts that the services record with each kind. A new kind needs a line here.
FACTS: dict[str, dict[str, Any]] = {
    "awarded": {"freelancer": "Frank Freelancer", **TERMS},
    "invited": {"email": "nora@example.com", **TERMS},
    "terms_proposed": TERMS,
    "terms_accepted": {"version": 2, "total_minor": 1_500_00},
    "terms_changed": {
        "version": 2, "total_minor": 1_400_00, "refund_minor": 100_00, "escrow": "Design",
    },
    "terms_unfit": {"version": 2},
    "terms_declined": {"version": 2},
    "terms_withdrawn": {"version": 2},
    "award_declined": {},
    "award_withdrawn": {},
    "report_submitted": {
        "report": 3, "week_on": "2026-03-02", "sending": 1, "billed": 1, "amount_minor": 500_00,
    },
    "timesheet_submitted": {
        "timesheet": 4, "week_on": "2026-03-02", "sending": 2, "hours": "7:30",
    },
    "funding_requested": {"escrow": "Design", "number": 1, "amount_minor": 500_00},
    "funded": PAYMENT,
    "payment_pending": PAYMENT | {"due_at": DUE},
    "payment_failed": PAYMENT | {"failure": "The bank declined the card."},
    "authentication_failed": PAYMENT | {"failure": "The bank said no."},
    "payment_cancelled": PAYMENT,
    "money_returned": PAYMENT,
    "refund_refused": {
        "amount_minor": 500_00, "payer": "Clara Client", "card": "Visa ending in 4242", "payment": 7,
    },
    "release_requested": {
        "escrow": "Design", "number": 1, "request": 9, "amount_minor": 500_00, "due_at": DUE,
        "overdue_at": datetime(2026, 3, 16, 10, tzinfo=UTC),
    },
    "voided": {"escrow": "Design", "number": 1, "request": 9, "amount_minor": 500_00},
    "released": {
        "escrow": "Design", "number": 1, "amount_minor": 500_00, "service_fee_minor": 43_75,
        "processing_fee_minor": 0, "net_minor": 456_25, "document": "INV-2-0001", "document_id": 5,
    },
    "changes_requested": {
        "escrow": "Design", "number": 1, "request": 9, "amount_minor": 500_00, "times_left": 1,
    },
    "refunded": {"escrow": "Design", "number": 1, "amount_minor": 200_00, "held_minor": 300_00},
    "credited": {
        "escrow": "Design", "number": 1, "amount_minor": 100_00, "service_fee_minor": 8_75,
        "net_minor": 91_25, "document": "CRN-2-0002", "document_id": 6,
    },
    "cancellation_requested": CANCELLATION | SHARES | {"due_at": DUE},
    "cancellation_accepted": (
        CANCELLATION | SHARES | {"statement": "CS-1-1", "statement_id": 6}
    ),
    "cancellation_declined": CANCELLATION,
    "cancellation_withdrawn": CANCELLATION,
    "cancellation_lapsed": CANCELLATION | {"due_at": DUE},
    "cancellation_stale": CANCELLATION | {"due_at": DUE},
    "cancelled": CANCELLATION | {"statement": "CS-1-1", "statement_id": 6},
    "completed": {"statement": "CS-1-1", "statement_id": 6},
    "overdue": REQUEST,
    "release_warning": REQUEST | {"days_left": 10},
    "authentication_reminder": {
        "escrow": "Design", "number": 1, "amount_minor": 500_00, "payment": 7, "due_at": DUE,
        "days_left": 4,
    },
    "payment_lapsed": PAYMENT,
    "award_expired": {"due_at": DUE},
    "terms_lapsed": {"due_at": DUE},
    "dormant": DORMANT,
    "dormant_freelancer": DORMANT,
    "settled": {"amount_minor": 1_000_00, "escrow": "Build"},
    "reactivated": {"due_at": DUE},
    "dispute_opened": DISPUTE | {
        "asks": "refund", "asked_minor": 200_00, "amount_minor": 500_00, "due_at": DUE,
        "request": 9, "files": 2,
    },
    "dispute_answered": DISPUTE | {"files": 1},
    "dispute_statement": DISPUTE | {"files": 0, "due_at": DUE},
    "dispute_evidence": DISPUTE | {"names": "“chat.pdf”, “plan.pdf”"},
    "dispute_offered": DISPUTE | SPLIT | {"offer": 4, "due_at": DUE},
    "offer_withdrawn": DISPUTE | SPLIT | {"offer": 4},
    "dispute_escalated": DISPUTE | {"amount_minor": 500_00},
    "dispute_asked": DISPUTE,
    "dispute_decided": SETTLED,
    "dispute_settled": SETTLED,
    "dispute_ended": DISPUTE | {"amount_minor": 500_00},
    "dispute_withdrawn": DISPUTE | {"amount_minor": 500_00, "request": 9, "due_at": DUE},
    "sealed_entered": DISPUTE,
    "sealed_no_match": DISPUTE,
}  # fmt: skip
# What a template that was not given its facts leaves behind.
LEFTOVERS = ["{", "}", "…", "None", "  ", " .", " ,", "“”", "()", "&#", ": .", "::"]
HEADINGS = ["WHAT YOU CAN DO", "UNTIL WHEN", "IF YOU DO NOTHING"]


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    job = agreed(client_person, freelancer)
    Invitation.objects.get_or_create(
        job=job, defaults={"email": "nora@example.com", "invited_at": START}
    )
    Notification.objects.all().delete()
    return job


WITH_READERS = [kind for kind in KINDS.values() if kind.audience is not Audience.NOBODY]


def tell(
    job: Job, kind: Kind, *, by: Person | None = None, reason: str = "", **facts: Any
) -> list[Notification]:
    """The notices of one happening, as they are in the database."""
    address = "nora@example.com" if kind.audience is Audience.ADDRESS else ""
    activity.record(job, kind, by=by, at=START, reason=reason, address=address, **facts)
    newest = Activity.objects.latest("pk")
    found = notices.with_all_they_name(Notification.objects.filter(activity=newest))
    return list(found.order_by("pk"))


def text_of(message: EmailMultiAlternatives) -> str:
    return str(message.body)


def html_of(message: EmailMultiAlternatives) -> str:
    (alternative,) = message.alternatives
    assert alternative[1] == "text/html"
    return str(alternative[0])


def answers(message: EmailMultiAlternatives) -> list[str]:
    """What happened, what now, until when, what if I do nothing."""
    text = text_of(message).split("\n\nOpen it in ")[0].split("\n\nSee the invitation")[0]
    text = text.removeprefix(f"{message.subject}\n").split("\n", 1)[1]
    return [part.strip() for part in re.split("|".join(HEADINGS), text)]


def test_every_kind_that_is_told_has_its_facts_here() -> None:
    assert {kind.name for kind in WITH_READERS} == set(FACTS)


@pytest.mark.parametrize("kind", WITH_READERS, ids=lambda kind: kind.name)
def test_every_mail_answers_the_four_questions(job: Job, kind: Kind) -> None:
    parties = [job.client, job.freelancer]
    actors = parties if kind.audience is Audience.OTHER_PARTY else [*parties, None]
    for actor, reason in product(actors, ["", "Because of the rain."]):
        for notice in tell(job, kind, by=actor, reason=reason, **FACTS[kind.name]):
            message = mail.compose(notice)
            found = answers(message)
            assert len(found) == 4
            for part in [str(message.subject), *found]:
                assert part
                assert part[0].isupper() or not part[0].isalpha(), part
                assert part[-1] in ".!" or part == message.subject, part
                leftovers = [sign for sign in LEFTOVERS if sign in part]
                assert leftovers == [], part
            page = html_of(message)
            assert "{{" not in page
            assert page.count("<h2") == 3 + ("if nobody acts" in page)
            url = mail.url_of(notice)
            assert url.startswith("http://localhost:8000/")
            assert resolve(url.removeprefix("http://localhost:8000"))
            assert f'href="{url}"' in page
            assert f"\n{url}\n" in text_of(message)


@pytest.mark.parametrize("kind", WITH_READERS, ids=lambda kind: kind.name)
def test_the_line_in_the_app_says_what_happened_and_what_follows(job: Job, kind: Kind) -> None:
    by = job.freelancer if kind.audience is Audience.OTHER_PARTY else None
    for notice in tell(job, kind, by=by, **FACTS[kind.name]):
        message = mail.compose(notice)
        happened, otherwise = notices.brief(notice)
        assert [happened, otherwise] == [
            " ".join(answers(message)[0].split()), " ".join(answers(message)[3].split()),
        ]  # fmt: skip


def test_it_is_written_in_the_time_zone_of_its_reader(job: Job) -> None:
    Person.objects.filter(pk=job.client_id).update(time_zone="Asia/Tokyo")
    job.refresh_from_db()
    kind = KINDS["release_requested"]
    (notice,) = tell(job, kind, by=job.freelancer, **FACTS["release_requested"])
    message = mail.compose(notice)
    assert "31 Mar 2026, 19:00 JST" in answers(message)[2]
    assert "Times are given in Asia/Tokyo (JST)." in text_of(message)
    assert message.subject == "Release requested: Design, $500.00"
    assert "10:00" not in text_of(message)


def test_both_parties_get_their_own_words(job: Job) -> None:
    told = tell(job, KINDS["released"], by=job.client, **FACTS["released"])
    to_client, to_freelancer = (mail.compose(notice) for notice in told)
    assert (to_client.to, to_freelancer.to) == (["clara@example.com"], ["frank@example.com"])
    assert answers(to_client)[0].startswith("You released $500.00 of “Design”.")
    assert answers(to_freelancer)[0].startswith("Clara Client released $500.00 of “Design”.")
    assert "You got $456.25" in answers(to_freelancer)[0]


def test_it_goes_to_the_registered_address(job: Job) -> None:
    (notice,) = tell(job, AWARD_DECLINED, by=job.freelancer)
    Person.objects.filter(pk=job.client_id).update(email="clara@new.example")
    fresh = notices.with_all_they_name(Notification.objects.filter(pk=notice.pk)).get()
    assert mail.compose(fresh).to == ["clara@new.example"]


def test_somebody_without_an_account_gets_the_link_of_the_invitation(
    client_person: Person,
) -> None:
    job = awarded(client_person, "nora@example.com")
    notice = notices.with_all_they_name(Notification.objects.all()).get()
    message = mail.compose(notice)
    token = Invitation.objects.get(job=job).token
    assert message.to == ["nora@example.com"]
    assert message.subject == "Clara Client invites you to a Job: Website"
    assert f"\nhttp://localhost:8000/invitations/{token}/\n" in text_of(message)
    assert "Times are given in UTC." in text_of(message)
    assert "/profile/" not in text_of(message)


def test_what_people_typed_is_text_and_no_markup(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(title="<b>Bread</b> & “butter”")
    Person.objects.filter(pk=job.freelancer_id).update(name="Frank <script>x</script>")
    job = Job.objects.get(pk=job.pk)
    (notice,) = tell(job, AWARD_DECLINED, by=job.freelancer, reason="<i>Too</i>\n\nmuch & late")
    message = mail.compose(notice)
    assert message.subject == "Job declined: <b>Bread</b> & “butter”"
    assert "Frank <script>x</script> declined the Job “<b>Bread</b> & “butter””." in " ".join(
        text_of(message).split()
    )
    page = html_of(message)
    assert "<script" not in page
    assert "<i>" not in page
    assert "&lt;b&gt;Bread&lt;/b&gt; &amp; “butter”" in page
    assert "&lt;i&gt;Too&lt;/i&gt;</p>" in page
    assert "&amp;amp;" not in page


def test_nothing_typed_can_add_a_header(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(title="Website\r\nBcc: everybody@example.com")
    job = Job.objects.get(pk=job.pk)
    (notice,) = tell(job, AWARD_DECLINED, by=job.freelancer)
    message = mail.compose(notice).message()
    assert message["Bcc"] is None
    assert message["Subject"] == "Job declined: Website Bcc: everybody@example.com"


def test_its_headers_name_it_for_ever_and_say_that_a_machine_wrote_it(job: Job) -> None:
    (notice,) = tell(job, AWARD_DECLINED, by=job.freelancer)
    first, second = mail.compose(notice).message(), mail.compose(notice).message()
    assert first["Message-ID"] == second["Message-ID"] == f"<notice-{notice.pk}@localhost>"
    assert first["Auto-Submitted"] == "auto-generated"
    assert first["From"] == "Escrow Workroom <no-reply@localhost>"
    assert first["To"] == "clara@example.com"
    assert first.get_content_type() == "multipart/alternative"


def test_lines_of_the_text_are_short_and_links_whole(job: Job) -> None:
    for kind in WITH_READERS:
        by = job.freelancer if kind.audience is Audience.OTHER_PARTY else None
        for notice in tell(job, kind, by=by, reason="word " * 200, **FACTS[kind.name]):
            lines = text_of(mail.compose(notice)).splitlines()
            assert [line for line in lines if len(line) > 78 and "://" not in line] == []


def test_a_fact_that_is_missing_leaves_a_gap_and_no_notice_unsent(job: Job) -> None:
    (notice,) = tell(job, TERMS_PROPOSED, by=job.freelancer)
    message = mail.compose(notice)
    assert message.subject == "Terms proposed: Website"
    (notice,) = tell(job, KINDS["release_requested"], by=job.freelancer)
    assert mail.compose(notice).subject == "Release requested: …, …"


def test_every_link_opens_for_its_reader(
    client: Client, client_person: Person, freelancer: Person
) -> None:
    """Jobs from their award to their end: who follows a notice lands on a page."""
    job = agreed(client_person, freelancer)
    fund(job, 1, 2)
    bill = Line(number=1, percent=100, bill=True)
    report_steps.send(job, NOON, bill)
    hours = timesheets.Entry(worked_on=date(2026, 3, 3), minutes=90)
    timesheets.submit_timesheet(
        job, by=freelancer, week_starts_on=date(2026, 3, 2), entries=[hours], comments="", at=NOON
    )
    request = ReleaseRequest.objects.get(job=job)
    release_requests.void(request.pk, by=freelancer, at=NOON)
    releases.release(job.pk, numbers=[1, 2], by=client_person, at=NOON)
    declined = awarded(client_person, freelancer.email)
    terms.decline(declined, by=freelancer, version=1, at=START)
    awards.decline_award(declined, by=freelancer, at=START)
    withdrawn = awarded(client_person, freelancer.email)
    awards.withdraw_award(withdrawn, by=client_person, at=START)

    followed = set()
    for notice in Notification.objects.select_related("person", "activity"):
        assert notice.person is not None
        client.force_login(notice.person)
        response = client.get(f"/notices/{notice.pk}/", follow=True)
        assert response.status_code == 200, notice.activity.kind
        # Not merely to the Job because a fact was missing.
        kind = KINDS[notice.activity.kind]
        assert resolve(response.redirect_chain[0][0]).view_name == kind.url_name
        followed.add(kind.name)
    assert followed == {
        "awarded", "terms_accepted", "terms_declined", "award_declined", "award_withdrawn",
        "funding_requested", "funded", "report_submitted", "release_requested",
        "timesheet_submitted", "voided", "released", "completed",
    }  # fmt: skip
