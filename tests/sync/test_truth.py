"""What the mirror believes, and when: answers in the order of asking, and changes that move no time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from glboard_core.board import edits
from glboard_core.board.operations import Edit
from glboard_core.config import SyncSettings
from glboard_core.demo.http.server import DemoServer
from glboard_core.demo.world import changes
from glboard_core.demo.world.changes import Change
from glboard_core.demo.world.clock import DAY
from glboard_core.gitlab.http import Transport
from glboard_core.model.issue import Issue, IssueId
from glboard_core.model.query import IssueQuery
from glboard_core.ports import Store
from glboard_core.sync import reconcile
from support.engines import GROUP_LABEL, ME, STILL, Session, build_world, session

PEOPLE = (ME, "eng_1", "eng_2")
ISSUES = 3
#: What the next poll shows, whoever changed it and however soon after another change.
POLLED = (
    "labels",
    "assignees",
    "milestone",
    "weight",
    "state",
    "title",
    "due",
    "confidential",
    "closed_at",
)


@pytest.fixture
async def ahead(server: DemoServer, store: Store) -> AsyncIterator[Session]:
    """A loaded engine, on a server with issues that were stamped in the future."""
    world = server.world
    world.edit("top/app#3", by="eng_1", close=True)
    for n in range(1, 5):
        world.issue(f"top/app#{n}").updated += DAY
    world.index.rebuild()
    async with session(server, store) as one:
        yield one


async def test_answers_are_believed_whatever_their_time(ahead: Session) -> None:
    ahead.edit("app#1", milestone="19.8")
    ahead.edit("app#2", remove=frozenset({"type::bug"}))
    ahead.edit("app#3", state="opened")
    await ahead.settled()
    assert ahead.there("app#1").milestone.title == ahead.issue("app#1").milestone == "19.8"
    assert "type::bug" not in ahead.labels_there("app#2") | ahead.issue("app#2").labels
    assert ahead.there("app#3").open
    assert ahead.issue("app#3").is_open
    assert [line.result for line in ahead.engine.store.log()] == ["done"] * 3
    # Also in the mirror, and for the next change of the same kind.
    ahead.edit("app#1", milestone="19.9")
    await ahead.settled()
    assert ahead.there("app#1").milestone.title == "19.9"


async def test_one_issue_stamped_in_the_future_blinds_no_poll(ahead: Session) -> None:
    for weight in (5, 6):
        ahead.world.clock.advance(300)
        ahead.world.edit("top/app#7", by="eng_1", weight=weight)
        await ahead.refreshed()
        assert ahead.issue("app#7").weight == weight


async def test_a_mirror_from_the_future_believes_the_server(server: DemoServer, store: Store) -> None:
    """A backup was restored on the server."""
    async with session(server, store) as one:
        later = structs.replace(one.issue("app#1"), weight=8)
        store.put([structs.replace(later, updated_at=later.updated_at + timedelta(days=9))])
    async with session(server, store) as again:
        await again.engine.poller.reconcile()
        assert again.issue("app#1").weight == 1
        again.edit("app#1", weight=3)
        await again.settled()
        assert again.there("app#1").weight == again.issue("app#1").weight == 3


async def test_a_clock_put_back_misses_nothing(context: Session) -> None:
    await context.refreshed()
    context.world.clock.advance(-3600)
    context.world.edit("top/app#1", by="eng_1", weight=4)
    await context.refreshed()
    await context.settled()
    context.world.edit("top/app#2", by="eng_1", weight=4)
    await context.refreshed()
    await context.settled()
    assert (context.issue("app#1").weight, context.issue("app#2").weight) == (4, 4)


@pytest.mark.parametrize("hours", [-1, 1])
async def test_a_server_that_does_not_tell_its_time_is_followed(
    hours: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This machine's clock counts then, even an hour off: the times of issues keep the cursor behind."""
    monkeypatch.setattr(Transport, "knows_time", property(lambda _: False))
    monkeypatch.setattr(Transport, "now", lambda _: datetime.now(UTC))
    world = build_world(now=datetime.now(UTC) + timedelta(hours=hours))
    async with DemoServer(world) as server, session(server) as context:
        for weight in (4, 5):
            context.world.edit("top/app#1", by="eng_1", weight=weight)
            await context.refreshed()
            assert context.issue("app#1").weight == weight
            context.world.clock.advance(100)


async def test_a_read_requested_earlier_is_older(context: Session) -> None:
    """Two pages overtake each other: the one requested last counts."""
    now = asyncio.get_running_loop().time()
    state, issue = context.engine.local_state, context.issue("app#1")
    state.confirm([structs.replace(issue, weight=5)], "theirs", asked=now)
    state.confirm([structs.replace(issue, weight=4)], "theirs", asked=now - 1)
    assert context.issue("app#1").weight == 5
    state.remove([issue.id], asked=now - 1)
    assert context.known("app#1")


