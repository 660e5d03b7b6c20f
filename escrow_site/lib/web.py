"""Small things that pages share."""

from collections.abc import Callable
from functools import cache

from django.contrib import messages
from django.http import HttpRequest
from django.urls import reverse

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


@cache
def address_pattern(name: str) -> str:
    """The address of rows of one kind, to be filled with an id: one look-up for all of them."""
    return reverse(name, args=[0]).replace("/0/", "/{}/")
