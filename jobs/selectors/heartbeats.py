"""When the recurring jobs were last done, and whether one is silent: what desk, /readyz and /metrics say of them."""

from datetime import datetime, timedelta

from jobs.models import Heartbeat

SWEEP = "sweep"
AUDIT = "audit_ledger"
# After which silence people must look: the sweep comes twice a minute, the audit once a night.
SILENT_AT_MOST = {SWEEP: timedelta(minutes=5), AUDIT: timedelta(hours=26)}


def by_name() -> dict[str, Heartbeat]:
    """The last successful run of each recurring job that has had one."""
    return {beat.name: beat for beat in Heartbeat.objects.order_by("name")}


def is_late(beat: Heartbeat, *, at: datetime) -> bool:
    """Whether a job whose silence matters was not done for too long; ``at`` is in real time."""
    return at - beat.last_at > SILENT_AT_MOST[beat.name]


def differences_found(audit: Heartbeat) -> int:
    """How many differences the last audit found, also those of which it kept no words."""
    return int(audit.facts.get("count") or 0)
