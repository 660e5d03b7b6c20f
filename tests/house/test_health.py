"""/healthz answers whoever asks, by whatever name and protocol."""

from unittest import mock

import pytest
from django.db import OperationalError, connection
from django.test import Client


@pytest.mark.usefixtures("db")
def test_healthy(client: Client) -> None:
    response = client.get("/healthz", headers={"host": "10.0.0.7:8000"})

    assert (response.status_code, response.content) == (200, b"ok\n")


def test_without_a_database(client: Client) -> None:
    with mock.patch.object(connection, "cursor", side_effect=OperationalError):
        response = client.get("/healthz")

    assert response.status_code == 503
