"""What the mails about dormancy say to each side, Milestone by Milestone (R10)."""

import pytest

from jobs.models import Activity, Job, Notification, Person
from jobs.notices import KINDS
from jobs.services import activity
from tests.workroom.timer_mails import BUILD, DORMANT, DUE_AT, Told, read_far_apart, tell

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    return read_far_apart(client_person, freelancer)


def test_dormant_tells_the_client_what_becomes_of_each_milestone(job: Job) -> None:
    (client,) = tell(job, "dormant", **DORMANT)
    assert client.to == ["clara@example.com"]
    assert client.subject == "Dormant: Website, $1,580.50 held"
    assert (
        "The Job “Website” is Dormant: $1,580.50 is held in escrow for it, and for 60 days neither "
        "of you has reported, requested, funded or released anything." in client.happened
    )
    assert "with a release by you the Job is active again." in client.now
    assert "lets the 14 days until its settlement begin anew." in client.now
    assert client.until == (
        "14 Jul 2026, 09:00 JST. What a Release Request asks for has its own date, given below."
    )
    first = client.paragraphs.index(
        "IF YOU DO NOTHING On 7 Jul 2026, 09:00 JST Frank Freelancer is told that the Job is "
        "Dormant."
    )
    assert client.paragraphs[first + 1 : first + 6] == [
        "On 14 Jul 2026, 09:00 JST $1,000.00 held for “Build” goes back to you: its release is not "
        "requested.",
        "On 14 Jul 2026, 09:00 JST $80.50 held for “Texts” goes back to you: its release is not "
        "requested.",
        "No fee is taken on what goes back.",
        "On 9 Aug 2026, 17:00 JST $500.00 held for “Design” is released to Frank Freelancer by the "
        "30-day rule: its release is requested.",
        "What is done until then may change these dates: the Job’s page shows how they stand.",
    ]


def test_dormant_with_every_release_requested_sends_nothing_back(job: Job) -> None:
    facts = DORMANT | {"returns": []}
    (client,) = tell(job, "dormant", **facts)
    assert client.until == "What a Release Request asks for has its own date, given below."
    assert "back" not in client.otherwise
    (freelancer,) = tell(job, "dormant_freelancer", **facts)
    assert freelancer.now == (
        "There is nothing that you have to do: the release of all that is held is requested."
    )
    assert freelancer.until == "There is no deadline for you."


def test_dormant_tells_the_freelancer_how_to_keep_the_money(job: Job) -> None:
    (freelancer,) = tell(job, "dormant_freelancer", **DORMANT)
    assert freelancer.to == ["frank@example.com"]
    assert freelancer.subject == "Dormant: Website, $1,580.50 held"
    assert (
        "The Job “Website” is Dormant, and $1,580.50 is held in escrow for it. Clara Client was "
        "told when it became Dormant; in the 7 days before this notice neither of you has "
        "reported, funded or released anything." in freelancer.happened
    )
    assert (
        "A Milestone with a Release Request does not go back to Clara Client; when all that is "
        "held has one, the Job is active again." in freelancer.now
    )
    assert freelancer.until == "13 Jul 2026, 20:00 EDT."
    assert freelancer.otherwise == (
        "On 13 Jul 2026, 20:00 EDT $1,000.00 held for “Build” goes back to Clara Client: its "
        "release is not requested. "
        "On 13 Jul 2026, 20:00 EDT $80.50 held for “Texts” goes back to Clara Client: its release "
        "is not requested. "
        "On 9 Aug 2026, 04:00 EDT $500.00 held for “Design” is released to you, less the fees, by "
        "the 30-day rule: its release is requested. "
        "What is done until then may change these dates: the Job’s page shows how they stand."
    )


