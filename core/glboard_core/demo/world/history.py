"""The history of a generated issue, created on first use so that a big world starts quickly.

The same issue always gets the same history, and it ends with the issue's current labels, milestone, weight
and state. An issue with `missed:X` was in X first.
"""

from __future__ import annotations

from datetime import date
from random import Random
from typing import Any

from glboard_core.demo.world.clock import DAY, SECOND
from glboard_core.demo.world.records import Event, Issue, Label, Milestone, User
from glboard_core.demo.world.registry import Registry

FLOW = (
    "validation backlog", "problem validation", "design", "solution validation", "planning breakdown",
    "ready for development", "in dev", "in review", "awaiting security release", "verification", "complete",
)  # fmt: skip
_HOUR = 3600 * SECOND
_ROOM = 64


def _day(day: date) -> int:
    return (day.toordinal() - date(1970, 1, 1).toordinal()) * DAY


class Historian:
    """Generates histories. `born` is when the world was created: nothing happens later than that."""

    def __init__(self, world: Registry, seed: int) -> None:
        self._world = world
        self._seed = seed
        self._born = world.clock.now()
        self._versions = {one.title: one for one in world.milestones.values() if one.start is not None}
        self._manager = world.owner
        people = list(world.users.values())
        self._planner = world.users.get("pm_oak", people[0])
        self._bot = world.users.get("triage_bot", people[0])

    def __call__(self, issue: Issue) -> list[Event]:
        """The events of an issue, in order."""
        random = Random(f"{self._seed}/{issue.id}")
        rows: list[tuple[int, Any, str, Any, User]] = []
        last = min(issue.closed or issue.updated, self._born)

        def tell(at: int, kind: str, action: str, value: Any, by: User) -> None:
            rows.append((max(issue.created, min(at, last)), kind, action, value, by))

        flow = next((one for one in issue.labels if one.title.startswith("workflow::")), None)
        missed = sorted(
            (one for one in issue.labels if one.title.startswith("missed:")),
            key=lambda one: self._start(one.title.removeprefix("missed:")),
        )
        special = {
            flow,
            *missed,
            *(one for one in issue.labels if one.title in ("Deliverable", "missed-deliverable")),
        }
        for label in issue.labels:
            if label not in special:
                tell(issue.created, "label", "add", label, issue.author)
        planned = self._milestones(issue, missed, random, tell)
        if flow is not None:
            self._flow(issue, flow, random, tell, last)
        for label in issue.labels:
            if label.title == "Deliverable":
                tell(planned + random.randrange(1, 48) * _HOUR, "label", "add", label, self._manager)
            if label.title == "missed-deliverable":
                tell(planned - _HOUR, "label", "add", label, self._bot)
        if issue.weight is not None:
            by = issue.assignees[0] if issue.assignees else self._planner
            tell(planned - random.randrange(2, 200) * _HOUR, "weight", "add", issue.weight, by)
        if issue.closed is not None:
            rows.append((issue.closed, "state", "closed", None, issue.closed_by or issue.author))
        rows.sort(key=lambda row: row[0])
        first = issue.id * _ROOM
        return [
            Event(first + at, row[1], row[2], row[3], row[0], row[4]) for at, row in enumerate(rows[:_ROOM])
        ]

    def _start(self, title: str) -> date:
        milestone = self._versions.get(title)
        return milestone.start if milestone is not None and milestone.start is not None else date.min

    def _planned(self, milestone: Milestone, random: Random) -> int:
        """When it was added to a milestone: mostly some days before the start, sometimes after it."""
        assert milestone.start is not None
        late = random.random() < 0.15
        days = random.randrange(1, 12) if late else -random.randrange(2, 20)
        return _day(milestone.start) + days * DAY + random.randrange(8, 18) * _HOUR

    def _milestones(self, issue: Issue, missed: list[Label], random: Random, tell: Any) -> int:
        """Record its milestones up to the current one; returns when it was added to that."""
        at = issue.created + random.randrange(1, 72) * _HOUR
        for label in missed:
            milestone = self._versions.get(label.title.removeprefix("missed:"))
            if milestone is None or milestone.due is None:
                continue
            tell(max(at, self._planned(milestone, random)), "milestone", "add", milestone, self._planner)
            at = _day(milestone.due) + 5 * DAY + 2 * _HOUR
            tell(at, "label", "add", label, self._bot)
        milestone = issue.milestone
        if milestone is None:
            return at
        if milestone.start is not None and not missed:
            at = max(at, self._planned(milestone, random))
        tell(at + SECOND, "milestone", "add", milestone, self._bot if missed else self._planner)
        return at + SECOND

    def _flow(self, issue: Issue, flow: Label, random: Random, tell: Any, last: int) -> None:
        name = flow.title.removeprefix("workflow::")
        end = FLOW.index(name) if name in FLOW else FLOW.index("in dev")
        passed = [one for one in FLOW[max(0, end - 5) : end] if random.random() < 0.8]
        labels = [self._world.label_for(issue.project, f"workflow::{one}") for one in passed]
        chain = [one for one in labels if one is not None and one is not flow]
        chain.append(flow)
        room = max(last - issue.created, len(chain) * _HOUR)
        previous: Label | None = None
        for number, label in enumerate(chain):
            at = issue.created + room * (number + 1) // (len(chain) + 1) + random.randrange(0, 3600) * SECOND
            by = issue.assignees[0] if issue.assignees and number > 2 else self._planner
            tell(at, "label", "add", label, by)
            if previous is not None:
                tell(at, "label", "remove", previous, by)
            previous = label


def stamp(day: date) -> int:
    """The first moment of a day."""
    return _day(day)
