"""The column headers: two lines over the board, and the narrow strips of collapsed columns next to it.

Owns what a header says and how it is shortened: name, count and weight; below them a bar (accepted and not
yet accepted, or its limit) and one warning. Of a collapsed column the count and the name are written
vertically below its mark.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from functools import lru_cache

from msgspec import Struct
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from glboard_core.board.columns import Column
from glboard_core.board.index import ColumnIndex
from glboard_tui.widgets.card import MARGIN
from glboard_tui.widgets.card_view import state_ink
from glboard_tui.widgets.colors import Ground, Ink, Palette, palette_of
from glboard_tui.widgets.layout import COLLAPSED, Arrangement
from glboard_tui.widgets.text import BAR, TRACK, Line, clean, clip, upright, width_of

#: Lines of a header; the fewest cells of a name next to its figures, the cells of a warning that has the
#: figures next to it because the name would be shorter than that, and of a bar with a word next to it.
HEAD, _NAME, _SHORT, _BAR = 2, 9, 5, 8


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
    #: The part of ``weight`` that is accepted; the weight at which the bar is full.
    accepted: int = 0
    full: int = 0
    #: The colour of the workflow state it stands for.
    ink: Ink | None = None
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
    place: tuple[int, int] | None = None

    @property
    def count_words(self) -> str:
        """The count over a collapsed column."""
        return f"+{self.more}" if self.more else "…" if self.partial else str(self.count)

    @property
    def vertical(self) -> str:
        """The text of a collapsed column: its count is above its name, not in a line with its neighbours'."""
        return f"{self.count_words} {self.title}"


