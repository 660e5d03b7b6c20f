"""Small things that pages share."""

import re
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


def is_on_this_site(address: str) -> bool:
    """Whether an address that came with a request is a path of ours, to which one may be sent back.

    Stricter than Django's own test: no host at all, and none of the spellings in which browsers find one
    (`//host`, `/\\host`, tabs and line ends between).
    """
    return re.fullmatch(r"/(?![/\\])[^\x00-\x1f\x7f\\]*", address) is not None
