"""``manage.py advance_clock``: lets the product's time pass, on one's own machine."""

import argparse
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from escrow_site.lib.refusals import Refusal
from jobs.models import Job
from workroom.selectors.clock import told
from workroom.services import clock

MOST = 36_500


class Command(BaseCommand):
    help = "Move the local clock forward; what falls due on the way is carried out at its instant."

    def add_arguments(self, parser: CommandParser) -> None:
        how = parser.add_mutually_exclusive_group(required=True)
        how.add_argument("--days", type=amount, help="so many days of 24 hours")
        how.add_argument("--hours", type=amount, help="so many hours")
        how.add_argument(
            "--to-next-event", action="store_true", help="until a timer does something on some Job"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["to_next_event"]:
                advanced = clock.advance_to_next_event()
            else:
                by = timedelta(days=options["days"] or 0, hours=options["hours"] or 0)
                advanced = clock.advance(by=by)
        except Refusal as refusal:
            raise CommandError(refusal.message) from refusal
        self.stdout.write("\n".join(told(advanced, jobs=Job.objects.all())))


def amount(word: str) -> int:
    """A whole number, so that a slip of the finger does not end in another century."""
    if not word.isdecimal() or not 0 < int(word) <= MOST:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 to {MOST}")
    return int(word)
