"""What stands on pro-forma invoices, final invoices, receipts and credit notes (R5.1).

Both parties read the same paper: what the Client paid, what it cost and what the Freelancer got.
"""

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse

from billing.models import Document, ProForma, Release, ReleaseRequest
from billing.selectors import rules
from billing.selectors.papers import (
    Cell,
    Column,
    Fact,
    Group,
    Paper,
    Table,
    Total,
    party,
    read_in_utc,
)
from billing.selectors.seen import seen_by
from escrow_site.lib import money
from escrow_site.lib.display import instant
from escrow_site.lib.templatetags.escrow import basis_points
from jobs.models import Job, Person

COLUMNS = [Column("What for", 72), Column("Amount", 28, is_number=True)]

TITLES = {
    Document.Kind.FINAL_INVOICE: "Final invoice",
    Document.Kind.RECEIPT: "Receipt",
    Document.Kind.CREDIT_NOTE: "Credit note",
}
TOTALS = {
    Document.Kind.FINAL_INVOICE: "Total, paid by the Client",
    Document.Kind.RECEIPT: "Total, paid by the Client",
    Document.Kind.CREDIT_NOTE: "Total, back to the Client",
}


def pro_formas_seen_by(person: Person) -> QuerySet[ProForma]:
    """Pro-forma invoices that the person may see, with what stands on them."""
    return seen_by(
        person,
        ProForma.objects.select_related("request__escrow", "request__job__policy"),
        job="request__job",
    ).prefetch_related("documents")


def documents_seen_by(person: Person) -> QuerySet[Document]:
    """Final invoices, receipts and credit notes that the person may see."""
    return seen_by(
        person,
        Document.objects.select_related(
            "job__policy",
            "escrow",
            "release__released_by",
            "release__request",
            "pro_forma__request",
            "corrects",
            "refund__refunded_by",
        ),
    ).prefetch_related("corrected_by")


@read_in_utc
def pro_forma_paper(pro_forma: ProForma) -> Paper:
    """The pro-forma invoice of a Release Request."""
    request, job = pro_forma.request, pro_forma.request.job
    return Paper(
        kind="Pro-forma invoice",
        number=pro_forma.name,
        issued_at=pro_forma.issued_at,
        state=pro_forma.state,
        state_label=pro_forma.get_state_display(),
        is_void=pro_forma.state == ProForma.State.VOID,
        issuer=pro_forma.parties["freelancer"]["name"],
        issuer_note=_paid_through(),
        parties=[
            party("From", pro_forma.parties["freelancer"]),
            party("To be paid by", pro_forma.parties["client"]),
        ],
        facts=[
            Fact("Issued", instant(pro_forma.issued_at)),
            _job_fact(job),
            Fact("Release Request", request.get_state_display(), _request_url(request)),
            *_documents_made(pro_forma),
        ],
        tables=[Table(COLUMNS, [Group([[_line(request.escrow.title, job), _amount(
            pro_forma.amount_minor, job.currency)]])])],
        totals=_totals("Total, asked for", pro_forma.amount_minor, pro_forma, job),
        notes=_pro_forma_notes(pro_forma),
    )  # fmt: skip


@read_in_utc
def document_paper(document: Document) -> Paper:
    """A final invoice, receipt or credit note."""
    job = document.job
    kind = Document.Kind(document.kind)
    return Paper(
        kind=TITLES[kind],
        number=document.name,
        issued_at=document.issued_at,
        state="issued" if kind == Document.Kind.CREDIT_NOTE else "paid",
        state_label="Issued" if kind == Document.Kind.CREDIT_NOTE else "Paid",
        issuer=document.parties["freelancer"]["name"],
        issuer_note=_paid_through(),
        parties=[
            party("From", document.parties["freelancer"]),
            party(
                "Credited to" if kind == Document.Kind.CREDIT_NOTE else "Billed to",
                document.parties["client"],
            ),
        ],
        facts=[
            Fact("Issued", instant(document.issued_at)),
            _job_fact(job),
            *_causes(document),
        ],
        tables=[Table(COLUMNS, [Group([[_line(document.escrow.title, job), _amount(
            document.gross_minor, document.currency)]])])],
        totals=_totals(TOTALS[kind], document.gross_minor, document, job)
        if kind != Document.Kind.CREDIT_NOTE
        else _credit_totals(document, job),
        notes=_document_notes(document),
    )  # fmt: skip


def _paid_through() -> str:
    return f"Paid through {settings.SITE_NAME}"


def _job_fact(job: Job) -> Fact:
    return Fact("Job", job.title, reverse("workroom:job", args=[job.pk]))


def _request_url(request: ReleaseRequest) -> str:
    return reverse("billing:release_request", args=[request.pk])


def _line(title: str, job: Job) -> Cell:
    return Cell(f"Milestone “{title}”", job.title)


def _amount(amount_minor: int, currency: str) -> Cell:
    return Cell(money.display(amount_minor, currency))


