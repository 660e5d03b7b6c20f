"""What stands on a Closing Statement (R11.2); its figures were frozen when it was issued."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse

from billing.models import ClosingStatement, Escrow
from billing.notices import COMPLETED
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
from escrow_site.lib.display import day_and_time, instant
from jobs.models import Activity, Person
from jobs.selectors import history

Line = Mapping[str, Any]

SUMS = [
    Column("Milestone", 24),
    Column("Funded", 15, is_number=True),
    Column("Released", 15, is_number=True),
    Column("Refunded", 15, is_number=True),
    Column("Fees", 14, is_number=True),
    Column("Net", 17, is_number=True),
]
# What went back after its release has a column of its own, where there is such money: "Released" is
# gross on every page, so that funded is released and refunded together.
SUMS_WITH_CREDITS = [
    Column("Milestone", 20),
    Column("Funded", 14, is_number=True),
    Column("Released", 14, is_number=True),
    Column("Refunded", 13, is_number=True),
    Column("Refunded later", 13, is_number=True),
    Column("Fees", 12, is_number=True),
    Column("Net", 14, is_number=True),
]
MOVEMENTS = [
    Column("When", 15),
    Column("What", 37),
    Column("By", 16),
    Column("Into escrow", 16, is_number=True),
    Column("Out of escrow", 16, is_number=True),
]
INFORMATION_ONLY = (
    "This statement is for information only. It is no invoice and no request for payment; the "
    "invoices and receipts named in it are the documents of record."
)


def statements_seen_by(person: Person) -> QuerySet[ClosingStatement]:
    """Closing Statements that the person may see."""
    rows = ClosingStatement.objects.select_related("job", "replaces", "replaced_by")
    return seen_by(person, rows)


@read_in_utc
def statement_paper(statement: ClosingStatement) -> Paper:
    """The Closing Statement with every movement of money, and sums that come to zero."""
    job = statement.job
    sums = statement.totals["job"]
    ending = _ending(statement)
    return Paper(
        kind="Closing Statement",
        number=statement.name,
        issued_at=statement.issued_at,
        issuer=settings.SITE_NAME,
        issuer_note="Summary of all escrow payments of one Job",
        parties=[
            party("Client", statement.parties["client"]),
            party("Freelancer", statement.parties["freelancer"]),
        ],
        facts=[
            Fact("Issued", instant(statement.issued_at)),
            Fact("Job", job.title, reverse("workroom:job", args=[job.pk])),
            Fact("Currency", job.currency),
            *_neighbours(statement),
            *_ended_by(ending),
        ],
        tables=[
            _sums_table(statement.totals, job.currency),
            Table(MOVEMENTS, _movement_groups(statement, job.currency), "Every payment"),
        ],
        totals=_totals(sums, job.currency),
        notes=[*_why_ended(ending), _equation(sums, job.currency), INFORMATION_ONLY],
    )


def _ending(statement: ClosingStatement) -> Activity | None:
    """The line of history that ended the Job; it never changes, as the Statement never does."""
    lines = Activity.objects.filter(job=statement.job_id, kind=COMPLETED.name)
    return lines.select_related("actor").first()


def _ended_by(ending: Activity | None) -> list[Fact]:
    return [Fact("Completed by", history.actor_name(ending, None))] if ending else []


def _why_ended(ending: Activity | None) -> list[str]:
    if ending is None:
        return []
    return [f"Completed on {instant(ending.happened_at)}. {ending.reason}".strip()]


def _neighbours(statement: ClosingStatement) -> list[Fact]:
    """The Statement that this one replaces, and the one that replaces it."""
    facts = []
    if statement.replaces:
        url = reverse("billing:statement", args=[statement.replaces.pk])
        facts.append(Fact("Replaces", statement.replaces.name, url))
    if newer := getattr(statement, "replaced_by", None):
        url = reverse("billing:statement", args=[newer.pk])
        facts.append(Fact("Replaced by", newer.name, url))
    return facts


def _refunded_minor(sums: Line) -> int:
    """All that went back to the Client, held or released before."""
    return int(sums["refunded_minor"]) + int(sums["credited_minor"])


def _return_fee_minor(sums: Line) -> int:
    """What was taken of money that went back; the oldest Statements knew of no such fee."""
    return int(sums.get("return_fee_minor", 0))


def _fees_minor(sums: Line) -> int:
    fees_minor = int(sums["service_fee_minor"]) + int(sums["processing_fee_minor"])
    return fees_minor + _return_fee_minor(sums)


def _sums_row(title: Cell, sums: Line, currency: str, *, with_credits: bool) -> list[Cell]:
    amounts_minor = (
        sums["funded_minor"],
        sums["released_minor"],
        sums["refunded_minor"],
        *([sums["credited_minor"]] if with_credits else []),
        _fees_minor(sums),
        sums["net_minor"],
    )
    return [title, *(Cell(money.display(amount, currency)) for amount in amounts_minor)]


def _milestone_name(milestone: Line) -> str:
    """Its place in the agreed Terms and its title; the oldest Statements knew only its number."""
    place = milestone.get("position", milestone["number"])
    return f"{place}. {milestone['title']}"


def _sums_table(totals: Line, currency: str) -> Table:
    """A row for each Milestone, and the Job's own below."""
    with_credits = bool(totals["job"]["credited_minor"])
    rows = [
        _sums_row(
            Cell(_milestone_name(sums), Escrow.State(sums["state"]).label),
            sums,
            currency,
            with_credits=with_credits,
        )
        for sums in totals["milestones"]
    ]
    job = _sums_row(Cell("The Job"), totals["job"], currency, with_credits=with_credits)
    return Table(SUMS_WITH_CREDITS if with_credits else SUMS, [Group(rows, sums=job)], "Totals")


