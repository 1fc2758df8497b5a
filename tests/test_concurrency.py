"""Several things at once: the first failure is raised alone, and a cancellation is never lost for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest

from glboard_core.concurrency import TaskSet, together
from glboard_core.errors import Offline


async def fails() -> None:
    await asyncio.sleep(0)
    raise Offline("Gone.")


async def waits() -> None:
    await asyncio.Event().wait()


async def nothing(_: TaskSet) -> None:
    """The failure comes when all are waited for."""


async def forever(_: TaskSet) -> None:
    """It comes in the body."""
    await waits()


@pytest.mark.parametrize("body", [nothing, forever])
async def test_the_first_failure_is_raised_alone_and_leaves_no_trace(
    body: Callable[[TaskSet], Awaitable[None]],
) -> None:
    task = asyncio.current_task()
    assert task is not None
    others: list[asyncio.Task[None]] = []

    async def run() -> None:
        async with together() as group:
            others.append(group.create_task(waits()))
            group.create_task(fails())
            await body(group)

    with pytest.raises(Offline, match="Gone"):
        await run()
    assert [one.cancelled() for one in others] == [True]
    assert task.cancelling() == 0
    await asyncio.sleep(0)


async def test_a_body_that_swallows_the_cancellation_does_not_wait_forever() -> None:
    async def run() -> None:
        async with together() as group:
            group.create_task(fails())
            with suppress(asyncio.CancelledError):
                await waits()

    async with asyncio.timeout(10):
        with pytest.raises(Offline, match="Gone"):
            await run()


async def test_an_error_in_the_body_ends_the_tasks() -> None:
    others: list[asyncio.Task[None]] = []

    async def run() -> None:
        async with together() as group:
            others.append(group.create_task(waits()))
            raise ValueError("Wrong.")

    with pytest.raises(ValueError, match="Wrong"):
        await run()
    assert [one.cancelled() for one in others] == [True]


async def test_results_are_there_at_the_end() -> None:
    async def two() -> int:
        await asyncio.sleep(0)
        return 2

    async with together() as group:
        found = [group.create_task(two()) for _ in range(3)]
    assert [one.result() for one in found] == [2, 2, 2]


async def fails_at_its_end() -> None:
    try:
        await waits()
    finally:
        raise Offline("Gone.")


@pytest.mark.parametrize("work", [waits, fails_at_its_end])
@pytest.mark.parametrize("body", [nothing, forever])
async def test_a_cancellation_is_not_lost_for_a_failure_at_the_same_time(
    work: Callable[[], Awaitable[None]], body: Callable[[TaskSet], Awaitable[None]]
) -> None:
    started = asyncio.Event()

    async def starts() -> None:
        started.set()
        await work()

    async def goes_on() -> None:
        """As whoever polls: a failure is no reason to stop."""
        while True:
            try:
                async with together() as group:
                    group.create_task(starts())
                    await body(group)
            except Offline:
                await asyncio.sleep(0)

    task = asyncio.create_task(goes_on())
    await started.wait()
    task.cancel()
    done, _ = await asyncio.wait({task}, timeout=10)
    assert done == {task}
    assert task.cancelled()


async def test_a_failure_and_a_cancellation_in_one_turn_of_the_loop() -> None:
    ready = asyncio.Event()

    async def fails_then() -> None:
        await ready.wait()
        raise Offline("Gone.")

    async def run() -> None:
        async with together() as group:
            group.create_task(fails_then())
            await waits()

    task = asyncio.create_task(run())
    await asyncio.sleep(0)
    ready.set()
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task}, timeout=10)
    assert task.cancelled()
