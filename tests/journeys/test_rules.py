"""The Rules in the browser: from the first page, by the table of contents, on a wide screen and on a phone."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("width", [1280, 390])
def test_the_rules_are_found_and_read(
    open_browser: Callable[..., Page],
    live_server: Any,
    check_accessibility: Callable[[Page], None],
    width: int,
) -> None:
    page = open_browser(viewport={"width": width, "height": 900})
    page.goto(live_server.url)
    page.get_by_role("link", name="Read the Rules").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Rules")
    check_accessibility(page)
    assert page.evaluate("document.documentElement.scrollWidth") == width

    contents = page.get_by_role("navigation", name="Contents")
    for name in contents.get_by_role("link").all():
        name.click()
        section = page.locator(":target")
        expect(section).to_have_count(1)
        expect(section.get_by_role("heading", level=2)).to_be_in_viewport()
