"""The form of the Fund page. Shape only; what may be funded is known to the service."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django import forms
from django.utils.html import format_html
from django.utils.safestring import SafeString

from billing.models import PaymentMethod
from billing.services import cards
from escrow_site.lib import money


def describe_card(method: PaymentMethod, *, at: datetime, is_first_funding: bool) -> SafeString:
    """A card as one chooses it: name, expiry, and what it cannot do."""
    expiry = f"{method.expires_on:%m/%y}"
    if cards.is_expired(method, at=at):
        note = f"Expired {expiry}"
    elif method.is_authenticated:
        note = f"Authenticated · expires {expiry}"
    elif is_first_funding:
        note = f"Not authenticated: first Milestone only · expires {expiry}"
    else:
        note = f"Cannot fund this before it is authenticated · expires {expiry}"
    return format_html("{} <small>{}</small>", method, note)


class FundForm(forms.Form):
    """Which Milestones, which card, and the total that the person saw."""

    escrow = forms.TypedMultipleChoiceField(
        coerce=int,
        widget=forms.MultipleHiddenInput,
        error_messages={
            "required": "Choose at least one Milestone to fund.",
            "invalid_choice": "A Milestone that you chose is not part of this Job.",
        },
    )
    seen_minor = forms.IntegerField(
        min_value=1,
        max_value=money.LARGEST_AMOUNT_MINOR,
        widget=forms.HiddenInput,
        error_messages=dict.fromkeys(
            ("required", "invalid", "min_value", "max_value"),
            "This page was out of date. Please check the amounts and fund again.",
        ),
    )
    card = forms.ChoiceField(
        label="Pay with",
        widget=forms.RadioSelect,
        error_messages={
            "required": "Choose a card.",
            "invalid_choice": "This card is not on your list: choose another one.",
        },
    )

    def __init__(
        self,
        *args: Any,
        numbers: Iterable[int],
        methods: Iterable[PaymentMethod],
        at: datetime,
        is_first_funding: bool,
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self.methods = {str(method.pk): method for method in methods}
        self.fields["escrow"].choices = [(number, number) for number in numbers]  # type: ignore[attr-defined]
        self.fields["card"].choices = [  # type: ignore[attr-defined]
            (key, describe_card(method, at=at, is_first_funding=is_first_funding))
            for key, method in self.methods.items()
        ]
        self.is_first_funding = is_first_funding

    @property
    def to_authenticate(self) -> list[PaymentMethod]:
        """The cards that cannot fund what is chosen until their bank has confirmed them (R3.3)."""
        if self.is_first_funding:
            return []
        return [method for method in self.methods.values() if not method.is_authenticated]

    @property
    def has_able_card(self) -> bool:
        """Whether one of the cards can fund what is chosen as it is."""
        return len(self.to_authenticate) < len(self.methods)

    @property
    def chosen_card(self) -> PaymentMethod:
        """The card that was chosen in a valid form."""
        return self.methods[self.cleaned_data["card"]]
