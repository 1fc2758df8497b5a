"""Changes by others as a list: on this board first, then elsewhere, the latest first.

Every key of the board works on a line. A line disappears once its card was looked at: with ``Enter``, by an
edit, or with ``v``, which applies to the selection like every other key.
"""

from __future__ import annotations

from collections.abc import Sequence

from glboard_core.board.use_cases import short
from glboard_tui.screens import theirs
from glboard_tui.screens.issue_list import Entry, IssueList
from glboard_tui.unseen_changes import ExternalChange
from glboard_tui.widgets.table import Col, Head


class Updates(IssueList):
    """The list."""

    empty = "No new changes by others."
    cols = (
        Col(title="issue", reference=True, least=12),
        Col(title="who", least=9),
        Col(title="what", least=30),
        Col(title="title", least=16, drop=1),
        Col(title="when", least=8, right=True),
    )
    hints = (
        ("Enter", "go to the card"),
        ("v", "mark as seen"),
        ("mark.column", "select all"),
        ("milestone.defer", "defer"),
        ("text.comment", "comment"),
        ("open.browser", "browser"),
        ("escape", "close"),
    )
    _here = 0

    def fill(self) -> Sequence[Entry]:
        """Changes on this board, or of cards that left it, before those elsewhere."""
        rows = list(self.desk.bridge.unseen)[::-1]
        here = [row for row in rows if self.desk.bridge.is_here(row)]
        others = [row for row in rows if not self.desk.bridge.is_here(row)]
        self._here = len(here)
        entries = [self._entry(row) for row in here]
        for at, row in enumerate(others):
            heads = (Head("Not on this board", rule=True),) if at == 0 and here else ()
            entries.append(self._entry(row, heads=heads))
        return entries

    def _entry(self, row: ExternalChange, *, heads: tuple[Head, ...] = ()) -> Entry:
        bridge = self.desk.bridge
        what, title = theirs.what(row, bridge.mask), bridge.title_of(row.issue)
        words = ", ".join(what)
        if row.left:
            words = f"left {row.left}: {words}"
        by = theirs.who(row, bridge.me)
        now = bridge.server_now()
        return Entry(
            row.issue,
            (
                (short(row.issue), "strong"),
                (by, "accent" if row.by else "muted"),
                (words, "text" if row.now is not None else "warn"),
                (title, "muted"),
                (theirs.when(row, now), "muted"),
            ),
            f"{title}\n{by}: {words}",
            heads,
        )

    def heading_of(self, place: int, count: int) -> str:
        """``Changes by others: 2 of 9 · 4 on this board``."""
        return f"Changes by others: {place} of {count} · {self._here} on this board"

    def own_key(self, token: str) -> bool:
        """``Enter`` goes to the card, ``v`` marks it as seen."""
        if token == "enter":  # noqa: S105  (a key, no secret)
            self._go_there()
            return True
        if token == "v":  # noqa: S105  (a key, no secret)
            self._seen()
            return True
        return False

    def _go_there(self) -> None:
        """Go to the card if it is on this board and matches the filter; otherwise open the issue."""
        issue = self.chosen()
        if issue is None:
            return
        screen = self.desk.screen
        if self.desk.bridge.issue(issue.id) is None:
            self.tell("No longer among the group's issues: o opens it in the browser.")
            return
        self.dismiss(None)
        screen.board.focus_card(issue.id)
        if screen.board.focused[0] != issue.id:
            screen.call_after_refresh(screen.open_detail, issue.id)

    def _seen(self) -> None:
        for identity in list(self.listed.targets):
            self.desk.bridge.unseen.look(identity)
            self.desk.screen.board.changed(set(), {identity})
        self.listed.marks.clear()
        self.refill()
        self.desk.screen.show_header()
