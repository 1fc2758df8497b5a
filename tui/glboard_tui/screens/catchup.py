"""The result of changes that waited: made while offline, or left unsent by the last session.

Owns the count from the moment they wait until GitLab has replied to all that can be sent, and the one line
that reports it: a toast for each of twenty keystrokes would bury the one that was rejected.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from glboard_core.board.operations import Op
from glboard_core.errors import GlboardError
from glboard_tui.bridge import Settled, Status
from glboard_tui.notices import Notice, failures

#: Seconds offline after which reconnecting is reported; a dropped request is not.
WORTH = 10.0


class CatchUp:
    """Collects settled changes until none waits. ``clock`` counts seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since: float | None = None
        self._left_over = 0
        self._done = 0
        self._failed: list[tuple[Op, GlboardError]] = []

    def left_over(self, count: int) -> None:
        """Note how many changes of the last session are unsent."""
        if count:
            self._begin()
            self._left_over = count

    def hear(self, status: Status | None, settled: Sequence[Settled]) -> tuple[bool, Notice | None]:
        """Return whether this reports the settled changes, and the notice to show now."""
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
        # A conflict holds back later changes of its issue; the report does not wait for those.
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
        title = "From the last session" if self._left_over else "Back online"
        if self._failed:
            notice = failures("", self._failed, self._done)
            sent = f"{self._done} sent, {len(self._failed)} rejected"
            return Notice(
                title=f"{title}: {sent}", message=notice.message, hint=notice.hint, severity="error"
            )
        if not self._done or not (long or self._left_over):
            return None
        changes = "1 change sent" if self._done == 1 else f"{self._done} changes sent"
        one = "1 conflict" if conflicts == 1 else f"{conflicts} conflicts"
        waiting = f"; {one} to resolve (! m, ! t)" if conflicts else ""
        return Notice(title="", message=f"{title}: {changes}{waiting}.")
