"""Where decisions come from: the change log and the outbox of this machine, and GitLab's events.

Owns which of our own changes count, and how they go together with events: events tell the labels, milestones,
weights and states of everyone, our own log the rest (assignees, requests for a breakdown), what is not sent
yet, and what was sent after the events were read. Calls are kept in the store (``planning/call.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

import msgspec
from msgspec import Struct, structs

from glboard_core.board.operations import Comment, DeleteNote, NoteWrite, Op, OpId
from glboard_core.board.renamed import op_now
from glboard_core.board.use_cases import BREAKDOWN
from glboard_core.config import LabelSettings
from glboard_core.model.catalog import Catalog
from glboard_core.model.event import EventKind
from glboard_core.model.issue import Issue, IssueId
from glboard_core.model.renames import since as renames_since
from glboard_core.planning.call import Call, PlanFigures, newest_first
from glboard_core.planning.decisions import (
    TOLD_BY_EVENTS,
    DecisionRules,
    FieldStep,
    decisions,
    steps_between,
    steps_of,
)
from glboard_core.planning.decisions_text import DecisionList
from glboard_core.planning.events_needed import Look
from glboard_core.planning.readiness import counts
from glboard_core.planning.say_do import Track
from glboard_core.ports import MADE, WAITS, Logged, Store
from glboard_core.report_issues import Progress
from glboard_core.reports import Reports
from glboard_core.store.report_tables import decoded

#: Names of calls in the store start so.
CALL = "call:"
#: Calls that are offered.
MOST_CALLS = 20
#: Lines of the log read first; four times as many until the start is reached.
_FIRST = 64
#: How far clocks of log, outbox and events may differ.
_SLACK = timedelta(seconds=60)
_READ: frozenset[EventKind] = frozenset({"milestone", "label", "weight", "state"})

_call = msgspec.msgpack.Decoder(Call)


# Calls


def kept_calls(store: Store) -> list[Call]:
    """The calls in the store, newest first; what another version wrote is left out. Raises StoreFailed."""
    found = (decoded(_call, value) for value in store.records(CALL).values())
    return list(newest_first(call for call in found if call is not None))


def keep_call(store: Store, call: Call) -> None:
    """Store a call: on disk before this returns. Raises StoreFailed."""
    store.keep_record(CALL + call.id, msgspec.msgpack.encode(call))


# Our own changes


class MadeHere(Struct, frozen=True, kw_only=True):
    """A change that was made on this machine. ``settled`` is when GitLab answered; None if it waits."""

    op: Op
    title: str
    settled: datetime | None

    @property
    def requests_breakdown(self) -> bool:
        """Whether it is the comment of a request for a breakdown."""
        return isinstance(self.op.change, Comment) and self.title.endswith(BREAKDOWN)


def log_since(store: Store, since: datetime) -> list[Logged]:
    """The lines of the log since a moment, newest first; no more of them are read than needed."""
    limit = _FIRST
    while True:
        lines = store.log(limit)
        if len(lines) < limit or lines[-1].at < since - _SLACK:
            return [line for line in lines if line.at >= since - _SLACK]
        limit *= 4


def newer(store: Store, known: Sequence[Logged]) -> list[Logged] | None:
    """The lines since the newest of those known, newest first; None if it is not among the last ones."""
    last = store.log(_FIRST)
    if not known:
        return None
    newest = (known[0].op, known[0].result, known[0].at)
    at = next((n for n, line in enumerate(last) if (line.op, line.result, line.at) == newest), None)
    return list(last[:at]) if at is not None else None


def made_here(
    lines: Iterable[Logged], since: datetime, until: datetime | None, catalog: Catalog | None = None
) -> list[MadeHere]:
    """The changes from ``since`` to ``until`` that were done or wait, oldest first, with present names.

    An undo is a change like others. One that came after ``until`` still takes what it undid out of the list.
    """
    found: dict[OpId, MadeHere] = {}
    undone: set[OpId] = set()
    now = renames_since(catalog) if catalog is not None and catalog.former else None
    for line in lines:
        op = line.change
        if line.result == "undone" and until is not None and line.at > until:
            undone.add(op.id)
        if op.at < since or (until is not None and op.at > until) or op.id in found:
            continue
        if line.result in MADE or line.result == WAITS:
            settled = line.at if line.result != WAITS else None
            op = op_now(op, now) if now is not None else op
            found[op.id] = MadeHere(op=op, title=line.title, settled=settled)
    return [found[op] for op in sorted(found) if op not in undone]


def issues_after(made: Iterable[MadeHere]) -> dict[IssueId, Issue]:
    """The issues as they were after the last of these changes."""
    return {one.op.issue: one.op.change.apply(one.op.before) for one in made if one.op.before is not None}


# The comment


PostResult = Literal["posted", "waits", "failed"]


class PostedComment(Struct, frozen=True, kw_only=True):
    """What became of the comment with the decisions: ``posted`` at a time, ``failed``, or it still waits."""

    result: PostResult
    at: datetime


def posted_comment(lines: Iterable[Logged], mark: str) -> PostedComment | None:
    """What became of the comment with this mark, from the log, newest first; None if there is none.

    One that was withdrawn before it was sent, undone or discarded is as if it had never been written.
    """
    gone: set[OpId] = set()
    for line in lines:
        change = line.change.change
        if not isinstance(change, NoteWrite | DeleteNote) or change.mark != mark or line.op in gone:
            continue
        if line.result in ("undone", "dropped"):
            gone.add(line.op)
        elif isinstance(change, NoteWrite):
            result: PostResult = "waits" if line.result == WAITS else "failed"
            return PostedComment(result="posted" if line.result in MADE else result, at=line.at)
        elif line.result != "failed":
            return None
    return None


# Everyone's changes


class ReadChanges(Struct, frozen=True, kw_only=True):
    """What events tell of the issues of a milestone, as read at ``read_at``.

    ``complete`` are those whose events could be read. ``before`` and ``after`` are the plan at both ends.
    """

    read_at: datetime
    steps: tuple[FieldStep, ...]
    issues: Mapping[IssueId, Issue]
    complete: frozenset[IssueId]
    before: PlanFigures
    after: PlanFigures
    unread: tuple[str, ...] = ()


async def read_changes(
    reports: Reports,
    milestone: str,
    since: datetime,
    until: datetime | None = None,
    progress: Progress | None = None,
) -> ReadChanges:
    """What everyone changed of the issues that were in a milestone. Raises what reading raises."""
    read_at = reports.engine.gateway.now()
    # Histories know whole seconds: what was changed in the second of the start counts.
    since -= timedelta(seconds=1)
    # Up to now means all there is: a clock that is a second behind must not cut off the last one.
    end = min(filter(None, (until, reports.as_of)), default=None)
    names = reports.settings.labels
    look = Look(_READ, since, end or read_at + timedelta(days=1))
    tracks = await reports.past(milestone, (look,), progress=progress)
    unread = frozenset(reports.unread)
    steps: list[FieldStep] = []
    for issue, line in tracks:
        steps += steps_between(
            issue.id,
            line.at(since),
            line.at(end) if end is not None else line.last,
            reports.events.get(issue.id, ()),
            since,
            end,
            names.deliverable,
        )
    return ReadChanges(
        read_at=read_at,
        steps=tuple(steps),
        issues={issue.id: issue for issue, _ in tracks},
        complete=frozenset(issue.id for issue, _ in tracks if issue.reference not in unread),
        before=_plan_at(tracks, milestone, since, names),
        after=_plan_at(tracks, milestone, end, names),
        unread=reports.unread,
    )


def _plan_at(
    tracks: Iterable[Track], milestone: str, at: datetime | None, names: LabelSettings
) -> PlanFigures:
    planned = accepted = unweighted = 0
    for issue, line in tracks:
        then = line.at(at) if at is not None else line.last
        if then is None or not then.is_open or then.milestone != milestone:
            continue
        if not counts(structs.replace(issue, labels=then.labels), names):
            continue
        weight = then.weight or 0
        planned += weight
        accepted += weight if names.deliverable in then.labels else 0
        unweighted += then.weight is None
    return PlanFigures(planned=planned, accepted=accepted, unweighted=unweighted)


# Both together


Known = dict[OpId, tuple[Op, list[FieldStep]]]
"""The steps of changes as computed before: a call is counted again after every key."""


def all_steps(
    made: Sequence[MadeHere], read: ReadChanges | None, me: str, known: Known | None = None
) -> Iterator[FieldStep]:
    """The steps of everyone, in an order in which the last one of a field is the present one."""
    cached = known if known is not None else {}
    requests = {one.op.id for one in made if one.requests_breakdown}
    if read is not None:
        yield from read.steps
    for one in made:
        told = read is not None and one.op.issue in read.complete
        later = read is None or one.settled is None or one.settled > read.read_at
        if (found := cached.get(one.op.id)) is None or found[0] is not one.op:
            found = cached[one.op.id] = one.op, list(steps_of([one.op], me, requests))
        for step in found[1]:
            if later or not told or step.change.name not in TOLD_BY_EVENTS:
                yield step


def decision_list(
    call: Call,
    made: Sequence[MadeHere],
    read: ReadChanges | None,
    issue_of: Callable[[IssueId], Issue | None],
    rules: DecisionRules,
    *,
    me: str,
    before: PlanFigures | None,
    after: PlanFigures | None,
    until: datetime | None = None,
    person: str = "",
    whole: bool = True,
    steps: Known | None = None,
) -> DecisionList:
    """The list of a call, or of a span without one; of one ``person`` if named.

    Unless ``whole``, our own changes count only of issues that were in the milestone.
    """
    known = read.issues if read is not None else {}
    if not whole:
        made = [one for one in made if one.op.issue in known]

    def found(issue: IssueId) -> Issue | None:
        return issue_of(issue) or known.get(issue)

    listed = decisions(all_steps(made, read, me, steps), found, rules, call.notes)
    if person:
        listed = [one for one in listed if person in one.by]
    hidden = (note for note in call.notes if (one := found(note.issue)) is None or one.confidential)
    return DecisionList(
        milestone=call.milestone,
        since=call.started,
        until=until,
        is_call=call.is_call,
        rules=rules,
        decisions=tuple(listed),
        notes=call.notes,
        questions=call.questions,
        before=before,
        after=after,
        person=person,
        confidential_notes=sum(1 for _ in hidden),
    )
