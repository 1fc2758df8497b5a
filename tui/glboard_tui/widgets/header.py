"""Two lines above the board: which board, what filter, how fresh, how much unsent; below them the sums.

Owns the order in which items are dropped on narrow screens: unsent and stale go last, the filter's text
before the board's name, reassuring items first. It only paints and queries nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct
from textual.strip import Strip
from textual.widget import Widget

from glboard_tui.widgets.card import INKS, Fact
from glboard_tui.widgets.colors import Ink, Palette, palette_of
from glboard_tui.widgets.text import Line, clean, clip, width_of

_Item = tuple[str, Ink, int]
"""Text, ink and how soon it is dropped when it gets narrow (0: never, or last)."""

Fresh = Literal["live", "cached", "offline", "signed out", "loading"]


class HeaderView(Struct, frozen=True, kw_only=True):
    """What the header shows. Times and numbers are already text: ``age`` is "3m", ``progress`` "120/600".

    ``sums`` are at the left of the second line, ``people`` at its right; the first ones matter most.
    """

    board: str
    role: str = ""
    filter: str = ""
    fresh: Fresh = "live"
    age: str = ""
    progress: str = ""
    #: Unseen changes by others.
    changed: int = 0
    unsent: int = 0
    failed: int = 0
    conflicts: int = 0
    read_only: bool = False
    #: Share mode is on, with this many issues masked.
    share: bool = False
    masked: int = 0
    draft: int = 0
    sums: tuple[Fact, ...] = ()
    people: tuple[Fact, ...] = ()


def paint_header(view: HeaderView, width: int, palette: Palette) -> tuple[Strip, Strip]:
    """Both lines in exactly ``width`` cells."""
    return _first(view, width, palette), _second(view, width, palette)


def _first(view: HeaderView, width: int, palette: Palette) -> Strip:
    line = Line(width)
    board = clean(view.board).upper()
    role = f" ({clean(view.role)})" if view.role else ""
    right = _states(view)
    # What matters always stays; the rest as long as the board's name keeps most of its space.
    while len(right) > 1 and _cells(right) + min(width_of(board), 16) + 3 > width and right[0][2] > 0:
        right.pop(0)
    if _cells(right) + 4 > width:
        right = [_shorter(item) for item in right]
    free = max(width - _cells(right) - 3, 0)
    line.add(" ", palette.style("band"))
    line.add(clip(board, free), palette.style("band", "strong"))
    line.add(clip(role, max(free - width_of(board), 0)), palette.style("band", "muted"))
    line.pad(min(_cells(right) + 1, width), palette.style("band"))
    _join(line, right, palette)
    return line.strip(palette.style("band"))


def _states(view: HeaderView) -> list[_Item]:
    """The right half of the first line."""
    filtered = clip(clean(view.filter), 40)
    items: list[_Item] = [(f"filter: {filtered or 'none'}", "accent" if filtered else "muted", 2)]
    if view.read_only:
        items.append(("read-only", "warn", 1))
    if view.share:
        items.append((f"SHARE {view.masked} masked" if view.masked else "SHARE", "accent", 1))
    if view.draft:
        items.append((f"draft {view.draft}", "accent", 1))
    if view.changed:
        items.append((f"●{view.changed} changed", "accent", 1))
    items.append(_fresh(view))
    if view.unsent:
        items.append((f"{view.unsent} unsent", "warn", 0))
    if view.conflicts:
        items.append((f"≠{view.conflicts} conflict" + ("s" if view.conflicts > 1 else ""), "bad", 0))
    if view.failed:
        items.append((f"!{view.failed} failed", "bad", 0))
    return items


def _fresh(view: HeaderView) -> _Item:
    words = " ".join(word for word in (view.fresh, view.age, view.progress) if word)
    inks: dict[Fresh, Ink] = {
        "live": "good",
        "cached": "warn",
        "offline": "bad",
        "signed out": "bad",
        "loading": "accent",
    }
    return words, inks[view.fresh], 0


def _shorter(item: _Item) -> _Item:
    text, ink, rank = item
    for word, sign in ((" unsent", "*"), (" failed", ""), (" conflicts", ""), (" conflict", "")):
        if text.endswith(word):
            return text.removesuffix(word) + sign, ink, rank
    return item


def _second(view: HeaderView, width: int, palette: Palette) -> Strip:
    line = Line(width)
    left, right = _items(view.sums), _items(view.people)
    # Minor items are dropped first, then the last ones.
    while len(left) > 1 and _cells(left) + 2 > width:
        left.remove(next((item for item in reversed(left) if item[2]), left[-1]))
    while right and _cells(left) + _cells(right) + 4 > width:
        right.pop()
    line.add(" ", palette.style("band"))
    _join(line, left, palette)
    if right:
        line.pad(_cells(right) + 1, palette.style("band", "muted"))
        _join(line, right, palette)
    return line.strip(palette.style("band"))


def _items(facts: Sequence[Fact]) -> list[_Item]:
    return [
        (clean(fact.text), "muted" if fact.tone == "plain" else INKS[fact.tone], int(fact.minor))
        for fact in facts
    ]


def _cells(items: Sequence[_Item]) -> int:
    return sum(width_of(text) for text, _, _ in items) + 3 * max(len(items) - 1, 0)


def _join(line: Line, items: Sequence[_Item], palette: Palette) -> None:
    for place, (text, ink, _) in enumerate(items):
        if place:
            line.add(" · ", palette.style("band", "muted"))
        line.add(text, palette.style("band", ink))


class HeaderBar(Widget):
    """The two lines. ``show`` repaints only if something differs."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "HeaderBar { height: 2; width: 1fr; }"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.view = HeaderView(board="")
        self._painted: tuple[tuple[int, Palette], tuple[Strip, Strip]] | None = None

    def show(self, view: HeaderView) -> None:
        """Show another view."""
        if view != self.view:
            self.view = view
            self._painted = None
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """One of the two lines."""
        key = (self.size.width, palette_of(self.app))
        if self._painted is None or self._painted[0] != key:
            self._painted = (key, paint_header(self.view, *key))
        return self._painted[1][min(y, 1)]
