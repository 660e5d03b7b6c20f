"""What the Billing list is filtered and sorted by; shape only."""

from django import forms

from billing.selectors.billing_list import ANY_REQUEST, DOCUMENTS, REQUESTS, SORTS, Wanted

LARGEST_ID = 2**63 - 1
ROLES = [("", "Client or Freelancer"), ("client", "Client"), ("freelancer", "Freelancer")]
SHOWN = [
    ("", "All"),
    ("Release Requests", [(ANY_REQUEST, "All Release Requests"), *REQUESTS.items()]),
    ("Documents", list(DOCUMENTS.items())),
]
BAD_CHOICE = {"invalid_choice": "Choose one of the list."}


class BillingFilter(forms.Form):
    """The filters of the Billing list; what is wrong is named and counts as not given."""

    role = forms.ChoiceField(label="I am", choices=ROLES, required=False, error_messages=BAD_CHOICE)
    show = forms.ChoiceField(choices=SHOWN, required=False, error_messages=BAD_CHOICE)
    job = forms.IntegerField(min_value=1, max_value=LARGEST_ID, required=False)
    words = forms.CharField(label="Search", max_length=100, required=False)
    sort = forms.ChoiceField(
        choices=[(way + name, name) for name in SORTS for way in ("", "-")],
        required=False,
        error_messages=BAD_CHOICE,
    )

    def wanted(self) -> Wanted:
        """What is asked for, without what is not valid."""
        self.is_valid()
        given = self.cleaned_data
        return Wanted(
            role=given.get("role", ""),
            show=given.get("show", ""),
            job_id=given.get("job"),
            words=given.get("words", ""),
            sort=given.get("sort") or Wanted.sort,
        )
