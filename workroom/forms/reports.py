"""The form of a Status Report: shape only; the rules are in ``services.reports``.

A page of a report is a ReportForm and one Row per Milestone of the agreed Terms. Without JavaScript
the billing section is filled by showing the page once more (R4.2, R4.4).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict

from billing.models import Escrow
from billing.services import release_requests
from billing.services.amounts import NOTHING, Amounts, quote
from escrow_site.lib.forms import FilesField, FilesInput
from escrow_site.lib.refusals import Refusal
from jobs.models import Job, Person
from jobs.services.files import ACCEPTED, ACCEPTED_EXTENSIONS, WrongFile
from workroom.models import StatusReport
from workroom.services import reports
from workroom.services.reports import Line, LinesRefused


class ReportForm(forms.Form):
    """What a report says beside its Milestones."""

    comments = forms.CharField(
        max_length=5000,
        required=False,
        label="Comments",
        help_text="What was done this week, and anything that you want to say.",
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    plan = forms.CharField(
        max_length=5000,
        required=False,
        label="Plan for next week",
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    attachments = FilesField(
        required=False,
        label="Attachments",
        widget=FilesInput(attrs={"accept": ACCEPTED_EXTENSIONS}),
    )
    kept_files = forms.MultipleChoiceField(
        required=False,
        label="Attached to the last sending",
        help_text="Ticked files go with this sending too.",
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(
        self,
        data: QueryDict | None,
        files: MultiValueDict[str, UploadedFile] | None,
        *,
        earlier: StatusReport | None,
    ) -> None:
        """``earlier`` is the last sending of the same week, which this one replaces."""
        kept_files = (
            [attachment.file for attachment in earlier.attachments.all()] if earlier else []
        )
        initial: dict[str, Any] = {"kept_files": [file.key for file in kept_files]}
        if earlier:
            initial |= {"comments": earlier.comments, "plan": earlier.plan}
        super().__init__(data, files, initial=initial)
        self.fields["attachments"].help_text = (
            f"At most {settings.FILES_AT_MOST} files of {settings.FILES_LARGEST_BYTES >> 20} MB: "
            f"{ACCEPTED}."
        )
        kept = self.fields["kept_files"]
        assert isinstance(kept, forms.MultipleChoiceField)
        kept.choices = [(file.key, file.name) for file in kept_files]
        if not kept_files:
            del self.fields["kept_files"]


class LineForm(forms.Form):
    """What is said about one Milestone.

    ``seen`` is the amount that stood beside the box "Add to Billing", ``asked`` says that the page
    showed that box with the Milestone at 100 %.
    """

    percent = forms.IntegerField(
        min_value=0,
        max_value=100,
        error_messages={
            "required": "Enter how far it is, from 0 to 100.",
            "invalid": "Enter a whole number from 0 to 100.",
            "min_value": "Percent complete goes from 0 to 100.",
            "max_value": "Percent complete goes from 0 to 100.",
        },
    )
    comment = forms.CharField(max_length=500, required=False)
    bill = forms.BooleanField(required=False)
    seen = forms.IntegerField(required=False)
    asked = forms.BooleanField(required=False)


@dataclass
class Row:
    """One Milestone on the page.

    ``before`` is its percent at the last sending, ``not_billed`` why it cannot be billed now,
    ``amounts`` what its release would come to, ``form`` what the person typed.
    """

    escrow: Escrow
    before: int
    not_billed: Refusal | None
    amounts: Amounts
    form: LineForm

    @property
    def percent(self) -> int | None:
        """What stands in the field, as the form will read it; None if that is no percentage."""
        try:
            return self.form.fields["percent"].clean(self.form["percent"].value())
        except forms.ValidationError:
            return None

    @property
    def is_complete(self) -> bool:
        return self.percent == 100

    @property
    def fees_minor(self) -> int:
        return self.amounts.gross_minor - self.amounts.net_minor

    @property
    def is_offered(self) -> bool:
        return self.not_billed is None

    @property
    def is_billed(self) -> bool:
        """Whether the box is shown ticked."""
        return self.is_offered and bool(self.form["bill"].value())

    @property
    def asked(self) -> bool:
        """Whether the page that was sent showed the box with the Milestone at 100 %."""
        return bool(self.form["asked"].value())

    @property
    def ticks_itself(self) -> bool:
        """Whether percent rose to 100 and the person has not seen yet that this bills it (R4.4)."""
        return (
            self.is_offered
            and self.is_complete
            and self.before < 100
            and not self.asked
            and not self.is_billed
        )

    @property
    def line(self) -> Line:
        """What the service is asked to write."""
        typed = self.form.cleaned_data
        return Line(
            number=self.escrow.number,
            percent=typed["percent"],
            comment=typed["comment"],
            bill=typed["bill"],
            seen_minor=typed["seen"],
        )


@dataclass
class Sheet:
    """The page of a report that is being written: the form, its rows, and the week that it is."""

    form: ReportForm
    rows: list[Row]
    week_starts_on: date
    earlier: StatusReport | None

    @property
    def week_ends_on(self) -> date:
        return self.week_starts_on + timedelta(days=6)

    def is_valid(self) -> bool:
        """Whether everything is in shape; every line is looked at, so that all errors show."""
        return all([self.form.is_valid(), *(row.form.is_valid() for row in self.rows)])

    @property
    def has_errors(self) -> bool:
        return bool(self.form.errors or any(row.form.errors for row in self.rows))

    @property
    def rows_that_tick_themselves(self) -> list[Row]:
        return [row for row in self.rows if row.ticks_itself]

    @property
    def rows_offered(self) -> list[Row]:
        return [row for row in self.rows if row.is_offered]

    @property
    def billed(self) -> Amounts:
        """What the billing section adds up to."""
        return sum((row.amounts for row in self.rows if row.is_billed), start=NOTHING)

    @property
    def billed_fees_minor(self) -> int:
        return self.billed.gross_minor - self.billed.net_minor

    def row(self, number: int) -> Row | None:
        return next((row for row in self.rows if row.escrow.number == number), None)

    def show(self, refusal: Refusal) -> None:
        """Put what the service said where it belongs."""
        if isinstance(refusal, LinesRefused):
            self._show_problems(refusal.problems)
        elif isinstance(refusal, WrongFile):
            self.form.add_error("attachments", refusal.message)
        else:
            self.form.add_error(None, refusal.message)

    def _show_problems(self, problems: Mapping[int, str]) -> None:
        for row in self.rows:
            if problem := problems.get(row.escrow.number):
                row.form.add_error("percent", problem)


def open_sheet(
    job: Job,
    *,
    by: Person,
    at: datetime,
    data: QueryDict | None = None,
    files: MultiValueDict[str, UploadedFile] | None = None,
    bill: int | None = None,
) -> Sheet:
    """The report of this week as it is to be shown: as typed, or with what the last sending said.

    ``bill`` is the number of a Milestone to show at 100 % and in the billing section (R4.3).
    """
    week_starts_on = reports.current_week(by, at=at)
    last = reports.newest_report(job)
    earlier = last if last and last.week_starts_on == week_starts_on else None
    comments = {line.escrow_id: line.comment for line in earlier.lines.all()} if earlier else {}
    rows = []
    for escrow in reports.agreed_escrows(job):
        before = reports.last_percent(escrow, last)
        row = _open_row(escrow, before=before, by=by, at=at, data=data)
        row.form.initial = {"percent": before, "comment": comments.get(escrow.pk, "")}
        if bill == escrow.number and row.is_offered:
            row.form.initial |= {"percent": 100, "bill": True}
        rows.append(row)
    form = ReportForm(data, files, earlier=earlier)
    return Sheet(form=form, rows=rows, week_starts_on=week_starts_on, earlier=earlier)


def _open_row(
    escrow: Escrow, *, before: int, by: Person, at: datetime, data: QueryDict | None
) -> Row:
    assert escrow.job.policy is not None
    return Row(
        escrow=escrow,
        before=before,
        not_billed=release_requests.may_request_release(escrow, by=by, at=at),
        amounts=quote(escrow, policy=escrow.job.policy),
        form=LineForm(data, prefix=prefix_of(escrow.number)),
    )


def prefix_of(number: int) -> str:
    """The prefix of the fields of the Milestone with this number."""
    return f"m{number}"


def ticked(data: QueryDict, rows: list[Row]) -> QueryDict:
    """The typed data with the box "Add to Billing" of these Milestones ticked."""
    data = data.copy()
    for row in rows:
        data[f"{row.form.prefix}-bill"] = "on"
    return data
