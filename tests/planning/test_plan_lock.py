"""Locked plans, what changed since, and the end of a milestone."""

from __future__ import annotations

from datetime import date

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from glboard_core.errors import ConfigError
from glboard_core.planning.milestone_end import ending, leftovers
from glboard_core.planning.plan_lock import (
    PlanSnapshot,
    Reweighted,
    at_the_end,
    count_words,
    exported,
    imported,
    locked,
    locked_words,
    rebuild,
    refused,
    scope,
    take,
)
from glboard_core.reports import kept_plans
from glboard_core.store.report_tables import KnownIssues, ReportCache
from glboard_core.store.sqlite import SqliteStore
from planning.histories import NAMES, UTC_WINDOW, at, life, numbers, pairs
from support.make import issue, milestone

PLANNED = (("10-07", "into 19.6"), ("10-09 10:00:00", "+Deliverable"))


def rows(plan: PlanSnapshot) -> list[tuple[int, int | None]]:
    return [(numbers((row.reference,))[0], row.weight) for row in plan.issues]


def test_plan_contains_every_counted_deliverable_of_the_milestone() -> None:
    plan = take(
        [
            issue(3, "Deliverable", milestone="19.6", weight=None, assignees=("eng_alder",)),
            issue(1, "Deliverable", milestone="19.6", weight=2, state="closed"),
            issue(2, milestone="19.6", weight=2),
            issue(4, "Deliverable", milestone="19.7", weight=2),
            issue(5, "Deliverable", "type::ignore", milestone="19.6", weight=2),
            issue(6, milestone="19.6", labels=frozenset({"Deliverable"})),
        ],
        "19.6",
        at("10-09 17:00:00.700000"),
        NAMES,
    )
    assert rows(plan) == [(1, 2), (3, None)]
    assert plan.issues[1].assignees == ("eng_alder",)
    assert plan.locked_at == at("10-09 17:00:00")
    assert not plan.rebuilt


def test_export_and_import() -> None:
    plan = take([issue(1, "Deliverable", milestone="19.6", weight=0)], "19.6", at("10-09"), NAMES)
    plan = locked(plan, "em_maple", "gitlab.example.com", "demo-org")
    raw = exported(plan)
    assert msgspec.json.decode(raw)["glboard_plan"] == 1
    assert "title" not in raw.decode()
    assert imported(raw, "plan.json") == plan
    assert msgspec.json.decode(raw)["issues"][0]["reference"] == "demo-org/platform#1"


