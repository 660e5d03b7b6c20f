"""System checks refuse what is well-formed and dangerous."""

from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from escrow_site.checks import (
    check_clock,
    check_codes,
    check_desk,
    check_files,
    check_gateway,
    refuse_dangerous_settings,
)


def identifiers(messages: list[Any]) -> list[str]:
    return [message.id for message in messages]


@pytest.mark.parametrize(
    ("is_local", "is_allowed", "expected"),
    [
        (False, False, ["escrow.E001"]),
        (False, True, []),
        (True, False, []),
    ],
)
def test_pretended_payments(
    settings: Any, is_local: bool, is_allowed: bool, expected: list[str]
) -> None:
    settings.GATEWAY = "simulated"
    settings.LOCAL = is_local
    settings.ALLOW_SIMULATED_GATEWAY = is_allowed

    assert identifiers(check_gateway()) == expected


def test_a_clock_that_moves_outside_local_mode(settings: Any) -> None:
    settings.CLOCK_OFFSET_FILE = Path("/data/clock")
    settings.LOCAL = True
    assert check_clock() == []

    settings.LOCAL = False
    # The file, and the address of the page that moves the clock: these tests run in local mode.
    assert identifiers(check_clock()) == ["escrow.E002", "escrow.E002"]

    settings.CLOCK_OFFSET_FILE = None
    assert identifiers(check_clock()) == ["escrow.E002"]

    settings.ROOT_URLCONF = "tests.house.urls_without_clock"
    assert check_clock() == []


def test_codes_that_anybody_can_read_outside_local_mode(settings: Any) -> None:
    settings.LOCAL = True
    assert check_codes() == []

    settings.LOCAL = False
    assert identifiers(check_codes()) == ["escrow.E005"]

    settings.ROOT_URLCONF = "tests.house.urls_without_clock"
    assert check_codes() == []


def test_private_files_in_a_public_folder(settings: Any) -> None:
    settings.STATIC_ROOT = Path("/srv/static")
    settings.FILES_DIR = Path("/srv/files")
    assert check_files() == []

    settings.FILES_DIR = Path("/srv/static/files")
    assert identifiers(check_files()) == ["escrow.E003"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [("admin/", []), ("jobs/", ["escrow.E004"]), ("nowhere/", ["escrow.E004"])],
)
def test_a_desk_at_the_address_of_something_else(
    settings: Any, path: str, expected: list[str]
) -> None:
    settings.ADMIN_PATH = path
    assert identifiers(check_desk()) == expected


def test_the_web_server_does_not_start_on_an_error(settings: Any) -> None:
    refuse_dangerous_settings()

    settings.LOCAL = False
    with pytest.raises(ImproperlyConfigured, match="clock can be moved"):
        refuse_dangerous_settings()
