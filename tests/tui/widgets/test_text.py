"""Remote text keeps its width, whatever it contains."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glboard_tui.widgets.text import clean, clip, fit, fit_right, upright, width_of, wrap, wrapped

#: Text that breaks boards: wide, right to left, combining, joined, flags, escapes, lone surrogates.
NASTY = st.one_of(
    st.text(),
    st.text(alphabet="漢字かな한글ＡＢ"),
    st.text(alphabet="שלוםمرحبا \u200f\u202e"),
    st.text(alphabet="e\u0301\u0308o\u20dd"),
    st.text(alphabet="👩👨👧\u200d\ufe0f❤🏽🇩🇪✊"),
    st.text(alphabet="\x00\x07\x1b[]0;m\x9b\r\n\t\u2028\ud800"),
)


@given(NASTY)
def test_clean_text_has_nothing_a_terminal_interprets(text: str) -> None:
    found = clean(text)
    assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 for c in found)
    found.encode("utf-8")
    assert clean(found) == found


@given(NASTY, st.integers(0, 60))
def test_text_fits_exactly(text: str, width: int) -> None:
    text = clean(text)
    assert width_of(clip(text, width)) <= width
    assert width_of(fit(text, width)) == width
    assert width_of(fit_right(text, width)) == width


@given(NASTY, NASTY)
def test_widths_add_up(one: str, other: str) -> None:
    """Pieces are joined into lines: a joiner at a seam must not swallow a cell."""
    assert width_of(clean(one) + clean(other)) == width_of(clean(one)) + width_of(clean(other))


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("fix [/api] crash", "fix [/api] crash"),
        ("a\x1b]0;title\x07b", "a ]0;title b"),
        ("two\nlines\there", "two lines here"),
        ("👩‍👩‍👧", "👩👩👧"),
        ("🇩🇪 launch", "DE launch"),
        ("❤️", "❤"),
        ("abc\u202egnp.exe", "abcgnp.exe"),
        ("\ud800", "\ufffd"),
    ],
)
def test_clean_replaces_unsafe_characters(raw: str, shown: str) -> None:
    assert clean(raw) == shown


def test_cut_text_has_an_ellipsis() -> None:
    assert clip("Context window", 9) == "Context…"
    assert clip("漢字漢字", 4) == "漢…"
    assert clip("x", 0) == ""


def test_upright_name() -> None:
    assert upright("bug", 5) == ("b", "u", "g")
    assert upright("maintenance", 4) == ("m", "a", "i", "…")
    assert upright("x", 0) == ()


def test_a_title_is_wrapped_at_spaces() -> None:
    assert wrapped("Wrong total in token accounting", 12, 14, 5) == ("Wrong total", "in token", "accounting")
    assert wrapped("Wrong total in token accounting", 12, 14, 2) == ("Wrong total", "in token acco…")
    assert wrapped("a" * 25, 10, 10, 5) == ("a" * 10, "a" * 10, "a" * 5)
    assert wrapped("", 10, 10, 3) == ("",)


@given(NASTY, st.integers(2, 60), st.integers(2, 60), st.integers(1, 12))
def test_a_wrapped_title_fits(text: str, first: int, width: int, most: int) -> None:
    lines = wrapped(clean(text), first, width, most)
    assert 1 <= len(lines) <= most
    assert width_of(lines[0]) <= first
    assert all(width_of(line) <= width for line in lines[1:])


def test_a_long_text_is_measured_once() -> None:
    def seconds(count: int) -> float:
        started = time.process_time()
        wrap("模" * count, 70, 70, 1_000)
        return time.process_time() - started

    # If each line measured all that follows it, four times the text would take sixteen times as long.
    once, more = min(seconds(2_000) for _ in range(3)), min(seconds(8_000) for _ in range(3))
    assert more < 8 * once + 0.02


@given(st.text("ab -/", max_size=60), st.integers(-9, 20), st.integers(-9, 20), st.integers(1, 9))
def test_ascii_is_wrapped_as_any_other_text(text: str, first: int, width: int, most: int) -> None:
    other = text.replace("a", "é")
    assert wrap(other, first, width, most) == tuple(
        line.replace("a", "é") for line in wrap(text, first, width, most)
    )
