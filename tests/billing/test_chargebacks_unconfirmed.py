"""What one agent says of a chargeback and no second one has confirmed is no party's to read (R8.4)."""

import pytest
from django.urls import reverse

from billing.models import Payment
from billing.services import chargebacks
from jobs.models import Activity, Job, Person
from tests.billing.charging_back import begin
from tests.billing.dispute_steps import DAY, NOON, agent_named, funded_job
from tests.billing.steps import signed_in, text_of
from workroom.selectors import story

pytestmark = pytest.mark.django_db

RECORDED = "It says lost in the letter of 3 May."
SENT_BACK = "You have misread the letter."


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    """Recorded, sent back, and recorded anew."""
    job = funded_job(client_person, freelancer, 1)
    row, ada, ben = begin(job), agent_named("Ada"), agent_named("Ben")
    at = NOON + 2 * DAY
    chargebacks.record(row.pk, outcome="lost", reason=RECORDED, by=ada, at=at)
    chargebacks.send_back(row.pk, answer=SENT_BACK, by=ben, at=at)
    chargebacks.record(row.pk, outcome="lost", reason=RECORDED, by=ada, at=at)
    return job


@pytest.mark.parametrize("page", ["workroom:activity", "workroom:job", "workroom:job_billing"])
@pytest.mark.parametrize("role", ["client", "freelancer"])
def test_it_is_on_no_page_of_the_job(job: Job, role: str, page: str) -> None:
    shown = text_of(signed_in(getattr(job, role)).get(reverse(page, args=[job.pk])))
    assert [words for words in (RECORDED, SENT_BACK) if words in shown] == []


def test_it_is_not_on_the_page_of_the_payment(job: Job) -> None:
    page = reverse("billing:payment", args=[Payment.objects.get().pk])
    shown = text_of(signed_in(job.client).get(page))
    assert [words for words in (RECORDED, SENT_BACK) if words in shown] == []
    assert "wants the payment of" in shown


def test_it_is_in_no_case_file_and_the_desk_reads_it(job: Job) -> None:
    known = {"chargeback_recorded", "chargeback_sent_back"}
    whole = story.story_of(job)
    assert {line.activity.kind for line in whole.history} >= known
    told = {line.activity.kind for line in story.as_parties_read(whole).history}
    assert told & known == set()
    assert Activity.objects.filter(kind__in=known).count() == 3
