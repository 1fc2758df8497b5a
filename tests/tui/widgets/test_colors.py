"""Text is readable on its background in every theme, including text in colours from GitLab."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.style import Style
from textual.color import Color
from textual.filter import monochrome_style
from textual.theme import BUILTIN_THEMES, Theme

from glboard_styles import SHEETS, all_sheets, sheet
from glboard_styles.themes import ANSI, DARK, HIGH_CONTRAST, LIGHT, THEMES, default_theme
from glboard_tui.widgets.colors import (
    Ground,
    Ink,
    Palette,
    ansi_palette,
    contrast,
    readable,
    truecolor_palette,
)

#: Ink that is read; lines and scroll thumbs are only seen.
READ = tuple(ink for ink in get_args(Ink) if ink not in {"line", "thumb"})
COLORS = st.tuples(*[st.integers(0, 255)] * 3).map(lambda rgb: Color(*rgb).hex)


def palette(theme: Theme) -> Palette:
    variables = theme.to_color_system().generate() | theme.variables
    return truecolor_palette(variables, dark=theme.dark)


def ratio(style: Style) -> float:
    assert style.color is not None
    assert style.bgcolor is not None
    assert style.color.triplet is not None
    assert style.bgcolor.triplet is not None
    return contrast(Color(*style.color.triplet), Color(*style.bgcolor.triplet))


@pytest.mark.parametrize(("theme", "least"), [(DARK, 4.5), (LIGHT, 4.5), (HIGH_CONTRAST, 7.0)])
@pytest.mark.parametrize("ground", get_args(Ground))
def test_text_is_readable(theme: Theme, least: float, ground: Ground) -> None:
    for ink in READ:
        assert ratio(palette(theme).style(ground, ink)) >= least, ink


@pytest.mark.parametrize("name", [name for name in BUILTIN_THEMES if name not in ANSI])
def test_text_is_readable_in_other_themes(name: str) -> None:
    theme = BUILTIN_THEMES[name]
    for ground in get_args(Ground):
        for ink in READ:
            assert ratio(palette(theme).style(ground, ink)) >= 4.5, (ground, ink)


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
@given(color=COLORS)
def test_labels_are_readable(theme: Theme, color: str) -> None:
    least = 7.0 if theme is HIGH_CONTRAST else 4.5
    painted = palette(theme)
    for ground in get_args(Ground):
        assert ratio(painted.chip(color, ground)) >= least


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_text_is_readable_without_colours(theme: Theme) -> None:
    """Textual turns colours grey if NO_COLOR is set and the theme is not the terminal's own."""
    for ground in get_args(Ground):
        for ink in READ:
            assert ratio(monochrome_style(palette(theme).style(ground, ink))) >= 4.0, (ground, ink)


@pytest.mark.parametrize("color", ["", "no colour", "#12", "ansi_red", "rgb(1,2"])
def test_an_invalid_colour_does_not_crash(color: str) -> None:
    for painted in (palette(DARK), ansi_palette()):
        assert painted.chip(color, "rest") == painted.style("rest", "accent")


def test_terminal_colours_reverse_the_focus() -> None:
    painted = ansi_palette()
    assert all(painted.style("focus", ink).reverse for ink in READ)
    assert not painted.style("rest", "text").reverse


def test_readable_changes_a_colour_no_more_than_needed() -> None:
    white, black = Color(255, 255, 255), Color(0, 0, 0)
    assert readable(white, black, 4.5) == white
    assert 4.5 <= contrast(readable(Color(0, 0, 90), black, 4.5), black) < 6.5


def test_themes_and_sheets_exist() -> None:
    assert default_theme(no_color=True) in ANSI
    assert default_theme(no_color=False) == DARK.name
    assert set(ANSI) <= set(BUILTIN_THEMES)
    assert len({theme.name for theme in THEMES} | set(ANSI)) == len(THEMES) + len(ANSI)
    assert all(sheet(name) in all_sheets() for name in SHEETS)


def test_sheets_have_no_selector_that_restyles_everything() -> None:
    rules = [line.split("/*")[0] for line in all_sheets().splitlines() if not line.strip().startswith("/*")]
    assert not any(":focus-within" in line or line.strip().startswith("*") for line in rules)
    assert "transition" not in all_sheets()


def test_a_light_terminal_shows_no_yellow_and_no_cyan() -> None:
    """They cannot be read on white, and the terminal's white cannot be computed with."""
    colors = {
        style.color.name
        for ground in get_args(Ground)
        for ink in get_args(Ink)
        if (style := ansi_palette(dark=False).style(ground, ink)).color
    }
    assert not colors & {"yellow", "cyan", "white", "bright_yellow", "bright_white"}


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_surfaces_can_be_told_apart(theme: Theme) -> None:
    """Lane, card and focus differ from what they lie on, so that no border has to be drawn."""
    under = {ground: palette(theme).style(ground).bgcolor for ground in get_args(Ground)}
    assert len({str(under[name]) for name in ("rest", "lane", "card", "alt", "focus", "selected")}) == 6
