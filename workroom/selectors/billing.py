"""The lines of the Billing list, on Manage ▸ Billing and on a Job's Billing & Invoices tab."""

from collections.abc import Iterable
from typing import NamedTuple

from django.urls import reverse

from billing.models import ClosingStatement, Document, ReleaseRequest
from billing.selectors.billing_list import JOBS_OFFERED, Entry
from escrow_site.lib import money
from escrow_site.lib.display import day_and_time
from jobs.models import Job, Person

TITLE_AT_MOST = 60
DOCUMENT_NAMES = {
    Document.Kind.FINAL_INVOICE: "Final invoice",
    Document.Kind.RECEIPT: "Receipt",
    Document.Kind.CREDIT_NOTE: "Credit note",
}


class Row(NamedTuple):
    """One line of the Billing list, ready to read: nothing is left to be done per row.

    A Closing Statement is a line too, on the tab of its Job; it is about no Milestone and no amount.
    """

    name: str
    what: str
    url: str
    job: str
    job_url: str
    escrow: str
    other_party: str
    other_role: str
    amount: str
    state: str
    state_label: str
    day: str
    time: str
    due_day: str
    due_time: str


def rows(entries: Iterable[Entry]) -> list[Row]:
    """The entries of a page as lines."""
    urls = {
        "request": _address("billing:release_request"),
        "document": _address("billing:document"),
        "job": _address("workroom:job_billing"),
    }
    return [_row(entry, urls) for entry in entries]


def _address(name: str) -> str:
    """The address of rows of one kind, to be filled with an id: one look-up for all of them."""
    return reverse(name, args=[0]).replace("/0/", "/{}/")


def _row(entry: Entry, urls: dict[str, str]) -> Row:
    if entry.is_request:
        what = "Release Request"
        state, state_label = entry.state, ReleaseRequest.State(entry.state).label
    else:
        what = DOCUMENT_NAMES[Document.Kind(entry.kind)]
        state, state_label = "paid", "Paid"
    day, time = day_and_time(entry.at)
    due_day, due_time = day_and_time(entry.due_at) if entry.due_at else ("", "")
    return Row(
        name=entry.name,
        what=what,
        url=urls["request" if entry.is_request else "document"].format(entry.id),
        job=shortened(entry.job),
        job_url=urls["job"].format(entry.job_id),
        escrow=shortened(entry.escrow),
        other_party=shortened(entry.other_party),
        other_role="Freelancer" if entry.role == "client" else "Client",
        amount=money.display(entry.amount_minor, entry.currency),
        state=state,
        state_label=state_label,
        day=day,
        time=time,
        due_day=due_day,
        due_time=due_time,
    )


def statement_rows(statements: Iterable[ClosingStatement]) -> list[Row]:
    """The Closing Statements of a Job as lines."""
    lines = []
    for statement in statements:
        day, time = day_and_time(statement.issued_at)
        lines.append(
            Row(
                name=statement.name,
                what="Closing Statement",
                url=reverse("billing:statement", args=[statement.pk]),
                job="",
                job_url="",
                escrow="All",
                other_party="",
                other_role="",
                amount="–",
                state="issued",
                state_label="Issued",
                day=day,
                time=time,
                due_day="",
                due_time="",
            )
        )
    return lines


def shortened(text: str) -> str:
    """A title that a row has room for."""
    return text if len(text) <= TITLE_AT_MOST else f"{text[: TITLE_AT_MOST - 1].rstrip()}…"


def jobs_to_choose(person: Person, *, chosen: int | None) -> list[tuple[int, str]]:
    """The newest Jobs that may have something to bill, and the chosen one, for the list's filter."""
    seen = Job.objects.seen_by(person).filter(activated_at__isnull=False)
    found = list(seen.order_by("-pk").values_list("pk", "title")[:JOBS_OFFERED])
    if chosen is not None and chosen not in dict(found):
        found += seen.filter(pk=chosen).values_list("pk", "title")
    return [(key, shortened(title)) for key, title in found]
