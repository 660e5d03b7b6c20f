"""Changed Terms of a running Job, as its money sees them (R2.3).

``plan`` says for each Milestone what a change does to it, or why it cannot be; the page shows the plan
to whoever is to accept, and ``carry_out`` does what it says. So the two cannot differ.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from billing.models import Escrow
from billing.models.escrow import BEYOND_THE_TERMS
from billing.moves import cancellations, refunds, removals
from billing.moves.refunds import Return
from billing.notices import REMOVED, RETURNED
from billing.selectors import frozen
from billing.services.amounts import NOTHING, Amounts
from billing.services.escrows import EscrowPart, add_escrows
from escrow_site.lib import money, statements
from escrow_site.lib.refusals import Refusal, WrongState
from jobs.models import Job, Person
from jobs.services.activity import Entry

# An Escrow has one unanswered request and one live payment at most.
STANDING = """
SELECT {escrow}, request.id IS NOT NULL, payment.id IS NOT NULL
  FROM billing_escrow AS escrow
  LEFT JOIN billing_releaserequest AS request
    ON request.escrow_id = escrow.id AND request.state IN ('open', 'overdue', 'disputed')
  LEFT JOIN billing_allocation AS live ON live.escrow_id = escrow.id AND live.live
  LEFT JOIN billing_payment AS payment
    ON payment.id = live.payment_id AND payment.state IN ('started', 'authenticating')
 WHERE escrow.job_id = %s AND escrow.number = ANY(%s) AND escrow.state <> 'removed'
 ORDER BY escrow.position, escrow.number
"""
NOT_FUNDED = (Escrow.State.UNFUNDED, Escrow.State.PENDING)
ENDED = (Escrow.State.RELEASED, Escrow.State.REFUNDED)


class MilestoneLocked(WrongState):
    """A change touches what may not be changed now (R2.3)."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """An Escrow of the agreed Terms, and what is under way on it."""

    escrow: Escrow
    is_requested: bool = False
    is_being_paid: bool = False


@dataclass(frozen=True, kw_only=True)
class Lock:
    """What of a Milestone cannot be changed now, and why; ``is_whole``: nothing can be.

    A funded one that is free of all else is only limited in its price.
    """

    why: str
    is_whole: bool = False
    fixes_price: bool = False
    forbids_removal: bool = False


@dataclass(frozen=True, kw_only=True)
class Change:
    """What becomes of one Milestone; without an old side it is added, without a new one removed.

    Amounts are in minor units.
    """

    old: Standing | None
    new: EscrowPart | None
    refund_minor: int = 0
    refusal: Refusal | None = None

    @property
    def title(self) -> str:
        """What it is called afterwards, or was until now."""
        if self.new is not None:
            return self.new.title
        assert self.old is not None
        return self.old.escrow.title

    @property
    def kind(self) -> str:
        """same, changed, added or removed."""
        if self.old is None:
            return "added"
        if self.new is None:
            return "removed"
        return "same" if _says_the_same(self.old.escrow, self.new) else "changed"

    @property
    def top_up_minor(self) -> int:
        """How much more the Client is to fund for it; below zero: less."""
        before = self.old.escrow.amount_minor if self.old and self._is_unfunded else 0
        after = self.new.amount_minor if self.new and self._is_unfunded else 0
        return after - before

    @property
    def gross_before_minor(self) -> int:
        """What of it is the Freelancer's if all goes well, before fees: until now."""
        return _gross_minor(self.old.escrow) if self.old else 0

    @property
    def gross_after_minor(self) -> int:
        """The same by the change."""
        if self._is_unfunded:
            return self.new.amount_minor if self.new else 0
        return self.gross_before_minor - self.refund_minor

    @property
    def credited_minor(self) -> int:
        return self.old.escrow.credited_minor if self.old else 0

    @property
    def _is_unfunded(self) -> bool:
        return self.old is None or self.old.escrow.state in NOT_FUNDED


