"""A Job's Billing & Invoices tab: each Milestone's money, and what its reader can do about it.

A button stands on the page if and only if the guard of its service allows it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse

from billing.models import Escrow, Payment, ReleaseRequest
from billing.services import disputes, funding, payments, refunding, release_requests, releases
from escrow_site.lib import display, money
from jobs.models import Job, Person
from workroom.selectors.overview import is_asked_for

# A release that nobody requested is possible, and never what the page proposes.
RANK_OF_UNREQUESTED_RELEASE = 5
# What may be done too, and is proposed to nobody.
RANK_OF_ASIDE = 9
OPEN_A_DISPUTE = "Open a Dispute"


@dataclass(kw_only=True)
class Action:
    """A link, or with ``posts`` a button of the page's one form.

    The action with the lowest rank is the page's primary one, unless nobody asked for it.
    """

    label: str
    rank: int
    url: str = ""
    posts: bool = False
    primary: bool = False


@dataclass(frozen=True, kw_only=True)
class MilestoneMoney:
    """One Milestone on the tab."""

    escrow: Any
    note: str
    note_url: str
    is_requested: bool
    actions: list[Action]


@dataclass(frozen=True, kw_only=True)
class Together:
    """One link for doing the same to several Milestones."""

    url: str
    count: int


@dataclass(frozen=True, kw_only=True)
class Totals:
    """The sums of the Job's Milestones, in minor units."""

    held_minor: int
    pending_minor: int
    released_minor: int
    credited_minor: int
    unfunded_minor: int


def totals(escrows: list[Any]) -> Totals:
    """Held, pending, released, what of that was refunded later, and still to be funded."""

    def sum_of(state: str) -> int:
        return sum(escrow.amount_minor for escrow in escrows if escrow.state == state)

    return Totals(
        held_minor=sum(escrow.held_minor for escrow in escrows),
        pending_minor=sum_of(Escrow.State.PENDING),
        released_minor=sum(escrow.released_minor for escrow in escrows),
        credited_minor=sum(escrow.credited_minor for escrow in escrows),
        unfunded_minor=sum_of(Escrow.State.UNFUNDED),
    )


def nothing_is_under_way(escrows: list[Any]) -> bool:
    """Whether no money is held, pending or on its way: then the page where a Job is completed by
    hand is worth a link. Whether it may be completed is decided there, by the guard.
    """
    return all(
        escrow.held_minor == 0
        and (
            escrow.payment_id is None
            or escrow.state in (Escrow.State.RELEASED, Escrow.State.REFUNDED)
        )
        for escrow in escrows
    )


def milestones(
    job: Job, escrows: list[Any], *, viewer: Person, at: datetime
) -> list[MilestoneMoney]:
    """A line for each Milestone, in the order of the Terms."""
    lines = [_milestone(job, escrow, viewer, at) for escrow in escrows]
    actions = [
        action
        for line in lines
        for action in line.actions
        if action.rank < RANK_OF_UNREQUESTED_RELEASE
    ]
    if actions:
        min(actions, key=lambda action: action.rank).primary = True
    return lines


def together(job: Job, lines: list[MilestoneMoney], *, label: str, name: str) -> Together | None:
    """Doing the same for all of these Milestones that it may be done for; None for just one."""
    numbers = [
        line.escrow.number
        for line in lines
        if any(action.label == label for action in line.actions)
    ]
    if len(numbers) < 2:
        return None
    query = "&".join(f"escrow={number}" for number in numbers)
    return Together(url=f"{reverse(name, args=[job.pk])}?{query}", count=len(numbers))


def _milestone(job: Job, escrow: Any, viewer: Person, at: datetime) -> MilestoneMoney:
    request = next(iter(escrow.release_requests.all()), None)
    if request is not None:
        request.job, request.escrow = job, escrow
    note, note_url = _note(escrow, request)
    act = _of_client if job.role_of(viewer) == "client" else _of_freelancer
    return MilestoneMoney(
        escrow=escrow,
        note=note,
        note_url=note_url,
        is_requested=request is not None,
        actions=[*act(job, escrow, request, viewer, at), *_dispute(job, escrow, viewer, at)],
    )


