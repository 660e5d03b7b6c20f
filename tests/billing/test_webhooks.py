"""Call-backs of the provider: verified, stored once, worked off, harmless when odd (R3.5)."""

import json
from datetime import datetime

import pytest
from django.test import Client

from billing import tasks
from billing.gateways import simulated
from billing.gateways.base import Answer, Kind, Status
from billing.models import GatewayEvent, Payment
from billing.services import gateway_events
from billing.webhooks import LARGEST_BODY_BYTES
from escrow_site.lib import timing
from jobs.models import Job, Person
from tests.billing.banking import bank_says, escrow_states, fund, nothing_changes, transfers
from tests.billing.steps import text_of
from tests.mail_server import wait_until
from tests.scenarios import running_job

pytestmark = pytest.mark.django_db

URL = "/webhooks/simulated/"


@pytest.fixture
def at() -> datetime:
    """Now: what the workers do is judged by the clock, and an old Pending payment would lapse."""
    return timing.now()


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    return running_job(client_person, freelancer)


@pytest.fixture
def payment(job: Job, at: datetime) -> Payment:
    return fund(job, 1, behaviour="needs_authentication", at=at)


def post(event: simulated.SignedEvent, *, url: str = URL, **headers: str) -> int:
    answer = Client(enforce_csrf_checks=True).post(
        url, event.payload, content_type="application/json", headers=event.headers | headers
    )
    return answer.status_code


def signed(body: object) -> simulated.SignedEvent:
    payload = json.dumps(body).encode()
    signature = simulated._signature(payload)
    return simulated.SignedEvent(payload=payload, headers={simulated.SIGNATURE_HEADER: signature})


def test_an_event_is_stored_and_worked_off_by_the_task(job: Job, payment: Payment) -> None:
    event = bank_says(payment, Status.SUCCEEDED)
    with nothing_changes():
        assert post(event) == 200
    stored = GatewayEvent.objects.get()
    assert (stored.gateway, stored.kind, stored.handled_at, stored.attempts) == (
        "simulated", "charge.succeeded", None, 0,
    )  # fmt: skip
    assert stored.body == json.loads(event.payload)

    tasks.work_off_events()
    stored.refresh_from_db()
    assert (stored.attempts, stored.failure, stored.handled_at is None) == (1, "", False)
    assert escrow_states(job)[0] == "funded"


def test_an_event_that_comes_twice_is_stored_and_done_once(job: Job, payment: Payment) -> None:
    event = bank_says(payment, Status.SUCCEEDED)
    assert [post(event), post(event)] == [200, 200]
    tasks.work_off_events()
    assert post(event) == 200
    tasks.work_off_events()
    assert GatewayEvent.objects.count() == 1
    assert len(transfers()) == 1


def test_the_same_news_under_another_id_is_harmless(job: Job, payment: Payment) -> None:
    post(bank_says(payment, Status.SUCCEEDED))
    post(bank_says(payment, Status.SUCCEEDED))
    tasks.work_off_events()
    assert GatewayEvent.objects.filter(handled_at__isnull=False).count() == 2
    assert len(transfers()) == 1


def test_what_was_not_signed_is_refused(payment: Payment) -> None:
    event = bank_says(payment, Status.SUCCEEDED)
    assert post(event, **{simulated.SIGNATURE_HEADER: "0" * 64}) == 400
    assert post(simulated.SignedEvent(payload=event.payload, headers={})) == 400
    forged = simulated.SignedEvent(
        payload=event.payload.replace(b"50000", b"1"), headers=event.headers
    )
    assert post(simulated.SignedEvent(payload=forged.payload + b" ", headers=event.headers)) == 400
    assert not GatewayEvent.objects.exists()


def test_what_cannot_be_stored_is_refused() -> None:
    for body in ([], {}, {"id": "", "kind": "x"}, {"id": "x" * 121, "kind": "x"},
                 {"id": "x", "kind": "x", "object": "\0"}):  # fmt: skip
        assert post(signed(body)) == 400
    assert not GatewayEvent.objects.exists()


@pytest.mark.parametrize(
    "odd", [b"NaN", b"1e999", b'"\\ud800"', b"[" * 100_000], ids=["NaN", "1e999", "lone", "deep"]
)
def test_signed_but_odd_json_is_refused(odd: bytes) -> None:
    payload = b'{"id": "evt", "kind": "charge.succeeded", "object": %b}' % odd
    headers = {simulated.SIGNATURE_HEADER: simulated._signature(payload)}
    with nothing_changes():
        assert post(simulated.SignedEvent(payload=payload, headers=headers)) == 400
    assert not GatewayEvent.objects.exists()


