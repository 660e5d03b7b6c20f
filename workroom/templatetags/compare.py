"""Two versions of one text: only the words that differ are struck through or marked."""

import re
from difflib import SequenceMatcher

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

register = template.Library()

WORDS = re.compile(r"\s+|\S+")
# Comparing takes the square of the length; and so long a text is not read word by word.
LONGEST = 4000


@register.filter
def struck(old: str, new: str) -> SafeString:
    """The older text, with what is gone in ``<del>``."""
    return _with_marks("del", old, new)


@register.filter
def marked(new: str, old: str) -> SafeString:
    """The newer text, with what came in ``<ins>``."""
    return _with_marks("ins", new, old)


def _with_marks(tag: str, text: str, other: str) -> SafeString:
    if max(len(text), len(other)) > LONGEST:
        return format_html("<{0}>{1}</{0}>", tag, text)
    words = WORDS.findall(text)
    stretches = SequenceMatcher(None, words, WORDS.findall(other), autojunk=False).get_opcodes()
    pieces = [("".join(words[start:end]), kind == "equal") for kind, start, end, _, _ in stretches]
    return format_html_join("", "{}", ((_piece(tag, *piece),) for piece in pieces if piece[0]))


def _piece(tag: str, words: str, is_same: bool) -> SafeString:
    return format_html("{}", words) if is_same else format_html("<{0}>{1}</{0}>", tag, words)
