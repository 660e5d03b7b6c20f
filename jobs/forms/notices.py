"""What the list of notices sends. Shape only."""

from django import forms

LARGEST_ID = 2**63 - 1


class SeenForm(forms.Form):
    """The newest notice that the person saw when he marked all as read."""

    up_to = forms.IntegerField(min_value=1, max_value=LARGEST_ID)
