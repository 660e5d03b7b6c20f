"""Steps that the tests of the pages of Disputes share."""

from datetime import timedelta
from html import unescape
from typing import Any

from django.urls import reverse

from billing.models import Dispute
from jobs.models import Job, Person
from tests.billing.steps import signed_in

DAY = timedelta(days=1)
OF_DISPUTE = (
    "dispute", "answer_dispute", "add_statement", "add_evidence", "escalate_dispute",
    "withdraw_dispute", "dispute_offer", "sealed_offer", "take_back_sealed",
)  # fmt: skip
OF_OFFER = ("accept_offer", "withdraw_offer")


def page(name: str, *arguments: int) -> str:
    return reverse(f"billing:{name}", args=arguments)


def see(person: Person | None, row: Dispute, name: str = "dispute", **query: Any) -> Any:
    assert person is not None
    return signed_in(person).get(page(name, row.pk), query, follow=True)


def send(person: Person | None, row: Dispute, name: str, **sent: Any) -> Any:
    assert person is not None
    return signed_in(person).post(page(name, row.pk), sent, follow=True)


def said(response: Any) -> str:
    """All that the page says, messages too, as it reads."""
    return unescape(response.content.decode())


def buttons(response: Any, row: Dispute) -> set[str]:
    """The names of the pages of the Dispute, and of its offers, to which this page leads."""
    html = response.content.decode()
    found = {name for name in OF_DISPUTE[1:] if f'href="{page(name, row.pk)}"' in html}
    for offer in row.offers.all():
        found |= {name for name in OF_OFFER if f'href="{page(name, offer.pk)}"' in html}
    return found


# --- Where it stands ---


def stages(response: Any) -> list[tuple[str, str]]:
    return [(stage.label, stage.state) for stage in response.context["stages"]]


# --- The tab ---


def tab(person: Person, job: Job) -> Any:
    return signed_in(person).get(reverse("workroom:disputes", args=[job.pk]))
