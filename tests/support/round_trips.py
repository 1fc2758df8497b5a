"""Counts requests and round trips: requests that wait for the answer to another one."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from msgspec import json

from glboard_core.gitlab.gateway import GitLabGateway


class RoundTrips:
    """What a gateway sent since the last ``clear``: names of operations, and after how many round trips."""

    def __init__(self, gateway: GitLabGateway) -> None:
        self.sent: list[tuple[str, int]] = []
        self._answered = 0
        transport = gateway._transport
        for name in ("read", "write", "get"):
            setattr(transport, name, self._counted(getattr(transport, name)))

    def clear(self) -> None:
        """Start again from nothing."""
        self.sent.clear()
        self._answered = 0

    @property
    def names(self) -> list[str]:
        """The operations, in order."""
        return [name for name, _ in self.sent]

    def trip(self, operation: str) -> int:
        """In which round trip the operation was sent first, from 1 on."""
        return next(trip for name, trip in self.sent if name == operation)

    def _counted(self, send: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
        async def counted(what: Any, *args: Any, **more: Any) -> Any:
            trip = self._answered + 1
            self.sent.append((_operation(what), trip))
            try:
                return await send(what, *args, **more)
            finally:
                self._answered = max(self._answered, trip)

        return counted


def _operation(what: Any) -> str:
    if isinstance(what, str):
        return what.partition("?")[0].rpartition("/")[2]
    name: str = json.decode(what)["query"].split("(")[0].split("{")[0].split()[1]
    return name
