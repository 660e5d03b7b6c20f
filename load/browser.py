"""What a browser makes of a page: where its links lead, and what its form would send."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

CONFIRMED = 'class="alert tone-positive"'


@dataclass
class Form:
    """A form and what it would send if nobody touched it."""

    action: str
    fields: list[tuple[str, str]] = field(default_factory=list)

    def filled(self, **values: Any) -> list[tuple[str, str]]:
        """With these instead of what stands there; what the form does not have is not sent."""
        known = {name for name, _ in self.fields}
        kept = [(name, value) for name, value in self.fields if name not in values]
        return kept + [(name, str(value)) for name, value in values.items() if name in known]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.form: Form | None = None
        self.text_of: str | None = None
        self.select: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name = given.get("name") or ""
        if tag == "form":
            is_post = (given.get("method") or "").lower() == "post"
            self.form = Form(given.get("action") or "") if is_post else None
            if self.form:
                self.forms.append(self.form)
        elif self.form is None or not name:
            return
        elif tag == "input":
            self._input(self.form, name, given)
        elif tag == "textarea":
            self.form.fields.append((name, ""))

    @staticmethod
    def _input(form: Form, name: str, given: dict[str, str | None]) -> None:
        kind = (given.get("type") or "text").lower()
        if kind in ("submit", "button", "file"):
            return
        if kind in ("radio", "checkbox") and "checked" not in given:
            return
        form.fields.append((name, given.get("value") or ("on" if kind == "checkbox" else "")))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.form = None


def main_of(html: str) -> str:
    """The main part: what stands around it is on every page."""
    begin = html.find("<main")
    return html[begin : html.find("</main>")] if begin >= 0 else html


def form_of(html: str) -> Form | None:
    """The form of a page that asks for one thing: the last one that is sent by POST."""
    reader = _Reader()
    reader.feed(main_of(html))
    return reader.forms[-1] if reader.forms else None


def links(html: str, pattern: str) -> list[str]:
    """Where the links lead whose address looks like this, each once."""
    found = re.findall(rf'href="({pattern})"', html)
    return list(dict.fromkeys(found))


def is_confirmed(html: str) -> bool:
    """Whether the page says that something was done."""
    return CONFIRMED in html
