"""``manage.py demo``: people and Jobs to look at, on one's own machine."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from escrow_site.lib import timing
from workroom.demo.people import (
    directory,
    give_second_factors,
    is_complete,
    make_people,
    make_senior,
    strangers_exist,
)
from workroom.demo.telling import tell_all
from workroom.demo.world import World


class Command(BaseCommand):
    help = "Make the demo people and their Jobs, through the services."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--if-empty", action="store_true", help="not where other people are at work already"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.LOCAL:
            raise CommandError("The demo people have a password that everybody knows: local only.")
        if options["if_empty"] and strangers_exist():
            return
        if not is_complete():
            self.stdout.write("Making the demo world ...")
            tell_all(World(make_people(), now=timing.now()))
            make_senior()
        give_second_factors()
        self.stdout.write("Demo people:\n" + directory())
