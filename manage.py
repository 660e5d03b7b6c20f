#!/usr/bin/env python
"""Django's commands, on the database of `make run` unless DATABASE_URL names another.

The embedded servers are used when they run, and else started for this one command. `ESCROW_LOCAL=0` forbids
that: on a server a forgotten DATABASE_URL must be an error and not a new empty database.
"""

import os
import sys
from contextlib import ExitStack

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from escrow_site import local
from escrow_site.embedded.errors import CannotStart


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "escrow_site.settings")
    try:
        with ExitStack() as stack:
            if local.is_wanted(os.environ):
                stack.enter_context(local.surroundings())
            execute_from_command_line(sys.argv)
    except (CannotStart, ImproperlyConfigured) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
