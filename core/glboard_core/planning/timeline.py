"""The state of an issue at any second, replayed from its events (planning rule 6).

Owns the rules of the replay: times are truncated to the second; events of one second are applied together in
the order of their ids (so a state without duration is never seen); a milestone event ``add B`` replaces A;
``remove A`` only clears the milestone if it is A at that moment. Events of different kinds change different
fields, so neither their relative order nor the order of the input matters.

Events are incomplete: GitLab lacks early ones and keeps none of deleted labels. So a field without any event
has always had its current value, a value whose first event removes it was there before, and the server's
current values hold from the last update on.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import groupby

from msgspec import Struct, structs

from glboard_core.model.event import Event, EventKind
from glboard_core.model.issue import Issue


class Moment(Struct, frozen=True, kw_only=True):
    """The issue's state from the second ``at`` (UTC) until the next moment.

    ``weight`` is None both for no weight and for a weight that no event reports.
    """

    at: datetime
    milestone: str | None
    labels: frozenset[str]
    is_open: bool
    weight: int | None

    def planned_in(self, milestone: str, deliverable: str) -> bool:
        """In the milestone and accepted: on the Build Board (rule 15)."""
        return self.milestone == milestone and deliverable in self.labels


class Timeline(Struct, frozen=True):
    """The moments of one issue, oldest first. Before the first one it did not exist."""

    moments: tuple[Moment, ...]

    def at(self, moment: datetime) -> Moment | None:
        """The issue's state at that second, including its events; None before it existed."""
        found = bisect_right(self.moments, cut(moment), key=lambda one: one.at)
        return self.moments[found - 1] if found else None

    def during(self, start: datetime, end: datetime) -> Sequence[Moment]:
        """Every state it had at some second from ``start`` to ``end``, both inclusive."""
        first = max(0, bisect_right(self.moments, cut(start), key=lambda one: one.at) - 1)
        return [one for one in self.moments[first:] if one.at <= cut(end)]

    @property
    def last(self) -> Moment | None:
        """The last state; None if it did not exist yet."""
        return self.moments[-1] if self.moments else None


def cut(moment: datetime) -> datetime:
    """The moment truncated to the second."""
    return moment.replace(microsecond=0)


def timeline(issue: Issue, events: Iterable[Event], *, until: datetime | None = None) -> Timeline:
    """The issue's moments. ``issue`` is the server's current version; moments after ``until`` are left out.

    Pass all known events, including those after ``until``: the first event of a field reveals its value
    before.
    """
    known = sorted(events, key=_order)
    ordered = sorted([*known, *_unsaid_close(issue, known)], key=_order)
    now = _before_all(issue, ordered)
    if ordered:
        # An event can be older than the issue if the issue was imported or moved here.
        now = structs.replace(now, at=min(now.at, cut(ordered[0].at)))
    moments = [now]
    for second, together in groupby(ordered, key=lambda event: cut(event.at)):
        now = structs.replace(now, at=second)
        for event in together:
            now = _after(now, event)
        if moments[-1].at == second:
            moments.pop()
        moments.append(now)
    _agree_with_now(moments, issue)
    if until is not None:
        moments = [moment for moment in moments if moment.at <= cut(until)]
    return Timeline(tuple(moments))


def before_move(original: Issue, events: Iterable[Event]) -> list[Event]:
    """The events of an issue that was moved to another project, up to the move, which closed it.

    They are the history of its copy before it existed.
    """
    moved = cut(original.closed_at or original.updated_at)
    return [one for one in events if cut(one.at) < moved or (cut(one.at) == moved and one.kind != "state")]


def _order(event: Event) -> tuple[datetime, int]:
    return cut(event.at), event.id


def _before_all(issue: Issue, ordered: Sequence[Event]) -> Moment:
    """The issue at its creation: derived from first events, and from fields that no event ever changed."""
    firsts: dict[tuple[EventKind, str | int | None], Event] = {}
    for event in ordered:
        firsts.setdefault((event.kind, event.value if event.kind == "label" else None), event)
    labels = {label for label in issue.labels if ("label", label) not in firsts}
    for (kind, value), event in firsts.items():
        if kind == "label" and event.action == "remove" and isinstance(value, str):
            labels.add(value)
    milestone = issue.milestone
    if (placed := firsts.get(("milestone", None))) is not None:
        milestone = _title(placed) if placed.action == "remove" else None
    stated = firsts.get(("state", None))
    return Moment(
        at=cut(issue.created_at),
        milestone=milestone,
        labels=frozenset(labels),
        is_open=stated is None or stated.action != "reopened",
        weight=None if ("weight", None) in firsts else issue.weight,
    )


def _unsaid_close(issue: Issue, ordered: Sequence[Event]) -> list[Event]:
    """An event for a close that the issue shows but no event reports."""
    states = [event for event in ordered if event.kind == "state"]
    if issue.is_open or (states and states[-1].action == "closed"):
        return []
    at = issue.closed_at or issue.updated_at
    if states:
        at = max(at, states[-1].at + timedelta(seconds=1))
    return [Event(kind="state", action="closed", at=at)]


def _title(event: Event) -> str:
    # A deleted milestone has no title: "" differs from every title, and from None.
    return event.value if isinstance(event.value, str) else ""


def _after(now: Moment, event: Event) -> Moment:
    match event.kind:
        case "label":
            if not isinstance(event.value, str):
                return now
            one = frozenset({event.value})
            return structs.replace(
                now, labels=now.labels | one if event.action == "add" else now.labels - one
            )
        case "milestone":
            if event.action == "add":
                return structs.replace(now, milestone=_title(event))
            return structs.replace(now, milestone=None) if now.milestone == _title(event) else now
        case "state":
            return structs.replace(now, is_open=event.action != "closed")
        case "weight":
            return structs.replace(now, weight=event.value if isinstance(event.value, int) else None)


def _agree_with_now(moments: list[Moment], issue: Issue) -> None:
    """Apply the server's current values from the last update on, whatever events are missing."""
    last = moments[-1]
    so = Moment(
        at=max(last.at, cut(issue.updated_at)),
        milestone=issue.milestone,
        labels=issue.labels,
        is_open=issue.is_open,
        weight=issue.weight,
    )
    if structs.replace(so, at=last.at) == last:
        return
    if so.at == last.at:
        moments.pop()
    moments.append(so)
