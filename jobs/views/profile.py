"""One's own profile, and the link of one's calendar."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from escrow_site.lib import timing
from jobs.forms.people import ProfileForm
from jobs.models import Person
from jobs.services import calendars, people


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def profile(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, Person)
    if request.method == "POST":
        form = ProfileForm(request.POST, person=request.user)
        if form.is_valid():
            people.change_profile(request.user, **form.cleaned_data)
            messages.success(request, "Your profile is saved.")
            return redirect("jobs:profile")
    else:
        form = ProfileForm(person=request.user)
    context = {"form": form, "calendar_url": _calendar_url(request.user)}
    return render(request, "jobs/profile.html", context)


@require_POST
@login_required
def open_calendar(request: HttpRequest) -> HttpResponse:
    """A calendar link, or a new one in place of the old."""
    assert isinstance(request.user, Person)
    is_new = not request.user.calendar_token
    calendars.open_feed(request.user, at=timing.now())
    text = "Your calendar link is made." if is_new else "A new link is made; the old one is gone."
    messages.success(request, text)
    return redirect(reverse("jobs:profile") + "#calendar")


@require_POST
@login_required
def revoke_calendar(request: HttpRequest) -> HttpResponse:
    """From now on the link leads nowhere."""
    assert isinstance(request.user, Person)
    calendars.revoke(request.user, at=timing.now())
    messages.success(request, "Your calendar link is gone.")
    return redirect(reverse("jobs:profile") + "#calendar")


def _calendar_url(person: Person) -> str:
    """What a calendar program subscribes to; the page itself is the workroom's."""
    if not person.calendar_token:
        return ""
    return settings.SITE_URL + reverse("workroom:calendar", args=[person.calendar_token])
