"""The look of a card as plain text; a strip always has the requested width."""

from __future__ import annotations

from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.strip import Strip

from glboard_tui.widgets.card import HEIGHTS, CardState, CardView, Chip, Density, Fact, Flag, paint
from glboard_tui.widgets.colors import ansi_palette, truecolor_palette
from support.make import issue_id
from tui.widgets.test_text import NASTY

PALETTE = truecolor_palette({}, dark=True)

VIEW = CardView(
    id=issue_id(1),
    title="Context window overflow is reported as a 500",
    reference="ai-gateway#756",
    weight="2",
    facts=(Fact("P1", "bad"), Fact("S2"), Fact("ready", "good")),
    people="BI",
)


def text_of(
    view: CardView = VIEW,
    width: int = 39,
    *,
    density: Density = "normal",
    state: CardState | None = None,
    **changes: Any,
) -> list[str]:
    view = msgspec.structs.replace(view, **changes)
    strips = paint(view, width, state or CardState(), density, PALETTE)
    return [strip.text for strip in strips]


def test_normal() -> None:
    assert text_of() == [
        "  Context window overflow is repor…  2 ",
        "  ai-gateway#756 P1 S2 ready        BI ",
    ]


def test_focus_is_a_bar_and_a_mark_is_a_tick() -> None:
    assert text_of(state=CardState(focused=True, selected=True)) == [
        "▌✓Context window overflow is repor…  2 ",
        "▌ ai-gateway#756 P1 S2 ready        BI ",
    ]


def test_compact() -> None:
    assert text_of(density="compact") == ["  Context window overflow is… P1 BI  2 "]
    assert text_of(density="compact", title="Short") == ["  Short                       P1 BI  2 "]


def test_compact_shows_flag_and_mark() -> None:
    (line,) = text_of(density="compact", title="Short", state=CardState(selected=True), flag="pending")
    assert line == " ✓Short                     P1 BI *  2 "


def test_roomy_gives_the_title_two_lines() -> None:
    assert text_of(width=25, density="roomy") == [
        "  Context window       2 ",
        "  overflow is report…    ",
        "  ai-gate…#756 P1 S2  BI ",
    ]


@pytest.mark.parametrize(
    ("flag", "sign"),
    [("pending", "*"), ("failed", "!"), ("conflict", "≠"), ("unseen", "●")],
)
def test_each_state_has_a_sign(flag: Flag, sign: str) -> None:
    assert text_of(flag=flag)[1].startswith(f" {sign}ai-gate")


def test_masked_card_shows_only_its_weight() -> None:
    view = CardView(id=issue_id(1), title="confidential", weight="2", masked=True)
    assert text_of(view) == [
        "  ▒ confidential                     2 ",
        "                                       ",
    ]


def test_no_weight_is_not_zero() -> None:
    assert text_of(weight="?")[0].endswith("  ? ")
    assert text_of(weight="0")[0].endswith("  0 ")
    assert text_of(weight="", title="Short")[0] == "  Short".ljust(39)


def test_colours_are_backed_by_words() -> None:
    (_, line) = text_of(width=60, facts=(), blocked=True, slipped=2, warnings=("no type",))
    assert line == "  ai-gateway#756 blocked slipped×2 no type               BI "


def test_labels_come_last_and_are_dropped_first() -> None:
    chips = (Chip("customer", "#ff0000"), Chip("frontend", "#00ff00"))
    assert text_of(width=60, chips=chips)[1] == "  ai-gateway#756 P1 S2 ready  customer   frontend        BI "
    assert "frontend" not in text_of(width=45, chips=chips)[1]


def test_reference_number_is_never_cut() -> None:
    (_, line) = text_of(width=25, reference="a-very-long-project-name#12345")
    assert "#12345 P1" in line


def test_remote_text_is_not_parsed_as_markup() -> None:
    assert "fix [/api] [bold]crash" in text_of(title="fix [/api] [bold]crash")[0]


WORDS = st.builds(Fact, NASTY, st.sampled_from(["plain", "good", "warn", "bad"]))
CHIPS = st.builds(Chip, NASTY, st.sampled_from(["#ff0000", "#000", "", "no colour", "#123456"]))
VIEWS = st.builds(
    CardView,
    id=st.just(issue_id(1)),
    title=NASTY,
    reference=NASTY,
    weight=st.sampled_from(["", "?", "0", "13", "1000"]),
    facts=st.lists(WORDS, max_size=3).map(tuple),
    chips=st.lists(CHIPS, max_size=3).map(tuple),
    people=NASTY,
    flag=st.sampled_from([None, *get_args(Flag)]),
    masked=st.booleans(),
    blocked=st.booleans(),
    slipped=st.integers(0, 3),
    warnings=st.lists(NASTY, max_size=2).map(tuple),
)


@given(
    VIEWS,
    st.integers(1, 120),
    st.sampled_from(get_args(Density)),
    st.builds(CardState, st.booleans(), st.booleans(), st.booleans()),
    st.sampled_from([PALETTE, ansi_palette()]),
)
def test_strip_has_the_requested_width(
    view: CardView, width: int, density: Density, state: CardState, palette: Any
) -> None:
    strips = paint(view, width, state, density, palette)
    assert len(strips) == HEIGHTS[density]
    for strip in strips:
        assert strip.cell_length == width
        # Measured, not only declared.
        assert Strip(list(strip)).cell_length == width


def test_reference_is_shortened_only_for_important_facts() -> None:
    telling = (Fact("P1"), Fact("ready", "good"))
    assert text_of(width=30, facts=telling)[1] == "  ai-gateway#756 P1 ready  BI "
    assert text_of(width=28, facts=telling)[1] == "  ai-gatew…#756 P1 ready BI "
    minor = (Fact("P1"), Fact("dependency", minor=True))
    assert text_of(width=28, facts=minor)[1] == "  ai-gateway#756 P1      BI "
