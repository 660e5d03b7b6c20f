"""Policies: a change of the numbers is a new version; Jobs keep the version of their award.

The database refuses to change a version that is there. Who made which is in the admin's own log.
"""

from django.db import transaction

from escrow_site.lib import timing
from jobs.models import Policy

# The columns that a version consists of.
NUMBERS = tuple(
    field.name
    for field in Policy._meta.concrete_fields
    if field.name not in ("id", "version", "made_at")
)
AT_LEAST_ONE = (
    "release_days",
    "overdue_days_before_due",
    "proposal_days",
    "authentication_days",
    "cancellation_days",
    "dispute_answer_business_days",
    "dormant_days",
    "dormant_freelancer_days",
    "largest_amount",
)


def problems(numbers: Policy) -> dict[str, str]:
    """What does not fit together, by field: with such numbers a clock would run backwards."""
    found = {name: "Must be 1 or more." for name in AT_LEAST_ONE if getattr(numbers, name) < 1}
    if numbers.overdue_days_before_due >= numbers.release_days:
        found["overdue_days_before_due"] = "Must be fewer days than a request has in all."
    warnings = numbers.warning_days_before_due
    if len(set(warnings)) != len(warnings):
        found["warning_days_before_due"] = "Each day can stand here once."
    elif any(not 1 <= days < numbers.release_days for days in warnings):
        found["warning_days_before_due"] = (
            "Each must be 1 or more, and fewer days than a request has in all."
        )
    reminders = numbers.authentication_reminder_days
    if len(set(reminders)) != len(reminders):
        found["authentication_reminder_days"] = "Each day can stand here once."
    elif any(not 1 <= days < numbers.authentication_days for days in reminders):
        found["authentication_reminder_days"] = (
            "Each must be 1 or more, and fewer days than a Pending payment has in all."
        )
    if numbers.dormant_settlement_days <= numbers.dormant_freelancer_days:
        found["dormant_settlement_days"] = "Must come after the Freelancer is told."
    if numbers.service_fee_basis_points + numbers.processing_fee_basis_points > 10_000:
        found["processing_fee_basis_points"] = "Both fees together are more than the whole amount."
    if numbers.return_fee_basis_points > 10_000:
        found["return_fee_basis_points"] = "More than the whole amount."
    return found


def differs(numbers: Policy, other: Policy) -> bool:
    """Whether a new version with these numbers would change anything."""
    return any(getattr(numbers, name) != getattr(other, name) for name in NUMBERS)


def lock_newest() -> Policy:
    """The newest version; until the transaction ends nobody else makes a newer one."""
    # The first row is the lock: it never goes, so all who make a version meet there.
    Policy.objects.select_for_update(no_key=True).order_by("version").first()
    return Policy.objects.current()


@transaction.atomic
def make_version(numbers: Policy) -> Policy:
    """Write the numbers as a version after the newest; Jobs awarded from now on get it (R0)."""
    assert not problems(numbers)
    return Policy.objects.create(
        version=lock_newest().version + 1,
        made_at=timing.real_now(),
        **{name: getattr(numbers, name) for name in NUMBERS},
    )
