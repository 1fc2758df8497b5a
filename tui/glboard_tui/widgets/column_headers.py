"""The band of column headers: one line over the whole board, and the look of one header.

Owns what a header says (chip, name, count, sum of weights, unweighted, limits) and how it is shortened. It
reads no index: the board widget provides ``HeadView``s.
"""

from __future__ import annotations

from collections.abc import Container, Sequence

from msgspec import Struct
from rich.segment import Segment
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from glboard_core.board.index import ColumnIndex
from glboard_tui.widgets.colors import Ground, Ink, Palette, palette_of
from glboard_tui.widgets.layout import RAIL, Arrangement
from glboard_tui.widgets.text import Line, clean, clip, fit_right, upright, width_of


class HeadView(Struct, frozen=True, kw_only=True):
    """A header, ``width`` cells from ``x`` on.

    ``weight`` is None if this server has no weights; ``place`` is (2, 5) for ``‹ 2/5 ›``.
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
    #: Cards are still loading, so count and sums are not final.
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
    """Count and sums: in full if the title stays whole, else the longest short form in ``most`` cells."""
    forms = _forms(view)
    if _cells(forms[0]) <= whole:
        return forms[0]
    return next((form for form in forms[1:] if _cells(form) <= most), forms[-1])


def _cells(form: list[tuple[str, Ink]]) -> int:
    return sum(width_of(text) for text, _ in form)


def _forms(view: HeadView) -> list[list[tuple[str, Ink]]]:
    """The possible forms, longest first. None of them shows a missing weight as 0 (planning rule 5)."""
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
        """Set new headers, and repaint those that differ."""
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


# Folded columns: three cells each, the name written vertically under the count.


class RailView(Struct, frozen=True):
    """One rail. ``text`` is written vertically; ``target``: a dragged card would drop here."""

    key: str
    text: str
    target: bool = False


class Rails(Widget):
    """The rails of one side of the board."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "Rails { height: 1fr; width: 0; }"

    def __init__(self) -> None:
        super().__init__()
        self._views: tuple[RailView, ...] = ()
        self._letters: list[tuple[str, ...]] = []

    def show(self, views: Sequence[RailView]) -> None:
        """Set new rails; repaint only if they differ."""
        if tuple(views) == self._views:
            return
        self._views = tuple(views)
        self._letters = []
        self.refresh()

    def on_resize(self) -> None:
        """Cut the names to the height."""
        self._letters = []

    def render_line(self, y: int) -> Strip:
        """One line through all rails."""
        palette = palette_of(self.app)
        if not self._letters:
            self._letters = [upright(clean(v.text), max(self.size.height - 1, 1)) for v in self._views]
        segments: list[Segment] = []
        for view, letters in zip(self._views, self._letters, strict=True):
            ground: Ground = "target" if view.target else "band"
            letter = letters[y - 1] if 0 < y <= len(letters) else " "
            body = f" {letter}" if width_of(letter) < 2 else letter
            segments.append(Segment(body, palette.style(ground, "muted")))
            segments.append(Segment("│", palette.style("band", "line")))
        strip = Strip(segments, RAIL * len(self._views))
        return strip.adjust_cell_length(self.size.width, palette.style("rest"))

    def key_at(self, x: int) -> str | None:
        """The key of the rail at ``x`` within this widget."""
        place = x // RAIL
        return self._views[place].key if 0 <= place < len(self._views) else None


# What surrounds the cards: the headers and rails of an arrangement of columns. Pure.


class Frame(Struct, frozen=True):
    """Headers from left to right, and the rails of both sides."""

    heads: tuple[HeadView, ...]
    left: tuple[RailView, ...]
    right: tuple[RailView, ...]


def _upright(count: str, title: str) -> str:
    """The text of a rail: a count too wide for its header is written vertically too."""
    return title if len(count) < RAIL else f"{count} {title}"


def frame(
    columns: Sequence[ColumnIndex],
    arranged: Arrangement,
    *,
    focus: str | None,
    target: str | None,
    has_weight: bool,
    unread: Container[str] = (),
) -> Frame:
    """The frame of ``columns``; ``focus`` and ``target`` are keys of the focused and the drop column."""

    def rails(members: Sequence[int], x: int) -> tuple[list[HeadView], list[RailView]]:
        heads: list[HeadView] = []
        names: list[RailView] = []
        for place, at in enumerate(members):
            cards = columns[at]
            key, title = cards.column.key, cards.column.title
            aimed = key == target
            heads.append(
                HeadView(
                    key=key,
                    title=title,
                    x=x + place * RAIL,
                    width=RAIL,
                    count=len(cards),
                    partial=key in unread,
                    rail=True,
                    target=aimed,
                )
            )
            count = "…" if key in unread else str(len(cards))
            names.append(RailView(key, _upright(count, title), target=aimed))
        return heads, names

    def unseen(at: int, count: int, x: int) -> tuple[HeadView, RailView]:
        key = columns[at].column.key
        head = HeadView(key=key, title="", x=x, width=RAIL, rail=True, more=count)
        return head, RailView(key, _upright(f"+{count}", "more"))

    shift = RAIL if arranged.before else 0
    left_heads, left = rails(arranged.left, shift)
    if arranged.before:
        head, rail = unseen(arranged.before - 1, arranged.before, 0)
        left_heads.insert(0, head)
        left.insert(0, rail)
    end = arranged.slots[-1].x + arranged.slots[-1].width if arranged.slots else 0
    right_heads, right = rails(arranged.right, end)
    if arranged.after:
        head, rail = unseen(len(columns) - arranged.after, arranged.after, end + RAIL * len(right))
        right_heads.append(head)
        right.append(rail)
    full: list[HeadView] = []
    for slot in arranged.slots:
        cards = columns[slot.at]
        column = cards.column
        last = slot is arranged.slots[-1] and not right
        full.append(
            HeadView(
                key=column.key,
                title=column.title,
                x=slot.x,
                width=slot.width,
                color=column.color,
                count=len(cards),
                partial=column.key in unread,
                weight=cards.weight if has_weight else None,
                unweighted=cards.unweighted if has_weight else 0,
                limit_issues=column.limit_issues,
                limit_weight=column.limit_weight,
                focused=column.key == focus,
                target=column.key == target,
                edge=not last,
                place=(slot.at + 1, len(columns)) if arranged.single else None,
            )
        )
    return Frame((*left_heads, *full, *right_heads), tuple(left), tuple(right))
