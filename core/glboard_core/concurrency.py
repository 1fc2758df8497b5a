"""Several things at once, of which the first failure ends the others.

Not ``asyncio.TaskGroup``: before Python 3.13 it loses a cancellation that comes at the same time as a failure
and miscounts its own, so that whoever goes on after failures would never end.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

T = TypeVar("T")


class TaskSet:
    """Tasks that end together, within ``together``."""

    def __init__(self, parent: asyncio.Task[Any]) -> None:
        self._parent = parent
        self._before = parent.cancelling()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._in_body = True
        #: Whether the parent was cancelled here, to end its body, and has not noticed yet.
        self._asked = False
        self.failed: BaseException | None = None

    def create_task(self, work: Coroutine[Any, Any, T], *, name: str | None = None) -> asyncio.Task[T]:
        """Start something that is waited for at the end."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if task.cancelled() or (error := task.exception()) is None or self.failed is not None:
            return
        self.failed = error
        self.abort()
        if self._in_body:
            self._asked = True
            self._parent.cancel()

    def abort(self) -> None:
        """Cancel all that is left."""
        for task in self._tasks:
            task.cancel()

    def is_ours(self) -> bool:
        """Whether a cancellation of the parent came from here only."""
        if not self._asked:
            return False
        self._asked = False
        return self._parent.uncancel() <= self._before

    async def end(self) -> asyncio.CancelledError | None:
        """Wait for all; returns a cancellation from outside, which aborts them."""
        self._in_body, cancelled = False, None
        while self._tasks or self._asked:
            try:
                await (asyncio.wait(set(self._tasks)) if self._tasks else asyncio.sleep(0))
                if not self._tasks and self._asked:
                    # The body has swallowed it: nothing is left to wait for.
                    self.is_ours()
            except asyncio.CancelledError as error:
                if not self.is_ours():
                    cancelled = error
                    self.abort()
        return cancelled


@asynccontextmanager
async def together() -> AsyncIterator[TaskSet]:
    """Start tasks in the body; they are waited for, the first failure cancels the rest, and is raised alone.

    A cancellation from outside counts more than a failure at the same time.
    """
    parent = asyncio.current_task()
    assert parent is not None
    group = TaskSet(parent)
    cancelled: BaseException | None = None
    try:
        yield group
    except asyncio.CancelledError as error:
        cancelled = None if group.is_ours() else error
        group.abort()
    except BaseException:
        group.abort()
        if (late := await group.end()) is not None:
            raise late from None
        raise
    cancelled = await group.end() or cancelled
    if cancelled is not None:
        raise cancelled
    if group.failed is not None:
        raise group.failed
