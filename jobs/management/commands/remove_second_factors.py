"""``manage.py remove_second_factors ADDRESS``: for somebody who has lost his telephone and his recovery codes.

Whoever runs it has made sure who asks. A support agent is led to set up a new one at the next sign-in.
"""

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from jobs.models import Person


class Command(BaseCommand):
    help = "Remove all second factors of a person and end all sessions."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("address", help="the primary e-mail address of the account")

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        person = Person.objects.filter(email__iexact=options["address"]).first()
        if person is None:
            raise CommandError("No account has this primary address.")
        removed, _ = Authenticator.objects.filter(user=person).delete()
        for session in UserSession.objects.filter(user=person):
            session.end()
        self.stdout.write(f"{removed} removed; {person} signs in with the password alone now.")
