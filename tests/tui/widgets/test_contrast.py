"""The filter that keeps texts readable, whoever painted them."""

from __future__ import annotations

import pytest
from rich.segment import Segment
from rich.style import Style
from textual.color import Color

from glboard_tui.widgets.colors import contrast
from glboard_tui.widgets.contrast import ContrastFilter

BLACK = Color(0, 0, 0)
FAINT = Style(color="#333333", bgcolor="#1c2029", bold=True)


def colors(style: Style | None) -> tuple[Color, Color]:
    assert style is not None
    assert style.color is not None
    assert style.bgcolor is not None
    return Color.from_rich_color(style.color), Color.from_rich_color(style.bgcolor)


@pytest.mark.parametrize("ratio", [4.5, 7.0])
def test_a_faint_text_is_moved_until_it_can_be_read(ratio: float) -> None:
    clear = Segment("clear", Style(color="#ffffff", bgcolor="#1c2029"))
    faint, bar = Segment("faint", FAINT), Segment(" ━━▎", FAINT)
    found = ContrastFilter(ratio).apply([clear, faint, bar], BLACK)
    assert found[0] is clear
    assert found[2] is bar
    assert found[1].text == "faint"
    ink, ground = colors(found[1].style)
    assert ratio <= contrast(ink, ground) < ratio + 1.5
    assert ground.hex.lower() == "#1c2029"
    assert found[1].style is not None
    assert found[1].style.bold


@pytest.mark.parametrize(
    "style",
    [
        None,
        Style(color="blue", bgcolor="default"),
        Style(color="#333333"),
        Style(color="#333333", bgcolor="#1c2029", reverse=True),
    ],
)
def test_what_is_not_known_stays(style: Style | None) -> None:
    segments = [Segment("text", style)]
    assert ContrastFilter(7.0).apply(segments, BLACK) is segments
