"""Counts requests and round trips: requests that wait for the answer to another one."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

from msgspec import json

from glboard_core.gitlab.gateway import GitLabGateway
from glboard_core.gitlab.http import Transport

_METHODS = ("read", "write", "get")


class RoundTrips:
    """What a gateway sent since the last ``clear``: names of operations, and after how many round trips.

    Without a gateway, what ``counted_everywhere`` lets it see.
    """

    def __init__(self, gateway: GitLabGateway | None = None) -> None:
        self.sent: list[tuple[str, int]] = []
        self._answered = 0
        if gateway is not None:
            transport = gateway._transport
            for name in _METHODS:
                setattr(transport, name, self._counted(getattr(transport, name)))

    def clear(self) -> None:
        """Start again from nothing."""
        self.sent.clear()
        self._answered = 0

    @property
    def trips(self) -> int:
        """How many round trips have been answered."""
        return self._answered

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


@contextmanager
def counted_everywhere() -> Iterator[RoundTrips]:
    """Count what all connections send that are opened inside, also before there is an engine."""
    trips = RoundTrips()
    before = {name: getattr(Transport, name) for name in _METHODS}

    def of(send: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
        async def method(self: Transport, what: Any, *args: Any, **more: Any) -> Any:
            async def bound(what: Any, *args: Any, **more: Any) -> Any:
                return await send(self, what, *args, **more)

            return await trips._counted(bound)(what, *args, **more)

        return method

    for name, send in before.items():
        setattr(Transport, name, of(send))
    try:
        yield trips
    finally:
        for name, send in before.items():
            setattr(Transport, name, send)


def _operation(what: Any) -> str:
    if isinstance(what, str):
        return what.partition("?")[0].rpartition("/")[2]
    name: str = json.decode(what)["query"].split("(")[0].split("{")[0].split()[1]
    return name
