"""Locked plans and cached past data: stored, migrated, removed."""

from __future__ import annotations

import sqlite3
from datetime import date, timedelta
from pathlib import Path

import msgspec
import pytest

from glboard_core.errors import StoreFailed
from glboard_core.model.event import Event, History
from glboard_core.planning.plan_lock import PlannedIssue, PlanSnapshot
from glboard_core.store.database import MIGRATIONS
from glboard_core.store.report_tables import KEPT_FOR, ReportCache
from glboard_core.store.sqlite import SqliteStore
from support import make

TODAY = date(2026, 12, 7)
GROUP = "gid://gitlab/Group/1"
PLAN = PlanSnapshot(
    milestone="19.8",
    locked_at=make.WHEN,
    issues=(PlannedIssue(issue=make.issue_id(1), reference="top/app#1", weight=2, assignees=("eng_1",)),),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The path of the state file."""
    return tmp_path / "one.sqlite3"


def reopened(path: Path) -> SqliteStore:
    """The same file, reopened."""
    SqliteStore(path).close()
    return SqliteStore(path)


def test_plans_from_before_the_plan_table_are_migrated(path: Path) -> None:
    with sqlite3.connect(path) as old:
        for statement in MIGRATIONS[0].split(";"):
            old.execute(statement)
        body = msgspec.json.encode({"glboard_plan": 1, **msgspec.to_builtins(PLAN)})
        old.execute("insert into meta values ('plan:19.8', ?), ('clock', x'30')", (body,))
        old.execute("pragma user_version = 1")
    old.close()
    store = SqliteStore(path)
    assert store.plans("19.8") == [PLAN]
    assert (store.meta("plan:19.8"), store.meta("clock")) == (None, b"0")
    store.close()


def test_locking_again_keeps_older_plans(path: Path) -> None:
    store = SqliteStore(path)
    later = msgspec.structs.replace(PLAN, locked_at=make.WHEN + timedelta(days=1))
    store.keep_plan(PLAN)
    store.keep_plan(later)
    store.close()
    store = SqliteStore(path)
    assert store.plans("19.8") == [later, PLAN]
    store.close()


def test_plans_are_recovered_from_a_damaged_file(path: Path) -> None:
    store = SqliteStore(path)
    store.keep_plan(PLAN)
    store.close()
    with sqlite3.connect(path) as newer:
        newer.execute("pragma user_version = 999")
    newer.close()
    store = SqliteStore(path)
    assert "put aside" in store.notice or "aside" in store.notice
    assert store.plans("19.8") == [PLAN]
    store.close()


def test_an_unreadable_plan_is_reported_not_ignored(path: Path) -> None:
    store = SqliteStore(path)
    store._durable.execute("insert into plan (milestone, body) values ('19.8', 'no plan')")
    with pytest.raises(StoreFailed):
        store.plans("19.8")
    store.close()


def test_a_failed_write_is_reported_for_plans_but_not_for_the_cache(path: Path) -> None:
    store = SqliteStore(path)
    for connection in (store._durable, store._fast):
        connection.execute("pragma query_only = 1")
    with pytest.raises(StoreFailed):
        store.keep_plan(PLAN)
    store.remember({"a": b"1"}, TODAY)
    assert store.recall(["a"], TODAY) == {}
    store.close()


def test_entries_unused_for_months_are_removed(path: Path) -> None:
    store = SqliteStore(path)
    store.remember({"old": b"1", "used": b"2"}, TODAY)
    halfway = TODAY + KEPT_FOR / 2
    assert store.recall(["used"], halfway) == {"used": b"2"}
    store.remember({"new": b"3"}, TODAY + KEPT_FOR)
    assert store.recall(["old", "used", "new"], TODAY).keys() == {"old", "used", "new"}
    store.remember({}, TODAY + KEPT_FOR + timedelta(days=1))
    assert store.recall(["old", "used", "new"], TODAY).keys() == {"used", "new"}
    store.close()


def test_histories_are_cached_between_runs(path: Path) -> None:
    many = [
        History(
            issue=make.issue_id(n),
            updated_at=make.WHEN,
            read_at=make.WHEN,
            kinds=frozenset({"label", "weight"}),
            events=(Event(kind="weight", action="add", at=make.WHEN, value=n, by="eng_1", id=n),),
        )
        for n in range(1200)
    ]
    unread = History(issue=make.issue_id(9999), updated_at=make.WHEN, read_at=make.WHEN)
    store = SqliteStore(path)
    ReportCache(store, TODAY, GROUP).keep_histories([*many, unread])
    store.close()
    store = reopened(path)
    found = ReportCache(store, TODAY, GROUP).histories([*(one.issue for one in many), unread.issue])
    assert found == {one.issue: one for one in many}
    assert ReportCache(store, TODAY, "gid://gitlab/Group/2").histories([make.issue_id(1)]) == {}
    store.remember({f"history-2:{GROUP}:{make.issue_id(1)}": b"of another version"}, TODAY)
    assert ReportCache(store, TODAY, GROUP).histories([make.issue_id(1)]) == {}
    store.close()
