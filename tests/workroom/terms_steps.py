"""Steps that the tests of the pages of Terms share: who looks at which page, and what is typed there."""

from django.test import Client
from django.urls import reverse

from tests.workroom.agreements import terms_input
from workroom.services import terms


def signed_in(person):
    client = Client()
    client.force_login(person)
    return client


def address(name, *numbers):
    return reverse(f"workroom:{name}", args=numbers)


def counter(job, by, *, at, answering=1, **values):
    return terms.propose(job, by=by, terms=terms_input(**values), answering=answering, at=at)


def typed(*rows, **values):
    data = {
        "answering": "1", "scope": "Pages", "starts_on": "", "ends_on": "", "message": "",
        "milestones-TOTAL_FORMS": str(len(rows)), "milestones-INITIAL_FORMS": "0",
    }  # fmt: skip
    for place, row in enumerate(rows):
        for name, value in ({"place": str(place + 1), "due_on": ""} | row).items():
            data[f"milestones-{place}-{name}"] = value
    return data | values
