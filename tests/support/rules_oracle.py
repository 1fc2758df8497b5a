"""A second implementation of the planning rules, from docs/planning-rules.md alone, over a scenario's JSON.

It shares no code and no type with glboard, so results that agree follow from the written rules. Slow and
plain on purpose. Times are aware datetimes; an issue is the scenario's own dictionary; results are full
references.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

Row = dict[str, Any]

GROUP = "group::custom models"
DEVOPS = "devops::ai-powered"
SECTION = "section::data science"
CATEGORIES = {"Category:Model personalization", "Category:Self-Hosted models"}
#: Rule 16, from the top of the table to its end; what is blocked goes back to development.
FLOW = (
    "validation backlog", "problem validation", "ready for design", "design", "solution validation",
    "planning breakdown", "refinement", "ready for development", "in dev", "blocked", "in review",
    "verification", "awaiting security release", "complete",
)  # fmt: skip
NEARLY = {"in review", "verification", "awaiting security release", "complete"}
PLANNING = ("type::bug", "type::maintenance", "type::feature")
BUILD = ("ready for development", "in dev", "in review", "awaiting security release", "blocked")
NEXT = ("problem validation", "design", "solution validation", "planning breakdown", "ready for development")


def when(text: str) -> datetime:
    """A time of the scenario, cut to the second (rule 6)."""
    return datetime.fromisoformat(text).astimezone(UTC).replace(microsecond=0)


def ref(issue: Row) -> str:
    """Its full reference."""
    return f"{issue['project_path']}#{issue['iid']}"


def title(issue: Row) -> str | None:
    """The title of the milestone it is in."""
    return issue["milestone"]["title"] if issue["milestone"] else None


def types(issue: Row) -> list[str]:
    """Its type labels."""
    return sorted({label for label in issue["labels"] if label.startswith("type::")})


def missed(issue: Row) -> int:
    """How often it slipped (rule 7)."""
    return len({label for label in issue["labels"] if label.startswith("missed:")})


def flows(issue: Row) -> set[str]:
    """The workflow states of its labels."""
    names = {label.removeprefix("workflow::") for label in issue["labels"] if label.startswith("workflow::")}
    return {"planning breakdown" if name == "scheduling" else name for name in names} & set(FLOW)


def flow(issue: Row) -> str | None:
    """Its workflow state: of several the one farthest from completion (rules 4 and 16)."""
    return min(flows(issue), key=FLOW.index, default=None)


class RulesOracle:
    """The rules applied to one scenario as of a moment, in a time zone."""

    def __init__(self, scenario: Row, now: datetime, zone: tzinfo = UTC) -> None:
        self.now = now
        self.zone = zone
        self.today = now.astimezone(zone).date()
        self.milestones = {row["title"]: row for row in scenario["milestones"]}
        order = [
            (issue["pm_rank"] is None, issue["pm_rank"] or 0, at)
            for at, issue in enumerate(scenario["issues"])
        ]
        ranked = [
            issue for _, issue in sorted(zip(order, scenario["issues"], strict=True), key=lambda p: p[0])
        ]
        #: What counts anywhere: of the group, not type::ignore; in manual order.
        self.issues = [i for i in ranked if GROUP in i["labels"] and "type::ignore" not in i["labels"]]
        self.open = [issue for issue in self.issues if issue["state"] == "opened"]

    # -- rule 1

    def start(self, name: str | None) -> date | None:
        """When a milestone starts."""
        text = self.milestones[name]["start_date"] if name else None
        return date.fromisoformat(text) if text else None

    def due(self, name: str | None) -> date | None:
        """When it ends."""
        text = self.milestones[name]["due_date"] if name else None
        return date.fromisoformat(text) if text else None

    def versions(self) -> list[str]:
        """Version milestones by start."""
        named = [
            n for n in self.milestones if re.fullmatch(r"[0-9]+\.[0-9]+", n) and self.start(n) and self.due(n)
        ]
        return sorted(named, key=lambda name: str(self.start(name)))

    def begun(self) -> list[str]:
        """Milestones that have started; if there are none, the first one."""
        return [n for n in self.versions() if str(self.start(n)) <= str(self.today)] or self.versions()[:1]

    def current(self) -> str | None:
        """The current milestone."""
        return next(
            (n for n in self.versions() if str(self.start(n)) <= str(self.today) <= str(self.due(n))), None
        )

    def next(self) -> str | None:
        """The milestone after the current one."""
        return next((n for n in self.versions() if str(self.start(n)) > str(self.today)), None)

    def before(self, name: str) -> str | None:
        """The version milestone before one."""
        return max(
            (n for n in self.versions() if str(self.start(n)) < str(self.start(name))),
            key=lambda n: str(self.start(n)),
            default=None,
        )

    def in_(self, name: str) -> list[Row]:
        """The open issues of a milestone."""
        return [issue for issue in self.open if title(issue) == name]

    # -- rule 15: boards

    def board(self, name: str, milestone: str) -> dict[str, tuple[int, int, int, list[str]]]:
        """Count, weight, unweighted and references by column, in order; (unlisted) only if not empty."""
        issues = self.in_(milestone)
        if name == "build":
            issues = [issue for issue in issues if "Deliverable" in issue["labels"]]
        in_column: Callable[[Row, str], bool]
        if name == "planning":
            columns = list(PLANNING)
            in_column = lambda issue, column: column in issue["labels"]  # noqa: E731
        else:
            columns = [f"workflow::{state}" for state in (BUILD if name == "build" else NEXT)]
            in_column = lambda issue, column: column.removeprefix("workflow::") == flow(issue)  # noqa: E731
        found = {column: [issue for issue in issues if in_column(issue, column)] for column in columns}
        rest = [issue for issue in issues if not any(in_column(issue, column) for column in columns)]
        if rest:
            found["(unlisted)"] = rest
        return {column: (*self.sums(rows), [ref(row) for row in rows]) for column, rows in found.items()}

    def sums(self, rows: list[Row]) -> tuple[int, int, int]:
        """Count, weight, unweighted (rule 5)."""
        return len(rows), sum(r["weight"] or 0 for r in rows), sum(r["weight"] is None for r in rows)

    def closed(self, milestone: str) -> set[str]:
        """The closed Deliverables of a milestone."""
        return {
            ref(issue)
            for issue in self.issues
            if issue["state"] == "closed" and title(issue) == milestone and "Deliverable" in issue["labels"]
        }

    # -- rules 3, 4 and 12

    def candidates(self, name: str) -> tuple[list[str], list[tuple[str, set[str]]]]:
        """Eligible issues, and the others with reasons, both in suggested order."""
        yes: list[str] = []
        no: list[tuple[str, set[str]]] = []
        for issue in sorted(self.in_(name), key=lambda one: -missed(one)):
            reasons = {
                "not-ready": flow(issue) != "ready for development",
                "missing-type": not types(issue),
                "several-types": len(types(issue)) > 1,
                "no-weight": issue["weight"] is None,
                "other-milestone": name not in (self.current(), self.next()),
            }
            if any(reasons.values()):
                no.append((ref(issue), {code for code, holds in reasons.items() if holds}))
            else:
                yes.append(ref(issue))
        return yes, no

    def moment(self, day: date, clock: time) -> datetime:
        """A time of day in the team's zone."""
        return datetime.combine(day, clock, self.zone).astimezone(UTC)

    # -- rules 7 and 9

    def triage(self) -> dict[str, set[str]]:
        """Reasons by reference."""
        found = {ref(issue): self.reasons(issue) for issue in self.open}
        return {name: reasons for name, reasons in found.items() if reasons}

    def reasons(self, issue: Row) -> set[str]:
        """Why an open issue is in the triage list."""
        labels, name, kinds = set(issue["labels"]), title(issue), types(issue)
        start, due, after = self.start(name), self.due(name), self.next()
        deliverable, ready = "Deliverable" in labels, flow(issue) == "ready for development"

        def any_with(prefix: str) -> bool:
            return any(label.startswith(prefix) for label in labels)

        codes = {
            "missing-milestone": name is None,
            "missing-label:devops": DEVOPS not in labels,
            "missing-label:section": SECTION not in labels,
            "missing-label:category": not labels & CATEGORIES,
            "missing-type": not kinds,
            "several-types": len(kinds) > 1,
            "missing-subtype": len(kinds) == 1 and not any_with(kinds[0].removeprefix("type::") + "::"),
            "bug-without-severity": "type::bug" in labels and not any_with("severity::"),
            "bug-without-priority": "type::bug" in labels and not any_with("priority::"),
            "deliverable-without-milestone": deliverable and name is None,
            "deliverable-beyond-next": bool(
                deliverable and start and after and str(start) > str(self.start(after))
            ),
            "deliverable-in-bucket": deliverable and name is not None and start is None and due is None,
            "deliverable-not-ready": deliverable and name is not None and name == after and not ready,
            "expired-milestone": bool(due and self.moment(due, time(23, 59, 59)) < self.now),
            "ready-without-weight": ready and issue["weight"] is None,
            "over-weight": issue["weight"] is not None and issue["weight"] > 3,
        }
        return {code for code, holds in codes.items() if holds}

    # -- rules 10 and 11

    def workdays(self, name: str) -> list[date]:
        """Monday to Friday."""
        first, last = self.start(name), self.due(name)
        assert first is not None
        assert last is not None
        days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        return [day for day in days if day.isoweekday() < 6]

    def carried(self, name: str) -> tuple[set[str], int, int]:
        """Open Deliverables of the previous milestone: references, total weight, likely weight."""
        before = self.before(name)
        rows = [issue for issue in (self.in_(before) if before else []) if "Deliverable" in issue["labels"]]
        likely = [row for row in rows if flow(row) not in NEARLY]
        return {ref(row) for row in rows}, self.sums(rows)[1], self.sums(likely)[1]

    def planned(self, name: str) -> dict[str, int]:
        """Weight of the open issues of each assignee, Deliverable or not, each in full."""
        rows = self.in_(name)
        people = {one for row in rows for one in row["assignees"]}
        return {one: self.sums([row for row in rows if one in row["assignees"]])[1] for one in people}

    def loads(self, name: str) -> tuple[dict[str, set[str]], set[str], dict[str, int]]:
        """Open Deliverables by person, unassigned ones, and the weight by person."""
        rows = [issue for issue in self.in_(name) if "Deliverable" in issue["labels"]]
        people = {one for row in rows for one in row["assignees"]}
        mine = {one: [row for row in rows if one in row["assignees"]] for one in people}
        return (
            {one: names(rows) for one, rows in mine.items()},
            {ref(row) for row in rows if not row["assignees"]},
            {one: self.sums(rows)[1] for one, rows in mine.items()},
        )

    def mix(self, name: str) -> dict[str, tuple[int, int]]:
        """Count and weight by type."""
        found: dict[str, tuple[int, int]] = {}
        for issue in self.in_(name):
            for kind in types(issue) or ["undefined"]:
                count, weight = found.get(kind, (0, 0))
                found[kind] = (count + 1, weight + (issue["weight"] or 0))
        return found


def net_days(workdays: list[date], team: Row, person: Row, name: str) -> float:
    """Net days of a person of ``team.toml``: a day off counts once, and the result is never negative (rule
    10)."""
    off: set[date] = set()
    for one in (*team["holidays"], *person["holidays"], *person["time_off"]):
        first, last = (one["from"], one["to"]) if isinstance(one, dict) else (one, one)
        span = date.fromisoformat(last) - date.fromisoformat(first)
        off |= {date.fromisoformat(first) + timedelta(days=n) for n in range(span.days + 1)}
    support: float = person["support_days"].get(name, 0)
    return max(0.0, len([day for day in workdays if day not in off]) - support)


def budget(net: float, team: Row, person: Row) -> float:
    """Budget of a person, as weight (rule 10)."""
    weight: float = net / team["days_per_weight"] * person["factor"] * (1 - team["reserve"])
    return weight


def names(rows: Iterable[Row]) -> set[str]:
    """References."""
    return {ref(row) for row in rows}
