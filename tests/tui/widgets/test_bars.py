"""Header, footer, column headers and the which-key list: what is dropped first when space is short."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from textual.strip import Strip

from glboard_tui.widgets.card import Fact
from glboard_tui.widgets.colors import truecolor_palette
from glboard_tui.widgets.column_headers import ColumnHeader, paint_column_header
from glboard_tui.widgets.footer import FooterView, paint_footer, paint_keys
from glboard_tui.widgets.header import HeaderView, paint_header
from tui.widgets.test_text import NASTY

PALETTE = truecolor_palette({}, dark=True)

HEADER = HeaderView(
    board="Planning 19.8",
    role="next",
    share=True,
    masked=2,
    unsent=3,
    sums=(
        Fact("plan 25 + 3 unweighted / capacity 35.25"),
        Fact("free +4.25 likely"),
        Fact("!-9.75 all", "bad"),
    ),
    people=(Fact("alder full"), Fact("cedar !over", "bad")),
)
FOOTER = FooterView(
    target="2 selected",
    selected=True,
    hints=(("M", "to 19.9"), ("d", "accept"), ("s", "state"), ("?", "keys")),
    last="u undo: platform#4219 to 19.9",
)
HEAD = ColumnHeader(key="bug", title="bug", x=0, width=39, count=5, weight=6, unweighted=1)
MOVES = [("n", "19.8 (next)"), ("f", "19.9"), ("1", "Next 1-3 Milestones"), ("x", "none"), ("Space", "mark")]


def header(width: int, **changes: Any) -> list[str]:
    view = msgspec.structs.replace(HEADER, **changes)
    return [strip.text for strip in paint_header(view, width, PALETTE)]


def footer(width: int, **changes: Any) -> str:
    return paint_footer(msgspec.structs.replace(FOOTER, **changes), width, PALETTE).text


def head(**changes: Any) -> str:
    return paint_column_header(msgspec.structs.replace(HEAD, **changes), PALETTE).text


def test_header_at_full_width() -> None:
    first, second = header(120)
    assert first.startswith(" PLANNING 19.8 (next)   ")
    assert first.endswith("   filter: none · SHARE 2 masked · live · 3 unsent ")
    assert second.startswith(" plan 25 + 3 unweighted / capacity 35.25 · free +4.25 likely · !-9.75 all  ")
    assert second.endswith("  alder full · cedar !over ")


def test_header_at_40_keeps_what_matters() -> None:
    first, second = header(40)
    assert first == " PLANNING 19.8 (next)   live · 3 unsent "
    assert second.startswith(" plan 25 + 3 unweighted / capacity 35.2")


def test_header_shows_the_filter() -> None:
    assert "filter: assignee alder" in header(120, filter="assignee alder")[0]


def test_header_never_hides_stale_failed_or_conflicts() -> None:
    first = header(60, board="A board with a very long name indeed", fresh="offline", failed=2, conflicts=1)[
        0
    ]
    assert "offline" in first
    assert "3 unsent" in first or "3*" in first
    assert "≠1" in first
    assert "!2" in first


def test_age_and_progress() -> None:
    assert "cached 3m" in header(120, fresh="cached", age="3m")[0]
    assert "loading 120/600" in header(120, fresh="loading", progress="120/600")[0]


def test_footer_shows_the_target_and_the_last_change() -> None:
    line = footer(120)
    assert line.startswith(" 2 selected · M to 19.9 · d accept · s state  ")
    assert line.endswith("  u undo: platform#4219 to 19.9 · ? ")


def test_footer_drops_hints_before_the_target() -> None:
    assert footer(40).startswith(" 2 selected ")
    assert footer(40).endswith("? ")


def test_a_message_replaces_the_hints() -> None:
    line = footer(120, message="nothing to undo [/b]")
    assert " 2 selected · nothing to undo [/b] " in line
    assert "accept" not in line


def test_head_shortens_from_the_right() -> None:
    assert head() == "■ bug           5 · 6w · 1 unweighted │"
    assert head(width=24) == "■ bug      5 · 6w · 1? │"
    assert head(width=26, title="ready for development") == "■ ready for d…  5 · 6w+? │"
    assert head(width=16) == "■ bug        5 │"
    assert head(weight=None, unweighted=0).strip("■│ ").split() == ["bug", "5"]


def test_over_limit_shows_a_sign() -> None:
    assert "!5/4" in head(limit_issues=4)
    assert "5/8" in head(limit_issues=8)
    assert "!6w/5" in head(limit_weight=5)


def test_single_column_header_shows_its_position() -> None:
    assert "‹ 2/5 ›" in head(place=(2, 5))
    assert "‹" not in head(place=(1, 1))


def test_drop_target_shows_a_sign() -> None:
    assert head(target=True).startswith("▼ bug")


def test_rail_shows_the_count() -> None:
    assert head(collapsed=True, width=3) == " 5│"
    assert head(collapsed=True, width=3, count=120) == "  │"
    assert head(collapsed=True, width=3, more=7) == "+7│"


def test_which_key_lists_keys_in_columns() -> None:
    assert [strip.text.rstrip() for strip in paint_keys("m milestone", MOVES, 60, PALETTE)] == [
        " m milestone                                     Esc cancel",
        "     n 19.8 (next)               x none",
        "     f 19.9                  Space mark",
        "     1 Next 1-3 Milestones",
    ]
    narrow = paint_keys("m milestone", MOVES, 40, PALETTE)
    assert len(narrow) == 6


@given(NASTY, NASTY, st.integers(1, 160), st.integers(0, 2000), st.booleans())
def test_every_line_has_the_requested_width(one: str, two: str, width: int, number: int, on: bool) -> None:
    words = (Fact(one, "bad"), Fact(two))
    view = HeaderView(
        board=one, role=two, filter=two, unsent=number, failed=number, share=on, sums=words, people=words
    )
    strips: list[Strip] = list(paint_header(view, width, PALETTE))
    hints = ((one, two), ("?", "keys"), ("x", one))
    bar = FooterView(target=one, hints=hints, last=two, message=one if on else "", selected=on)
    strips.append(paint_footer(bar, width, PALETTE))
    column = ColumnHeader(
        key="x",
        title=one,
        x=0,
        width=width,
        count=number,
        weight=number,
        unweighted=number,
        limit_issues=3,
        place=(1, 9) if on else None,
    )
    strips.append(paint_column_header(column, PALETTE))
    strips += paint_keys(one, [(two, one), ("a", two)], width, PALETTE)
    for strip in strips:
        assert Strip(list(strip)).cell_length == width
