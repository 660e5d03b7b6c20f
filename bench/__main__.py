"""``make bench``: prints ratios to the floor, measured in the same run on the same database."""

import argparse
import os
import tempfile
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import django
from django.core.management import call_command

from escrow_site.embedded import services

PARTS = ("pages", "money", "sweep")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--only", choices=PARTS, help="one part; default: all")
    arguments.add_argument(
        "--times", type=int, default=2_000, help="pages, money: how often each is done"
    )
    arguments.add_argument(
        "--jobs",
        type=int,
        nargs="+",
        default=[10_000, 100_000],
        help="sweep: sizes of the population, e.g. 10000 100000 1000000",
    )
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="escrow-bench-") as folder:
        os.environ.update(
            ESCROW_LOCAL="1", ESCROW_DATA_DIR=folder, LOG_LEVEL="ERROR", STATIC_MANIFEST="0"
        )
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "escrow_site.settings")
        os.environ.pop("DATABASE_URL", None)
        with services.running(Path(folder), os.environ, durable=True) as variables:
            os.environ.update(variables)
            run([options.only] if options.only else PARTS, times=options.times, jobs=options.jobs)


def run(parts: Sequence[str], *, times: int, jobs: list[int]) -> None:
    """Print the parts; the sweep comes last, as it empties the tables."""
    django.setup()
    call_command("migrate", verbosity=0)
    if "pages" in parts:
        print_pages(times=times // 10)
    if "money" in parts:
        print_money(times=times)
    if "sweep" in parts:
        print_sweep(jobs=jobs)


def print_pages(*, times: int) -> None:
    pages = import_module("bench.pages")
    print(f"{'':28}{'web ms':>8}{'db ms':>8}{'x empty':>9}{'statements':>12}{'kB':>6}")
    costs = pages.measure(times=times)
    empty = costs[0][1]
    for name, cost in costs:
        print(
            f"{name:28}{cost.web_ms:>8.1f}{cost.database_ms:>8.1f}"
            f"{cost.total_ms / empty.total_ms:>9.1f}{cost.statements:>12}{cost.kilobytes:>6.0f}"
        )
    print("least 8 x, aim 4 x the empty view; at most 8 statements, 40 kB\n")


def print_money(*, times: int) -> None:
    money = import_module("bench.money")
    print(
        f"{'':34}{'clients':>8}{'service/s':>12}{'floor/s':>10}{'ratio':>8}{'least':>8}{'aim':>6}"
    )
    for what, clients, service, floor in money.measure(times=times):
        least, aim = (0.12, 0.25) if clients == 1 else (0.08, 0.20)
        print(
            f"{what:34}{clients:>8}{service:>12.0f}{floor:>10.0f}{service / floor:>8.2f}"
            f"{least:>8}{aim:>6}"
        )
    print()


def print_sweep(*, jobs: list[int]) -> None:
    sweep = import_module("bench.sweep")
    print(
        f"{'Jobs':>10}{'due':>9}{'seconds':>9}{'due/s':>8}{'floor/s':>9}{'ratio':>7}{'CPU ratio':>11}"
        f"{'longest batch s':>17}{'MB at most':>12}{'rows again':>12}"
    )
    for cost in sweep.measure(sizes=jobs):
        print(
            f"{cost.jobs:>10,}{cost.due:>9,}{cost.seconds:>9.1f}{cost.per_second:>8.0f}"
            f"{cost.floor_per_second:>9.0f}{cost.ratio:>7.2f}{cost.cpu_ratio:>11.2f}"
            f"{cost.longest_batch_seconds:>17.2f}{cost.megabytes:>12.0f}{cost.again:>12}",
            flush=True,
        )
    print("ratio: least 0.25, aim 0.5; no batch over 0.5 s; 0 rows again; due/s and MB level\n")


if __name__ == "__main__":
    main()
