"""Each way in which money moves or a state changes, played by the services and the sweep."""

from datetime import UTC, datetime, timedelta

from billing.gateways.base import Status
from billing.models import Payment
from billing.services import closing, payments, release_requests, releases, sweeping
from jobs.models import Job, Person, Policy
from jobs.services.columns import set_columns
from tests.billing import banking
from tests.billing.steps import NOON, request_release
from tests.scenarios import START, fund, running_job
from tests.workroom.agreements import agreed, awarded, hourly_draft
from workroom.services import awards, terms

DAY = timedelta(days=1)
LATER = START + timedelta(hours=3)


def utc(month: int, day: int, hour: int = 0) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


def sweep(*instants: datetime) -> None:
    for at in instants:
        sweeping.sweep(at=at)


def pending(job: Job, *, behaviour: str = "needs_authentication") -> Payment:
    return banking.fund(job, 1, behaviour=behaviour, at=START)


# --- Terms and awards ---


def accepted(client: Person, freelancer: Person) -> Job:
    return agreed(client, freelancer)


def award_expires(client: Person, freelancer: Person) -> Job:
    job = awarded(client, freelancer.email)
    sweep(utc(3, 8, 10))
    return job


def terms_lapse(client: Person, freelancer: Person) -> Job:
    """What a change of Terms on a running Job will leave open."""
    job = running_job(client, freelancer)
    set_columns(job, open_proposal_until=utc(3, 8, 10), next_due_at=utc(3, 8, 10))
    sweep(utc(3, 8, 10))
    return job


def award_declined(client: Person, freelancer: Person) -> Job:
    job = awarded(client, freelancer.email)
    return awards.decline_award(job, by=freelancer, at=LATER, reason="No time until May.")


def award_withdrawn(client: Person, freelancer: Person) -> Job:
    job = awarded(client, freelancer.email)
    return awards.withdraw_award(job, by=client, at=LATER, reason="Not needed any more.")


def terms_declined(client: Person, freelancer: Person) -> Job:
    job = awarded(client, freelancer.email)
    terms.decline(job, by=freelancer, version=1, at=LATER, answer="Too short.")
    return job


# --- Money coming in ---


def funded(client: Person, freelancer: Person) -> Job:
    job = running_job(client, freelancer)
    fund(job, 1)
    return job


def authenticated(client: Person, freelancer: Person) -> Job:
    job = running_job(client, freelancer)
    banking.authenticate(pending(job), at=LATER)
    return job


def refused_by_the_bank(client: Person, freelancer: Person) -> Job:
    job = running_job(client, freelancer)
    banking.fund(job, 1, behaviour="insufficient_funds", at=START)
    return job


def not_authenticated(client: Person, freelancer: Person) -> Job:
    job = running_job(client, freelancer)
    banking.refuse(pending(job), at=LATER)
    return job


def cancelled(client: Person, freelancer: Person) -> Job:
    job = running_job(client, freelancer)
    payments.cancel(pending(job), by=client, at=LATER)
    return job


def stopped(client: Person, freelancer: Person) -> Job:
    job = running_job(client, freelancer)
    method = banking.add_card(client)
    payment = payments.start(job.pk, numbers=[1], method=method, by=client, at=START)
    payments.cancel(payment, by=client, at=LATER)
    return job


def cancelled_at_the_bank(client: Person, freelancer: Person) -> Job:
    job = running_job(client, freelancer)
    banking.deliver(banking.bank_says(pending(job), Status.CANCELLED), at=LATER)
    return job


def reminded(client: Person, freelancer: Person) -> Job:
    job = running_job(client, freelancer)
    pending(job)
    sweep(utc(3, 7, 10))
    return job


def lapsed(client: Person, freelancer: Person) -> Job:
    job = running_job(client, freelancer)
    pending(job)
    sweep(utc(3, 8, 10))
    return job


# --- Money that is not wanted ---


def late_after_lapsing(client: Person, freelancer: Person) -> Job:
    job = running_job(client, freelancer)
    payment = pending(job)
    sweep(utc(3, 8, 10))
    banking.deliver(banking.bank_says(payment, Status.SUCCEEDED), at=utc(3, 9))
    return job


def late_and_refused_by_the_card(client: Person, freelancer: Person) -> Job:
    job = running_job(client, freelancer)
    method = banking.add_card(client, "closed")
    payment = payments.start(job.pk, numbers=[1], method=method, by=client, at=START)
    payments.cancel(payment, by=client, at=START)
    banking.deliver(banking.bank_says(payment, Status.SUCCEEDED), at=LATER)
    return job


