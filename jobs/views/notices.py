"""One's own notices: the list, opening one, marking all as read."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from escrow_site.lib import timing
from jobs.forms.notices import SeenForm
from jobs.models import Person
from jobs.selectors import notices as selectors
from jobs.services import reading

A_PAGE = 25


@require_safe
@login_required
def notices(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, Person)
    unread_only = request.GET.get("show") == "unread"
    found = selectors.of_person(request.user, unread_only=unread_only)
    page = Paginator(found, A_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "lines": selectors.lines(page.object_list),
        "unread_only": unread_only,
        "newest": selectors.newest(request.user),
    }
    return render(request, "jobs/notices.html", context)


@require_safe
@login_required
@never_cache
def notice(request: HttpRequest, notice_id: int) -> HttpResponse:
    """Go to the thing; the notice has been read then, however often the link is followed."""
    assert isinstance(request.user, Person)
    found = get_object_or_404(selectors.of_person(request.user), pk=notice_id)
    reading.mark_read(found, at=timing.now())
    return redirect(selectors.target(found.activity))


@require_POST
@login_required
def read_notices(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, Person)
    form = SeenForm(request.POST)
    if form.is_valid():
        reading.mark_all_read(request.user, up_to=form.cleaned_data["up_to"], at=timing.now())
        messages.success(request, "All notices are marked as read.")
    else:
        messages.error(request, "Nothing was marked: open your notices again and try once more.")
    return redirect("jobs:notices")
