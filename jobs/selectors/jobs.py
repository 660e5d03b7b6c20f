"""A Job as one of its parties may see it; everybody else is told that there is none (R1.4)."""

from escrow_site.lib import statements
from jobs.models import Job, Person, Policy

SEEN_BY = """
SELECT {job}, {client}, {freelancer}, {policy}
  FROM jobs_job AS job
  JOIN jobs_person AS client ON client.id = job.client_id
  LEFT JOIN jobs_person AS freelancer ON freelancer.id = job.freelancer_id
  LEFT JOIN jobs_policy AS policy ON policy.id = job.policy_id
 WHERE job.id = %s
   AND (job.client_id = %s OR (job.freelancer_id = %s AND job.awarded_at IS NOT NULL))
"""


def seen_by(person: Person, job_id: int) -> Job | None:
    """The Job with its parties and Policy; the condition is that of ``Job.objects.seen_by``."""
    rows = statements.read(
        SEEN_BY,
        job_id,
        person.pk,
        person.pk,
        job=Job,
        client=Person,
        freelancer=Person,
        policy=Policy,
    )
    for job, client, freelancer, policy in rows:
        job.client, job.freelancer, job.policy = client, freelancer, policy
        return job
    return None
