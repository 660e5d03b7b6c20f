"""Small things that every page with a POST needs."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest

from escrow_site.lib.refusals import Refusal


def attempt(request: HttpRequest, action: Callable[[], object], *, done: str) -> bool:
    """Do one service call; tell the person that it is done, or why it was refused (R13)."""
    try:
        action()
    except Refusal as refusal:
        messages.error(request, refusal.message)
        return False
    messages.success(request, done)
    return True
