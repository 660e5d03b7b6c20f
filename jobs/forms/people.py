"""What people say about themselves, at sign-up and in their profile. Shape only."""

from collections import defaultdict
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.forms.renderers import BaseRenderer
from django.forms.utils import flatatt
from django.http import HttpRequest, QueryDict
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from jobs.models import Person

# Names without one of these are abbreviations and old synonyms that people don't look for.
AREAS = {
    "Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe",
    "Indian", "Pacific",
}  # fmt: skip
Choices = list[tuple[str, str | list[tuple[str, str]]]]
LANGUAGES: Choices = [("en", "English")]


@cache
def time_zones() -> Choices:
    """All time zones, grouped by area; read from the disk once."""
    places: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for name in sorted(available_timezones()):
        area, _, place = name.partition("/")
        if area in AREAS:
            places[area].append((name, place.replace("_", " ")))
    return [("UTC", "UTC"), *places.items()]


@cache
def time_zone_options() -> str:
    """The list as HTML: drawing hundreds of options one by one would cost more than the page."""
    groups = []
    for area, places in time_zones():
        if isinstance(places, str):
            groups.append(format_html('<option value="{}">{}</option>', area, places))
        else:
            options = format_html_join("", '<option value="{}">{}</option>', places)
            groups.append(format_html('<optgroup label="{}">{}</optgroup>', area, options))
    return "".join(groups)


class TimeZoneSelect(forms.Select):
    """The list with the chosen one marked; a zone that is not on it is put in front."""

    def render(
        self,
        name: str,
        value: Any,
        attrs: dict[str, Any] | None = None,
        renderer: BaseRenderer | None = None,
    ) -> SafeString:
        marked = format_html('<option value="{}" selected>', value)
        options = time_zone_options().replace(format_html('<option value="{}">', value), marked)
        if marked not in options and self.known(value):
            options = marked + escape(value) + "</option>" + options
        final = self.build_attrs(self.attrs, {**(attrs or {}), "name": name})
        return format_html("<select{}>{}</select>", flatatt(final), mark_safe(options))

    def known(self, value: Any) -> bool:
        return any(value == choice for choice, _ in self.choices)


class NameField(forms.CharField):
    """One line, however it was sent."""

    def __init__(self, **options: Any) -> None:
        autocomplete = forms.TextInput(attrs={"autocomplete": "name"})
        super().__init__(max_length=120, widget=autocomplete, **options)

    def to_python(self, value: Any) -> Any:
        return " ".join((super().to_python(value) or "").split())


class TimeZoneField(forms.ChoiceField):
    """A time zone by its name in the time zone database, such as Europe/Berlin."""

    widget = TimeZoneSelect

    def __init__(self, **options: Any) -> None:
        super().__init__(choices=time_zones, **options)
        self.error_messages["invalid_choice"] = "Choose a time zone from the list."


class SignUpForm(forms.Form):
    """What sign-up asks for besides the address and the password."""

    field_order = ["name", "email", "password1", "time_zone"]

    name = NameField(label="Name", help_text="As it stands on invoices.")
    time_zone = TimeZoneField(
        label="Time zone", initial="UTC", help_text="All dates are shown in it; change it any time."
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if not self.is_bound:
            # The browser knows better than UTC (app.js); what was once sent is left alone.
            self.fields["time_zone"].widget.attrs["data-guess"] = "time-zone"

    def signup(self, request: HttpRequest, user: Person) -> None:
        """Called by allauth with the person just made."""
        user.name = self.cleaned_data["name"]
        user.time_zone = self.cleaned_data["time_zone"]
        user.save(update_fields=["name", "time_zone"])


class ProfileForm(forms.Form):
    """The profile; names, address and tax id are copied onto documents when these are issued."""

    name = NameField(label="Name", help_text="The other party sees it, and it stands on invoices.")
    time_zone = TimeZoneField(label="Time zone", help_text="All dates and mails are shown in it.")
    language = forms.ChoiceField(
        label="Language", choices=LANGUAGES, help_text="Notices are written in it."
    )
    billing_address = forms.CharField(
        label="Billing address",
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 4, "autocomplete": "street-address"}),
        help_text="For invoices: street, place, country. Invoices issued before stay as they are.",
    )
    tax_id = forms.CharField(
        label="Tax id", required=False, max_length=40, help_text="VAT number or the like."
    )

    def __init__(self, data: QueryDict | None = None, *, person: Person) -> None:
        super().__init__(data, initial={name: getattr(person, name) for name in self.base_fields})
        self._keep("time_zone", person.time_zone, among=time_zones())
        self._keep("language", person.language, among=LANGUAGES)

    def _keep(self, name: str, value: str, *, among: Choices) -> None:
        """A value that support has set stays, even if it is not on our list."""
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        if not field.valid_value(value):
            field.choices = [(value, value), *among]
