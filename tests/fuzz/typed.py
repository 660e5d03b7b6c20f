"""Whether what was typed is still there when a page comes back with its refusal (R13)."""

from html.parser import HTMLParser
from typing import Any

Fields = list[tuple[str, Any]]
QUIET = {"password", "hidden", "file", "checkbox", "radio", "submit", None}
# What the page says once, for good reasons: no card number and no limit under seal is ever sent back.
NEVER_SHOWN = {"number", "csrfmiddlewaretoken"}


class Typed(HTMLParser):
    """The values of the text fields of a page, by name."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.values: dict[str, str] = {}
        self.area: str | None = None

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        named = dict(attributes)
        name = named.get("name") or ""
        if tag == "textarea":
            self.area = name
            self.values[name] = ""
        elif tag == "input" and named.get("type") == "text":
            self.values[name] = named.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self.area = None

    def handle_data(self, data: str) -> None:
        if self.area is not None:
            self.values[self.area] += data


def kept(sent: Fields, answer: Any) -> list[tuple[str, str, str]]:
    """The fields that came back with something else than what was typed: name, typed, shown."""
    if answer.status_code != 200 or "text/html" not in answer.headers.get("Content-Type", ""):
        return []
    page = Typed()
    page.feed(answer.content.decode())
    typed = {name: value for name, value in sent if isinstance(value, str)}  # the last one counts
    return [
        (name, value, page.values[name])
        for name, value in typed.items()
        if name in page.values
        and name not in NEVER_SHOWN
        and plain(value) != plain(page.values[name])
    ]


def plain(text: str) -> str:
    """White space and characters that no page can carry left aside."""
    return "".join(letter for letter in text if letter.isprintable() and not letter.isspace())


def without_surrogates(fields: Fields) -> Fields:
    """As bytes on the wire can say it: half a character is a question mark."""
    return [(_sent(name), _sent(value)) for name, value in fields]


def _sent(text: Any) -> Any:
    return text.encode("utf-8", "replace").decode() if isinstance(text, str) else text
