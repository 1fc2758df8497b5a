"""What is said without being asked: failures, warnings, why there is no connection. Each once."""

from __future__ import annotations

import time
from typing import Any

from textual.app import App

from glboard_tui import notices
from glboard_tui.bridge import Bridge, Update
from glboard_tui.screens import theirs
from glboard_tui.screens.catchup import CatchUp

#: Seconds in which the same trouble is not said again: the header says it all the time.
QUIET = 60.0


class News:
    """Remembers what was said already."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._said: set[str] = set()
        #: Errors that hold on, and when each was said last.
        self._standing: set[str] = set()
        self._told_at: dict[str, float] = {}
        self._waited = CatchUp()
        self._engine: object = None

    def tell(self, app: App[Any], update: Update) -> None:
        """What came with an update: the engine's notices, what was refused, a connection that is lost."""
        for text in update.notices:
            notices.say(app, text)
        if update.left:
            words = theirs.left_words(update.left, me=self._bridge.me, mask=self._bridge.mask)
            notices.say(app, words)
        if self._bridge.engine is not self._engine:
            self._engine = self._bridge.engine
            self._waited.left_over(self._bridge.left_over)
        told, summary = self._waited.hear(self._bridge.status, update.settled)
        if summary is not None:
            notices.tell(app, summary)
        for settled in update.settled:
            if settled.failed and not told:
                notices.tell(app, notices.failures(settled.title, settled.failed, len(settled.done)))
        status = self._bridge.status
        if not update.status or status is None:
            return
        if status.error is None:
            self._standing.clear()
        elif self._bridge.index is not None and self._is_news(type(status.error).__name__):
            # The header goes on saying so; what to do is said once.
            notices.tell(app, notices.notice_of(status.error))

    def warn(self, app: App[Any]) -> None:
        """What could not be resolved on this board, and what this server or token cannot do."""
        board, catalog = self._bridge.board, self._bridge.catalog
        fresh = [text for text in (board.warnings if board else ()) if self._first_time(text)]
        if catalog is not None and not catalog.server.has_weight and self._first_time("weights"):
            fresh.append("This GitLab is the Community Edition: it has no weights and no blocked issues.")
        if not self._bridge.writable and self._first_time("read-only"):
            fresh.append("Read-only: nothing can be changed.")
        if fresh:
            notices.say(app, notices.warnings_text(fresh), title="Please note", severity="warning")

    def _is_news(self, error: str) -> bool:
        """Whether an error has just begun, and was not said a moment ago: a shaky line is no news."""
        if error in self._standing:
            return False
        self._standing.add(error)
        now = time.monotonic()
        if now - self._told_at.get(error, float("-inf")) < QUIET:
            return False
        self._told_at[error] = now
        return True

    def _first_time(self, text: str) -> bool:
        if text in self._said:
            return False
        self._said.add(text)
        return True
