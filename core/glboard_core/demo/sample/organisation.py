"""A world of the size of a real organisation, around the same team as in the small one.

Labels, milestones, people and projects are made at once, since that is cheap; the issues of others are
made a project at a time when somebody asks for one of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from glboard_core.demo.http.process import DEFAULT_UNPLACED
from glboard_core.demo.sample.generated import ROOT, Maker
from glboard_core.demo.sample.titles import title
from glboard_core.demo.world.clock import DAY, SECOND, Clock
from glboard_core.demo.world.history import Historian
from glboard_core.demo.world.records import (
    REPORTER,
    Edition,
    Group,
    Issue,
    Label,
    Milestone,
    Project,
    Tier,
    User,
)
from glboard_core.demo.world.unread import Share, Unread
from glboard_core.demo.world.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How many there are of everything. Labels are those of the root group."""

    labels: int = 10_000
    projects: int = 3_000
    people: int = 10_000
    milestones: int = 2_000
    issues: int = 100_000
    of_team: int = 2_000


ORGANISATION = Size()

_AREAS = (
    "analytics", "billing", "build", "catalogue", "cloud", "commerce", "compliance", "data", "delivery",
    "design", "devices", "documents", "edge", "finance", "fleet", "fraud", "growth", "identity", "infra",
    "insights", "integrations", "inventory", "labs", "legal", "logistics", "maps", "media", "messaging",
    "mobile", "monitoring", "network", "notifications", "orders", "payments", "people", "pricing", "privacy",
    "procurement", "quality", "release", "reporting", "research", "risk", "runtime", "sales", "search",
    "security", "storage", "support", "workflow",
)  # fmt: skip
_SERVICES = (
    "api", "app", "batch", "cache", "cli", "client", "console", "core", "docs", "events", "exporter",
    "gateway", "importer", "jobs", "library", "models", "portal", "proxy", "schemas", "service",
)  # fmt: skip
_FIRST = (
    "Ada", "Bela", "Cleo", "Dara", "Edda", "Finn", "Gwen", "Hana", "Ivo", "Jora", "Kaya", "Lio", "Mina",
    "Nilo", "Odo", "Pia", "Quin", "Rea", "Sol", "Tavi", "Una", "Vera", "Wim", "Xeno", "Yara",
)  # fmt: skip
_LAST = (
    "Aspen", "Beech", "Chestnut", "Cypress", "Ebony", "Fir", "Ginkgo", "Hawthorn", "Hazel", "Ironwood",
    "Juniper", "Larch", "Laurel", "Linden", "Magnolia", "Mulberry", "Olive", "Poplar", "Rowan", "Sequoia",
    "Spruce", "Sycamore", "Walnut", "Willow", "Yew",
)  # fmt: skip
#: Scopes and plain titles of the labels of the other teams; what they share with the team is not in them.
_LABELS = (
    "group::{area} {n}", "devops::{area} {n}", "section::{area} {n}", "Category:{area} {n}", "{area}-{n}",
    "customer::{area} {n}", "region::{area} {n}", "component::{area} {n}", "{area}::stage {n}",
)  # fmt: skip
#: What every team uses.
_COMMON = ("type::", "priority::", "workflow::", "severity::")
#: One project in so many uses the milestones of the root group; the others have their own or none.
_SHARING = 30
#: The team has issues in so many projects as well as in its own.
_GUESTS = 150


