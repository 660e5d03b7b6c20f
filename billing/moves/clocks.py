"""The clock of a Release Request gets more time (R9.7): rows of a locked Job."""

from datetime import datetime

from billing.models import ReleaseRequest
from escrow_site.lib import states
from escrow_site.lib.timing import DAY


def extend_release(request: ReleaseRequest, *, until: datetime, at: datetime) -> None:
    """Move the due instant; Overdue and the warnings that are still to come move with it.

    What is Overdue stays so, since the same instant, and warnings that are past are not repeated, as
    after a Dispute (R9.4). Raises LostRace.
    """
    job = request.job
    assert job.policy is not None and until > request.auto_release_at
    columns = {"auto_release_at": until, "noticed_until": at}
    if request.state == ReleaseRequest.State.OPEN:
        columns["overdue_at"] = until - job.policy.overdue_days_before_due * DAY
    unchanged = ReleaseRequest.objects.filter(
        pk=request.pk, state=request.state, auto_release_at=request.auto_release_at
    )
    if not unchanged.update(**columns):
        raise states.LostRace(f"{request}: its clock is not as it was read")
    for name, value in columns.items():
        setattr(request, name, value)
    for due_at in (request.overdue_at, until, *_warnings(request)):
        if due_at > at:
            job.note_due(due_at)


def _warnings(request: ReleaseRequest) -> list[datetime]:
    assert request.job.policy is not None
    days = request.job.policy.warning_days_before_due
    return [request.auto_release_at - number * DAY for number in days]
