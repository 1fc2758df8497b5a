"""Compare a GitLab board with the wanted one: what is missing, and what is left as a person set it.

Pure. Owns when glboard can change a board: if glboard created it, or if it is as empty as one whose creation
was interrupted. Nothing is ever removed from a board, and a filter that someone chose stays.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date

from msgspec import Struct

from glboard_core.board.definition import Board
from glboard_core.board.resolve import flow_scheme, resolve
from glboard_core.config import BoardSettings, Settings
from glboard_core.errors import NameUnknown
from glboard_core.model.catalog import Catalog
from glboard_core.model.milestone import Milestone

#: Milestones of boards that are created for each month.
_OF_A_MONTH = frozenset({"current", "next", "after-next"})


class WantedBoard(Struct, frozen=True, kw_only=True):
    """A board as it should be. ``lists`` are label titles in order; ``lacking`` are those that do not exist.

    ``why`` is the reason if it cannot be created at all, else "".
    """

    name: str
    milestone: str
    labels: frozenset[str] = frozenset()
    lists: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()
    why: str = ""


class SeenList(Struct, frozen=True):
    """A list of a board. ``label`` is None for a list of another kind."""

    id: int
    label: str | None


class SeenBoard(Struct, frozen=True, kw_only=True):
    """A board in GitLab; its movable lists in order. ``scoped``: whether its boards have filters."""

    id: int
    name: str
    url: str
    milestone: str | None = None
    labels: frozenset[str] = frozenset()
    lists: tuple[SeenList, ...] = ()
    scoped: bool = True

    @property
    def is_empty(self) -> bool:
        """No lists and no filter, as right after its creation."""
        return not self.lists and self.milestone is None and not self.labels


class BoardWork(Struct, frozen=True, kw_only=True):
    """What to change on a board. ``notes`` say what is left unchanged."""

    scope: bool = False
    add: tuple[str, ...] = ()
    order: bool = False
    notes: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.scope or self.add or self.order)


def wanted_boards(
    settings: Settings, catalog: Catalog, milestone: Milestone, today: date
) -> list[WantedBoard]:
    """The configured boards for ``milestone``, in their order.

    Raises NameUnknown for a board that is not configured.
    """
    found: list[WantedBoard] = []
    for name in settings.planning.boards:
        if (board := settings.board(name)) is None:
            raise NameUnknown("board", name, tuple(b.id for b in settings.boards))
        found.append(_wanted(board, settings, catalog, milestone, today))
    return found


def _wanted(
    board: BoardSettings, settings: Settings, catalog: Catalog, milestone: Milestone, today: date
) -> WantedBoard:
    of_month = board.milestone in _OF_A_MONTH
    own = milestone.title if of_month else None
    resolved = resolve(board, settings, catalog, today, milestone=own)
    title = settings.planning.board_title if of_month else "{board}"
    name = title.replace("{board}", board.name).replace("{milestone}", milestone.title)
    lists = _lists(resolved, settings)
    known = tuple(label for label in lists if catalog.label(catalog.group, label) is not None)
    return WantedBoard(
        name=name,
        milestone=resolved.milestone or "",
        labels=resolved.labels,
        lists=known,
        lacking=tuple(label for label in lists if label not in known),
        why=_why_not(board, resolved, settings, catalog),
    )


def _lists(board: Board, settings: Settings) -> list[str]:
    scheme = flow_scheme(settings)
    return [
        scheme.prefix + column.value if column.kind == "flow" else column.value
        for column in board.columns
        if column.kind in ("flow", "label") and column.value is not None
    ]


def _why_not(board: BoardSettings, resolved: Board, settings: Settings, catalog: Catalog) -> str:
    if board.by not in ("label", "flow"):
        return "its columns are no labels, so GitLab has no such board"
    if board.by == "flow" and settings.flow.backend == "status":
        return "its lists would be statuses, which glboard cannot make; make it in GitLab"
    if not resolved.milestone:
        return "it is of no milestone"
    if catalog.milestone(catalog.group, resolved.milestone) is None:
        return f"the group has no milestone “{resolved.milestone}”"
    unknown = sorted(label for label in resolved.labels if catalog.label(catalog.group, label) is None)
    if unknown:
        return f"the group has no label “{unknown[0]}” to filter by"
    return ""


def match(wanted: WantedBoard, boards: Iterable[SeenBoard], ours: Collection[int]) -> SeenBoard | None:
    """The existing board: by name, ours before others', the oldest first; else by filter and lists."""
    known = sorted(boards, key=lambda board: (board.id not in ours, board.id))
    named = [board for board in known if board.name.casefold() == wanted.name.casefold()]
    if named:
        return named[0]
    alike = (
        board
        for board in known
        if (board.milestone, board.labels) == (wanted.milestone, wanted.labels)
        and any(one.label in wanted.lists for one in board.lists)
    )
    return next(alike, None)


def work(wanted: WantedBoard, seen: SeenBoard, *, ours: bool) -> BoardWork:
    """What to change on an existing board."""
    notes: list[str] = []
    if seen.name != wanted.name:
        notes.append(f"named “{seen.name}” in GitLab")
    present = [one.label for one in seen.lists]
    missing = tuple(label for label in wanted.lists if label not in present)
    ordered = _in_order(present, wanted.lists)
    scoped = (seen.milestone, seen.labels) == (wanted.milestone, wanted.labels)
    chosen = seen.milestone is not None or bool(seen.labels)
    # Lists are created one by one: a board with the first of them is unfinished and only gets the rest.
    unfinished = scoped and present == list(wanted.lists[: len(present)])
    if not ours and not seen.is_empty and not unfinished:
        if not scoped:
            notes.append("created by someone else with a different filter; left unchanged")
        elif missing or not ordered:
            notes.append("created by someone else with different lists; left unchanged")
        return BoardWork(notes=tuple(notes))
    if chosen and not scoped:
        return BoardWork(notes=(*notes, "its filter was changed; left unchanged"))
    return BoardWork(
        scope=not scoped,
        add=missing,
        order=not _in_order([*present, *missing], wanted.lists),
        notes=tuple(notes),
    )


def _in_order(present: Sequence[str | None], wanted: Sequence[str]) -> bool:
    own = [label for label in present if label in wanted]
    return own == [label for label in wanted if label in own]


def moves(lists: Sequence[SeenList], wanted: Sequence[str]) -> list[tuple[int, int]]:
    """The moves (list, position), to be applied one by one, that bring our lists into order.

    Lists that others added keep their places between them.
    """
    own = iter(sorted((one for one in lists if one.label in wanted), key=lambda one: _place(one, wanted)))
    target = [next(own) if one.label in wanted else one for one in lists]
    now = list(lists)
    found: list[tuple[int, int]] = []
    for position, one in enumerate(target):
        if now[position] != one:
            now.remove(one)
            now.insert(position, one)
            found.append((one.id, position))
    return found


def _place(one: SeenList, wanted: Sequence[str]) -> int:
    return wanted.index(one.label) if one.label in wanted else len(wanted)
