"""Toasts that appear by themselves: failures, warnings, why there is no connection. Each appears once."""

from __future__ import annotations

import time
from typing import Any

from textual.app import App

from glboard_tui import notices
from glboard_tui.bridge import Bridge, Update
from glboard_tui.screens import theirs
from glboard_tui.screens.catchup import CatchUp

#: Seconds in which the same error is not repeated: the header shows it all the time.
QUIET = 60.0


class News:
    """Shows the toasts and remembers which were shown."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._said: set[str] = set()
        #: Ongoing errors, and when each was last shown.
        self._standing: set[str] = set()
        self._told_at: dict[str, float] = {}
        self._waited = CatchUp()
        self._engine: object = None

    def tell(self, app: App[Any], update: Update) -> None:
        """Show what came with an update: the engine's notices, failed changes, a lost connection."""
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
            # The header keeps showing the state; the hint is shown once.
            notices.tell(app, notices.notice_of(status.error))

    def warn(self, app: App[Any]) -> None:
        """Warn of names this board could not resolve, and of what this server or token cannot do."""
        board, catalog = self._bridge.board, self._bridge.catalog
        fresh = [text for text in (board.warnings if board else ()) if self._first_time(text)]
        if catalog is not None and not catalog.server.has_weight and self._first_time("weights"):
            fresh.append("GitLab Community Edition: no weights and no blocked issues.")
        if not self._bridge.writable and self._first_time("read-only"):
            fresh.append("Read-only session: changes are disabled.")
        if fresh:
            notices.say(app, notices.warnings_text(fresh), title="Please note", severity="warning")

    def _is_news(self, error: str) -> bool:
        """Whether an error is new and was not shown recently: an unstable connection must not repeat it."""
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
