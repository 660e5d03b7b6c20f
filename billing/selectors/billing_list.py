"""The Billing list: Release Requests and issued documents of all Jobs of a person.

One statement for the rows of a page and one for their number and sums; plain SQL, because this is
the page that people open most and its rows come from two tables.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

from billing.models import Document, ProForma, ReleaseRequest
from jobs.models import Person

Values = dict[str, Any]

PAGE_SIZE = 50
JOBS_OFFERED = 25

# What a person may ask for: which of the two tables, and which of its rows.
REQUESTS = {
    ReleaseRequest.State.OPEN: "Open",
    ReleaseRequest.State.OVERDUE: "Overdue",
    ReleaseRequest.State.DISPUTED: "Disputed",
    ReleaseRequest.State.RELEASED: "Released",
    ReleaseRequest.State.VOIDED: "Voided",
    ReleaseRequest.State.RETURNED: "Changes requested",
    ReleaseRequest.State.SETTLED: "Settled",
}
DOCUMENTS = {
    Document.Kind.FINAL_INVOICE: "Final invoices",
    Document.Kind.RECEIPT: "Receipts",
    Document.Kind.CREDIT_NOTE: "Credit notes",
}
ANY_REQUEST = "requests"
# Amounts of several currencies do not compare: they are sorted within their currency.
SORTS = {
    "date": "entry.at {way}",
    "amount": "entry.currency, entry.amount_minor {way}",
    "due": "entry.due_at {way} NULLS LAST",
}

MINE = """
SELECT id, title, currency,
       CASE WHEN client_id = %(person)s THEN 'client' ELSE 'freelancer' END AS role,
       CASE WHEN client_id = %(person)s THEN freelancer_id ELSE client_id END AS other_id
  FROM jobs_job
 WHERE {conditions}
"""
COLUMNS = (
    "kind, id, paper_id, job_id, currency, escrow_id, issuer_id, number, state, amount_minor, at, "
    "due_at"
)
# Due is what is released by itself then: not what a Dispute or a chargeback has frozen (R9.1, R8.4).
REQUEST_ENTRIES = """
SELECT 'request', request.id, pro_forma.id, mine.id, mine.currency, request.escrow_id, 0::bigint,
       request.id, request.state, pro_forma.amount_minor, request.requested_at,
       CASE WHEN request.state IN ('open', 'overdue')
             AND NOT EXISTS (SELECT FROM billing_escrow AS frozen
                              WHERE frozen.id = request.escrow_id AND frozen.charged_back_at IS NOT NULL)
            THEN request.auto_release_at END
  FROM mine
  JOIN billing_releaserequest AS request ON request.job_id = mine.id
  JOIN billing_proforma AS pro_forma ON pro_forma.request_id = request.id
"""
DOCUMENT_ENTRIES = """
SELECT document.kind, document.id, document.id, mine.id, mine.currency, document.escrow_id,
       document.issuer_id, document.number::bigint, '', document.gross_minor, document.issued_at,
       NULL::timestamptz
  FROM mine
  JOIN billing_document AS document ON document.job_id = mine.id
"""
# Titles and names. All rows need them only while words are looked for, else just those of the page.
TITLES = """
  JOIN mine ON mine.id = entry.job_id
  JOIN billing_escrow AS escrow ON escrow.id = entry.escrow_id
  LEFT JOIN jobs_person AS other ON other.id = mine.other_id
"""
ORDER = '{order}, entry.at DESC, entry.kind COLLATE "C", entry.id DESC'
LIST = """
WITH mine AS ({mine}), every_entry ({columns}) AS ({entries}), entry AS (
  SELECT entry.*
    FROM every_entry AS entry {titles_for_words}
   WHERE {conditions}
   ORDER BY {order}
   LIMIT %(limit)s OFFSET %(offset)s
)
SELECT entry.*, mine.title AS job, mine.role, escrow.title AS escrow,
       COALESCE(NULLIF(other.name, ''), other.email, '') AS other_party
  FROM entry {titles}
 ORDER BY {order}
"""
SUMS = """
WITH mine AS ({mine}), entry ({columns}) AS ({entries})
SELECT entry.currency, count(*) AS entries,
       COALESCE(sum(entry.amount_minor) FILTER (WHERE entry.due_at IS NOT NULL), 0)::bigint
         AS waiting_minor
  FROM entry {titles_for_words}
 WHERE {conditions}
 GROUP BY entry.currency
 ORDER BY entry.currency
