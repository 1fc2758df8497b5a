"""The events of the engine. Values only; a listener never changes them and never blocks."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from glboard_core.board.operations import IssueDiff, Op
from glboard_core.errors import GlboardError
from glboard_core.model.issue import IssueId

Cause = Literal["mine", "theirs", "load", "answer", "draft"]
Freshness = Literal["loading", "live", "cached", "offline", "signed-out"]


class Status(Struct, frozen=True, kw_only=True):
    """The sync status. ``age`` is seconds since the mirror was up to date, also in an earlier session; None
    if it never was.

    ``unsent`` counts the Ops not confirmed yet; ``failed`` the failed changes.
    """

    freshness: Freshness = "loading"
    unsent: int = 0
    failed: int = 0
    #: Changes in conflict.
    conflicts: int = 0
    #: The name of the draft that is on, and how many issues it would change.
    draft: str | None = None
    staged: int = 0
    #: Polling less often, since the rate limit is nearly used up.
    slowed: bool = False
    age: float | None = None
    #: What is being read; how many issues of how many (0: unknown), and how many columns were read completely
    #: on a first start.
    loading: str = ""
    loaded: int = 0
    total: int = 0
    columns: int = 0
    #: Why it is offline or signed out; shown once.
    error: GlboardError | None = None
    #: While it is: after how many seconds from this status GitLab is asked again.
    next_try: float | None = None


class LiveStatus(Struct, frozen=True, kw_only=True):
    """Whether changes to the cards in view arrive at once.

    ``off``: by configuration; ``resting``: the program is not in use, or shows no board. ``error`` is why it
    is ``refused`` or ``lost``; then it is tried again in ``next_try`` seconds. ``cards`` are watched.
    """

    state: Literal["off", "resting", "connecting", "on", "refused", "lost"] = "resting"
    cards: int = 0
    error: GlboardError | None = None
    next_try: float | None = None


class IssuesChanged(Struct, frozen=True):
    """Issues as shown before and after, and the cause. ``answer``: the server confirmed our change;
    ``draft``: it is staged, or the draft was turned on or off.

    ``confirmed`` is the server's state before and after, without unsent changes, if known.
    """

    changes: tuple[IssueDiff, ...]
    cause: Cause
    confirmed: tuple[IssueDiff, ...] = ()


class ReadsChanged(Struct, frozen=True):
    """What is kept of these issues besides their fields was read: merge requests, or events of labels."""

    issues: tuple[IssueId, ...]


class CatalogChanged(Struct, frozen=True):
    """Labels, milestones, people or projects were read; boards must be resolved again."""


class StatusChanged(Struct, frozen=True):
    """The sync status changed."""

    status: Status


class Renamed(Struct, frozen=True):
    """A new issue was created on the server: the temporary id ``old`` becomes ``new``."""

    old: IssueId
    new: IssueId


class Settled(Struct, frozen=True):
    """Ops of one keystroke were answered: those done, and those failed with the reason.

    ``left`` counts those still being sent: many are answered request by request.
    """

    title: str
    done: tuple[Op, ...]
    failed: tuple[tuple[Op, GlboardError], ...]
    left: int = 0


class EngineNotice(Struct, frozen=True):
    """A message to show once."""

    text: str


class WrittenElsewhere(Struct, frozen=True):
    """Another process wrote to the state file: what is kept in it besides issues may differ, too."""


Event = (
    IssuesChanged
    | ReadsChanged
    | CatalogChanged
    | StatusChanged
    | Renamed
    | Settled
    | EngineNotice
    | WrittenElsewhere
)
