"""Changes of the agreed Terms of a running Job, and what they do to its money (R2.2, R2.3)."""

from datetime import datetime

from tests.billing.machine.oracle.clock import Oracle
from tests.billing.machine.oracle.rows import DAY, OVER, Change, Milestone, Proposal, other


def standing(job: Oracle) -> dict[int, Change]:
    """What the agreed Terms say."""
    return {number: (one.price, one.due_on) for number, one in job.agreed().items()}


def says_something_new(job: Oracle, proposal: Proposal) -> bool:
    if not proposal.added and (proposal.changes, proposal.open_ended) == (
        standing(job),
        job.open_ended,
    ):
        return False
    there = job.proposal
    # What is added anew is another Milestone than the one that the open proposal adds.
    return (
        there is None
        or bool(proposal.added)
        or bool(there.added)
        or (
            there.changes,
            there.open_ended,
        )
        != (proposal.changes, proposal.open_ended)
    )


def fits(job: Oracle, proposal: Proposal) -> bool:
    if not proposal.changes and not proposal.added:
        return False
    return all(_fits(one, proposal.changes.get(number)) for number, one in job.agreed().items())


def _fits(milestone: Milestone, change: Change | None) -> bool:
    """What is over, requested or disputed is locked; what is funded gets no dearer, and no cheaper
    than what was released of it.
    """
    if change == (milestone.price, milestone.due_on):
        return True
    if milestone.state in OVER or milestone.request or milestone.dispute:
        return False
    if milestone.state != "funded":
        return True
    if change is None:
        return milestone.released == 0
    return milestone.released <= change[0] <= milestone.price


def back(milestone: Milestone, change: Change | None) -> int:
    """Held − (new price − released); what went back already counts (R2.3)."""
    if change is None:
        return milestone.held
    if change[0] == milestone.price:
        return 0
    return max(0, milestone.held - (change[0] - milestone.released))


def refund_of(job: Oracle) -> int:
    """What the page shows that goes back when the open proposal is accepted."""
    assert job.proposal is not None
    return sum(back(one, job.proposal.changes.get(number)) for number, one in job.agreed().items())


def may_propose(job: Oracle, proposal: Proposal) -> bool:
    return job.is_running and fits(job, proposal) and says_something_new(job, proposal)


def propose(job: Oracle, proposal: Proposal, at: datetime) -> None:
    """The older open one is superseded; either side's proposal reactivates (R10.4)."""
    job.proposal = proposal
    job.versions = proposal.version
    job.highest = max([job.highest, *proposal.added])
    job.activity(at)
    job.reactivate(at)


def proposed(
    job: Oracle,
    side: str,
    changes: dict[int, Change],
    added: list[Change],
    *,
    open_ended: bool,
    at: datetime,
) -> Proposal:
    """It lapses after 7 days; a number is not used again."""
    numbered = dict(enumerate(added, job.highest + 1))
    return Proposal(job.versions + 1, side, at + 7 * DAY, changes, numbered, open_ended)


def may_answer(job: Oracle, side: str, version: int) -> bool:
    """The other side answers the version that is open."""
    there = job.proposal
    return there is not None and there.by == other(side) and there.version == version


def may_withdraw(job: Oracle, side: str, version: int) -> bool:
    return job.proposal is not None and (job.proposal.by, job.proposal.version) == (side, version)


def give_up(job: Oracle) -> None:
    """Declined, withdrawn or unfit: no Activity; a Job that only waited for it completes (R11.1)."""
    job.proposal = None
    job.ends()


def accept(job: Oracle, at: datetime) -> None:
    """The difference goes back at once; either side's acceptance reactivates (R10.4)."""
    proposal = job.proposal
    assert proposal is not None
    job.proposal, job.version, job.open_ended = None, proposal.version, proposal.open_ended
    if any(back(one, proposal.changes.get(number)) for number, one in job.agreed().items()):
        job.held_changed()
    for number, milestone in job.agreed().items():
        _change(milestone, proposal.changes.get(number))
    for number, (price, due_on) in proposal.added.items():
        job.milestones[number] = Milestone(price, due_on)
    job.activity(at)
    if not job.ends():
        job.reactivate(at)


def _change(milestone: Milestone, change: Change | None) -> None:
    amount = back(milestone, change)
    if amount:
        milestone.give_back(amount)
    if change is None:
        milestone.is_agreed = False
        if milestone.state == "unfunded":
            milestone.state = "removed"
    else:
        milestone.price, milestone.due_on = change
