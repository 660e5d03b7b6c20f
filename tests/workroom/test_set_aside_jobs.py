"""Jobs that were set aside, at the support desk: seen at once, tried again with a reason."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from billing.models import Escrow, Release
from billing.services import sweeping
from jobs.models import Activity, Job, Person
from tests.billing.banking import nothing_changes
from tests.billing.due_jobs import REQUESTED, due_jobs
from tests.desk import agent_of_the_desk, browser_of, listed

pytestmark = pytest.mark.django_db

LIST = reverse("admin:jobs_job_changelist")
AT = REQUESTED + timedelta(days=30, seconds=1)


@pytest.fixture
def broken() -> Job:
    """Set aside by a sweep that released the other one."""
    due_jobs(2)
    job = Job.objects.get(title="Due 0")
    Escrow.objects.filter(job=job, number=1).update(funded_minor=500_01)
    sweeping.sweep(at=AT)
    return Job.objects.get(pk=job.pk)


def page_of(browser: Client, job: Job) -> str:
    return browser.get(reverse("admin:jobs_job_change", args=[job.pk])).content.decode()


def try_again(browser: Client, *jobs: Job, **form: str) -> str:
    chosen = {"action": "try_again", "_selected_action": [job.pk for job in jobs], **form}
    return browser.post(LIST, chosen, follow=True).content.decode()


def mend(job: Job) -> None:
    Escrow.objects.filter(job=job, number=1).update(funded_minor=500_00)


def test_it_is_found_and_says_loudly_why(broken: Job) -> None:
    desk = browser_of(agent_of_the_desk())
    assert listed(desk, "jobs_job", has_set_aside_at="yes") == [broken.pk]
    page = page_of(desk, broken)
    assert '<div class="story-alert set-aside" role="alert">' in page
    assert "account_guarded_never_below_zero" in page
    assert 'value="try_again"' in page
    assert "set-aside" not in page_of(desk, Job.objects.get(title="Due 1"))


def test_the_reason_is_asked_for_first(broken: Job) -> None:
    desk = browser_of(agent_of_the_desk())
    with nothing_changes():
        asked = try_again(desk, broken)
        again = try_again(desk, broken, reason="  ")
    assert f'name="_selected_action" value="{broken.pk}"' in asked
    assert '<textarea id="reason" name="reason"' in asked
    assert "Give the reason: it stands in the history of the Job." in again
    assert '<textarea id="reason" name="reason"' in again
    assert not LogEntry.objects.exists()


def test_after_mending_it_is_taken_up_again_and_both_logs_say_so(broken: Job) -> None:
    agent = agent_of_the_desk()
    mend(broken)
    page = try_again(browser_of(agent), broken, reason="The sum was wrong by a cent.")
    text = f"Job {broken.pk} is taken up again, and what was due is carried out."
    assert text in page
    assert Job.objects.get(pk=broken.pk).set_aside_at is None
    assert Release.objects.filter(job=broken).count() == 1
    line = Activity.objects.get(job=broken, kind="taken_up_again")
    assert (line.actor, line.reason) == (agent, "The sum was wrong by a cent.")
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id, entry.change_message) == (
        agent,
        str(broken.pk),
        "Tried again: The sum was wrong by a cent.",
    )


def test_without_mending_it_is_set_aside_again_and_says_so(broken: Job) -> None:
    page = try_again(browser_of(agent_of_the_desk()), broken, reason="Hoping")
    assert f"Job {broken.pk} failed again and is set aside again." in page
    assert Job.objects.get(pk=broken.pk).set_aside_at is not None


def test_of_several_each_is_answered(broken: Job) -> None:
    mend(broken)
    other = Job.objects.get(title="Due 1")
    page = try_again(browser_of(agent_of_the_desk()), other, broken, reason="Mended")
    assert f"Job {other.pk} is not set aside: its clocks are running." in page
    assert f"Job {broken.pk} is taken up again" in page


def test_who_may_only_look_is_not_offered_it(broken: Job, clerk: Person) -> None:
    clerk.user_permissions.add(Permission.objects.get(codename="view_job"))
    browser = browser_of(clerk)
    page = page_of(browser, broken)
    assert "account_guarded_never_below_zero" in page
    assert 'value="try_again"' not in page
    with nothing_changes():
        try_again(browser, broken, reason="Please")