def _movement_groups(statement: ClosingStatement, currency: str) -> list[Group]:
    """Each Milestone's movements in the order in which they happened; in and out come to the same."""
    groups = []
    for milestone in statement.totals["milestones"]:
        lines = [line for line in statement.lines if line["number"] == milestone["number"]]
        rows = [row for line in lines for row in _movement_rows(line, statement, currency)]
        if not rows:
            continue
        funded_minor = milestone["funded_minor"]
        sums = [Cell("Sum"), Cell(""), Cell(""), *[Cell(money.display(funded_minor, currency))] * 2]
        groups.append(Group(rows, _milestone_name(milestone), sums))
    return groups


def _movement_rows(line: Line, statement: ClosingStatement, currency: str) -> list[list[Cell]]:
    """One row for each amount that went into the Milestone's escrow or out of it."""
    when = Cell(*day_and_time(datetime.fromisoformat(line["at"])))
    by = Cell(line["actor"] or "–")
    freelancer = statement.parties["freelancer"]["name"]

    def amount(amount_minor: int) -> Cell:
        return Cell(money.display(amount_minor, currency))

    if line["what"] == "funding":
        return [[when, Cell("Funded"), by, amount(line["amount_minor"]), Cell("")]]
    if line["what"] == "refund":
        fee_minor = _return_fee_minor(line)
        refunded = Cell("Refunded to the Client", line["note"])
        rows = [[when, refunded, by, Cell(""), amount(line["amount_minor"] - fee_minor)]]
        if fee_minor:
            rows.append([when, Cell("Fee on the refund"), by, Cell(""), amount(fee_minor)])
        return rows
    if line["what"] == "credit":
        # It went past the escrow: from the Freelancer's balance and the fee, to the Client.
        note = (
            f"{money.display(line['amount_minor'], currency)} to the Client: "
            f"{money.display(line['net_minor'], currency)} from {freelancer}’s balance and "
            f"{money.display(line['service_fee_minor'], currency)} service fee given back. "
            f"{line['note']}"
        )
        return [[when, Cell("Refunded after its release", note), by, Cell("–"), Cell("–")]]
    assert line["what"] == "release", line
    released = Cell(f"Released to {freelancer}, net", line["note"])
    rows = [[when, released, by, Cell(""), amount(line["net_minor"])]]
    for name, fee_minor in (
        ("Service fee", line["service_fee_minor"]),
        ("Processing fee", line["processing_fee_minor"]),
    ):
        if fee_minor:
            rows.append([when, Cell(name), by, Cell(""), amount(fee_minor)])
    return rows


def _totals(sums: Line, currency: str) -> list[Total]:
    parts = [
        ("Funded by the Client", sums["funded_minor"], False),
        ("Refunded to the Client", _refunded_minor(sums) - _return_fee_minor(sums), False),
        ("Fees", _fees_minor(sums), False),
        ("Net to the Freelancer", sums["net_minor"], True),
    ]
    return [Total(label, money.display(part, currency), grand) for label, part, grand in parts]


def _equation(sums: Line, currency: str) -> str:
    """R11.2's own sum, in figures."""

    def amount(name: str) -> str:
        return money.display(sums[name], currency)

    refunded = money.display(_refunded_minor(sums), currency)
    if _return_fee_minor(sums):
        refunded += f", of which {amount('return_fee_minor')} fees"
    return (
        f"It sums to zero: funded {amount('funded_minor')} = released {amount('released_minor')} "
        f"− released and later refunded {amount('credited_minor')} + all refunded {refunded}."
    )