@dataclass(frozen=True)
class Plan:
    """What changed Terms do to a Job's money, Milestone by Milestone: in their new order, then those
    that are removed.
    """

    job: Job
    changes: Sequence[Change]

    @property
    def refusals(self) -> list[Refusal]:
        """Every reason why the change cannot be carried out now."""
        if self.job.kind == Job.Kind.FIXED_PRICE and not any(one.new for one in self.changes):
            return [WrongState("A fixed-price Job needs at least one Milestone.")]
        return [one.refusal for one in self.changes if one.refusal is not None]

    @property
    def refusal(self) -> Refusal | None:
        return next(iter(self.refusals), None)

    @property
    def refunds(self) -> list[Change]:
        return [one for one in self.changes if one.refund_minor]

    @property
    def refund_minor(self) -> int:
        """What goes back to the Client at once."""
        return sum(one.refund_minor for one in self.changes)

    @property
    def top_up_minor(self) -> int:
        """How much more the Client is to fund; below zero: less."""
        return sum(one.top_up_minor for one in self.changes)

    @cached_property
    def before(self) -> Amounts:
        """What the Freelancer gets of the Job if all that is agreed is released: until now."""
        return self._amounts((one.gross_before_minor, one.credited_minor) for one in self.changes)

    @cached_property
    def after(self) -> Amounts:
        """The same by the change."""
        return self._amounts((one.gross_after_minor, one.credited_minor) for one in self.changes)

    def _amounts(self, parts: Iterable[tuple[int, int]]) -> Amounts:
        """Fees as they are taken: per Milestone; a processing fee does not come back (R5.2, R8.2)."""
        policy, total = self.job.policy, NOTHING
        assert policy is not None
        for gross_minor, credited_minor in parts:
            total += Amounts(
                gross_minor=gross_minor,
                service_fee_minor=money.share(gross_minor, policy.service_fee_basis_points),
                processing_fee_minor=money.share(
                    gross_minor + credited_minor, policy.processing_fee_basis_points
                ),
            )
        return total


def _gross_minor(escrow: Escrow) -> int:
    if escrow.state in NOT_FUNDED:
        return escrow.amount_minor
    return escrow.kept_minor + escrow.held_minor


def _says_the_same(escrow: Escrow, part: EscrowPart) -> bool:
    return not part.is_reworded and (escrow.title, escrow.due_on, escrow.amount_minor) == (
        part.title,
        part.due_on,
        part.amount_minor,
    )


# --- What is locked ---


def standing(job: Job, numbers: Collection[int]) -> list[Standing]:
    """The Escrows with these numbers, those of the agreed Terms, in their order. One statement."""
    rows = statements.read(STANDING, job.pk, list(numbers), escrow=Escrow)
    for escrow, _, _ in rows:
        escrow.job = job
    return [
        Standing(escrow=escrow, is_requested=is_requested, is_being_paid=is_being_paid)
        for escrow, is_requested, is_being_paid in rows
    ]


def lock_on(old: Standing) -> Lock | None:
    """What the Terms cannot change of a Milestone now (R2.3); None: everything is open."""
    escrow = old.escrow
    if escrow.state in ENDED:
        state = escrow.get_state_display().lower()
        return _whole_lock(f"“{escrow}” is {state}: it stays as it is.")
    if disputed := frozen.refuse_disputed(escrow):
        return _whole_lock(disputed.message)
    if old.is_requested:
        return _whole_lock(
            f"A Release Request for “{escrow}” is open: it stays as it is until that has ended."
        )
    if old.is_being_paid:
        return Lock(
            why=f"A payment for “{escrow}” is under way: until it has ended, the price stays as it "
            "is and the Milestone cannot be removed.",
            fixes_price=True,
            forbids_removal=True,
        )
    if escrow.state == Escrow.State.FUNDED:
        return Lock(why=_why_not_dearer(escrow), forbids_removal=escrow.released_minor > 0)
    return None


def _whole_lock(why: str) -> Lock:
    return Lock(why=why, is_whole=True, fixes_price=True, forbids_removal=True)


def _why_not_dearer(escrow: Escrow) -> str:
    price = money.display(escrow.amount_minor, escrow.job.currency)
    why = (
        f"“{escrow}” is Funded: it cannot cost more than {price}. Add a Milestone for what comes on "
        "top."
    )
    if not escrow.released_minor:
        return why
    released = money.display(escrow.released_minor, escrow.job.currency)
    return f"{why} {released} of it is released, so it cannot cost less than that, nor be removed."


# --- The plan ---


def plan(job: Job, escrows: Iterable[Standing], parts: Iterable[EscrowPart]) -> Plan:
    """What changed Terms do to the money of a Job: nothing is written.

    ``escrows`` are those of the agreed Terms, ``parts`` the Milestones of the changed ones.
    """
    left = {one.escrow.number: one for one in escrows}
    changes = [
        _change(job, left.pop(part.number, None), part)
        for part in sorted(parts, key=lambda part: part.position)
    ]
    return Plan(job, [*changes, *(_change(job, old, None) for old in left.values())])


