"""The milestone report behind burnup charts: daily scope and completion, rebuilt from events.

Like GitLab's it lists no issues, needs both dates and a licence, and is limited to what may be seen.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from glboard_core.demo.graphql.context import Context, Info, context_of
from glboard_core.demo.world.clock import moment
from glboard_core.demo.world.records import Event, Issue, Milestone

_EVENT_LIMIT = 50_000


def _failed(code: str, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}, "stats": None, "burnupTimeSeries": None}


def _involved(context: Context, milestone: Milestone) -> list[Issue]:
    """Issues that are in the milestone, or may have been: those that slipped out of it carry its label, and
    those somebody touched have a history."""
    world = context.world
    found: set[Issue] = {
        one for one in world.index.with_milestone(milestone.title) if one.milestone is milestone
    }
    found |= world.index.with_label(f"missed:{milestone.title}")
    for issue in world.index.issues.values():
        if issue.history and any(event.value is milestone for event in issue.history):
            found.add(issue)
    return [one for one in found if context.may_see(one)]


class _State:
    __slots__ = ("closed", "inside", "weight")

    def __init__(self, weight: int) -> None:
        self.inside = False
        self.closed = False
        self.weight = weight


def _step(state: _State, event: Event, milestone: Milestone) -> None:
    if event.kind == "milestone":
        if event.action == "add":
            state.inside = event.value is milestone
        elif event.value is milestone:
            state.inside = False
    elif event.kind == "state":
        state.closed = event.action == "closed"
    elif event.kind == "weight":
        state.weight = event.value if isinstance(event.value, int) else 0


def _day(event: Event) -> date:
    return moment(event.at).date()


def _replay(context: Context, milestone: Milestone, start: date, due: date) -> list[dict[str, Any]] | None:
    world = context.world
    histories: list[tuple[_State, list[Event]]] = []
    total = 0
    for issue in _involved(context, milestone):
        events = sorted(world.ensure_history(issue), key=lambda event: (event.at, event.id))
        total += len(events)
        weighed = any(event.kind == "weight" for event in events)
        histories.append((_State(0 if weighed else issue.weight or 0), events))
    if total > _EVENT_LIMIT:
        return None
    days = []
    at = [0] * len(histories)
    day, end = start, min(due, world.clock.today())
    while day <= end:
        scope = weight = done = done_weight = 0
        for number, (state, events) in enumerate(histories):
            while at[number] < len(events) and _day(events[at[number]]) <= day:
                _step(state, events[at[number]], milestone)
                at[number] += 1
            if state.inside:
                scope += 1
                weight += state.weight
                done += state.closed
                done_weight += state.weight if state.closed else 0
        days.append(
            {"date": day, "scopeCount": scope, "scopeWeight": weight, "completedCount": done,
             "completedWeight": done_weight}
        )  # fmt: skip
        day += timedelta(days=1)
    return days


def report(milestone: Milestone, info: Info, full_path: str | None = None) -> dict[str, Any]:
    """The report of a milestone."""
    context = context_of(info)
    if not context.world.licensed("premium"):
        return _failed("UNSUPPORTED", "Timebox reports are not available for this milestone")
    if milestone.start is None or milestone.due is None:
        return _failed("MISSING_DATES", "Milestone must have a start and due date")
    days = _replay(context, milestone, milestone.start, milestone.due)
    if days is None:
        return _failed("TOO_MANY_EVENTS", "Burnup chart could not be generated due to too many events")
    last = (
        days[-1]
        if days
        else dict.fromkeys(("scopeCount", "scopeWeight", "completedCount", "completedWeight"), 0)
    )
    total = {"count": last["scopeCount"], "weight": last["scopeWeight"]}
    complete = {"count": last["completedCount"], "weight": last["completedWeight"]}
    rest = {name: total[name] - complete[name] for name in total}
    stats = {"total": total, "complete": complete, "incomplete": rest}
    return {"error": None, "stats": stats, "burnupTimeSeries": days}
