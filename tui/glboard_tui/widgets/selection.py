"""Selection and focus as data: what is selected, and where the focus goes when the board changes.

Owns the rules, pure. Both stick to the issue, never to a row.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from msgspec import Struct

from glboard_core.board.columns import Column
from glboard_core.board.index import BoardIndex, ColumnIndex
from glboard_core.model.issue import Issue, IssueId
from glboard_tui.widgets.card import CardState


class Focus(Struct, frozen=True):
    """Where the focus is: a column, an issue in it (None in an empty column), and their last position.

    ``row`` and ``at`` remember the position, for when issue or column are gone.
    """

    key: str
    issue: IssueId | None
    row: int = 0
    at: int = 0


def row_in(index: BoardIndex, cards: ColumnIndex, issue: IssueId | None) -> int | None:
    """The row of an issue in a column, or None if it is not in it."""
    shown = None if issue is None else index.issue(issue)
    return None if shown is None else cards.row_of(shown)


def place_at(cards: ColumnIndex, at: int, row: int) -> Focus:
    """The place nearest to ``row`` in a column."""
    if not len(cards):
        return Focus(cards.column.key, None, 0, at)
    row = min(max(row, 0), len(cards) - 1)
    return Focus(cards.column.key, cards[row], row, at)


def settle(
    index: BoardIndex, visible: Sequence[ColumnIndex], place: Focus | None, *, follow: bool
) -> Focus | None:
    """Where the focus belongs now.

    The same issue in the same column; else, if the user moved it (``follow``), the column it moved to; else
    its neighbour: the issue now in its row, or the last one.
    """
    if not visible:
        return None
    if place is None:
        at = next((at for at, cards in enumerate(visible) if len(cards)), 0)
        return place_at(visible[at], at, 0)
    keys = {cards.column.key: at for at, cards in enumerate(visible)}
    here = keys.get(place.key)
    if here is not None and (row := row_in(index, visible[here], place.issue)) is not None:
        return Focus(place.key, place.issue, row, here)
    if follow and place.issue is not None:
        for other, cards in enumerate(visible):
            if (row := row_in(index, cards, place.issue)) is not None:
                return Focus(cards.column.key, place.issue, row, other)
    if here is None:
        here = min(place.at, len(visible) - 1)
    return place_at(visible[here], here, place.row)


class Selection:
    """The selected issues in the order of selecting, the last selection, and the current range."""

    def __init__(self) -> None:
        self._now: dict[IssueId, None] = {}
        self._before: tuple[IssueId, ...] = ()
        #: Where ``V`` was pressed (column, issue), and what was selected then.
        self._anchor: tuple[str, IssueId] | None = None
        self._kept: tuple[IssueId, ...] = ()

    def __contains__(self, issue: IssueId) -> bool:
        return issue in self._now

    def __len__(self) -> int:
        return len(self._now)

    @property
    def all(self) -> tuple[IssueId, ...]:
        """Every selected issue, including hidden ones."""
        return tuple(self._now)

    @property
    def anchor(self) -> tuple[str, IssueId] | None:
        """Where the range started, or None."""
        return self._anchor

    def set(self, issues: Iterable[IssueId], *, on: bool) -> None:
        """Select or deselect."""
        for issue in issues:
            if on:
                self._now[issue] = None
            else:
                self._now.pop(issue, None)

    def toggle(self, issues: Collection[IssueId]) -> None:
        """End a range; select these issues, or deselect them if all of them are selected."""
        self.end_range()
        self.set(issues, on=not all(issue in self._now for issue in issues))

    def begin_range(self, key: str, issue: IssueId) -> None:
        """Start a range at an issue."""
        self._anchor, self._kept = (key, issue), tuple(self._now)
        self._now[issue] = None

    def extend_range(self, issues: Iterable[IssueId]) -> None:
        """Set the range to these issues, in addition to what was selected before it started."""
        self._now = dict.fromkeys((*self._kept, *issues))

    def end_range(self) -> bool:
        """Keep what the range selected. Returns whether there was one."""
        was, self._anchor = self._anchor is not None, None
        return was

    def clear(self) -> None:
        """Deselect all, and remember it for ``restore``."""
        self.end_range()
        if self._now:
            self._before = tuple(self._now)
        self._now = {}

    @property
    def can_restore(self) -> bool:
        """Whether there is a last selection."""
        return bool(self._before)

    def restore(self) -> None:
        """Select the last selection again."""
        self._now.update(dict.fromkeys(self._before))

    def seen(self, index: BoardIndex, visible: Sequence[ColumnIndex]) -> list[tuple[IssueId, Column]]:
        """Those visible on this board with this filter, in board order, each once."""
        order = {cards.column.key: at for at, cards in enumerate(visible)}
        found: list[tuple[int, int, IssueId]] = []
        for issue in self._now:
            shown = index.issue(issue)
            if shown is None:
                continue
            for key in index.keys_of(shown):
                at = order.get(key)
                if at is not None and (row := visible[at].row_of(shown)) is not None:
                    found.append((at, row, issue))
                    break
        return [(issue, visible[at].column) for at, _, issue in sorted(found)]


class BoardState:
    """What is visible, focused, selected and dragged: ``BoardWidget`` changes it, its columns read it."""

    def __init__(self) -> None:
        self.index: BoardIndex | None = None
        #: The columns that are not hidden, full or collapsed, from left to right.
        self.visible: list[ColumnIndex] = []
        #: The keys of columns that are still loading: they say so and show no count.
        self.unread: frozenset[str] = frozenset()
        self.empty_text = ""
        self.has_weight = True
        #: The title of a column, as everybody may see it.
        self.title: Callable[[Column], str] = lambda column: column.title
        self.place: Focus | None = None
        self.selection = Selection()
        self.dragged: frozenset[IssueId] = frozenset()
        #: The column that a drag is over, unless it started there.
        self.drop_key: str | None = None

    def issue(self, issue: IssueId) -> Issue | None:
        """The issue as shown now."""
        return None if self.index is None else self.index.issue(issue)

    def of_card(self, issue: IssueId, key: str) -> CardState:
        """The state of a card in the column with that key."""
        place = self.place
        focused = place is not None and place.issue == issue and place.key == key
        return CardState(focused, issue in self.selection, issue in self.dragged)

    def column(self, key: str | None) -> Column | None:
        """The visible column with that key."""
        return next((cards.column for cards in self.visible if cards.column.key == key), None)

    def has(self, issue: IssueId, key: str | None = None) -> bool:
        """Whether an issue is on this board as currently shown, in the column ``key`` if given."""
        index = self.index
        return index is not None and any(
            row_in(index, cards, issue) is not None
            for cards in self.visible
            if key in {None, cards.column.key}
        )

    def here(self) -> ColumnIndex | None:
        """The focused column."""
        return self.visible[self.place.at] if self.place and self.visible else None

    def seen(self) -> list[tuple[IssueId, Column]]:
        """The selected issues that are visible, in board order."""
        return self.selection.seen(self.index, self.visible) if self.index else []

    def targets(self) -> list[tuple[IssueId, Column]]:
        """What the next action applies to: the visible selection in board order, else the focused issue."""
        if len(self.selection) and (seen := self.seen()):
            return seen
        place, cards = self.place, self.here()
        return [(place.issue, cards.column)] if place and place.issue and cards else []


#: The one column of a list, for ``Selection``.
_COLUMN = ""


class Listed:
    """Lines by id; every id occurs once."""

    def __init__(self) -> None:
        self.ids: list[IssueId] = []
        self.cursor = 0
        self.selection = Selection()
        self._rows: dict[IssueId, int] = {}
        self._done: Collection[IssueId] = frozenset()

    @property
    def here(self) -> IssueId | None:
        """The issue under the cursor; None in an empty list."""
        return self.ids[self.cursor] if self.ids else None

    def __contains__(self, issue: object) -> bool:
        return issue in self._rows

    @property
    def selected(self) -> list[IssueId]:
        """The selected issues that are in the list, in its order."""
        if not len(self.selection):
            return []
        return sorted(
            (issue for issue in self.selection.all if issue in self._rows), key=self._rows.__getitem__
        )

    @property
    def targets(self) -> list[IssueId]:
        """What the next key applies to: the selection in the list, else the line under the cursor."""
        here = self.here
        return self.selected or ([here] if here is not None else [])

    def replace(self, ids: Sequence[IssueId], done: Collection[IssueId] = frozenset()) -> None:
        """Show other lines. The cursor stays on its issue, else moves to the one after it, else before it.

        ``done`` are issues that stay visible with nothing left to do: if the issue under the cursor became
        one of them, the cursor moves on as if the issue had left.
        """
        before, at, here = self.ids, self.cursor, self.here
        was_done, self._done = self._done, done
        self.ids = list(ids)
        self._rows = {issue: row for row, issue in enumerate(self.ids)}
        stayed = [issue for issue in (*before[at:], *reversed(before[:at])) if issue in self._rows]
        found = stayed[0] if stayed else None
        if found is not None and found == here and found in done and found not in was_done:
            found = next((issue for issue in stayed if issue not in done), found)
        self.cursor = self._rows[found] if found is not None else 0

    def go(self, row: int) -> None:
        """Move the cursor to a line, or the nearest one; a started range follows."""
        self.cursor = min(max(row, 0), max(len(self.ids) - 1, 0))
        anchor = self.selection.anchor
        if anchor is None:
            return
        start = self._rows.get(anchor[1])
        if start is None:
            self.selection.end_range()
            return
        first, last = sorted((start, self.cursor))
        self.selection.extend_range(self.ids[first : last + 1])

    def find(self, issue: IssueId) -> None:
        """Move the cursor to an issue, if it is in the list."""
        if (row := self._rows.get(issue)) is not None:
            self.go(row)

    def toggle(self) -> None:
        """Select or deselect the line."""
        if (here := self.here) is not None:
            self.selection.toggle([here])

    def range(self) -> bool:
        """Start a range at the line, or end the current one. Returns whether one is active now."""
        if self.selection.end_range() or self.here is None:
            return False
        self.selection.begin_range(_COLUMN, self.here)
        return True

    def all(self) -> None:
        """Select every line; deselect them if all are selected."""
        self.selection.toggle(self.ids)

    def escape(self) -> str:
        """End a range (``range``), else clear the selection (``selection``); "" if there was neither."""
        if self.selection.end_range():
            return "range"
        if self.selected:
            self.selection.clear()
            return "selection"
        return ""
