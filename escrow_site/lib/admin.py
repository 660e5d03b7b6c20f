"""The support desk: rows of the product that staff can read and find, and that nobody edits by hand.

How a column is written follows from its name, as names do everywhere in the house: ``*_minor`` is money, ``*_at``
an instant (in UTC), ``*_on`` a date, ``state`` a badge, a foreign key a link to its row. Which columns there are
and what a caller's words mean stands in each app's ``admin``; actions that change something will stand there too.
"""

import json
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import flatten_fieldsets
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import FieldDoesNotExist, SuspiciousOperation, ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from escrow_site.lib import display, money

Column = str | Callable[[Any], Any]

NUMBER = re.compile(r"#?(\d{1,18})")
JOB_NUMBER = re.compile(r"job\s*#?\s*(\d{1,18})", re.IGNORECASE)
# How a column may be asked by a filter of Django's: this value, one of these, none, from, until, in a month.
NARROWS = re.compile(r"__(exact|in|isnull|gte|lt|year|month|day)")
WORDS_AT_MOST = 8
NOTHING = "–"


# --- How values are written ---


def link(row: models.Model | None, text: object = None) -> SafeString | str:
    """A link to the row's own page at the desk; nothing for no row."""
    if row is None:
        return ""
    opts = row._meta
    url = reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[row.pk])
    return format_html('<a href="{}">{}</a>', url, row if text is None else text)


def list_url(name: str, **filters: str | int) -> str:
    """The address of a list, narrowed: ``list_url("billing_payment", job__id__exact=7)``."""
    return f"{reverse(f'admin:{name}_changelist')}?{urlencode(filters)}"


def in_utc(at: datetime | None) -> SafeString | str:
    """An instant for people in several time zones: ``8 Apr 2026, 14:00 UTC``, to the second on hover."""
    if at is None:
        return ""
    utc = at.astimezone(UTC)
    return format_html(
        '<time datetime="{}" title="{} UTC">{}, {} UTC</time>',
        utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
        utc.strftime("%Y-%m-%d %H:%M:%S.%f"),
        display.day(utc.date()),
        utc.strftime("%H:%M"),
    )


def badge(state: str, label: str) -> SafeString:
    """A state in its tone; the word is always there."""
    return format_html('<span class="state state-{}">{}</span>', state, label)


def as_text(value: Any) -> SafeString:
    """Structured data, readable."""
    text = json.dumps(value, indent=2, ensure_ascii=False, cls=DjangoJSONEncoder)
    return format_html("<pre>{}</pre>", text)


def lists(*entries: tuple[str, str]) -> SafeString:
    """Links to the lists that belong to a row: pairs of words and address."""
    items = format_html_join("", '<li><a href="{1}">{0}</a></li>', entries)
    return format_html('<ul class="related-lists">{}</ul>', items)


# --- Rows of one model ---


