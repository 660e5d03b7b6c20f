"""Rows that every installation needs; idempotent, called by migrate and by tests."""

from jobs.models import Policy


def ensure_reference_data() -> None:
    """Make the first Policy where there is none."""
    if not Policy.objects.exists():
        Policy.objects.create(version=1)
