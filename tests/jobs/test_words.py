"""Words that have to be said."""

import pytest

from jobs.services import words


@pytest.mark.parametrize("nothing", ["", "  \n", "\u200b\u200b\u2060", "\u00a0", "\u202e"])
def test_what_nobody_can_see_is_not_said(nothing: str) -> None:
    with pytest.raises(words.NothingSaid, match="Write the reason."):
        words.check(nothing, what="the reason")


@pytest.mark.parametrize("too_much", ["x" * 11, "a\x00b"])
def test_too_many_words_or_no_plain_ones(too_much: str) -> None:
    with pytest.raises(words.NothingSaid, match="in at most 10 plain characters"):
        words.check(too_much, what="the reason", at_most=10)


def test_words_are_kept_without_the_blanks_around_them() -> None:
    assert words.check(" because \n", what="the reason") == "because"
