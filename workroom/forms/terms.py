"""Forms of Terms and their Milestones.

The rules are in the services; what they say about a single value stands beside that value, so that
everything that is wrong is shown at once.
"""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from django import forms
from django.http import QueryDict

from billing.services.escrow_changes import Lock
from escrow_site.lib.forms import MoneyField
from jobs.models import Job
from workroom.models import Milestone, Terms
from workroom.proposals import MilestoneInput, TermsInput
from workroom.services import versions
from workroom.services.versions import MILESTONES_AT_MOST

MILESTONES_PREFIX = "milestones"
COUNT = f"{MILESTONES_PREFIX}-TOTAL_FORMS"
TYPED_INTO_A_ROW = re.compile(
    rf"{MILESTONES_PREFIX}-([0-9]{{1,3}})-(title|due_on|amount|description)"
)
SHORT_NUMBER = re.compile(r"[0-9]{1,9}")
NOT_WHOLE = "The Milestones did not arrive whole. Please check them and send them again."


def date_input() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


def longest(model: type[Any], name: str) -> int:
    """The length that a text column of the model has room for."""
    return model._meta.get_field(name).max_length


class DayField(forms.DateField):
    """A day that Terms can name."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, widget=date_input(), **options)

    def validate(self, value: Any) -> None:
        super().validate(value)
        if refusal := versions.refuse_day(value):
            raise forms.ValidationError(refusal.message, code="refused")


class TermsForm(forms.Form):
    """Scope, timeline and a message to the other side."""

    scope = forms.CharField(
        max_length=longest(Terms, "scope"),
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text="What is delivered, and what is not included. One point a line is easy to compare.",
    )
    starts_on = DayField(label="Start")
    ends_on = DayField(label="End", help_text="Empty: to be determined.")
    message = forms.CharField(
        label="Message to the other side",
        required=False,
        max_length=longest(Terms, "message"),
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="It goes with these Terms and is no part of them.",
    )

    def clean(self) -> None:
        read = self.cleaned_data
        if refusal := versions.refuse_period(
            starts_on=read.get("starts_on"), ends_on=read.get("ends_on")
        ):
            self.add_error("ends_on", refusal.message)


class QuietIntegerField(forms.IntegerField):
    """A number beside the row's content: alone it does not make an empty row count as filled."""

    def has_changed(self, initial: Any, data: Any) -> bool:
        return False


