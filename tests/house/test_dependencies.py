"""The gate looks for known weaknesses, and the list of what is installed has every pinned package in it."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from scripts import audit_dependencies
from scripts.audit_dependencies import NoReason, NotAudited, accepted, weaknesses

CHECKOUT = Path(__file__).parents[2]


def answer(*packages: dict[str, Any]) -> str:
    return json.dumps({"dependencies": packages, "fixes": []})


CLEAN = {"name": "django", "version": "5.2.19", "vulns": []}
WEAK = {
    "name": "celery",
    "version": "5.1.0",
    "vulns": [{"id": "PYSEC-2021-858", "fix_versions": ["5.2.2"], "aliases": []}],
}
UNKNOWN = {"name": "redis", "skip_reason": "Dependency not found on PyPI"}


def test_a_known_weakness_is_told() -> None:
    line = "celery 5.1.0: PYSEC-2021-858, mended in 5.2.2"
    assert weaknesses(answer(CLEAN)) == []
    assert weaknesses(answer(CLEAN, WEAK)) == [line]
    assert weaknesses(answer(UNKNOWN, WEAK)) == [line]


@pytest.mark.parametrize("said", ["", "no JSON", "[]", "{}", answer(CLEAN, UNKNOWN)])
def test_not_looked_at_is_not_the_same_as_clean(said: str) -> None:
    with pytest.raises(NotAudited):
        weaknesses(said)


@pytest.mark.parametrize(
    ("said", "status", "loud"), [(answer(CLEAN), 0, ""), (answer(WEAK), 1, "celery"), ("", 0, "NOT AUDITED")]
)  # fmt: skip
def test_the_gate_fails_on_a_weakness_alone(
    said: str, status: int, loud: str, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """The world's answer is the one thing that a test can't have for real."""
    monkeypatch.setattr(audit_dependencies, "ask", lambda *_, **__: said)
    assert audit_dependencies.main() == status
    assert loud in capsys.readouterr().err


def test_what_is_accepted_has_a_reason() -> None:
    assert accepted(["# a remark", "", "PYSEC-1  # only on Windows"]) == ["PYSEC-1"]
    with pytest.raises(NoReason):
        accepted(["PYSEC-1"])
    accepted((CHECKOUT / "known-weaknesses.txt").read_text().splitlines())


def make(*arguments: str) -> str:
    """With the environment that these tests run in, which is not made anew."""
    kept = (
        f"VENV={sys.prefix}",
        f"--old-file={sys.prefix}/.test",
        f"--old-file={sys.prefix}/.made",
    )
    done = subprocess.run(
        ["make", *kept, *arguments], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_bill_of_materials_lists_every_pinned_package(tmp_path: Path) -> None:
    make("sbom", f"SBOM={tmp_path / 'sbom.json'}")
    bill = json.loads((tmp_path / "sbom.json").read_text())
    pins = (CHECKOUT / "requirements.txt").read_text()
    pinned = set(re.findall(r"^([\w.-]+)(?:\[.*?\])?==([^\s;]+)", pins, re.MULTILINE))
    assert bill["bomFormat"] == "CycloneDX"
    assert {(part["name"], part["version"]) for part in bill["components"]} == pinned
    assert len(pinned) > 40


def test_the_gate_asks() -> None:
    assert "scripts.audit_dependencies" in make("--dry-run", "check")
