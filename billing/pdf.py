"""Papers as PDF: one layout for invoices, receipts, credit notes and Closing Statements.

What a paper says comes ready to read (``billing.selectors.papers``); here is only where it stands
on the sheet. The same paper makes the same bytes.
"""

from pathlib import Path

from fpdf import FPDF
from fpdf.fonts import TTFFont

from billing.selectors.papers import Cell, Column, Group, Paper, Party, Table

FONTS = Path(__file__).parent / "fonts"
FONT = "DejaVu"
MARGIN_MM = 18
FOOT_MM = 20
LINE_MM = 4.6
NOTE_LINE_MM = 3.9
ROW_PADDING_MM = 1.7
GUTTER_MM = 3
BODY, SMALL, LARGE, TITLE = 9, 7.5, 11, 17
INK, SOFT, LINE, VOID = (26, 35, 32), (83, 96, 90), (205, 212, 208), (180, 35, 24)


def render(paper: Paper) -> bytes:
    """The paper as a PDF on A4."""
    sheet = Sheet(paper)
    sheet.write_head()
    sheet.write_facts()
    sheet.write_parties()
    for table in paper.tables:
        sheet.write_table(table)
    sheet.write_totals()
    sheet.write_notes()
    return bytes(sheet.output())


class Sheet(FPDF):
    """The pages of one paper; breaks between rows and says on each page which paper it is."""

    def __init__(self, paper: Paper) -> None:
        super().__init__(format="A4")
        self.paper = paper
        self.open_columns: list[Column] = []
        self.set_margins(MARGIN_MM, MARGIN_MM)
        self.set_auto_page_break(True, FOOT_MM)
        self.c_margin = 0
        self.add_font(FONT, "", FONTS / "DejaVuSans.ttf")
        self.add_font(FONT, "B", FONTS / "DejaVuSans-Bold.ttf")
        self.set_title(f"{paper.kind} {paper.number}")
        self.set_author(paper.issuer)
        self.set_creation_date(paper.issued_at)
        self.set_lang("en")
        self.add_page()

    # What stands on every page

    def header(self) -> None:
        """The stamp of a void paper; from the second page on also its name and the table's head."""
        if self.paper.is_void:
            self._write_stamp()
        if self.page_no() == 1:
            return
        self._font(SMALL, soft=True)
        self.cell(self.epw / 2, LINE_MM, f"{self.paper.kind} {self.paper.number}")
        self.cell(self.epw / 2, LINE_MM, self._drawable(self.paper.issuer), align="R")
        self.ln(LINE_MM + 3)
        if self.open_columns:
            self._write_columns(self.open_columns)

    def footer(self) -> None:
        self.set_y(-FOOT_MM + 6)
        self._font(SMALL, soft=True)
        self.cell(self.epw / 2, LINE_MM, f"Page {self.page_no()} of {{nb}}")
        self.cell(self.epw / 2, LINE_MM, self.paper.number, align="R")

    def _write_stamp(self) -> None:
        with (
            self.local_context(fill_opacity=0.28, text_color=VOID),
            self.rotation(24, self.w / 2, self.h / 2),
        ):
            self.set_font(FONT, "B", 84)
            width = self.get_string_width("VOID")
            self.text((self.w - width) / 2, self.h / 2 + 12, "VOID")

    # The parts of the paper

    def write_head(self) -> None:
        """What it is at the left, who issued it at the right."""
        top, half = self.get_y(), self.epw / 2 - GUTTER_MM
        self._text(self.l_margin, half, self.paper.kind, TITLE, bold=True, line_mm=7.5)
        self._text(self.l_margin, half, self.paper.number, LARGE, soft=True, line_mm=5.5)
        if self.paper.state_label:
            self._text(self.l_margin, half, self.paper.state_label, BODY, bold=True)
        left_bottom = self.get_y()
        self.set_y(top)
        right = self.w - self.r_margin - half
        self._text(right, half, self.paper.issuer, LARGE, bold=True, align="R", line_mm=6)
        self._text(right, half, self.paper.issuer_note, SMALL, soft=True, align="R")
        self.set_y(max(left_bottom, self.get_y()) + 6)

    def write_facts(self) -> None:
        """Label above value, three in a row."""
        self._rule()
        width = self.epw / 3
        facts = self.paper.facts
        for start in range(0, len(facts), 3):
            top = bottom = self.get_y() + 2
            for place, fact in enumerate(facts[start : start + 3]):
                self.set_y(top)
                left = self.l_margin + place * width
                self._text(left, width - GUTTER_MM, fact.label, SMALL, soft=True)
                self._text(left, width - GUTTER_MM, fact.value, BODY, bold=True)
                bottom = max(bottom, self.get_y())
            self.set_y(bottom + 1)
        self.ln(2)
        self._rule()

    def write_parties(self) -> None:
        """The two parties side by side."""
        self.ln(6)
        top = bottom = self.get_y()
        for place, party in enumerate(self.paper.parties):
            self.set_y(top)
            self._write_party(party, self.l_margin + place * self.epw / 2)
            bottom = max(bottom, self.get_y())
        self.set_y(bottom + 8)

    def _write_party(self, party: Party, left: float) -> None:
        width = self.epw / 2 - GUTTER_MM
        self._text(left, width, party.label, SMALL, soft=True)
        self._text(left, width, party.name, BODY, bold=True)
        for line in party.lines:
            self._text(left, width, line, BODY)

    def write_table(self, table: Table) -> None:
        """A table whose head comes again on every page that it reaches."""
        if table.title:
            self._keep_together(24)
            self._text(self.l_margin, self.epw, table.title, LARGE, bold=True, line_mm=6)
        self._write_columns(table.columns)
        self.open_columns = table.columns
        for group in table.groups:
            self._write_group(table.columns, group)
        self.open_columns = []
        self.ln(6)

    def _write_group(self, columns: list[Column], group: Group) -> None:
        if group.title:
            self._keep_together(18)
            self.ln(2)
            self._text(self.l_margin, self.epw, group.title, BODY, bold=True)
            self.ln(1)
        for row in group.rows:
            self._write_row(columns, row)
        if group.sums:
            self._write_row(columns, group.sums, bold=True)

    def _write_columns(self, columns: list[Column]) -> None:
        self._write_row(columns, [Cell(column.label) for column in columns], bold=True, size=SMALL)
        self.set_draw_color(*INK)
        self.set_line_width(0.4)
        self.line(self.l_margin, self.get_y(), self.w - self.r_margin, self.get_y())

    def _write_row(
        self, columns: list[Column], row: list[Cell], *, bold: bool = False, size: float = BODY
    ) -> None:
        """One row on one page: texts wrap inside their columns and the highest gives the height."""
        widths = [self.epw * column.share / 100 for column in columns]
        heights = [
            self._height(cell, width - GUTTER_MM, size, bold) if not column.is_number else LINE_MM
            for column, cell, width in zip(columns, row, widths, strict=True)
        ]
        height = max(heights) + 2 * ROW_PADDING_MM
        self._keep_together(height)
        top, left = self.get_y(), self.l_margin
        for column, cell, width in zip(columns, row, widths, strict=True):
            align = "R" if column.is_number else "L"
            shift = GUTTER_MM if column.is_number else 0
            self.set_y(top + ROW_PADDING_MM)
            fitting = self._fitting(cell.text, width - GUTTER_MM, size, bold, column)
            self._text(left + shift, width - GUTTER_MM, cell.text, fitting, bold=bold, align=align)
            if cell.note:
                self._text(left, width - GUTTER_MM, cell.note, SMALL, soft=True)
            left += width
        self.set_y(top + height)
        self._rule()

    def _fitting(self, text: str, width: float, size: float, bold: bool, column: Column) -> float:
        """An amount never breaks: the size in which it fits on one line of its column."""
        if not column.is_number:
            return size
        self._font(size, bold=bold)
        return min(size, 0.99 * size * width / max(self.get_string_width(text), 0.1))

    def _height(self, cell: Cell, width: float, size: float, bold: bool) -> float:
        height = self._lines(cell.text, width, size, bold) * LINE_MM
        if cell.note:
            height += self._lines(cell.note, width, SMALL, bold=False) * NOTE_LINE_MM
        return height

    def _lines(self, text: str, width: float, size: float, bold: bool) -> int:
        self._font(size, bold=bold)
        text = self._drawable(text)
        lines = self.multi_cell(width, LINE_MM, text, dry_run=True, output="LINES")
        assert isinstance(lines, list)
        return len(lines)

    def write_totals(self) -> None:
        """Label and amount at the right; the grand total is the large one."""
        self._keep_together(len(self.paper.totals) * 8)
        width = self.epw * 0.55
        left = self.w - self.r_margin - width
        for total in self.paper.totals:
            size = LARGE if total.grand else BODY
            top = self.get_y()
            self._text(left, width * 0.6, total.label, size, bold=total.grand, soft=not total.grand)
            bottom = self.get_y()
            self.set_y(top)
            self._text(
                left + width * 0.6, width * 0.4, total.amount, size, bold=total.grand, align="R"
            )
            self.set_y(max(bottom, self.get_y()) + 1.6)
        self.ln(6)

    def write_notes(self) -> None:
        self._keep_together(12)
        self._rule()
        self.ln(2)
        for note in self.paper.notes:
            self._text(self.l_margin, self.epw, note, SMALL, soft=True)
            self.ln(1.5)

    # Tools

    def _keep_together(self, height_mm: float) -> None:
        """Start a new page when this much no longer fits on this one."""
        if self.get_y() + height_mm > self.page_break_trigger:
            self.add_page()

    def _rule(self) -> None:
        self.set_draw_color(*LINE)
        self.set_line_width(0.2)
        self.line(self.l_margin, self.get_y(), self.w - self.r_margin, self.get_y())

    def _font(self, size: float, *, bold: bool = False, soft: bool = False) -> None:
        self.set_font(FONT, "B" if bold else "", size)
        self.set_text_color(*(SOFT if soft else INK))

    def _drawable(self, text: str) -> str:
        """The text with a box for what the font has no sign for, so that nothing is dropped unseen.

        And what looks like the place of the page count does not become it.
        """
        text = text.replace("{nb}", "{\u200bnb}")
        font = self.fonts[f"{FONT.lower()}{self.font_style}"]
        assert isinstance(font, TTFFont)
        return "".join(sign if ord(sign) in font.cmap or sign == "\n" else "□" for sign in text)

    def _text(
        self,
        left: float,
        width: float,
        text: str,
        size: float,
        *,
        bold: bool = False,
        soft: bool = False,
        align: str = "L",
        line_mm: float = 0,
    ) -> None:
        """Wrapped text in a column; the cursor goes below it."""
        self._font(size, bold=bold, soft=soft)
        height = line_mm or (NOTE_LINE_MM if size == SMALL else LINE_MM)
        text = self._drawable(text)
        self.set_x(left)
        self.multi_cell(width, height, text, align=align, new_x="LMARGIN", new_y="NEXT")
