"""Steps that the tests of Disputes at the support desk share."""

from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from billing.models import Dispute
from billing.services import disputes, offers, sealed
from jobs.models import Job
from tests.billing.dispute_steps import HOUR, NOON, open_dispute, pdf
from tests.billing.steps import request_release

WORDS = {"to_freelancer": "300.00", "reasons": "Most of it\nis done."}


def with_support(job: Job) -> Dispute:
    """About a request; both sides have said and shown something."""
    client_person, freelancer = job.client, job.freelancer
    assert freelancer is not None
    request_release(job)
    made = open_dispute(job, client_person, uploads=[pdf("screen.pdf")])
    disputes.answer(made.pk, text="It was all there.", by=freelancer, at=NOON)
    offers.make(made.pk, to_freelancer_minor=450_00, by=freelancer, at=NOON)
    sealed.enter(made.pk, limit_minor=412_34, by=freelancer, at=NOON)
    return disputes.escalate(made.pk, by=client_person, at=NOON + HOUR)


def url(verb: str, dispute: Dispute) -> str:
    return reverse(f"admin:billing_dispute_{verb}", args=[dispute.pk])


def say(browser: Client, verb: str, dispute: Dispute, **form: object) -> str:
    answer = browser.post(url(verb, dispute), form, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def decide(browser: Client, dispute: Dispute, **form: object) -> str:
    return say(browser, "decide", dispute, **{**WORDS, "seen_held_minor": 500_00, **form})


def logged() -> list[tuple[str, str]]:
    entries = LogEntry.objects.order_by("pk").select_related("user")
    return [(str(entry.user), entry.get_change_message()) for entry in entries]
