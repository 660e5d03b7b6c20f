"""Who acts for support on a Job: staff with the right to, and never a party of the Job.

What an account's lock asks for is in ``accounts``, as it is about a person and no Job.
"""

from escrow_site.lib.refusals import Refusal, WrongParty
from jobs.models import Job, Person
from jobs.services.accounts import refuse_locked


def refuse_non_agent(
    job: Job, *, by: Person, permission: str, who: str = "support agent", act: str = "do this"
) -> Refusal | None:
    """Why this person may not act here for support: the first question of each guard of the desk."""
    if refusal := refuse_locked(by):
        return refusal
    if not by.is_staff or not by.has_perm(permission) or job.role_of(by):
        return WrongParty(f"Only a {who} who is not a party of the Job can {act}.")
    return None
