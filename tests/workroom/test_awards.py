"""Awards: to an account, to an address without one, and how they end without agreement (R1.1, R1.2)."""

from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress

from escrow_site.lib.refusals import Refusal
from jobs.models import Activity, Invitation, Job, Notification
from tests.factories import PersonFactory
from tests.workroom.agreements import START, agreed, awarded, draft, hourly_draft, terms_input
from tests.world import world
from workroom.models import Terms
from workroom.services import awards, terms

DAY = timedelta(days=1)


def history(job):
    return list(
        Activity.objects.filter(job=job).order_by("pk").values_list("kind", "actor__name", "facts")
    )


def told(job):
    return sorted(
        Notification.objects.filter(activity__job=job).values_list(
            "activity__kind", "person__name", "address"
        )
    )


# Awarding


def test_an_account_with_the_confirmed_address_is_the_freelancer_at_once(client_person, freelancer):
    job = awards.award(
        draft(client_person), by=client_person, email=" Frank@Example.COM ", at=START
    )

    job = Job.objects.get(pk=job.pk)
    proposed = Terms.objects.get(job=job)
    assert (job.state, job.freelancer, job.freelancer_email) == (
        "awarded", freelancer, "frank@example.com",
    )  # fmt: skip
    assert (job.awarded_at, job.open_proposal_until) == (START, START + 7 * DAY)
    assert job.policy.version == 1
    assert (proposed.state, proposed.proposed_at, proposed.lapses_at) == (
        "proposed", START, START + 7 * DAY,
    )  # fmt: skip
    assert history(job) == [
        (
            "awarded",
            "Clara Client",
            {
                "freelancer": "Frank Freelancer",
                "version": 1,
                "total_minor": 1_500_00,
                "lapses_at": "2026-03-08T10:00:00+00:00",
            },
        )
    ]
    assert told(job) == [("awarded", "Frank Freelancer", "")]
    assert Invitation.objects.count() == 0


def test_an_address_without_an_account_is_invited(client_person):
    job = awarded(client_person, "new@example.com")

    invitation = Invitation.objects.get(job=job)
    assert (job.state, job.freelancer, job.freelancer_email) == (
        "awarded", None, "new@example.com",
    )  # fmt: skip
    assert (invitation.email, invitation.invited_at, invitation.accepted_at) == (
        "new@example.com", START, None,
    )  # fmt: skip
    assert [(kind, actor) for kind, actor, _ in history(job)] == [("invited", "Clara Client")]
    assert told(job) == [("invited", None, "new@example.com")]


def test_an_unconfirmed_address_is_invited_like_any_other(client_person):
    person = PersonFactory(name="Una", email="una@example.com")
    EmailAddress.objects.filter(user=person).update(verified=False)

    job = awarded(client_person, "una@example.com")

    assert job.freelancer is None
    assert Invitation.objects.get(job=job).email == "una@example.com"


def test_an_hourly_job_is_awarded_without_milestones(client_person, freelancer):
    job = awards.award(
        hourly_draft(client_person), by=client_person, email=freelancer.email, at=START
    )

    assert (job.state, job.freelancer) == ("awarded", freelancer)


OWN = "This is your own address. A Job needs somebody else to do it."
NO_ADDRESS = "Enter an e-mail address, for example ana@example.com."


@pytest.mark.parametrize(
    ("email", "message"),
    [
        ("clara@example.com", OWN),
        (" CLARA@example.com", OWN),
        ("second@example.com", OWN),
        ("", NO_ADDRESS),
        ("nobody", NO_ADDRESS),
        ("a@b", NO_ADDRESS),
        ("a\x00@example.com", NO_ADDRESS),
        ("a" * 250 + "@example.com", "An e-mail address has 254 characters at most."),
    ],
)
def test_an_address_that_cannot_be_is_refused(client_person, email, message):
    EmailAddress.objects.create(user=client_person, email="Second@example.com", verified=True)
    job = draft(client_person)
    before = world()

    with pytest.raises(Refusal) as refusal:
        awards.award(job, by=client_person, email=email, at=START)

    assert refusal.value.message == message
    assert world() == before


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"scope": " "}, "Describe the scope: what is delivered, and what is not included."),
        (
            {"milestones": ()},
            "A fixed-price Job needs at least one Milestone. A deposit is the first Milestone.",
        ),
    ],
)
def test_an_incomplete_draft_is_not_awarded(client_person, freelancer, values, message):
    job = draft(client_person, **values)
    before = world()

    with pytest.raises(Refusal) as refusal:
        awards.award(job, by=client_person, email=freelancer.email, at=START)

    assert refusal.value.message == message
    assert world() == before


