"""What documents say about the parties; the rows are issued where their cause is written.

A pro-forma is made with its Release Request, a final invoice or receipt with its Release.
"""

from jobs.models import Job, Person


def parties(job: Job) -> dict[str, dict[str, str]]:
    """The snapshot of both parties that a document keeps for ever."""
    assert job.freelancer is not None
    return {"client": _party(job.client), "freelancer": _party(job.freelancer)}


def _party(person: Person) -> dict[str, str]:
    return {
        "name": person.name or person.email,
        "email": person.email,
        "billing_address": person.billing_address,
        "tax_id": person.tax_id,
    }
