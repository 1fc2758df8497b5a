"""Where decisions come from: which lines of the log count, and how they go together with events."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from glboard_core.board.operations import Change, Comment, Edit, GroupId, Op, OpId
from glboard_core.decision_log import (
    MadeHere,
    ReadChanges,
    all_steps,
    issues_after,
    keep_call,
    kept_calls,
    log_since,
    made_here,
    newer,
)
from glboard_core.planning.call import PlanFigures, new_call
from glboard_core.planning.decisions import FieldChange, FieldStep
from glboard_core.ports import WAITS, Logged
from glboard_core.store.sqlite import SqliteStore
from glboard_core.sync.log import log_line
from support import make

START = datetime(2026, 12, 7, 14, 0, tzinfo=UTC)
ME = "em_maple"


def at(minute: float) -> datetime:
    return START + timedelta(minutes=minute)


def line(
    number: int,
    change: Change,
    minute: float,
    result: str = "done",
    *,
    after: float = 0.1,
    title: str = "test",
    **fields: Any,
) -> Logged:
    before = make.issue(1, **fields)
    op = Op(
        id=OpId(f"{number:04}"),
        group=GroupId(f"g{number}"),
        issue=before.id,
        change=change,
        at=at(minute),
        before=before,
    )
    return log_line(op, title, at(minute + after), result)


def ids(made: list[MadeHere]) -> list[str]:
    return [one.op.id for one in made]


def test_what_was_done_or_waits_counts_in_the_order_it_was_asked_for() -> None:
    lines = [
        line(5, Edit(weight=5), 5, WAITS),
        line(4, Edit(weight=4), 4, "failed"),
        line(3, Edit(weight=3), 3, "dropped"),
        line(1, Edit(weight=1), 1, "settled"),
        line(2, Edit(weight=2), 2),
        line(0, Edit(weight=0), -1),
    ]
    made = made_here(lines, START, None)
    assert ids(made) == ["0001", "0002", "0005"]
    assert made[-1].settled is None
    assert ids(made_here(lines, START, at(1.5))) == ["0001"]
    [(_, issue)] = issues_after(made).items()
    assert issue.weight == 5


def test_what_is_undone_after_the_end_leaves_the_list_and_during_it_is_a_change() -> None:
    first, second = line(1, Edit(weight=1), 1), line(2, Edit(weight=2), 2)
    undone = line(2, Edit(weight=2), 2, "undone", after=8)
    back = line(3, Edit(weight=None), 10, title="undo: weight 2")
    lines = [back, undone, second, first]
    assert ids(made_here(lines, START, at(5))) == ["0001"]
    assert ids(made_here(lines, START, None)) == ["0001", "0002", "0003"]


def test_the_comment_of_a_request_for_a_breakdown_is_known_by_its_title() -> None:
    comment = Comment(body="please")
    lines = [
        line(2, comment, 2, title="platform#1 breakdown requested"),
        line(1, comment, 1, title="platform#1 comment"),
    ]
    made = made_here(lines, START, None)
    assert [one.requests_breakdown for one in made] == [False, True]
    assert [step.change.name for step in all_steps(made, None, ME)] == ["breakdown"]


def test_events_go_before_what_they_tell_as_well() -> None:
    # Before the events were read, after, and not sent yet.
    lines = [
        line(3, Edit(weight=3), 9, WAITS),
        line(2, Edit(weight=2), 5, after=1),
        line(1, Edit(weight=1, assign=frozenset({"eng_birch"})), 1),
    ]
    theirs = FieldStep(
        issue=make.issue_id(1), change=FieldChange(name="weight", was=None, now=1), by="pm_oak", at=at(1)
    )
    plan = PlanFigures(planned=0, accepted=0, unweighted=0)
    known = {make.issue_id(1): make.issue(1)}
    read = ReadChanges(
        read_at=at(5.5),
        steps=(theirs,),
        issues=known,
        complete=frozenset(known),
        before=plan,
        after=plan,
    )
    made = made_here(lines, START, None)

    def told(found: ReadChanges | None) -> list[tuple[str, object, str]]:
        return [(one.change.name, one.change.now, one.by) for one in all_steps(made, found, ME)]

    assert told(read) == [
        ("weight", 1, "pm_oak"),
        ("assignee", True, ME),
        ("weight", 2, ME),
        ("weight", 3, ME),
    ]
    # Without its events the log is all there is.
    assert told(None) == [("weight", 1, ME), ("assignee", True, ME), ("weight", 2, ME), ("weight", 3, ME)]


def test_only_new_lines_of_the_log_are_read() -> None:
    store = SqliteStore(":memory:")
    lines = [line(n, Edit(weight=n % 5), n / 10) for n in range(300)]
    store.settle([], [], lines[:100])
    known = log_since(store, at(5))
    assert known[0].op == "0099"
    assert all(one.at >= at(4) for one in known)
    store.settle([], [], lines[100:120])
    new = newer(store, known)
    assert new is not None
    assert [*new, *known] == log_since(store, at(5))
    # More than are looked at: all are read again.
    store.settle([], [], lines[120:])
    assert newer(store, known) is None
    assert newer(store, []) is None
    assert len(log_since(store, START)) == 300


def test_calls_are_kept_newest_first_and_an_unreadable_one_is_left_out() -> None:
    store = SqliteStore(":memory:")
    first, second = new_call("19.8", START), new_call("19.8", at(60))
    for call in (first, second):
        keep_call(store, call)
    store.keep_record("call:other", b"\xc1 of another version")
    assert kept_calls(store) == [second, first]
