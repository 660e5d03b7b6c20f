"""One's own profile."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from jobs.forms.people import ProfileForm
from jobs.models import Person
from jobs.services import people


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
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
    return render(request, "jobs/profile.html", {"form": form})
