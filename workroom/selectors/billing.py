"""The lines of the Billing list, on Manage ▸ Billing and on a Job's Billing & Invoices tab."""

from collections.abc import Iterable
from typing import NamedTuple

from django.urls import reverse

from billing.models import ClosingStatement, Document, ReleaseRequest
from billing.selectors.billing_list import JOBS_OFFERED, Entry
from escrow_site.lib import money, statements
from escrow_site.lib.display import day_and_time
from escrow_site.lib.web import address_pattern
from jobs.models import Person

TITLE_AT_MOST = 60
JOBS_TO_CHOOSE = """
WITH mine AS NOT MATERIALIZED (
  SELECT id, title FROM jobs_job
   WHERE (client_id = %(person)s OR (freelancer_id = %(person)s AND awarded_at IS NOT NULL))
     AND activated_at IS NOT NULL
), newest AS (
  SELECT id, title FROM mine ORDER BY id DESC LIMIT %(limit)s
)
SELECT id, title FROM newest
 UNION
SELECT id, title FROM mine WHERE id = %(chosen)s
 ORDER BY id DESC
"""
REQUEST_STATES = dict(ReleaseRequest.State.choices)
DOCUMENT_NAMES: dict[str, str] = {
    Document.Kind.FINAL_INVOICE: "Final invoice",
    Document.Kind.RECEIPT: "Receipt",
    Document.Kind.CREDIT_NOTE: "Credit note",
}


class Row(NamedTuple):
    """One line of the Billing list, ready to read: nothing is left to be done per row.

    ``paper_url`` leads to the document of that name, ``url`` to what can be done about the line. A
    Closing Statement is a line too, on the tab of its Job; it is about no Milestone and no amount.
    """

    name: str
    paper_url: str
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
        "request": address_pattern("billing:release_request"),
        "pro_forma": address_pattern("billing:pro_forma"),
        "document": address_pattern("billing:document"),
        "job": address_pattern("workroom:job_billing"),
    }
    return [_row(entry, urls) for entry in entries]


def _row(entry: Entry, urls: dict[str, str]) -> Row:
    if entry.is_request:
        what = "Release Request"
        state, state_label = entry.state, REQUEST_STATES[entry.state]
    else:
        what = DOCUMENT_NAMES[entry.kind]
        is_credit_note = entry.kind == Document.Kind.CREDIT_NOTE
        state, state_label = ("issued", "Issued") if is_credit_note else ("paid", "Paid")
    day, time = day_and_time(entry.at)
    due_day, due_time = day_and_time(entry.due_at) if entry.due_at else ("", "")
    return Row(
        name=entry.name,
        paper_url=urls["pro_forma" if entry.is_request else "document"].format(entry.paper_id),
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
        url = reverse("billing:statement", args=[statement.pk])
        lines.append(
            Row(
                name=statement.name,
                paper_url=url,
                what="Closing Statement",
                url=url,
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
    offered = {"person": person.pk, "chosen": chosen, "limit": JOBS_OFFERED}
    return [(row["id"], shortened(row["title"])) for row in statements.run(JOBS_TO_CHOOSE, offered)]
