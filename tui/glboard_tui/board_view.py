"""Which board, milestone and filter are shown, and the index of its cards. It touches no widget."""

from __future__ import annotations

from collections.abc import Callable, Container
from datetime import date
from typing import get_args

from glboard_core.board.definition import Board, flow_scheme, milestone_title
from glboard_core.board.filters import STATE_NAMES, Query, compiled, filter_states, parse, problems
from glboard_core.board.index import BoardIndex, Sorting
from glboard_core.config import Density, Settings, SortBy
from glboard_core.errors import NameUnknown
from glboard_core.model.catalog import Catalog
from glboard_core.model.issue import Issue, IssueId
from glboard_core.model.milestone import present_titles, versions
from glboard_core.sync.engine import Engine
from glboard_core.unknown_names import no_board

#: The names of ``is:`` in a filter.
FILTER_STATES = STATE_NAMES

View = Callable[[Issue, frozenset[str]], Issue]
"""What everybody may see of an issue; the labels only say where its card is."""


def labels_of(board: Board) -> frozenset[str]:
    """The labels that say no more of a card than its place on the board."""
    return board.labels | frozenset(
        column.value for column in board.columns if column.tells == "labels" and column.value
    )


#: What is sorted by, if that is not called so.
_SORTED: dict[SortBy, str] = {"slipped": "slips", "age": "age, the oldest first"}


def next_sort(by: SortBy) -> SortBy:
    """What a key sorts by after that."""
    orders: tuple[SortBy, ...] = get_args(SortBy)
    return orders[(orders.index(by) + 1) % len(orders)]


class BoardView:
    """What is shown: one board at a time, its milestone and filter, and the index of their issues."""

    def __init__(self, settings: Settings, board: str, milestone: str | None = None) -> None:
        self.settings = settings
        self.flow = flow_scheme(settings)
        self.board_id = board
        self.text = ""
        self.show_closed = False
        #: What a person chose in this session, by board; the density of boards without their own.
        self._sorted: dict[str, SortBy] = {}
        self._densities: dict[str, Density] = {}
        self._density: Density | None = None
        self.index: BoardIndex | None = None
        self._query = Query()
        self._chosen: dict[str, str | None] = {board: milestone}
        self._resolved_on: date | None = None

    def configure(self, settings: Settings) -> None:
        """Use the configuration with other names."""
        if settings is not self.settings:
            self.settings = settings
            self.flow = flow_scheme(settings)

    @property
    def sort_by(self) -> SortBy:
        """What the board's columns are sorted by: as chosen, else as configured for it."""
        board = self.settings.board(self.board_id)
        return self._sorted.get(self.board_id) or (board.order if board else "rank")

    def sort(self, by: SortBy) -> None:
        """Sort the columns of this board, in this session."""
        self._sorted[self.board_id] = by

    @property
    def density(self) -> Density:
        """The density of the board's cards: as chosen, else as configured for it, or for all boards."""
        board = self.settings.board(self.board_id)
        own = board.density if board is not None else ""
        chosen = self._densities.get(self.board_id) if own else self._density
        return chosen or own or self.settings.ui.density

    def use_density(self, density: Density) -> None:
        """Choose a density: for this board if it has its own, else for all others."""
        board = self.settings.board(self.board_id)
        if board is not None and board.density:
            self._densities[self.board_id] = density
        else:
            self._density = density

    @property
    def milestone(self) -> str | None:
        """The milestone the user chose for this board; None means the board's own."""
        return self._chosen.get(self.board_id)

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

    @property
    def sought(self) -> frozenset[str]:
        """What the filter asks for: names of ``is:``, and labels in lower case."""
        terms = (term for group in self._query.groups for term in group)
        return frozenset(term.text for term in terms if term.kind in ("is", "label") and not term.negated)

    def stale(self, today: date) -> bool:
        """Whether the day changed since the board was resolved: current and next may have changed too."""
        return self._resolved_on is not None and self._resolved_on != today

    def choose(self, board: str, milestone: str | None = None) -> None:
        """Switch to another board; choosing the same one again returns to its own milestone.

        Raises NameUnknown if there is no such board.
        """
        if self.settings.board(board) is None:
            raise no_board(board, (b.id for b in self.settings.boards))
        if milestone is not None or board == self.board_id:
            self._chosen[board] = milestone
        self.board_id = board

    def build(self, engine: Engine, changed: Container[IssueId], view: View) -> None:
        """Resolve the board and index all issues. Raises NameUnknown; then there is no board to show.

        The filter matches what ``view`` shows of an issue, so that it finds nothing that is masked.
        """
        self.index = None
        board = engine.board(self.board_id, self.milestone)
        catalog = engine.catalog
        assert catalog is not None  # engine.board raises without one
        self._resolved_on = engine.today()
        states = filter_states(catalog, self.flow, self.settings.labels, engine.today(), changed)
        keep = compiled(self._query, states)
        columns = labels_of(board)
        self.index = BoardIndex(
            board,
            self.flow,
            engine.shown,
            keep=None if keep is None else lambda issue: keep(view(issue, columns)),
            show_closed=self.show_closed,
            deliverable=self.settings.labels.deliverable,
            sorting=self.sorting(catalog),
            ages=self.asks_age,
        )

    def sorted_words(self, by: SortBy) -> str:
        """What is said where issues are not in the order they have by themselves; "" if they are."""
        return "" if by == "rank" else f"sorted by {_SORTED.get(by, by)}"

    def sorting(self, catalog: Catalog, by: SortBy | None = None) -> Sorting:
        """What the columns are sorted by, or a list by ``by``."""
        return Sorting(
            by=by or self.sort_by,
            names=self.settings.labels,
            renamed=present_titles(catalog.milestones),
            milestones=tuple(milestone_line(catalog, self.settings)),
        )

    @property
    def asks_age(self) -> bool:
        """Whether the board's question is how old its issues are: that of a bucket that no one works on."""
        found = self.settings.board(self.board_id)
        return found is not None and found.milestone in ("backlog", "awaiting")

    def filter(self, text: str) -> tuple[str, ...]:
        """Set the filter; ``build`` applies it. Returns what is wrong with it, in sentences."""
        self.text = text.strip()
        self._query = parse(self.text)
        return problems(self._query, FILTER_STATES)

    def step_milestone(self, step: int, catalog: Catalog) -> str | None:
        """The title of the milestone ``step`` places after the board's; None if there is none."""
        board = self.board
        if board is None or board.milestone is None:
            return None
        line = milestone_line(catalog, self.settings)
        if board.milestone in line:
            at = line.index(board.milestone) + step
            return line[at] if 0 <= at < len(line) else None
        return line[0] if line else None


def milestone_line(catalog: Catalog, settings: Settings) -> list[str]:
    """The order of previous and next milestone: versions by date, then the buckets as configured."""
    line = [milestone.title for milestone in versions(catalog.milestones, settings.planning.version)]
    for key in settings.milestones:
        try:
            line.append(milestone_title(key, settings, catalog, date.min))
        except NameUnknown:
            continue  # reported when a board that needs it is opened
    return list(dict.fromkeys(line))
