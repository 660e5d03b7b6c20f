"""Filters that turn a block of a notice's template into the paragraphs of a mail.

A paragraph ends at a blank line; how its lines are broken in the template does not matter.
"""

import re
import textwrap

from django import template
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

WIDTH = 76


def paragraphs(block: str) -> list[str]:
    """The paragraphs of a block, each on one line."""
    parts = (" ".join(part.split()) for part in re.split(r"\n\s*\n", block))
    return [part for part in parts if part]


@register.filter
def plain_paragraphs(block: str) -> str:
    """For the text part: lines of readable length, addresses never broken."""
    return "\n\n".join(
        textwrap.fill(part, WIDTH, break_long_words=False, break_on_hyphens=False)
        for part in paragraphs(block)
    )


@register.filter
def html_paragraphs(block: str) -> SafeString:
    """For the HTML part; the block was escaped when it was rendered."""
    return mark_safe("".join(f'<p style="margin:0 0 8px">{part}</p>' for part in paragraphs(block)))
