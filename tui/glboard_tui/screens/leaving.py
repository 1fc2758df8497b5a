"""Quitting: unsent changes are sent first; if they cannot be sent, a question decides."""

from __future__ import annotations

from glboard_tui.commands.context import CommandContext

#: Seconds that quitting waits for GitLab: without asking, and when told to wait.
_SOON, _LONG = 3.0, 3600.0


class Leaving:
    """Quits the program."""

    def __init__(self, desk: CommandContext) -> None:
        self._desk = desk
        self._under_way = False

    def start(self) -> None:
        """Quit; if changes are unsent, send them first, or ask when offline or already sending."""
        status = self._desk.bridge.status
        if status is None or not status.unsent:
            self._desk.screen.app.exit()
        elif self._under_way or status.freshness in ("offline", "signed-out"):
            self._ask(status.unsent)
        else:
            self._under_way = True
            changes = "1 change" if status.unsent == 1 else f"{status.unsent} changes"
            self._desk.say(f"Sending {changes} before quitting …")
            self._desk.screen.work(self._when_sent(_SOON), "quit")

    def _ask(self, unsent: int) -> None:
        later = (
            "unsent changes are sent at the next start"
            if self._desk.bridge.keeps
            else "unsent changes are lost"
        )
        self._desk.ask(
            f"{unsent} changes are not sent to GitLab yet."
            if unsent > 1
            else "1 change is not sent to GitLab yet.",
            {"w": "wait until sent, then quit", "y": f"quit now; {later}"},
            self._answered,
        )

    def _answered(self, answer: str) -> None:
        if answer == "y":
            self._desk.screen.app.exit()
        else:
            self._under_way = True
            self._desk.say("Waiting for GitLab … Quit again to choose again.")
            self._desk.screen.work(self._when_sent(_LONG), "quit")

    async def _when_sent(self, seconds: float) -> None:
        unsent = await self._desk.bridge.finish(seconds)
        self._under_way = False
        if unsent:
            self._ask(unsent)
        else:
            self._desk.screen.app.exit()
