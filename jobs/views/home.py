"""The first page: what the service is, or one's own Jobs."""

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from escrow_site.lib.templatetags.escrow import basis_points
from jobs.models import Job, Person, Policy


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        return redirect(_first_page(request.user))
    policy = Policy.objects.current()
    numbers = {
        "release_days": policy.release_days,
        "overdue_days": policy.release_days - policy.overdue_days_before_due,
        "dormant_days": policy.dormant_days,
        "service_fee_percent": basis_points(policy.service_fee_basis_points).removesuffix(" %"),
    }
    return render(request, "landing.html", numbers)


def _first_page(person: Person) -> str:
    """One's own Jobs; a support agent without any goes to the support desk."""
    if person.is_staff and not Job.objects.filter(Q(client=person) | Q(freelancer=person)).exists():
        return "admin:index"
    return "workroom:my_jobs"
