"""My Jobs: every Job that the signed-in person is a party of."""

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from escrow_site.lib import timing
from jobs.models import Person
from workroom.forms.my_jobs import JobFilters
from workroom.selectors import my_jobs as reading

ROWS_PER_PAGE = 25


@require_safe
@login_required
def my_jobs(request: HttpRequest) -> HttpResponse:
    """The list, filtered, sorted, in pages."""
    assert isinstance(request.user, Person)
    filters = JobFilters(request.GET)
    wanted = filters.wanted()
    conditions = {name: wanted[name] for name in ("role", "state", "words")}
    count = reading.count(request.user, **conditions)
    page = Paginator(range(count), ROWS_PER_PAGE).get_page(request.GET.get("page"))
    found = reading.find(
        request.user,
        **conditions,
        sort=wanted["sort"],
        limit=ROWS_PER_PAGE,
        offset=(page.number - 1) * ROWS_PER_PAGE,
    )
    context = {
        "filters": filters,
        "wanted": wanted,
        "page": page,
        "rows": reading.rows(found, request.user, at=timing.now()),
        "is_filtered": any(conditions.values()),
        "columns": _columns(wanted["sort"] or reading.FIRST_SORT),
    }
    return render(request, "workroom/my_jobs.html", context)


def _columns(sort: str) -> dict[str, dict[str, str]]:
    """For each column that sorts: its direction now, and what a click asks for."""
    return {
        name: {
            "direction": {name: "ascending", f"-{name}": "descending"}.get(sort, ""),
            "next": f"-{name}" if sort == name else name,
        }
        for name in ("title", "state", "activity")
    }
