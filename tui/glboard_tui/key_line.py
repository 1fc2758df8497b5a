"""The keys that were pressed, in their order, however fast they arrive.

Owns which of them waits for what: a key takes effect before the next one does, what opens takes those
that were typed ahead, and a question takes none that was pressed before it could be seen.
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
    """Handles the keys of an app in the order they were pressed, however fast they arrive.

    ``forward`` is Textual's own handling of a key.
    """

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
        """Whether no key waits, none is on its way, and what is on top takes the next one."""
        return not self._keys and not self._under_way and self._is_open

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
            if not self._is_open:
                return  # it posts a message once it is
            event = self._keys.popleft()
            if isinstance(screen, Dialog) and screen.is_too_early(event):
                continue
            if screen is self._board and self._board.takes_keys:
                self._app.app_focus = True
                self._board.take(event)
                continue
            self._under_way = True
            self._number += 1
            await self._forward(event)
            self._follow(self._number)

    @property
    def _is_open(self) -> bool:
        """Whether what the last key opened takes keys."""
        try:
            screen = self._app.screen
        except ScreenStackError:
            return True
        if screen is self._board:
            return not self._board.dock.is_opening
        return not isinstance(screen, Dialog) or screen.is_ready

    def _follow(self, number: int) -> None:
        """Continue when the key has taken effect.

        It bubbles from the focused widget to the app, which looks for a binding (such as ``Enter`` in a
        field); the message that posts bubbles again; a dialog's result is then called from app or board.
        """
        up: list[MessagePump] = list((self._app.focused or self._app.screen).ancestors_with_self)
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
