"""The layout of papers as PDF: what is on which sheet, whatever is written on it."""

import io
from dataclasses import replace
from datetime import UTC, datetime

import pypdf
import pytest

from billing import pdf
from billing.selectors.papers import Cell, Column, Fact, Group, Paper, Party, Table, Total

AMOUNTS = [Column("What for", 72), Column("Amount", 28, is_number=True)]


@pytest.fixture
def paper() -> Paper:
    return Paper(
        kind="Final invoice",
        number="INV-7-0001",
        issued_at=datetime(2026, 3, 9, 12, tzinfo=UTC),
        issuer="Frank Freelancer",
        issuer_note="Paid through Escrow Workroom",
        parties=[
            Party("From", "Frank Freelancer", ["1 Main Street"]),
            Party("Billed to", "Clara Client", ["2 Side Street"]),
        ],
        facts=[Fact("Issued", "9 Mar 2026, 12:00 UTC"), Fact("Job", "Website", "/jobs/1/")],
        tables=[Table(AMOUNTS, [Group([[Cell("Design", "Website"), Cell("$500.00")]])])],
        totals=[Total("Total", "$500.00", grand=True), Total("Service fee", "$43.75")],
        notes=["Nothing is left to pay."],
    )


def sheets(paper: Paper) -> list[str]:
    """The text of each sheet, words divided by single spaces."""
    pages = pypdf.PdfReader(io.BytesIO(pdf.render(paper))).pages
    return [" ".join(page.extract_text().split()) for page in pages]


def with_rows(paper: Paper, number: int) -> Paper:
    rows = [[Cell(f"Row {place}", "a note"), Cell(f"${place}.00")] for place in range(number)]
    return replace(paper, tables=[Table(AMOUNTS, [Group(rows, title="1. Design")])])


def test_one_sheet_has_it_all(paper: Paper) -> None:
    (text,) = sheets(paper)
    assert text.startswith("Final invoice INV-7-0001 Frank Freelancer Paid through Escrow Workroom")
    assert "Billed to Clara Client 2 Side Street" in text
    assert "What for Amount Design Website $500.00" in text
    assert text.endswith("Page 1 of 1 INV-7-0001")


def test_the_same_paper_makes_the_same_bytes(paper: Paper) -> None:
    assert pdf.render(paper) == pdf.render(paper)


def test_it_names_itself_to_readers_of_files(paper: Paper) -> None:
    about = pypdf.PdfReader(io.BytesIO(pdf.render(paper))).metadata
    assert about is not None
    assert (about.title, about.author) == ("Final invoice INV-7-0001", "Frank Freelancer")
    assert about.creation_date == paper.issued_at


def test_every_sheet_repeats_the_head_and_counts(paper: Paper) -> None:
    pages = sheets(with_rows(paper, 100))
    assert len(pages) == 6
    for place, text in enumerate(pages, 1):
        assert f"Page {place} of 6" in text
    for text in pages[1:-1]:
        assert text.startswith("Final invoice INV-7-0001 Frank Freelancer What for Amount Row ")
    joined = " ".join(pages)
    assert [place for place in range(100) if f"Row {place} a note ${place}.00" not in joined] == []


def test_no_row_is_torn_apart(paper: Paper) -> None:
    """A row with its note and amount is on one sheet."""
    pages = sheets(with_rows(paper, 100))
    for place in range(100):
        assert sum(f"Row {place} a note ${place}.00" in text for text in pages) == 1


def test_names_in_many_scripts(paper: Paper) -> None:
    name = "Żółć Łukasz Ελένη Привет Ðặng"
    (text,) = sheets(replace(paper, issuer=name))
    assert name in text


def test_a_sign_that_the_font_lacks_is_a_box_and_not_gone(paper: Paper) -> None:
    (text,) = sheets(replace(paper, issuer="Studio 東京 Ltd", parties=[Party("From", "𒀀", [])]))
    assert "Studio □□ Ltd" in text
    assert "From □" in text


def test_typed_text_is_not_taken_for_the_page_count(paper: Paper) -> None:
    (text,) = sheets(replace(paper, issuer="Studio {nb}"))
    assert "Studio {\u200bnb}" in text


@pytest.mark.parametrize(
    "text", ["", " ", "\t", "x" * 500, "a\nb", "**bold** {nb} <b> %s \\", "\u202e\u200b"]
)
def test_whatever_was_typed_is_printed(paper: Paper, text: str) -> None:
    party = Party("From", text, [text, text])
    changed = replace(
        paper,
        issuer=text,
        parties=[party, party],
        facts=[Fact("Job", text)] * 7,
        tables=[Table(AMOUNTS, [Group([[Cell(text, text), Cell("$1.00")]])])],
    )
    assert "$1.00" in " ".join(sheets(changed))


def test_an_amount_never_breaks(paper: Paper) -> None:
    columns = [Column("A", 88), Column("B", 12, is_number=True)]
    amount = "KWD 1,000,000,000.000"
    (text,) = sheets(replace(paper, tables=[Table(columns, [Group([[Cell("x"), Cell(amount)]])])]))
    assert amount in text


def test_void_is_stamped_on_every_sheet(paper: Paper) -> None:
    assert all("VOID" not in text for text in sheets(with_rows(paper, 40)))
    stamped = sheets(replace(with_rows(paper, 40), is_void=True))
    assert len(stamped) > 1
    assert all("VOID" in text for text in stamped)
