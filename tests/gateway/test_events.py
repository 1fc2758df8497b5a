"""Resource events over REST from the embedded GitLab: every kind, every page, and missing access."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.worlds import ME, QUICK, everything, gateway, make
from glboard_core.config import Settings
from glboard_core.demo.http.server import DemoServer
from glboard_core.errors import AuthError, NotGitLab, ServerFailed, TokenRejected
from glboard_core.gitlab.account import Account, Secret
from glboard_core.gitlab.http import Transport
from glboard_core.gitlab.resource_events import EventReader, WireEvent, event_of
from glboard_core.model.event import Event, EventKind
from glboard_core.model.issue import Issue
from glboard_core.planning.events_needed import Look
from glboard_core.planning.plan_lock import PlannedIssue, PlanSnapshot
from glboard_core.ports import Store
from glboard_core.reports import Reports, kept_plan, open_reports
from glboard_core.store.report_tables import ReportCache
from glboard_core.store.sqlite import SqliteStore
from glboard_core.sync.engine import Engine

ALL: tuple[EventKind, ...] = ("label", "milestone", "state", "weight")
LATER = datetime(2030, 1, 1, tzinfo=UTC)


def looks(since: datetime, *kinds: EventKind, until: datetime = LATER) -> tuple[Look, ...]:
    """A report that looks at all of these kinds, and at milestones, from ``since`` on."""
    return (Look(frozenset({"milestone", *kinds}), since, until),)


class Reading:
    """A server, and a reader of its events."""

    def __init__(self, server: DemoServer) -> None:
        self.server = server
        self.world = server.world
        self.transport = Transport(Account(url=server.url, token=Secret(server.token)), QUICK)
        self.reader = EventReader(self.transport)

    async def issues(self) -> list[Issue]:
        """All issues, in order."""
        async with gateway(self.server) as one:
            found = await everything(one)
        self.server.requests.clear()
        return sorted(found, key=lambda issue: (issue.project, issue.iid))

    async def events(self, reference: str, kinds: tuple[EventKind, ...] = ALL) -> list[Event]:
        """The events of one issue, in order of their ids."""
        issues = [issue for issue in await self.issues() if issue.reference == reference]
        read = await self.reader.histories(issues, kinds)
        (history,) = read.histories.values()
        return sorted(history.events, key=lambda event: event.id)


@pytest.fixture
async def reading() -> AsyncIterator[Reading]:
    async with DemoServer(make()) as server:
        one = Reading(server)
        # What was never updated has no history to read.
        one.world.clock.advance(90)
        yield one
        await one.transport.close()


async def test_every_kind_of_event(reading: Reading) -> None:
    world = reading.world
    world.edit("top/app#1", by="eng_1", milestone="19.8", weight=5, remove_labels=["type::bug"])
    world.edit("top/app#1", by="eng_2", milestone=None, weight=None, close=True)
    world.edit("top/app#1", by=ME, reopen=True)
    found = await reading.events("top/app#1")
    said = [(event.kind, event.action, event.value, event.by) for event in found]
    assert [row[1:] for row in said if row[0] == "label"] == [
        ("add", "type::bug", ME),
        ("remove", "type::bug", "eng_1"),
    ]
    assert [row[1:] for row in said if row[0] == "milestone"] == [
        ("add", "19.7", ME),
        ("add", "19.8", "eng_1"),
        ("remove", "19.8", "eng_2"),
    ]
    assert [row[1:] for row in said if row[0] == "state"] == [
        ("closed", None, "eng_2"),
        ("reopened", None, ME),
    ]
    assert [row[2] for row in said if row[0] == "weight"] == [1, 5, None]
    assert {event.at.tzinfo for event in found} == {UTC}


async def test_all_pages_are_read(reading: Reading) -> None:
    for _ in range(60):
        reading.world.edit("top/app#1", by=ME, add_labels=["Deliverable"])
        reading.world.edit("top/app#1", by=ME, remove_labels=["Deliverable"])
    assert len(await reading.events("top/app#1", ("label",))) == 121
    assert len(reading.server.requests.of("resource_label_events")) == 2


async def test_issue_without_an_update_is_not_read_again(reading: Reading) -> None:
    issues = await reading.issues()
    first = await reading.reader.histories(issues, ("milestone",))
    assert len(reading.server.requests) == len(issues)
    reading.server.requests.clear()
    again = await reading.reader.histories(issues, ("milestone",), first.histories)
    assert again.histories == first.histories
    assert len(reading.server.requests) == 0
    # Only the missing kind is read; the milestones stay.
    more = await reading.reader.histories(issues[:1], ("milestone", "label"), first.histories)
    assert len(reading.server.requests) == 1
    assert more.histories[issues[0].id].kinds == {"milestone", "label"}
    assert {event.kind for event in more.histories[issues[0].id].events} == {"milestone", "label"}
    reading.world.edit(issues[0].reference, by=ME, milestone="19.8")
    reading.server.requests.clear()
    fresh = [issue for issue in await reading.issues() if issue.id == issues[0].id]
    changed = await reading.reader.histories(fresh, ("milestone",), more.histories)
    assert [event.value for event in changed.histories[issues[0].id].events] == ["19.7", "19.8"]


async def test_issue_read_in_the_second_of_its_update_is_read_again(reading: Reading) -> None:
    reading.world.clock.freeze()
    reading.world.edit("top/app#1", by=ME, milestone="19.8")
    issues = [issue for issue in await reading.issues() if issue.reference == "top/app#1"]
    first = await reading.reader.histories(issues, ("milestone",))
    # The same second, so GraphQL shows the same updated_at.
    reading.world.edit("top/app#1", by=ME, milestone="19.7")
    again = await reading.reader.histories(issues, ("milestone",), first.histories)
    assert [event.value for event in again.histories[issues[0].id].events] == ["19.7", "19.8", "19.7"]


async def test_progress_counts_issues(reading: Reading) -> None:
    seen: list[tuple[int, int]] = []
    issues = await reading.issues()
    await reading.reader.histories(issues, ALL, progress=lambda done, of: seen.append((done, of)))
    assert seen == [(n, len(issues)) for n in range(1, len(issues) + 1)]


async def test_one_refused_issue_does_not_stop_the_rest(reading: Reading) -> None:
    issues = await reading.issues()
    reading.world.delete("top/app#3")
    reading.server.faults.next("403", "issues/4/resource_label_events")
    read = await reading.reader.histories(issues, ("label",))
    by_id = {issue.id: issue.reference for issue in issues}
    assert {by_id[issue] for issue in read.unread} == {"top/app#3", "top/app#4"}
    assert len(read.histories) == len(issues)
    gone = next(issue for issue in issues if issue.iid == 3)
    # Not remembered as read, so it is read again.
    assert read.histories[gone.id].kinds == frozenset()


async def test_error_explains_missing_access_to_all_events(reading: Reading) -> None:
    (issue,) = [one for one in await reading.issues() if one.reference == "top/app#1"]
    reading.server.faults.next("403", "resource_")
    with pytest.raises(AuthError):
        await reading.reader.histories([issue], ("label",))
    reading.world.delete("top/app#1")
    with pytest.raises(NotGitLab, match="returned no issue events"):
        await reading.reader.histories([issue], ("label",))
    assert (await reading.reader.histories([], ALL)).histories == {}


async def test_expired_token_stops_everything(reading: Reading) -> None:
    issues = await reading.issues()
    reading.server.faults.next("401", "resource_", skip=2)
    with pytest.raises(TokenRejected):
        await reading.reader.histories(issues, ALL)


async def test_temporary_failures_are_retried_and_permanent_ones_raised(reading: Reading) -> None:
    issues = await reading.issues()
    reading.server.faults.next("502", "resource_")
    assert len((await reading.reader.histories(issues, ALL)).histories) == len(issues)
    reading.server.faults.next("500", "resource_", times=200)
    with pytest.raises(ServerFailed):
        await reading.reader.histories(issues, ALL)


async def test_answer_that_is_not_a_list_of_events(reading: Reading) -> None:
    issues = await reading.issues()
    reading.server.faults.next("html-200", "resource_", times=200)
    with pytest.raises(NotGitLab):
        await reading.reader.histories(issues, ALL)


async def test_without_a_licence_missing_weight_events_are_no_error() -> None:
    async with DemoServer(make(tier="free")) as server:
        reading = Reading(server)
        issues = await reading.issues()
        read = await reading.reader.histories(issues, ("weight", "milestone"))
        await reading.transport.close()
    assert read.unread == ()
    assert {history.kinds for history in read.histories.values()} == {frozenset({"weight", "milestone"})}


AT = datetime(2026, 11, 18, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("wire", "kind", "value"),
    [
        ({"action": "add", "label": None}, "label", None),
        ({"action": "merged", "label": {"name": "a"}}, "label", None),
        ({"state": "merged"}, "state", None),
        ({"action": "add", "milestone": None}, "milestone", ("add", None)),
        ({"action": "add", "milestone": {"title": "19\x1b[31m.6"}}, "milestone", ("add", "19.6")),
        ({"state": "opened"}, "state", ("reopened", None)),
        ({"weight": 0}, "weight", ("add", 0)),
    ],
)
def test_content_of_an_event(wire: dict[str, Any], kind: EventKind, value: tuple[str, Any] | None) -> None:
    import msgspec

    event = event_of(msgspec.convert({"id": 1, "created_at": AT, "user": None, **wire}, WireEvent), kind)
    assert (event and (event.action, event.value)) == value


# -- which issues a report reads


async def reports_of(
    server: DemoServer, transport: Transport, *, store: Store | None = None, **more: Any
) -> Reports:
    settings = Settings()
    engine = Engine(gateway(server), store or SqliteStore(":memory:"), _for_world(settings))
    await engine.names.read()
    return Reports(engine, EventReader(transport), **more)


def _for_world(settings: Settings) -> Settings:
    from msgspec import structs

    # This server has no group label, which is configurable.
    return structs.replace(settings, labels=structs.replace(settings.labels, group=""))


async def test_report_reads_only_issues_that_were_in_the_milestone(reading: Reading) -> None:
    world = reading.world
    since = world.clock.moment() - timedelta(hours=1)
    world.add_label(world.groups["top"], "missed:19.8")
    world.edit("top/app#1", by=ME, milestone="19.8")
    world.edit("top/app#2", by=ME, milestone="19.8")
    world.clock.advance(2)
    world.edit("top/app#2", by=ME, milestone="19.7")
    world.edit("top/app#3", by=ME, milestone="19.8", close=True)
    world.edit("top/app#4", by=ME, add_labels=["missed:19.8"])
    world.clock.advance(80)
    reports = await reports_of(reading.server, reading.transport)
    reading.server.requests.clear()
    past = await reports.past("19.8", looks(since, "label", "state"), missed=frozenset({"missed:19.8"}))
    assert sorted(track.issue.iid for track in past) == [1, 2, 3, 4]
    assert len(reading.server.requests.of("resource_label_events")) == 4
    # Known events are not read again.
    reading.server.requests.clear()
    await reports.past("19.8", looks(since, "label", "state"), missed=frozenset({"missed:19.8"}))
    assert reading.server.requests.of("resource_") == []
    await reports.engine.gateway.close()


async def test_reports_are_counted_with_all_other_requests(reading: Reading) -> None:
    reading.world.edit("top/app#2", by=ME, add_labels=["Deliverable"])
    engine = (await reports_of(reading.server, reading.transport)).engine
    reading.server.requests.clear()
    before = sum(engine.gateway.requests.values())
    async with open_reports(engine) as reports:
        await reports.past("19.7", looks(reading.world.clock.moment(), "label"))
    assert engine.gateway.requests["history"] > 0
    assert sum(engine.gateway.requests.values()) - before == len(reading.server.requests)
    await engine.gateway.close()


async def test_issue_changed_a_moment_ago_has_its_whole_history(reading: Reading) -> None:
    reading.world.clock.freeze()
    reading.world.edit("top/app#2", by=ME, milestone="19.8")
    reports = await reports_of(reading.server, reading.transport)
    past = await reports.past("19.8", looks(reading.world.clock.moment(), "label"))
    engine, issue = reports.engine, past[0].issue.id
    kept = ReportCache(engine.store, engine.gateway.now().date(), reports.catalog.group_id)
    events = {event.value for event in kept.histories([issue])[issue].events}
    assert {"19.7", "19.8", "type::bug"} <= events
    await reports.engine.gateway.close()


async def test_issue_that_left_early_is_read_only_if_the_plan_names_it(reading: Reading) -> None:
    since = reading.world.clock.moment() + timedelta(days=1)
    reports = await reports_of(reading.server, reading.transport)
    (named,) = [issue for issue in await reading.issues() if issue.reference == "top/app#5"]
    past = await reports.past("19.8", looks(since, "label"))
    assert past == []
    planned = (PlannedIssue(issue=named.id, reference=named.reference),)
    plan = PlanSnapshot(milestone="19.8", locked_at=since, issues=planned)
    past = await reports.past("19.8", looks(since, "label"), plan)
    assert [track.issue.iid for track in past] == [5]
    await reports.engine.gateway.close()


async def test_unread_histories_are_named(reading: Reading) -> None:
    reading.world.edit("top/app#2", by=ME, add_labels=["Deliverable"])
    reports = await reports_of(reading.server, reading.transport)
    reading.server.faults.next("403", "issues/2/resource_milestone_events")
    await reports.past("19.7", looks(reading.world.clock.moment(), "label"))
    assert reports.unread == ("top/app#2",)
    await reports.engine.gateway.close()


async def test_locally_locked_plan_is_found_again(reading: Reading) -> None:
    store = SqliteStore(":memory:")
    assert kept_plan(store, "19.7", "") is None
    plan = PlanSnapshot(milestone="19.7", locked_at=AT)
    store.keep_plan(plan)
    assert kept_plan(store, "19.7", "") == plan
    assert kept_plan(store, "19.8", "") is None
    reports = await reports_of(reading.server, reading.transport)
    found = await reports.say_do(reports.milestone("19.7"), plan=plan)
    assert (found.source, found.locked_at) == ("snapshot", AT)
    changed = await reports.scope(reports.milestone("19.7"), plan=plan)
    assert changed.locked == plan
    await reports.engine.gateway.close()


# -- what is kept from one run to the next


async def test_second_run_reads_no_events(reading: Reading, tmp_path: Path) -> None:
    for number in range(1, 7):
        reading.world.edit(f"top/app#{number}", by=ME, add_labels=["Deliverable"])
    reading.world.clock.advance(80)
    asked = []
    for run in (1, 2, 3):
        store = SqliteStore(tmp_path / "state.sqlite3")
        reports = await reports_of(reading.server, reading.transport, store=store)
        reading.server.requests.clear()
        found = await reports.say_do(reports.milestone("19.7"))
        asked.append(len(reading.server.requests.of("resource_")))
        assert found.source == "rebuilt"
        await reports.engine.gateway.close()
        store.close()
        if run == 2:
            reading.world.edit("top/app#1", by=ME, add_labels=["type::feature"])
            reading.world.clock.advance(80)
    # Milestones and labels, and no states before the cut-off. The third run reads the updated issue only.
    assert asked == [12, 0, 2]


async def test_events_read_before_an_abort_are_kept(reading: Reading, tmp_path: Path) -> None:
    for number in range(1, 7):
        reading.world.edit(f"top/app#{number}", by=ME, add_labels=["Deliverable"])
    reading.world.clock.advance(80)
    store = SqliteStore(tmp_path / "state.sqlite3")
    reports = await reports_of(reading.server, reading.transport, store=store)
    reading.server.faults.next("401", "resource_", skip=10)
    with pytest.raises(TokenRejected):
        await reports.past("19.7", looks(AT, "label"))
    kept = ReportCache(
        store, reading.world.clock.moment().date(), f"gid://gitlab/Group/{reading.world.root.id}"
    ).histories(i.id for i in await reading.issues())
    assert len(kept) >= 2
    await reports.engine.gateway.close()
    store.close()


async def test_closed_issues_of_past_milestones_are_kept_and_updated(reading: Reading) -> None:
    world = reading.world
    reports = await reports_of(reading.server, reading.transport)

    async def closed(*milestones: str) -> list[str]:
        reading.server.requests.clear()
        return sorted(issue.reference for issue in await reports.issues.closed(milestones))

    world.edit("top/app#1", by=ME, close=True)
    world.edit("top/app#2", by=ME, milestone="19.8", close=True)
    world.clock.advance(10)
    first = await closed("19.7", "19.8")
    assert {"top/app#1", "top/app#2"} <= set(first)
    world.edit("top/app#1", by=ME, reopen=True)
    world.edit("top/app#2", by=ME, milestone="19.7")
    world.edit("top/app#3", by=ME, close=True)
    assert await closed("19.7") == sorted({*first, "top/app#2", "top/app#3"} - {"top/app#1"})
    assert len(reading.server.requests) == 1
    assert "top/app#2" not in await closed("19.8")
    # Old data is read completely: an issue that lost the group's label, or left, is not in the updates.
    world.delete("top/app#3")
    assert "top/app#3" in await closed("19.7")
    world.clock.advance(3 * 24 * 3600)
    await reports.engine.names.read()
    assert "top/app#3" not in await closed("19.7")
    await reports.engine.gateway.close()
