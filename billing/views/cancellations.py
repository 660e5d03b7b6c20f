"""Cancelling a Job by agreement (R8.3): asking with a split, then looking, answering, taking back.

Nothing is asked for before every amount was shown: a request is typed, shown with fees and net, and
then sent.
"""

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from billing.forms.cancellations import CancellationForm, DeclineForm
from billing.models import Cancellation
from billing.moves.splits import Split
from billing.selectors import cancellations as reading
from billing.services import cancellation_outcomes, cancellations
from escrow_site.lib import money, timing
from escrow_site.lib.refusals import Refusal, StalePage
from jobs import reauthentication
from jobs.models import Job, Person
from jobs.reauthentication import reauthentication_required


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def cancel_job(request: HttpRequest, job_id: int) -> HttpResponse:
    """GET asks for the split and the reason; POST shows what it comes to, and sends it if ``step`` says
    so. With a request open it leads there.
    """
    assert isinstance(request.user, Person)
    rows = Job.objects.seen_by(request.user).select_related("client", "freelancer", "policy")
    job = get_object_or_404(rows, pk=job_id)
    if refusal := cancellations.may_request(job, by=request.user, at=timing.now()):
        messages.error(request, refusal.message)
        open_one = Cancellation.objects.filter(job=job).open().first()
        return redirect("billing:cancellation", open_one.pk) if open_one else _to(job)
    held = cancellations.read_held(job)
    form = _form(request, job, held)
    step = request.POST.get("step", "")
    if step in ("show", "send") and form.is_valid():
        # The other side's agreement divides the money at once: he who asks says yes beforehand.
        if step == "send" and reauthentication.is_due(request):
            return reauthentication.ask(request, act="Request a cancellation")
        if step == "send" and (sent := _send(request, job, form)):
            return sent
        if not form.errors:
            return _show(request, job, held, form)
    return _ask(request, job, held, form)


def _form(request: HttpRequest, job: Job, held: Sequence[Split]) -> CancellationForm:
    return CancellationForm(
        request.POST if request.method == "POST" else None,
        escrows=[split.escrow for split in held],
        currency=job.currency,
    )


def _ask(
    request: HttpRequest, job: Job, held: Sequence[Split], form: CancellationForm
) -> HttpResponse:
    assert isinstance(request.user, Person)
    context = {
        "job": job,
        "form": form,
        "share_fields": [form[form.name_of(split.escrow)] for split in held],
        "other_party": job.other_party(request.user),
        "at_once": cancellations.cancels_at_once(job, held),
    }
    return render(request, "billing/cancellations/request.html", context)


def _show(
    request: HttpRequest, job: Job, held: Sequence[Split], form: CancellationForm
) -> HttpResponse:
    """Every amount with its fees, before the click."""
    assert isinstance(request.user, Person)
    outcomes = [
        cancellation_outcomes.outcome(
            split.escrow,
            job=job,
            held_minor=split.escrow.held_minor,
            to_freelancer_minor=form.shares[split.escrow.number],
        )
        for split in held
    ]
    hidden = [("reason", form.cleaned_data["reason"])]
    for one in outcomes:
        typed = money.editable(one.amounts.gross_minor, job.currency)
        hidden.append((form.name_of(one.escrow), typed))
        hidden.append((f"seen-{one.escrow.number}", str(one.held_minor)))
    context = {
        "job": job,
        "outcomes": outcomes,
        "total": reading.total(outcomes),
        "reason": form.cleaned_data["reason"],
        "hidden": hidden,
        "other_party": job.other_party(request.user),
        "at_once": cancellations.cancels_at_once(job, held),
    }
    return render(request, "billing/cancellations/show.html", context)


def _send(request: HttpRequest, job: Job, form: CancellationForm) -> HttpResponse | None:
    """Ask; None when it was refused and the page is shown again, with what was typed (R13)."""
    assert isinstance(request.user, Person)
    try:
        cancellation = cancellations.request(
            job.pk,
            shares=form.shares,
            seen_held_minor=form.seen(),
            reason=form.cleaned_data["reason"],
            by=request.user,
            at=timing.now(),
        )
    except StalePage as refusal:
        messages.error(request, refusal.message)
        return None
    except Refusal as refusal:
        form.add_error(None, refusal.message)
        return None
    if not cancellation.is_open:
        messages.success(request, "The Job is cancelled. Both of you have the Closing Statement.")
        return _to(job)
    messages.success(request, f"Requested. {job.other_party(request.user)} has been told.")
    return redirect("billing:cancellation", cancellation.pk)


