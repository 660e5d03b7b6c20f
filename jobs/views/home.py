"""The first page: what the service is; who is signed in is sent to where he begins."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from escrow_site.lib import hosts
from escrow_site.lib.templatetags.escrow import basis_points
from jobs.models import Policy


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        return redirect(hosts.desk_url() if request.user.is_staff else "workroom:my_jobs")
    policy = Policy.objects.current()
    numbers = {
        "release_days": policy.release_days,
        "overdue_days": policy.release_days - policy.overdue_days_before_due,
        "dormant_days": policy.dormant_days,
        "dormant_freelancer_days": policy.dormant_freelancer_days,
        "settlement_notice_days": policy.dormant_settlement_days - policy.dormant_freelancer_days,
        "service_fee_percent": basis_points(policy.service_fee_basis_points).removesuffix(" %"),
    }
    return render(request, "landing.html", numbers)
