"""Template tags and filters that every page may use; loaded as builtins."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

from django import template
from django.conf import settings
from django.template.base import FilterExpression, NodeList, Parser, Token, token_kwargs
from django.template.context import Context
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from escrow_site.lib import browsers, display, markup
from escrow_site.lib import hours as worked
from escrow_site.lib import money as amounts

register = template.Library()


@register.filter
def money(amount_minor: int | None, currency: str) -> str:
    """``{{ escrow.amount_minor|money:job.currency }}``: $1,250.50."""
    return "" if amount_minor is None else amounts.display(amount_minor, currency)


@register.filter
def instant(at: datetime | None) -> SafeString | str:
    """``{{ request.due_at|instant }}``: absolute, in the reader's zone, zone named, UTC on hover."""
    if at is None:
        return ""
    at_utc = at.astimezone(UTC)
    return markup.fill(
        '<time datetime="{utc}" title="{readable_utc} UTC">{shown}</time>',
        utc=at_utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
        readable_utc=at_utc.strftime("%Y-%m-%d %H:%M"),
        shown=display.instant(at),
    )


@register.filter
def instant_text(at: datetime | None) -> str:
    """The same without HTML, for attributes and mails."""
    return "" if at is None else display.instant(at)


@register.filter
def day(on: date | None) -> str:
    """``{{ milestone.due_on|day }}``: 8 Apr 2026."""
    return "" if on is None else display.day(on)


@register.filter
def browser(user_agent: str) -> str:
    """``{{ session.user_agent|browser }}``: Firefox on Linux."""
    return browsers.in_words(user_agent)


@register.filter
def basis_points(points: int) -> str:
    """875 is 8.75 %."""
    whole, rest = divmod(points, 100)
    return f"{whole}.{rest:02d}".rstrip("0").rstrip(".") + " %"


@register.filter
def hours(minutes: int | None) -> str:
    """450 minutes are 7:30."""
    return "" if minutes is None else worked.display(minutes)


OPTION = '<option value="{value}"{selected}>{label}</option>'
GROUP = '<optgroup label="{label}">{options}</optgroup>'
SELECTED = SafeString(" selected")


@register.simple_tag
def options(choices: Iterable[tuple[object, object]], chosen: object) -> SafeString:
    """``<select>{% options choices chosen %}</select>``; a choice may be a group of choices."""
    return markup.together(_option(value, label, str(chosen)) for value, label in choices)


def _option(value: object, label: object, chosen: str) -> SafeString:
    if isinstance(label, list | tuple):
        return markup.fill(GROUP, label=str(value), options=options(label, chosen))
    selected = SELECTED if str(value) == chosen else ""
    return markup.fill(OPTION, value=str(value), selected=selected, label=str(label))


@register.simple_tag
def support_email() -> str:
    """``{% support_email %}``: where people write who need a human. Known without a request, so in mails, too."""
    return settings.SUPPORT_EMAIL


@register.simple_tag
def support_link() -> SafeString:
    """The same as a link that opens one's own mail."""
    return markup.fill('<a href="mailto:{address}">{address}</a>', address=settings.SUPPORT_EMAIL)


class UnchangingNode(template.Node):
    """See ``unchanging``."""

    def __init__(self, nodelist: NodeList, values: dict[str, FilterExpression]) -> None:
        self.nodelist = nodelist
        self.values = values
        self.rendered: dict[tuple[Any, ...], SafeString] = {}

    def render(self, context: Context) -> SafeString:
        values = {name: value.resolve(context) for name, value in self.values.items()}
        key = (get_language(), *values.values())
        if key not in self.rendered:
            self.rendered[key] = self.nodelist.render(context.new(values))
        return self.rendered[key]


@register.tag
def unchanging(parser: Parser, token: Token) -> UnchangingNode:
    """``{% unchanging view=view %}…{% endunchanging %}``: rendered once in each process.

    For the frame around the pages: its addresses and translations cost more than the page itself.
    Inside nothing is known but the values given, and each must be one of a few: what was rendered is
    kept for ever, for each language and each of the values.
    """
    values = token_kwargs(token.split_contents()[1:], parser)
    nodelist = parser.parse(("endunchanging",))
    parser.delete_first_token()
    return UnchangingNode(nodelist, values)