def test_settled_tells_both_why_and_where_the_money_goes(job: Job) -> None:
    client, freelancer = tell(job, "settled", amount_minor=1_080_50, escrow="Build, Texts")
    assert client.subject == freelancer.subject == "Settled: Website, $1,080.50 goes back"
    assert (
        "The Job “Website” was settled by the dormancy rule: $1,080.50 held for Build, Texts goes "
        "back to you. The Job was Dormant, for 14 days neither of you had done anything but "
        "request releases, and the release of this money was not requested." in client.happened
    )
    assert client.now == "There is nothing that you have to do. No fee was taken."
    assert client.until == (
        "There is no deadline. Your bank may take some days to show the refund."
    )
    assert "goes back to Clara Client." in freelancer.happened
    assert freelancer.until == "There is no deadline."
    ending = (
        "A Milestone whose release was requested keeps its date. When no money is left in escrow, "
        "and neither a payment nor proposed Terms are open, Milestones that are not funded are "
        "removed and the Job is completed: then you get the Closing Statement."
    )
    assert client.otherwise == (
        "The money goes back by itself. If your card takes no money back, it is put on your "
        f"available balance, and you are told. {ending}"
    )
    assert freelancer.otherwise == f"Nothing more happens with this money. {ending}"


def test_a_settled_job_with_an_open_end_is_completed_by_hand(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(open_ended=True)
    job = Job.objects.get(pk=job.pk)
    for told in tell(job, "settled", amount_minor=1_000_00, escrow="Build"):
        assert told.otherwise.endswith("are open, either of you can mark the Job complete.")


def test_reactivated_by_a_party(job: Job) -> None:
    reason = "Released by the Client."
    client, freelancer = tell(job, "reactivated", by=job.client, reason=reason, due_at=DUE_AT)
    assert client.subject == freelancer.subject == "Active again: Website"
    assert (
        "You made the Job “Website” active again: it is no longer Dormant. Released by the Client."
        in client.happened
    )
    assert "Clara Client made the Job “Website” active again:" in freelancer.happened
    assert client.until == (
        "8 Apr 2026, 21:00 JST. Reports, timesheets, requests, funding and releases by either of "
        "you can move this date on."
    )
    assert client.otherwise == (
        "If money is held in escrow on 8 Apr 2026, 21:00 JST and neither of you has done any of "
        "these things until then, the Job is Dormant again, and you are told. A Release Request "
        "has its own date: what is held for it is released to Frank Freelancer then."
    )
    assert "the Job is Dormant again, and Clara Client is told." in freelancer.otherwise
    assert freelancer.otherwise.endswith("what is held for it is released to you then.")


def test_reactivated_by_a_timer(job: Job) -> None:
    for told in tell(job, "reactivated", reason="No money is left in escrow.", due_at=DUE_AT):
        assert (
            "The Job “Website” was Dormant and is active again. No money is left in escrow."
            in told.happened
        )


def test_what_people_typed_into_a_milestone_is_no_markup(job: Job) -> None:
    facts = DORMANT | {"returns": [BUILD | {"escrow": "<b>Build</b>"}]}
    (client,) = tell(job, "dormant", **facts)
    assert "held for “<b>Build</b>” goes back" in client.otherwise
    page = str(client.message.alternatives[0][0])
    assert "held for “&lt;b&gt;Build&lt;/b&gt;” goes back" in page
    assert "<b>" not in page


def test_what_was_done_since_is_not_contradicted_by_a_mail_that_is_late(job: Job) -> None:
    """The fates that were foretold are not told any more: the forecast below them is another one."""
    (early,) = tell(job, "dormant", **DORMANT)
    assert "goes back to you" in early.otherwise
    line = Activity.objects.latest("pk")
    activity.record(job, KINDS["funding_requested"], by=job.freelancer, at=DUE_AT, escrow="Build")
    late = Told(Notification.objects.get(activity=line))
    assert late.until == "What was done on the Job since then may have changed the dates."
    assert late.otherwise.startswith(
        "What was done on the Job since then may have changed what becomes of the money: the Job’s "
        "page shows how it stands now."
    )
    assert "goes back" not in late.otherwise
