"""The filters above My Jobs."""

from django import forms

from jobs.models import Job
from workroom.selectors.my_jobs import SORTS

ROLES = [("", "All"), ("client", "As Client"), ("freelancer", "As Freelancer")]
NAMES = ("role", "state", "words", "sort")


class JobFilters(forms.Form):
    """A value that is none of its choices filters nothing and says so."""

    words = forms.CharField(
        label="Search",
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "Title or name"}),
    )
    role = forms.ChoiceField(required=False, choices=ROLES)
    state = forms.ChoiceField(required=False, choices=[("", "All"), *Job.State.choices])
    sort = forms.ChoiceField(
        required=False, choices=[(name, name) for name in SORTS], widget=forms.HiddenInput
    )

    def wanted(self) -> dict[str, str]:
        """The filters that make sense; the others are empty."""
        self.is_valid()
        return {name: self.cleaned_data.get(name, "") for name in NAMES}
