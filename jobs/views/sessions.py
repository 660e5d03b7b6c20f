"""Ending one of one's own sessions; the list, and ending all others, are allauth's."""

from allauth.usersessions.internal.flows import sessions
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from jobs.models import Person


@require_POST
@login_required
def end_session(request: HttpRequest, session_id: int) -> HttpResponse:
    """That browser is signed out at once; somebody else's session does not exist."""
    assert isinstance(request.user, Person)
    session = get_object_or_404(UserSession, pk=session_id, user=request.user)
    sessions.end_sessions(request, [session])
    messages.success(request, "That browser is signed out.")
    return redirect("usersessions_list")
