"""Random scenarios in the format of the sample, at the edges of the planning rules.

A seed always gives the same scenario: milestones of some years with gaps, issues with their histories, and a
team. Times cluster around starts, ends and the lock; some have fractions of a second.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any

Row = dict[str, Any]

PEOPLE = ["eng_alder", "eng_birch", "eng_cedar", "eng_dogwood", "eng_elm"]
PROJECTS = ["platform", "ai/ai-gateway", "ai/custom-models", "charts/ai-gateway-chart", "a/b/c/deep"]
ORG = ["group::custom models", "devops::ai-powered", "section::data science"]
TYPES = {
    "bug": ["functional", "ux", "vulnerability"],
    "feature": ["addition", "enhancement"],
    "maintenance": ["refactor", "test-gap"],
}
FLOW = [
    "validation backlog", "problem validation", "ready for design", "design", "solution validation",
    "planning breakdown", "scheduling", "refinement", "in dev", "in review", "blocked", "verification",
    "awaiting security release", "complete",
]  # fmt: skip
BUCKETS = ["Next 1-3 Milestones", "Next 4-6 releases", "Backlog", "Awaiting Customer Feedback"]
TITLES = [
    "Rotate endpoint credentials", "[/api] crash of [bold]markup[/]", "Größe 模型 \U0001f9ea e\u0301",
    "| a | *b* `c`", "x" * 255, "tab\there", "bell\u0007 and \u001b]0;title\u0007 escape",
    "\u202eright to left", "=1+1", "0",
]  # fmt: skip


def stamp(at: datetime) -> str:
    """A time in the sample's format."""
    return at.isoformat(timespec="milliseconds" if at.microsecond else "seconds").replace("+00:00", "Z")


