"""The look of a card as plain text; a strip always has the requested width."""

from __future__ import annotations

from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.strip import Strip

from glboard_tui.widgets.card import (
    AUTO,
    SHAPES,
    CardState,
    CardView,
    Chip,
    Density,
    Fact,
    Flag,
    Shape,
    height_of,
    paint,
)
from glboard_tui.widgets.colors import ansi_palette, truecolor_palette
from support.make import issue_id
from tui.widgets.test_text import NASTY

PALETTE = truecolor_palette({}, dark=True)

VIEW = CardView(
    id=issue_id(1),
    title="Context window overflow is reported as a 500",
    reference="ai-gateway#756",
    weight="2",
    facts=(Fact("ready", "good"), Fact("P1", "bad"), Fact("S2")),
    assignee="@birch",
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
    strips = paint(view, width, state or CardState(), SHAPES[density], PALETTE)
    return [strip.text for strip in strips]


def test_normal_has_two_lines_of_title_and_an_empty_line() -> None:
    assert text_of() == [
        "▎ Context window overflow is         2 ",
        "▎ reported as a 500                    ",
        "▎ ai-gateway#756 ready P1 S2    @birch ",
        " " * 39,
    ]


def test_focus_is_a_heavier_edge_and_a_mark_is_a_tick() -> None:
    lines = text_of(state=CardState(focused=True, selected=True))
    assert [line[:3] for line in lines] == ["▌✓C", "▌ r", "▌ a", "   "]


def test_a_staged_card_says_so_where_no_other_word_has_to_go() -> None:
    assert text_of(width=50, flag="staged")[1] == "▎~ai-gateway#756 staged ready P1 S2        @birch "
    assert text_of(width=30, flag="staged")[-2] == "▎~ai-…#756 ready P1 S2 @birch "


def test_dense_is_one_line_of_title_and_one_of_facts() -> None:
    assert text_of(density="dense") == [
        "▎ Context window overflow is report… 2 ",
        "▎ ai-gateway#756 ready P1 S2    @birch ",
    ]


def test_roomy_has_a_line_for_type_and_labels() -> None:
    facts = (*VIEW.facts, Fact("bug", minor=True))
    assert text_of(width=25, density="roomy", facts=facts, chips=(Chip("customer", "#ff0000"),)) == [
        "▎ Context window       2 ",
        "▎ overflow is reported   ",
        "▎ as a 500               ",
        "▎ bug  customer          ",
        "▎ ready P1 S2     @birch ",
        " " * 25,
    ]
    assert len(text_of(width=25, density="roomy")) == 5


@pytest.mark.parametrize(
    ("flag", "sign"),
    [("pending", "*"), ("failed", "!"), ("conflict", "≠"), ("unseen", "●")],
)
def test_each_state_has_a_sign(flag: Flag, sign: str) -> None:
    assert text_of(flag=flag)[2].startswith(f"▎{sign}")


def test_masked_card_shows_only_its_weight() -> None:
    view = CardView(id=issue_id(1), title="confidential", weight="2", masked=True)
    assert text_of(view, density="dense") == [
        "▎ ▒ confidential                     2 ",
        "▎                                      ",
    ]


def test_no_weight_is_not_zero() -> None:
    assert text_of(weight="?")[0].endswith(" ? ")
    assert text_of(weight="0")[0].endswith(" 0 ")
    assert text_of(weight="", title="Short")[0] == "▎ Short".ljust(39)


def test_accepted_is_said_by_a_sign_without_an_assignee() -> None:
    assert text_of(accepted=True, assignee="·")[2].endswith(" ◆ ")
    assert text_of(accepted=True)[2].endswith(" @birch ")
    assert text_of(assignee="·")[2].endswith(" · ")


def test_what_does_not_fit_is_shortened_first() -> None:
    facts = (Fact("planning breakdown", "warn", short="breakdown"), Fact("slipped ×2", "warn"), Fact("P1"))
    lines = [
        text_of(width=width, density="dense", facts=facts, assignee="·")[1].strip("▎ ·")
        for width in (60, 48, 40, 34)
    ]
    assert lines == [
        "ai-gateway#756 planning breakdown slipped ×2 P1",
        "ai-gateway#756 breakdown slipped ×2 P1",
        "ai-gat…#756 breakdown slipped ×2 P1",
        "#756 breakdown slipped ×2 P1",
    ]


def test_the_reference_gives_way_before_a_fact() -> None:
    facts = (Fact("ready", "good"), Fact("slipped", "warn"), Fact("blocked", "bad"))
    assert text_of(width=28, facts=facts, assignee="·")[2].strip("▎ ·") == "ready slipped blocked"


def test_only_the_last_facts_are_dropped() -> None:
    facts = (Fact("ready", "good"), Fact("slipped", "warn"), Fact("no subtype", "warn"))
    assert text_of(width=20, facts=facts, assignee="·")[2].strip("▎ ·") == "ready slipped"


def test_labels_come_last_and_are_dropped_first() -> None:
    chips = (Chip("customer", "#ff0000"), Chip("frontend", "#00ff00"))
    whole = text_of(width=64, chips=chips)[1]
    assert whole == "▎ ai-gateway#756 ready P1 S2  customer   frontend        @birch "
    assert "frontend" not in text_of(width=49, chips=chips)[-2]


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
    assignee=NASTY,
    accepted=st.booleans(),
    heavy=st.booleans(),
    flag=st.sampled_from([None, *get_args(Flag)]),
    masked=st.booleans(),
)


@given(
    VIEWS,
    st.integers(1, 120),
    st.sampled_from([*AUTO, *SHAPES.values()]),
    st.builds(CardState, st.booleans(), st.booleans(), st.booleans(), st.booleans()),
    st.sampled_from([PALETTE, ansi_palette()]),
)
def test_strip_has_the_requested_width(
    view: CardView, width: int, shape: Shape, state: CardState, palette: Any
) -> None:
    strips = paint(view, width, state, shape, palette)
    assert len(strips) == height_of(view, width, shape)
    for strip in strips:
        assert strip.cell_length == width
        # Measured, not only declared.
        assert Strip(list(strip)).cell_length == width
