"""The start page of the support desk: what waits for a human (``workroom.selectors.desk``)."""

from datetime import UTC
from typing import Any

from django.contrib.admin import AdminSite, site
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils import timezone

from escrow_site.lib import timing
from jobs.models import Person
from workroom.selectors.desk import desk_of


def index(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
    """Django's own, with what waits on top; all times in UTC."""
    assert isinstance(request.user, Person)
    desk = desk_of(request.user, at=timing.now(), real_at=timing.real_now())
    with timezone.override(UTC):
        page = AdminSite.index(site, request, {"desk": desk, **(extra_context or {})})
        page.render()
    return page
