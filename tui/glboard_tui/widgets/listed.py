"""The issues of a list, the line the cursor is on, and which are marked: as data. Pure.

Owns the same rules as on the board (DESIGN.md section 5): the cursor sticks to its issue, an issue that
leaves hands it to the next one, and only marks that stand in the list act. An issue that a key has done with
hands it on as well, where the list says which ones those are.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from glboard_core.model.issue import IssueId
from glboard_tui.widgets.selection import Marks

#: The one column a list has, as marks know columns.
_COLUMN = ""


class Listed:
    """Lines by id; every id stands once."""

    def __init__(self) -> None:
        self.ids: list[IssueId] = []
        self.cursor = 0
        self.marks = Marks()
        self._rows: dict[IssueId, int] = {}
        self._done: Collection[IssueId] = frozenset()

    @property
    def here(self) -> IssueId | None:
        """The issue under the cursor; none in an empty list."""
        return self.ids[self.cursor] if self.ids else None

    @property
    def marked(self) -> list[IssueId]:
        """The marks that stand in the list, in its order."""
        if not len(self.marks):
            return []
        return sorted((issue for issue in self.marks.all if issue in self._rows), key=self._rows.__getitem__)

    @property
    def targets(self) -> list[IssueId]:
        """What the next key takes: the marks in the list, else the line under the cursor."""
        here = self.here
        return self.marked or ([here] if here is not None else [])

    def replace(self, ids: Sequence[IssueId], done: Collection[IssueId] = frozenset()) -> None:
        """Other lines. The cursor stays with its issue, else goes to what came after it, else before it.

        ``done`` are those that stay in sight with nothing left to do: where the issue under the cursor became
        one of them, the cursor goes on to what is left, as if the issue had gone.
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
        """The cursor to a line, the nearest there is; a range that was begun follows."""
        self.cursor = min(max(row, 0), max(len(self.ids) - 1, 0))
        anchor = self.marks.anchor
        if anchor is None:
            return
        start = self._rows.get(anchor[1])
        if start is None:
            self.marks.end_range()
            return
        first, last = sorted((start, self.cursor))
        self.marks.extend_range(self.ids[first : last + 1])

    def find(self, issue: IssueId) -> None:
        """The cursor to an issue, where it stands in the list."""
        if (row := self._rows.get(issue)) is not None:
            self.go(row)

    def toggle(self) -> None:
        """Mark or unmark the line."""
        if (here := self.here) is not None:
            self.marks.end_range()
            self.marks.set([here], on=here not in self.marks)

    def range(self) -> bool:
        """Begin a range at the line, or end the one that was begun. Whether one is being drawn now."""
        if self.marks.end_range() or self.here is None:
            return False
        self.marks.begin_range(_COLUMN, self.here)
        return True

    def all(self) -> None:
        """Mark every line; unmark them where all are marked."""
        self.marks.end_range()
        self.marks.set(self.ids, on=not all(issue in self.marks for issue in self.ids))

    def escape(self) -> str:
        """End a range (``range``), else take the marks off (``marks``); "" where there was neither."""
        if self.marks.end_range():
            return "range"
        if self.marked:
            self.marks.clear()
            return "marks"
        return ""