class MilestoneForm(forms.Form):
    """One Milestone. A row that is left empty, or ticked for removal, is none."""

    title = forms.CharField(label="Milestone", max_length=longest(Milestone, "title"))
    due_on = DayField(label="Due")
    amount = MoneyField(label="Amount")
    place = QuietIntegerField(
        label="Place", required=False, min_value=1, max_value=999,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )  # fmt: skip
    description = forms.CharField(
        label="What is delivered",
        required=False,
        max_length=longest(Milestone, "description"),
        widget=forms.Textarea(attrs={"rows": 1}),
    )
    number = QuietIntegerField(
        required=False, min_value=1, max_value=2**31 - 1, widget=forms.HiddenInput
    )

    def __init__(self, *arguments: Any, job: Job, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.job = job
        self.lock = ""
        amount = self.fields["amount"]
        assert isinstance(amount, MoneyField)
        amount.currency = job.currency

    def show_lock(self, lock: Lock) -> None:
        """Say what of this Milestone cannot be changed now, before somebody types (R2.3)."""
        self.lock = lock.why
        closed = ["title", "due_on", "description"] if lock.is_whole else []
        closed += ["amount"] if lock.fixes_price else []
        for name in closed:
            self.fields[name].widget.attrs["readonly"] = True
        if lock.forbids_removal:
            self.fields.pop("DELETE", None)

    @property
    def milestone_number(self) -> int:
        """The number of the Milestone that the row shows; 0 for a new one, or what is no number."""
        shown = str(self["number"].value() or "")
        return int(shown) if SHORT_NUMBER.fullmatch(shown) else 0

    @property
    def is_filled(self) -> bool:
        """Whether this checked row is a Milestone: neither empty nor ticked for removal."""
        return self.has_changed() and not self.cleaned_data.get("DELETE")

    def clean(self) -> None:
        """What is wrong with a hidden field is said where people see it."""
        if self.has_error("number"):
            self.add_error(None, "This row did not arrive whole. Please open the page again.")
        amount_minor = self.cleaned_data.get("amount")
        if amount_minor is not None and (
            refusal := versions.refuse_amount(self.job, amount_minor, title=self._title())
        ):
            self.add_error("amount", refusal.message)

    def ends_by(self, ends_on: date | None) -> bool:
        """Whether the Milestone is due within the timeline; else it stands beside its date."""
        due_on = self.cleaned_data.get("due_on")
        refusal = versions.refuse_due_after(ends_on, due_on=due_on, title=self._title())
        if refusal:
            self.add_error("due_on", refusal.message)
        return refusal is None

    def _title(self) -> str:
        return self.cleaned_data.get("title") or "This Milestone"

    def milestone(self) -> MilestoneInput:
        """The values of a valid, filled row."""
        typed = self.cleaned_data
        return MilestoneInput(
            title=typed["title"],
            amount_minor=typed["amount"],
            due_on=typed["due_on"],
            description=typed["description"],
            number=typed["number"],
        )


class BaseMilestoneFormSet(forms.BaseFormSet):
    """The Milestones in their order. Every row may be left empty, also one that was filled."""

    default_error_messages = {
        "missing_management_form": NOT_WHOLE,
        "too_many_forms": f"One Job can have {MILESTONES_AT_MOST} Milestones at most.",
    }

    def __init__(self, *arguments: Any, job: Job, **options: Any) -> None:
        options["form_kwargs"] = {"job": job}
        options.setdefault("prefix", MILESTONES_PREFIX)
        super().__init__(*arguments, **options)
        self.extra = len(self.initial or [])
        self.is_whole = True
        if isinstance(self.data, QueryDict):
            self._count_what_arrived(self.data)

    def _count_what_arrived(self, data: QueryDict) -> None:
        """Rows beyond the count would be dropped unseen: show them again and save nothing."""
        arrived = rows_arrived(data)
        self.is_whole = _count(data) >= arrived
        if not self.is_whole:
            whole = data.copy()
            whole[COUNT] = str(arrived)
            whole[f"{MILESTONES_PREFIX}-INITIAL_FORMS"] = "0"
            self.data = whole

    def initial_form_count(self) -> int:
        """None: so that clearing a row removes its Milestone."""
        return 0

    def clean(self) -> None:
        if not self.is_whole:
            raise forms.ValidationError(NOT_WHOLE, code="not_whole")

    def milestones(self) -> tuple[MilestoneInput, ...]:
        """The filled rows in the order of their places; of two at one place the later comes first.

        So a row that is given the place of another goes before it.
        """
        filled = [
            (form.cleaned_data["place"] or len(self.forms) + 1, -index, form.milestone())
            for index, form in enumerate(self.forms)
            if form.is_filled
        ]
        return tuple(milestone for _, _, milestone in sorted(filled, key=lambda row: row[:2]))


MilestoneFormSet: Any = forms.formset_factory(
    MilestoneForm,
    formset=BaseMilestoneFormSet,
    can_delete=True,
    max_num=MILESTONES_AT_MOST,
    validate_max=True,
    absolute_max=MILESTONES_AT_MOST + 10,
)


class ProposalForms:
    """The form of the Terms and the rows of the Milestones as one."""

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        job: Job,
        terms: TermsInput | None = None,
        with_milestones: bool = True,
        locks: Mapping[int, Lock] | None = None,
    ) -> None:
        self.job = job
        self.saved = terms if data is None else None
        self.terms = TermsForm(data, initial=_terms_values(terms) if terms else None)
        self.milestones: Any = None
        if with_milestones:
            rows = [_milestone_values(one) for one in terms.milestones] if terms else []
            self.milestones = MilestoneFormSet(data, job=job, initial=numbered(rows or [{}]))
            self._show_locks(locks or {})

    def _show_locks(self, locks: Mapping[int, Lock]) -> None:
        for row in self.milestones:
            if lock := locks.get(row.milestone_number):
                row.show_lock(lock)

    @classmethod
    def with_another_row(
        cls, data: QueryDict, *, job: Job, locks: Mapping[int, Lock] | None = None
    ) -> "ProposalForms":
        """What was typed so far and one more empty Milestone; nothing is checked yet."""
        forms_ = cls(job=job)
        forms_.terms = TermsForm(initial=typed(TermsForm, data))
        rows = typed_rows(data)
        forms_.milestones = MilestoneFormSet(job=job, initial=numbered([*rows, {}]))
        forms_._show_locks(locks or {})
        return forms_

    def is_valid(self) -> bool:
        """Check both, and each against the other, so that all errors show at once."""
        if self.milestones is None:
            return self.terms.is_valid()
        return all([self.terms.is_valid(), self.milestones.is_valid(), self._fits()])

    def _fits(self) -> bool:
        """Whether the Milestones fit the payment and the timeline; else it stands beside them."""
        filled = [row for row in self.milestones if row.is_filled]
        if filled and (refusal := versions.refuse_milestones(self.job)):
            self.terms.add_error(None, refusal.message)
            return False
        ends_on = self.terms.cleaned_data.get("ends_on")
        late = [row for row in filled if not row.ends_by(ends_on)]
        return not late

    def total_minor(self) -> int | None:
        """The sum of the saved Milestones; None when what is shown was not saved."""
        return self.saved.total_minor if self.saved else None

    def terms_input(self) -> TermsInput:
        """The values of valid forms."""
        typed_terms = self.terms.cleaned_data
        return TermsInput(
            scope=typed_terms["scope"],
            starts_on=typed_terms["starts_on"],
            ends_on=typed_terms["ends_on"],
            message=typed_terms["message"],
            milestones=self.milestones.milestones() if self.milestones else (),
        )


