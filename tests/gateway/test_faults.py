"""Network faults over a real socket: nothing is lost, nothing is done twice, nothing blocks."""

from __future__ import annotations

import asyncio
import time

import pytest
from msgspec import structs

from gateway.worlds import NAMES, NEEDS, QUICK, LoadedGateway, errors, everything, gateway, make
from glboard_core.board.operations import Comment, Create, DeleteNote, Edit
from glboard_core.demo.http.server import DemoServer
from glboard_core.errors import (
    AuthError,
    EditUnknown,
    GlboardError,
    NotGitLab,
    Offline,
    RateLimited,
    ServerFailed,
    TimedOut,
    TokenRejected,
)
from glboard_core.model.query import IssueQuery
from glboard_core.ports import Done, Failed

#: Times out on a silent server at once.
HASTY = structs.replace(QUICK, read=0.2, total=1.0)


FAULTS = ["500", "502", "503", "html", "reset-before", "reset-after", "partial", "drip"]


async def ticks(done: asyncio.Event) -> int:
    """How often another task runs until ``done``."""
    count = 0
    while not done.is_set():
        await asyncio.sleep(0.005)
        count += 1
    return count


@pytest.mark.slow
async def test_a_rate_limit_does_not_block_the_loop(server: DemoServer) -> None:
    server.faults.next("429", "Issues")
    done = asyncio.Event()
    async with gateway(server) as one:
        ticking = asyncio.create_task(ticks(done))
        started = time.monotonic()
        assert len(await everything(one)) == 8
        waited = time.monotonic() - started
        done.set()
        # If a second's wait blocked the loop, only a handful would be left; a busy machine leaves dozens.
        assert await ticking > 20
    assert waited >= 1.0
    assert len(server.requests.of("Issues")) == 2


@pytest.mark.slow
async def test_a_rate_limit_pauses_all_requests(server: DemoServer) -> None:
    async with gateway(server) as one:
        catalog = await one.catalog(NAMES)
        server.requests.clear()
        server.faults.next("429", "Issues")
        first = asyncio.create_task(everything(one))
        while one._transport._gate <= time.monotonic():
            await asyncio.sleep(0)
        started = time.monotonic()
        await one.extend_catalog(catalog, NEEDS)
        assert time.monotonic() - started > 0.8
        await first
    assert [record.status for record in server.requests].count(429) == 1


async def test_a_long_rate_limit_is_reported_at_once(server: DemoServer) -> None:
    server.faults.retry_after = 1800
    server.faults.next("429")
    async with gateway(server) as one:
        with pytest.raises(RateLimited) as caught:
            await everything(one)
        assert 1700 < caught.value.retry_after < 1900
        # And no request is sent until it is over.
        with pytest.raises(RateLimited):
            await everything(one)
    assert len(server.requests) == 1


@pytest.mark.slow
async def test_a_rate_limit_delays_a_change_without_duplicating_it(context: LoadedGateway) -> None:
    context.server.faults.next("429", "createNote")
    outcomes = await context.send(context.op("top/app#1", Comment(body="Once")))
    assert errors(outcomes) == [None]
    assert len(context.world.issue("top/app#1").notes or ()) == 1
    assert context.sent() == 2


@pytest.mark.parametrize(
    "fault", ["500", "502", "503", "html", "reset-before", "reset-after", "partial", "drip"]
)
async def test_a_read_is_retried(server: DemoServer, fault: str) -> None:
    server.faults.slow_seconds = 0.1
    server.faults.next(fault, "Issues", times=2)
    async with gateway(server) as one:
        assert len(await everything(one)) == 8


@pytest.mark.parametrize(
    ("fault", "error"),
    [("500", ServerFailed), ("502", ServerFailed), ("html", ServerFailed), ("reset-before", Offline)],
)
async def test_a_read_gives_up_eventually(server: DemoServer, fault: str, error: type[GlboardError]) -> None:
    async with gateway(server) as one:
        await one.catalog(NAMES)
        server.faults.next(fault, "Issues", times=99)
        with pytest.raises(error) as caught:
            await everything(one)
        assert caught.value.may_pass
        server.faults.clear()
        assert len(await everything(one)) == 8


