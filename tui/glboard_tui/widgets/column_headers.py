"""The column headers: one line over the board, and the narrow strips of collapsed columns next to it.

Owns what a header says (chip, name, count, sum of weights, unweighted, limits) and how it is shortened. The
name of a collapsed column is written vertically under its count.
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
from glboard_tui.widgets.layout import COLLAPSED, Arrangement
from glboard_tui.widgets.text import Line, clean, clip, fit_right, upright, width_of


class ColumnHeader(Struct, frozen=True, kw_only=True):
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
    #: A dragged card would drop here.
    target: bool = False
    collapsed: bool = False
    #: How many columns are hidden beyond the collapsed ones.
    more: int = 0
    edge: bool = True
    place: tuple[int, int] | None = None

    @property
    def count_words(self) -> str:
        """The count over a collapsed column."""
        return f"+{self.more}" if self.more else "…" if self.partial else str(self.count)

    @property
    def is_long(self) -> bool:
        """Whether the count is too wide for a collapsed column and is written vertically too."""
        return len(self.count_words) >= COLLAPSED

    @property
    def vertical(self) -> str:
        """The text of a collapsed column."""
        return f"{self.count_words} {self.title}" if self.is_long else self.title


def headers(
    columns: Sequence[ColumnIndex],
    arranged: Arrangement,
    *,
    focus: str | None,
    target: str | None,
    has_weight: bool,
    unread: Container[str] = (),
) -> tuple[list[ColumnHeader], list[ColumnHeader], list[ColumnHeader]]:
    """The collapsed columns at the left, the full ones, the collapsed ones at the right.

    ``focus`` and ``target`` are the keys of the focused and the drop column.
    """

    def collapsed(members: Sequence[int], x: int) -> list[ColumnHeader]:
        return [
            ColumnHeader(
                key=(column := columns[at].column).key,
                title=column.title,
                x=x + place * COLLAPSED,
                width=COLLAPSED,
                count=len(columns[at]),
                partial=column.key in unread,
                collapsed=True,
                target=column.key == target,
            )
            for place, at in enumerate(members)
        ]

    def hidden(at: int, count: int, x: int) -> ColumnHeader:
        key = columns[at].column.key
        return ColumnHeader(key=key, title="more", x=x, width=COLLAPSED, collapsed=True, more=count)

    left = collapsed(arranged.left, COLLAPSED if arranged.before else 0)
    if arranged.before:
        left.insert(0, hidden(arranged.before - 1, arranged.before, 0))
    end = arranged.slots[-1].x + arranged.slots[-1].width if arranged.slots else 0
    right = collapsed(arranged.right, end)
    if arranged.after:
        right.append(hidden(len(columns) - arranged.after, arranged.after, end + COLLAPSED * len(right)))
    full: list[ColumnHeader] = []
    for slot in arranged.slots:
        cards = columns[slot.at]
        column = cards.column
        full.append(
            ColumnHeader(
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
                edge=slot is not arranged.slots[-1] or bool(right),
                place=(slot.at + 1, len(columns)) if arranged.single else None,
            )
        )
    return left, full, right


def paint_column_header(view: ColumnHeader, palette: Palette) -> Strip:
    """The header in exactly ``view.width`` cells."""
    ground: Ground = "target" if view.target else "band_focus" if view.focused else "band"
    line = Line(view.width)
    if view.collapsed:
        line.add(
            fit_right("" if view.is_long else view.count_words, COLLAPSED - 1), palette.style(ground, "muted")
        )
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


def _numbers(view: ColumnHeader, whole: int, most: int) -> list[tuple[str, Ink]]:
    """Count and sums: in full if the title stays whole, else the longest short form in ``most`` cells."""
    forms = _forms(view)
    if _cells(forms[0]) <= whole:
        return forms[0]
    return next((form for form in forms[1:] if _cells(form) <= most), forms[-1])


def _cells(form: list[tuple[str, Ink]]) -> int:
    return sum(width_of(text) for text, _ in form)


def _forms(view: ColumnHeader) -> list[list[tuple[str, Ink]]]:
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


class ColumnHeaders(Widget):
    """One line with a header over each column."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "ColumnHeaders { height: 1; width: 1fr; }"

    def __init__(self) -> None:
        super().__init__()
        self._headers: list[ColumnHeader] = []

    def show(self, headers: list[ColumnHeader]) -> None:
        """Take new headers, and repaint the ones that differ."""
        old, self._headers = self._headers, headers
        if [(head.x, head.width) for head in old] != [(head.x, head.width) for head in headers]:
            self.refresh()
            return
        for before, after in zip(old, headers, strict=True):
            if before != after:
                self.refresh(Region(after.x, 0, after.width, 1))

    def key_at(self, x: int) -> str | None:
        """The key of the column whose header is at ``x``."""
        return next((head.key for head in self._headers if head.x <= x < head.x + head.width), None)

    def render_line(self, y: int) -> Strip:
        """The line."""
        palette = palette_of(self.app)
        if y or not self._headers:
            return Strip.blank(self.size.width, palette.style("band"))
        strips = [paint_column_header(head, palette) for head in self._headers]
        return Strip.join(strips).adjust_cell_length(self.size.width, palette.style("band"))


class CollapsedColumns(Widget):
    """The collapsed columns at one side of the board, three cells each, below their headers."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "CollapsedColumns { height: 1fr; width: 0; }"

    def __init__(self) -> None:
        super().__init__()
        #: Key, text, and whether a drag is over it.
        self._columns: list[tuple[str, str, bool]] = []
        self._letters: list[tuple[str, ...]] = []

    def show(self, headers: Sequence[ColumnHeader]) -> None:
        """Take new columns; repaint only if they differ."""
        columns = [(head.key, head.vertical, head.target) for head in headers]
        if columns != self._columns:
            self._columns, self._letters = columns, []
            self.refresh()

    def on_resize(self) -> None:
        """The names are cut to the height."""
        self._letters = []

    def render_line(self, y: int) -> Strip:
        """One line through all columns."""
        palette = palette_of(self.app)
        if not self._letters:
            height = max(self.size.height - 1, 1)
            self._letters = [upright(clean(text), height) for _, text, _ in self._columns]
        segments: list[Segment] = []
        for (_, _, target), letters in zip(self._columns, self._letters, strict=True):
            letter = letters[y - 1] if 0 < y <= len(letters) else " "
            body = f" {letter}" if width_of(letter) < 2 else letter
            segments.append(Segment(body, palette.style("target" if target else "band", "muted")))
            segments.append(Segment("│", palette.style("band", "line")))
        strip = Strip(segments, COLLAPSED * len(self._columns))
        return strip.adjust_cell_length(self.size.width, palette.style("rest"))

    def key_at(self, x: int) -> str | None:
        """The key of the column at ``x`` within this widget."""
        place = x // COLLAPSED
        return self._columns[place][0] if 0 <= place < len(self._columns) else None
