"""The colours for cards: every ink on every ground, readable by construction.

Owns the step from a theme's variables to Rich styles. A style here always carries its ground, so that
painting never blends and never queries the style sheet. Colour alone never carries meaning: painting code
adds a word or a sign. Label colours come from GitLab and are adjusted until they are readable.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Literal, get_args

from rich.style import Style
from textual.app import App
from textual.color import Color, ColorParseError
from textual.theme import Theme

Ground = Literal[
    "rest",
    "lane",
    "card",
    "alt",
    "focus",
    "selected",
    "both",
    "dragged",
    "band",
    "band_focus",
    "tab",
    "alert",
    "draft",
    "target",
    "overlay",
]
"""The background of a text: the screen between columns, a column's lane, a card and every other card, a card
focused, selected, both, being dragged; the band of header and footer, the lane's head if its column has the
focus, the shown board's tab, a lasting alert, the draft that is on; a drop target; an overlay."""

Ink = Literal["text", "strong", "muted", "accent", "good", "warn", "bad", "violet", "teal", "line", "thumb"]

_BLACK, _WHITE = Color(0, 0, 0), Color(255, 255, 255)


def luminance(color: Color) -> float:
    """Relative luminance as WCAG 2.1 defines it."""

    def linear(channel: int) -> float:
        value = channel / 255
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    return 0.2126 * linear(color.r) + 0.7152 * linear(color.g) + 0.0722 * linear(color.b)


def contrast(one: Color, other: Color) -> float:
    """The contrast ratio of WCAG 2.1, from 1 to 21."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@lru_cache(maxsize=4096)
def readable(color: Color, on: Color, ratio: float) -> Color:
    """``color``, moved towards white or black until it has the contrast ``ratio`` on ``on``."""
    pole = _WHITE if contrast(_WHITE, on) >= contrast(_BLACK, on) else _BLACK
    for step in range(21):
        moved = color.blend(pole, step / 20)
        if contrast(moved, on) >= ratio:
            return moved
    return pole


class Palette:
    """The styles of one theme. Equal themes share one palette, so it can be part of a cache key."""

    def __init__(self, styles: Mapping[tuple[Ground, Ink], Style], ratio: float, *, ansi: bool) -> None:
        self._styles = dict(styles)
        self._ratio = ratio
        self.ansi = ansi
        self._chips: dict[tuple[str, Ground], Style] = {}

    def style(self, ground: Ground, ink: Ink = "text") -> Style:
        """The style of ``ink`` on ``ground``."""
        return self._styles[ground, ink]

    def chip(self, color: str, ground: Ground) -> Style:
        """A label's own colour (``#rrggbb``, from GitLab) as a tinted chip, readable on ``ground``."""
        key = (color, ground)
        if (style := self._chips.get(key)) is None:
            style = self._chips[key] = self._tinted(color, ground)
        return style

    def swatch(self, color: str | None, ground: Ground) -> Style:
        """A small sign in a column's colour; only has to be visible, not readable."""
        if (pair := self._pair(color, ground)) is None:
            return self.style(ground, "muted")
        tint, under = pair
        return Style(color=readable(tint, under, 3.0).rich_color, bgcolor=under.rich_color)

    def _tinted(self, color: str, ground: Ground) -> Style:
        if (pair := self._pair(color, ground)) is None:
            return self.style(ground, "accent")
        tint, under = pair
        # A tint can reduce the contrast so much that neither black nor white is readable on it.
        for share in (0.25, 0.15, 0.08, 0.0):
            on = under.blend(tint, share)
            ink = readable(tint, on, self._ratio)
            if contrast(ink, on) >= self._ratio:
                break
        return Style(color=ink.rich_color, bgcolor=on.rich_color)

    def _pair(self, color: str | None, ground: Ground) -> tuple[Color, Color] | None:
        """A colour from GitLab and the ground, if both are known."""
        under, tint = self.style(ground).bgcolor, _parse(color)
        if self.ansi or tint is None or under is None or under.triplet is None:
            return None
        return tint, Color(*under.triplet)


#: The contrast of a shared screen: what compression leaves of a colour is still readable.
SHARED = 7.0
_shared: dict[str, Theme] = {}


def shared_theme(theme: Theme) -> Theme:
    """The theme for a shared screen: the same colours, moved until each has a contrast of 7."""
    if theme.ansi:
        return theme  # the terminal's own colours are not known
    if (found := _shared.get(theme.name)) is None:
        found = _shared[theme.name] = _with_contrast(theme)
    return found


def _with_contrast(theme: Theme) -> Theme:
    grounds = [
        color
        for text in (theme.background, theme.surface, theme.panel)
        if (color := _parse(text)) is not None
    ]
    if not grounds:
        return theme
    text = _WHITE if theme.dark else _BLACK
    # The ground that is nearest to the text is the hardest to read on.
    worst = min(grounds, key=lambda ground: contrast(text, ground))

    def moved(color: str | None) -> str | None:
        found = _parse(color)
        return color if found is None else readable(found, worst, SHARED).hex

    return replace(
        theme,
        primary=moved(theme.primary) or theme.primary,
        secondary=moved(theme.secondary),
        warning=moved(theme.warning),
        error=moved(theme.error),
        success=moved(theme.success),
        accent=moved(theme.accent),
        foreground=moved(theme.foreground),
        variables={**theme.variables, "board-contrast": str(SHARED)},
    )


