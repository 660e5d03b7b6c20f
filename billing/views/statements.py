"""Closing Statements, as a page and as a PDF (R11.2)."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from billing.selectors import statements as reading
from billing.selectors.papers import Paper
from billing.views.documents import pdf_response
from jobs.models import Person


@require_safe
@login_required
def statement(request: HttpRequest, statement_id: int) -> HttpResponse:
    """All escrow payments of a Job, as they stood at its end."""
    context = {
        "paper": _paper(request, statement_id),
        "pdf_url": reverse("billing:statement_pdf", args=[statement_id]),
    }
    return render(request, "billing/statements/statement.html", context)


@require_safe
@login_required
def statement_pdf(request: HttpRequest, statement_id: int) -> HttpResponse:
    return pdf_response(_paper(request, statement_id))


def _paper(request: HttpRequest, statement_id: int) -> Paper:
    """To a stranger the Statement does not exist (R1.4)."""
    assert isinstance(request.user, Person)
    row = get_object_or_404(reading.statements_seen_by(request.user), pk=statement_id)
    return reading.statement_paper(row)
