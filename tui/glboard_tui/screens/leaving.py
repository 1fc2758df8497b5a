"""Leaving: what is held back is sent first, and what cannot be sent is asked about."""

from __future__ import annotations

from glboard_tui.screens.desk import Desk

#: Seconds in which leaving waits for GitLab: without asking, and when told to.
_SOON, _LONG = 3.0, 3600.0


class Leaving:
    """The way out of the program."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._under_way = False

    def start(self) -> None:
        """Leave, or ask where something has not reached GitLab; while it is being sent, ask at once."""
        status = self._desk.bridge.status
        if status is None or not status.unsent:
            self._desk.screen.app.exit()
        elif self._under_way or status.freshness in ("offline", "signed-out"):
            self._ask(status.unsent)
        else:
            self._under_way = True
            self._desk.say(f"Sending {status.unsent} …, then it quits.")
            self._desk.screen.work(self._when_sent(_SOON), "quit")

    def _ask(self, unsent: int) -> None:
        later = (
            "what is unsent goes out at the next start"
            if self._desk.bridge.keeps
            else "what is unsent is lost"
        )
        self._desk.ask(
            f"{unsent} changes have not reached GitLab yet."
            if unsent > 1
            else "One change has not reached GitLab yet.",
            {"w": "wait until it has, then quit", "y": f"quit now; {later}"},
            self._answered,
        )

    def _answered(self, answer: str) -> None:
        if answer == "y":
            self._desk.screen.app.exit()
        else:
            self._under_way = True
            self._desk.say("Waiting for GitLab …; quitting again asks again.")
            self._desk.screen.work(self._when_sent(_LONG), "quit")

    async def _when_sent(self, seconds: float) -> None:
        unsent = await self._desk.bridge.finish(seconds)
        self._under_way = False
        if unsent:
            self._ask(unsent)
        else:
            self._desk.screen.app.exit()
