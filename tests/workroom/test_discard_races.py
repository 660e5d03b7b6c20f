"""A draft that is discarded while somebody else acts on it: plain words, and never an error (R13)."""

import threading

import pytest
from django.db import connection
from django.test import Client

from jobs.models import Job, Person
from tests.workroom.agreements import draft

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("other", ["discard", "award"])
def test_discard_twice_or_with_an_award(client_person: Person, other: str) -> None:
    job = draft(client_person)
    answers: list[int] = []
    start = threading.Barrier(6)

    def press(action: str) -> None:
        browser = Client(raise_request_exception=False)
        browser.force_login(client_person)
        start.wait()
        response = browser.post(f"/jobs/{job.pk}/{action}/", {"email": "frank@example.com"})
        answers.append(response.status_code)
        connection.close()

    actions = ["discard", other] * 3
    threads = [threading.Thread(target=press, args=(action,)) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(answers) <= {200, 302, 404}
    left = Job.objects.filter(pk=job.pk).values_list("state", flat=True)
    assert list(left) in ([], ["awarded"])
