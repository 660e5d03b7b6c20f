"""``manage.py migrate``: Django's own, and then the rows that every installation needs."""

from typing import Any

from django.core.management.commands.migrate import Command as DjangoMigrate

from billing.reference_data import ensure_reference_data as ensure_billing_data
from jobs.reference_data import ensure_reference_data as ensure_jobs_data
from workroom.reference_data import ensure_reference_data as ensure_workroom_data


class Command(DjangoMigrate):
    def handle(self, *args: Any, **options: Any) -> None:
        super().handle(*args, **options)
        if not args and not options.get("app_label") and not options.get("plan"):
            ensure_jobs_data()
            ensure_billing_data()
            ensure_workroom_data()