async def test_a_change_that_moves_no_time_is_seen_by_the_next_poll(context: Session) -> None:
    context.world.edit("top/app#1", by="eng_1", add_labels=["Deliverable"])
    for _ in range(2):
        context.world.clock.advance(25)
        await context.refreshed()
    context.world.edit("top/app#1", by="eng_1", add_labels=["documentation"], assignees=["eng_2"])
    await context.refreshed()
    assert {"Deliverable", "documentation"} <= context.issue("app#1").labels
    assert context.issue("app#1").assignees == ("eng_2",)


async def test_a_colleague_assigned_unseen_stays(context: Session) -> None:
    """Assigned within a minute of the last change by the same person, which moves no time."""
    context.world.edit("top/app#1", by="eng_1", assignees=["eng_1"])
    await context.refreshed()
    context.world.edit("top/app#1", by="eng_1", assignees=["eng_2"])
    issue = context.issue("app#1")
    assert issue.assignees == ("eng_1",)
    context.engine.perform([(issue.id, edits.toggle_assignee(issue, ME))], "assign me")
    await context.settled()
    assert {user.username for user in context.there("app#1").assignees} == {"eng_2", ME}
    await context.refreshed()
    assert set(context.issue("app#1").assignees) == {"eng_2", ME}
    context.engine.undoing.undo()
    await context.settled()
    assert [user.username for user in context.there("app#1").assignees] == ["eng_2"]


async def test_what_a_closed_issue_blocked_is_read_again(context: Session) -> None:
    world = context.world
    world.block(world.issue("top/app#2"), world.issue("top/app#1"))
    world.block(world.issue("top/app#4"), world.issue("top/app#3"))
    await context.engine.poller.reconcile()
    assert context.issue("app#2").blocked
    world.edit("top/app#1", by="eng_1", close=True)
    context.edit("app#3", state="closed")
    await context.settled()
    await context.refreshed()
    assert not context.issue("app#2").blocked
    assert not context.issue("app#4").blocked
    context.engine.undoing.undo()
    await context.settled()
    await context.refreshed()
    assert context.issue("app#4").blocked


# Reconcile


async def test_reconcile_reads_a_page_at_a_time_and_the_board_on_screen_first(
    server: DemoServer, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconcile, "ONE_PAGE", 5)
    async with session(server, store, sync=structs.replace(STILL, reconcile=4)) as context:
        context.engine.gateway._runner.page_size = 5  # type: ignore[attr-defined]
        context.engine.look("planning", "19.7")
        world, reconciler = context.world, context.engine.poller._reconciler
        server.requests.clear()
        seconds = 0.0

        async def turn() -> None:
            """The next page is due."""
            nonlocal seconds
            seconds += 1.1
            await reconciler.continue_slowly()

        loop = asyncio.get_running_loop()
        time = loop.time
        monkeypatch.setattr(loop, "time", lambda: time() + seconds)
        world.move("top/app#12", before="top/app#1")
        await reconciler.continue_slowly()
        assert not server.requests  # everything was just read
        seconds += 4
        await turn()
        await reconciler.continue_slowly()
        assert len(server.requests) == 1
        assert (context.issue("app#12").position or 0) < (context.issue("app#1").position or 0)
        # The rest in between: lib#1 is in no milestone.
        world.index.rebuild()
        world.issue("top/lib#1").title = "Renamed without a trace"
        for _ in range(6):
            await turn()
        assert context.issue("lib#1").title == "Renamed without a trace"
        assert len(server.requests) <= 7


async def test_what_a_walk_missed_is_asked_for_before_it_is_removed(server: DemoServer, store: Store) -> None:
    """Cards move while pages are read: one comes twice, and another never."""
    async with session(server, store) as context:
        context.engine.gateway._runner.page_size = 5  # type: ignore[attr-defined]
        page = context.engine.gateway.page

        async def moving(query: Any, after: str | None) -> Any:
            found = await page(query, after)
            if after is None and query.state == "opened":
                context.world.move("top/app#12", before="top/app#1")
                context.world.move("top/app#2", after="top/app#11")
            return found

        context.engine.gateway.page = moving  # type: ignore[method-assign]
        context.world.delete("top/app#5")
        await context.engine.poller.reconcile()
        assert context.known("app#12")
        assert not context.known("app#5")
        assert len(context.engine.shown) == 13


async def test_a_start_from_the_mirror_reads_one_page_of_it(server: DemoServer, store: Store) -> None:
    """And the changes; the rest of reconcile follows at two pages a minute at most."""
    async with session(server, store):
        pass
    async with session(server, store, running=False) as again:
        again.engine.gateway._runner.page_size = 5  # type: ignore[attr-defined]
        server.requests.clear()
        await again.engine.poller._start()
        assert len(server.requests.of("Issues")) == 2
    assert SyncSettings().reconcile / reconcile.PAGES >= 30


