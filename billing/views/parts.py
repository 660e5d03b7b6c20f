"""What the pages share on which somebody chooses how much of one Milestone's money moves.

Without an amount the page asks for one or takes all; with one it shows what it comes to, and the click
says again what was there when the person looked (R5.1, R13).
"""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from billing.forms.releases import PartForm
from billing.models import Escrow, ReleaseRequest
from escrow_site.lib import money
from jobs.models import Job, Person


@dataclass(frozen=True)
class Chosen:
    """The Milestone that the page is about, and its unanswered request; Nones when it names none."""

    job: Job
    escrow: Escrow | None
    request: ReleaseRequest | None


def chosen(request: HttpRequest, job_id: int) -> Chosen:
    """The Milestone named by ``escrow``; to a stranger the Job does not exist (R1.4)."""
    assert isinstance(request.user, Person)
    rows = Job.objects.seen_by(request.user).select_related("client", "freelancer", "policy")
    job = get_object_or_404(rows, pk=job_id)
    number = given(request).get("escrow", "")
    escrow = None
    if number.isascii() and number.isdecimal() and len(number) < 10:
        agreed = Escrow.objects.of(job).agreed()
        escrow = agreed.filter(number=int(number)).prefetch_related("release_requests").first()
    if escrow is None:
        return Chosen(job, None, None)
    escrow.job = job
    open_requests = [row for row in escrow.release_requests.all() if row.is_unanswered]
    return Chosen(job, escrow, open_requests[0] if open_requests else None)


def given(request: HttpRequest) -> Any:
    """What the page was called with, or what was sent from it."""
    return request.POST if request.method == "POST" else request.GET


def part_form(
    request: HttpRequest, kind: type[PartForm], *, job: Job, initial_minor: int | None
) -> PartForm:
    """The form with what was typed, or with an amount to begin with; what is sent is always judged."""
    if request.method == "POST" or "amount" in request.GET:
        return kind(given(request), currency=job.currency)
    return kind(currency=job.currency, initial={"amount": initial_minor})


def amount_of(form: PartForm, *, initial_minor: int | None) -> int | None:
    """The amount that the page is about, in minor units; None when there is none, or no good one."""
    if not form.is_bound:
        return initial_minor
    form.is_valid()
    return form.cleaned_data.get("amount")


def as_typed(amount_minor: int | None, job: Job) -> str:
    """The amount as the form that confirms it sends it."""
    return money.editable(amount_minor, job.currency) if amount_minor is not None else ""