class Columns:
    """Writes the fields of a model by their names; shared by lists, detail pages and inlines."""

    currency_of = "currency"  # the way from a row to its currency
    empty_value_display = NOTHING
    model: type[models.Model]

    def column(self, name: str) -> Column:
        """What Django's admin shows under this name: our own method, a written field, or the field as it is."""
        # One function per name: Django compares the columns that it is told of in several places.
        made: dict[str, Column] = self.__dict__.setdefault("columns_made", {})
        if name not in made:
            made[name] = self._column(name)
        return made[name]

    def _column(self, name: str) -> Column:
        written = None if hasattr(self, name) else self._written(name)
        if written is None:
            return name
        field = self._field(name)
        label = str(field.verbose_name) if field else name.replace("_", " ")
        written.__name__ = name
        written.short_description = label.removesuffix(" minor")  # type: ignore[attr-defined]
        if field is not None:
            written.admin_order_field = name  # type: ignore[attr-defined]
        return written

    def columns(self, names: Iterable[str]) -> list[Column]:
        return [self.column(name) for name in names]

    def _field(self, name: str) -> "models.Field[Any, Any] | None":
        try:
            field = self.model._meta.get_field(name)
        except FieldDoesNotExist:
            return None
        return field if isinstance(field, models.Field) else None

    def _written(self, name: str) -> Callable[[Any], Any] | None:
        writer = self._writer(name)
        return None if writer is None else lambda row: writer(row) or NOTHING

    def _writer(self, name: str) -> Callable[[Any], Any] | None:
        field = self._field(name)
        if name.endswith("_minor"):
            return self._money(name)
        if name.endswith("_at") or isinstance(field, models.DateTimeField):
            return lambda row: in_utc(getattr(row, name))
        if name.endswith("_on"):
            return lambda row: getattr(row, name) and display.day(getattr(row, name))
        if name.endswith("_bytes"):
            return lambda row: filesizeformat(getattr(row, name))
        if name == "state":
            return lambda row: badge(row.state, row.get_state_display())
        if isinstance(field, models.ForeignKey):
            return lambda row: link(getattr(row, name))
        if isinstance(field, models.JSONField):
            return lambda row: as_text(getattr(row, name))
        return None

    def _money(self, name: str) -> Callable[[Any], str]:
        currency_of = attrgetter(self.currency_of)

        def amount(row: Any) -> str:
            amount_minor = getattr(row, name)
            return "" if amount_minor is None else money.display(amount_minor, currency_of(row))

        return amount


class SafeChangeList(ChangeList):
    """A list that answers nonsense in its address as it answers an unknown filter: without it."""

    def __init__(self, request: HttpRequest, *args: Any, **options: Any) -> None:
        if any("\x00" in value for values in request.GET.lists() for value in values[1]):
            raise IncorrectLookupParameters("no text has a NUL character")
        try:
            super().__init__(request, *args, **options)
        # A date that no calendar has, or a filter that the list does not offer.
        except (OverflowError, SuspiciousOperation) as error:
            raise IncorrectLookupParameters(error) from error
        self.title = capfirst(str(self.opts.verbose_name_plural))
        if not request.GET:
            # Years and months are counted from the rows: only once somebody has narrowed them.
            self.date_hierarchy = None


def _can_be_key(model: type[models.Model], text: str) -> bool:
    try:
        model._meta.pk.to_python(text)
    except ValidationError:
        return False
    return "\x00" not in text


class NarrowedAdmin(admin.ModelAdmin):
    """Lists that are narrowed by what they offer, and by nothing else.

    Django takes a condition on any column from the address of a list: whoever may see that there is a row could ask
    for what is hidden in it, bit by bit. Here only the filters of the list count, and the rows that belong to one
    row (``client__id__exact=7``), to which pages of the desk link.
    """

    job_path = ""

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[ChangeList]:
        return SafeChangeList

    def response_action(
        self, request: HttpRequest, queryset: QuerySet[Any], *place: Any, **options: Any
    ) -> Any:
        """An action for what was chosen; what is no key of any row was chosen by no list of ours."""
        for key in request.POST.getlist(ACTION_CHECKBOX_NAME):
            if not _can_be_key(self.model, key):
                messages.error(request, "Nothing was done: that is no row of this list.")
                return HttpResponseRedirect(request.get_full_path())
        return super().response_action(request, queryset, *place, **options)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        named, columns = self._offered(request)
        return lookup in named or any(
            lookup.startswith(column) and NARROWS.fullmatch(lookup.removeprefix(column))
            for column in columns
        )

    def _offered(self, request: HttpRequest) -> tuple[set[str], set[str]]:
        """The filters that must be written just so, and the columns that may be asked in several ways."""
        to_rows = {field.name for field in self.model._meta.concrete_fields if field.is_relation}
        named = {f"{path}__id__exact" for path in {*to_rows, self.job_path} if path}
        columns = {self.date_hierarchy} if self.date_hierarchy else set()
        for offered in self.get_list_filter(request):
            if isinstance(offered, str):
                columns.add(offered)
            elif isinstance(offered, tuple):
                columns.add(str(offered[0]))
            else:
                named.add(getattr(offered, "parameter_name", ""))
        return named, columns


