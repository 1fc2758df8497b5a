"""What the engine tells its listeners. Values only; a listener never changes them and never blocks."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from glboard_core.board.op import Op
from glboard_core.errors import GlboardError
from glboard_core.model.issue import IssueId
from glboard_core.state import Change

Cause = Literal["mine", "theirs", "load", "answer"]
Freshness = Literal["loading", "live", "cached", "offline", "signed-out"]


class Status(Struct, frozen=True, kw_only=True):
    """How true the screen is. ``age`` counts seconds since the mirror held all that the server had, also
    in an earlier session; none where it never did.

    ``unsent`` are Ops not yet confirmed; ``failed`` the changes that were refused and are kept in a list.
    """

    freshness: Freshness = "loading"
    unsent: int = 0
    failed: int = 0
    #: Changes that wait for a choice between mine and theirs.
    conflicts: int = 0
    #: Polls are rarer, since little of the server's rate limit is left.
    slowed: bool = False
    age: float | None = None
    #: What is being read, in a word; how many issues of how many (0: not known), and how many columns were
    #: read whole on a first start.
    loading: str = ""
    loaded: int = 0
    total: int = 0
    columns: int = 0
    #: Why it is offline or signed out; shown once.
    error: GlboardError | None = None


class IssuesChanged(Struct, frozen=True):
    """Issues as shown before and after, with whose doing it was. ``answer``: the server confirmed ours.

    ``confirmed`` is what the server said before and says now, without what is unsent here: for ``theirs`` and
    ``load``, where it is known.
    """

    changes: tuple[Change, ...]
    cause: Cause
    confirmed: tuple[Change, ...] = ()


class CatalogChanged(Struct, frozen=True):
    """Labels, milestones, people or projects were read; boards have to be resolved again."""


class StatusChanged(Struct, frozen=True):
    """The status line changed."""

    status: Status


class Renamed(Struct, frozen=True):
    """A new issue was made on the server: ``old`` is known as ``new`` from now on."""

    old: IssueId
    new: IssueId


class Settled(Struct, frozen=True):
    """Ops of one keystroke were answered: those made, and those refused with the reason."""

    title: str
    done: tuple[Op, ...]
    failed: tuple[tuple[Op, GlboardError], ...]


class Notice(Struct, frozen=True):
    """Something to be said once, in words."""

    text: str


Event = IssuesChanged | CatalogChanged | StatusChanged | Renamed | Settled | Notice
