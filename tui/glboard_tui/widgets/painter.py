"""Cards on demand: gets a card's view, paints it, and caches both.

Owns the two caches that make scrolling cheap. A view is cached until its issue changes; strips are keyed by
everything they depend on, so data changes never clear them. Shared by all columns of a board.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

from rich.segment import Segment
from rich.style import Style
from textual.cache import LRUCache
from textual.strip import Strip

from glboard_core.board.definition import Column
from glboard_core.model.issue import Issue, IssueId
from glboard_tui.widgets.card import HEIGHTS, CardView, Density, paint
from glboard_tui.widgets.colors import Palette, ansi_palette

Present = Callable[[Issue, Column], CardView]

Edge = Literal["line", "thumb", "none"]
"""What the last cell of a column shows: the thin line to its neighbour, or the scroll position."""

_EDGES: dict[Edge, str] = {"line": "│", "thumb": "┃", "none": " "}

#: A few screens of cards: 160x45 shows 84 in normal density.
_CARDS = 1024


class Painter:
    """Turns (issue, column, state) into strips. ``density`` and palette can change at any time."""

    def __init__(self) -> None:
        self.palette: Palette = ansi_palette()
        self.density: Density = "normal"
        self.present: Present | None = None
        self._views: LRUCache[tuple[IssueId, str], CardView] = LRUCache(_CARDS)
        self._strips: LRUCache[tuple[object, ...], tuple[Strip, ...]] = LRUCache(_CARDS)

    @property
    def height(self) -> int:
        """Lines per card."""
        return HEIGHTS[self.density]

    def take(self, palette: Palette) -> bool:
        """Paint with these colours from now on. Returns whether they changed."""
        differs, self.palette = palette is not self.palette, palette
        return differs

    def forget(self, issues: Iterable[IssueId], columns: Iterable[str]) -> None:
        """Drop the views of changed issues; their strips expire by themselves."""
        keys = list(columns)
        for issue in issues:
            for key in keys:
                self._views.discard((issue, key))

    def forget_all(self) -> None:
        """Drop every view: another board, or another way to present."""
        self._views.clear()

    def view(self, issue: Issue, column: Column) -> CardView | None:
        """The view of an issue in a column."""
        key = (issue.id, column.key)
        found = self._views.get(key)
        if found is None and self.present is not None:
            found = self.present(issue, column)
            self._views[key] = found
        return found

    def card(
        self,
        issue: Issue,
        column: Column,
        width: int,
        *,
        focused: bool,
        marked: bool,
        dragged: bool,
        edge: Edge,
    ) -> tuple[Strip, ...]:
        """The strips of a card, ``width`` cells including the edge; ``meta["card"]`` identifies the card."""
        view = self.view(issue, column)
        if view is None:
            return (self.blank(width, edge),) * self.height
        key = (view, width, self.density, focused, marked, dragged, edge, self.palette)
        strips = self._strips.get(key)
        if strips is None:
            painted = paint(
                view,
                width - 1,
                density=self.density,
                focused=focused,
                marked=marked,
                dragged=dragged,
                palette=self.palette,
            )
            meta = Style.from_meta({"card": view.id})
            last = Segment(_EDGES[edge], self._edge(edge))
            strips = tuple(
                Strip([*(Segment(s.text, (s.style or Style.null()) + meta) for s in strip), last], width)
                for strip in painted
            )
            self._strips[key] = strips
        return strips

    def blank(self, width: int, edge: Edge, text: str = "") -> Strip:
        """An empty line of a column, or one with dim text."""
        style = self.palette.style("rest", "muted")
        body = f"  {text}"[: width - 1].ljust(width - 1)
        return Strip([Segment(body, style), Segment(_EDGES[edge], self._edge(edge))], width)

    def _edge(self, edge: Edge) -> Style:
        return self.palette.style("rest", "thumb" if edge == "thumb" else "line")
