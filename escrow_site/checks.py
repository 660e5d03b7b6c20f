"""System checks: settings that are each well-formed and together dangerous.

Single wrong values are refused by `settings.py` itself. `manage.py check` and the Celery worker run these on
their own; `wsgi.py` calls `refuse_dangerous_settings()`, as web servers run no checks.
"""

from typing import Any

from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.urls import NoReverseMatch, Resolver404, resolve, reverse

TAG = "escrow"
# The name of the one address that moves the clock; `urls.py` gives it in local mode only.
CLOCK_ADDRESS = "local_clock"
# And of the one that shows the demo agents' codes.
CODES_ADDRESS = "local_codes"


def check_gateway(**kwargs: Any) -> list[checks.CheckMessage]:
    """Pretended payments are for trials: on a real site everybody could fund a Milestone for nothing."""
    if settings.GATEWAY != "simulated" or settings.LOCAL or settings.ALLOW_SIMULATED_GATEWAY:
        return []
    return [
        checks.Error(
            "The simulated payment gateway is chosen outside local mode: no real money would move.",
            hint="Choose another GATEWAY, or set ALLOW_SIMULATED_GATEWAY=1 for a public trial.",
            id="escrow.E001",
        )
    ]


def check_clock(**kwargs: Any) -> list[checks.CheckMessage]:
    """A clock that can be moved forward releases other people's money: no file, and no address for it."""
    if settings.LOCAL:
        return []
    found: list[checks.CheckMessage] = []
    if settings.CLOCK_OFFSET_FILE is not None:
        found.append(
            checks.Error(
                "The clock can be moved outside local mode.",
                hint="CLOCK_OFFSET_FILE must be None where other people's money is.",
                id="escrow.E002",
            )
        )
    if _has_address(CLOCK_ADDRESS):
        found.append(
            checks.Error(
                "The page that moves the clock has an address outside local mode.",
                hint=f"Take {CLOCK_ADDRESS!r} out of the URL configuration.",
                id="escrow.E002",
            )
        )
    return found


def check_codes(**kwargs: Any) -> list[checks.CheckMessage]:
    """Codes that anybody can read are no second factor."""
    if settings.LOCAL or not _has_address(CODES_ADDRESS):
        return []
    return [
        checks.Error(
            "The page that shows second factors has an address outside local mode.",
            hint=f"Take {CODES_ADDRESS!r} out of the URL configuration.",
            id="escrow.E005",
        )
    ]


def _has_address(name: str) -> bool:
    try:
        reverse(name)
    except NoReverseMatch:
        return False
    return True


def check_files(**kwargs: Any) -> list[checks.CheckMessage]:
    """Evidence and attachments are private; everything under STATIC_ROOT is public."""
    if not settings.FILES_DIR.absolute().is_relative_to(settings.STATIC_ROOT.absolute()):
        return []
    return [checks.Error("FILES_DIR lies inside STATIC_ROOT, which is public.", id="escrow.E003")]


def check_desk(**kwargs: Any) -> list[checks.CheckMessage]:
    """ADMIN_PATH may be chosen freely, but not from the addresses that something else has."""
    try:
        found = resolve(f"/{settings.ADMIN_PATH}").view_name
    except Resolver404:
        found = ""
    if found == "admin:index":
        return []
    return [
        checks.Error(
            "ADMIN_PATH is the address of another page: the support desk can't be reached.",
            hint="Choose one that no page has, as in desk-4711/.",
            id="escrow.E004",
        )
    ]


def register() -> None:
    for check in (check_gateway, check_clock, check_files, check_desk, check_codes):
        checks.register(check, TAG)


def refuse_dangerous_settings() -> None:
    errors = [message for message in checks.run_checks(tags=[TAG]) if message.is_serious()]
    if errors:
        raise ImproperlyConfigured("\n".join(str(error) for error in errors))
