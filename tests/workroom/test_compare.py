"""Two texts side by side: only what differs is marked."""

from workroom.templatetags.compare import LONGEST, marked, struck

OLD = "Due 3 Dec 2026, $500.00 <b>"
NEW = "Due 3 Dec 2026, $650.00 <b>"


def test_only_what_changed_is_struck_through() -> None:
    assert struck(OLD, NEW) == "Due 3 Dec 2026, <del>$500.00</del> &lt;b&gt;"
    assert marked(NEW, OLD) == "Due 3 Dec 2026, <ins>$650.00</ins> &lt;b&gt;"


def test_what_was_only_added_strikes_nothing() -> None:
    assert struck("A logo", "A logo in colour") == "A logo"
    assert marked("A logo in colour", "A logo") == "A logo<ins> in colour</ins>"


def test_a_very_long_text_is_marked_whole() -> None:
    text = "x " * LONGEST
    assert struck(text, "y") == f"<del>{text}</del>"