# --- Looking and answering ---


@require_safe
@login_required
def cancellation(request: HttpRequest, cancellation_id: int) -> HttpResponse:
    """What was asked for and what it comes to, whose turn it is and until when."""
    return _page(request, _cancellation_or_404(request, cancellation_id), DeclineForm())


@require_POST
@login_required
@reauthentication_required("Accept a cancellation")
def accept_cancellation(request: HttpRequest, cancellation_id: int) -> HttpResponse:
    assert isinstance(request.user, Person)
    person, row = request.user, _cancellation_or_404(request, cancellation_id)
    return _answer(
        request,
        row,
        lambda: cancellations.accept(row.pk, by=person, at=timing.now()),
        "The Job is cancelled, and what was held is divided. Both of you have the Closing Statement.",
    )


@require_POST
@login_required
def decline_cancellation(request: HttpRequest, cancellation_id: int) -> HttpResponse:
    assert isinstance(request.user, Person)
    person, row = request.user, _cancellation_or_404(request, cancellation_id)
    form = DeclineForm(request.POST)
    if not form.is_valid():
        return _page(request, row, form)
    answer = form.cleaned_data["answer"]
    return _answer(
        request,
        row,
        lambda: cancellations.decline(row.pk, answer=answer, by=person, at=timing.now()),
        f"Declined. The Job goes on, and {row.requested_by} has been told.",
        form=form,
    )


@require_POST
@login_required
def withdraw_cancellation(request: HttpRequest, cancellation_id: int) -> HttpResponse:
    assert isinstance(request.user, Person)
    person, row = request.user, _cancellation_or_404(request, cancellation_id)
    return _answer(
        request,
        row,
        lambda: cancellations.withdraw(row.pk, by=person, at=timing.now()),
        f"Withdrawn. The Job goes on, and {row.job.other_party(person)} has been told.",
    )


def _answer(
    request: HttpRequest,
    row: Cancellation,
    act: Callable[[], object],
    done: str,
    *,
    form: DeclineForm | None = None,
) -> HttpResponse:
    """A refusal comes back on the page, as it stands by then (R13)."""
    try:
        act()
    except Refusal as refusal:
        messages.error(request, refusal.message)
        return _page(request, _cancellation_or_404(request, row.pk), form or DeclineForm())
    messages.success(request, done)
    return redirect("billing:cancellation", row.pk)


def _page(request: HttpRequest, row: Cancellation, form: DeclineForm) -> HttpResponse:
    assert isinstance(request.user, Person)
    at, person = timing.now(), request.user
    outcomes = reading.outcomes(row)
    context: dict[str, Any] = {
        "row": row,
        "job": row.job,
        "form": form,
        "is_client": person.pk == row.job.client_id,
        "answerer": row.job.other_party(row.requested_by),
        "outcomes": outcomes,
        "total": reading.total(outcomes),
        "has_lapsed": row.has_lapsed(at=at),
        "may_accept": cancellations.may_accept(row, by=person, at=at) is None,
        "may_decline": cancellations.may_answer(row, by=person, at=at) is None,
        "may_withdraw": cancellations.may_withdraw(row, by=person, at=at) is None,
        "may_request": cancellations.may_request(row.job, by=person, at=at) is None,
        "statement": row.job.closing_statements.order_by("-number").first()
        if row.state == Cancellation.State.ACCEPTED
        else None,
    }
    return render(request, "billing/cancellations/cancellation.html", context)


def _cancellation_or_404(request: HttpRequest, cancellation_id: int) -> Cancellation:
    """To a stranger the request does not exist (R1.4)."""
    assert isinstance(request.user, Person)
    return get_object_or_404(reading.seen_by(request.user), pk=cancellation_id)


def _to(job: Job) -> HttpResponse:
    return redirect("workroom:job", job.pk)
