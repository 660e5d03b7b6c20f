"""What people change about themselves. Signing up and passwords are allauth's."""

from jobs.models import Person


def change_profile(
    person: Person,
    *,
    name: str,
    time_zone: str,
    language: str,
    billing_address: str,
    tax_id: str,
) -> None:
    """Save the profile; documents that were issued keep what stood there on their day."""
    person.name = name
    person.time_zone = time_zone
    person.language = language
    person.billing_address = billing_address.replace("\r\n", "\n")
    person.tax_id = tax_id
    person.save(update_fields=["name", "time_zone", "language", "billing_address", "tax_id"])
