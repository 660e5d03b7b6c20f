"""``manage.py sweep``: carry out what is due, as the timers do, or say what they would."""

from collections import Counter
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Max
from django.utils import timezone
from tqdm import tqdm

from billing.selectors import due
from billing.selectors.due import DueEvent
from billing.services import sweeping
from billing.timetables import What
from escrow_site.lib import money, timing
from jobs.models import Activity
from jobs.selectors.history import describe
from jobs.services import heartbeats

LINES_AT_MOST = 50
NAMES = {
    What.AUTHENTICATION_REMINDER: "reminder to authenticate the payment for",
    What.PAYMENT_LAPSES: "end of the Pending payment for",
    What.AWARD_EXPIRES: "end of the award",
    What.PROPOSAL_LAPSES: "end of the open Terms proposal",
    What.CANCELLATION_LAPSES: "end of the request to cancel the Job",
    What.CANCELLATION_STALE: "end of the overtaken request to cancel the Job",
    What.DISPUTE_ESCALATES: "handing to support the Dispute about",
    What.OVERDUE: "Overdue:",
    What.WARNING: "warning before the release of",
    What.RELEASE: "release of",
    What.DORMANT: "Dormant",
    What.FREELANCER_TOLD: "the Freelancer is told that the Job is Dormant",
    What.SETTLEMENT: "settlement",
    What.RETURN: "return to the Client of",
    What.REMOVAL: "removal of",
    What.REACTIVATION: "active again",
    What.COMPLETION: "completion",
}


class Command(BaseCommand):
    help = (
        "Carry out what is due on every Job, each thing dated by its own instant. The timers do this "
        "by themselves every 30 seconds."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--at",
            metavar="INSTANT",
            help="what is due by then, such as 2026-04-08T12:00 or 2026-04-08T14:00+02:00; without "
            "a time zone it is UTC; the present unless given",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would be done, and write nothing"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        now = timing.now()
        at = instant_of(options["at"]) if options["at"] else now
        if options["dry_run"]:
            self.foretell(at)
            return
        if at > now and not settings.LOCAL:
            raise CommandError(
                f"{words_of(at)} has not come yet: what falls due until then must not be done "
                "early. Add --dry-run to see what it will be."
            )
        if options["at"]:
            # What fell due after it is left: nobody may take that for the timers being alive.
            self.carry_out(at)
            return
        with heartbeats.beating("sweep"):
            self.carry_out(at)

    def carry_out(self, at: datetime) -> None:
        """Sweep, then say what was done, by the history that it wrote."""
        newest = Activity.objects.aggregate(newest=Max("pk"))["newest"] or 0
        with self.progress(at) as bar:
            try:
                swept = sweeping.sweep(
                    at=at, after_batch=lambda ids, _: bar.update(len(ids)) and None
                )
            except sweeping.SweepFailed as failed:
                raise CommandError(str(failed)) from failed
        written = Activity.objects.filter(pk__gt=newest, actor_kind=Activity.Actor.TIMER)
        with timezone.override(UTC):
            for activity in written.select_related("job").order_by("pk")[:LINES_AT_MOST]:
                self.stdout.write(line_of(activity))
        self.say_counts("Done", at, jobs=swept.jobs, counts=swept.done)
        if swept.set_aside:
            which = ", ".join(map(str, swept.set_aside))
            self.stderr.write(
                f"Set aside, with an alarm for support: Job {which}. The reason is on the Job's page "
                "at the support desk."
            )

    def foretell(self, at: datetime) -> None:
        """Say what ``carry_out`` would do, from the same timetable."""
        counts, jobs = Counter[What](), 0
        with self.progress(at) as bar:
            for keys in due.job_ids(at=at):
                events = due.events(keys, at=at)
                for one in islice(events, max(0, LINES_AT_MOST - counts.total())):
                    bar.clear()
                    self.stdout.write(foretold(one))
                    counts[one.event.what] += 1
                counts.update(one.event.what for one in events)
                jobs += len(keys)
                bar.update(len(keys))
        self.say_counts("Would be done", at, jobs=jobs, counts=counts)

    def progress(self, at: datetime) -> "tqdm[Any]":
        """A bar on a terminal when there is more than a batch to do, else nothing."""
        jobs = due.count_jobs(at=at)
        hidden = None if jobs > due.BATCH else True
        return tqdm(total=jobs, unit=" Jobs", disable=hidden, leave=False)

    def say_counts(self, done: str, at: datetime, *, jobs: int, counts: Counter[What]) -> None:
        if not counts:
            self.stdout.write(f"Nothing is due by {words_of(at)}.")
            return
        if counts.total() > LINES_AT_MOST:
            self.stdout.write("…")
        of = "1 Job" if jobs == 1 else f"{jobs:,} Jobs"
        self.stdout.write(f"{done} by {words_of(at)}, on {of}:")
        for what in sorted(counts):
            name = what.name.replace("_", " ").lower()
            self.stdout.write(f"{counts[what]:>9,}  {name}")


def instant_of(text: str) -> datetime:
    """The instant that somebody typed, in UTC; raises CommandError for what is none."""
    try:
        at = datetime.fromisoformat(text.strip())
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise CommandError(
            f"“{text}” is no instant. Write it like 2026-04-08T12:00, or with a time zone like "
            "2026-04-08T14:00+02:00."
        ) from error


def words_of(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S UTC")


def line_of(activity: Activity) -> str:
    """A line of history: at, Job, what and how much."""
    what = describe(activity, None)["what"]
    why = f" ({activity.reason})" if activity.reason else ""
    job = activity.job
    return f"{words_of(activity.happened_at)}  Job {job.pk} “{job}”: {what}{why}"


def foretold(one: DueEvent) -> str:
    """One thing that would be done: at, Job, what and how much."""
    job, event = one.job, one.event
    what = NAMES[event.what] + (f" “{one.title}”" if one.title else "")
    amount = f", {money.display(event.amount_minor, job.currency)}" if event.amount_minor else ""
    return f"{words_of(event.at)}  Job {job.pk} “{job}”: {what[:1].upper()}{what[1:]}{amount}"
