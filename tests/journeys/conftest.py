"""Journeys in a real browser: opening pages, watching their console, checking accessibility, taking pictures.

Without Chromium these tests are skipped, loudly; where CI is set they fail, as nobody reads a skip there.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings as django_settings
from django.test import Client
from playwright.sync_api import Browser, ConsoleMessage, Page

from jobs.models import Person
from scripts.install_chromium import NOT_FOUND, find_chromium

# Not in test-results, which pytest-playwright empties at each start.
PICTURES = Path("screenshots")
WIDTHS = (1280, 390)
HEIGHT = 900
ACCESSIBILITY_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    chromium = find_chromium()
    if chromium is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(NOT_FOUND)
    return {**browser_type_launch_args, "executable_path": chromium, "args": QUIET}


@pytest.fixture(autouse=True)
def site_url(request: pytest.FixtureRequest, settings: Any) -> None:
    """Links in mails lead to the server of this test."""
    if "live_server" in request.fixturenames:
        settings.SITE_URL = request.getfixturevalue("live_server").url


@pytest.fixture
def console() -> list[str]:
    """What the browser complained about. A journey that provokes a complaint takes it out of this list."""
    return []


@pytest.fixture
def open_browser(
    browser: Browser, live_server: Any, console: list[str]
) -> Iterator[Callable[..., Page]]:
    """Makes a browser window of its own, signed in as the person given; the two parties have one each."""
    contexts = []

    def open_page(person: Person | None = None, **options: Any) -> Page:
        size = {"width": WIDTHS[0], "height": HEIGHT}
        known = {"base_url": live_server.url, "locale": "en-GB", "viewport": size}
        context = browser.new_context(**{**known, **options})
        contexts.append(context)
        if person is not None:
            context.add_cookies([session_cookie(person, live_server.url)])
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda message: console.extend(complaints(message)))
        page.on("pageerror", lambda error: console.append(f"error: {error}"))
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert console == []


@pytest.fixture
def page(open_browser: Callable[..., Page]) -> Page:
    """A window in which nobody is signed in."""
    return open_browser()


@pytest.fixture
def check_accessibility() -> Callable[[Page], None]:
    """Asserts that axe finds nothing against WCAG 2.2 AA on the page as it stands."""

    def check(page: Page) -> None:
        result = Axe().run(page, options={"runOnly": ACCESSIBILITY_RULES})
        found = [
            f"{violation['id']}: {violation['help']}: {node['html'][:200]}"
            for violation in result.response["violations"]
            for node in violation["nodes"]
        ]
        assert found == [], f"{page.url}"

    return check


@pytest.fixture
def photograph() -> Callable[[Page, str], None]:
    """Writes a picture of the whole page at desktop and at phone width, for people to look at."""

    def take(page: Page, name: str) -> None:
        PICTURES.mkdir(parents=True, exist_ok=True)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": HEIGHT})
            page.screenshot(path=PICTURES / f"{name}-{width}.png", full_page=True)
        page.set_viewport_size({"width": WIDTHS[0], "height": HEIGHT})

    return take


def session_cookie(person: Person, url: str) -> dict[str, str]:
    client = Client()
    client.force_login(person)
    name = django_settings.SESSION_COOKIE_NAME
    return {"name": name, "value": client.cookies[name].value, "url": url}


def complaints(message: ConsoleMessage) -> list[str]:
    return [f"{message.type}: {message.text}"] if message.type in {"warning", "error"} else []
