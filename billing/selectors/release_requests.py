"""Release Requests as their two parties read them, and what happens if nobody acts (R6.1, R6.2)."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import QuerySet

from billing.forecast import forecast
from billing.models import ReleaseRequest
from billing.notices import VOIDED
from billing.selectors import foretold, rules
from billing.selectors.escrow_rows import rows_of
from billing.selectors.foretold import Moment
from billing.selectors.seen import seen_by
from billing.timetables import What
from jobs.models import Activity, Job, Person
from jobs.selectors import history


def requests_seen_by(person: Person) -> QuerySet[ReleaseRequest]:
    """Release Requests that the person may see, with what their page shows."""
    return seen_by(
        person,
        ReleaseRequest.objects.select_related(
            "job__client", "job__freelancer", "job__policy", "escrow", "pro_forma", "requested_by"
        ),
    ).prefetch_related("pro_forma__documents")


def moments_of(
    requests: Iterable[ReleaseRequest], job: Job, *, viewer: Person, at: datetime
) -> list[Moment]:
    """What will become of these requests, out of all that is foreseen for their Job."""
    unanswered = {request.pk for request in requests if request.is_unanswered}
    if not unanswered:
        return []
    foreseen = forecast(job, rows_of([job.pk])[job.pk], at=at)
    own = [one for one in foreseen if one.request_id in unanswered]
    released_at = {one.at for one in own if one.what is What.RELEASE}
    # The end of the Job is told with the release that brings it about.
    own += [one for one in foreseen if one.what is What.COMPLETION and one.at in released_at]
    return foretold.without_repetition(foretold.moments(job, own, role=job.role_of(viewer)))


def ended_by(request: ReleaseRequest) -> str:
    """Who ended the request, or the rule that did; "" while it is unanswered."""
    if request.is_unanswered:
        return ""
    last = request.releases.select_related("released_by").order_by("pk").last()
    if request.state == ReleaseRequest.State.RELEASED and last is not None:
        assert request.job.policy is not None
        return str(last.released_by or f"the {rules.thirty_day_rule_name(request.job.policy)}")
    ending = Activity.objects.filter(
        job=request.job_id, kind=VOIDED.name, facts__request=request.pk
    ).select_related("actor")
    return history.actor_name(ending[0], None) if ending else ""
