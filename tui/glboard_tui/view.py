"""What is shown: which board, milestone and filter, and the index of their issues.

Owns the choice and remembers it per board. It never asks the server, so switching costs no request and never
shows anything of the previous board. It knows no screen.
"""

from __future__ import annotations

from collections.abc import Container
from datetime import date

from glboard_core.board.definition import Board
from glboard_core.board.filters import Query, compiled, parse, unknown_states
from glboard_core.board.index import BoardIndex
from glboard_core.board.resolve import flow_scheme, milestone_title
from glboard_core.config import Settings
from glboard_core.errors import NameUnknown
from glboard_core.model.catalog import Catalog
from glboard_core.model.issue import IssueId
from glboard_core.model.milestone import versions
from glboard_core.sync.engine import Engine
from glboard_tui.states import filter_states


class BoardView:
    """One board at a time, over a live engine."""

    def __init__(self, settings: Settings, board: str, milestone: str | None = None) -> None:
        self.settings = settings
        self.flow = flow_scheme(settings)
        self.board_id = board
        self.text = ""
        self.show_closed = False
        self.index: BoardIndex | None = None
        self._query = Query()
        self._walked: dict[str, str | None] = {board: milestone}
        self._resolved_on: date | None = None

    @property
    def milestone(self) -> str | None:
        """The milestone the user chose for this board; None means the board's own."""
        return self._walked.get(self.board_id)

    @property
    def board(self) -> Board | None:
        """The board as last resolved."""
        return self.index.board if self.index else None

    @property
    def volatile(self) -> bool:
        """Whether the filter depends on more than the issue, so that any change requires a rebuild."""
        return any(
            term.kind == "is" and term.text == "changed" for group in self._query.groups for term in group
        )

    def stale(self, today: date) -> bool:
        """Whether the day changed since the board was resolved: current and next may have changed too."""
        return self._resolved_on is not None and self._resolved_on != today

    def choose(self, board: str, milestone: str | None = None) -> None:
        """Switch to another board; choosing the same one again returns to its own milestone.

        Raises NameUnknown if there is no such board.
        """
        if self.settings.board(board) is None:
            raise NameUnknown("board", board, tuple(b.id for b in self.settings.boards))
        if milestone is not None or board == self.board_id:
            self._walked[board] = milestone
        self.board_id = board

    def build(self, engine: Engine, changed: Container[IssueId]) -> None:
        """Resolve the board and index all issues. Raises NameUnknown; then there is no board to show."""
        self.index = None
        board = engine.board(self.board_id, self.milestone)
        catalog = engine.catalog
        assert catalog is not None  # engine.board raises without one
        self._resolved_on = engine.today()
        states = filter_states(catalog, self.flow, self.settings.labels, engine.today(), changed)
        self.index = BoardIndex(
            board,
            self.flow,
            engine.shown,
            keep=compiled(self._query, states),
            show_closed=self.show_closed,
        )

    def filter(self, text: str) -> tuple[str, ...]:
        """Set the filter; ``build`` applies it. Returns the unknown ``is:`` names."""
        self.text = text.strip()
        self._query = parse(self.text)
        return unknown_states(self._query, {name: lambda _: True for name in STATES})

    def walk(self, step: int, catalog: Catalog) -> str | None:
        """The title of the milestone ``step`` places after the board's; None if there is none."""
        board = self.board
        if board is None or board.milestone is None:
            return None
        line = milestone_line(catalog, self.settings)
        if board.milestone in line:
            at = line.index(board.milestone) + step
            return line[at] if 0 <= at < len(line) else None
        return line[0] if line else None


STATES = (
    "unweighted",
    "weighted",
    "ready",
    "unready",
    "slipped",
    "mine",
    "unassigned",
    "blocked",
    "confidential",
    "closed",
    "deliverable",
    "changed",
    "over",
)


def milestone_line(catalog: Catalog, settings: Settings) -> list[str]:
    """The order of previous and next milestone: versions by date, then the buckets as configured."""
    line = [milestone.title for milestone in versions(catalog.milestones)]
    for key in settings.milestones:
        try:
            line.append(milestone_title(key, settings, catalog, date.min))
        except NameUnknown:
            continue  # reported when a board that needs it is opened
    return list(dict.fromkeys(line))
