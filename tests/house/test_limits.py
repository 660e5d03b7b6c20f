"""A request brings no more than some form of ours sends; beyond that it is refused in plain words."""

import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

LOGIN = "/accounts/login/"
FORM = "application/x-www-form-urlencoded"
WORDS = "That is more than one sending may hold"


def refused(answer: Any) -> tuple[int, bool]:
    return answer.status_code, WORDS in answer.content.decode()


@pytest.fixture
def visitor(db: None) -> Client:
    return Client()


def test_a_text_that_is_too_long(visitor: Client) -> None:
    assert refused(visitor.post(LOGIN, {"login": "x" * 2_700_000})) == (413, True)
    assert refused(visitor.post(LOGIN, "login=" + "x" * 2_700_000, FORM)) == (413, True)
    assert refused(visitor.post(LOGIN, b"[" * 2_700_000, "application/json")) == (413, True)


def test_too_many_fields_and_too_many_files(visitor: Client) -> None:
    fields = {f"field-{number}": "1" for number in range(1_001)}
    assert refused(visitor.post(LOGIN, fields)) == (413, True)
    files = [SimpleUploadedFile(f"{number}.txt", b"x") for number in range(51)]
    assert refused(visitor.post(LOGIN, {"files": files})) == (413, True)


def test_what_our_largest_form_sends_is_taken(visitor: Client) -> None:
    """And refused by the form, which knows more of it."""
    fields = {f"field-{number}": "x" * 2_000 for number in range(900)}
    assert visitor.post(LOGIN, fields).status_code == 200


def test_an_announced_giant_is_not_read(visitor: Client) -> None:
    unread = io.BytesIO(b"not a byte of it is wanted")
    announced: Any = {"CONTENT_LENGTH": str(600 * 1024 * 1024), "wsgi.input": unread}
    kind = "multipart/form-data; boundary=frontier"
    assert refused(visitor.post(LOGIN, b"", kind, **announced)) == (413, True)
    assert unread.tell() == 0


@pytest.mark.parametrize("length", ["many", "-1", "1e9", "\u00b2", "9" * 5_000])
def test_a_length_that_is_none_is_refused(visitor: Client, length: str) -> None:
    answer = visitor.post(LOGIN, b"login=clara@example.com", FORM, CONTENT_LENGTH=length)
    assert answer.status_code == 400


def test_without_a_length_nothing_is_read(visitor: Client) -> None:
    answer = visitor.post(LOGIN, b"login=clara@example.com", FORM, CONTENT_LENGTH="")
    assert answer.status_code == 200
    assert answer.context["form"].errors["login"] == ["This field is required."]