def _note(escrow: Any, request: ReleaseRequest | None) -> tuple[str, str]:
    """What there is to know beside the state, and where it leads."""
    if escrow.charged_back_at is not None:
        since = display.instant(escrow.charged_back_at)
        return f"Frozen since {since}: the Client’s bank wants the payment back", ""
    if escrow.disputed_at is not None:
        since = display.instant(escrow.disputed_at)
        return f"Disputed since {since}", reverse("workroom:disputes", args=[escrow.job_id])
    if request is not None:
        due = display.instant(request.auto_release_at)
        url = reverse("billing:release_request", args=[request.pk])
        return f"Release requested, due {due}", url
    if (returned := escrow.returned_request) is not None:
        url = reverse("billing:release_request", args=[returned.pk])
        return f"Changes requested {display.instant(returned.ended_at)}", url
    if escrow.state == Escrow.State.PENDING and escrow.payment_lapses_at is not None:
        return f"Lapses {display.instant(escrow.payment_lapses_at)} unless authenticated", ""
    if escrow.payment_state == Payment.State.STARTED:
        return "A payment is under way", ""
    if is_asked_for(escrow):
        return f"Funding requested {display.instant(escrow.asked_at)}", ""
    if escrow.refunded_minor:
        return f"{money.display(escrow.refunded_minor, escrow.job.currency)} refunded", ""
    return "", ""


def _of_client(
    job: Job, escrow: Any, request: ReleaseRequest | None, viewer: Person, at: datetime
) -> list[Action]:
    query = f"?escrow={escrow.number}"
    if escrow.payment_id is not None and escrow.state in (
        Escrow.State.UNFUNDED,
        Escrow.State.PENDING,
    ):
        url = reverse("billing:payment", args=[escrow.payment_id])
        pending = escrow.state == Escrow.State.PENDING
        return [Action(label="Authenticate" if pending else "See the payment", rank=2, url=url)]
    if payments.may_fund(escrow, by=viewer, at=at) is None:
        rank = 3 if is_asked_for(escrow) else 4
        return [Action(label="Fund", rank=rank, url=reverse("billing:fund", args=[job.pk]) + query)]
    if releases.may_release(escrow, by=viewer, at=at) is None:
        url = reverse("billing:release", args=[job.pk]) + query
        rank = 1 if request and not escrow.is_frozen else RANK_OF_UNREQUESTED_RELEASE
        return [Action(label="Release", rank=rank, url=url), *_send_back(request, viewer, at)]
    return []


def _send_back(request: ReleaseRequest | None, viewer: Person, at: datetime) -> list[Action]:
    if request and release_requests.may_request_changes(request, by=viewer, at=at) is None:
        url = reverse("billing:request_changes", args=[request.pk])
        return [Action(label="Request changes", rank=RANK_OF_ASIDE, url=url)]
    return []


def _of_freelancer(
    job: Job, escrow: Any, request: ReleaseRequest | None, viewer: Person, at: datetime
) -> list[Action]:
    return [
        *_ask_for_money(job, escrow, request, viewer, at),
        *_refund(job, escrow, viewer, at),
    ]


def _ask_for_money(
    job: Job, escrow: Any, request: ReleaseRequest | None, viewer: Person, at: datetime
) -> list[Action]:
    if request is not None:
        url = reverse("billing:release_request", args=[request.pk])
        return [Action(label="View", rank=3, url=url)]
    if release_requests.may_request_release(escrow, by=viewer, at=at) is None:
        url = f"{reverse('workroom:create_report', args=[job.pk])}?bill={escrow.number}"
        return [Action(label="Request Release", rank=1, url=url)]
    can_ask = funding.may_request_funding(escrow, by=viewer, at=at) is None
    if can_ask and escrow.asked_at is None and escrow.payment_id is None:
        return [Action(label="Request Fund", rank=2, posts=True)]
    return []


def _dispute(job: Job, escrow: Any, viewer: Person, at: datetime) -> list[Action]:
    if disputes.may_open(escrow, by=viewer, at=at) is not None:
        return []
    return [Action(label=OPEN_A_DISPUTE, rank=RANK_OF_ASIDE, url=_url_of_dispute(job, escrow))]


def url_to_dispute(job: Job, escrows: list[Any], *, viewer: Person, at: datetime) -> str:
    """Where a Dispute is opened: the form when it can be about one Milestone only, else the tab that
    has them all; empty when there is none.
    """
    disputable = [
        escrow for escrow in escrows if disputes.may_open(escrow, by=viewer, at=at) is None
    ]
    if len(disputable) == 1:
        return _url_of_dispute(job, disputable[0])
    return reverse("workroom:disputes", args=[job.pk]) if disputable else ""


def _url_of_dispute(job: Job, escrow: Any) -> str:
    return f"{reverse('billing:open_dispute', args=[job.pk])}?escrow={escrow.number}"


def _refund(job: Job, escrow: Any, viewer: Person, at: datetime) -> list[Action]:
    """What is held goes back first; only with nothing held, what was released."""
    if refunding.may_refund_held(escrow, by=viewer, at=at) is None:
        name = "billing:refund"
    elif refunding.may_refund_released(escrow, by=viewer, at=at) is None:
        name = "billing:refund_released"
    else:
        return []
    url = f"{reverse(name, args=[job.pk])}?escrow={escrow.number}"
    return [Action(label="Refund", rank=RANK_OF_ASIDE, url=url)]
