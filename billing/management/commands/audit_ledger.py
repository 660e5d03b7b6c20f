"""``manage.py audit_ledger``: hold every law of the ledger against what is there."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from billing.services import audit
from escrow_site.lib import timing
from jobs.models import Heartbeat
from jobs.services import heartbeats


class Command(BaseCommand):
    help = "Check that the whole ledger adds up; exits with an error when it does not."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--if-never", action="store_true", help="do nothing if it was ever done before"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["if_never"] and Heartbeat.objects.filter(name="audit_ledger").exists():
            return
        with heartbeats.beating("audit_ledger") as facts:
            findings = audit.audit_ledger(at=timing.now())
            facts |= audit.summary(audit.differences(findings))
        for finding in findings:
            mark = "different" if finding.differences else "ok"
            self.stdout.write(f"{mark:9} {finding.check}")
            for difference in finding.differences:
                self.stdout.write(f"          {difference}")
        if facts["differences"]:
            raise CommandError("The ledger does not add up.")
