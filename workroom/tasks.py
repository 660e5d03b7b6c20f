"""What workers do for the workroom; when, is in ``CELERY_BEAT_SCHEDULE``. No rules here."""

from datetime import timedelta
from typing import Any

from celery import shared_task

from billing.services import gateway_events, sweeping
from escrow_site.lib import timing
from jobs.services import activity, heartbeats
from workroom.services import account_mails, delivery

# Shorter than the pause between two sweeps: after an outage they follow each other and leave the
# other workers to the mail.
SWEEP_RUNS_FOR = timedelta(seconds=25)


@shared_task
def sweep() -> None:
    """Carry out what is due on every Job; what a long one leaves, the next one takes.

    What the banks have said meanwhile comes first: after an outage it is older than what is due now.
    """
    with heartbeats.beating("sweep"):
        gateway_events.work_off(at=timing.now())
        sweeping.sweep(at=timing.now(), run_for=SWEEP_RUNS_FOR)


@shared_task
def deliver_notices() -> None:
    """Send the notices that wait: woken after each commit, and by the sweep for what was left."""
    with heartbeats.beating("deliver_notices"):
        activity.take_wake_up()
        delivery.deliver_waiting()


# Pauses stay far below the broker's visibility time-out, after which a waiting task would be handed
# out a second time. About three hours of trying; a link that comes later serves nobody.
@shared_task(
    autoretry_for=(OSError,),
    retry_backoff=10,
    retry_backoff_max=300,
    retry_jitter=False,
    max_retries=40,
)
def send_account_mail(mail: dict[str, Any]) -> None:
    """Send a mail about an account; tried again while the mail server is away."""
    account_mails.send(account_mails.AccountMail(**mail))