async def test_a_heavy_page_is_split_into_smaller_ones() -> None:
    async with DemoServer(make(issues=120)) as server, gateway(server) as one:
        server.faults.next("503", "Issues", times=2)
        assert len(await everything(one)) == 122
        # Remembered: pages of 50 from now on.
        server.requests.clear()
        assert len(await everything(one)) == 122
        assert len(server.requests) == 3


@pytest.mark.parametrize("fault", ["timeout", "drip"])
async def test_a_silent_or_endless_answer_times_out(server: DemoServer, fault: str) -> None:
    server.faults.slow_seconds = 60
    limits = structs.replace(HASTY, read=0.2 if fault == "timeout" else 30.0, total=0.3, attempts=2)
    async with gateway(server, limits=limits) as one:
        server.faults.next(fault, "Meta", times=9)
        started = time.monotonic()
        with pytest.raises(TimedOut):
            await one.catalog(NAMES)
        assert time.monotonic() - started < 3


async def test_a_slow_answer_is_waited_for(server: DemoServer) -> None:
    server.faults.slow_seconds = 0.3
    server.faults.next("slow", "Issues")
    async with gateway(server) as one:
        assert len(await everything(one)) == 8
    assert len(server.requests.of("Issues")) == 1


@pytest.mark.parametrize(
    ("fault", "made"),
    [
        ("reset-before", False),
        ("reset-after", True),
        ("timeout", False),
        ("html", False),
        ("500", False),
        ("503", False),
        ("partial", True),
        ("drip", True),
    ],
)
async def test_a_lost_answer_is_unknown_and_never_sent_twice(
    server: DemoServer, fault: str, made: bool
) -> None:
    server.faults.slow_seconds = 60
    limits = structs.replace(HASTY, total=0.4)
    context = await LoadedGateway(server, limits=limits).open()
    async with context.gateway:
        server.faults.next(fault, "updateIssue")
        error = await context.fail("top/app#1", Edit(weight=8))
        assert isinstance(error, EditUnknown)
        assert context.sent() == 1
        # Reading tells the outcome.
        issue = context.issue("top/app#1")
        assert ((await context.gateway.read([issue.id]))[issue.id].weight == 8) == made


async def test_only_the_unknown_part_of_a_document_is_unknown(context: LoadedGateway) -> None:
    context.server.faults.next("partial", "updateIssue")
    ops = [context.op(f"top/app#{n}", Edit(weight=8)) for n in (1, 2, 3)]
    assert errors(await context.send(*ops)) == [None, None, EditUnknown]


@pytest.mark.parametrize(("fault", "error"), [("401", TokenRejected), ("403", AuthError)])
async def test_nothing_sent_is_raised(context: LoadedGateway, fault: str, error: type[GlboardError]) -> None:
    context.server.faults.next(fault, "updateIssue")
    with pytest.raises(error):
        await context.fail("top/app#1", Edit(weight=8))
    assert context.world.issue("top/app#1").weight != 8


async def test_a_token_that_expires_midway() -> None:
    async with DemoServer(make(issues=60)) as server:
        context = await LoadedGateway(server).open()
        async with context.gateway:
            server.faults.next("401", "updateIssue", skip=1, times=9)
            ops = [context.op(f"top/app#{n}", Edit(weight=8)) for n in range(1, 61)]
            found = errors(await context.send(*ops))
            assert found.count(None) == 10
            assert found.count(TokenRejected) == 50
            changed = sum(context.world.issue(f"top/app#{n}").weight == 8 for n in range(1, 61))
            assert changed == 10


async def test_a_token_that_expires_while_pages_are_read() -> None:
    async with DemoServer(make(issues=150)) as server, gateway(server) as one:
        pages = one.pages(IssueQuery())
        await anext(pages)
        server.expire(server.token)
        with pytest.raises(TokenRejected):
            await anext(pages)


async def test_changes_after_a_lost_one_wait(context: LoadedGateway) -> None:
    # More changes to one issue than fit into one document: if the later ones were sent, a retry of the lost
    # one would overwrite them.
    context.server.faults.next("reset-before", "updateIssue")
    ops = [context.op("top/app#1", Edit(weight=n)) for n in range(30)]
    ops.append(context.op("top/app#1", Comment(body="After it")))
    outcomes = await context.send(*ops)
    found = errors(outcomes)
    assert found[:10] == [EditUnknown] * 10
    assert found[10:] == [Offline] * 21
    assert context.sent() == 1
    assert not context.world.issue("top/app#1").notes