def test_only_the_client_awards_and_only_once(client_person, freelancer, stranger):
    job = draft(client_person)
    with pytest.raises(Refusal) as refusal:
        awards.award(job, by=stranger, email=freelancer.email, at=START)
    assert refusal.value.message == "Only the Client can award this Job."

    awards.award(job, by=client_person, email=freelancer.email, at=START)
    before = world()
    with pytest.raises(Refusal) as refusal:
        awards.award(job, by=client_person, email=stranger.email, at=START)
    assert refusal.value.message == "This Job has been awarded to frank@example.com already."
    assert world() == before


# Binding


def test_an_invited_person_gets_the_job_when_the_address_is_confirmed(client_person):
    job = awarded(client_person, "new@example.com")
    other = awarded(client_person, "else@example.com")
    person = PersonFactory(name="Nina New", email="new@example.com")

    bound = awards.bind_jobs(person, email="NEW@example.com", at=START + DAY)

    job = Job.objects.get(pk=job.pk)
    assert bound == [job]
    assert (job.state, job.freelancer) == ("awarded", person)
    assert Invitation.objects.get(job=job).accepted_at == START + DAY
    assert history(job)[1:] == [
        (
            "awarded",
            None,
            {
                "freelancer": "Nina New",
                "version": 1,
                "total_minor": 1_500_00,
                "lapses_at": "2026-03-08T10:00:00+00:00",
            },
        )
    ]
    assert told(job) == [("awarded", "Nina New", ""), ("invited", None, "new@example.com")]
    assert Job.objects.get(pk=other.pk).freelancer is None


def test_binding_again_changes_nothing(client_person):
    awarded(client_person, "new@example.com")
    person = PersonFactory(email="new@example.com")
    awards.bind_jobs(person, email=person.email, at=START)
    before = world()

    assert awards.bind_jobs(person, email=person.email, at=START + DAY) == []
    assert world() == before


def test_an_address_that_is_not_confirmed_by_this_person_binds_nothing(client_person, stranger):
    awarded(client_person, "new@example.com")
    unconfirmed = PersonFactory(email="new@example.com")
    EmailAddress.objects.filter(user=unconfirmed).update(verified=False)
    before = world()

    assert awards.bind_jobs(unconfirmed, email="new@example.com", at=START) == []
    assert awards.bind_jobs(stranger, email="new@example.com", at=START) == []
    assert world() == before


def test_the_client_who_confirms_the_address_himself_is_not_bound(client_person):
    job = awarded(client_person, "new@example.com")
    EmailAddress.objects.create(user=client_person, email="new@example.com", verified=True)

    assert awards.bind_jobs(client_person, email="new@example.com", at=START) == []
    assert Job.objects.get(pk=job.pk).freelancer is None


def test_an_award_that_is_set_aside_keeps_nobody_from_the_others(client_person):
    stuck, job = (awarded(client_person, "ana@example.com") for _ in range(2))
    Job.objects.filter(pk=stuck.pk).update(
        next_due_at=START, set_aside_at=START, set_aside_reason="Broken"
    )
    ana = PersonFactory(email="ana@example.com")

    assert awards.bind_jobs(ana, email="ana@example.com", at=START + DAY) == [job]
    assert Job.objects.get(pk=stuck.pk).freelancer is None


def test_an_award_that_was_withdrawn_is_not_bound(client_person):
    job = awarded(client_person, "new@example.com")
    awards.withdraw_award(job, by=client_person, at=START)
    person = PersonFactory(email="new@example.com")

    assert awards.bind_jobs(person, email=person.email, at=START) == []


# Ending


