"""The colours of what is on the screen, read from the painted cells."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.color import Color as RichColor
from textual.app import App
from textual.color import Color

from glboard_tui.widgets.colors import contrast
from glboard_tui.widgets.contrast import SIGNS


def painted(app: App[Any]) -> Iterator[tuple[str, Color, Color]]:
    """Every text on the screen with its colour and the one behind it."""
    for strip in app.screen._compositor.render_strips(app.size):
        for segment in strip:
            style = segment.style
            text = "".join(letter for letter in segment.text if letter not in SIGNS).strip()
            if not text or style is None or style.color is None or style.bgcolor is None:
                continue
            ink, ground = (_mixed(color) for color in (style.color, style.bgcolor))
            if style.reverse:
                ink, ground = ground, ink
            if style.dim:
                # Textual paints it so: halfway to what is behind.
                ink = ground.blend(ink, 0.5)
            yield text, ink, ground


def _mixed(color: RichColor) -> Color:
    return Color.from_rich_color(color)


def too_faint(app: App[Any], least: float) -> list[str]:
    """The texts with less contrast than that, each with what it has."""
    return sorted(
        {
            f"{contrast(ink, ground):.1f} {text!r} {ink.hex} on {ground.hex}"
            for text, ink, ground in painted(app)
            if contrast(ink, ground) < least
        }
    )
