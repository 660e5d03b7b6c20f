"""`make audit-dependencies`: no pinned package has a known weakness, as far as the world can be asked.

Ends with an error for a weakness that is not in known-weaknesses.txt, and for nothing else: where the data can't be
reached it says so in one loud line, as a gate that fails without a network is soon switched off.
"""

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parent.parent
REQUIREMENTS = CHECKOUT / "requirements.txt"
ACCEPTED = CHECKOUT / "known-weaknesses.txt"
TIMEOUT_SECONDS = 90
LOUD = "!" * 20


class NotAudited(Exception):
    """The data of known weaknesses can't be had, and why."""


class NoReason(Exception):
    """A line of known-weaknesses.txt that accepts something and does not say why."""


def accepted(lines: Iterable[str]) -> list[str]:
    """The ids that are lived with; `ID  # why`, each with its reason."""
    found = []
    for line in lines:
        identifier, _, reason = (part.strip() for part in line.partition("#"))
        if identifier and not reason:
            raise NoReason(f"{ACCEPTED.name}: {identifier} has no reason beside it")
        if identifier:
            found.append(identifier)
    return found


def ask(requirements: Path, *, ignored: Iterable[str]) -> str:
    """What `pip-audit` says, as JSON."""
    command = [
        *[sys.executable, "-m", "pip_audit", "--requirement", str(requirements)],
        *["--disable-pip", "--require-hashes", "--format", "json", "--progress-spinner", "off"],
        *(word for identifier in ignored for word in ("--ignore-vuln", identifier)),
    ]
    try:
        asked = subprocess.run(
            command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise NotAudited(f"no answer within {TIMEOUT_SECONDS} seconds") from error
    if not asked.stdout.strip():
        said = asked.stderr.strip().splitlines() or ["no answer"]
        raise NotAudited(said[-1])
    return asked.stdout


def weaknesses(answer: str) -> list[str]:
    """One line for each; raises NotAudited when not every package was looked at."""
    try:
        packages: list[dict[str, Any]] = json.loads(answer)["dependencies"]
    except (ValueError, KeyError, TypeError) as error:
        raise NotAudited("the answer can't be read") from error
    found = [
        f"{package['name']} {package['version']}: {one['id']}, mended in "
        f"{' or '.join(one['fix_versions']) or 'no version yet'}"
        for package in packages
        for one in package.get("vulns", [])
    ]
    unknown = [package["name"] for package in packages if "skip_reason" in package]
    if unknown and not found:
        raise NotAudited(f"nothing is known about {len(unknown)} of {len(packages)} packages")
    return found


def main() -> int:
    try:
        ignored = accepted(ACCEPTED.read_text().splitlines())
        found = weaknesses(ask(REQUIREMENTS, ignored=ignored))
    except NoReason as error:
        print(error, file=sys.stderr)
        return 1
    except NotAudited as error:
        print(f"{LOUD} DEPENDENCIES NOT AUDITED: {error} {LOUD}", file=sys.stderr)
        return 0
    for line in found:
        print(line, file=sys.stderr)
    if not found:
        print(f"No known weakness in {REQUIREMENTS.name}; {len(ignored)} accepted.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