async def test_a_server_that_is_gone(server: DemoServer) -> None:
    context = await LoadedGateway(server).open()
    async with context.gateway:
        await asyncio.to_thread(server.stop)
        started = time.monotonic()
        with pytest.raises(Offline, match="refused"):
            await context.send(context.op("top/app#1", Edit(weight=8)))
        with pytest.raises(Offline):
            await everything(context.gateway)
        assert time.monotonic() - started < 3
        await asyncio.to_thread(server.start)
        assert (await context.do("top/app#1", Edit(weight=8))).weight == 8


async def test_cancelling_leaves_nothing_behind(server: DemoServer) -> None:
    context = await LoadedGateway(server).open()
    async with context.gateway:
        server.faults.next("timeout", "updateIssue")
        sending = asyncio.create_task(context.send(context.op("top/app#1", Edit(weight=8))))
        while not server.requests.of("updateIssue"):
            await asyncio.sleep(0)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        assert (await context.do("top/app#1", Edit(weight=9))).weight == 9


@pytest.mark.parametrize(("fault", "made"), [("reset-before", False), ("reset-after", True)])
async def test_a_new_issue_whose_answer_is_lost_is_found_by_its_marker(
    context: LoadedGateway, fault: str, made: bool
) -> None:
    context.server.faults.next(fault, "createIssue")
    now = context.gateway.now()
    create = structs.replace(context.op("new:1", Create(project="top/app", title="Lost")), at=now)
    follow = context.op("new:1", Edit(weight=3))
    outcomes = await context.send(create, follow)
    assert errors(outcomes) == [EditUnknown, Offline]
    context.world.create("top/app", "Lost", by="eng_1")
    found = await context.gateway.created_by(create)
    assert (found is not None) == made
    if found is not None:
        assert (found.title, found.reference) == ("Lost", "top/app#7")
        assert (await context.gateway.detail(found.id)).op == create.id
    assert await context.gateway.created_by(follow) is None


@pytest.mark.parametrize(("fault", "made"), [("reset-before", False), ("reset-after", True)])
async def test_a_comment_whose_answer_is_lost_is_found_by_its_marker(
    context: LoadedGateway, fault: str, made: bool
) -> None:
    context.server.faults.next(fault, "createNote")
    op = context.op("top/app#1", Comment(body="Lost"))
    assert errors(await context.send(op)) == [EditUnknown]
    for n in range(130):
        context.world.comment("top/app#1", f"Later {n}", by="eng_1")
    note = await context.gateway.note_of(op.issue, op.id)
    assert (note is not None) == made
    if note is not None:
        await context.do("top/app#1", DeleteNote(of=op.id, note=note))
        assert await context.gateway.note_of(op.issue, op.id) is None


async def test_another_server_at_the_address(server: DemoServer) -> None:
    async with gateway(server) as one:
        wrong = structs.replace(one.account, url=f"{server.url}/not/here")
    from glboard_core.gitlab.gateway import GitLabGateway

    async with GitLabGateway(wrong, "top", limits=QUICK) as other:
        with pytest.raises(NotGitLab) as caught:
            await other.catalog(NAMES)
    assert "Correct the path" in caught.value.hint


async def test_random_faults_end_well() -> None:
    faults = "429:0.02,500:0.05,502:0.05,reset-before:0.05,reset-after:0.05,html:0.05,partial:0.05"
    async with DemoServer(make(issues=40)) as server:
        context = await LoadedGateway(server).open()
        server.faults = type(server.faults).parse(faults, seed=7)
        server._gate.faults = server.faults
        async with context.gateway:
            left = [context.op(f"top/app#{n}", Edit(weight=11)) for n in range(1, 41)]
            for _ in range(40):
                outcomes = await context.send(*left)
                assert all(isinstance(one, Done) or isinstance(one.error, EditUnknown) for one in outcomes)
                left = [op for op, one in zip(left, outcomes, strict=True) if isinstance(one, Failed)]
                if not left:
                    break
            assert not left
        assert all(context.world.issue(f"top/app#{n}").weight == 11 for n in range(1, 41))
