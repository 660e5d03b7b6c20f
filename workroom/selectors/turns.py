"""Whose turn it is on a Job: its state in a sentence, and the one thing to do now.

The words of the overview. What may be done is decided by the guards of the services.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any

from django.urls import reverse

from billing.models import Escrow
from billing.selectors import foretold
from billing.services import payments
from escrow_site.lib import display
from jobs.models import Job, Person
from workroom.models import Terms
from workroom.selectors import turns_of_disagreement
from workroom.selectors.overview import is_asked_for
from workroom.selectors.turn_words import Turn, are, it, named

NOTHING_WAITS = "Nothing waits for you now."


def turn(
    job: Job, *, terms: Terms | None, escrows: list[Any], viewer: Person, at: datetime
) -> Turn:
    """The state of the Job in words, as the viewer meets it.

    ``terms``: what stands before the first are agreed, an open proposal while the Job runs.
    """
    if job.state == Job.State.AWARDED:
        assert terms is not None
        return _awarded(job, terms, viewer, at)
    if job.has_ended:
        return _ended(job)
    if to_answer := [
        escrow for escrow in escrows if turns_of_disagreement.waits_for_answer(escrow, viewer)
    ]:
        return turns_of_disagreement.of_dispute_to_answer(job, to_answer)
    is_asked = any(escrow.request_due_at is not None for escrow in escrows)
    if waits_for(viewer, terms) and not (is_asked and viewer.pk == job.client_id):
        assert terms is not None
        return _change(job, terms, viewer)
    if job.kind == Job.Kind.HOURLY:
        return _hourly(job, viewer)
    if job.state == Job.State.DORMANT and any(
        escrow.held_minor and escrow.request_due_at is None for escrow in escrows
    ):
        return _dormant(job, escrows, viewer)
    if viewer.pk == job.client_id:
        return _of_client(job, escrows, viewer=viewer, at=at)
    return _of_freelancer(job, escrows)


def nothing_was_ever_funded(job: Job, escrows: list[Any]) -> bool:
    """While this holds the Freelancer need not start (R3.4)."""
    return (
        job.is_running
        and job.kind == Job.Kind.FIXED_PRICE
        and not any(escrow.funded_minor for escrow in escrows)
    )


# Before the Terms are agreed


def _awarded(job: Job, terms: Terms, viewer: Person, at: datetime) -> Turn:
    version, other = terms.version, job.other_party(viewer) or job.freelancer_email
    if terms.state != Terms.State.PROPOSED:
        return Turn(
            sentence=f"Terms {version} were {terms.get_state_display().lower()}. Nothing is "
            "proposed now.",
            detail="Either of you can send Terms.",
            label="Send changed Terms",
            url=reverse("workroom:propose_terms", args=[job.pk]),
            tone="warning",
        )
    assert terms.lapses_at is not None
    until = display.instant(terms.lapses_at)
    if terms.has_lapsed(at=at):
        return Turn(
            sentence=f"The award has lapsed: nobody answered Terms {version} by {until}.",
            detail="The Client can award the work again as a new Job.",
            tone="warning",
        )
    if terms.proposed_by_id == viewer.pk:
        waiting = f"Waiting for {other} to answer Terms {version}, until {until}."
        invited = "They were invited to open an account first." if not job.freelancer_id else ""
        return Turn(sentence=waiting, detail=invited)
    first = version == 1
    return Turn(
        sentence=f"{other} awarded this Job to you." if first else f"{other} sent changed Terms.",
        detail=f"Accept Terms {version}, decline them, or send changed ones back, until {until}.",
        label="Review the Terms",
        url=reverse("workroom:terms", args=[job.pk]),
    )


# While it runs


def waits_for(viewer: Person, proposal: Terms | None) -> bool:
    """Whether the viewer is the one to answer an open proposal."""
    return proposal is not None and proposal.proposed_by_id != viewer.pk


def _change(job: Job, proposal: Terms, viewer: Person) -> Turn:
    assert proposal.lapses_at is not None
    return Turn(
        sentence=f"{job.other_party(viewer)} proposes changed Terms.",
        detail=f"Accept Terms {proposal.version}, decline them, or send changed ones back, until "
        f"{display.instant(proposal.lapses_at)}. Until then what is agreed stays in force.",
        label="Review the Terms",
        url=reverse("workroom:terms", args=[job.pk]),
    )


def _of_client(job: Job, escrows: list[Any], *, viewer: Person, at: datetime) -> Turn:
    requested = [escrow for escrow in escrows if escrow.request_due_at is not None]
    pending = [escrow for escrow in escrows if escrow.state == Escrow.State.PENDING]
    asked = [escrow for escrow in escrows if is_asked_for(escrow)]
    if requested:
        return _release(job, requested)
    if pending:
        return Turn(
            sentence=f"{named(pending, job)} {are(pending)} Pending: your bank has not confirmed the payment.",
            detail="It changes to Funded by itself as soon as you pass authentication. Otherwise the "
            f"payment lapses on {_lapses(pending)} and nothing is charged.",
            label="Authenticate the payment",
            url=reverse("billing:payment", args=[pending[0].payment_id]),
            tone="warning",
        )
    if asked:
        return Turn(
            sentence=f"Funding of {named(asked, job)} is requested.",
            detail="The money is held here until you release it.",
            label="Fund" if len(asked) > 1 else f"Fund “{asked[0]}”",
            url=_with_numbers("billing:fund", job, asked),
        )
    return (
        _finished(job, escrows)
        or turns_of_disagreement.of_frozen_money(job, escrows)
        or _not_funded_yet(job, escrows, viewer=viewer, at=at)
        or Turn(sentence=NOTHING_WAITS)
    )


def _not_funded_yet(job: Job, escrows: list[Any], *, viewer: Person, at: datetime) -> Turn | None:
    """Nobody asks for it, and work on it may wait for it: Terms that were changed leave such Milestones."""
    unfunded = [
        escrow
        for escrow in escrows
        if escrow.payment_id is None and payments.may_fund(escrow, by=viewer, at=at) is None
    ]
    if not unfunded:
        return None
    return Turn(
        sentence=f"{NOTHING_WAITS} {named(unfunded, job)} {are(unfunded)} not funded yet.",
        detail="Fund it at any time; the money is held here until you release it."
        if len(unfunded) == 1
        else "Fund them at any time, one by one or together; the money is held here until you release it.",
        label=f"Fund “{unfunded[0]}”",
        url=_with_numbers("billing:fund", job, unfunded[:1]),
        is_urged=False,
    )


def _release(job: Job, requested: list[Any]) -> Turn:
    first = min(requested, key=lambda escrow: escrow.request_due_at)
    due = display.instant(first.request_due_at)
    overdue = _overdue(requested)
    asked: dict[str, Any] = {
        "sentence": f"{job.freelancer} requests release of {named(requested, job)}{overdue}.",
        "tone": "critical" if overdue else "info",
    }
    if len(requested) == 1:
        [request] = first.release_requests.all()
        return Turn(
            **asked,
            detail=f"Without an answer it is released by itself on {due}.",
            label="Review and release",
            url=reverse("billing:release_request", args=[request.pk]),
        )
    return Turn(
        **asked,
        detail=f"Without an answer the first is released by itself on {due}.",
        label="Review the Release Requests",
        url=reverse("workroom:job_billing", args=[job.pk]),
    )


def _overdue(requested: list[Any]) -> str:
    """How many of the requests are Overdue, as the end of a sentence."""
    count = sum(escrow.request_is_overdue for escrow in requested)
    if not count:
        return ""
    are = "is" if count == 1 else "are"
    if count < len(requested):
        return f": {count} of the requests {are} Overdue"
    return f": the request{'' if count == 1 else 's'} {are} Overdue"


def _of_freelancer(job: Job, escrows: list[Any]) -> Turn:
    if finished := _finished(job, escrows):
        return finished
    report: dict[str, Any] = {
        "label": "Create Status Report",
        "url": reverse("workroom:create_report", args=[job.pk]),
    }
    if pending := [escrow for escrow in escrows if escrow.state == Escrow.State.PENDING]:
        return Turn(
            sentence=f"{named(pending, job)} {are(pending)} Pending: the bank of {job.client} has "
            "not confirmed the payment.",
            detail=f"It changes to Funded by itself as soon as {job.client} passes authentication. "
            f"Otherwise the payment lapses on {_lapses(pending)}.",
            is_urged=False,
            **report,
        )
    if nothing_was_ever_funded(job, escrows):
        return Turn(
            sentence=f"Waiting for {job.client} to fund a Milestone.", is_urged=False, **report
        )
    if changes := turns_of_disagreement.of_changes_requested(job, escrows):
        return changes
    requested = [escrow for escrow in escrows if escrow.request_due_at is not None]
    if requested:
        first = min(requested, key=lambda escrow: escrow.request_due_at)
        overdue = _overdue(requested)
        return Turn(
            sentence=f"You requested release of {named(requested, job)}{overdue}.",
            detail=f"{job.client} has until {display.instant(first.request_due_at)} to answer; "
            "then it is released to you.",
            tone="warning" if overdue else "info",
            is_urged=False,
            **report,
        )
    held = [escrow for escrow in escrows if escrow.state == Escrow.State.FUNDED]
    funded = [escrow for escrow in held if not escrow.is_frozen]
    if not funded and (disputed := turns_of_disagreement.of_frozen_money(job, escrows)):
        return disputed
    if funded:
        return Turn(
            sentence=f"{named(funded, job)} {are(funded)} Funded: you can work on {it(funded)}.",
            **report,
        )
    return Turn(sentence="No Milestone is Funded now.", is_urged=False, **report)


def _dormant(job: Job, escrows: list[Any], viewer: Person) -> Turn:
    """What keeps from going back the money that is not requested (R10.4); what will become of it is in
    the forecast.
    """
    since: dict[str, Any] = {"sentence": foretold.dormant_since(job), "tone": "warning"}
    held = [escrow for escrow in escrows if escrow.held_minor]
    if viewer.pk != job.client_id:
        return Turn(
            **since,
            detail=f"What you request is not sent back. {job.client} can release a Milestone, and "
            "the Job is active again.",
            label="Request release",
            url=reverse("workroom:send_invoice_job", args=[job.pk]),
        )
    detail = (
        "Release a Milestone, and the Job is active again. What "
        f"{job.freelancer} requests is not sent back."
    )
    if requested := [escrow for escrow in held if escrow.request_due_at is not None]:
        return replace(_release(job, requested), **since, detail=detail)
    url = (
        _with_numbers("billing:release", job, held)
        if len(held) == 1
        else reverse("workroom:job_billing", args=[job.pk])
    )
    label = f"Release “{held[0]}”" if len(held) == 1 else "Choose what to release"
    return Turn(**since, detail=detail, label=label, url=url, is_urged=False)


def _finished(job: Job, escrows: list[Any]) -> Turn | None:
    """Everything is paid and only the open end keeps the Job running (R11.1)."""
    unfinished = {Escrow.State.UNFUNDED, Escrow.State.PENDING, Escrow.State.FUNDED}
    if not job.open_ended or any(escrow.state in unfinished for escrow in escrows):
        return None
    return Turn(
        sentence="Every Milestone is paid, and the end of the timeline is open.",
        detail="Either of you can mark the Job complete.",
        label="Mark complete",
        url=reverse("billing:complete_job", args=[job.pk]),
    )


def _hourly(job: Job, viewer: Person) -> Turn:
    sentence = "Hourly Job: weekly timesheets, no escrow."
    if viewer.pk == job.client_id:
        return Turn(sentence=sentence, detail=f"{job.freelancer} submits the hours of each week.")
    return Turn(
        sentence=sentence,
        detail="Submit the hours of each week.",
        label="Submit timesheet",
        url=reverse("workroom:create_timesheet", args=[job.pk]),
    )


# When it has ended


def _ended(job: Job) -> Turn:
    assert job.ended_at is not None
    when = display.instant(job.ended_at)
    sentences = {
        Job.State.COMPLETED: f"This Job was completed on {when}.",
        Job.State.CANCELLED: f"This Job was cancelled on {when}.",
        Job.State.DECLINED: f"{job.freelancer} declined this Job on {when}.",
        Job.State.WITHDRAWN: f"{job.client} withdrew the award on {when}.",
        Job.State.EXPIRED: f"The award lapsed on {when}: nobody had answered.",
    }
    completed = job.state == Job.State.COMPLETED
    return Turn(sentence=sentences[job.state], tone="positive" if completed else "neutral")


def _lapses(pending: list[Any]) -> str:
    """When the payment lapses that is not authenticated until then."""
    return display.instant(min(escrow.payment_lapses_at for escrow in pending))


def _with_numbers(name: str, job: Job, escrows: list[Any]) -> str:
    query = "&".join(f"escrow={escrow.number}" for escrow in escrows)
    return f"{reverse(name, args=[job.pk])}?{query}"
