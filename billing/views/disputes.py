"""The page of a Dispute, and those on which the parties open it, are heard, and take it back (R9)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from billing.forms.disputes import FilesForm, OpenForm, WithdrawForm, WordsForm
from billing.models import Dispute, Escrow, Offer
from billing.selectors import dispute_stages
from billing.selectors import disputes as reading
from billing.services import disputes, offers, refunding, releases, sealed
from billing.views import parts
from escrow_site.lib import timing
from escrow_site.lib.display import instant
from escrow_site.lib.refusals import Refusal
from jobs.models import Person
from jobs.services.files import WrongFile


def dispute_or_404(request: HttpRequest, dispute_id: int) -> Dispute:
    """To a stranger the Dispute does not exist (R1.4). Ready for the guards."""
    assert isinstance(request.user, Person)
    dispute = get_object_or_404(reading.disputes_seen_by(request.user), pk=dispute_id)
    dispute.escrow.job = dispute.job
    return dispute


# --- The page ---


@never_cache
@require_safe
@login_required
def dispute(request: HttpRequest, dispute_id: int) -> HttpResponse:
    """Where it stands, what was said, what is offered, and what the reader can do now."""
    assert isinstance(request.user, Person)
    at, viewer = timing.now(), request.user
    row = dispute_or_404(request, dispute_id)
    role = row.job.role_of(viewer)
    made = list(row.offers.select_related("by").order_by("-pk"))
    moments = reading.moments_of(row, viewer=viewer, at=at) if row.is_open else []
    open_offers = _open_offers(row, made, viewer=viewer, at=at)
    activities, evidence = reading.history_of(row), reading.evidence_of(row)
    context = {
        "row": row,
        "job": row.job,
        "role": role,
        "other_party": row.job.other_party(viewer) if role else None,
        "stages": dispute_stages.stages(row, made, role=role),
        "turn": reading.turn_of(row, made, moments, viewer=viewer, at=at),
        "moments": moments,
        "story": reading.story(activities, evidence, job=row.job, viewer=viewer),
        "evidence": evidence,
        "outcome": reading.outcome(activities),
        "was_decided": reading.was_decided(activities),
        "asked": _asked(row),
        "open_offers": open_offers,
        "to_accept": next((one for one in open_offers if one.may_accept), None),
        "past_offers": [one for one in made if one.state != Offer.State.OPEN],
        "sealed": reading.sealed_of(row, activities, viewer=viewer),
        "sealed_refusal": sealed.may_enter(row, by=viewer, at=at),
        "may": _allowed(row, viewer=viewer, at=at),
    }
    return render(request, "billing/disputes/dispute.html", context)


def _allowed(row: Dispute, *, viewer: Person, at: datetime) -> dict[str, bool]:
    """A button stands on the page if and only if the guard of its service allows it."""
    guards: dict[str, Callable[..., Refusal | None]] = {
        "answer": disputes.may_answer,
        "add": disputes.may_add,
        "offer": offers.may_offer,
        "enter_sealed": sealed.may_enter,
        "take_back_sealed": sealed.may_take_back,
        "escalate": disputes.may_escalate,
        "withdraw": disputes.may_withdraw,
    }
    may = {name: guard(row, by=viewer, at=at) is None for name, guard in guards.items()}
    may["release"] = row.is_open and releases.may_release(row.escrow, by=viewer, at=at) is None
    may["refund"] = row.is_open and refunding.may_refund_held(row.escrow, by=viewer, at=at) is None
    return may


def _asked(row: Dispute) -> reading.Split | None:
    """What the split would be that the opener asks for, while there is something to split."""
    return reading.split(row, row.asked_for_freelancer_minor) if row.is_open else None


@dataclass(frozen=True, kw_only=True)
class OpenOffer:
    """An open offer beside the other one: its sums, and what the reader can do about it."""

    offer: Offer
    split: reading.Split
    is_mine: bool
    may_accept: bool
    may_withdraw: bool


def _open_offers(
    row: Dispute, made: list[Offer], *, viewer: Person, at: datetime
) -> list[OpenOffer]:
    shown = []
    for offer in made:
        if offer.state != Offer.State.OPEN:
            continue
        offer.dispute = row
        shown.append(
            OpenOffer(
                offer=offer,
                split=reading.split(row, offer.to_freelancer_minor),
                is_mine=offer.by_id == viewer.pk,
                may_accept=offers.may_accept(offer, by=viewer, at=at) is None,
                may_withdraw=offers.may_withdraw(offer, by=viewer, at=at) is None,
            )
        )
    return shown


# --- Opening ---


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def open_dispute(request: HttpRequest, job_id: int) -> HttpResponse:
    """GET says what a Dispute about the Milestone ``escrow`` means, POST opens it."""
    assert isinstance(request.user, Person)
    chosen = parts.chosen(request, job_id)
    job, escrow = chosen.job, chosen.escrow
    if escrow is None:
        messages.error(request, "Choose a Milestone to dispute.")
        return redirect("workroom:disputes", job.pk)
    unfit = disputes.may_open(escrow, by=request.user, at=timing.now())
    if unfit and request.method != "POST":
        messages.error(request, unfit.message)
        return redirect("workroom:disputes", job.pk)
    form = _open_form(request, escrow)
    if form.is_valid():
        try:
            return _opened(request, escrow, form)
        except Refusal as refusal:
            show_refusal(form, refusal)
            escrow.refresh_from_db()
            escrow.job = job
            unfit = disputes.may_open(escrow, by=request.user, at=timing.now())
    return _show_open(request, chosen, form, may_send=unfit is None)


def _open_form(request: HttpRequest, escrow: Escrow) -> OpenForm:
    job = escrow.job
    if request.method == "POST":
        return OpenForm(request.POST, request.FILES, currency=job.currency)
    is_client = request.user == job.client
    asks = Dispute.Asks.REFUND if is_client else Dispute.Asks.RELEASE
    return OpenForm(
        currency=job.currency, initial={"asks": asks.value, "amount": escrow.held_minor}
    )


def _opened(request: HttpRequest, escrow: Escrow, form: OpenForm) -> HttpResponse:
    assert isinstance(request.user, Person)
    opened = disputes.open(
        escrow.job_id,
        number=escrow.number,
        asks=form.cleaned_data["asks"],
        asked_minor=form.cleaned_data["amount"],
        reason=form.cleaned_data["reason"],
        uploads=form.cleaned_data["evidence"],
        by=request.user,
        at=timing.now(),
        seen_held_minor=form.cleaned_data["seen_minor"],
    )
    messages.success(
        request,
        f"The Dispute is open. {escrow.job.other_party(request.user)} has been told, and is to answer "
        f"by {instant(opened.answer_due_at)}.",
    )
    return redirect("billing:dispute", opened.pk)


def _show_open(
    request: HttpRequest, chosen: parts.Chosen, form: OpenForm, *, may_send: bool
) -> HttpResponse:
    assert isinstance(request.user, Person) and chosen.escrow is not None
    job = chosen.job
    assert job.policy is not None
    context = {
        "job": job,
        "escrow": chosen.escrow,
        "open_request": chosen.request,
        "form": form,
        "may_send": may_send,
        "other_party": job.other_party(request.user),
        "answer_due_at": timing.business_days_after(
            timing.now(), job.policy.dispute_answer_business_days, job.policy.holidays
        ),
        "lost_files": lost_files(request),
    }
    return render(request, "billing/disputes/open.html", context)


def show_refusal(form: forms.Form, refusal: Refusal) -> None:
    """Put what the service said where it belongs, beside what was typed (R13)."""
    form.add_error("evidence" if isinstance(refusal, WrongFile) else None, refusal.message)


def lost_files(request: HttpRequest) -> list[str | None]:
    """A browser does not keep chosen files when a page is shown again."""
    return [upload.name for upload in request.FILES.getlist("evidence")]


# --- Being heard, asking support, taking back ---


@dataclass(frozen=True, kw_only=True)
class Act:
    """One thing that a party does in a Dispute on a page of its own."""

    may: Callable[..., Refusal | None]
    do: Callable[[Dispute, Any, Person, datetime], object]
    form: type[Any]
    template: str
    done: str


ANSWER = Act(
    may=disputes.may_answer,
    do=lambda row, typed, by, at: disputes.answer(
        row.pk, text=typed["text"], uploads=typed["evidence"], by=by, at=at
    ),
    form=WordsForm,
    template="billing/disputes/answer.html",
    done="Your answer is sent.",
)
STATEMENT = Act(
    may=disputes.may_add,
    do=lambda row, typed, by, at: disputes.add_statement(
        row.pk, text=typed["text"], uploads=typed["evidence"], by=by, at=at
    ),
    form=WordsForm,
    template="billing/disputes/statement.html",
    done="Your statement is sent.",
)
EVIDENCE = Act(
    may=disputes.may_add,
    do=lambda row, typed, by, at: disputes.add_evidence(
        row.pk, uploads=typed["evidence"], by=by, at=at
    ),
    form=FilesForm,
    template="billing/disputes/evidence.html",
    done="Your evidence is added.",
)
ESCALATE = Act(
    may=disputes.may_escalate,
    do=lambda row, typed, by, at: disputes.escalate(row.pk, by=by, at=at),
    form=forms.Form,
    template="billing/disputes/escalate.html",
    done="The Dispute is with support.",
)
WITHDRAW = Act(
    may=disputes.may_withdraw,
    do=lambda row, typed, by, at: disputes.withdraw(row.pk, reason=typed["reason"], by=by, at=at),
    form=WithdrawForm,
    template="billing/disputes/withdraw.html",
    done="The Dispute is withdrawn.",
)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def answer_dispute(request: HttpRequest, dispute_id: int) -> HttpResponse:
    """The other side answers (R9.2)."""
    return _act(request, dispute_id, ANSWER)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def add_statement(request: HttpRequest, dispute_id: int) -> HttpResponse:
    """Either side says more."""
    return _act(request, dispute_id, STATEMENT)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def add_evidence(request: HttpRequest, dispute_id: int) -> HttpResponse:
    """Either side lays files before the other."""
    return _act(request, dispute_id, EVIDENCE)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def escalate_dispute(request: HttpRequest, dispute_id: int) -> HttpResponse:
    """Either side asks support to decide (R9.3)."""
    return _act(request, dispute_id, ESCALATE)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def withdraw_dispute(request: HttpRequest, dispute_id: int) -> HttpResponse:
    """The opener takes it back (R9.4)."""
    return _act(request, dispute_id, WITHDRAW)


def _act(request: HttpRequest, dispute_id: int, act: Act) -> HttpResponse:
    """GET says what it means; POST does it, or keeps what was typed beside why it is refused (R13)."""
    assert isinstance(request.user, Person)
    row = dispute_or_404(request, dispute_id)
    unfit = act.may(row, by=request.user, at=timing.now())
    if unfit and request.method != "POST":
        messages.error(request, unfit.message)
        return redirect("billing:dispute", row.pk)
    form = act.form(request.POST, request.FILES) if request.method == "POST" else act.form()
    if form.is_valid():
        try:
            act.do(row, form.cleaned_data, request.user, timing.now())
        except Refusal as refusal:
            show_refusal(form, refusal)
            row = dispute_or_404(request, dispute_id)
            unfit = act.may(row, by=request.user, at=timing.now())
        else:
            told = row.job.other_party(request.user)
            messages.success(request, f"{act.done} {told} has been told.")
            return redirect("billing:dispute", row.pk)
    context = {
        "row": row,
        "job": row.job,
        "form": form,
        "may_send": unfit is None,
        "other_party": row.job.other_party(request.user),
        "resumes_until": reading.resumes_until(row, at=timing.now()),
        "lost_files": lost_files(request),
    }
    return render(request, act.template, context)
