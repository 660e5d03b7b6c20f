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
from tests.workroom.notice_facts import FACTS
from workroom.notices import AWARD_DECLINED, TERMS_PROPOSED
from workroom.services import awards, mail, terms, timesheets
from workroom.services.reports import Line

pytestmark = pytest.mark.django_db

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
    """The notices of one happening, the Client's first, as they are in the database."""
    address = "nora@example.com" if kind.audience is Audience.ADDRESS else ""
    activity.record(job, kind, by=by, at=START, reason=reason, address=address, **facts)
    newest = Activity.objects.latest("pk")
    found = notices.with_all_they_name(Notification.objects.filter(activity=newest))
    return sorted(found, key=lambda notice: notice.person_id != job.client_id)


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


def test_who_asked_for_a_cancellation_is_told_that_it_was_he(job: Job) -> None:
    told = tell(job, KINDS["cancellation_lapsed"], **FACTS["cancellation_lapsed"])
    to_client, to_freelancer = (answers(mail.compose(notice))[0] for notice in told)
    assert "which you had made, has lapsed" in " ".join(to_client.split())
    assert "which Clara Client had made, has lapsed" in " ".join(to_freelancer.split())


def test_with_support_nobody_is_sent_to_support(job: Job) -> None:
    """Nor told that nothing happens by itself: support decides."""
    for name in ("dispute_answered", "dispute_statement", "dispute_evidence", "dispute_offered"):
        facts = {key: value for key, value in FACTS[name].items() if key != "due_at"}
        (notice,) = tell(job, KINDS[name], by=job.client, is_with_support=True, **facts)
        _, now, until, otherwise = (
            " ".join(part.split()) for part in answers(mail.compose(notice))
        )
        assert "ask support" not in now
        assert "support" in f"{until} {otherwise}".lower()
        assert otherwise == (
            "Support decides how the money is split, and says why. Until then it stays held."
        )


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, ""),
        ({"request": 9}, "The Release Request for “Design” stands for the $300.00"),
        ({"request": 9, "held_minor": 0}, "The Release Request for “Design” has ended"),
    ],
)
def test_a_refund_speaks_of_a_release_request_if_there_is_one(
    job: Job, more: dict[str, int], said: str
) -> None:
    facts = {key: value for key, value in (FACTS["refunded"] | more).items() if value}
    notice, _ = tell(job, KINDS["refunded"], by=job.freelancer, **facts)
    otherwise = " ".join(answers(mail.compose(notice))[3].split())
    assert said in otherwise
    assert ("Release Request" in otherwise) is bool(said)


def told_otherwise(job: Job, name: str, **facts: Any) -> set[str]:
    """What happens if nobody acts, as both readers are told it."""
    told = tell(job, KINDS[name], **facts)
    return {" ".join(answers(mail.compose(notice))[3].split()) for notice in told}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("chargeback_won", "The Job goes on as it would have without the chargeback."),
        (
            "chargeback_lost",
            "The Milestones that held the money stay as they are now; the Job’s page shows them.",
        ),
    ],
)
def test_after_a_chargeback_of_nothing_held_nothing_more_happens(
    job: Job, name: str, said: str
) -> None:
    nothing_held = {key: value for key, value in FACTS[name].items() if key != "held_minor"}
    assert told_otherwise(job, name, **FACTS[name]) == {said}
    assert told_otherwise(job, name, **nothing_held) == {"Nothing more happens."}


@pytest.mark.parametrize("due", [{}, {"due_at": datetime(2026, 3, 31, 10, tzinfo=UTC)}])
def test_limits_under_seal_are_as_few_as_the_rules_page_says(
    job: Job, due: dict[str, datetime]
) -> None:
    for name in ("sealed_entered", "sealed_no_match"):
        by = job.freelancer if name == "sealed_entered" else None
        notice = tell(job, KINDS[name], by=by, **FACTS[name], **due)[0]
        _, now, until, _ = (" ".join(part.split()) for part in answers(mail.compose(notice)))
        assert "Each side can enter a limit 3 times for one Milestone, once in 24 hours." in now
        assert ("is to be answered by 31 Mar 2026, 10:00 UTC." in until) is bool(due)


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


def test_an_answer_goes_to_support_which_is_named(job: Job, settings: Any) -> None:
    settings.SUPPORT_EMAIL = "help@example.com"
    for notice in tell(job, KINDS["release_requested"], **FACTS["release_requested"]):
        message = mail.compose(notice)
        assert message.reply_to == ["help@example.com"]
        said = "Answers to this mail go to support, and to nobody on the Job:\nhelp@example.com"
        assert said in text_of(message)
        assert "go to support, help@example.com, and to nobody" in html_of(message)


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