def headers(
    columns: Sequence[ColumnIndex],
    arranged: Arrangement,
    *,
    focus: str | None,
    target: str | None,
    has_weight: bool,
    unread: Container[str] = (),
    title: Callable[[Column], str] = lambda column: column.title,
) -> tuple[list[ColumnHeader], list[ColumnHeader], list[ColumnHeader]]:
    """The collapsed columns at the left, the full ones, the collapsed ones at the right.

    ``focus`` and ``target`` are the keys of the focused and the drop column.
    """

    def collapsed(members: Sequence[int], x: int) -> list[ColumnHeader]:
        return [
            ColumnHeader(
                key=(column := columns[at].column).key,
                title=title(column),
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
    # Where columns are workflow states, all of it is accepted.
    built = any(cards.column.tells == "workflow" for cards in columns)
    heaviest = max((cards.weight for cards in columns), default=0)
    full: list[ColumnHeader] = []
    for slot in arranged.slots:
        cards = columns[slot.at]
        column = cards.column
        full.append(
            ColumnHeader(
                key=column.key,
                title=title(column),
                x=slot.x,
                width=slot.width,
                color=column.color,
                count=len(cards),
                partial=column.key in unread,
                weight=cards.weight if has_weight else None,
                unweighted=cards.unweighted if has_weight else 0,
                limit_issues=column.limit_issues,
                limit_weight=column.limit_weight,
                accepted=cards.sums.accepted if not built else 0,
                full=column.limit_weight or heaviest,
                ink=ink_of(column),
                focused=column.key == focus,
                target=column.key == target,
                place=(slot.at + 1, len(columns)) if arranged.single else None,
            )
        )
    return left, full, right


def ink_of(column: Column) -> Ink | None:
    """The colour of a column's workflow state, or None."""
    return state_ink(column.value) if column.tells == "workflow" and column.value else None


@lru_cache(maxsize=64)
def paint_column_header(view: ColumnHeader, palette: Palette) -> tuple[Strip, Strip]:
    """The header's two lines in exactly ``view.width`` cells; the last cell is between columns."""
    if view.collapsed:
        return _collapsed(view, palette)
    ground: Ground = "target" if view.target else "band_focus" if view.focused else "lane"
    room = view.width - 1
    place = f"‹ {view.place[0]}/{view.place[1]} ›" if view.place and view.place[1] > 1 else ""
    title, numbers = clean(view.title), _numbers(view)
    taken = _cells(numbers) + MARGIN
    tail = taken + (width_of(place) + 2 if place else 0)
    # The figures keep their line, where they are looked for; a long name is cut.
    fits = room - 2 - 1 - tail >= min(width_of(title), _NAME)
    first, second = Line(room), Line(room)
    first.add("▼" if view.target else "■", _swatch(view, ground, palette))
    first.add(" ", palette.style(ground))
    if not fits:
        tail = MARGIN + (width_of(place) + 2 if place else 0)
    first.add(clip(title, max(first.room - tail - fits, 1)), palette.style(ground, "strong"))
    first.pad(tail, palette.style(ground))
    if place:
        first.add(f"{place}  ", palette.style(ground, "accent"))
    if fits:
        _add(first, numbers, ground, palette)
    if fits:
        warning = _warning(view, room // 2)
        if accepted := _accepted(view):
            spare = room - 2 - _BAR - 1 - _cells(accepted) - MARGIN
            short = _warning(view, spare - 3)
            if _cells(short) > _SHORT:
                warning = [*accepted, (" · ", "muted"), *short]
            elif not warning and spare >= 0:
                warning = accepted
    else:
        # No figure without what it leaves out.
        short = _warning(view, _SHORT)
        warning = [*short, ("  ", "muted"), *numbers] if short else numbers
    second.add("  ", palette.style(ground))
    _bar(
        second, view, max(second.room - MARGIN - (_cells(warning) + 1 if warning else 0), 0), ground, palette
    )
    second.pad(_cells(warning) + MARGIN, palette.style(ground))
    _add(second, warning, ground, palette)
    gap = Segment(" ", palette.style("rest"))
    one, two = (line.strip(palette.style(ground)) for line in (first, second))
    return Strip([*one, gap], view.width), Strip([*two, gap], view.width)


def _collapsed(view: ColumnHeader, palette: Palette) -> tuple[Strip, Strip]:
    ground: Ground = "target" if view.target else "lane"
    gap = Segment(" ", palette.style("rest"))
    mark = (
        Segment("■", _swatch(view, ground, palette)) if not view.more else Segment(" ", palette.style(ground))
    )
    rest = Segment(" " * (COLLAPSED - 2), palette.style(ground))
    blank = Segment(" " * (COLLAPSED - 1), palette.style(ground))
    one, two = (Strip([*line, gap], COLLAPSED).crop(0, view.width) for line in ((rest, mark), (blank,)))
    return one, two


def _swatch(view: ColumnHeader, ground: Ground, palette: Palette) -> Style:
    return palette.style(ground, view.ink) if view.ink else palette.swatch(view.color, ground)


def _add(line: Line, words: Sequence[tuple[str, Ink]], ground: Ground, palette: Palette) -> None:
    for text, ink in words:
        line.add(text, palette.style(ground, ink))


def _bar(line: Line, view: ColumnHeader, cells: int, ground: Ground, palette: Palette) -> None:
    """Accepted and not yet accepted, or all of it in the colour of its state, next to the fullest column."""
    if view.weight is None or view.partial or not view.full or cells < 4:
        return
    used = min(round(view.weight / view.full * cells), cells)
    accepted = min(round(view.accepted / view.full * cells), used)
    line.add(BAR * accepted, palette.style(ground, "good"))
    rest: Ink = view.ink or "accent"
    over = view.limit_weight is not None and view.weight > view.limit_weight
    line.add(BAR * (used - accepted), palette.style(ground, "bad" if over else rest))
    line.add(TRACK * (cells - used), palette.style(ground, "line"))


def _accepted(view: ColumnHeader) -> list[tuple[str, Ink]]:
    """What the green part of the bar is."""
    shown = view.accepted and view.weight and view.full and not view.partial
    return [(f"{view.accepted}w accepted", "good")] if shown else []


def _warning(view: ColumnHeader, room: int) -> list[tuple[str, Ink]]:
    """The one thing that is wrong with the column in at most ``room`` cells; else nothing."""
    if view.partial:
        return []
    words: list[str] = []
    ink: Ink = "warn"
    if view.limit_issues is not None and view.count > view.limit_issues:
        over, ink = view.count - view.limit_issues, "bad"
        words = [f"{over} over its limit", f"{over} over"]
    elif view.limit_weight is not None and (view.weight or 0) > view.limit_weight:
        over, ink = (view.weight or 0) - view.limit_weight, "bad"
        words = [f"{over}w over its limit", f"{over}w over"]
    elif view.unweighted:
        have = "has" if view.unweighted == 1 else "have"
        words = [f"{view.unweighted} {have} no weight", f"{view.unweighted} no weight", f"{view.unweighted}?"]
    return next(([(text, ink)] for text in words if width_of(text) <= room), [])


def _cells(form: Sequence[tuple[str, Ink]]) -> int:
    return sum(width_of(text) for text, _ in form)


def _numbers(view: ColumnHeader) -> list[tuple[str, Ink]]:
    """Count and weight, each with its limit."""
    if view.partial:
        return [("…", "muted")]
    over = view.limit_issues is not None and view.count > view.limit_issues
    count = str(view.count) if view.limit_issues is None else f"{view.count} of {view.limit_issues}"
    first: tuple[str, Ink] = (count, "bad" if over else "text")
    if view.weight is None:
        return [first]
    heavy = view.limit_weight is not None and view.weight > view.limit_weight
    weight = f"{view.weight}w" if view.limit_weight is None else f"{view.weight}w of {view.limit_weight}"
    # No weight known is not a weight of 0 (planning rule 5).
    weight = "?" if view.count and view.unweighted == view.count else weight
    return [first, (f"  {weight}", "bad" if heavy else "text")]


class ColumnHeaders(Widget):
    """Two lines with a header over each column."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "ColumnHeaders { height: 2; width: 1fr; }"

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
                self.refresh(Region(after.x, 0, after.width, 2))

    def key_at(self, x: int) -> str | None:
        """The key of the column whose header is at ``x``."""
        return next((head.key for head in self._headers if head.x <= x < head.x + head.width), None)

    def render_line(self, y: int) -> Strip:
        """One of the lines."""
        palette = palette_of(self.app)
        strips = [paint_column_header(head, palette)[min(y, 1)] for head in self._headers]
        return Strip.join(strips).adjust_cell_length(self.size.width, palette.style("rest"))


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
            segments.append(Segment(body, palette.style("target" if target else "lane", "muted")))
            segments.append(Segment(" ", palette.style("rest")))
        strip = Strip(segments, COLLAPSED * len(self._columns))
        return strip.adjust_cell_length(self.size.width, palette.style("rest"))

    def key_at(self, x: int) -> str | None:
        """The key of the column at ``x`` within this widget."""
        place = x // COLLAPSED
        return self._columns[place][0] if 0 <= place < len(self._columns) else None
