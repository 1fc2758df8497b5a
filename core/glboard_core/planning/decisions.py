"""What was decided: many changes of an issue folded to one line each, by kind (planning rule 29).

Owns the fold: for each field the first value before and the last value after; what ends as it began vanishes,
so that undone changes need no rule of their own. Labels and assignees are fields of their own, each there or
not, since several people add and remove them. Also owns the kinds, and the questions that a list leaves open.
Pure: the changes come from the change log (``steps_of``) and from GitLab's events (``steps_between``).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, get_args

from msgspec import Struct

from glboard_core.board.fields import FIELDS
from glboard_core.board.operations import Comment, DeleteNote, Edit, Op, OpId
from glboard_core.board.rules import ready
from glboard_core.config import LabelSettings
from glboard_core.model.event import Event
from glboard_core.model.issue import Issue, IssueId, scope_of, short_reference
from glboard_core.model.milestone import Milestone, by_title
from glboard_core.model.workflow import STATES, WorkflowScheme
from glboard_core.planning.call import CallNote, PlanFigures
from glboard_core.planning.text import number
from glboard_core.planning.timeline import Moment, cut

DecisionKind = Literal["accepted", "deferred", "reweighted", "breakdown", "dropped", "other"]
KINDS: Mapping[DecisionKind, str] = {
    "accepted": "Accepted",
    "deferred": "Deferred",
    "reweighted": "Reweighted",
    "breakdown": "Breakdown requested",
    "dropped": "Dropped",
    "other": "Other",
}
"""The kinds in their order, with their headings."""

ChangedField = Literal[
    "issue", "milestone", "weight", "label", "assignee", "state", "status", "breakdown", "title",
    "description",
]  # fmt: skip
#: In the order in which a line names them.
_ORDER: tuple[ChangedField, ...] = get_args(ChangedField)
#: Milestones without dates that are for later: what goes there is deferred, not dropped.
POSTPONED = ("next-1-3", "next-4-6")
_BREAKDOWN = "planning breakdown"
#: How GitLab calls the statuses of issues that are closed without being done.
_NOT_DONE = ("won't do", "duplicate")


class FieldChange(Struct, frozen=True, kw_only=True):
    """One field, from what to what. ``of`` is the label or the username, which is there or not (True, False).

    ``breakdown`` is the request for one, ``issue`` that there is one.
    """

    name: ChangedField
    of: str = ""
    was: Any = None
    now: Any = None


class FieldStep(Struct, frozen=True, kw_only=True):
    """One change of one field, by one person ("" if unknown)."""

    issue: IssueId
    change: FieldChange
    by: str
    at: datetime


class Decision(Struct, frozen=True, kw_only=True):
    """What became of one issue. ``at`` is when it was last changed, ``issue`` as it was afterwards."""

    issue: Issue
    kind: DecisionKind
    changes: tuple[FieldChange, ...] = ()
    by: tuple[str, ...] = ()
    at: datetime
    note: CallNote | None = None

    def change(self, name: ChangedField) -> FieldChange | None:
        """The change of a field that there is only one of."""
        return next((change for change in self.changes if change.name == name), None)


class DecisionRules(Struct, frozen=True, kw_only=True):
    """What the kinds depend on.

    ``planned`` is the milestone that the decisions are about: what comes into it is not deferred, wherever it
    was. ``postponed`` are milestones without dates that are for later, not dropped. ``weights``: whether the
    server has weights at all.
    """

    names: LabelSettings
    flow: WorkflowScheme
    milestones: Mapping[str, Milestone]
    version: str
    planned: str = ""
    postponed: frozenset[str] = frozenset()
    weights: bool = True

    def is_later(self, was: str | None, now: str | None) -> bool:
        """Whether a milestone is later than the one before: deferred, or slipped."""
        if now == self.planned:
            return False
        if now in self.postponed:
            return self.is_version(was)
        before, after = self.milestones.get(was or ""), self.milestones.get(now or "")
        if not (self.is_version(was) and self.is_version(now) and before and after):
            return False
        return bool(before.start and after.start and before.start < after.start)

    def is_version(self, title: str | None) -> bool:
        """Whether it is a milestone with dates, in which work is planned."""
        found = self.milestones.get(title or "")
        return found is not None and found.is_version(self.version)

    def state_of(self, label: str) -> str:
        """The workflow state that a label stands for, or ""."""
        return next((state.name for state in STATES if self.flow.label(state) == label), "")


def rules_for(
    names: LabelSettings,
    flow: WorkflowScheme,
    milestones: Iterable[Milestone],
    version: str,
    postponed: Iterable[str],
    *,
    planned: str,
    weights: bool,
) -> DecisionRules:
    """The rules with these names, for decisions about the milestone ``planned``."""
    return DecisionRules(
        names=names,
        flow=flow,
        milestones=by_title(milestones),
        version=version,
        planned=planned,
        postponed=frozenset(postponed),
        weights=weights,
    )


# Changes made here


def steps_of(ops: Iterable[Op], by: str, requests: Collection[OpId] = ()) -> Iterator[FieldStep]:
    """The steps of these changes, oldest first. ``requests`` are comments that ask for a breakdown.

    Other comments, and places in the manual order, decide nothing.
    """
    for op in ops:
        for change in _changes(op, requests):
            yield FieldStep(issue=op.issue, change=change, by=by, at=op.at)


def _changes(op: Op, requests: Collection[OpId]) -> Iterator[FieldChange]:
    change, before = op.change, op.before
    if change.creates:
        yield FieldChange(name="issue", was=False, now=True)
    elif isinstance(change, Comment) and op.id in requests:
        yield FieldChange(name="breakdown", was=False, now=True)
    elif isinstance(change, DeleteNote) and change.of in requests:
        yield FieldChange(name="breakdown", was=True, now=False)
    elif isinstance(change, Edit) and before is not None:
        yield from _differences(before, change.apply(before))
        if change.description_change is not None:
            was, now = change.description_change
            yield FieldChange(name="description", was=was, now=now)


def _differences(before: Issue, after: Issue) -> Iterator[FieldChange]:
    for field in FIELDS:
        if field.name != "assignees" and field.differs_in(before, after):
            was, now = getattr(before, field.name), getattr(after, field.name)
            yield FieldChange(name=field.name, was=was, now=now)  # type: ignore[arg-type]
    yield from _there("label", before.labels, after.labels)
    yield from _there("assignee", _people(before), _people(after))


def _people(issue: Issue) -> frozenset[str]:
    # Case means nothing to GitLab.
    return frozenset(name.casefold() for name in issue.assignees)


def _there(
    name: Literal["label", "assignee"], before: frozenset[str], after: frozenset[str]
) -> Iterator[FieldChange]:
    for one in sorted(before ^ after):
        yield FieldChange(name=name, of=one, was=one in before, now=one in after)


# Changes by everyone, from events


def steps_between(
    issue: IssueId,
    was: Moment | None,
    now: Moment | None,
    events: Iterable[Event],
    since: datetime,
    until: datetime | None,
    deliverable: str,
) -> Iterator[FieldStep]:
    """What differs between two moments of an issue, each field with all who changed it in between.

    A difference without events has no author. Of a new issue only its weight and whether it is accepted
    count: the rest is how it was created.
    """
    if now is None:
        return
    last = cut(until) if until is not None else None
    told = [one for one in events if cut(since) < cut(one.at) and (last is None or cut(one.at) <= last)]
    told.sort(key=lambda event: (cut(event.at), event.id))
    for change in _moved(was, now, deliverable):
        own = [event for event in told if _concerns(event, change)]
        # Each has the whole difference: what was in between does not matter, only who was at it.
        for by, at in [(event.by, event.at) for event in own] or [("", now.at)]:
            yield FieldStep(issue=issue, change=change, by=by, at=at)


def _moved(was: Moment | None, now: Moment, deliverable: str) -> Iterator[FieldChange]:
    if was is None:
        yield FieldChange(name="issue", was=False, now=True)
        if now.weight is not None:
            yield FieldChange(name="weight", was=None, now=now.weight)
        yield from _there("label", frozenset(), now.labels & {deliverable})
        return
    if was.milestone != now.milestone:
        yield FieldChange(name="milestone", was=was.milestone, now=now.milestone)
    if was.weight != now.weight:
        yield FieldChange(name="weight", was=was.weight, now=now.weight)
    if was.is_open != now.is_open:
        states = {True: "opened", False: "closed"}
        yield FieldChange(name="state", was=states[was.is_open], now=states[now.is_open])
    yield from _there("label", was.labels, now.labels)


def _concerns(event: Event, change: FieldChange) -> bool:
    return event.kind == change.name and (event.kind != "label" or event.value == change.of)


#: What events tell; the rest is known of our own changes only.
TOLD_BY_EVENTS: frozenset[ChangedField] = frozenset({"milestone", "weight", "state", "label"})


# The fold


def decisions(
    steps: Iterable[FieldStep],
    issue_of: Callable[[IssueId], Issue | None],
    rules: DecisionRules,
    notes: Iterable[CallNote] = (),
) -> list[Decision]:
    """One decision for each issue that is not as it was, and for each with a note; by kind, then time.

    ``steps`` are in the order in which they were done. Issues that are not known any longer are left out.
    """
    noted = {note.issue: note for note in notes}
    found: list[Decision] = []
    for identity, own in _by_issue(steps).items():
        changes, last = _net(own)
        issue = issue_of(identity)
        if issue is None or not changes:
            continue
        found.append(
            Decision(
                issue=issue,
                kind=_kind(changes, rules),
                changes=changes,
                by=tuple(dict.fromkeys(step.by for step in last if step.by)),
                at=max(step.at for step in last),
                note=noted.pop(identity, None),
            )
        )
    found += [
        Decision(issue=issue, kind="other", at=note.at, note=note)
        for note in noted.values()
        # An open question is listed as one.
        if not note.asks and (issue := issue_of(note.issue)) is not None
    ]
    order = list(KINDS)
    return sorted(found, key=lambda one: (order.index(one.kind), one.at, one.issue.reference))


def _by_issue(steps: Iterable[FieldStep]) -> dict[IssueId, list[FieldStep]]:
    found: dict[IssueId, list[FieldStep]] = {}
    for step in steps:
        found.setdefault(step.issue, []).append(step)
    return found


def _net(steps: Sequence[FieldStep]) -> tuple[tuple[FieldChange, ...], list[FieldStep]]:
    """The fields that differ in the end, and the steps that changed them."""
    fields: dict[tuple[ChangedField, str], list[FieldStep]] = {}
    for step in steps:
        fields.setdefault((step.change.name, step.change.of), []).append(step)
    net: list[FieldChange] = []
    left: list[FieldStep] = []
    for (name, of), own in fields.items():
        was, now = own[0].change.was, own[-1].change.now
        if was != now:
            net.append(FieldChange(name=name, of=of, was=was, now=now))
            left += own
    by_name = {change.name: change for change in net}
    if "issue" in by_name and (state := by_name.get("state")) is not None and state.now == "closed":
        return (), []  # created and closed again, which is how its creation is undone
    left.sort(key=lambda step: step.at)
    return tuple(sorted(net, key=lambda one: (_ORDER.index(one.name), one.of))), left


# The kinds


def _kind(changes: Sequence[FieldChange], rules: DecisionRules) -> DecisionKind:
    one = {change.name: change for change in changes}
    labels = {change.of: bool(change.now) for change in changes if change.name == "label"}
    milestone, state = one.get("milestone"), one.get("state")
    if labels.get(rules.names.deliverable):
        return "accepted"
    if "issue" in one:
        return "other"
    if state is not None and state.now == "closed" and _is_not_done(one.get("status"), labels, rules):
        return "dropped"
    if milestone is not None:
        if rules.is_later(milestone.was, milestone.now):
            return "deferred"
        if rules.is_version(milestone.was) and not rules.is_version(milestone.now):
            return "dropped"
    if "breakdown" in one or _asks_for_breakdown(one.get("status"), labels, rules):
        return "breakdown"
    return "reweighted" if "weight" in one else "other"


def _is_not_done(status: FieldChange | None, labels: Mapping[str, bool], rules: DecisionRules) -> bool:
    if status is not None and str(status.now).casefold() in _NOT_DONE:
        return True
    return any(labels.get(label) for label in (*rules.names.wont_do, *rules.names.duplicate))


def _asks_for_breakdown(status: FieldChange | None, labels: Mapping[str, bool], rules: DecisionRules) -> bool:
    if status is not None and str(status.now).casefold() == _BREAKDOWN:
        return True
    return any(there and rules.state_of(label) == _BREAKDOWN for label, there in labels.items())


# In words


def change_words(
    changes: Iterable[FieldChange], rules: DecisionRules, *, without: Collection[str] = ()
) -> list[str]:
    """Each change as text; ``without`` are names of fields, and of labels, that are shown elsewhere."""
    some = [change for change in changes if change.name not in without and change.of not in without]
    removed = {
        scope: change
        for change in some
        if change.name == "label" and change.was and (scope := scope_of(change.of)) is not None
    }
    people = [change for change in some if change.name == "assignee"]
    handed = [one.of for one in sorted(people, key=lambda one: bool(one.now))]
    words: list[str] = []
    for change in some:
        if change.name == "assignee" and len(people) == 2 and people[0].now != people[1].now:
            if change.now:
                words.append(f"@{handed[0]} to @{handed[1]}")
            continue
        pair = removed.get(scope_of(change.of) or "") if change.name == "label" else None
        if pair is None:
            words.append(_words(change, rules))
        elif change.now:
            words.append(f"{_short_label(pair.of, rules)} to {_short_label(change.of, rules)}")
        elif not any(one.now and scope_of(one.of) == scope_of(change.of) for one in some):
            words.append(_words(change, rules))
    return words


def _short_label(label: str, rules: DecisionRules) -> str:
    return rules.state_of(label) or label


def _words(change: FieldChange, rules: DecisionRules) -> str:
    match change.name:
        case "weight":
            if change.was is None:
                return f"weight {change.now}"
            return f"weight {change.was} to {'none' if change.now is None else change.now}"
        case "milestone":
            return f"{change.was or 'no milestone'} to {change.now or 'no milestone'}"
        case "state":
            return "closed" if change.now == "closed" else "reopened"
        case "status":
            return f"status {change.was or 'none'} to {change.now or 'none'}"
        case "label":
            return f"{'+' if change.now else '-'}{_short_label(change.of, rules)}"
        case "assignee":
            return f"{'assigned' if change.now else 'unassigned'} @{change.of}"
        case "breakdown":
            return "breakdown requested"
        case "issue":
            return "new issue"
        case "title" | "description":
            return change.name


def said_short(decision: Decision, rules: DecisionRules) -> str:
    """What was decided in a few words, for a line on screen."""
    if decision.kind != "accepted":
        gone = {rules.names.deliverable} if decision.kind in ("deferred", "dropped") else set[str]()
        return ", ".join(change_words(decision.changes, rules, without=gone))
    issue, weighed = decision.issue, decision.change("weight")
    weight = "no weight" if issue.weight is None else f"weight {issue.weight}"
    if weighed is not None and weighed.was is not None:
        weight += f" (was {weighed.was})"
    people = " ".join(f"@{name}" for name in issue.assignees) or "unassigned"
    without = {rules.names.deliverable, "assignee", "weight"}
    return ", ".join([people, weight, *change_words(decision.changes, rules, without=without)])


# What a list leaves open


def open_questions(
    found: Sequence[Decision],
    milestone: str,
    after: PlanFigures | None,
    rules: DecisionRules,
    notes: Iterable[CallNote] = (),
    typed: Sequence[str] = (),
) -> list[str]:
    """What is still open: accepted too early, over capacity, notes that ask, and questions as typed.

    Of a confidential issue only the reference is told, but for what a person noted.
    """
    questions: list[str] = []
    for one in found:
        if one.kind != "accepted" or not one.issue.is_open:
            continue
        lacks = []
        if rules.weights and one.issue.weight is None:
            lacks.append("without a weight")
        if not one.issue.assignees:
            lacks.append("without an assignee")
        unready = not ready(one.issue, rules.flow, rules.names, weights=False)
        if one.issue.confidential and (lacks or unready):
            questions.append(f"{one.issue.reference}: accepted, but not complete")
        elif lacks or unready:
            words = " and ".join(lacks)
            state = rules.flow.of(one.issue)
            why = f"not ready ({state.name if state is not None else 'no state'})" if unready else ""
            questions.append(
                f"{one.issue.reference}: accepted {words}{', ' if words and why else ''}{why}"
                if words
                else f"{one.issue.reference}: accepted, but {why}"
            )
    free = after.free if after is not None else None
    if free is not None and free < 0:
        questions.append(f"{milestone} is {number(-free)}w over capacity")
    questions += [f"{note.reference}: {note.text}" for note in notes if note.asks]
    return [*questions, *typed]


def short_question(question: str) -> str:
    """A question with a short reference, for the screen."""
    reference, colon, rest = question.partition(": ")
    return f"{short_reference(reference)}: {rest}" if colon and "#" in reference else question
