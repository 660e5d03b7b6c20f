"""What the beat rings, and how often; the tasks are in each app's `tasks.py`. Part of the settings."""

from datetime import timedelta

from celery.schedules import crontab


def every(*, seconds: int, task: str) -> dict[str, object]:
    """A beat entry that expires before the next one is due: a worker that comes back finds one and not hundreds."""
    return {
        "task": task,
        "schedule": timedelta(seconds=seconds),
        "options": {"expires": seconds - 1},
    }


SCHEDULE = {
    "sweep": every(seconds=30, task="workroom.tasks.sweep"),
    "deliver_notices": every(seconds=30, task="workroom.tasks.deliver_notices"),
    "work_off_gateway_events": every(seconds=30, task="billing.tasks.work_off_events"),
    "reconcile_payments": every(seconds=60, task="billing.tasks.reconcile"),
    "audit_ledger": {
        "task": "billing.tasks.audit_ledger",
        "schedule": crontab(hour="3", minute="30"),
        "options": {"expires": 3600},
    },
}