class _Organisation:
    def __init__(self, maker: Maker, seed: int, size: Size) -> None:
        self.maker = maker
        self.world: World = maker.world
        self.random = Random(seed)
        self.seed = seed
        self.size = size
        self.strangers: list[User] = []
        self.others: list[Project] = []
        self.common: list[Label] = []
        self.own: list[Label] = []
        self.of_project: dict[int, list[Milestone]] = {}

    def people(self) -> None:
        """Everybody else is a member of the root group."""
        world = self.world
        while len(world.users) < self.size.people:
            at = len(self.strangers)
            round_, at = divmod(at, len(_FIRST) * len(_LAST))
            first, last = _FIRST[at % len(_FIRST)], _LAST[at // len(_FIRST)]
            number = str(round_ + 1) if round_ else ""
            user = world.add_user(f"{first}_{last}{number}".lower(), f"{first} {last} {number}".strip())
            world.root.members[user.id] = REPORTER
            self.strangers.append(user)

    def places(self) -> None:
        """Subgroups, some with groups below them, and the projects in them."""
        world = self.world
        while len(world.projects) < self.size.projects:
            at = len(self.others)
            round_, at = divmod(at, len(_AREAS) * len(_SERVICES))
            area, service = _AREAS[at % len(_AREAS)], _SERVICES[at // len(_AREAS)]
            below = f"/team-{round_}" if round_ else ""
            self.others.append(world.add_project(f"{ROOT}/{area}{below}/{service}"))

    def labels(self) -> None:
        """Labels of other teams in the root group, and some that only a project has."""
        world, root = self.world, self.world.root
        self.common = [
            one for one in world.labels.values() if one.owner is root and one.title.startswith(_COMMON)
        ]
        count = sum(one.owner is root for one in world.labels.values())
        for number in range(self.size.labels - count):
            round_, at = divmod(number, len(_AREAS) * len(_LABELS))
            text = _LABELS[at % len(_LABELS)].format(area=_AREAS[at // len(_LABELS)], n=round_ + 1)
            self.own.append(world.add_label(root, text, "#5843ad"))
        for project in self.others[:: max(1, len(self.others) // 300)]:
            world.add_label(project, "needs-docs", "#8fbc8f")

    def milestones(self) -> None:
        """Closed versions and other teams' milestones in the root group; sprints in subgroups."""
        world, today = self.world, self.world.clock.today()
        current = list(world.milestones.values())
        first = min(one.start for one in world.milestones.values() if one.start is not None)
        for number in range(self.size.milestones // 20):
            due = first - timedelta(days=28 * number + 1)
            one = world.add_milestone(world.root, f"1.{number}", due - timedelta(days=27), due)
            one.closed = True
        for number in range(self.size.milestones // 20):
            world.add_milestone(world.root, f"{_AREAS[number % len(_AREAS)].title()} later {number}")
        groups = [one for one in world.groups_below(world.root) if one.full_path.count("/") == 1]
        for project in self.others[::_SHARING]:
            self.of_project[project.id] = [one for one in current if one.owner is world.root]
        self._sprints(groups, today)

    def _sprints(self, groups: Sequence[Group], today: date) -> None:
        world = self.world
        below: dict[Group, list[Project]] = {one: [] for one in groups}
        for project in self.others:
            if project.id not in self.of_project:
                below[project.group.chain()[-2]].append(project)
        number = 0
        while len(world.milestones) < self.size.milestones:
            round_, at = divmod(number, len(groups))
            group, number = groups[at], number + 1
            start = today - timedelta(days=today.weekday() + 14 * (round_ - 2))
            made = world.add_milestone(
                group, f"{group.name} sprint {round_}", start, start + timedelta(days=13)
            )
            made.closed = made.due is not None and made.due < today
            for project in below[group]:
                self.of_project.setdefault(project.id, []).append(made)

    def guests(self) -> None:
        """Let the team have issues in other projects, too: a fifth of them."""
        step = max(1, len(self.others) // _GUESTS)
        guests = self.others[1::step][:_GUESTS]
        share = sum(self.maker.weights) / 4 / max(1, len(guests))
        self.maker.projects[-1:-1] = guests
        self.maker.weights[-1:-1] = [share] * len(guests)

    def unread(self) -> Unread:
        """The issues of everybody else, as yet only numbers."""
        world, size = self.world, self.size
        left = size.issues - len(world.index.issues)
        first = len(world.index.issues) + 1
        each, more = divmod(left, len(self.others))
        shares = []
        for at, project in enumerate(self.others):
            count = each + (at < more)
            shares.append(Share(project.id, first, count))
            first += count
        world.next_id("issue", first - 1)
        projects = {one.id: one for one in self.others}
        begins = {one.project: projects[one.project].last_iid for one in shares}
        for one in shares:
            projects[one.project].last_iid += one.count
        holders: dict[Milestone, set[int]] = {}
        for ident, milestones in self.of_project.items():
            for milestone in milestones:
                holders.setdefault(milestone, set()).add(ident)
        return Unread(
            shares,
            lambda share: self._issues(share, projects[share.project], begins[share.project]),
            labels=[*self.common, *self.own],
            milestones=holders,
            people=set(self.strangers),
            newest=self.maker.now - 3 * 3600 * SECOND,
        )

    def _issues(self, share: Share, project: Project, iid: int) -> list[Issue]:
        random = Random(self.seed * 1_000_003 + share.project)
        team = random.choice(self.own)
        people = random.sample(self.strangers, min(6, len(self.strangers)))
        sets = [self._labels(random, team) for _ in range(4)]
        milestones: list[Milestone | None] = [None, *self.of_project.get(project.id, ())[-12:]]
        span = 540 * DAY
        ages = sorted((random.random() ** 2 for _ in range(share.count)), reverse=True)
        newest = self.maker.now - 3 * 3600 * SECOND
        made = []
        for at, age in enumerate(ages):
            created = newest - int(span * age)
            kind = ("bug", "feature", "maintenance")[at % 3]
            author = people[at % len(people)]
            issue = self.world.new_issue(
                project,
                title(kind, share.first + at),
                author,
                created,
                ident=share.first + at,
                iid=iid + at + 1,
            )
            issue.labels = sets[at % len(sets)]
            issue.milestone = random.choice(milestones)
            issue.weight = random.choice((None, None, 1, 2, 3))
            issue.assignees = (people[-1 - at % len(people)],) if at % 2 else ()
            issue.updated = created + int((newest - created) * random.random())
            if random.random() < 0.6:
                issue.open, issue.closed, issue.closed_by = False, issue.updated, author
            made.append(issue)
        return made

    def _labels(self, random: Random, team: Label) -> tuple[Label, ...]:
        chosen = {team, random.choice(self.common), random.choice(self.own)}
        return tuple(sorted(chosen, key=lambda one: one.title))


def organisation(
    *,
    seed: int = 1,
    size: Size = ORGANISATION,
    unplaced: int = DEFAULT_UNPLACED,
    clock: Clock | None = None,
    tier: Tier = "ultimate",
    edition: Edition = "ee",
    version: str = "18.9",
) -> World:
    """A generated world of an organisation around the clock's today; the same seed and day give the same."""
    world = World(clock=clock, tier=tier, edition=edition, version=version)
    maker = Maker(world, seed)
    maker.furnish()
    made = _Organisation(maker, seed, size)
    made.people()
    made.places()
    made.labels()
    made.milestones()
    made.guests()
    for milestone in world.milestones.values():
        milestone.created = milestone.updated = maker.now - 120 * DAY
    maker.fill(size.of_team, unplaced)
    world.index.unread = made.unread()
    # Generated events are numbered by issue; those of real changes come after all of them.
    world.next_id("event", (size.issues + 1) * 64)
    world.historian = Historian(world, seed)
    return world
