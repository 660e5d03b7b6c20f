"""Manage ▸ Billing: Release Requests, invoices and receipts of all Jobs of a person, on either side."""

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from billing.selectors import billing_list as reading
from escrow_site.lib import money
from jobs.models import Person
from workroom.forms.billing_list import BillingFilter
from workroom.selectors.billing import jobs_to_choose, rows

COLUMNS = {"date": "Requested or issued", "due": "Due", "amount": "Amount"}


@require_safe
@login_required
def billing_list(request: HttpRequest) -> HttpResponse:
    """One page of the list, as filtered and sorted."""
    assert isinstance(request.user, Person)
    form = BillingFilter(request.GET)
    wanted = form.wanted()
    sums = reading.sums(request.user, wanted)
    count = sum(line.entries for line in sums)
    page = Paginator(range(count), reading.PAGE_SIZE).get_page(request.GET.get("page"))
    offset = (page.number - 1) * reading.PAGE_SIZE
    entries = reading.entries(request.user, wanted, offset=offset) if count else []
    context = {
        "form": form,
        "wanted": wanted,
        "page": page,
        "rows": rows(entries),
        "jobs": jobs_to_choose(request.user, chosen=wanted.job_id),
        "sorts": _sorts(wanted.sort),
        "waiting": [
            money.display(line.waiting_minor, line.currency) for line in sums if line.waiting_minor
        ],
    }
    return render(request, "workroom/billing_list.html", context)


def _sorts(current: str) -> dict[str, dict[str, str]]:
    """For each column that can be sorted: how it is now, and what a click on its head asks for."""
    sorts = {}
    for name, label in COLUMNS.items():
        way = {name: "ascending", f"-{name}": "descending"}.get(current, "")
        first = name if name == "due" else f"-{name}"
        other = name if first.startswith("-") else f"-{name}"
        sorts[name] = {"label": label, "way": way, "ask": other if current == first else first}
    return sorts
