"""What changed Terms would do to the money of a running Job (R2.3, R2.4).

The page shows the plan before anybody accepts; ``services.terms.accept`` carries the same one out.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from billing.models import Escrow
from billing.services import escrow_changes
from billing.services.escrow_changes import Change, Lock, Plan, Standing
from billing.services.escrows import EscrowPart
from escrow_site.lib import money
from jobs.models import Job, Person
from workroom.models import Milestone
from workroom.proposals import MilestoneInput


def plan(job: Job, wanted: Iterable[Milestone | MilestoneInput]) -> Plan:
    """The plan for a running Job if these, in their order, were its Milestones. Two statements.

    A Milestone that has no number yet is a new one.
    """
    agreed = _agreed(job)
    parts = [
        _part(one, agreed.get(one.number), number=one.number or -place, position=place)
        for place, one in enumerate(wanted, start=1)
    ]
    return escrow_changes.plan(job, _standing(job, agreed), parts)


def locks(job: Job) -> dict[int, Lock]:
    """What cannot be changed now, by the numbers of the agreed Milestones (R2.3)."""
    found = ((one, escrow_changes.lock_on(one)) for one in _standing(job, _agreed(job)))
    return {one.escrow.number: lock for one, lock in found if lock is not None}


def _agreed(job: Job) -> dict[int | None, Milestone]:
    rows = Milestone.objects.filter(terms__job=job, terms__state="agreed")
    return {milestone.number: milestone for milestone in rows}


def _standing(job: Job, agreed: dict[int | None, Milestone]) -> list[Standing]:
    return escrow_changes.standing(job, [one.number for one in agreed.values()])


def _part(
    one: Milestone | MilestoneInput, before: Milestone | None, *, number: int, position: int
) -> EscrowPart:
    return EscrowPart(
        number=number,
        position=position,
        title=one.title,
        due_on=one.due_on,
        amount_minor=one.amount_minor,
        is_reworded=before is not None and before.description != one.description,
    )


# --- In words (R2.4) ---


@dataclass(frozen=True, kw_only=True)
class Effect:
    """What accepting does to whose money, for one reader; amounts are ready to read.

    ``lines``: a Milestone and what becomes of its money. ``refusals``: why it does not fit now.
    """

    plan: Plan
    lines: list[tuple[str, str]]
    refusals: list[str]
    back_to: str
    funder: str
    top_up: str
    is_less: bool
    nets_change: str
    button: str


def effect(plan: Plan, *, version: int, reader: Person) -> Effect:
    """The words for a plan: Client tops up or gets back X, Freelancer nets Z."""
    job = plan.job
    client = "you" if reader.pk == job.client_id else job.client.name
    nets_minor = plan.after.net_minor - plan.before.net_minor
    return Effect(
        plan=plan,
        lines=[
            (change.title, text) for change in plan.changes if (text := _text(job, change, client))
        ],
        refusals=[refusal.message for refusal in plan.refusals],
        back_to=client,
        funder="You are" if client == "you" else f"{client} is",
        top_up=_display(job, abs(plan.top_up_minor)) if plan.top_up_minor else "",
        is_less=plan.top_up_minor < 0,
        nets_change=(
            f"{_display(job, abs(nets_minor))} {'more' if nets_minor > 0 else 'less'} than now"
            if nets_minor
            else ""
        ),
        button=_button(plan, client, version),
    )


def _button(plan: Plan, client: str, version: int) -> str:
    """What the click does to the money, on the button itself."""
    does = []
    if plan.refund_minor:
        verb = "get" if client == "you" else f"{client} gets"
        does.append(f"{verb} {_display(plan.job, plan.refund_minor)} back")
    if plan.top_up_minor > 0:
        verb = "fund" if client == "you" else f"{client} funds"
        does.append(f"{verb} {_display(plan.job, plan.top_up_minor)} more")
    accept = f"Accept Terms {version}"
    return f"{accept}: {', '.join(does)}" if does else accept


def _text(job: Job, change: Change, client: str) -> str:
    """What becomes of one Milestone's money; empty when nothing does."""
    if change.refusal is not None:
        return ""
    if change.refund_minor:
        return _refund_text(job, change, client)
    are = f"{client} are" if client == "you" else f"{client} is"
    if change.old is None:
        return f"New, {_display(job, change.top_up_minor)}, which {are} to fund."
    if change.new is None:
        return f"Removed. It is not funded, so nothing goes back: {are} not to fund it any more."
    if change.top_up_minor:
        more = "more" if change.top_up_minor > 0 else "less"
        amount = _display(job, abs(change.top_up_minor))
        return f"Not funded yet: {are} to fund {amount} {more}."
    escrow = change.old.escrow
    if escrow.state == Escrow.State.FUNDED and change.new.amount_minor != escrow.amount_minor:
        held = _display(job, escrow.held_minor)
        return f"Nothing goes back: the {held} held is not more than the new price needs."
    return ""


def _refund_text(job: Job, change: Change, client: str) -> str:
    assert change.old is not None
    held_minor = change.old.escrow.held_minor
    back, held = _display(job, change.refund_minor), _display(job, held_minor)
    left_minor = held_minor - change.refund_minor
    if left_minor:
        left = _display(job, left_minor)
        return f"{back} of the {held} held goes back to {client} at once; {left} stays held."
    removed = "Removed. " if change.new is None else ""
    return f"{removed}All {held} held goes back to {client} at once."


def _display(job: Job, amount_minor: int) -> str:
    return money.display(amount_minor, job.currency)
