"""Finds a Chromium for the browser tests, or installs one: `python -m scripts.install_chromium`.

Never fails: without a browser its tests are skipped, loudly; where CI is set they fail by themselves.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NOT_FOUND = "no Chromium was found or could be installed (CHROMIUM=/path/to/chromium names one)"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC_APPLICATIONS = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
PLAYWRIGHT_FOLDERS = ("~/.cache/ms-playwright", "~/Library/Caches/ms-playwright")
# Of the several browsers that Playwright unpacks, the programs themselves.
PLAYWRIGHT_PROGRAMS = (
    "chromium-*/chrome-linux*/chrome",
    "chromium-*/chrome-mac*/*.app/Contents/MacOS/*",
)


def find_chromium() -> str | None:
    """The browser named by CHROMIUM, else one of the system, else one that Playwright has installed."""
    named = os.environ.get("CHROMIUM")
    if named:
        return shutil.which(named)
    of_the_system = [*map(shutil.which, NAMES), *map(shutil.which, MAC_APPLICATIONS)]
    return next(filter(None, [*of_the_system, *of_playwright()]), None)


def of_playwright() -> list[str]:
    folders = [os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or "", *PLAYWRIGHT_FOLDERS]
    found: list[Path] = []
    for folder in filter(None, folders):
        for program in PLAYWRIGHT_PROGRAMS:
            found += Path(folder).expanduser().glob(program)
    return [str(path) for path in sorted(found, reverse=True)]


def install() -> None:
    """By the system's packages where that is allowed, else by Playwright, else not at all."""
    print("Installing Chromium for the browser tests ...", flush=True)
    if os.geteuid() == 0 and shutil.which("apt-get"):
        install_by_apt()
    if find_chromium() is None:
        by_playwright = [sys.executable, "-m", "playwright", "install", "chromium"]
        subprocess.run(by_playwright, capture_output=True, check=False)


def install_by_apt() -> None:
    quietly = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    packages = ["chromium", "fonts-liberation"]
    for arguments in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
        subprocess.run(
            ["apt-get", "-qq", *arguments], env=quietly, stdout=subprocess.DEVNULL, check=False
        )


def main() -> None:
    if find_chromium() is None and "CHROMIUM" not in os.environ:
        install()
    if find_chromium() is None:
        print(f"\n!!! THE BROWSER TESTS WILL NOT RUN: {NOT_FOUND}\n")


if __name__ == "__main__":
    main()
