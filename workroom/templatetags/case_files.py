"""How the case file of a Job names what is enclosed in it."""

from collections.abc import Mapping
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from jobs.models import StoredFile

register = template.Library()


@register.simple_tag
def enclosed(paths: Mapping[int, Any], file: StoredFile) -> SafeString:
    """The file by the name that it was given, with a link into the archive unless its bytes are gone."""
    one = paths[file.pk]
    if not one.sha256:
        return format_html("{}", file.name)
    return format_html('<a href="{}">{}</a> <small>{}</small>', one.path, file.name, one.path)
