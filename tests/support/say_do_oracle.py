"""A second implementation of planning rule 6, Say/Do. It shares nothing with glboard."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, time, timedelta

from support.rules_oracle import Row, RulesOracle, names, ref, title, when


def percent(done: int, said: int) -> float | None:
    """One decimal."""
    return round(100 * done / said, 1) if said else None


class SayDo:
    """Planning rule 6 applied to one scenario, as of the oracle's moment.

    Without events, the current value holds for all times; the current value also holds from the last update
    on. Nothing is assumed to change in the future.
    """

    def __init__(self, words: RulesOracle) -> None:
        self.words = words

    def has(self, issue: Row, label: str, at: datetime) -> bool:
        """Whether it had a label."""
        at = min(at, self.words.now)
        if at < when(issue["created_at"]):
            return False
        past = [e for e in issue["events"] if e["kind"] == "label" and e["value"] == label]
        if not past or at >= when(issue["updated_at"]):
            return label in issue["labels"]
        state: bool = past[0]["action"] == "remove"
        for event in past:
            if when(event["at"]) <= at:
                state = event["action"] == "add"
        return state

    def placed(self, issue: Row, at: datetime) -> str | None:
        """The milestone it was in."""
        at = min(at, self.words.now)
        if at < when(issue["created_at"]):
            return None
        past = [event for event in issue["events"] if event["kind"] == "milestone"]
        if not past or at >= when(issue["updated_at"]):
            return title(issue)
        where = past[0]["value"] if past[0]["action"] == "remove" else None
        for event in past:
            if when(event["at"]) > at:
                continue
            if event["action"] == "add":
                where = event["value"]
            elif where == event["value"]:
                where = None
        return where

    def was_closed(self, issue: Row, at: datetime) -> bool:
        """Whether it was closed."""
        at = min(at, self.words.now)
        past = [event for event in issue["events"] if event["kind"] == "state"]
        if not past:
            closed: str | None = issue["closed_at"]
            return issue["state"] == "closed" and closed is not None and when(closed) <= at
        if at >= when(issue["updated_at"]):
            return bool(issue["state"] == "closed")
        state: bool = past[0]["action"] == "reopened"
        for event in past:
            if when(event["at"]) <= at:
                state = event["action"] == "closed"
        return state

    def said(self, issue: Row, name: str, at: datetime) -> bool:
        """Whether it was a Deliverable of a milestone."""
        return self.placed(issue, at) == name and self.has(issue, "Deliverable", at)

    def say_do(self, name: str, lock: datetime | None) -> Row:
        """The report, with sets for lists."""
        first, last = self.words.start(name), self.words.due(name)
        assert first is not None
        assert last is not None
        start, cut_off = self.words.moment(first, time()), self.words.moment(last, time(23, 59, 59))
        lock = lock or self.words.moment(first - timedelta(days=1), time(23, 59, 59))

        def only(holds: Callable[[Row], bool], among: Iterable[Row] = self.words.issues) -> list[Row]:
            return [issue for issue in among if holds(issue)]

        def ever(issue: Row) -> bool:
            times = {start, *(when(event["at"]) for event in issue["events"]), when(issue["created_at"])}
            return any(start <= at <= cut_off and self.said(issue, name, at) for at in times)

        done = only(lambda i: self.was_closed(i, cut_off) and self.placed(i, cut_off) == name)
        group = only(ever)
        committed = only(lambda i: self.said(i, name, lock))
        kept = only(lambda i: self.said(i, name, cut_off), committed)
        now = self.words.now
        closed = only(lambda i: self.was_closed(i, now) and self.said(i, name, now))
        late = only(lambda i: self.has(i, f"missed:{name}", now))
        late_deliverable = only(lambda i: self.has(i, "Deliverable", now), late)

        def ratio(rows: list[Row]) -> Row:
            finished = [row for row in rows if row in done]
            return {
                "assigned": names(rows),
                "completed": names(finished),
                "percent": percent(len(finished), len(rows)),
            }

        def handbook(late: list[Row]) -> Row:
            # "Plus": one that is done and carries the label too is in the sum once, as done.
            open_or_moved = names(late) - names(closed)
            whole = len(closed) + len(open_or_moved)
            return {
                "completed": names(closed),
                "missed": open_or_moved,
                "percent": percent(len(closed), whole),
            }

        return {
            "cut_off": cut_off,
            "locked_at": lock,
            "definitions": {
                "group": ratio(group),
                "committed": ratio(committed),
                "reprioritized": ratio(kept),
                "handbook": handbook(late),
                "handbook_deliverable": handbook(late_deliverable),
            },
            "late_added": names(group) - names(committed),
            "removed_or_moved_early": names(committed) - names(kept),
            "late_closed": names(closed) - names(done),
            "unresolved": names(only(lambda i: not self.was_closed(i, now) and self.placed(i, now) == name)),
        }

    def scope(self, name: str, lock: datetime) -> tuple[set[str], set[str]]:
        """Added and removed since the lock."""
        before = {ref(issue) for issue in self.words.issues if self.said(issue, name, lock)}
        after = {ref(issue) for issue in self.words.issues if self.said(issue, name, self.words.now)}
        return after - before, before - after
