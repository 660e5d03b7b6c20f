"""``manage.py generate_states``: docs/states.md from the ``@transition`` methods of the models."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import models
from django_fsm import FSMField

from billing.models import (
    Cancellation,
    Chargeback,
    Decision,
    Dispute,
    Escrow,
    Intervention,
    Offer,
    Payment,
    Payout,
    ProForma,
    Refund,
    ReleaseRequest,
    SealedLimit,
)
from jobs.models import Job, Notification
from workroom.models import Terms

MACHINES: tuple[type[models.Model], ...] = (
    Job,
    Terms,
    Escrow,
    Payment,
    Chargeback,
    Refund,
    ReleaseRequest,
    ProForma,
    Cancellation,
    Dispute,
    Offer,
    Decision,
    SealedLimit,
    Intervention,
    Payout,
    Notification,
)
INTRODUCTION = """# States

Generated from the models by `make docs`; do not edit. Every move below is a method of that name on the
model; no other move is possible, and `escrow_site.lib.states.move` is the only way to make one.
"""
FILE = settings.BASE_DIR / "docs" / "states.md"


class Command(BaseCommand):
    help = "Print docs/states.md as the models have it now."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="fail if the file is not that")

    def handle(self, *args: Any, **options: Any) -> None:
        page = "\n".join([INTRODUCTION, *(section(model) for model in MACHINES)])
        if not options["check"]:
            self.stdout.write(page, ending="")
        elif not FILE.exists() or FILE.read_text() != page:
            raise CommandError("docs/states.md is stale: run `make docs`.")


def state_field(model: type[models.Model]) -> FSMField:
    """The field that the machine moves."""
    field = model._meta.get_field("state")
    assert isinstance(field, FSMField)
    return field


def section(model: type[models.Model]) -> str:
    """One machine: its first state, a diagram, a table."""
    field = state_field(model)
    labels = dict(field.flatchoices)
    moves = [
        (transition.name, transition.source, transition.target)
        for transition in sorted(
            field.get_all_transitions(model), key=lambda transition: transition.name
        )
    ]
    first = field.get_default()
    lines = [
        f"## {model._meta.app_label}.{model.__name__}",
        "",
        f"Begins as **{labels[first]}**.",
        "",
        "```mermaid",
        "stateDiagram-v2",
        f"    [*] --> {first}",
        *(f"    {source} --> {target}: {verb}" for verb, source, target in moves),
        "```",
        "",
        "| from | verb | to |",
        "|---|---|---|",
        *(f"| {labels[source]} | `{verb}` | {labels[target]} |" for verb, source, target in moves),
        "",
    ]
    return "\n".join(lines)
