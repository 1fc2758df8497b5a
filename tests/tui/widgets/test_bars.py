"""Header, footer, column headers and the which-key list: what is dropped first when space is short."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.strip import Strip

from glboard_tui.widgets.card import Fact
from glboard_tui.widgets.colors import truecolor_palette
from glboard_tui.widgets.column_headers import ColumnHeader, paint_column_header
from glboard_tui.widgets.footer import FooterView, differing, paint_footer, paint_keys, whole_words
from glboard_tui.widgets.header import HeaderView, Tab, paint_header
from tui.widgets.test_text import NASTY

PALETTE = truecolor_palette({}, dark=True)

TABS = tuple(Tab(name.lower(), name) for name in ("Planning", "Build", "Backlog", "Milestones", "People"))
HEADER = HeaderView(
    board="Planning 19.8",
    group="demo-org",
    tabs=TABS,
    shown="planning",
    milestone="19.8",
    dates=("12 Dec – 15 Jan", "starts in 5 days"),
    unsent=3,
    sums=(
        Fact("Capacity 46w"),
        Fact("18 carried over", minor=True),
        Fact("30 planned", minor=True),
        Fact("2w over", "bad"),
    ),
    bar=((18, "warn"), (28, "accent"), (2, "bad")),
    full=46,
    warning=Fact("18 have no weight", "warn"),
    people=(
        *(Fact("Planned for", minor=True), Fact("cedar 9w"), Fact("unassigned 21w")),
        *(Fact("Over", minor=True), Fact("cedar 2w", "bad")),
        *(Fact("Free", minor=True), Fact("birch 5w", "good")),
    ),
)
FOOTER = FooterView(
    target="2 selected",
    selected=True,
    hints=(("M", "defer to 19.9"), ("d", "accept for…"), ("s", "state"), ("?", "all keys")),
    last="u undo: platform#4219 to 19.9",
)
HEAD = ColumnHeader(key="bug", title="bug", x=0, width=39, count=5, weight=6, unweighted=1)
MOVES = [("n", "19.8 (next)"), ("f", "19.9"), ("1", "Next 1-3 Milestones"), ("x", "none"), ("Space", "mark")]


def header(width: int, **changes: Any) -> list[str]:
    view = msgspec.structs.replace(HEADER, **changes)
    return [strip.text for strip in paint_header(view, width, PALETTE)]


def footer(width: int, **changes: Any) -> str:
    return paint_footer(msgspec.structs.replace(FOOTER, **changes), width, PALETTE).text


def head(**changes: Any) -> list[str]:
    strips = paint_column_header(msgspec.structs.replace(HEAD, **changes), PALETTE)
    return [strip.text for strip in strips]


def test_each_line_of_the_header_has_its_job() -> None:
    boards, question, people = header(140)
    assert boards.startswith(" demo-org   Planning  Build  Backlog  Milestones  People   ")
    assert boards.endswith("  3 unsent  ● live ")
    assert question.startswith(" ‹ 19.8 ›  12 Dec – 15 Jan · starts in 5 days  ")
    assert "Capacity 46w  ━━━" in question
    assert "━ 18 carried over · 30 planned · 2w over  " in question
    assert question.endswith("  18 have no weight ")
    assert people.rstrip() == " Planned for  cedar 9w · unassigned 21w   Over  cedar 2w   Free  birch 5w"


def test_the_bar_has_the_proportions_of_its_figures() -> None:
    (_, strip, _) = paint_header(HEADER, 160, PALETTE)
    assert [segment.text.count("━") for segment in strip if "━" in segment.text] == [11, 18, 1]
    free = msgspec.structs.replace(HEADER, bar=((10, "warn"), (20, "accent")), full=60)
    (_, strip, _) = paint_header(free, 160, PALETTE)
    bars = [segment.text.strip() for segment in strip if set(segment.text) & {"━", "─"}]
    assert bars == ["━" * 5, "━" * 10, "─" * 15]


def test_a_narrow_header_keeps_the_answer_and_the_warning() -> None:
    _, question, _ = header(80)
    assert question.startswith(" ‹ 19.8 ›  12 Dec – 15 Jan ")
    assert "2w over" in question
    assert "carried" not in question
    assert question.endswith(" 18 have no weight ")
    _, question, people = header(44)
    assert "Capacity 46w" in question
    assert "2w over" in question
    assert people.startswith(" Over  cedar 2w   Free  birch 5w")


def test_boards_far_from_the_shown_one_give_way() -> None:
    first, _, _ = header(58, shown="milestones")
    assert " Milestones " in first
    assert "…" in first
    assert first.endswith(" 3 unsent  ● live ")
    assert header(40)[0].startswith("  Planning ")


def test_header_shows_the_filter() -> None:
    assert "filter is:slipped: 5 of 33" in header(160, filter="is:slipped: 5 of 33")[1]


def test_header_never_hides_stale_failed_or_conflicts() -> None:
    first, *_ = header(60, fresh="offline", failed=2, conflicts=1)
    assert "offline" in first
    assert "3 unsent" in first or "3*" in first
    assert "≠1" in first
    assert "!2" in first


def test_age_and_progress() -> None:
    assert "○ cached 3m" in header(120, fresh="cached", age="3m")[0]
    assert "○ loading 120/600" in header(120, fresh="loading", progress="120/600")[0]


def test_a_shared_screen_says_so() -> None:
    assert " SHARED SCREEN · 2 masked " in header(120, share=True, masked=2)[0]


@pytest.mark.parametrize(
    ("width", "said"),
    [
        (160, " SHARED SCREEN · inference-server#26 is shown for 20 s "),
        (100, " SHARED · inference-server#26 shown 20 s "),
        (80, " SHARED · shown 20 s "),
    ],
)
def test_how_long_an_issue_is_shown_is_never_left_out(width: int, said: str) -> None:
    revealed = "inference-server#26 is shown for 20 s"
    first = header(width, share=True, revealed=revealed, draft="19.8", staged="12 staged")[0]
    assert said in first
    assert " DRAFT 19.8 · 12 staged" in first
    assert first.rstrip().endswith("live")


def test_the_figures_never_touch_what_follows() -> None:
    sums = (Fact("closed 9 of 28"), Fact("12w of 46w done"))
    for width in range(60, 120):
        second = header(width, sums=sums, full=46, call="call since 15:01 · 3 decisions")[1]
        assert "done  " in second or second.rstrip().endswith("done"), second


def test_footer_shows_the_target_and_the_last_change() -> None:
    line = footer(120)
    assert line.startswith(" 2 selected        M defer to 19.9  d accept for…  s state  ")
    assert line.endswith("  u undo: platform#4219 to 19.9  ? all keys ")


def test_footer_drops_hints_before_the_target() -> None:
    assert footer(40).startswith(" 2 selected ")
    assert footer(40).endswith("? ")


def test_another_target_moves_nothing_next_to_it() -> None:
    lines = [footer(120, target=target) for target in ("platform#7", "platform#113")]
    assert len({line.index("M defer") for line in lines}) == 1


def test_a_message_replaces_the_hints() -> None:
    line = footer(120, message="nothing to undo [/b]")
    assert " 2 selected        nothing to undo [/b] " in line
    assert "accept" not in line


def test_only_what_differs_is_painted_again() -> None:
    one, other = (
        paint_footer(msgspec.structs.replace(FOOTER, target=t), 120, PALETTE) for t in ("a#1", "a#2")
    )
    start, end = differing(one, other)
    assert 0 <= start < end <= 12


def test_head_has_a_bar_and_one_warning_below_its_figures() -> None:
    assert head(width=40, full=12) == [
        "■ bug                            5  6w  ",
        "  ━━━━━━━━━━────────── 1 has no weight  ",
    ]


def test_the_figures_keep_their_line_next_to_a_long_name() -> None:
    first, second = head(width=27, title="awaiting security release", unweighted=0, full=6)
    assert first.endswith("… 5  6w  ")
    assert first.startswith("■ awaiting secur")
    assert second.strip() == "━" * 23
    assert "3 no weight" in head(width=27, title="awaiting security release", unweighted=3)[1]


def test_figures_that_leave_no_space_for_a_name_go_below_it() -> None:
    first, second = head(width=26, title="ready for development", limit_issues=12, limit_weight=240)
    assert first == "■ ready for development   "
    assert second.endswith(" 1?  5 of 12  6w of 240  ")


def test_the_words_next_to_a_bar_have_the_colours_of_its_parts() -> None:
    view = msgspec.structs.replace(
        HEADER,
        sums=(
            Fact("Capacity 46w"),
            Fact("18w carried over", "warn", minor=True),
            Fact("30w planned", "accent", minor=True),
            Fact("(4w accepted)", "good", minor=True),
            Fact("2w over", "bad"),
        ),
        bar=((18, "warn"), (4, "good"), (24, "accent"), (2, "bad")),
    )
    inks = {"primary": "#6ea8fe", "success": "#7ed08a", "warning": "#f0b060", "error": "#ff8080"}
    strip = paint_header(view, 160, truecolor_palette(inks, dark=True))[1]
    assert "18w carried over · 30w planned (4w accepted) · 2w over" in strip.text
    colors = {segment.text.strip(): segment.style.color for segment in strip if segment.style is not None}
    bars = [segment.style.color for segment in strip if "━" in segment.text and segment.style is not None]
    words = ("18w carried over", "(4w accepted)", "30w planned", "2w over")
    assert bars == [colors[one] for one in words]


def test_a_column_says_what_the_green_of_its_bar_is() -> None:
    _, second = head(width=60, full=12, accepted=4)
    assert second.endswith("─ 4w accepted · 1 has no weight  ")
    assert "4w accepted · 1 no weight" in head(width=41, full=12, accepted=4)[1]
    assert "accepted" not in head(width=30, full=12, accepted=4)[1]
    assert "4w accepted" in head(width=30, full=12, accepted=4, unweighted=0)[1]


def test_a_weight_not_known_is_not_0() -> None:
    assert "5  ?  " in head(weight=0, unweighted=5)[0]
    assert head(weight=None, unweighted=0)[0].strip("■ ").split() == ["bug", "5"]


def test_over_a_limit_says_by_how_much() -> None:
    first, second = head(limit_issues=4)
    assert "5 of 4" in first
    assert "1 over its limit" in second
    assert "over" not in head(limit_issues=8)[1]
    assert "1w over its limit" in head(limit_weight=5)[1]


def test_single_column_header_shows_its_position() -> None:
    assert "‹ 2/5 ›" in head(place=(2, 5))[0]
    assert "‹" not in head(place=(1, 1))[0]


def test_drop_target_shows_a_sign() -> None:
    assert head(target=True)[0].startswith("▼ bug")


def test_the_count_of_a_collapsed_column_is_not_in_a_line_with_its_neighbours() -> None:
    for count in (5, 67, 120):
        rail = msgspec.structs.replace(HEAD, collapsed=True, width=3, count=count)
        assert [strip.text for strip in paint_column_header(rail, PALETTE)] == [" ■ ", "   "]
        assert rail.vertical == f"{count} bug"
    more = msgspec.structs.replace(HEAD, collapsed=True, width=3, more=7, title="more")
    assert [strip.text for strip in paint_column_header(more, PALETTE)] == ["   ", "   "]
    assert more.vertical == "+7 more"


def test_which_key_lists_keys_in_columns() -> None:
    assert [strip.text.rstrip() for strip in paint_keys("m milestone", [("", MOVES)], 60, PALETTE)] == [
        " m milestone                                     Esc cancel",
        "     n 19.8 (next)               x none",
        "     f 19.9                  Space mark",
        "     1 Next 1-3 Milestones",
    ]
    narrow = paint_keys("m milestone", [("", MOVES)], 40, PALETTE)
    assert len(narrow) == 6


def test_which_key_lists_groups_side_by_side_under_their_names() -> None:
    groups = [("boards", MOVES[:3]), ("go", MOVES[3:])]
    lines = [strip.text.rstrip() for strip in paint_keys("g go to", groups, 60, PALETTE)]
    assert [line.split() for line in lines[1:4]] == [
        ["boards", "go"],
        ["n", "19.8", "(next)", "x", "none"],
        ["f", "19.9", "Space", "mark"],
    ]
    assert lines[1].index("go") <= lines[2].index("x none")


@given(NASTY, NASTY, st.integers(1, 160), st.integers(0, 2000), st.booleans())
def test_every_line_has_the_requested_width(one: str, two: str, width: int, number: int, on: bool) -> None:
    words = (Fact(one, "bad"), Fact(two))
    view = HeaderView(
        board=one,
        group=two,
        tabs=(Tab("1", one), Tab("2", two)) if on else (),
        shown="2",
        milestone=two,
        dates=(one, two),
        filter=two,
        unsent=number,
        failed=number,
        share=on,
        sums=words,
        bar=((number, "good"), (3, "bad")),
        full=number,
        warning=words[0],
        people=words,
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
        full=number,
        limit_issues=3,
        place=(1, 9) if on else None,
    )
    strips += paint_column_header(column, PALETTE)
    strips += paint_keys(one, [(one, [(two, one), ("a", two)]), (two, [("b", one)])], width, PALETTE)
    for strip in strips:
        assert Strip(list(strip)).cell_length == width


def test_what_was_just_said_is_worth_more_than_what_undo_would_do() -> None:
    said = msgspec.structs.replace(
        FOOTER,
        message="Posting to demo-org/platform#21; u undoes it.",
        last="u undo: decisions of 19.8 on it",
    )
    for width in (80, 100, 160):
        text = paint_footer(said, width, PALETTE).text
        assert "Posting to demo-org/platform#21; u undoes it." in text, width
    # Where there is little space, the keys have most of it.
    many = msgspec.structs.replace(FOOTER, last="u undo: decisions of 19.8 on demo-org/platform#21")
    shown = paint_footer(many, 100, PALETTE).text
    assert "d accept for…" in shown


#: Wider than any keys that are shown at first.
_LONG = "u undo: demo-org/model-registry#16 accepted for birch"


@pytest.mark.parametrize("width", [80, 100, 120])
def test_what_undo_would_do_takes_no_space_from_the_first_keys(width: int) -> None:
    before, after = footer(width, last=""), footer(width, last=_LONG)
    for keys in ("M defer to 19.9", "d accept for…", "s state"):
        assert keys in before
        assert keys in after
    assert "  u undo" in after
    assert "? all keys" in after


def test_the_words_of_undo_are_there_where_the_keys_leave_space() -> None:
    assert f"  {_LONG}  ? all keys " in footer(140, last=_LONG)
    # A few letters of them would tell nothing.
    assert "  u undo  ? all keys " in footer(90, last=_LONG)
    assert "undo" not in footer(30, last=_LONG)


def test_keys_that_stay_are_next_to_a_message() -> None:
    line = footer(100, message="@birch accepts platform#1, weight 3", stay=2, target="")
    assert line.startswith(" @birch accepts platform#1, weight 3  M defer to 19.9  d accept for…  ")
    assert "s state" not in line
    # The message is clipped for them, not they for the message.
    line = footer(80, message="platform#1 " * 9, stay=2, target="")
    assert "…  M defer to 19.9  d accept for…" in line
    assert line.endswith(" ? ")


def test_a_message_is_read_to_its_end_before_the_target_is() -> None:
    words = "The planning issue of 19.8; o opens it in the browser, Esc closes it."
    line = footer(80, message=words, target="model-registry#10", last="")
    assert words in line
    assert "model-registry" not in line
    assert "model-registry#10" in footer(120, message=words, target="model-registry#10", last="")
    assert footer(40, message=words, target="model-registry#10").count("…") == 1


def test_hints_that_do_not_fit_are_left_out_whole() -> None:
    hint = "words  ~label  @user   a | b   Up: earlier"
    assert whole_words(hint, 80) == hint
    assert whole_words(hint, 34) == "words  ~label  @user   a | b"
    assert whole_words(hint, 3) == "words"
