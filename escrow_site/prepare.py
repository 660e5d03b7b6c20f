"""Prepares the local database and the static files: `python -m escrow_site.prepare`, part of `make run`."""

import os
from contextlib import suppress
from io import StringIO

import django
from django.core.management import call_command

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "escrow_site.settings")


def prepare() -> None:
    """Brings everything up to date; may be interrupted and run again."""
    django.setup()
    print("Preparing the database and the pages ...", flush=True)
    call_command("migrate", interactive=False, verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    call_command("demo", "--if-empty")
    # The next one comes at night; until then the desk would say that nobody has ever looked.
    call_command("audit_ledger", "--if-never", stdout=StringIO())


if __name__ == "__main__":
    # Ctrl-C reaches this process too; the one that started it says that all has stopped.
    with suppress(KeyboardInterrupt):
        prepare()
