"""What became of changes that had to wait: made while there was no connection, or left by the last session.

Owns the count from the moment they wait until all that can be sent was answered, and the one line that says
it: a toast for each of twenty keystrokes would bury the one that was refused.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from glboard_core.board.op import Op
from glboard_core.errors import GlboardError
from glboard_tui.bridge import Settled, Status
from glboard_tui.notices import Notice, failures

#: Seconds without a connection that are worth a word when it is back; a dropped request is not.
WORTH = 10.0


class CatchUp:
    """Collects what is settled until nothing waits. ``clock`` counts seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since: float | None = None
        self._left_over = 0
        self._done = 0
        self._failed: list[tuple[Op, GlboardError]] = []

    def left_over(self, count: int) -> None:
        """So many changes of the last session wait."""
        if count:
            self._begin()
            self._left_over = count

    def hear(self, status: Status | None, settled: Sequence[Settled]) -> tuple[bool, Notice | None]:
        """Whether what was settled is told by this, and what is to be said now."""
        if status is None:
            return False, None
        away = status.freshness in ("offline", "signed-out")
        if away and status.unsent and self._since is None:
            self._begin()
        if self._since is None:
            return False, None
        for one in settled:
            self._done += len(one.done)
            self._failed += one.failed
        # What waits for a choice holds back what follows on its issue: nobody waits for that.
        if away or (status.unsent and not status.conflicts):
            return True, None
        return True, self._end(status.conflicts)

    def _begin(self) -> None:
        if self._since is None:
            self._since = self._clock()
            self._left_over, self._done, self._failed = 0, 0, []

    def _end(self, conflicts: int) -> Notice | None:
        since, self._since = self._since, None
        long = since is not None and self._clock() - since >= WORTH
        title = "Of the last session" if self._left_over else "Back online"
        if self._failed:
            notice = failures("", self._failed, self._done)
            sent = f"{self._done} sent, {len(self._failed)} refused"
            return Notice(
                title=f"{title}: {sent}", message=notice.message, hint=notice.hint, severity="error"
            )
        if not self._done or not (long or self._left_over):
            return None
        changes = "1 change was sent" if self._done == 1 else f"{self._done} changes were sent"
        waiting = f"; {conflicts} waits for your choice (! m, ! t)" if conflicts else ""
        return Notice(title="", message=f"{title}: {changes}{waiting}.")