class Maker:
    """Generates the scenario of a seed."""

    def __init__(self, seed: int) -> None:
        self.random = random = Random(seed)
        self.milestones = self.calendar()
        dated = [row for row in self.milestones if row["kind"] == "version"]
        self.versions = sorted(dated, key=lambda row: str(row["start_date"]))
        middle = self.versions[len(self.versions) // 2 - random.randrange(2)]
        edges = [self.second(row[key], clock) for row in self.versions for key, clock in (
            ("start_date", time()), ("start_date", time(0, 0, 1)), ("due_date", time(23, 59, 58)),
            ("due_date", time(23, 59, 59)),
        )]  # fmt: skip
        edges += [one + timedelta(seconds=step) for one in edges for step in (-1, 1)]
        first, last = (
            self.second(middle["start_date"], time()),
            self.second(middle["due_date"], time(23, 59, 59)),
        )
        self.as_of = random.choice(
            [first, last, last + timedelta(seconds=1), *[self.within(first, last)] * 5]
        )
        self.born = edges[0] - timedelta(days=30)
        self.edges = [one for one in edges if one <= self.as_of]
        self.locks = {
            row["title"]: self.second(row["start_date"], time()) + timedelta(hours=random.randrange(-72, 30))
            for row in self.versions
        }
        self.edges += [lock + timedelta(seconds=step) for lock in self.locks.values() for step in (-1, 0, 1)]
        self.edges = [one for one in self.edges if self.born < one <= self.as_of]

    def second(self, day: str, clock: time) -> datetime:
        """A time of a day, UTC."""
        return datetime.combine(date.fromisoformat(day), clock, UTC)

    def within(self, first: datetime, last: datetime) -> datetime:
        """Any second between two."""
        return first + timedelta(seconds=self.random.randint(0, int((last - first).total_seconds())))

    def calendar(self) -> list[Row]:
        """Versions of several years, some missing, and buckets of all kinds."""
        random = self.random
        found: list[tuple[str, date | None, date | None, str]] = []
        major, minor = random.randint(18, 19), random.choice([7, 8, 9, 10, 11])
        start = date(2026, 1, 3) + timedelta(days=random.randrange(400))
        for _ in range(random.randint(4, 8)):
            due = start + timedelta(days=random.choice([20, 27, 34, 41]))
            if random.random() < 0.9 or len(found) < 3:
                found.append((f"{major}.{minor}", start, due, "version"))
            start = due + timedelta(days=1 if random.random() < 0.85 else random.randint(2, 9))
            major, minor = (major, minor + 1) if minor < 11 else (major + 1, 0)
        found += [(title, None, None, "bucket") for title in BUCKETS if random.random() < 0.95]
        odd: list[tuple[str, date | None, date | None]] = [
            ("Hackathon", date(2026, 6, 1), date(2026, 6, 30)),
            ("18.x", date(2027, 9, 1), date(2027, 9, 30)),
            ("20", date(2028, 1, 1), date(2028, 2, 1)),
            ("v19.1", None, None),
            ("21.0.1", None, None),
        ]
        found += [(*one, "bucket") for one in odd if random.random() < 0.5]
        random.shuffle(found)
        return [
            {
                "id": 100 + at, "title": name, "start_date": first and first.isoformat(),
                "due_date": last and last.isoformat(), "kind": kind, "release_date": None,
                "state": random.choice(["active"] * 5 + ["closed"]) if kind == "version" else "active",
            }
            for at, (name, first, last, kind) in enumerate(found)
        ]  # fmt: skip

    def some_time(self) -> datetime:
        """A past moment, often an awkward one."""
        random = self.random
        at = random.choice(self.edges) if random.random() < 0.6 else self.within(self.born, self.as_of)
        if random.random() < 0.15 and at < self.as_of:
            at += timedelta(milliseconds=random.randrange(1, 999))
        return at

    def labels(self) -> list[str]:
        """Labels without events."""
        random = self.random
        found = [label for label in ORG if random.random() < 0.95]
        if random.random() < 0.05:
            found += ["group::other", "devops::plan"]
        if random.random() < 0.9:
            found.append(random.choice(["Category:Model personalization", "Category:Self-Hosted models"]))
        for _ in range(random.choice([0, 1, 1, 1, 1, 1, 1, 1, 2])):
            kind = random.choice(list(TYPES))
            found.append(f"type::{kind}")
            if random.random() < 0.85:
                found.append(f"{kind}::{random.choice(TYPES[kind])}")
        found += [
            label for label, odds in (("type::ignore", 0.04), ("type::odd", 0.03)) if random.random() < odds
        ]
        for _ in range(random.choice([0, 1, 1, 1, 1, 1, 1, 2])):
            state = random.choice(FLOW) if random.random() < 0.5 else "ready for development"
            found.append(f"workflow::{state}")
        found += [
            f"{scope}::{random.randint(1, 4)}" for scope in ("priority", "severity") if random.random() < 0.7
        ]
        found += [label for label in ("spike", "customer", "missed-deliverable") if random.random() < 0.1]
        return list(dict.fromkeys(found))

    def life(self, issue: Row) -> None:
        """The events of an issue and its fields after them."""
        random, names = self.random, [row["title"] for row in self.milestones]
        versions = [row["title"] for row in self.versions]
        near = random.choice(versions)
        place: str | None = None
        labels: set[str] = set()
        closed: datetime | None = None
        times = sorted(self.some_time() for _ in range(random.choice([1, 2, 2, 3, 4, 5, 8])))
        times += [times[-1]] * random.choice([0, 0, 1])
        plan = ["into", "deliverable"] if random.random() < 0.7 else []
        for at in times:
            change = (
                plan.pop(0)
                if plan
                else random.choice(["into", "into", "deliverable", "state", "state", "missed", "out"])
            )

            def tell(kind: str, action: str, value: str | None, at: datetime = at) -> None:
                by = random.choice(["em_maple", "pm_oak", "bot"])
                issue["events"].append(
                    {"kind": kind, "action": action, "value": value, "at": stamp(at), "by": by}
                )

            match change:
                case "into":
                    if place is not None and random.random() < 0.4:
                        tell("milestone", "remove", place)
                    place = near if random.random() < 0.6 else random.choice(names)
                    tell("milestone", "add", place)
                case "out":
                    if random.random() < 0.3:
                        tell("milestone", "remove", random.choice([n for n in names if n != place]))
                    elif place is not None:
                        tell("milestone", "remove", place)
                        place = None
                case "deliverable":
                    tell("label", "remove" if "Deliverable" in labels else "add", "Deliverable")
                    labels ^= {"Deliverable"}
                case "missed":
                    name = f"missed:{random.choice([near, near, random.choice(versions)])}"
                    tell("label", "remove" if name in labels else "add", name)
                    labels ^= {name}
                case _:
                    closed = None if closed else at
                    tell("state", "closed" if closed else "reopened", None)
        if random.random() < 0.15:
            # GitLab knows nothing of the first ones.
            del issue["events"][: random.randrange(1, 4)]
        issue["labels"] += sorted(labels)
        issue["milestone"] = {"title": place} if place else None
        issue["state"] = "closed" if closed else "opened"
        issue["closed_at"] = stamp(closed) if closed else None

    def standing(self, issue: Row) -> None:
        """An issue without events."""
        random = self.random
        if random.random() < 0.8:
            issue["milestone"] = {"title": random.choice(self.milestones)["title"]}
        issue["labels"] += [
            label for label in ("Deliverable", f"missed:{self.versions[0]['title']}") if random.random() < 0.3
        ]
        if random.random() < 0.3:
            issue |= {"state": "closed", "closed_at": stamp(max(self.some_time(), self.born))}

    def issue(self, number: int) -> Row:
        """One issue."""
        random = self.random
        project = random.choice(PROJECTS)
        row: Row = {
            "key": f"N{number}", "id": 5000 + number, "iid": number,
            "project_id": 10 + PROJECTS.index(project),
            "project_path": f"demo-org/{project}", "title": random.choice(TITLES), "description": "",
            "state": "opened", "closed_at": None, "created_at": stamp(self.born), "labels": self.labels(),
            "status": None, "milestone": None,
            "weight": random.choice([None, 0, 1, 1, 2, 2, 3, 3, 4, 13, 1000]),
            "assignees": random.sample([*PEOPLE, "eng_stranger"], random.choice([0, 0, 1, 1, 1, 2, 3])),
            "confidential": random.random() < 0.1,
            "pm_rank": random.choice([None, 1, 1, 2, 3, 5, 8, 0, -1, 10**6]),
            "blocked_by": [], "events": [],
        }  # fmt: skip
        if random.random() < 0.65:
            self.life(row)
        else:
            self.standing(row)
        told = [event["at"] for event in row["events"]]
        row["updated_at"] = max([*told, row["closed_at"] or "", row["created_at"]])
        return row

    def team(self) -> Row:
        """A team file: days off that overlap, at weekends, outside the milestone; more support than days."""
        random = self.random
        days = [
            date.fromisoformat(self.versions[-1]["start_date"]) + timedelta(days=n) for n in range(-70, 40)
        ]

        def off() -> list[Any]:
            alone = [day.isoformat() for day in random.sample(days, random.randrange(6))]
            spans = [
                {"from": first.isoformat(), "to": (first + timedelta(days=random.randrange(12))).isoformat()}
                for first in random.sample(days, random.randrange(3))
            ]
            return [*alone, *spans]

        titles = [row["title"] for row in self.versions]
        return {
            "days_per_weight": random.choice([2, 2, 1.5]),
            "reserve": random.choice([0, 0, 0.15]),
            "holidays": off(),
            "people": [
                {
                    "username": username, "factor": random.choice([1, 1, 0.5, 0]),
                    "holidays": off(), "time_off": off(),
                    "support_days": {
                        title: random.choice([0, 3, 5, 2.5, 99]) for title in random.sample(titles, 2)
                    },
                }
                for username in PEOPLE
            ],
        }  # fmt: skip


def scenario(seed: int) -> Row:
    """The scenario of a seed, with two additions to the format: ``team``, the text of ``team.toml``, and
    ``earlier``, an earlier moment for reports."""
    maker = Maker(seed)
    return {
        "note": "made up",
        "as_of": stamp(maker.as_of),
        "earlier": stamp(maker.random.choice(maker.edges)),
        "lock_times": {name: stamp(at) for name, at in maker.locks.items()},
        "milestones": maker.milestones,
        "people": {"em": "em_maple", "pm": "pm_oak", "set": "set_pine", "engineers": PEOPLE},
        "issues": [maker.issue(number) for number in range(1, maker.random.randint(30, 60))],
        "team": maker.team(),
    }
