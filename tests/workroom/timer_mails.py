"""What the timers record, and the mails that come of it, by their parts."""

from datetime import UTC, datetime
from typing import Any

from jobs.models import Activity, Job, Notification, Person, Policy
from jobs.notices import KINDS
from jobs.selectors import notices
from jobs.services import activity
from tests.workroom.agreements import agreed
from workroom.services import mail

RULE = "30-day rule: requested 9 Mar 2026 12:00 UTC, no answer by 8 Apr 2026 12:00 UTC."
REQUESTED_AT = datetime(2026, 3, 9, 12, tzinfo=UTC)
DUE_AT = datetime(2026, 4, 8, 12, tzinfo=UTC)
SETTLED_AT = datetime(2026, 7, 14, tzinfo=UTC)
REQUEST: dict[str, Any] = {
    "escrow": "Design", "number": 1, "request": 9, "amount_minor": 500_00,
    "requested_at": REQUESTED_AT, "due_at": DUE_AT,
}  # fmt: skip
RELEASED: dict[str, Any] = {
    "escrow": "Design", "number": 1, "amount_minor": 500_00, "service_fee_minor": 43_75,
    "processing_fee_minor": 0, "net_minor": 456_25, "document": "INV-2-0001", "document_id": 5,
    "rule": "30-day rule", "requested_at": REQUESTED_AT, "due_at": DUE_AT,
}  # fmt: skip
PAYMENT: dict[str, Any] = {
    "escrow": "Design", "number": 1, "amount_minor": 500_00, "payment": 7, "due_at": DUE_AT,
}  # fmt: skip
BUILD: dict[str, Any] = {"escrow": "Build", "number": 2, "amount_minor": 1_000_00, "at": SETTLED_AT}
TEXTS: dict[str, Any] = {"escrow": "Texts", "number": 3, "amount_minor": 80_50, "at": SETTLED_AT}
DESIGN: dict[str, Any] = {
    "escrow": "Design", "number": 1, "amount_minor": 500_00,
    "at": datetime(2026, 8, 9, 8, tzinfo=UTC),
}  # fmt: skip
DORMANT: dict[str, Any] = {
    "amount_minor": 1_580_50, "told_at": datetime(2026, 7, 7, tzinfo=UTC), "due_at": SETTLED_AT,
    "returns": [BUILD, TEXTS], "releases": [DESIGN],
}  # fmt: skip


def read_far_apart(client: Person, freelancer: Person) -> Job:
    """An active Job whose Client reads in Tokyo, and whose Freelancer in New York."""
    Person.objects.filter(pk=client.pk).update(time_zone="Asia/Tokyo")
    Person.objects.filter(pk=freelancer.pk).update(time_zone="America/New_York")
    job = agreed(client, freelancer)
    Notification.objects.all().delete()
    return job


class Told:
    """A mail by its parts, each on one line."""

    def __init__(self, notice: Notification) -> None:
        self.message = mail.compose(notice)
        self.subject, self.to = self.message.subject, self.message.to
        text = " ".join(str(self.message.body).split())
        above, _, rest = text.partition(" WHAT YOU CAN DO ")
        self.happened = above.removeprefix(f"{self.subject} ")
        self.now, _, rest = rest.partition(" UNTIL WHEN ")
        self.until, _, rest = rest.partition(" IF YOU DO NOTHING ")
        self.otherwise = rest.partition(" Open it in ")[0].partition(" See the invitation")[0]
        self.paragraphs = [" ".join(part.split()) for part in str(self.message.body).split("\n\n")]


def tell(
    job: Job, kind: str, *, by: Person | None = None, reason: str = "", address: str = "",
    **facts: Any,
) -> list[Told]:  # fmt: skip
    """The mails of one thing that a timer did, to the Client first; by a person when one is named."""
    actor_kind = "" if by else Activity.Actor.TIMER
    activity.record(
        job, KINDS[kind], by=by, at=DUE_AT, actor_kind=actor_kind, reason=reason, address=address,
        **facts,
    )  # fmt: skip
    newest = Activity.objects.latest("pk")
    found = notices.with_all_they_name(Notification.objects.filter(activity=newest))
    return [Told(notice) for notice in found.order_by("pk")]


def with_policy(job: Job, **numbers: Any) -> Job:
    """The Job, pinned to a Policy of other numbers."""
    policy = Policy.objects.create(version=99, **numbers)
    Job.objects.filter(pk=job.pk).update(policy=policy)
    return Job.objects.get(pk=job.pk)