def price_changed(client: Person, freelancer: Person) -> Job:
    job = running_job(client, freelancer)
    payment = pending(job)
    job.escrows.filter(number=1).update(amount_minor=400_00)
    banking.deliver(banking.bank_says(payment, Status.SUCCEEDED), at=LATER)
    return job


# --- Requests and releases ---


def requested(client: Person, freelancer: Person, *amounts_minor: int) -> Job:
    job = running_job(client, freelancer, amounts_minor=amounts_minor or (500_00, 1_000_00))
    fund(job, 1)
    request_release(job)
    return job


def voided(client: Person, freelancer: Person) -> Job:
    job = requested(client, freelancer)
    request = job.release_requests.get()
    release_requests.void(request.pk, by=freelancer, at=NOON + DAY, reason="One page is missing.")
    return job


def overdue(client: Person, freelancer: Person) -> Job:
    job = requested(client, freelancer)
    sweep(utc(3, 24, 12))
    return job


def warned(client: Person, freelancer: Person) -> Job:
    job = requested(client, freelancer)
    sweep(utc(3, 24, 12), utc(3, 29, 12))
    return job


def released_by_silence(client: Person, freelancer: Person) -> Job:
    job = requested(client, freelancer)
    sweep(utc(4, 8, 12))
    return job


def released_by_shorter_silence(client: Person, freelancer: Person) -> Job:
    job = running_job(client, freelancer)
    set_columns(job, policy=Policy.objects.create(version=9, release_days=20))
    fund(job, 1)
    request_release(job)
    sweep(utc(3, 29, 12))
    return job


def last_one_released_by_silence(client: Person, freelancer: Person) -> Job:
    job = requested(client, freelancer, 500_00)
    sweep(utc(4, 8, 12))
    return job


def released(client: Person, freelancer: Person) -> Job:
    job = running_job(client, freelancer, amounts_minor=[500_00])
    fund(job, 1)
    releases.release(job.pk, numbers=[1], by=client, at=NOON)
    return job


# --- The end by hand ---


def completed_by_hand(client: Person, freelancer: Person) -> Job:
    job = running_job(client, freelancer, open_ended=True)
    return closing.complete(job.pk, by=client, at=NOON)


def hourly_completed(client: Person, freelancer: Person) -> Job:
    job = awards.award(hourly_draft(client), by=client, email=freelancer.email, at=START)
    terms.accept(job, by=freelancer, version=1, at=START)
    return closing.complete(job.pk, by=freelancer, at=NOON)


# --- Dormancy: D is 30 Jun, 60 days after the end of 30 Apr ---


def dormant(client: Person, freelancer: Person) -> Job:
    job = running_job(client, freelancer)
    fund(job, 1)
    sweep(utc(6, 30))
    return job


def freelancer_told(client: Person, freelancer: Person) -> Job:
    job = dormant(client, freelancer)
    sweep(utc(7, 7))
    return job


def settled(client: Person, freelancer: Person) -> Job:
    job = freelancer_told(client, freelancer)
    sweep(utc(7, 14))
    return job


def settled_with_an_open_end(client: Person, freelancer: Person) -> Job:
    job = running_job(client, freelancer, open_ended=True)
    fund(job, 1)
    sweep(utc(6, 30), utc(7, 7), utc(7, 14))
    return job


def woken_by_a_release(client: Person, freelancer: Person) -> Job:
    job = dormant(client, freelancer)
    releases.release(job.pk, numbers=[1], by=client, at=utc(7, 1))
    return job


def woken_by_a_request(client: Person, freelancer: Person) -> Job:
    job = dormant(client, freelancer)
    request_release(Job.objects.get(pk=job.pk), at=utc(7, 10, 8))
    return job


def woken_by_a_void(client: Person, freelancer: Person) -> Job:
    """R14.14: the request that is voided after the settlement was for the last held Milestone."""
    job = running_job(client, freelancer)
    fund(job, 1, 2)
    sweep(utc(6, 30), utc(7, 7))
    request = request_release(Job.objects.get(pk=job.pk), 2, at=utc(7, 10, 8))
    sweep(utc(7, 14))
    release_requests.void(request.pk, by=freelancer, at=utc(7, 20, 8))
    return job
