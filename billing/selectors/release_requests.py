"""Release Requests as their two parties read them, and what happens if nobody acts (R6.1, R6.2)."""

from datetime import datetime
from typing import TypedDict

from django.db.models import QuerySet

from billing.models import ReleaseRequest
from billing.selectors.seen import seen_by
from escrow_site.lib import money
from escrow_site.lib.display import instant
from escrow_site.lib.timing import DAY
from jobs.models import Person, Policy


class Step(TypedDict):
    """One line of "what happens next", as the component ``c-next-steps`` takes it."""

    at: str
    title: str
    text: str
    stop: str
    tone: str


def requests_seen_by(person: Person) -> QuerySet[ReleaseRequest]:
    """Release Requests that the person may see, with what their page shows."""
    return seen_by(
        person,
        ReleaseRequest.objects.select_related(
            "job__client", "job__freelancer", "job__policy", "escrow", "pro_forma", "requested_by"
        ),
    ).prefetch_related("pro_forma__documents")


def steps_if_nobody_acts(request: ReleaseRequest, *, at: datetime) -> list[Step]:
    """Overdue, the warnings and the release that are still to come for an open or overdue request."""
    if not request.is_unanswered or request.state == ReleaseRequest.State.DISPUTED:
        return []
    job = request.job
    assert job.policy is not None
    held = money.display(request.escrow.held_minor, job.currency)
    steps: list[Step] = []
    if request.state == ReleaseRequest.State.OPEN and request.overdue_at > at:
        steps.append(
            Step(
                at=instant(request.overdue_at),
                title="Overdue",
                text=f"{job.client} and {job.freelancer} are reminded.",
                stop="",
                tone="warning",
            )
        )
    if warnings := _warnings(request, job.policy, at=at):
        steps.append(
            Step(
                at=instant(warnings[0]),
                title="Warning" if len(warnings) == 1 else f"The first of {len(warnings)} warnings",
                text=f"{job.client} is warned that the release is near.",
                stop="",
                tone="warning",
            )
        )
    steps.append(
        Step(
            at=instant(request.auto_release_at),
            title=f"{held} released to {job.freelancer}",
            text="A final invoice is made and both are told.",
            stop=f"{job.client} can release before, {job.freelancer} can void the request.",
            tone="",
        )
    )
    return steps


def _warnings(request: ReleaseRequest, policy: Policy, *, at: datetime) -> list[datetime]:
    """The instants of the warnings that are still to come, the next one first."""
    due_at = request.auto_release_at
    instants = (
        due_at - days * DAY for days in sorted(policy.warning_days_before_due, reverse=True)
    )
    return [warned_at for warned_at in instants if warned_at > at]
