"""Remote text is sanitised, and our own text is saved as typed."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glboard_core.gitlab import markers
from glboard_core.model import clean_text


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("fix [/api] crash", "fix [/api] crash"),
        ("[bold red]no[/]", "[bold red]no[/]"),
        ("a\x1b[31mred\x1b[0m b", "ared b"),
        ("a\x1b]0;owned\x07b", "ab"),
        ("a\x1b]8;;https://evil\x1b\\link\x1b]8;;\x1b\\b", "alinkb"),
        ("a\x9b31mb", "ab"),
        ("a\x1bPq#0\x1b\\b", "ab"),
        ("a\x1b]52;c;aGk=", "a]52;c;aGk="),
        ("a\x1bcb", "ab"),
        ("two\r\nlines\tand tab", "two lines and tab"),
        ("a\u2028b", "a b"),
        ("bell\x07 null\x00 del\x7f", "bell null del"),
        ("abc\u202efdp.exe", "abcfdp.exe"),
        ("\u2066isolated\u2069", "isolated"),
        ("שלום עולם", "שלום עולם"),
        ("👩\u200d💻 pair", "👩\u200d💻 pair"),
        ("e\u0301", "e\u0301"),
    ],
)
def test_a_line_is_clean(raw: str, clean: str) -> None:
    assert clean_text.line(raw) == clean


def test_a_body_keeps_its_lines() -> None:
    assert clean_text.clean_body("one\r\ntwo\rthree\n\tcode\x1b[2J") == "one\ntwo\nthree\n\tcode"


def test_letters_of_an_argument_that_cannot_be_decoded_are_not_thrown_away() -> None:
    assert clean_text.typed_body("one\r\ntwo\0\x1b[2J\u202e") == "one\ntwo\x1b[2J\u202e"
    with pytest.raises(UnicodeEncodeError):
        clean_text.typed_body(b"x\xffy".decode(errors="surrogateescape"))


@given(st.text())
def test_no_control_character_survives(raw: str) -> None:
    clean = clean_text.line(raw)
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029]", clean)
    assert clean_text.line(clean) == clean


def test_the_marker_is_removed_when_read() -> None:
    sent = markers.marked("Hello\n\nthere\n", "op-12")
    assert sent.endswith("<!-- glboard:op-12 -->")
    assert markers.split_marker(sent) == ("Hello\n\nthere", "op-12")
    # Empty lines before it and blanks after it are part of a text.
    assert markers.marked("\n\n  Hello \r\n", "x").startswith("\n\n  Hello \n\n<!--")
    assert markers.split_marker(markers.marked("", "x")) == ("", "x")


def test_a_marker_in_the_middle_is_a_quote() -> None:
    quoted = "> Hello <!-- glboard:op-12 -->\n\nno"
    assert markers.split_marker(quoted) == (quoted, None)