def typed(form: type[forms.Form], data: QueryDict, prefix: str = "") -> dict[str, str]:
    """What a person typed into the fields of a form, unread."""
    start = f"{prefix}-" if prefix else ""
    return {name: data.get(f"{start}{name}", "") for name in form.base_fields}


def typed_rows(data: QueryDict) -> list[dict[str, str]]:
    """What was typed into the rows of Milestones, without those ticked for removal."""
    count = max(_count(data), rows_arrived(data))
    prefixes = [f"{MILESTONES_PREFIX}-{place}" for place in range(min(count, MILESTONES_AT_MOST))]
    return [
        typed(MilestoneForm, data, prefix)
        for prefix in prefixes
        if not data.get(f"{prefix}-DELETE")
    ]


def rows_arrived(data: QueryDict) -> int:
    """How many rows hold what somebody typed, up to the last of them, whatever their count says."""
    found = (TYPED_INTO_A_ROW.fullmatch(name) for name, value in data.items() if value)
    return max((int(match[1]) + 1 for match in found if match), default=0)


def _count(data: QueryDict) -> int:
    """The number of rows that the page says it has; 0 if it does not say."""
    try:
        return int(data.get(COUNT, ""))
    except ValueError:
        return 0


def numbered(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows that have no place yet get the one they stand at."""
    return [{**row, "place": row.get("place") or place} for place, row in enumerate(rows, start=1)]


def _terms_values(terms: TermsInput) -> dict[str, Any]:
    return {
        "scope": terms.scope,
        "starts_on": terms.starts_on,
        "ends_on": terms.ends_on,
        "message": terms.message,
    }


def _milestone_values(milestone: MilestoneInput) -> dict[str, Any]:
    return {
        "title": milestone.title,
        "due_on": milestone.due_on,
        "amount": milestone.amount_minor,
        "description": milestone.description,
        "number": milestone.number,
    }


class VersionForm(forms.Form):
    """The version that the person saw when the page was made."""

    answering = forms.IntegerField(
        min_value=1, max_value=2**31 - 1, widget=forms.HiddenInput, required=True
    )


class AcceptForm(forms.Form):
    """What the person saw going back to the Client when the page was made."""

    seen_refund_minor = forms.IntegerField(
        min_value=0, max_value=2**63 - 1, widget=forms.HiddenInput, required=False
    )


class AnswerForm(forms.Form):
    """Why a proposal or the whole Job is declined."""

    answer = forms.CharField(
        label="Reason",
        required=False,
        max_length=longest(Terms, "answer"),
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="The other side reads it.",
    )
