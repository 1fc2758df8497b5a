"""Boards of GitLab as boards of one's own: what is taken over, and what of them has no counterpart here.

Pure. A board that glboard's own boards already show (the ones its milestone set-up creates) is offered, too,
but not taken by itself.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence

from msgspec import Struct

from glboard_core.config import DEFAULT_BOARDS, BoardSettings, ColumnsBy, Limit
from glboard_core.model.workflow import near
from glboard_core.setup.found import FoundBoard, FoundList

#: Titles of boards that glboard creates in GitLab for a milestone: its own boards show the same.
_OWN = tuple(board.name for board in DEFAULT_BOARDS)


class OfferedBoard(Struct, frozen=True, kw_only=True):
    """A board as it would be written, and what is said of it."""

    board: BoardSettings
    title: str
    note: str = ""
    #: Whether it is proposed: not a copy of a built-in one.
    proposed: bool = True


def offered_boards(
    found: Sequence[FoundBoard],
    *,
    group_label: str,
    milestone_name: Callable[[str], str],
    states: Callable[[str], str],
    versions: Collection[str] = (),
) -> tuple[OfferedBoard, ...]:
    """The boards with lists. ``milestone_name`` is what the configuration calls a title; ``states`` gives the
    workflow state of a label or a status, or ""; ``versions`` are titles of milestones that boards are
    created for."""
    offers: list[OfferedBoard] = []
    taken = {board.id for board in DEFAULT_BOARDS}
    for one in found:
        copy = _is_named_after(one.name, versions)
        offer = _offer(one, taken, group_label, milestone_name, states, copy=copy)
        if offer is not None:
            taken.add(offer.board.id)
            offers.append(offer)
    return tuple(offers)


def _offer(
    found: FoundBoard,
    taken: Collection[str],
    group_label: str,
    milestone_name: Callable[[str], str],
    states: Callable[[str], str],
    *,
    copy: bool,
) -> OfferedBoard | None:
    kinds = Counter(
        one.kind for one in found.lists if one.kind in ("label", "milestone", "assignee", "status")
    )
    if not kinds:
        return None
    kind = kinds.most_common(1)[0][0]
    lists = [one for one in found.lists if one.kind == kind]
    by, columns = _columns(kind, lists, milestone_name, states)
    if not columns and by != "assignee":
        return None
    limits = {
        column: Limit(issues=one.most_issues or None, weight=one.most_weight or None)
        for column, one in zip(columns, lists, strict=False)
        if one.most_issues or one.most_weight
    }
    milestone = milestone_name(found.milestone) if found.milestone else "any"
    board = BoardSettings(
        id=_id(found.name, taken),
        name=found.name,
        by=by,
        columns=columns,
        milestone=milestone,
        labels=tuple(label for label in found.labels if label != group_label),
        filter=" ".join(_scope(found)),
        limits=limits,
    )
    left = [one for one in found.lists if one.kind != kind]
    notes = [f"{len(left)} {'list' if len(left) == 1 else 'lists'} of another kind left out"] if left else []
    notes += [f"scope not included: {found.more}"] if found.more else []
    copy = copy or _shows_the_same(board)
    notes += ["same as the built-in boards"] if copy else []
    return OfferedBoard(board=board, title=found.name, note="; ".join(notes), proposed=not copy)


def _scope(found: FoundBoard) -> Iterator[str]:
    """What a board's scope has besides milestone and labels, in the filter language."""
    if found.assignee:
        yield f"@{found.assignee}"
    if found.weight is not None:
        yield f"w:{found.weight}"


def _columns(
    kind: str, lists: Sequence[FoundList], milestone_name: Callable[[str], str], states: Callable[[str], str]
) -> tuple[ColumnsBy, tuple[str, ...]]:
    titles = [one.title for one in lists]
    if kind == "milestone":
        return "milestone", tuple(dict.fromkeys(map(milestone_name, titles)))
    if kind == "assignee":
        return "assignee", ()
    if kind == "status":
        named = [states(title) or (state.name if (state := near(title)) else "") for title in titles]
        return "flow", tuple(dict.fromkeys(filter(None, named)))
    found = [states(title) for title in titles]
    if all(found) and len({*found}) == len(found):
        return "flow", tuple(found)
    return "label", tuple(dict.fromkeys(titles))


def _is_named_after(name: str, versions: Collection[str]) -> bool:
    """Whether it is called like a built-in board, as it is or with the title of a version."""
    titles = [re.escape(title) for title in sorted(versions, key=len, reverse=True) if title]
    version = "|".join([*titles, r"v?\d[\d.\-/ ]*"])
    bare = re.sub(rf"[\s:–-]*({version})$", "", name, flags=re.IGNORECASE).strip().casefold()
    return any(own.casefold() in (bare, name.casefold()) for own in _OWN)


def _shows_the_same(board: BoardSettings) -> bool:
    same = [(one.by, one.columns, one.milestone) for one in DEFAULT_BOARDS]
    return (board.by, board.columns, board.milestone) in same


def _id(name: str, taken: Collection[str]) -> str:
    base = re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")[:40] or "board"
    number, found = 2, base
    while found in taken:
        found, number = f"{base}-{number}", number + 1
    return found
