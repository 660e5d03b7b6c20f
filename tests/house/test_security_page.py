"""docs/security.md promises no test that there is not."""

import re
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
PAGE = (CHECKOUT / "docs" / "security.md").read_text()


def test_every_test_that_is_named_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    tests = {
        found
        for path in (CHECKOUT / "tests").rglob("test_*.py")
        for found in re.findall(r"^def (test_\w+)\(", path.read_text(), re.MULTILINE)
    }
    assert named - tests == set()
    assert len(named) > 60


def test_every_file_that_is_named_exists() -> None:
    named = set(re.findall(r"`([\w.-]+(?:/[\w.-]+)+\.\w+)`", PAGE))
    named |= {f"docs/{page}" for page in re.findall(r"\]\((\w+\.md)\)", PAGE)}
    assert [path for path in sorted(named) if not (CHECKOUT / path).exists()] == []
    assert len(named) > 10
