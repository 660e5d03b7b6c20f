"""The demo world while its stories are told: the people, the clock, and the steps of a story.

A step lies in the past, and before it the timers have done what fell due until then, each thing at its
own instant: states, documents and notices are those of a service that has been running all the time.
"""

from datetime import date, datetime, timedelta

from django.db.models import Min

from billing.models import PaymentMethod, Refund
from billing.selectors import due
from billing.services import cards, catching_up, payments, refunds, releases
from escrow_site.lib import money
from jobs.models import Job, Person
from workroom.proposals import JobDetails, MilestoneInput, TermsInput
from workroom.services import awards, drafts, reports, terms
from workroom.services.reports import Line

GOOD_CARD = "4242424242424242"
CHALLENGED_CARD = "4000002760003184"
Milestones = list[tuple[str, str, int]]


class ToldAlready(Exception):
    """The story's Job is there: an earlier run that was interrupted had got that far."""


class World:
    """The people, and the present that the stories lead up to."""

    def __init__(self, people: dict[str, Person], *, now: datetime) -> None:
        self.people = people
        self.now = now
        self.cards: dict[tuple[int, str], PaymentMethod] = {}

    def __getitem__(self, name: str) -> Person:
        return self.people[name]

    def ago(self, days: float) -> datetime:
        """So many days before now."""
        return self.now - timedelta(days=days)

    def until(self, days_ago: float) -> datetime:
        """So many days before now; what falls due by then has been carried out, each at its instant."""
        at = self.ago(days_ago)
        waiting = Job.objects.filter(set_aside_at=None, next_due_at__lte=at)
        while due_at := waiting.aggregate(next=Min("next_due_at"))["next"]:
            for keys in due.job_ids(at=due_at):
                catching_up.carry_out_due(keys, at=due_at)
            for refund in Refund.objects.under_way().select_related("payment"):
                refunds.carry_out(refund, at=due_at)
            waiting = waiting.filter(next_due_at__gt=due_at)
        return at

    def day(self, days: int) -> date:
        """The date in so many days; before now when negative."""
        return (self.now + timedelta(days=days)).date()

    def card(self, person: Person, number: str = GOOD_CARD) -> PaymentMethod:
        """The person's card with this number; added half a year ago."""
        key = (person.pk, number)
        if key not in self.cards:
            there = PaymentMethod.objects.filter(person=person, last_four=number[-4:])
            self.cards[key] = there.first() or cards.add_card(
                by=person, number=number, expires_on=self.day(900).replace(day=1), at=self.ago(180)
            )
        return self.cards[key]

    # The steps of a story

    def draft(
        self,
        client: Person,
        title: str,
        scope: str,
        milestones: Milestones,
        *,
        days_ago: float,
        currency: str = "USD",
        open_ended: bool = False,
        hourly_rate: str = "",
    ) -> Job:
        """``milestones``: title, price in whole units, due in so many days from now."""
        if Job.objects.filter(client=client, title=title).exists():
            raise ToldAlready(title)
        details = JobDetails(
            title=title,
            description=scope.split(". ")[0].rstrip(".") + ".",
            kind=Job.Kind.HOURLY if hourly_rate else Job.Kind.FIXED_PRICE,
            currency=currency,
            hourly_rate_minor=money.parse(hourly_rate, currency) if hourly_rate else None,
        )
        agreed = TermsInput(
            scope=scope,
            starts_on=self.ago(days_ago).date(),
            ends_on=None if open_ended else self.day(90),
            milestones=tuple(
                MilestoneInput(
                    title=name, amount_minor=money.parse(price, currency), due_on=self.day(due_in)
                )
                for name, price, due_in in milestones
            ),
        )
        return drafts.start_draft(by=client, details=details, terms=agreed, at=self.until(days_ago))

    def award(self, job: Job, email: str, *, days_ago: float) -> Job:
        return awards.award(job, by=job.client, email=email, at=self.until(days_ago))

    def agree(self, job: Job, freelancer: Person, *, days_ago: float) -> Job:
        """Award and acceptance a few hours later."""
        self.award(job, freelancer.email, days_ago=days_ago)
        terms.accept(job, by=freelancer, version=1, at=self.until(days_ago - 0.2))
        return Job.objects.select_related("client", "freelancer", "policy").get(pk=job.pk)

    def fund(self, job: Job, *numbers: int, days_ago: float, number: str = GOOD_CARD) -> None:
        payments.fund(
            job.pk,
            numbers=numbers,
            method=self.card(job.client, number),
            by=job.client,
            at=self.until(days_ago),
        )

    def report(
        self, job: Job, *lines: Line, days_ago: float, comments: str, plan: str = ""
    ) -> None:
        assert job.freelancer is not None
        reports.submit_report(
            job, by=job.freelancer, lines=lines, comments=comments, plan=plan,
            at=self.until(days_ago),
        )  # fmt: skip

    def release(self, job: Job, *numbers: int, days_ago: float) -> None:
        releases.release(job.pk, numbers=numbers, by=job.client, at=self.until(days_ago))
