"""Prepares the local database and the static files before the processes start: `python -m escrow_site.prepare`."""

import os

import django
from django.core.management import call_command, get_commands

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "escrow_site.settings")


def prepare() -> None:
    """Brings everything up to date; may be interrupted and run again."""
    django.setup()
    print("Preparing the database and the pages ...", flush=True)
    call_command("migrate", interactive=False, verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    if "demo" in get_commands():
        call_command("demo", "--if-empty")


if __name__ == "__main__":
    prepare()
