"""Merge requests of the cards in view: read together, kept, and read again when it is worth it."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import structs

from glboard_core.board.operations import Edit, Link
from glboard_core.demo.http.server import DemoServer
from glboard_core.demo.world.records import MergeRequest
from glboard_core.model.issue import IssueId
from glboard_core.ports import Store
from glboard_core.sync.events import ReadsChanged
from support.engines import HASTE, ME, Session, build_world, session

ASKED = "ClosingMergeRequests"
#: The view rests for a moment; what is read is old at once, or never.
QUICK = structs.replace(HASTE, view_rest=0.01, requests_wait=0.01)
OLD = structs.replace(QUICK, requests_age=0.0, settled_requests_age=3_600.0)


def give(server: DemoServer, name: str, *requests: MergeRequest) -> None:
    server.world.issue(f"top/{name}").merge_requests = list(requests)


def one(server: DemoServer, iid: int, **fields: object) -> MergeRequest:
    return MergeRequest(iid=iid, project=server.world.project("top/app"), title=f"Merge {iid}", **fields)  # type: ignore[arg-type]


def look(at: Session, names: Iterable[str]) -> list[IssueId]:
    ids = [at.issue(name).id for name in names]
    at.engine.watcher.touch()
    at.engine.in_view(ids)
    return ids


def states(at: Session, issue: IssueId) -> list[tuple[str, str]]:
    return [(request.number, request.state) for request in at.engine.merge_requests.of(issue)]


async def test_those_in_view_are_read_with_one_request_and_kept(server: DemoServer, store: Store) -> None:
    give(server, "app#1", one(server, 5, draft=True), one(server, 4, state="merged"))
    give(server, "app#2", one(server, 6, pipeline="FAILED"))
    give(server, "app#3", one(server, 7))
    async with session(server, store, timing=QUICK) as at:
        first, second, _ = look(at, ["app#1", "app#2", "app#9"])
        await at.until(lambda: bool(states(at, second)))
        assert states(at, first) == [("!5", "opened"), ("!4", "merged")]
        assert at.engine.merge_requests.of(second)[0].is_failing
        assert len(server.requests.of(ASKED)) == 1
        assert {issue for told in at.told(ReadsChanged) for issue in told.issues} == {first, second}
        # What is not in view is not asked for.
        assert not states(at, at.issue("app#3").id)
    server.requests.clear()
    async with session(server, store, timing=QUICK) as at:
        look(at, ["app#1", "app#2"])
        await at.until(lambda: bool(states(at, first)))
        assert server.requests.of(ASKED) == []


async def test_they_are_read_again_while_one_is_open(server: DemoServer, store: Store) -> None:
    merged = one(server, 5)
    give(server, "app#1", merged)
    async with session(server, store, timing=OLD) as at:
        [first] = look(at, ["app#1"])
        await at.until(lambda: states(at, first) == [("!5", "opened")])
        # Nothing of the issue tells.
        merged.state = "merged"
        await at.until(lambda: states(at, first) == [("!5", "merged")])
        server.requests.clear()
        at.engine.merge_requests.touch()
        await at.refreshed()
        assert server.requests.of(ASKED) == []


async def test_a_server_that_cannot_tell_is_no_failure(store: Store) -> None:
    async with DemoServer(build_world(version="16.8")) as old:
        give(old, "app#1", one(old, 5))
        async with session(old, store, timing=QUICK) as at:
            [first] = look(at, ["app#1"])
            at.edit("app#1", weight=5)
            await at.settled()
            assert states(at, first) == []


async def test_label_events_are_read_once_and_seen_after_that(server: DemoServer, store: Store) -> None:
    server.world.edit("top/app#1", by="eng_1", add_labels=["workflow::in dev"])
    server.world.clock.advance(200)
    async with session(server, store, timing=QUICK) as at:
        events = at.engine.label_events
        issue = at.issue("app#1")
        read = await events.read(issue)
        assert read is not None
        assert [(event.value, event.by) for event in read.events if event.value == "workflow::in dev"] == [
            ("workflow::in dev", "eng_1")
        ]
        server.requests.clear()
        assert await events.read(issue) == read
        assert list(server.requests.of("resource_label_events")) == []
        events.saw([(issue, ["workflow::in review"])])
        known = events.of(issue.id)
        assert known is not None
        assert set(known.seen) == {"workflow::in review"}
    async with session(server, store, timing=QUICK) as at:
        look(at, ["app#1"])
        assert at.engine.label_events.of(issue.id) == known


async def test_the_other_end_of_a_link_is_read_again(server: DemoServer, store: Store) -> None:
    async with session(server, store, timing=QUICK) as at:
        other = at.issue("app#2")
        at.do("app#1", Link(other=other.id, reference=other.reference, kind="blocks"))
        await at.settled()
        await at.until(lambda: at.issue("app#2").blocked)
        assert at.engine.undoing.undo() is not None
        await at.settled()
        await at.until(lambda: not at.issue("app#2").blocked)
        assert at.engine.failed == []


async def test_a_link_that_is_there_already_is_no_failure(server: DemoServer, store: Store) -> None:
    async with session(server, store, timing=QUICK) as at:
        other = at.issue("app#2")
        server.world.link("top/app#1", "top/app#2", "is_blocked_by", by=ME)
        at.do("app#1", Link(other=other.id, reference=other.reference))
        await at.settled()
        assert at.engine.failed == []
        assert at.issue("app#1").blocked


async def test_two_texts_of_one_description_are_no_conflict(server: DemoServer, store: Store) -> None:
    server.world.edit("top/app#1", by=ME, description="- [ ] a\n- [ ] b\n")
    async with session(server, store, timing=QUICK) as at:
        first, second = "- [x] a\n- [ ] b\n", "- [x] a\n- [x] b\n"
        at.do("app#1", Edit(description=first, description_was="- [ ] a\n- [ ] b\n"))
        at.do("app#1", Edit(description=second, description_was=first))
        await at.settled()
        assert at.there("app#1").description == second.rstrip()
        assert at.engine.status.conflicts == 0
