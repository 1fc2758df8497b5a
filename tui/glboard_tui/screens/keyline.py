"""Handles keys in the order they were pressed, however fast they arrive.

A slow connection delivers several keys at once. Textual sends each to the widget focused at that moment,
before the first has any effect: after ``c``, the letters of a comment would be commands. So the board takes
its keys at once, and any other key must finish before the next one is handled.

Owns the queue of waiting keys; it does not know what a key means.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable

from textual import events
from textual.app import App, ScreenStackError
from textual.message_pump import MessagePump

from glboard_tui.screens.board import BoardScreen
from glboard_tui.screens.dialogs import Dialog

#: Seconds after which an unfinished key no longer holds up the others.
_PATIENCE = 0.5


class KeyLine:
    """The keys of an app. ``forward`` is Textual's own handling of a key."""

    def __init__(
        self, app: App[int], board: BoardScreen, forward: Callable[[events.Key], Awaitable[None]]
    ) -> None:
        self._app = app
        self._board = board
        self._forward = forward
        self._keys: deque[events.Key] = deque()
        #: Numbers the keys in progress, so that a late end of one does not end another.
        self._number = 0
        self._under_way = False

    @property
    def at_rest(self) -> bool:
        """Whether no key waits, and none is on its way."""
        return not self._keys and not self._under_way

    async def put(self, event: events.Key) -> None:
        """Add a key."""
        self._keys.append(event)
        await self.go()

    async def go(self) -> None:
        """Handle the waiting keys, as far as possible now."""
        while self._keys and not self._under_way:
            try:
                screen = self._app.screen
            except ScreenStackError:
                return
            if isinstance(screen, Dialog) and not screen.is_ready:
                return  # it posts a message once it is
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
        """Continue when the key has taken effect.

        It bubbles from the focused widget to the app, which looks for a binding (such as ``Enter`` in a
        field); the message that posts bubbles again; a dialog's result is then called from app or board.
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