class DeskAdmin(Columns, NarrowedAdmin):
    """Lists and detail pages of the support desk; what is editable, its subclass says.

    ``job_path`` is the way from a row to its Job: "job 7" finds its rows, and the Job's page links to them.
    What is ``hidden`` is for nobody at the desk: not to be read, searched, ordered or narrowed by.
    """

    hidden: tuple[str, ...] = ()
    list_per_page = 50
    list_max_show_all = 200
    show_full_result_count = False
    ordering = ("-pk",)

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        """No row has a key that the database cannot even be asked for."""
        if "\x00" in object_id:
            return None
        return super().get_object(request, object_id, from_field)

    # --- What is shown ---

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return self.columns(str(name) for name in self.list_display)

    def shown_only(self, request: HttpRequest, obj: Any = None) -> set[str]:
        """The fields that this reader can't edit."""
        return set(flatten_fieldsets(self.named_fieldsets(request, obj)))

    def named_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Sections of the detail page, by field names; all fields in one section unless told otherwise."""
        if self.fieldsets:
            return self.fieldsets
        every = [
            field.name
            for field in self.model._meta.concrete_fields
            if field.name not in self.hidden
        ]
        return [(None, {"fields": self.fields or every})]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        shown = self.shown_only(request, obj)
        return [
            (
                title,
                {
                    **options,
                    "fields": [
                        self.column(name) if name in shown else name for name in options["fields"]
                    ],
                },
            )
            for title, options in self.named_fieldsets(request, obj)
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.columns(self.shown_only(request, obj))

    # --- What a caller says ---

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Rows that have all the words somewhere, or that the words are the name or number of."""
        term = " ".join(search_term.split())
        if not term:
            return queryset, False
        named = self.named(term)
        if named is None:
            named = self._with_words(term) | self.may_mean(term)
        return queryset.filter(named), False

    def named(self, term: str) -> Q | None:
        """The rows that this can only be the name of (an invoice number); None when it is no name."""
        if self.job_path and (match := JOB_NUMBER.fullmatch(term)):
            return Q(**{self.job_path: int(match[1])})
        return None

    def may_mean(self, term: str) -> Q:
        """What the term may stand for besides words: the row's own number, for one."""
        match = NUMBER.fullmatch(term)
        return Q(pk=int(match[1])) if match else Q(pk__in=[])

    def _with_words(self, term: str) -> Q:
        found = Q()
        for word in term.split()[:WORDS_AT_MOST]:
            somewhere = Q()
            for path in self.search_fields:
                somewhere |= Q(**{f"{path}__icontains": word})
            found &= somewhere
        return found


class ReadOnlyAdmin(DeskAdmin):
    """Rows that only the product's services write: to be read by staff who may view them."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyInline(Columns, admin.TabularInline):
    """The parts of a row, on its page."""

    extra = 0
    max_num = 0
    can_delete = False
    show_change_link = True

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.columns(str(name) for name in self.fields or ())

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.get_fields(request, obj)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


# --- Filters ---


def currency_filter(path: str) -> type[admin.SimpleListFilter]:
    """A filter by currency, reached by this way from a row; asks the database for nothing."""

    class CurrencyFilter(admin.SimpleListFilter):
        title = "currency"
        parameter_name = "currency"
        template = "admin/folded_filter.html"  # the list is long

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
            return [(code, code) for code in money.CURRENCIES]

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            return queryset.filter(**{path: self.value()}) if self.value() else queryset

    return CurrencyFilter


def presence_filter(
    field: str, title: str, *, there: str, missing: str
) -> type[admin.SimpleListFilter]:
    """A filter by whether a column has a value: ``there`` and ``missing`` are the words for it."""

    class PresenceFilter(admin.SimpleListFilter):
        parameter_name = f"has_{field}"

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
            return [("yes", there), ("no", missing)]

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            if self.value() in ("yes", "no"):
                return queryset.filter(**{f"{field}__isnull": self.value() == "no"})
            return queryset

    PresenceFilter.title = title
    return PresenceFilter