def _with(*rows: str) -> bytes:
    """A file with these rows."""
    issues = ", ".join(f"{{{row}}}" for row in rows)
    return f'{{"milestone": "19.6", "locked_at": "2026-10-09T17:00:00Z", "issues": [{issues}]}}'.encode()


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"{", "is not JSON"),
        (b'{"milestone": "19.6"}', "locked_at"),
        (b'{"milestone": "19.6", "locked_at": "2026-10-09T17:00:00"}', "no time zone"),
        (b'{"milestone": "19.6", "locked_at": "2026-10-09T17:00:00Z", "glboard_plan": 9}', "format 9"),
        (b'{"milestone": "19\\u001b.6", "locked_at": "2026-10-09T17:00:00Z"}', "unprintable characters"),
        (_with('"issue": "1", "reference": "a/b#1"'), "global id"),
        (_with('"issue": "gid://gitlab/Issue/1", "reference": "a/b#1\\u001b"'), "reference"),
        (_with('"issue": "gid://gitlab/Issue/1", "reference": "a/b#1", "weight": -1'), "below 0"),
        (_with('"issue": "gid://gitlab/Issue/1", "reference": "a/b#1", "weight": "2"'), "not a locked plan"),
        (_with('"issue": "gid://gitlab/Issue/1", "reference": "a/b#1", "assignees": ["a b"]'), "usernames"),
        (_with(*['"issue": "gid://gitlab/Issue/1", "reference": "a/b#1"'] * 2), "twice"),
    ],
)
def test_invalid_plan_is_rejected(raw: bytes, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        imported(raw, "plan.json")
    assert caught.value.where == "plan.json"


def test_another_group_with_the_same_path_has_its_own_plans_and_figures() -> None:
    old, new = "gid://gitlab/Group/1", "gid://gitlab/Group/2"
    bare = PlanSnapshot(milestone="19.6", locked_at=at("10-09"))
    mine, theirs = (locked(bare, "em_maple", "one.example", "org", group) for group in (new, old))
    earlier = locked(bare, "pm_oak", "one.example", "org")
    store = SqliteStore(":memory:")
    for plan in (earlier, mine, theirs):
        store.keep_plan(plan)
    assert kept_plans(store, "19.6", new) == [mine, earlier]
    assert kept_plans(store, "19.6", old) == [theirs, earlier]
    assert "another group" in refused(theirs, "one.example", "org", new)
    assert refused(earlier, "one.example", "org", new) == ""
    assert imported(exported(mine), "plan.json") == mine
    today, closed = date(2026, 12, 7), KnownIssues(at=at("12-07"), whole=at("12-07"), issues=())
    ReportCache(store, today, old).keep_issues("19.6", closed)
    assert ReportCache(store, today, new).issues("19.6") is None
    assert ReportCache(store, today, old).issues("19.6") == closed


def test_plan_of_another_group_or_host_is_rejected() -> None:
    plan = locked(PlanSnapshot(milestone="19.6", locked_at=at("10-09")), "em_maple", "one.example", "org")
    assert refused(plan, "one.example", "org") == ""
    assert (
        refused(plan, "one.example", "org/sub")
        == "it belongs to org on one.example, but this is org/sub on one.example"
    )
    assert "two.example" in refused(plan, "two.example", "org")
    assert "does not name" in refused(PlanSnapshot(milestone="19.6", locked_at=at("10-09")), "", "")


def test_plan_as_text() -> None:
    plan = PlanSnapshot(milestone="19.6", locked_at=at("10-09 17:00:00"))
    assert locked_words(plan) == "locked 2026-10-09 17:00 UTC"
    plan = locked(plan, "em_maple", "h", "g")
    assert locked_words(plan) == "locked 2026-10-09 17:00 UTC by em_maple"
    rebuilt = msgspec.structs.replace(plan, rebuilt=True)
    assert locked_words(rebuilt) == "rebuilt from events as of 2026-10-09 17:00 UTC, locked by em_maple"
    assert count_words(plan) == "0 Deliverables, weight 0"


def test_time_zone_of_a_colleague_does_not_matter() -> None:
    raw = b'{"milestone": "19.6", "locked_at": "2026-10-09T19:00:00+02:00"}'
    assert imported(raw, "p").locked_at == at("10-09 17:00:00")


def test_rebuilt_plan_has_the_weights_of_that_second() -> None:
    tracks = [
        life(1, *PLANNED, ("10-05", "weight 2"), ("10-20", "weight 3")),
        life(2, *PLANNED, weight=1),
        life(3, *PLANNED, ("10-20", "weight 3")),
        life(4, ("10-07", "into 19.6")),
        life(5, *PLANNED, labels=("type::ignore",)),
        life(6, *PLANNED, created_at=at("10-30")),
    ]
    plan = rebuild(pairs(tracks), "19.6", at("10-09 17:00:00"), NAMES)
    # The weight of the third is unknown before its first event.
    assert rows(plan) == [(1, 2), (2, 1), (3, None), (6, None)]
    assert plan.rebuilt


def test_scope_since_the_lock() -> None:
    tracks = [
        life(1, *PLANNED, ("10-05", "weight 2"), ("10-20", "weight 3")),
        life(2, *PLANNED, ("10-20", "into 19.7")),
        life(3, ("10-20", "into 19.6"), ("10-21", "+Deliverable"), weight=1),
        life(
            4, *PLANNED, ("10-20", "-Deliverable"), ("10-21", "+Deliverable"), ("10-22", "closed"), weight=1
        ),
        life(5, *PLANNED, ("10-20", "weight")),
    ]
    locked = rebuild(pairs(tracks), "19.6", at("10-09 17:00:00"), NAMES)
    found = scope(locked, at_the_end(pairs(tracks), "19.6", at("11-01"), NAMES))
    assert numbers(tuple(row.reference for row in found.added)) == [3]
    assert numbers(tuple(row.reference for row in found.removed)) == [2]
    assert found.reweighted == (Reweighted(reference="demo-org/platform#1", before=2, after=3),)


@given(st.lists(st.tuples(st.integers(1, 6), st.none() | st.integers(0, 3)), unique_by=lambda row: row[0]))
def test_plan_compared_with_itself_has_no_changes(listed: list[tuple[int, int | None]]) -> None:
    issues = [issue(n, "Deliverable", milestone="19.6", weight=w) for n, w in listed]
    plan = take(issues, "19.6", at("10-09"), NAMES)
    found = scope(plan, plan)
    assert not (found.added)
    assert not (found.removed)
    assert not (found.reweighted)
    everything = scope(PlanSnapshot(milestone="19.6", locked_at=at("10-09")), plan)
    assert everything.added == plan.issues


def test_end_of_a_milestone_is_one_list() -> None:
    late, in_time = at("11-14 00:00:00"), at("11-13 23:59:59.500000")
    found = leftovers(
        [
            issue(1, milestone="19.6"),
            issue(2, "Deliverable", milestone="19.6"),
            issue(3, "Deliverable", milestone="19.6", confidential=True),
            issue(4, "Deliverable", milestone="19.6", state="closed", closed_at=late),
            issue(5, "Deliverable", milestone="19.6", state="closed", closed_at=in_time),
            issue(6, milestone="19.6", state="closed", closed_at=late),
            issue(7, "type::ignore", milestone="19.6"),
            issue(8, "Deliverable", milestone="19.7"),
            issue(9, "Deliverable", milestone="19.6", position=1.0),
        ],
        "19.6",
        UTC_WINDOW,
        NAMES,
    )
    assert [(left.issue.iid, left.kind) for left in found] == [
        (3, "confidential"),
        (9, "deliverable"),
        (2, "deliverable"),
        (1, "open"),
        (4, "late-closed"),
    ]


def test_quiet_slips_are_found_by_the_plan_and_handled_ones_by_the_label() -> None:
    everything = [
        issue(1, "Deliverable", milestone="19.7"),
        issue(2, "Deliverable", "missed:19.6", milestone="19.7"),
        issue(3, "missed:19.6", milestone=None),
        issue(4, "Deliverable", milestone=None),
        issue(5, "Deliverable", milestone="19.7", state="closed"),
        issue(6, "Deliverable", "missed:19.5", milestone="19.7"),
        issue(7, "type::ignore", milestone="19.7"),
        issue(8, "missed:19.6", milestone="19.6"),
    ]
    before = [
        structs.replace(one, milestone="19.6", labels=one.labels | {"Deliverable"}) for one in everything
    ]
    plan = take(before, "19.6", at("10-09"), NAMES)
    found = leftovers([*everything, everything[0]], "19.6", UTC_WINDOW, NAMES, plan)
    # Issue 8 has the label and is still in it: the bot or a person labelled it without moving it.
    assert [(left.issue.iid, left.kind) for left in found] == [
        (8, "open"),
        (1, "quiet"),
        (4, "quiet"),
        (6, "quiet"),
        (2, "handled"),
        (3, "handled"),
    ]
    # A label keeps the title that the milestone had.
    labels = frozenset({"missed:19.6", "missed:19.5"})
    found = leftovers(everything, "19.6", UTC_WINDOW, NAMES, plan, labels)
    assert (6, "handled") in [(left.issue.iid, left.kind) for left in found]
    # Without a plan it is unknown which issues were planned.
    assert [left.issue.iid for left in leftovers(everything, "19.6", UTC_WINDOW, NAMES)] == [8, 2, 3]


@pytest.mark.parametrize(
    ("today", "left", "title"),
    [
        ("2026-11-13", {"19.6"}, "19.6"),
        ("2026-11-14", {"19.6"}, "19.6"),
        ("2026-11-14", {"19.5"}, "19.7"),
        ("2026-11-14", set(), "19.7"),
        ("2026-12-11", set(), "19.7"),
        ("2026-12-12", set(), "19.7"),
        ("2026-10-09", set(), None),
    ],
)
def test_which_milestone_ends(today: str, left: set[str], title: str | None) -> None:
    known = [
        milestone("19.7", "2026-11-14", "2026-12-11"),
        milestone("19.6", "2026-10-10", "2026-11-13"),
        milestone("Backlog", None, None),
    ]
    found = ending(known, date.fromisoformat(today), left.__contains__)
    assert (found.title if found else None) == title
