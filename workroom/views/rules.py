"""The Rules page: the sentences that everybody reads, from the Policy that the timers run by. Public."""

from datetime import UTC

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from billing.selectors import rules as sentences
from billing.selectors import worked_examples
from jobs.models import Policy


@require_safe
def rules(request: HttpRequest) -> HttpResponse:
    """The Policy in force, which Jobs awarded now get."""
    return _page(request, None)


@require_safe
def rules_version(request: HttpRequest, version: int) -> HttpResponse:
    """The Policy of Jobs that were awarded while it was in force."""
    return _page(request, version)


def _page(request: HttpRequest, version: int | None) -> HttpResponse:
    """In UTC for everybody, as the examples are; one statement, however many versions there are."""
    versions = list(Policy.objects.order_by("-version"))
    places = [place for place, one in enumerate(versions) if version in (None, one.version)]
    if not places:
        raise Http404("There is no such version of the Rules.")
    place = places[0]
    policy = versions[place]
    context = {
        "policy": policy,
        "versions": versions,
        "is_current": place == 0,
        "is_first": place == len(versions) - 1,
        "next": versions[place - 1] if place else None,
        "numbers": sentences.numbers_of(policy),
        "fees": worked_examples.fee_examples(policy),
        "unanswered_request": worked_examples.unanswered_request(policy),
        "withdrawn_dispute": worked_examples.withdrawn_dispute(policy),
        "dormant_job": worked_examples.dormant_job(policy),
    }
    with timezone.override(UTC):
        return render(request, "workroom/rules.html", context)
