"""``manage.py audit_ledger``: hold every law of the ledger against what is there."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing.services import audit
from escrow_site.lib import timing
from jobs.services import heartbeats


class Command(BaseCommand):
    help = "Check that the whole ledger adds up; exits with an error when it does not."

    def handle(self, *args: Any, **options: Any) -> None:
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
