"""Everything that we hold about a person, as one ZIP archive: data that programs read, documents, own files.

Only what is his: of a Job the other side's words are in the case file. No secret is in it: no key, no token, no
password, as whoever finds the archive must not get into the account with it.
"""

import json
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import IO, Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Model, Q, QuerySet
from django.utils import timezone

from billing import models as billing
from billing import pdf
from billing.selectors.documents import (
    document_paper,
    documents_seen_by,
    pro_forma_paper,
    pro_formas_seen_by,
)
from billing.selectors.papers import Paper
from billing.selectors.statements import statement_paper, statements_seen_by
from jobs.models import Activity, AddressChange, Job, Notification, Person, StoredFile
from workroom import models as workroom
from workroom.services.case_files import Archive, CaseFile, enclose

# What each model of ours keeps secret, or says of the machine alone.
SECRET = {
    "password", "calendar_token", "session_key", "idempotency_key", "gateway_reference", "lease_until",
    "attempts", "next_attempt_at", "key",
}  # fmt: skip
Rows = Callable[[Person], "QuerySet[Any]"]


def _by(model: type[Model], *fields: str) -> Rows:
    """The rows that name the person in one of these fields."""

    def rows(person: Person) -> "QuerySet[Any]":
        named = Q()
        for field in fields:
            named |= Q(**{field: person})
        return model._default_manager.filter(named).order_by("pk")

    return rows


SECTIONS: dict[str, Rows] = {
    "account": lambda person: Person.objects.filter(pk=person.pk),
    "e-mail addresses": _by(EmailAddress, "user"),
    "changes of the primary address": _by(AddressChange, "person"),
    "sessions": _by(UserSession, "user"),
    "Jobs": _by(Job, "client", "freelancer"),
    "Terms proposed": _by(workroom.Terms, "proposed_by"),
    "Status Reports": _by(workroom.StatusReport, "freelancer"),
    "timesheets": _by(workroom.Timesheet, "freelancer"),
    "history": _by(Activity, "actor"),
    "notices": _by(Notification, "person"),
    "files": _by(StoredFile, "uploaded_by"),
    "cards": _by(billing.PaymentMethod, "person"),
    "payments": _by(billing.Payment, "payer"),
    "refunds made": _by(billing.Refund, "refunded_by"),
    "funding requests": _by(billing.FundingRequest, "requested_by"),
    "Release Requests": _by(billing.ReleaseRequest, "requested_by"),
    "releases": _by(billing.Release, "released_by"),
    "documents issued": _by(billing.Document, "issuer"),
    "cancellations": _by(billing.Cancellation, "requested_by", "answered_by"),
    "disputes opened": _by(billing.Dispute, "opened_by", "escalated_by"),
    "dispute statements": _by(billing.DisputeStatement, "by"),
    "evidence": _by(billing.Evidence, "by"),
    "offers": _by(billing.Offer, "by"),
    "limits under seal": _by(billing.SealedLimit, "by"),
    "balances": _by(billing.Account, "person"),
    "payouts": _by(billing.Payout, "person"),
    "acts of support asked for": _by(billing.Intervention, "asked_by"),
}


def make(person: Person, *, at: datetime) -> CaseFile:
    """Put the archive together, as of ``at``; changes nothing. The caller closes it."""
    content = tempfile.TemporaryFile()  # noqa: SIM115  whoever gets it closes it
    try:
        with timezone.override(UTC):
            _write(content, person, at=at)
    except BaseException:
        content.close()
        raise
    content.seek(0)
    return CaseFile(name=f"my-data-{at.astimezone(UTC):%Y-%m-%d}.zip", content=content)


def _write(content: IO[bytes], person: Person, *, at: datetime) -> None:
    with zipfile.ZipFile(content, "w") as target:
        archive = Archive(target=target, at=at)
        data = json.dumps(collected(person), cls=DjangoJSONEncoder, indent=2, ensure_ascii=False)
        archive.add("data.json", [data.encode()])
        for path, paper in _papers(person):
            archive.add(path, [pdf.render(paper)])
        files = StoredFile.objects.filter(uploaded_by=person).order_by("pk")
        for number, file in enumerate(files, 1):
            enclose(archive, file, number)
        archive.add_manifest()


def collected(person: Person) -> dict[str, Any]:
    """All rows that are about the person, by their kind."""
    data = {name: [_row(row) for row in rows(person)] for name, rows in SECTIONS.items()}
    keys = Authenticator.objects.filter(user=person).order_by("pk")
    data["second factors"] = [
        {"kind": key.type, "made": key.created_at, "last used": key.last_used_at} for key in keys
    ]
    return data


def _row(row: Model) -> dict[str, Any]:
    fields = row._meta.concrete_fields
    return {
        field.attname: field.value_from_object(row) for field in fields if field.name not in SECRET
    }


def _papers(person: Person) -> Iterator[tuple[str, Paper]]:
    """Of the Jobs that the person is a party of, as their pages show them."""
    own = Q(job__client=person) | Q(job__freelancer=person)
    for pro_forma in pro_formas_seen_by(person).filter(
        Q(request__job__client=person) | Q(request__job__freelancer=person)
    ):
        yield _path(pro_forma.request.job_id, pro_forma.name), pro_forma_paper(pro_forma)
    for document in documents_seen_by(person).filter(own).order_by("pk"):
        yield _path(document.job_id, document.name), document_paper(document)
    for statement in statements_seen_by(person).filter(own).order_by("pk"):
        yield _path(statement.job_id, statement.name), statement_paper(statement)


def _path(job_id: int, name: str) -> str:
    return f"documents/job-{job_id}/{name}.pdf"
