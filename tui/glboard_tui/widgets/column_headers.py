"""The band of column headers: one line over the whole board, and the look of one header.

Owns what a header says (chip, name, count, sum of weights, unweighted, limits) and how it is shortened. It
reads no index: the board widget hands over ``HeadView``s.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from glboard_tui.widgets.colors import Ground, Ink, Palette, palette_of
from glboard_tui.widgets.layout import RAIL
from glboard_tui.widgets.lines import Line
from glboard_tui.widgets.text import clean, clip, fit_right, width_of


class HeadView(Struct, frozen=True, kw_only=True):
    """A header, ``width`` cells from ``x`` on.

    ``weight`` is none where this server knows no weights; ``place`` is (2, 5) for ``‹ 2/5 ›``.
    """

    key: str
    title: str
    x: int
    width: int
    color: str | None = None
    count: int = 0
    weight: int | None = None
    unweighted: int = 0
    limit_issues: int | None = None
    limit_weight: int | None = None
    #: Cards are still to come, so that count and sums are not the truth.
    partial: bool = False
    focused: bool = False
    target: bool = False
    rail: bool = False
    #: How many columns are hidden beyond this rail.
    more: int = 0
    edge: bool = True
    place: tuple[int, int] | None = None


def paint_head(view: HeadView, palette: Palette) -> Strip:
    """The header in exactly ``view.width`` cells."""
    ground: Ground = "target" if view.target else "band_focus" if view.focused else "band"
    line = Line(view.width)
    if view.rail:
        count = f"+{view.more}" if view.more else "…" if view.partial else str(view.count)
        shown = count if len(count) < RAIL else ""
        line.add(fit_right(shown, RAIL - 1), palette.style(ground, "muted"))
        line.add("│", palette.style("band", "line"))
        return line.strip(palette.style(ground))
    line.add("▼" if view.target else "■", palette.swatch(view.color, ground))
    line.add(" ", palette.style(ground))
    edge = 1
    place = f"‹ {view.place[0]}/{view.place[1]} ›" if view.place and view.place[1] > 1 else ""
    title = clean(view.title)
    room = line.room - edge - 1 - (width_of(place) + 2 if place else 0)
    numbers = _numbers(view, room - width_of(title) - 2, room - min(width_of(title), 10) - 2)
    taken = _cells(numbers)
    line.add(clip(title, max(room - taken - 2, 3)), palette.style(ground, "strong"))
    line.pad(taken + edge + 1 + (width_of(place) + 2 if place else 0), palette.style(ground, "strong"))
    for text, ink in numbers:
        line.add(text, palette.style(ground, ink))
    if place:
        line.add(f"  {place}", palette.style(ground, "accent"))
    line.add(" ", palette.style(ground, "muted"))
    line.add("│" if view.edge else " ", palette.style("band", "line"))
    return line.strip(palette.style(ground))


def _numbers(view: HeadView, whole: int, most: int) -> list[tuple[str, Ink]]:
    """Count and sums: in full where the title stays whole, else the longest short form in ``most`` cells."""
    forms = _forms(view)
    if _cells(forms[0]) <= whole:
        return forms[0]
    return next((form for form in forms[1:] if _cells(form) <= most), forms[-1])


def _cells(form: list[tuple[str, Ink]]) -> int:
    return sum(width_of(text) for text, _ in form)


def _forms(view: HeadView) -> list[list[tuple[str, Ink]]]:
    """The ways to say it, longest first. None of them lets a missing weight look like 0 (DOMAIN.md 7.5)."""
    if view.partial:
        return [[("…", "muted")]]
    over = view.limit_issues is not None and view.count > view.limit_issues
    count = str(view.count) if view.limit_issues is None else f"{view.count}/{view.limit_issues}"
    first: tuple[str, Ink] = (f"!{count}" if over else count, "bad" if over else "text")
    if view.weight is None:
        return [[first]]
    heavy = view.limit_weight is not None and view.weight > view.limit_weight
    weight = f"{view.weight}w" if view.limit_weight is None else f"{view.weight}w/{view.limit_weight}"
    second: tuple[str, Ink] = (f" · !{weight}" if heavy else f" · {weight}", "bad" if heavy else "text")
    if not view.unweighted:
        return [[first, second], [first, second], [first]]
    return [
        [first, second, (f" · {view.unweighted} unweighted", "warn")],
        [first, second, (f" · {view.unweighted}?", "warn")],
        [first, second, ("+?", "warn")],
        [first],
    ]


class Heads(Widget):
    """One line with a header over each column."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "Heads { height: 1; width: 1fr; }"

    def __init__(self) -> None:
        super().__init__()
        self._views: tuple[HeadView, ...] = ()

    def show(self, views: Sequence[HeadView]) -> None:
        """Take new headers, and repaint the ones that differ."""
        new = tuple(views)
        old, self._views = self._views, new
        if [(v.x, v.width) for v in old] != [(v.x, v.width) for v in new]:
            self.refresh()
            return
        for before, after in zip(old, new, strict=True):
            if before != after:
                self.refresh(_region(after))

    def key_at(self, x: int) -> str | None:
        """The key of the column whose header is at ``x``."""
        return next((v.key for v in self._views if v.x <= x < v.x + v.width), None)

    def render_line(self, y: int) -> Strip:
        """The line."""
        palette = palette_of(self.app)
        if y or not self._views:
            return Strip.blank(self.size.width, palette.style("band"))
        strips = [paint_head(view, palette) for view in self._views]
        return Strip.join(strips).adjust_cell_length(self.size.width, palette.style("band"))


def _region(view: HeadView) -> Region:
    return Region(view.x, 0, view.width, 1)
