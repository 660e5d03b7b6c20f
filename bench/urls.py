"""The project's addresses and an empty view beside them: a session, a person, a small template."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import include, path

SMALL = engines["django"].from_string("<!doctype html><title>{{ name }}</title><p>{{ name }}</p>")


@login_required
def empty(request: HttpRequest) -> HttpResponse:
    return HttpResponse(SMALL.render({"name": request.user.name}, request))


urlpatterns = [path("bench/empty/", empty), path("", include("escrow_site.urls"))]
