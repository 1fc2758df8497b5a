"""One line below the board: what the next key acts on, a few hints, and what was done last.

Owns how the three share the line. The target never gives way; hints go one by one from the right.
"""

from __future__ import annotations

from msgspec import Struct
from textual.strip import Strip
from textual.widget import Widget

from glboard_tui.widgets.colors import Palette, palette_of
from glboard_tui.widgets.lines import Line
from glboard_tui.widgets.text import clean, clip, width_of


class FooterView(Struct, frozen=True, kw_only=True):
    """``target``: "2 marked", or a reference. ``hints``: keys and words. ``last``: "u undo: … to 19.10".

    ``message`` is said in place of the hints (what a key did, why it did nothing); ``bad`` where it failed.
    """

    target: str = ""
    hints: tuple[tuple[str, str], ...] = ()
    last: str = ""
    message: str = ""
    bad: bool = False
    #: Marks are set, so that the next key takes more than what is focused.
    marked: bool = False


def paint_footer(view: FooterView, width: int, palette: Palette) -> Strip:
    """The line in exactly ``width`` cells."""
    line = Line(width)
    style = palette.style
    line.add(" ", style("band"))
    target = clip(clean(view.target), max(width - 2, 0))
    line.add(target, style("band", "warn" if view.marked else "strong"))
    help_key = next((f" · {key}" for key, _ in view.hints if key == "?"), "")
    last = clean(view.last)
    # The last act may take half of what is left, the hints the rest.
    kept = min(width_of(last), max((width - width_of(target)) // 2, 0)) if last else 0
    last = clip(last, kept) if kept > 8 else ""
    tail = width_of(last) + (len(help_key) if last else len(help_key.lstrip(" ·"))) + 1
    free = line.room - tail - 1
    if view.message:
        text = clip(clean(view.message), max(free - 3, 0))
        line.add(" · " if target and text else "", style("band", "muted"))
        line.add(text, style("band", "bad" if view.bad else "text"))
    else:
        # Keys come from the keymap, which people write: cleaned like everything else.
        for key, words in ((clean(key), clean(words)) for key, words in view.hints):
            if key == "?":
                continue
            separator = " · " if width_of(target) or line.room < width - 1 else ""
            cells = width_of(separator) + width_of(key) + 1 + width_of(words)
            if cells > free:
                break
            line.add(separator, style("band", "muted"))
            line.add(key, style("band", "accent"))
            line.add(f" {words}", style("band", "muted"))
            free -= cells
    line.pad(tail, style("band", "muted"))
    line.add(last, style("band", "muted"))
    line.add(help_key if last else help_key.lstrip(" ·"), style("band", "accent"))
    return line.strip(style("band"))


class FooterBar(Widget):
    """The line. ``show`` repaints only if something differs."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "FooterBar { height: 1; width: 1fr; }"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.view = FooterView()

    def show(self, view: FooterView) -> None:
        """Say something else."""
        if view != self.view:
            self.view = view
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """The line."""
        return paint_footer(self.view, self.size.width, palette_of(self.app))
