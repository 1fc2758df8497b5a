"""What was found in a group: labels, milestones, boards, statuses, and what its issues use.

Values only. They come from ``discover`` and are judged by ``propose``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from glboard_core.model.catalog import Server
from glboard_core.model.milestone import Milestone

ListKind = Literal["label", "milestone", "assignee", "status", "iteration", "other"]


class FoundLabel(Struct, frozen=True):
    """A label that the group can use: its own, or one of a group above it."""

    title: str
    color: str = ""
    description: str = ""


class FoundList(Struct, frozen=True, kw_only=True):
    """A list of a board: its kind, and the title of its label, milestone or status."""

    kind: ListKind
    title: str
    most_issues: int = 0
    most_weight: int = 0


class FoundBoard(Struct, frozen=True, kw_only=True):
    """A board of the group, with its scope as far as the tier has one."""

    name: str
    lists: tuple[FoundList, ...] = ()
    milestone: str = ""
    labels: tuple[str, ...] = ()
    assignee: str = ""
    weight: int | None = None
    #: A part of its scope that no board of ours has: an iteration.
    more: str = ""


class Used(Struct, frozen=True, kw_only=True):
    """How many of some issues have a label, and how many a status."""

    issues: int = 0
    labels: Mapping[str, int] = {}
    statuses: Mapping[str, int] = {}


class FoundGroup(Struct, frozen=True, kw_only=True):
    """A group as it is seen by one token.

    ``whole``: all its labels are here, and not only those that were searched for. ``recent`` are the issues
    changed last, ``mine`` those of the token's user.
    """

    url: str
    path: str
    name: str = ""
    username: str = ""
    server: Server = Server()
    labels: tuple[FoundLabel, ...] = ()
    whole: bool = True
    milestones: tuple[Milestone, ...] = ()
    boards: tuple[FoundBoard, ...] = ()
    statuses: tuple[str, ...] = ()
    recent: Used = Used()
    mine: Used = Used()


class GroupChoice(Struct, frozen=True, kw_only=True):
    """A group to choose; ``project`` is the path of the project that led to it, if one did."""

    path: str
    name: str = ""
    project: str = ""
