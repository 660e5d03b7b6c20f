"""What keeps an account from being closed (R1.5), each with what to do about it."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Q
from django.urls import reverse

from billing.models import Chargeback, Payment, Payout, Refund
from billing.selectors.balances import balances
from escrow_site.lib import money
from jobs.models import Job, Person

State = Job.State


@dataclass(frozen=True, kw_only=True)
class Obstacle:
    """One reason, in words, and the page where it ends."""

    words: str
    url: str = ""


def obstacles(person: Person) -> list[Obstacle]:
    """All of them, so that nobody meets them one by one."""
    found = [*_of_staff(person), *_of_jobs(person), *_of_money_under_way(person)]
    return [*found, *_of_balances(person)]


def _of_staff(person: Person) -> Iterator[Obstacle]:
    if person.is_staff or person.is_superuser or person.groups.exists():
        yield Obstacle(
            words="This is a support agent’s account. Ask a superuser to take it out of the support desk first."
        )


def _of_jobs(person: Person) -> Iterator[Obstacle]:
    open_jobs = Job.objects.filter(Q(client=person) | Q(freelancer=person), ended_at=None)
    for job in open_jobs.order_by("pk"):
        yield Obstacle(words=_words(job, person), url=reverse("workroom:job", args=[job.pk]))


def _words(job: Job, person: Person) -> str:
    """Disputes, proposals, cancellations and held money are all of a Job that is open."""
    is_client = job.role_of(person) == "client"
    if job.state == State.DRAFT:
        return f"“{job.title}” is a draft. Discard it, or award it and see it through."
    if job.state == State.AWARDED and is_client:
        return f"“{job.title}” is awarded and not agreed yet. Withdraw the award."
    if job.state == State.AWARDED:
        return f"“{job.title}” is awarded to you. Decline it."
    return (
        f"“{job.title}” is {job.get_state_display().lower()}. Complete it, or cancel it together."
    )


def _of_money_under_way(person: Person) -> Iterator[Obstacle]:
    balance = reverse("billing:balance")
    for payment in Payment.objects.filter(payer=person).under_way().order_by("pk"):
        amount = money.display(payment.amount_minor, payment.currency)
        url = reverse("billing:payment", args=[payment.pk])
        yield Obstacle(
            words=f"A payment of {amount} is under way. Wait for the bank, or cancel it.", url=url
        )
    refunds = Refund.objects.filter(payment__payer=person).under_way().select_related("payment")
    for refund in refunds.order_by("pk"):
        amount = money.display(refund.amount_minor, refund.payment.currency)
        yield Obstacle(words=f"{amount} is on its way back to your card. Wait for the bank.")
    chargebacks = Chargeback.objects.open().filter(
        Q(payment__payer=person) | Q(payment__job__freelancer=person)
    )
    if chargebacks.exists():
        yield Obstacle(words="A bank wants a payment back. Wait until support has settled it.")
    for payout in Payout.objects.filter(person=person, state=Payout.State.STARTED).order_by("pk"):
        amount = money.display(payout.amount_minor, payout.currency)
        yield Obstacle(
            words=f"A payout of {amount} is under way. Wait until the bank has confirmed it.",
            url=balance,
        )


def _of_balances(person: Person) -> Iterator[Obstacle]:
    for balance in balances(person):
        if balance.available_minor:
            amount = money.display(balance.available_minor, balance.currency)
            yield Obstacle(
                words=f"{amount} is on your available balance. Pay it out.",
                url=reverse("billing:balance"),
            )