@pytest.mark.parametrize("reference", ["%00", "a%20b", "..", "x" * 500])
def test_a_bank_page_that_is_none(client_person: Person, reference: str) -> None:
    browser = Client()
    browser.force_login(client_person)
    assert browser.get(f"/bank/{reference}/").status_code == 404


def test_a_body_that_is_too_large_is_not_read() -> None:
    event = signed({"id": "large", "kind": "x", "object": "x" * LARGEST_BODY_BYTES})
    assert post(event) == 413
    assert not GatewayEvent.objects.exists()


def test_only_post_and_only_a_gateway_that_there_is(client: Client, payment: Payment) -> None:
    assert client.get(URL).status_code == 405
    event = bank_says(payment, Status.SUCCEEDED)
    assert post(event, url="/webhooks/elsewhere/") == 404


def test_news_of_things_unknown_is_harmless(job: Job) -> None:
    for kind in Kind:
        answer = Answer(
            kind=kind, status=Status.SUCCEEDED, reference="nowhere", idempotency_key="never"
        )
        assert post(simulated.sign(answer)) == 200
    with nothing_changes():
        tasks.work_off_events()
    for event in GatewayEvent.objects.all():
        assert event.handled_at is not None
        assert event.failure == "Nothing here is known to the provider by this reference."


def test_a_failure_is_kept_with_the_event_and_tried_again(job: Job, payment: Payment) -> None:
    post(signed({"id": "odd", "kind": "charge.odd", "object": {"kind": "charge"}}))
    post(bank_says(payment, Status.SUCCEEDED))
    tasks.work_off_events()
    tasks.work_off_events()

    odd = GatewayEvent.objects.get(event_id="odd")
    assert (odd.attempts, odd.handled_at) == (2, None)
    assert odd.failure == "BadEvent: The event cannot be read."
    assert escrow_states(job)[0] == "funded"


def test_an_event_that_keeps_failing_is_left_to_support(job: Job, at: datetime) -> None:
    post(signed({"id": "odd", "kind": "charge.odd", "object": {}}))
    GatewayEvent.objects.update(attempts=gateway_events.MOST_ATTEMPTS - 1)
    assert gateway_events.work_off(at=at) == 0
    tasks.work_off_events()
    assert GatewayEvent.objects.get().attempts == gateway_events.MOST_ATTEMPTS


def test_a_worker_is_woken_after_the_commit(
    payment: Payment,
    django_capture_on_commit_callbacks: object,
) -> None:
    event = bank_says(payment, Status.SUCCEEDED)
    with django_capture_on_commit_callbacks() as woken:  # type: ignore[operator]
        post(event)
    assert woken == [gateway_events.wake_worker]


def test_the_tasks_have_the_names_that_the_schedule_calls(settings: object) -> None:
    scheduled = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}  # type: ignore[attr-defined]
    own = {tasks.work_off_events.name, tasks.reconcile.name, tasks.audit_ledger.name}
    assert own <= scheduled


@pytest.mark.django_db(transaction=True)
def test_a_real_worker_works_an_event_off_by_itself(
    worker: None, job: Job, payment: Payment
) -> None:
    assert post(bank_says(payment, Status.SUCCEEDED)) == 200
    assert wait_until(lambda: escrow_states(job)[0] == "funded", timeout_seconds=20)


@pytest.mark.django_db(transaction=True)
def test_with_the_broker_away_the_bank_page_funds_all_the_same(
    no_broker: None, client: Client, job: Job, payment: Payment
) -> None:
    client.force_login(job.client)
    bank = f"/bank/{payment.gateway_reference}/"
    back = client.post(bank, {"answer": "authenticate"}, follow=True)
    assert back.redirect_chain == [(f"/billing/payments/{payment.pk}/", 302)]
    assert "“Milestone 1” is Funded" in text_of(back)
    assert escrow_states(job)[0] == "funded"


@pytest.mark.django_db(transaction=True)
def test_with_the_broker_away_a_call_back_is_kept_for_the_sweep(
    no_broker: None, job: Job, payment: Payment
) -> None:
    assert post(bank_says(payment, Status.SUCCEEDED)) == 200
    assert escrow_states(job)[0] == "pending"
    tasks.work_off_events()
    assert escrow_states(job)[0] == "funded"
