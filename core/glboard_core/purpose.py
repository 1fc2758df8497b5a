"""What requests to the server are for: whether a person waits for them, and how they are counted.

Owns the names of the purposes, and the one that applies to the running task and the tasks it starts. Whoever
begins an act names its purpose; the connection to the server reads it. It limits and counts nothing itself.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, Literal, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

#: ``change``: writing, with the reads before and after; ``poll``: what changed; ``load``: the whole scope;
#: ``reconcile``: what polls miss; ``live``: live events, and the cards they name; ``history``: events of
#: issues; ``requests``: merge requests of the cards in view; ``read``: anything else, such as a board.
Purpose = Literal["change", "poll", "load", "reconcile", "live", "history", "requests", "read"]

#: No person waits for these: they yield to all others.
BACKGROUND: frozenset[Purpose] = frozenset({"load", "reconcile", "live", "history", "requests"})

_current: ContextVar[Purpose | None] = ContextVar("purpose", default=None)


def current() -> Purpose:
    """The purpose of the running task; ``read`` if none was named."""
    return _current.get() or "read"


@contextmanager
def requests_for(purpose: Purpose) -> Iterator[None]:
    """Requests made inside are for this purpose, also those of tasks started inside.

    The outermost purpose stays: what is read in order to write is part of writing.
    """
    token = _current.set(_current.get() or purpose)
    try:
        yield
    finally:
        _current.reset(token)


def with_purpose(
    purpose: Purpose,
) -> Callable[[Callable[P, Coroutine[Any, Any, R]]], Callable[P, Coroutine[Any, Any, R]]]:
    """Requests of the decorated coroutine function are for this purpose."""

    def decorate(method: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, Coroutine[Any, Any, R]]:
        @wraps(method)
        async def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
            with requests_for(purpose):
                return await method(*args, **kwargs)

        return wrapped

    return decorate
