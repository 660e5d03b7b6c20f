"""The page that an invitation's link leads to (R1.1)."""

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from escrow_site.lib import timing
from jobs.models import Invitation, Job, Person
from workroom.selectors import invitations as selectors
from workroom.services import awards


@require_safe
@never_cache
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Who invites to which Job, and the way there; whoever may see the Job is led to it."""
    found = get_object_or_404(Invitation.objects.select_related("job__client"), token=token)
    viewer = request.user if isinstance(request.user, Person) else None
    at = timing.now()
    if viewer is not None:
        # Nothing to do, as a rule: a confirmed address was bound when it was confirmed.
        awards.bind_jobs(viewer, email=found.email, at=at)
        if Job.objects.seen_by(viewer).filter(pk=found.job_id).exists():
            return redirect("workroom:job", found.job_id)
        found.job.refresh_from_db()
    onward = {"next": request.path}
    context = {
        "invitation": found,
        "job": found.job,
        "standing": selectors.standing(found, viewer=viewer, at=at).name,
        "sign_in_url": f"{reverse('account_login')}?{urlencode(onward)}",
        "sign_up_url": f"{reverse('account_signup')}?{urlencode(onward | {'email': found.email})}",
    }
    return render(request, "workroom/invitation.html", context)
