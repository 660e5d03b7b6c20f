"""``make bench``: prints ratios to the floor, measured in the same run on the same database."""

import argparse
import os
import tempfile
from pathlib import Path

import django

from escrow_site.embedded import services


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--times", type=int, default=2_000, help="of each operation")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="escrow-bench-") as folder:
        os.environ.update(ESCROW_LOCAL="1", ESCROW_DATA_DIR=folder, LOG_LEVEL="ERROR")
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "escrow_site.settings")
        os.environ.pop("DATABASE_URL", None)
        with services.running(Path(folder), os.environ, durable=True) as variables:
            os.environ.update(variables)
            run(options.times)


def run(times: int) -> None:
    django.setup()
    from django.core.management import call_command

    from bench import money

    call_command("migrate", verbosity=0)
    print(f"{'':28}{'clients':>8}{'service/s':>12}{'floor/s':>10}{'ratio':>8}{'least':>8}{'aim':>6}")
    for what, clients, service, floor in money.measure(times=times):
        least, aim = (0.12, 0.25) if clients == 1 else (0.08, 0.20)
        print(
            f"{what:28}{clients:>8}{service:>12.0f}{floor:>10.0f}{service / floor:>8.2f}"
            f"{least:>8}{aim:>6}"
        )


if __name__ == "__main__":
    main()
