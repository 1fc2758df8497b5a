"""Keys in the order they were pressed, however fast they come.

A slow line delivers several keys at once. Textual hands each to what has the focus at that moment, before the
first has done anything: of ``c`` and the words of a comment, the words would be commands. So the board takes
its keys at once, and a key for anything else is waited for before the next is looked at.

Owns the line of keys that wait, and nothing of what a key means.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable

from textual import events
from textual.app import App, ScreenStackError
from textual.message_pump import MessagePump

from glboard_tui.screens.board import BoardScreen
from glboard_tui.screens.dialog import Dialog

#: Seconds after which a key that has not come through holds up the others no longer.
_PATIENCE = 0.5


class KeyLine:
    """The keys of an app. ``forward`` is Textual's own way for a key."""

    def __init__(
        self, app: App[int], board: BoardScreen, forward: Callable[[events.Key], Awaitable[None]]
    ) -> None:
        self._app = app
        self._board = board
        self._forward = forward
        self._keys: deque[events.Key] = deque()
        #: Counts the keys on their way, so that a late end of one does not end another.
        self._number = 0
        self._under_way = False

    @property
    def at_rest(self) -> bool:
        """Whether no key waits, and none is on its way."""
        return not self._keys and not self._under_way

    async def put(self, event: events.Key) -> None:
        """One more key."""
        self._keys.append(event)
        await self.go()

    async def go(self) -> None:
        """Look at the keys that wait, as far as that is possible now."""
        while self._keys and not self._under_way:
            try:
                screen = self._app.screen
            except ScreenStackError:
                return
            if isinstance(screen, Dialog) and not screen.is_ready:
                return  # it says when it is
            event = self._keys.popleft()
            if screen is self._board and self._board.takes_keys:
                self._app.app_focus = True
                self._board.take(event)
                continue
            self._under_way = True
            self._number += 1
            await self._forward(event)
            self._follow(self._number)

    def _follow(self, number: int) -> None:
        """Come back when the key has done what it does.

        It goes up from the focused widget to the app, which looks for a binding (``Enter`` of a field is
        one); what that posts goes up once more; a dialog's answer is then called from app or board.
        """
        up: list[MessagePump] = []
        node: MessagePump | None = self._app.focused or self._app.screen
        while node is not None and node is not self._app:
            up.append(node)
            node = node._parent
        up.append(self._app)
        way = [*up, *up, self._board, self._app]

        async def step() -> None:
            while way:
                if way.pop(0).call_later(step):
                    return
            await self._passed(number)

        self._app.set_timer(_PATIENCE, lambda: self._passed(number))
        way.pop(0).call_later(step)

    async def _passed(self, number: int) -> None:
        if self._under_way and number == self._number:
            self._under_way = False
            await self.go()
