"""What the mails about awards and Terms say: to whom, until when, what if nothing is done (R12)."""

import pytest

from jobs.models import Notification
from jobs.selectors import notices
from tests.workroom.agreements import START, agreed, awarded, hourly_draft, terms_input
from tests.workroom.timer_mails import tell
from workroom.services import awards, mail, terms

UNTIL = "8 Mar 2026, 10:00 UTC"


def mail_about(kind):
    """Subject, addressee and text of the one mail of this kind."""
    sought = notices.with_all_they_name(Notification.objects.filter(activity__kind=kind))
    message = mail.compose(sought.get())
    html = message.alternatives[0][0]
    assert "None" not in message.body
    assert "{" not in message.body
    assert "<p" in html
    return message.subject, message.to, " ".join(message.body.split())


def test_awarded(client_person, freelancer):
    awarded(client_person, freelancer.email)

    subject, to, text = mail_about("awarded")

    assert (subject, to) == ("Awarded to you: Website", ["frank@example.com"])
    assert "Clara Client awarded the Job “Website” to you and proposes Terms 1." in text
    assert "The Milestones come to $1,500.00." in text
    assert f"UNTIL WHEN {UNTIL}." in text
    assert f"IF YOU DO NOTHING On {UNTIL} the award lapses, and nothing is agreed." in text


def test_invited_leads_to_the_invitation(client_person):
    job = awarded(client_person, "new@example.com")

    subject, to, text = mail_about("invited")

    assert (subject, to) == ("Clara Client invites you to a Job: Website", ["new@example.com"])
    assert f"/invitations/{job.invitation.token}/" in text
    assert "open an account with this address (new@example.com) and confirm it" in text
    assert f"UNTIL WHEN {UNTIL}." in text


def test_an_hourly_award_names_no_sum(client_person, freelancer):
    job = hourly_draft(client_person)
    awards.award(job, by=client_person, email=freelancer.email, at=START)

    text = mail_about("awarded")[2]
    assert "The Milestones come to" not in text
    assert "It is paid by the hour, at $40.00." in text


def test_terms_proposed(client_person, freelancer):
    job = awarded(client_person, freelancer.email)
    terms.propose(
        job,
        by=freelancer,
        terms=terms_input(scope="More", message="A deposit, please"),
        answering=1,
        at=START,
    )

    subject, to, text = mail_about("terms_proposed")

    assert (subject, to) == ("Terms proposed: Website", ["clara@example.com"])
    assert "Frank Freelancer proposes Terms 2 for the Job “Website”." in text
    assert "Frank Freelancer writes: A deposit, please" in text
    assert f"UNTIL WHEN {UNTIL}." in text


def test_terms_accepted_by_the_freelancer(client_person, freelancer):
    agreed(client_person, freelancer)

    _, to, text = mail_about("terms_accepted")

    assert to == ["clara@example.com"]
    assert "Fund the first Milestone, so that Frank Freelancer can begin." in text
    assert "Nothing is charged, and Frank Freelancer need not start." in text


def test_terms_accepted_by_the_client(client_person, freelancer):
    job = awarded(client_person, freelancer.email)
    terms.propose(job, by=freelancer, terms=terms_input(scope="More"), answering=1, at=START)
    terms.accept(job, by=client_person, version=2, at=START)

    _, to, text = mail_about("terms_accepted")

    assert to == ["frank@example.com"]
    assert "you need not start before one Milestone is Funded" in text


@pytest.mark.parametrize(
    ("kind", "act", "to", "said"),
    [
        (
            "terms_declined",
            lambda job: terms.decline(job, by=job.freelancer, version=1, answer="Why", at=START),
            "clara@example.com",
            "Frank Freelancer declined Terms 1 of the Job “Website”. Frank Freelancer writes: Why",
        ),
        (
            "terms_withdrawn",
            lambda job: terms.withdraw(job, by=job.client, version=1, at=START),
            "frank@example.com",
            "Clara Client withdrew Terms 1 of the Job “Website”.",
        ),
        (
            "award_declined",
            lambda job: awards.decline_award(job, by=job.freelancer, reason="Why", at=START),
            "clara@example.com",
            "nobody has paid anything. Frank Freelancer writes: Why",
        ),
        (
            "award_withdrawn",
            lambda job: awards.withdraw_award(job, by=job.client, reason="Why", at=START),
            "frank@example.com",
            "its Terms can no longer be accepted. Clara Client writes: Why",
        ),
    ],
)
def test_the_end_of_a_proposal_or_an_award(client_person, freelancer, kind, act, to, said):
    act(awarded(client_person, freelancer.email))

    _, addressees, text = mail_about(kind)

    assert addressees == [to]
    assert said in text


def test_an_invited_address_hears_of_the_end(client_person):
    job = awarded(client_person, "new@example.com")
    awards.withdraw_award(job, by=client_person, at=START)

    _, to, text = mail_about("award_withdrawn")

    assert to == ["new@example.com"]
    assert "Clara Client withdrew the award of the Job “Website”." in text


def test_changed_terms_name_every_price_that_is_another(client_person, freelancer):
    changes = [
        {"escrow": "Map", "before_minor": None, "amount_minor": 220_00},
        {"escrow": "Photographs", "before_minor": 480_00, "amount_minor": 300_00},
        {"escrow": "Texts", "before_minor": 80_00, "amount_minor": None},
    ]
    job = agreed(client_person, freelancer)
    for told in tell(job, "terms_changed", by=client_person, version=2, changes=changes):
        assert "“Map” is added, for $220.00." in told.happened
        assert "“Photographs” is $300.00 now; it was $480.00." in told.happened
        assert "“Texts”, which was $80.00, is removed." in told.happened
        assert told.until.startswith("There is no deadline.")
