"""Pro-forma invoices, final invoices, receipts and credit notes, as a page and as a PDF."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from billing import pdf
from billing.selectors import documents as reading
from billing.selectors.papers import Paper
from jobs.models import Person


@require_safe
@login_required
def pro_forma(request: HttpRequest, pro_forma_id: int) -> HttpResponse:
    """The pro-forma invoice of a Release Request."""
    context = {
        "paper": _pro_forma_paper(request, pro_forma_id),
        "pdf_url": reverse("billing:pro_forma_pdf", args=[pro_forma_id]),
    }
    return render(request, "billing/documents/document.html", context)


@require_safe
@login_required
def pro_forma_pdf(request: HttpRequest, pro_forma_id: int) -> HttpResponse:
    return pdf_response(_pro_forma_paper(request, pro_forma_id))


@require_safe
@login_required
def document(request: HttpRequest, document_id: int) -> HttpResponse:
    """A final invoice, receipt or credit note."""
    context = {
        "paper": _document_paper(request, document_id),
        "pdf_url": reverse("billing:document_pdf", args=[document_id]),
    }
    return render(request, "billing/documents/document.html", context)


@require_safe
@login_required
def document_pdf(request: HttpRequest, document_id: int) -> HttpResponse:
    return pdf_response(_document_paper(request, document_id))


def pdf_response(paper: Paper) -> HttpResponse:
    """The paper as a PDF that the browser shows, named as the paper is."""
    return HttpResponse(
        pdf.render(paper),
        content_type="application/pdf",
        headers={"Content-Disposition": f'inline; filename="{paper.number}.pdf"'},
    )


def _pro_forma_paper(request: HttpRequest, pro_forma_id: int) -> Paper:
    """To a stranger the paper does not exist (R1.4)."""
    assert isinstance(request.user, Person)
    row = get_object_or_404(reading.pro_formas_seen_by(request.user), pk=pro_forma_id)
    return reading.pro_forma_paper(row)


def _document_paper(request: HttpRequest, document_id: int) -> Paper:
    assert isinstance(request.user, Person)
    row = get_object_or_404(reading.documents_seen_by(request.user), pk=document_id)
    return reading.document_paper(row)