def palette_of(app: App[object]) -> Palette:
    """The palette of the app's current theme."""
    # Each line of a list asks for it; Textual makes other variables whenever the theme changes.
    global _latest  # noqa: PLW0603
    variables, ansi = app.theme_variables, app.native_ansi_color
    if _latest is None or _latest[0] is not variables or _latest[1] != ansi:
        used = tuple((name, variables.get(name, "")) for name in _USED)
        _latest = variables, ansi, _palette(ansi, app.current_theme.dark, used)
    return _latest[2]


#: The palette that was asked for last, and what it was made of.
_latest: tuple[Mapping[str, str], bool, Palette] | None = None


_USED = (
    *("background", "surface", "panel", "foreground", "primary", "accent", "success", "warning", "error"),
    *("board-muted", "board-focus", "board-selection", "board-target", "board-line", "board-contrast"),
    *("board-lane", "board-card", "board-alt", "board-alert", "board-violet", "board-teal"),
)


@lru_cache(maxsize=32)
def _palette(ansi: bool, dark: bool, variables: tuple[tuple[str, str], ...]) -> Palette:
    return ansi_palette(dark=dark) if ansi else truecolor_palette(dict(variables), dark=dark)


def truecolor_palette(variables: Mapping[str, str], *, dark: bool) -> Palette:
    """A palette from a theme's variables. ``board-*`` are glboard's own; other themes lack them."""

    def color(name: str, otherwise: Color) -> Color:
        found = _parse(variables.get(name, ""))
        return otherwise if found is None else found

    ratio = float(variables.get("board-contrast") or 4.5)
    rest = color("background", Color(18, 20, 24) if dark else Color(250, 250, 250))
    text = color("foreground", _WHITE if dark else _BLACK)
    accent = color("primary", text)
    warning = color("warning", accent)
    band = color("surface", rest.blend(text, 0.06))
    focus = color("board-focus", rest.blend(accent, 0.26))
    selected = color("board-selection", rest.blend(warning, 0.12))
    target = color("board-target", rest.blend(accent, 0.5))
    card = color("board-card", rest.blend(text, 0.1))
    grounds: dict[Ground, Color] = {
        "rest": rest,
        "lane": color("board-lane", rest.blend(text, 0.04)),
        "card": card,
        "alt": color("board-alt", rest.blend(text, 0.065)),
        "focus": focus,
        "selected": selected,
        # The focus is what the next key acts on; the tick shows that it is selected too.
        "both": focus,
        "dragged": rest.blend(band, 0.6),
        "band": band,
        "band_focus": color("board-lane", rest.blend(text, 0.04)).blend(accent, 0.16),
        "tab": focus,
        "alert": color("board-alert", rest.blend(warning, 0.35)),
        "draft": rest.blend(color("board-violet", accent), 0.3),
        "target": target,
        "overlay": color("panel", rest.blend(text, 0.1)),
    }
    inks: dict[Ink, Color] = {
        "text": text,
        "strong": text,
        "muted": color("board-muted", text.blend(rest, 0.4)),
        "accent": accent,
        "good": color("success", text),
        "warn": warning,
        "bad": color("error", text),
        "violet": color("board-violet", accent),
        "teal": color("board-teal", accent),
    }
    styles: dict[tuple[Ground, Ink], Style] = {}
    for ground, under in grounds.items():
        for ink, shade in inks.items():
            if ground == "dragged" and ink in {"text", "strong"}:
                shade = inks["muted"]  # noqa: PLW2901
            styles[ground, ink] = Style(
                color=readable(shade, under, ratio).rich_color,
                bgcolor=under.rich_color,
                bold=True if ink == "strong" else None,
            )
        line = color("board-line", text.blend(rest, 0.75))
        styles[ground, "line"] = Style(color=line.rich_color, bgcolor=under.rich_color)
        styles[ground, "thumb"] = Style(
            color=readable(inks["muted"], under, 3.0).rich_color, bgcolor=under.rich_color
        )
    return Palette(styles, ratio, ansi=False)


def ansi_palette(*, dark: bool = True) -> Palette:
    """The terminal's own colours. The focused card is reversed, so it is readable whatever they are.

    On a light terminal yellow and cyan would be hard to read: what warns is magenta there.
    """
    colors: dict[Ink, str] = {
        "accent": "blue",
        "good": "green",
        "warn": "yellow" if dark else "magenta",
        "bad": "red",
        "violet": "magenta",
        "teal": "cyan" if dark else "blue",
    }
    reversed_grounds = {"focus", "both", "target", "tab", "alert", "draft"}
    styles: dict[tuple[Ground, Ink], Style] = {}
    for ground in get_args(Ground):
        reverse = ground in reversed_grounds
        for ink in get_args(Ink):
            styles[ground, ink] = Style(
                color="default" if reverse else colors.get(ink, "default"),
                bgcolor="default",
                bold=True if ink in {"strong", "thumb"} or ground in {"selected", "both"} else None,
                dim=True if ink in {"muted", "line"} and not reverse else None,
                underline=True if ground == "band_focus" and ink == "strong" else None,
                reverse=True if reverse else None,
            )
    return Palette(styles, 4.5, ansi=True)


@lru_cache(maxsize=1024)
def _parse(text: str | None) -> Color | None:
    if not text:
        return None
    try:
        found = Color.parse(text)
    except ColorParseError:
        return None
    # A named terminal colour has no known red, green and blue values to calculate with.
    return None if found.ansi is not None else Color(found.r, found.g, found.b)
