"""Quitting the program: unsent changes are sent first, or asked about."""

from __future__ import annotations

from glboard_tui.commands.context import CommandContext
from glboard_tui.drafts import staged_words
from glboard_tui.screens.dialogs import Ask

#: Seconds that quitting waits for GitLab: without an answer, and when told to wait.
_SOON, _LONG = 3.0, 3600.0


class Quitting:
    """Quits the program: unsent changes are sent first; a question meanwhile takes all keys.

    The question is there from the first moment, since a lost connection is noticed only after seconds, and
    keys pressed until then must not reach the board.
    """

    def __init__(self, context: CommandContext) -> None:
        self._context = context
        #: Counts the attempts: Esc ends one, and what it waited for does not quit later.
        self._attempt = 0

    def start(self) -> None:
        """Quit; if changes are unsent, ask, and quit without an answer once they are sent."""
        bridge, status = self._context.bridge, self._context.bridge.status
        if status is None or not status.unsent:
            if bridge.drafts.count and not bridge.keeps:
                self._ask_draft(bridge.drafts.count)
            else:
                self._context.shell.app.exit()
            return
        self._attempt += 1
        self._ask(status.unsent)
        if status.freshness not in ("offline", "signed-out"):
            self._send(_SOON)

    def _ask_draft(self, staged: int) -> None:
        """Of a session that keeps nothing: the draft ends with it."""
        self._context.shell.app.push_screen(
            Ask(
                f"{staged_words(staged)} in the draft; this session cannot save drafts.",
                {"y": "quit and lose them"},
            ),
            self._answered,
        )

    def _ask(self, unsent: int) -> None:
        changes = f"{unsent} changes are" if unsent > 1 else "1 change is"
        later = "sent at the next start" if self._context.bridge.keeps else "lost"
        self._context.shell.app.push_screen(
            Ask(
                f"{changes} not sent to GitLab yet.",
                {"w": "wait until sent, then quit", "y": f"quit now; unsent changes are {later}"},
            ),
            self._answered,
        )

    def _answered(self, answer: str | None) -> None:
        if answer == "y":
            self._context.shell.app.exit()
        elif answer == "w":
            self._context.say("Waiting for GitLab … Quit again to see the options.")
            self._send(_LONG)
        else:
            self._attempt += 1

    def _send(self, seconds: float) -> None:
        self._context.shell.work(self._when_sent(seconds, self._attempt), "quit")

    async def _when_sent(self, seconds: float, attempt: int) -> None:
        unsent = await self._context.bridge.finish(seconds)
        if not unsent and attempt == self._attempt:
            self._context.shell.app.exit()