"""
SEARCHED = ("mine.title", "escrow.title", "other.name", "other.email")
WORDS_AT_MOST = 5
KINDS = {prefix: kind for kind, prefix in Document.PREFIXES.items()} | {ProForma.PREFIX: "request"}
NAME = re.compile(r"(?P<prefix>[A-Z]{2,3})-(?:(?P<issuer>\d{1,18})-)?(?P<number>\d{1,18})")


class Entry(NamedTuple):
    """One row of the list; ``at`` is when it was requested or issued, ``due_at`` while it waits.

    ``paper_id`` is the document that it is named after: of a request its pro-forma invoice.
    """

    kind: str
    id: int
    paper_id: int
    job_id: int
    currency: str
    escrow_id: int
    issuer_id: int
    number: int
    state: str
    amount_minor: int
    at: datetime
    due_at: datetime | None
    job: str
    role: str
    escrow: str
    other_party: str

    @property
    def is_request(self) -> bool:
        return self.kind == "request"

    @property
    def name(self) -> str:
        """What people call it."""
        if self.is_request:
            return ProForma.name_of(self.number)
        return Document.name_of(self.kind, self.issuer_id, self.number)


class Sums(NamedTuple):
    """How many rows there are in a currency, and how much of it waits for its release."""

    currency: str
    entries: int
    waiting_minor: int


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a person wants to see; empty is all of it. ``sort`` is a name of SORTS, "-" is downwards."""

    role: str = ""
    show: str = ""
    job_id: int | None = None
    words: str = ""
    sort: str = "-date"

    @property
    def order(self) -> str:
        name = self.sort.removeprefix("-")
        return ORDER.format(
            order=SORTS[name].format(way="DESC" if self.sort.startswith("-") else "ASC")
        )


def entries(
    person: Person, wanted: Wanted, *, offset: int = 0, limit: int = PAGE_SIZE
) -> list[Entry]:
    """A page of the list."""
    statement, values = _fill(LIST, person, wanted, order=wanted.order, titles=TITLES)
    rows = _run(statement, {**values, "limit": limit, "offset": offset})
    return [Entry(*row) for row in rows]


def sums(person: Person, wanted: Wanted) -> list[Sums]:
    """The number of rows and what waits for its release, for each currency."""
    statement, values = _fill(SUMS, person, wanted)
    return [Sums(*row) for row in _run(statement, values)]


def _run(statement: str, values: Values) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()


def _fill(statement: str, person: Person, wanted: Wanted, **parts: str) -> tuple[str, Values]:
    """The statement with its conditions, and the values for their places.

    What a person typed is only ever a value; the text is put together from the pieces above.
    """
    values: dict[str, Any] = {"person": person.pk, "job": wanted.job_id, "show": wanted.show}
    conditions = ["true"]
    for place, word in enumerate(wanted.words.split()[:WORDS_AT_MOST]):
        condition, word_values = _stands_somewhere(word, f"word{place}")
        conditions.append(condition)
        values.update(word_values)
    filled = statement.format(
        mine=MINE.format(conditions=_whose(wanted)),
        columns=COLUMNS,
        entries=_which(wanted.show),
        titles_for_words=TITLES if wanted.words else "",
        conditions=" AND ".join(conditions),
        **parts,
    )
    return filled, values


def _whose(wanted: Wanted) -> str:
    as_client = "client_id = %(person)s"
    as_freelancer = "(freelancer_id = %(person)s AND awarded_at IS NOT NULL)"
    either = f"({as_client} OR {as_freelancer})"
    mine = {"client": as_client, "freelancer": as_freelancer}.get(wanted.role, either)
    return f"{mine} AND id = %(job)s" if wanted.job_id is not None else mine


def _which(show: str) -> str:
    if show == ANY_REQUEST:
        return REQUEST_ENTRIES
    if show in REQUESTS:
        return f"{REQUEST_ENTRIES} WHERE request.state = %(show)s"
    if show in DOCUMENTS:
        return f"{DOCUMENT_ENTRIES} WHERE document.kind = %(show)s"
    return f"{REQUEST_ENTRIES} UNION ALL {DOCUMENT_ENTRIES}"


def _stands_somewhere(word: str, place: str) -> tuple[str, Values]:
    """The word is in a title or a name, or it is a document's name, written as people write it."""
    escaped = re.sub(r"([\\%_])", r"\\\1", word)
    values: dict[str, Any] = {place: f"%{escaped}%"}
    looks = [f"{column} ILIKE %({place})s" for column in SEARCHED]
    named = NAME.fullmatch(word.upper())
    if named and (kind := KINDS.get(named["prefix"])):
        values |= {f"{place}_kind": kind, f"{place}_number": int(named["number"])}
        its_name = f"entry.kind = %({place}_kind)s AND entry.number = %({place}_number)s"
        if named["issuer"]:
            values[f"{place}_issuer"] = int(named["issuer"])
            its_name += f" AND entry.issuer_id = %({place}_issuer)s"
        looks.append(f"({its_name})")
    return f"({' OR '.join(looks)})", values
