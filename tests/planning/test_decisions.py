"""Decisions: changes fold to the difference between start and end; each has its kind; what stays open."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glboard_core.board.operations import (
    Change,
    Comment,
    Create,
    Edit,
    GroupId,
    NoteWrite,
    Op,
    OpId,
    Rank,
)
from glboard_core.config import LabelSettings
from glboard_core.model.event import Event
from glboard_core.model.issue import Issue, IssueId
from glboard_core.model.workflow import WorkflowScheme
from glboard_core.planning.call import CallNote, PlanFigures
from glboard_core.planning.decisions import (
    Decision,
    DecisionRules,
    change_words,
    decisions,
    open_questions,
    rules_for,
    said_short,
    short_question,
    steps_between,
    steps_of,
)
from glboard_core.planning.timeline import timeline
from support import make

ME = "em_maple"
START = datetime(2026, 12, 7, 14, 0, tzinfo=UTC)
READY = "workflow::ready for development"
NAMES = LabelSettings()
RULES: DecisionRules = rules_for(
    NAMES,
    WorkflowScheme(),
    make.MILESTONES,
    r"^\d+\.\d+$",
    ["Next 1-3 releases"],
    planned="19.8",
    weights=True,
)


class Desk:
    """One person who edits issues and undoes it: what the change log would hold."""

    def __init__(self, *issues: Issue) -> None:
        self.start = {issue.id: issue for issue in issues}
        self.now = dict(self.start)
        self.ops: list[Op] = []
        self._undo: list[Op] = []
        self._redo: list[Change] = []

    def do(self, change: Change, number: int = 1) -> Op:
        op = self._perform(make.issue_id(number), change)
        self._undo.append(op)
        return op

    def _perform(self, issue: IssueId, change: Change) -> Op:
        count = len(self.ops)
        before = self.now.get(issue)
        op = Op(
            id=OpId(f"{count:04}"),
            group=GroupId(f"g{count}"),
            issue=issue,
            change=change,
            at=START + timedelta(seconds=count),
            before=before,
        )
        self.ops.append(op)
        if before is not None:
            self.now[issue] = change.apply(before)
        elif (new := change.new_issue(issue, op.at)) is not None:
            self.now[issue] = new
        return op

    def undo(self) -> None:
        if self._undo:
            op = self._undo.pop()
            if (back := op.change.inverse(op.before, op.id)) is not None:
                self._perform(op.issue, back)

    def decided(self, **more: Any) -> list[Decision]:
        requests = more.pop("requests", ())
        return decisions(steps_of(self.ops, ME, requests), self.now.get, RULES, **more)

    def one(self, **more: Any) -> Decision:
        [found] = self.decided(**more)
        return found


def words(decision: Decision) -> list[str]:
    return change_words(decision.changes, RULES)


# The fold

_edits = st.one_of(
    st.builds(lambda weight: Edit(weight=weight), st.none() | st.integers(0, 5)),
    st.builds(lambda title: Edit(milestone=title), st.sampled_from([None, "19.8", "19.9", "Backlog"])),
    st.builds(lambda add, remove: Edit(add=add, remove=remove - add), make.label_sets, make.label_sets),
    st.builds(
        lambda on, off: Edit(assign=on, unassign=off - on),
        st.frozensets(make.usernames, max_size=2),
        st.frozensets(make.usernames, max_size=2),
    ),
    st.builds(lambda state: Edit(state=state), st.sampled_from(["opened", "closed"])),
    st.builds(lambda title: Edit(title=title), st.sampled_from(["One", "Two"])),
)
_acts = st.lists(st.none() | st.tuples(st.integers(1, 3), _edits), max_size=25)


@given(_acts, st.tuples(make.issues(1), make.issues(2), make.issues(3)))
def test_any_edits_and_undos_fold_to_the_difference_between_start_and_end(
    acts: Sequence[tuple[int, Edit] | None], issues: tuple[Issue, ...]
) -> None:
    desk = Desk(*issues)
    for act in acts:
        if act is None:
            desk.undo()
        else:
            desk.do(act[1], act[0])
    found = {one.issue.id: one for one in desk.decided()}
    for identity, before in desk.start.items():
        after = desk.now[identity]
        expected: dict[tuple[str, str], tuple[object, object]] = {
            (name, ""): (getattr(before, name), getattr(after, name))
            for name in ("weight", "milestone", "state", "status", "title")
            if getattr(before, name) != getattr(after, name)
            # Blanks around a title mean nothing to GitLab.
            and (name != "title" or before.title.strip() != after.title.strip())
        }
        for name, was, now in (
            ("label", before.labels, after.labels),
            ("assignee", frozenset(before.assignees), frozenset(after.assignees)),
        ):
            expected |= {(name, one): (one in was, one in now) for one in was ^ now}
        got = {
            (change.name, change.of): (change.was, change.now)
            for change in (found[identity].changes if identity in found else ())
        }
        assert got == expected


@given(st.lists(st.tuples(st.integers(1, 3), _edits), max_size=12), st.tuples(make.issues(1)))
def test_all_undone_leaves_no_decision(acts: Sequence[tuple[int, Edit]], issues: tuple[Issue, ...]) -> None:
    # Without two labels of one scope, which undo cannot restore.
    desk = Desk(*(make.issue(number) for number in (1, 2, 3)))
    for number, edit in acts:
        desk.do(edit, number)
    for _ in acts:
        desk.undo()
    assert desk.decided() == []


def test_several_changes_are_one_from_first_to_last() -> None:
    desk = Desk(make.issue(1, weight=1))
    for weight in (2, 5, 3):
        desk.do(Edit(weight=weight))
    found = desk.one()
    assert (found.kind, words(found), found.by) == ("reweighted", ["weight 1 to 3"], (ME,))
    desk.do(Edit(weight=1))
    assert desk.decided() == []


def test_what_others_did_in_between_is_not_mine() -> None:
    desk = Desk(make.issue(1))
    desk.do(Edit(assign=frozenset({"eng_alder"})))
    # Someone else assigns a second person, and the first one is undone.
    desk.now[make.issue_id(1)] = make.issue(1, assignees=("eng_alder", "eng_birch"))
    desk.do(Edit(unassign=frozenset({"eng_alder"})))
    assert desk.decided() == []


def test_places_comments_and_the_posted_list_decide_nothing() -> None:
    desk = Desk(make.issue(1))
    desk.do(Rank(position=1.0))
    desk.do(Comment(body="hello"))
    desk.do(NoteWrite(mark="decisions 19.8", body="list"))
    assert desk.decided() == []


def test_a_new_issue_that_was_closed_again_is_none() -> None:
    desk = Desk()
    desk.do(Create(project=make.PROJECT, title="New"))
    assert words(desk.one()) == ["new issue"]
    desk.do(Edit(weight=2))
    assert words(desk.one()) == ["new issue", "weight 2"]
    desk.undo()
    desk.undo()
    assert desk.decided() == []


# The kinds


@pytest.mark.parametrize(
    ("issue", "edit", "kind", "said"),
    [
        (
            make.issue(1, READY, "type::bug", weight=3, milestone="19.8"),
            Edit(add=frozenset({"Deliverable"}), assign=frozenset({"eng_birch"})),
            "accepted",
            "@eng_birch, weight 3",
        ),
        (
            make.issue(1, "Deliverable", weight=3, milestone="19.8"),
            Edit(milestone="19.9", remove=frozenset({"Deliverable"})),
            "deferred",
            "19.8 to 19.9",
        ),
        (
            make.issue(1, milestone="19.6"),
            Edit(milestone="19.7", add=frozenset({"missed:19.6"})),
            "deferred",
            "19.6 to 19.7, +missed:19.6",
        ),
        (make.issue(1, milestone="19.7"), Edit(milestone="19.8"), "other", "19.7 to 19.8"),
        (
            make.issue(1, milestone="19.8"),
            Edit(milestone="Next 1-3 releases"),
            "deferred",
            "19.8 to Next 1-3 releases",
        ),
        (make.issue(1, milestone="19.8"), Edit(milestone="Backlog"), "dropped", "19.8 to Backlog"),
        (make.issue(1, milestone="19.8"), Edit(milestone=None), "dropped", "19.8 to no milestone"),
        (
            make.issue(1),
            Edit(state="closed", status="Won't do"),
            "dropped",
            "closed, status none to Won't do",
        ),
        (make.issue(1, weight=5), Edit(weight=2), "reweighted", "weight 5 to 2"),
        (make.issue(1), Edit(weight=2), "reweighted", "weight 2"),
        (make.issue(1, weight=5), Edit(weight=None), "reweighted", "weight 5 to none"),
        (
            make.issue(1, "workflow::design", weight=8),
            Edit(add=frozenset({"workflow::planning breakdown"}), weight=None),
            "breakdown",
            "weight 8 to none, design to planning breakdown",
        ),
        (make.issue(1, milestone="19.9"), Edit(milestone="19.8"), "other", "19.9 to 19.8"),
        (make.issue(1), Edit(milestone="Backlog"), "other", "no milestone to Backlog"),
        (make.issue(1, "Deliverable"), Edit(remove=frozenset({"Deliverable"})), "other", "-Deliverable"),
        (make.issue(1), Edit(state="closed"), "other", "closed"),
        (
            make.issue(1, assignees=("eng_birch",)),
            Edit(assign=frozenset({"eng_alder"}), unassign=frozenset({"eng_birch"})),
            "other",
            "@eng_birch to @eng_alder",
        ),
        (make.issue(1), Edit(assign=frozenset({"a", "b"})), "other", "assigned @a, assigned @b"),
        (
            make.issue(1, "priority::2"),
            Edit(add=frozenset({"priority::1"})),
            "other",
            "priority::2 to priority::1",
        ),
    ],
)
def test_each_decision_has_its_kind(issue: Issue, edit: Edit, kind: str, said: str) -> None:
    desk = Desk(issue)
    desk.do(edit)
    found = desk.one()
    assert (found.kind, said_short(found, RULES)) == (kind, said)


def test_a_request_for_a_breakdown_counts_also_without_another_state() -> None:
    desk = Desk(make.issue(1, "workflow::planning breakdown"))
    comment = desk.do(Comment(body="@eng_alder please break this down"))
    assert desk.one(requests={comment.id}).kind == "breakdown"
    desk.undo()
    assert desk.decided(requests={comment.id}) == []


def test_accepted_and_reweighted_is_one_line_with_the_weight_before() -> None:
    desk = Desk(make.issue(1, READY, "type::bug", weight=5, milestone="19.8", assignees=("eng_alder",)))
    desk.do(Edit(weight=3))
    desk.do(Edit(add=frozenset({"Deliverable"})))
    assert said_short(desk.one(), RULES) == "@eng_alder, weight 3 (was 5)"


def test_they_are_listed_by_kind_then_by_time() -> None:
    desk = Desk(*(make.issue(n, milestone="19.8", weight=1) for n in range(1, 6)))
    desk.do(Edit(milestone="Backlog"), 1)
    desk.do(Edit(weight=2), 2)
    desk.do(Edit(milestone="19.9"), 5)
    desk.do(Edit(milestone="19.9"), 4)
    desk.do(Edit(add=frozenset({"Deliverable"})), 3)
    assert [one.issue.iid for one in desk.decided()] == [3, 5, 4, 2, 1]


# By everyone, from events


def event(kind: Any, action: Any, value: Any, second: int, by: str = "pm_oak") -> Event:
    return Event(
        kind=kind, action=action, value=value, at=START + timedelta(seconds=second), by=by, id=second + 100
    )


def told(issue: Issue, *events: Event, since: int = 0, until: int = 60) -> list[Decision]:
    first, last = START + timedelta(seconds=since), START + timedelta(seconds=until)
    line = timeline(issue, events)
    steps = steps_between(issue.id, line.at(first), line.at(last), events, first, last, "Deliverable")
    return decisions(steps, {issue.id: issue}.get, RULES)


def old(number: int, *labels: str, **fields: Any) -> Issue:
    when = START - timedelta(days=30)
    return make.issue(number, *labels, created_at=when, updated_at=when, **fields)


def test_events_tell_what_colleagues_decided_and_who() -> None:
    [found] = told(
        old(1, "Deliverable", milestone="19.8", weight=3),
        event("milestone", "add", "19.8", -100),
        event("weight", "add", 5, -90),
        event("weight", "add", 2, 5, by="eng_alder"),
        event("label", "add", "Deliverable", 20, by="em_maple"),
        event("weight", "add", 3, 30, by="eng_birch"),
    )
    assert found.kind == "accepted"
    assert found.by == ("eng_alder", "em_maple", "eng_birch")
    assert said_short(found, RULES) == "unassigned, weight 3 (was 5)"
    assert found.at == START + timedelta(seconds=30)


def test_events_that_cancel_out_or_are_outside_tell_nothing() -> None:
    issue = old(1, milestone="19.8", weight=2)
    events = (
        event("weight", "add", 2, -90),
        event("weight", "add", 3, 5),
        event("weight", "add", 2, 6),
        event("label", "add", "documentation", 7),
        event("label", "remove", "documentation", 8),
    )
    assert told(issue, *events) == []
    assert told(issue, *events, event("milestone", "add", "19.8", -50), since=10) == []


def test_a_new_issue_is_new_and_perhaps_accepted() -> None:
    when = START + timedelta(seconds=5)
    plain = make.issue(1, "type::bug", created_at=when, updated_at=when, weight=2)
    assert [words(one) for one in told(plain)] == [["new issue", "weight 2"]]
    accepted = make.issue(1, "Deliverable", created_at=when, updated_at=when)
    assert [one.kind for one in told(accepted)] == ["accepted"]


# Notes and open questions


def note(number: int, text: str) -> CallNote:
    return CallNote(issue=make.issue_id(number), reference=f"demo-org/platform#{number}", text=text, at=START)


def test_notes_go_with_their_decision_or_alone() -> None:
    desk = Desk(make.issue(1), make.issue(2), make.issue(3))
    desk.do(Edit(weight=2))
    found = desk.decided(notes=[note(1, "Cheap."), note(2, "Later."), note(3, "Who?"), note(4, "Gone.")])
    assert [(one.issue.iid, one.note.text if one.note else "") for one in found] == [
        (1, "Cheap."),
        (2, "Later."),
    ]


def test_what_stays_open() -> None:
    accept = Edit(add=frozenset({"Deliverable"}))
    desk = Desk(
        make.issue(1, READY, "type::bug", milestone="19.8", assignees=("eng_alder",)),
        make.issue(2, "type::bug", "workflow::design", weight=1, milestone="19.8", assignees=("eng_alder",)),
        make.issue(3, READY, "type::bug", weight=1, milestone="19.8", assignees=("eng_alder",)),
        make.issue(4, weight=1, milestone="19.8", confidential=True),
    )
    for number in (1, 2, 3, 4):
        desk.do(accept, number)
    over = PlanFigures(planned=12, accepted=4, unweighted=0, total=10.0, carried=1.0)
    found = open_questions(
        desk.decided(), "19.8", over, RULES, [note(3, "Who reviews?"), note(1, "Fine.")], ["A date?"]
    )
    assert found == [
        "demo-org/platform#1: accepted without a weight",
        "demo-org/platform#2: accepted, but not ready (design)",
        "demo-org/platform#4: accepted, but not complete",
        "19.8 is 3w over capacity",
        "demo-org/platform#3: Who reviews?",
        "A date?",
    ]
    assert short_question(found[0]) == "platform#1: accepted without a weight"
    assert short_question("Shall we: go?") == "Shall we: go?"