def _totals(label: str, gross_minor: int, paper: ProForma | Document, job: Job) -> list[Total]:
    """Gross, what is taken of it, and what is left for the Freelancer (R5.2)."""
    assert job.policy is not None
    rate = basis_points(job.policy.service_fee_basis_points)
    fees = [(f"Service fee, {rate}", paper.service_fee_minor)]
    if paper.processing_fee_minor:
        fees.append(("Processing fee", paper.processing_fee_minor))
    fees.append(("Net to the Freelancer", paper.net_minor))
    return [
        Total(label, money.display(gross_minor, job.currency), grand=True),
        *(Total(name, money.display(part_minor, job.currency)) for name, part_minor in fees),
    ]


def _credit_totals(document: Document, job: Job) -> list[Total]:
    """What goes back to the Client, and what of it who gives (R8.2)."""
    assert job.policy is not None
    rate = basis_points(job.policy.service_fee_basis_points)
    return [
        Total(
            TOTALS[Document.Kind.CREDIT_NOTE],
            money.display(document.gross_minor, job.currency),
            grand=True,
        ),
        Total(
            f"Service fee given back, {rate}",
            money.display(document.service_fee_minor, job.currency),
        ),
        Total("From the Freelancer’s balance", money.display(document.net_minor, job.currency)),
    ]


def _documents_made(pro_forma: ProForma) -> list[Fact]:
    """The final invoices that came of a pro-forma, one for each part released (R5.3)."""
    return [
        Fact("Final invoice", document.name, reverse("billing:document", args=[document.pk]))
        for document in pro_forma.documents.all()
    ]


def _causes(document: Document) -> list[Fact]:
    """The papers and the people behind a document."""
    facts = []
    if document.pro_forma:
        request = document.pro_forma.request
        facts.append(
            Fact(
                "Pro-forma",
                document.pro_forma.name,
                reverse("billing:pro_forma", args=[document.pro_forma.pk]),
            )
        )
        facts.append(Fact("Requested", instant(request.requested_at), _request_url(request)))
    if document.release:
        facts += _release_facts(document.release, document.job)
    if document.corrects:
        url = reverse("billing:document", args=[document.corrects.pk])
        facts.append(Fact("Corrects", document.corrects.name, url))
    if document.refund:
        facts.append(Fact("Refunded by", str(document.refund.refunded_by)))
    for note in document.corrected_by.all():
        url = reverse("billing:document", args=[note.pk])
        facts.append(Fact("Corrected by", note.name, url))
    return facts


def _release_facts(release: Release, job: Job) -> list[Fact]:
    """Who released the money; if nobody did, by which rule silence did (R6.2)."""
    if release.released_by is not None:
        return [Fact("Released by", str(release.released_by))]
    assert job.policy is not None
    facts = [Fact("Released by", f"The {rules.thirty_day_rule_name(job.policy)}")]
    if release.request is not None:
        facts.insert(0, Fact("No answer by", instant(release.request.auto_release_at)))
    return facts


def _pro_forma_notes(pro_forma: ProForma) -> list[str]:
    request, policy = pro_forma.request, pro_forma.request.job.policy
    assert policy is not None
    if pro_forma.state == ProForma.State.VOID:
        return [_void_note(pro_forma)]
    if pro_forma.state == ProForma.State.INVOICED:
        assert request.ended_at is not None
        return [
            f"Paid on {instant(request.ended_at)}: the final invoice named above takes the place of "
            f"this pro-forma invoice. {request.ended_reason}"
        ]
    return [
        "This is a pro-forma invoice and no tax document. The final invoice is made at the "
        "instant the money is released.",
        *_partly_paid(pro_forma),
        f"The money is held in escrow. Without an answer it is released on "
        f"{instant(request.auto_release_at)}, by the {rules.thirty_day_rule_name(policy)}.",
    ]


def _void_note(pro_forma: ProForma) -> str:
    """Since when, by whom and why; what became of its money since is not the paper's to say."""
    request = pro_forma.request
    assert request.ended_at is not None
    reason = f" Reason given: {request.ended_reason}" if request.ended_reason else ""
    stand = " The final invoices named above stand." if pro_forma.documents.all() else ""
    return (
        f"Void since {instant(request.ended_at)}: {_why_void(pro_forma)}, and nothing more is to be "
        f"paid on it.{stand}{reason}"
    )


def _partly_paid(pro_forma: ProForma) -> list[str]:
    """What of it was released already: the request stands for the rest (R5.3)."""
    documents = pro_forma.documents.all()
    if not documents:
        return []
    paid = money.display(sum(one.gross_minor for one in documents), pro_forma.request.job.currency)
    return [f"{paid} of it was released: see the final invoices above. The rest is still held."]


def _why_void(pro_forma: ProForma) -> str:
    """What became of the request, and by whom (R7)."""
    parties = pro_forma.parties
    match pro_forma.request.state:
        case ReleaseRequest.State.RETURNED:
            return f"{parties['client']['name']} sent the Release Request back with a request for changes"
        case ReleaseRequest.State.SETTLED:
            return "the Release Request was settled otherwise"
    return f"{parties['freelancer']['name']} took the Release Request back"


def _document_notes(document: Document) -> list[str]:
    if document.refund:
        return [
            f"{document.refund.reason} Money that had been released goes back to the source that it "
            "came from. A processing fee does not come back."
        ]
    if document.release is None:
        return []
    return [
        f"{document.release.reason} The money was held in escrow by {settings.SITE_NAME} and was "
        "paid to the Freelancer when this document was issued: nothing is left to pay."
    ]
