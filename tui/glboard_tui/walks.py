"""What a walk goes through, and the walks that were begun: kept in the state file, to be resumed later.

A source is asked again at every step: what left it meanwhile is skipped, and what is new comes at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from glboard_core.board.columns import CLOSED
from glboard_core.model.issue import Issue, IssueId
from glboard_core.planning.walk import Walk
from glboard_tui.bridge import Bridge

T = TypeVar("T")
#: The key in the state file, and how many walks are kept.
WALKS, _KEPT = "walks", 20


class WalkSource(Struct, frozen=True, kw_only=True):
    """The issues of a walk. ``key`` is the same on another day; ``title`` is what the screen calls it.

    ``ids`` are there now, in the order on screen; ``holds`` tells it of one, without reading all. ``column``
    is the key of the column walked.
    """

    key: str
    title: str
    ids: Callable[[], Sequence[IssueId]]
    holds: Callable[[Issue], bool]
    column: str | None = None
    #: Chosen by hand: another choice is another walk.
    chosen: bool = False


def chosen_source(bridge: Bridge, ids: Sequence[IssueId], of: str) -> WalkSource:
    """The selected issues of a board or list."""
    kept = tuple(ids)
    return WalkSource(
        key=f"selected {of}",
        title=f"{len(kept)} selected",
        ids=lambda: [issue for issue in kept if bridge.issue(issue) is not None],
        holds=lambda issue: True,
        chosen=True,
    )


def list_source(
    bridge: Bridge, ids: Callable[[], Sequence[IssueId]], there: Container[object], of: str
) -> WalkSource:
    """The lines of a list, which goes on following the changes; ``there`` is asked for one of them."""
    return WalkSource(
        key=f"list {of}",
        title=of,
        ids=lambda: [issue for issue in ids() if bridge.issue(issue) is not None],
        holds=lambda issue: issue.id in there,
    )


def board_name(bridge: Bridge) -> str:
    """The board and its milestone, as part of a key."""
    milestone = bridge.board.milestone if bridge.board is not None else None
    return f"{bridge.view.board_id} {milestone or ''}".rstrip()


def filter_source(bridge: Bridge) -> WalkSource:
    """The open issues that the filter shows on the whole board, column by column."""

    def ids() -> list[IssueId]:
        columns = bridge.index.visible() if bridge.index is not None else []
        shown = (cards for cards in columns if cards.column.key != CLOSED)
        return list(dict.fromkeys(issue for cards in shown for issue in cards))

    def holds(issue: Issue) -> bool:
        return bridge.index is not None and any(key != CLOSED for key in bridge.index.keys_of(issue))

    text = bridge.view.text
    return WalkSource(key=f"filter {board_name(bridge)} {text}", title=f"filter {text}", ids=ids, holds=holds)


def column_source(bridge: Bridge, key: str, title: str) -> WalkSource:
    """The cards of a column."""

    def ids() -> list[IssueId]:
        cards = bridge.index.column(key) if bridge.index is not None else None
        return list(cards) if cards is not None else []

    def holds(issue: Issue) -> bool:
        return bridge.index is not None and key in bridge.index.keys_of(issue)

    return WalkSource(key=f"column {board_name(bridge)} {key}", title=title, ids=ids, holds=holds, column=key)


class WalkMemory:
    """The walks that were begun: each in the state file after every step, and the order of the latest."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge

    def of(self, key: str) -> Walk | None:
        """The walk through this source, or None."""
        return self._read(f"{WALKS} {key}", Walk | None, None)

    def keep(self, walk: Walk) -> None:
        """Keep a walk as it is now."""
        latest: list[str] = self._read(WALKS, list[str], [])
        if walk.key not in latest[-1:]:
            order = [*(key for key in latest if key != walk.key), walk.key]
            for oldest in order[:-_KEPT]:
                self._bridge.keep(f"{WALKS} {oldest}", b"")
            self._write(WALKS, order[-_KEPT:])
        self._write(f"{WALKS} {walk.key}", walk)

    def _read(self, key: str, kind: Any, otherwise: T) -> T:
        try:
            found: T = msgspec.msgpack.decode(self._bridge.kept(key) or b"", type=kind)
        except (msgspec.DecodeError, msgspec.ValidationError):
            return otherwise  # none yet, or of another version
        return found

    def _write(self, key: str, value: object) -> None:
        self._bridge.keep(key, msgspec.msgpack.encode(value))