# Any sequence of changes


class Group:
    """One server and one engine for all examples."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.server = DemoServer(build_world(issues=ISSUES)).start()
        self.held = session(self.server, sync=STILL)
        self.context = self.loop.run_until_complete(self.held.__aenter__())

    def close(self) -> None:
        """End both."""
        self.loop.run_until_complete(self.held.__aexit__(None, None, None))
        self.server.stop()
        self.loop.close()

    def change(self, by: str, row: int, what: str, value: int) -> None:
        """Somebody changes something."""
        world = self.server.world
        issue = world.issue(f"top/app#{row + 1}")
        if what == "mine":
            self.mine(issue.reference.removeprefix("top/"), value)
            return
        if what == "rank":
            world.move(issue.reference, after=f"top/app#{(row + 1 + value % (ISSUES - 1)) % ISSUES + 1}")
            return
        if what == "delete":
            world.delete(world.create("top/app", "Gone", by=by, add_labels=[GROUP_LABEL]).reference)
            return
        with world.lock:
            changes.apply(world, issue, self.wish(issue, what, value), world.user(by))

    def mine(self, name: str, value: int) -> None:
        """The person at this screen does it."""
        issue = self.context.issue(name)
        other = frozenset({PEOPLE[value % 3]})
        edit = (
            edits.toggle_assignee(issue, ME),
            Edit(add=frozenset({"Deliverable"})),
            Edit(remove=frozenset({"Deliverable"}), unassign=other),
        )[value % 3]
        self.context.engine.perform([(issue.id, edit)], "mine")

    def wish(self, issue: Any, what: str, value: int) -> Change:
        """A change as GitLab's other clients make it."""
        world = self.server.world
        label = world.label_for(
            issue.project, ("Deliverable", "documentation", "workflow::in dev")[value % 3]
        )
        assert label is not None
        wishes: dict[str, Callable[[], Change]] = {
            "add label": lambda: Change(add_labels=[label]),
            "remove label": lambda: Change(remove_labels=[label]),
            "assignees": lambda: Change(assignees=[world.user(one) for one in PEOPLE[: value % 4]]),
            "milestone": lambda: Change(milestone=world.milestone(("19.7", "19.8")[value % 2])),
            "weight": lambda: Change(weight=value),
            "state": lambda: Change(state="close" if issue.open else "reopen"),
            "title": lambda: Change(title=f"Title {value}"),
            "due": lambda: Change(due=date(2026, 12, 1 + value)),
            "confidential": lambda: Change(confidential=bool(value % 2)),
        }
        return wishes[what]()

    async def there(self) -> dict[IssueId, Issue]:
        """The scope as the server shows it now."""
        gateway, scope = self.context.engine.gateway, self.context.engine.poller._scope
        page, after = await gateway.page(IssueQuery(labels=scope.labels), None)
        assert after is None
        return {issue.id: issue for issue in page if scope.holds(issue)}


@pytest.fixture(scope="module")
def group() -> Iterator[Group]:
    """One for all examples: each begins where the last one ended."""
    made = Group()
    yield made
    made.close()


KINDS = (
    *("milestone", "weight", "state", "title", "due", "confidential", "rank", "delete", "mine"),
    *(2 * ("add label", "remove label", "assignees")),
)
steps = st.tuples(
    st.sampled_from(PEOPLE),
    st.integers(0, ISSUES - 1),
    st.sampled_from(KINDS),
    st.integers(0, 8),
    st.sampled_from([0.0, 0.4, 3.0, 5.0, 10.0, 20.0, 40.0, 59.0, 61.0, 400.0]),
    st.booleans(),
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(happening=st.lists(steps, min_size=3, max_size=12))
def test_any_changes_by_several_people_at_any_pace(
    group: Group, happening: list[tuple[str, int, str, int, float, bool]]
) -> None:
    """One poll shows every change of a field; one reconcile everything else."""

    async def run() -> None:
        context = group.context
        for by, row, what, value, seconds, polls in happening:
            if polls:
                # The first one learns what time it is.
                await context.refreshed()
                await context.refreshed()
            group.change(by, row, what, value)
            await context.settled()
            group.server.world.clock.advance(seconds)
        await context.refreshed()
        there, here = await group.there(), context.engine.store.issues()
        for identity, issue in there.items():
            known = here[identity]
            assert [getattr(known, name) for name in POLLED] == [getattr(issue, name) for name in POLLED]
        await context.engine.poller.reconcile()
        assert dict(here.items()) == there
        assert not len(context.engine.outbox)

    group.loop.run_until_complete(run())
