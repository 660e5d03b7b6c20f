"""Rows that migrations make, and that are lost, all of them, when a test truncates."""

from billing.reference_data import ensure_reference_data as ensure_billing_data
from jobs.reference_data import ensure_reference_data as ensure_jobs_data
from workroom.reference_data import ensure_reference_data as ensure_workroom_data


def ensure_reference_data() -> None:
    """Make those of all apps again."""
    ensure_jobs_data()
    ensure_billing_data()
    ensure_workroom_data()
