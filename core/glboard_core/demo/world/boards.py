"""Boards: which issues are in a list, what moving a card does, what can be created.

Follows GitLab's move service: a label list adds its label and removes that of the old list; a fixed list
(Open, Closed) removes every label that has a list on the board; Closed also closes, and leaving Closed always
reopens.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable

from glboard_core.demo.world import changes, permissions
from glboard_core.demo.world.changes import Change
from glboard_core.demo.world.filters import IssueFilter
from glboard_core.demo.world.records import Board, BoardList, Group, Issue, Label, User
from glboard_core.demo.world.registry import InternalServerError, Registry

# Manual order: one relative position per issue over the whole root group, sparse, sometimes null.

DISTANCE = 512
_ORDER = "RELATIVE_POSITION_ASC"


def _put(world: Registry, issue: Issue, position: int) -> None:
    with world.index.moving(issue):
        issue.position = position


def _last(world: Registry) -> int:
    order = world.index.order(_ORDER)
    ranked = bisect_left(order, (1, 0, 0))
    return int(order[ranked - 1][1]) if ranked else 0


def place_at_end(world: Registry, issue: Issue) -> None:
    """Give an issue the last position."""
    _put(world, issue, _last(world) + DISTANCE)


def rebalance(world: Registry) -> None:
    """Reassign all positions in the same order."""
    order = world.index.order(_ORDER)
    ranked = bisect_left(order, (1, 0, 0))
    for at, key in enumerate(order[:ranked]):
        world.index.issues[key[2]].position = (at + 1) * DISTANCE
    world.index.rebuild()


def make_way(world: Registry, position: int, moved: Issue) -> None:
    """Shift what has this position or follows it, up to the first wide gap.

    GitLab moves a stretch of the order only, and does not tell which.
    """
    order = world.index.order(_ORDER)
    stretch: list[tuple[int, int]] = []
    for _, at, identity in order[bisect_left(order, (0, position, 0)) : bisect_left(order, (1, 0, 0))]:
        if stretch and at - stretch[-1][0] > DISTANCE:
            break
        if identity != moved.id:
            stretch.append((at, identity))
    for at, identity in reversed(stretch):
        _put(world, world.index.issues[identity], at + DISTANCE // 2)


def _neighbour(world: Registry, issue: Issue, moved: Issue, step: int) -> int | None:
    """The position next to an issue in the whole order, without the moved one."""
    order = world.index.order(_ORDER)
    key = (0, issue.position, issue.id)
    at = bisect_left(order, key) - 1 if step < 0 else bisect_right(order, key)
    while 0 <= at < len(order) and order[at][0] == 0:
        if order[at][2] != moved.id:
            return int(order[at][1])
        at += step
    return None


#: How many issues one placing takes, the oldest first.
_PLACED_AT_ONCE = 100


def _unplaced(world: Registry) -> list[Issue]:
    order = world.index.order(_ORDER)
    return [world.index.issues[key[2]] for key in order[bisect_left(order, (1, 0, 0)) :]]


def place(world: Registry, issues: Iterable[Issue]) -> None:
    """Give those without a position one at the end, in this order. Nothing else of them changes."""
    for one in issues:
        if one.position is None:
            place_at_end(world, one)


def unplace(world: Registry, issues: Iterable[Issue]) -> None:
    """Take the positions away, as if no one had ranked these issues and no board had shown them.

    No background job is about to place them either.
    """
    world.placing = None
    for one in issues:
        with world.index.moving(one):
            one.position = None


def settle(world: Registry) -> None:
    """Begin a request, after what background jobs did meanwhile: a while after a new issue, all unplaced ones
    have a place."""
    world.turn += 1
    if world.placing is None or world.clock.now() < world.placing:
        return
    world.placing = None
    waiting = sorted(_unplaced(world), key=lambda one: (one.created, one.id))
    place(world, waiting[:_PLACED_AT_ONCE])
    if len(waiting) > _PLACED_AT_ONCE:
        world.place_later()


def _lies_between(before: Issue, moved: Issue, after: Issue) -> bool:
    return moved.position is not None and (before.position or 0) < moved.position < (after.position or 0)


def move_between(world: Registry, moved: Issue, before: Issue | None, after: Issue | None) -> None:
    """Move `moved` after `before` and before `after`; one of them can be None. Raises InternalServerError if
    one of them has no position, as GitLab 18.9 does. Only of `moved` others are told."""
    was = moved.position
    _move_between(world, moved, before, after)
    if moved.position != was:
        world.tell(moved)


def _move_between(world: Registry, moved: Issue, before: Issue | None, after: Issue | None) -> None:
    before, after = (None if one is moved else one for one in (before, after))
    for one in (before, after):
        if one is not None and one.position is None:
            if world.traits.ranks_fail:
                raise InternalServerError
            place_at_end(world, one)
    if world.traits.misplaces:
        world.traits.misplaces -= 1
        rebalance(world)
        place_at_end(world, moved)
        return
    if before is not None and after is not None and (before.position or 0) > (after.position or 0):
        before, after = after, before
    if before is not None and after is not None and _lies_between(before, moved, after):
        return
    for _ in range(2):
        low = before.position if before else None
        high = after.position if after else None
        if low is None and after is not None:
            low = _neighbour(world, after, moved, -1)
        if high is None and before is not None:
            high = _neighbour(world, before, moved, 1)
        if low is None and high is None:
            return
        if low is None:
            _put(world, moved, (high or 0) - DISTANCE)
            return
        if high is None:
            _put(world, moved, low + DISTANCE)
            return
        if high - low >= 2:
            _put(world, moved, (low + high) // 2)
            return
        if high > low:
            make_way(world, high, moved)
        else:
            rebalance(world)


NO_BOARD = "You don't have the permission to create a board for this resource."
TAKEN = {
    kind: f"{kind.title()} has already been taken" for kind in ("label", "milestone", "assignee", "status")
}


def scope_of(world: Registry, board: Board) -> IssueFilter:
    """What is on a board: its group with everything below. Its own filter is applied by GitLab's pages only,
    not by the API."""
    return IssueFilter(projects=frozenset(one.id for one in world.projects_below(board.group)))


def narrow(wanted: IssueFilter, column: BoardList) -> str:
    """Narrow a board's scope to a list; returns the list's order."""
    if column.kind == "closed":
        wanted.state = "closed"
        return "CLOSED_AT_DESC"
    if column.status is None or not column.status.closes:
        wanted.state = "opened"
    if column.kind == "backlog":
        taken = tuple(one.label.title for one in column.board.lists if one.label is not None)
        wanted.not_labels = (*wanted.not_labels, *taken)
        wanted.not_statuses = tuple(one.status.name for one in column.board.lists if one.status is not None)
    if column.label is not None:
        wanted.labels = (*wanted.labels, column.label.title)
    if column.milestone is not None:
        wanted.milestone_id = column.milestone.id
    if column.status is not None:
        wanted.status = column.status.name
    if column.assignee is not None:
        wanted.assignees = (*wanted.assignees, column.assignee.username)
    return "RELATIVE_POSITION_ASC"


def may_add_board(world: Registry, group: Group) -> bool:
    """The first board of a group is free; more need several boards (Premium)."""
    return world.licensed("premium") or not any(one.group is group for one in world.boards.values())


def boards_of(world: Registry, group: Group) -> list[Board]:
    """The boards of exactly this group, by name; without a licence only the first, however many there are."""
    boards = [one for one in world.boards.values() if one.group is group]
    boards.sort(key=lambda one: (one.name.lower(), one.id))
    return boards if world.licensed("premium") else boards[:1]


def lists_of(world: Registry, board: Board) -> list[BoardList]:
    """The lists GitLab answers: neither Open nor Closed where the board hides them, and without a licence
    none of milestones, assignees and statuses."""
    free = ("backlog", "label", "closed")
    hidden = {"backlog": board.hide_backlog, "closed": board.hide_closed}
    shown = [one for one in board.listed() if not hidden.get(one.kind, False)]
    return [one for one in shown if world.licensed("premium") or one.kind in free]


def taken(board: Board, kind: str, target: object) -> bool:
    """Whether a board already has a list for this."""
    return any(
        target in (one.label, one.milestone, one.assignee, one.status)
        for one in board.lists
        if one.kind == kind
    )


def place_list(column: BoardList, position: int) -> None:
    """Move a list to a position; the others shift."""
    others = [one for one in column.board.movable() if one is not column]
    others.insert(max(0, min(position, len(others))), column)
    for at, one in enumerate(others):
        one.position = at


def drop_list(world: Registry, column: BoardList) -> None:
    """Removes a list from its board."""
    column.board.lists.remove(column)
    del world.board_lists[column.id]
    for at, one in enumerate(column.board.movable()):
        one.position = at


def drop_board(world: Registry, board: Board) -> None:
    """Delete a board."""
    for column in board.lists:
        del world.board_lists[column.id]
    del world.boards[board.id]


def _labels_moved(issue: Issue, old: BoardList, new: BoardList) -> tuple[list[Label], list[Label]]:
    added = [new.label] if new.label is not None else []
    if new.kind in ("backlog", "closed"):
        removed = [one.label for one in new.board.lists if one.label is not None]
    elif old.label is not None and new.kind == "label":
        removed = [old.label]
    else:
        removed = []  # Lists of different types: the label is kept.
    return added, [one for one in removed if one in issue.labels]


def move_card(world: Registry, issue: Issue, old: BoardList, new: BoardList, actor: User) -> list[str]:
    """Move a card from list to list: labels, milestone, assignee and state follow."""
    if old is new:
        return []
    added, removed = _labels_moved(issue, old, new)
    change = Change(add_labels=added, remove_labels=removed)
    if new.milestone is not None or (old.milestone is not None and new.kind == "backlog"):
        change.milestone = new.milestone
    if new.status is not None:
        change.status = new.status.name
    elif old.status is not None and new.kind == "backlog":
        change.status = next(iter(world.statuses))
    if new.assignee is not None:
        change.assignees = [new.assignee]
    elif old.assignee is not None and new.kind == "backlog":
        change.assignees = [one for one in issue.assignees if one is not old.assignee]
    if new.kind == "closed":
        change.state = "close"
    elif old.kind == "closed":
        change.state = "reopen"
    return changes.apply(world, issue, change, actor)


def position_in(world: Registry, issue: Issue, column: BoardList, at: int, actor: User) -> None:
    """Rank a card at a position in a list, -1 being its end."""
    wanted = scope_of(world, column.board)
    order = narrow(wanted, column)
    page = world.index.page(
        wanted,
        order,
        lambda one: one is not issue and permissions.can_read(actor, one),
        world.clock.today(),
        first=10_000,
    )
    others = [one for one in page.issues if one.position is not None]
    if not others:
        return
    at = len(others) if at == -1 else min(at, len(others))
    before = others[at - 1] if at > 0 else None
    after = others[at] if at < len(others) else None
    move_between(world, issue, before, after)
