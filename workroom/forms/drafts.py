"""The form of a Job before its award; its Terms are in forms.terms."""

from typing import Any

from django import forms

from escrow_site.lib import money
from escrow_site.lib.forms import MoneyField
from jobs.models import Job, Policy
from workroom.forms.terms import longest
from workroom.proposals import JobDetails
from workroom.services import drafts

KINDS = (
    (Job.Kind.FIXED_PRICE, "Fixed price, paid by Milestone through escrow"),
    (Job.Kind.HOURLY, "Hourly, with weekly timesheets and without escrow"),
)
FIRST_CURRENCY = "USD"


class JobForm(forms.Form):
    """What the Job is and how it is paid."""

    title = forms.CharField(max_length=longest(Job, "title"))
    description = forms.CharField(
        required=False,
        max_length=longest(Job, "description"),
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="What it is about, in a few words. What is delivered belongs into the scope.",
    )
    kind = forms.ChoiceField(
        label="Payment", choices=KINDS, initial=Job.Kind.FIXED_PRICE, widget=forms.RadioSelect
    )
    currency = forms.ChoiceField(
        choices=[(code, code) for code in money.CURRENCIES], initial=FIRST_CURRENCY
    )
    hourly_rate = MoneyField(
        label="Hourly rate",
        required=False,
        help_text="For an hourly Job only: leave it empty for a fixed price.",
    )

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.chosen_currency = self._chosen_currency()
        rate = self.fields["hourly_rate"]
        assert isinstance(rate, MoneyField)
        rate.currency = self.chosen_currency

    def _chosen_currency(self) -> str:
        """The chosen currency: amounts are read and shown in it."""
        chosen = self.data.get("currency") if self.is_bound else self.initial.get("currency")
        return chosen if chosen in money.CURRENCIES else FIRST_CURRENCY

    def clean(self) -> None:
        """Payment and rate can contradict each other: that is said with whatever else is wrong."""
        if {"kind", "hourly_rate"} <= self.cleaned_data.keys() and (
            refusal := drafts.refuse_rate(self.job())
        ):
            self.add_error("hourly_rate", refusal.message)

    def job(self) -> Job:
        """How the Job is paid, as far as that could be read: what its Milestones are judged by."""
        read: dict[str, Any] = getattr(self, "cleaned_data", {})
        return Job(
            kind=read.get("kind", ""),
            currency=self.chosen_currency,
            hourly_rate_minor=read.get("hourly_rate"),
            policy=Policy.objects.current() if self.is_bound else None,
        )

    def details(self) -> JobDetails:
        """The values of a valid form."""
        return JobDetails(
            title=self.cleaned_data["title"],
            description=self.cleaned_data["description"],
            kind=self.cleaned_data["kind"],
            currency=self.cleaned_data["currency"],
            hourly_rate_minor=self.cleaned_data["hourly_rate"],
        )


def values_of(job: Job) -> dict[str, Any]:
    """The values that the form of a draft begins with."""
    return {
        "title": job.title,
        "description": job.description,
        "kind": job.kind,
        "currency": job.currency,
        "hourly_rate": job.hourly_rate_minor,
    }