def _change(job: Job, old: Standing | None, new: EscrowPart | None) -> Change:
    if old is None:
        return Change(old=None, new=new)
    refusal = _refuse(old, new)
    refund_minor = 0 if refusal else _refund_minor(old.escrow, new)
    return Change(old=old, new=new, refund_minor=refund_minor, refusal=refusal)


def _refund_minor(escrow: Escrow, new: EscrowPart | None) -> int:
    """Held − (new price − released), never below zero: what went back already counts (R2.3)."""
    if new is not None and new.amount_minor == escrow.amount_minor:
        return 0
    price_minor = new.amount_minor if new else 0
    return max(0, escrow.held_minor - max(0, price_minor - escrow.released_minor))


def _refuse(old: Standing, new: EscrowPart | None) -> Refusal | None:
    """Why this Milestone cannot become that (R2.3)."""
    escrow, lock = old.escrow, lock_on(old)
    if lock is None or (new is not None and _says_the_same(escrow, new)):
        return None
    if lock.is_whole:
        return MilestoneLocked(lock.why)
    if new is not None and new.amount_minor == escrow.amount_minor:
        return None
    if lock.fixes_price:
        return MilestoneLocked(lock.why)
    return _refuse_price(escrow, new)


def _refuse_price(escrow: Escrow, new: EscrowPart | None) -> Refusal | None:
    """A funded Milestone is not made dearer, nor cheaper than what was released of it."""
    released = money.display(escrow.released_minor, escrow.job.currency)
    if new is None:
        if not escrow.released_minor:
            return None
        return MilestoneLocked(
            f"{released} of “{escrow}” is released, so it cannot be removed. Lower its price to "
            f"{released} to get the rest back."
        )
    if new.amount_minor > escrow.amount_minor:
        return MilestoneLocked(_why_not_dearer(escrow))
    if new.amount_minor < escrow.released_minor:
        return MilestoneLocked(
            f"{released} of “{escrow}” is released, so its price cannot be lower than that."
        )
    return None


# --- Carrying it out ---


def carry_out(job: Job, plan: Plan, *, by: Person, at: datetime, reason: str) -> list[Entry]:
    """Do what a plan of the locked Job says; the lines of history, for the caller to record.

    Held money that is not needed any more goes back at once, without a fee (R8.1); the provider is
    told after the commit. ``reason`` says which Terms. Raises LostRace when an Escrow has changed
    since it was read.
    """
    assert plan.refusal is None
    returns = [_return(job, one, by=by, at=at, reason=reason) for one in plan.refunds]
    entries = [_returned(one) for one in returns]
    removed = [
        one.old.escrow
        for one in plan.changes
        if one.old and not one.new and one.old.escrow.state == Escrow.State.UNFUNDED
    ]
    refunds.give_back(returns)
    removals.remove(removed, at=at)
    _rewrite(plan)
    add_escrows(job, [one.new for one in plan.changes if one.new and not one.old])
    entries += [_removed(job, escrow, by=by, at=at, reason=reason) for escrow in removed]
    return [*entries, *cancellations.end_if_overtaken(job, at=at)]


def _return(job: Job, change: Change, *, by: Person, at: datetime, reason: str) -> Return:
    assert change.old is not None
    return Return(
        job=job,
        escrow=change.old.escrow,
        amount_minor=change.refund_minor,
        at=at,
        reason=reason,
        by=by,
    )


def _returned(one: Return) -> Entry:
    facts = {
        "escrow": one.escrow.title,
        "number": one.escrow.number,
        "amount_minor": one.amount_minor,
        "fee_minor": 0,
    }
    return Entry(job=one.job, kind=RETURNED, by=one.by, at=one.at, reason=one.reason, facts=facts)


def _removed(job: Job, escrow: Escrow, *, by: Person, at: datetime, reason: str) -> Entry:
    facts = {"escrow": escrow.title, "number": escrow.number}
    return Entry(job=job, kind=REMOVED, by=by, at=at, reason=reason, facts=facts)


def _rewrite(plan: Plan) -> None:
    """Give every Milestone that was there its new name, date, price and place.

    What the Terms do not hold any more stands last, with the name and price that it had.
    """
    rows = list(_rewritten(plan))
    if rows:
        Escrow.objects.bulk_update(rows, ["title", "due_on", "amount_minor", "position"])


def _rewritten(plan: Plan) -> Iterator[Escrow]:
    for change in plan.changes:
        if change.old is None:
            continue
        escrow, part = change.old.escrow, change.new
        escrow.position = part.position if part else BEYOND_THE_TERMS + escrow.number
        if part is not None:
            escrow.title, escrow.due_on = part.title, part.due_on
            escrow.amount_minor = part.amount_minor
        yield escrow