def test_the_client_withdraws_the_award(client_person, freelancer):
    job = awarded(client_person, freelancer.email)

    awards.withdraw_award(job, by=client_person, reason="Found the time myself", at=START + DAY)

    job = Job.objects.get(pk=job.pk)
    proposal = Terms.objects.get(job=job)
    assert (job.state, job.ended_at, job.open_proposal_until) == (
        "withdrawn", START + DAY, None,
    )  # fmt: skip
    assert (proposal.state, proposal.answered_at) == ("withdrawn", START + DAY)
    assert Activity.objects.latest("pk").reason == "Found the time myself"
    assert told(job)[0] == ("award_withdrawn", "Frank Freelancer", "")


def test_an_invited_address_is_told_that_the_award_is_withdrawn(client_person):
    job = awarded(client_person, "new@example.com")

    awards.withdraw_award(job, by=client_person, at=START)

    assert told(job)[0] == ("award_withdrawn", None, "new@example.com")


def test_the_freelancer_declines_the_job(client_person, freelancer):
    job = awarded(client_person, freelancer.email)

    awards.decline_award(job, by=freelancer, reason="No time", at=START + DAY)

    job = Job.objects.get(pk=job.pk)
    proposal = Terms.objects.get(job=job)
    assert (job.state, job.ended_at, job.open_proposal_until) == ("declined", START + DAY, None)
    assert (proposal.state, proposal.answer) == ("declined", "No time")
    assert told(job)[0] == ("award_declined", "Clara Client", "")


@pytest.mark.parametrize("ender", ["client", "freelancer"])
def test_a_counter_proposal_ends_with_the_job(client_person, freelancer, ender):
    job = awarded(client_person, freelancer.email)
    terms.propose(job, by=freelancer, terms=terms_input(scope="More"), answering=1, at=START)

    if ender == "client":
        awards.withdraw_award(job, by=client_person, at=START)
    else:
        awards.decline_award(job, by=freelancer, at=START)

    states = list(Terms.objects.filter(job=job).order_by("version").values_list("state", flat=True))
    assert states == ["superseded", "declined" if ender == "client" else "withdrawn"]


def test_each_side_ends_the_award_in_its_own_way_only(client_person, freelancer, stranger):
    job = awarded(client_person, freelancer.email)
    before = world()

    for person in (freelancer, stranger):
        with pytest.raises(Refusal) as refusal:
            awards.withdraw_award(job, by=person, at=START)
        assert refusal.value.message == "Only the Client can withdraw the award."
    for person in (client_person, stranger):
        with pytest.raises(Refusal) as refusal:
            awards.decline_award(job, by=person, at=START)
        assert refusal.value.message == "Only the Freelancer can decline this Job."
    with pytest.raises(Refusal) as refusal:
        awards.decline_award(job, by=freelancer, reason="x" * 2001, at=START)
    assert refusal.value.message == "The reason can be 2,000 plain characters at most."
    assert world() == before


def test_what_is_agreed_or_over_is_not_undone(client_person, freelancer):
    running = agreed(client_person, freelancer)
    ended = awarded(client_person, freelancer.email)
    awards.decline_award(ended, by=freelancer, at=START)
    unfinished = draft(client_person)
    before = world()

    for job, message in (
        (running, "The Terms of this Job are agreed: the award can't be undone any more."),
        (ended, "This Job is declined already."),
        (unfinished, "This Job has not been awarded yet."),
    ):
        with pytest.raises(Refusal) as refusal:
            awards.withdraw_award(job, by=client_person, at=START)
        assert refusal.value.message == message
    assert world() == before


def test_a_client_invites_so_many_a_day(client_person, freelancer, at):
    for number in range(awards.INVITATIONS_A_DAY):
        awarded(client_person, f"nobody{number}@example.com", at=at)
    with pytest.raises(awards.TooManyInvitations, match="Try again tomorrow"):
        awarded(client_person, "one-more@example.com", at=at)
    # Who has an account is no invitation, and tomorrow is another day.
    assert awarded(client_person, freelancer.email, at=at).freelancer == freelancer
    awarded(client_person, "one-more@example.com", at=at + timedelta(days=1, seconds=1))
