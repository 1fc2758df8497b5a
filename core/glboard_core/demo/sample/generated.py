"""The default world: a seeded month of planning of one product group, or a hundred times that.

The boards of a small and of a large world look alike (people plan the same number of cards); what grows is
the backlog, the later buckets and the archive of closed issues.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from random import Random

from glboard_core.demo.http.process import DEFAULT_ISSUES, DEFAULT_UNPLACED
from glboard_core.demo.sample.conversations import fill_some
from glboard_core.demo.sample.merge_requests import merge_requests_of
from glboard_core.demo.sample.titles import AWKWARD, title
from glboard_core.demo.world.clock import DAY, SECOND, Clock, Version, around
from glboard_core.demo.world.history import Historian, stamp
from glboard_core.demo.world.records import (
    GUEST,
    MAINTAINER,
    REPORTER,
    Edition,
    Issue,
    Label,
    Milestone,
    Project,
    Tier,
    User,
)
from glboard_core.demo.world.world import World

# The names in the default world. No one in it is real.

ROOT = "demo-org"
PEOPLE = (
    ("em_maple", "Em Maple"),
    ("pm_oak", "Pim Oak"),
    ("set_pine", "Sette Pine"),
    ("eng_alder", "Enga Alder"),
    ("eng_birch", "Engo Birch"),
    ("eng_cedar", "Engi Cedar"),
    ("eng_dogwood", "Engu Dogwood"),
    ("eng_elm", "Enge Elm"),
    ("triage_bot", "Triage Bot"),
)
# Path, name, and its share of the issues.
PROJECTS = (
    ("platform", "Platform", 40),
    ("ai/ai-gateway", "AI Gateway", 22),
    ("ai/runtime/inference-server", "Inference server", 12),
    ("ai/model-registry", "Model registry", 9),
    ("custom-models", "Custom models", 9),
    ("charts/gateway-chart", "Gateway chart", 4),
    ("docs/handbook", "Handbook", 3),
)
# A project in which the engineering manager is only a guest.
REFUSING = "partners/reference-models"

FLOW_LABELS = (
    "validation backlog",
    "problem validation",
    "ready for design",
    "design",
    "solution validation",
    "planning breakdown",
    "scheduling",
    "refinement",
    "ready for development",
    "in dev",
    "in review",
    "blocked",
    "verification",
    "awaiting security release",
    "complete",
)
SUBTYPES = {
    "bug": ("performance", "availability", "vulnerability", "functional", "ux", "transient"),
    "feature": ("addition", "enhancement", "consolidation"),
    "maintenance": (
        "refactor", "removal", "dependency", "scalability", "usability", "test-gap", "pipelines", "workflow",
        "performance",
    ),
}  # fmt: skip
TYPES = ("bug", "feature", "maintenance")
CATEGORIES = ("Category:Model personalization", "Category:Self-Hosted models")
ORGANISATION = ("group::custom models", "devops::ai-powered", "section::data science")

LABELS: tuple[tuple[str, str, str | None], ...] = (
    ("group::custom models", "#a8d695", "Issues of the Custom Models group"),
    ("group::model serving", "#a8d695", None),
    ("devops::ai-powered", "#e44d2a", None),
    ("section::data science", "#5843ad", None),
    *((name, "#c5def5", None) for name in CATEGORIES),
    ("type::bug", "#dc143c", "Something does not work"),
    ("type::feature", "#6699cc", "Something new"),
    ("type::maintenance", "#d1d100", "Upkeep"),
    ("type::ignore", "#808080", "Counts nowhere"),
    *((f"{kind}::{name}", "#f0ad4e", None) for kind, names in SUBTYPES.items() for name in names),
    *((f"workflow::{name}", "#428bca", None) for name in FLOW_LABELS),
    *((f"priority::{number}", "#ff4433" if number == 1 else "#ad8d43", None) for number in range(1, 5)),
    *((f"severity::{number}", "#cc338b" if number == 1 else "#9400d3", None) for number in range(1, 5)),
    ("Deliverable", "#428bca", "Accepted into the milestone"),
    ("missed-deliverable", "#d9534f", None),
    ("Planning Issue", "#ffecdb", None),
    ("spike", "#cccccc", "Research with a stated scope"),
    ("documentation", "#ffd700", None),
    ("customer", "#8e44ad", None),
    ("customer+", "#8e44ad", None),
    ("security", "#000000", None),
    ("frontend", "#7f8c8d", None),
    ("backend", "#34495e", None),
    ("Quality", "#44ad8e", None),
    ("Stretch", "#69d100", None),
    ("quick win [small]", "#009966", "A label with brackets"),
)


# What kinds of issues a planning month has, and how many of each.

_BUILD = (
    ("ready for development", 4),
    ("in dev", 5),
    ("in review", 5),
    ("awaiting security release", 1),
    ("blocked", 2),
    ("verification", 2),
)
_EARLY = (
    "problem validation", "design", "solution validation", "planning breakdown", "ready for development",
    "validation backlog",
)  # fmt: skip
_EXTRAS = (
    ("customer", 0.08),
    ("backend", 0.25),
    ("frontend", 0.2),
    ("documentation", 0.04),
    ("quick win [small]", 0.02),
    ("security", 0.03),
)
_STARTED = frozenset({"in dev", "in review", "awaiting security release", "verification", "complete"})
# The counts below add up to about this many issues before the backlog.
_CORE = 215


@dataclass(slots=True)
class Recipe:
    """An issue to create."""

    kind: str
    labels: list[str]
    milestone: str | None
    weight: int | None = None
    closed: tuple[date, date] | None = None
    confidential: bool = False
    assigned: bool = False
    crowd: bool = False
    started: bool = False
    described: bool = False
    title: str | None = None
    refused: bool = False
    """Lies in the project that refuses the engineering manager's edits."""
    own: bool = False
    """Was opened by the engineering manager."""


def _two_types(recipe: Recipe) -> None:
    recipe.labels.append("type::feature" if recipe.kind != "feature" else "type::bug")


def _no_type(recipe: Recipe) -> None:
    recipe.labels = [one for one in recipe.labels if not one.startswith("type::")]


def _no_weight(recipe: Recipe) -> None:
    flow = [one for one in recipe.labels if one.startswith("workflow::")]
    recipe.labels = [*(one for one in recipe.labels if one not in flow), "workflow::ready for development"]
    recipe.weight = None


def _too_heavy(recipe: Recipe) -> None:
    recipe.weight = 5


def _secret(recipe: Recipe) -> None:
    recipe.confidential = True


def _refused(recipe: Recipe) -> None:
    recipe.refused = True
    recipe.confidential = False


def _own_refused(recipe: Recipe) -> None:
    _refused(recipe)
    recipe.own = True


_ODD = (_two_types, _no_type, _no_weight, _too_heavy, _secret, _refused, _own_refused)


class _Book:
    def __init__(self, random: Random, versions: Sequence[Version], current: int) -> None:
        self.random = random
        self.versions = versions
        self.at = current

    def base(self, milestone: str | None, flow: str | None) -> Recipe:
        """An ordinary issue: organised, typed, with realistic gaps."""
        random = self.random
        kind = random.choices(TYPES, (30, 42, 28))[0]
        labels = [
            *ORGANISATION,
            random.choice(CATEGORIES),
            f"type::{kind}",
            f"priority::{random.randint(1, 4)}",
        ]
        labels.append(f"{kind}::{random.choice(SUBTYPES[kind])}")
        if kind == "bug":
            labels.append(f"severity::{random.choices((1, 2, 3, 4), (1, 3, 6, 4))[0]}")
        if flow is not None:
            labels.append(f"workflow::{flow}")
        for extra, chance in _EXTRAS:
            if random.random() < chance:
                labels.append(extra)
        recipe = Recipe(kind, labels, milestone, started=flow in _STARTED)
        recipe.described = random.random() < 0.3
        recipe.confidential = random.random() < 0.04
        return recipe

    def weight(self) -> int:
        """A weight as people give them."""
        return self.random.choices((0, 1, 2, 3, 5), (2, 45, 33, 16, 4))[0]

    def planning(self) -> Recipe:
        """A card on the Planning board of the next milestone."""
        random = self.random
        flow = random.choices(
            ("ready for development", "planning breakdown", "refinement", "design", "solution validation"),
            (46, 34, 6, 8, 6),
        )[0]
        recipe = self.base(self.versions[self.at + 1].title, flow)
        if flow == "ready for development" or random.random() < 0.3:
            recipe.weight = self.weight() if random.random() < 0.93 else None
        if random.random() < 0.12:
            recipe.labels.append(f"missed:{self.versions[self.at - 1].title}")
            if random.random() < 0.4:
                recipe.labels.append(f"missed:{self.versions[self.at - 2].title}")
        if flow == "ready for development" and recipe.weight is not None and random.random() < 0.25:
            recipe.labels.append("Deliverable")
            recipe.assigned = True
        if random.random() < 0.05:
            recipe.labels.append("spike")
        self._spoil(recipe, 0.06)
        return recipe

    def odd_ones(self, found: list[Recipe]) -> list[Recipe]:
        """Add what a planning session stumbles over to a Planning board."""
        for recipe, spoil in zip(found, _ODD, strict=False):
            spoil(recipe)
        for recipe in found[4:5]:
            recipe.labels += [f"missed:{self.versions[self.at - back].title}" for back in (1, 2)]
        return found

    def _spoil(self, recipe: Recipe, chance: float) -> None:
        """Remove something or add too much, for triage to find."""
        if self.random.random() >= chance:
            return
        match self.random.randrange(5):
            case 0:
                recipe.labels = [one for one in recipe.labels if not one.startswith("type::")]
            case 1:
                recipe.labels.append("type::feature" if recipe.kind != "feature" else "type::maintenance")
            case 2:
                recipe.labels = [one for one in recipe.labels if not one.startswith(f"{recipe.kind}::")]
            case 3:
                recipe.labels = [one for one in recipe.labels if not one.startswith("Category:")]
            case _:
                recipe.labels = [
                    one for one in recipe.labels if not one.startswith(("priority::", "severity::"))
                ]

    def build(self, flow: str) -> Recipe:
        """An open Deliverable of the current milestone."""
        recipe = self.base(self.versions[self.at].title, flow)
        recipe.labels.append("Deliverable")
        recipe.weight = self.weight()
        recipe.assigned = True
        recipe.crowd = self.random.random() < 0.08
        if self.random.random() < 0.15:
            recipe.labels.append(f"missed:{self.versions[self.at - 1].title}")
        return recipe

    def current(self) -> Recipe:
        """An issue in the current milestone that is not a Deliverable."""
        recipe = self.base(
            self.versions[self.at].title, self.random.choice(("in dev", "ready for development"))
        )
        recipe.weight = self.weight() if self.random.random() < 0.7 else None
        recipe.assigned = self.random.random() < 0.6
        return recipe

    def done(self, back: int) -> Recipe:
        """A Deliverable that was finished `back` milestones ago."""
        version = self.versions[self.at - back]
        recipe = self.base(version.title, "complete")
        recipe.labels.append("Deliverable")
        recipe.weight = self.weight()
        recipe.assigned = True
        recipe.closed = (version.start, version.due)
        return recipe

    def leftover(self) -> Recipe:
        """Open in a milestone that is over: the slippage bot skips confidential issues."""
        recipe = self.base(self.versions[self.at - 1].title, self.random.choice(("in review", "in dev")))
        recipe.weight = self.weight()
        recipe.confidential = True
        recipe.assigned = True
        return recipe

    def later(self, milestone: str, *, weighed: float) -> Recipe:
        """An issue for later."""
        recipe = self.base(milestone, self.random.choice(_EARLY))
        if self.random.random() < weighed:
            recipe.weight = self.weight()
        self._spoil(recipe, 0.1)
        return recipe

    def unplaced(self) -> Recipe:
        """An issue without a milestone, for triage."""
        recipe = self.base(None, self.random.choice((None, "validation backlog", "ready for development")))
        self._spoil(recipe, 0.5)
        if self.random.random() < 0.15:
            recipe.labels.append("Deliverable")
        return recipe

    def backlog(self) -> Recipe:
        """The long tail; a third of it was closed long ago."""
        flow = self.random.choice((None, None, *_EARLY))
        recipe = self.base("Backlog", flow)
        if self.random.random() < 0.1:
            recipe.weight = self.weight()
        if self.random.random() < 0.3:
            recipe.closed = (date(2000, 1, 1), date(2999, 12, 31))
        self._spoil(recipe, 0.15)
        return recipe

    def planning_issue(self, offset: int) -> Recipe:
        """The planning issue of a milestone, which is on no board."""
        version = self.versions[self.at + offset]
        labels = ["group::custom models", "type::ignore", "Planning Issue"]
        return Recipe(
            "feature", labels, version.title, described=True, title=f"Planning issue for {version.title}"
        )


def recipes(random: Random, count: int, versions: Sequence[Version], current: int) -> list[Recipe]:
    """The requested number of recipes; below the size of a month everything shrinks in proportion."""
    book = _Book(random, versions, current)
    scale = min(1.0, count / _CORE)
    # Later buckets grow with the world, the boards of the month do not: people plan the same number of cards.
    growth = max(1.0, min(4.0, count / 1000))

    def some(number: float, make: Callable[[], Recipe]) -> list[Recipe]:
        return [make() for _ in range(max(1, round(number * scale)))]

    found = [book.planning_issue(0), book.planning_issue(1)]
    found += book.odd_ones(some(33, book.planning))
    for flow, number in _BUILD:
        found += some(number, lambda flow=flow: book.build(flow))  # type: ignore[misc]
    found += some(7, book.current)
    found += some(9, lambda: book.done(0))
    for back in (1, 2, 3):
        found += some(11, lambda back=back: book.done(back))  # type: ignore[misc]
    found += some(3, book.leftover)
    found += some(10, lambda: book.later(versions[current + 2].title, weighed=0.4))
    found += some(4, lambda: book.later(versions[current + 3].title, weighed=0.2))
    found += some(30 * growth, lambda: book.later("Next 1-3 releases", weighed=0.35))
    found += some(24 * growth, lambda: book.later("Next 4-6 releases", weighed=0.15))
    found += some(14 * growth, lambda: book.later("Awaiting further demand", weighed=0.05))
    found += some(9 * growth, book.unplaced)
    random.shuffle(found)
    del found[count:]
    while len(found) < count:
        found.append(book.backlog())
    return found


BUCKETS = ("Next 1-3 releases", "Next 4-6 releases", "Backlog", "Awaiting further demand")
_PREVIOUS, _FOLLOWING = 3, 4
_DISTANCE = 512


class Maker:
    """Makes a world: what a group has, then its issues."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.random = Random(seed)
        self.now = world.clock.now()
        self.versions: list[Version] = around(world.clock.today(), _PREVIOUS, _FOLLOWING)
        self.milestones: dict[str, Milestone] = {}
        self.labels: dict[str, Label] = {}
        self.people: list[User] = []
        self.engineers: list[User] = []
        self.projects: list[Project] = []
        self.weights: list[float] = []
        self._sets: dict[tuple[str, ...], tuple[Label, ...]] = {}
        self._numbers = {"bug": 0, "feature": 0, "maintenance": 0}

    def furnish(self) -> None:
        """Groups, projects, people, labels and milestones."""
        world = self.world
        root = world.add_group(ROOT, "Demo Org")
        for username, name in PEOPLE:
            self.people.append(world.add_user(username, name))
        self.engineers = [one for one in self.people if one.username.startswith("eng_")]
        world.owner_username = self.people[0].username
        for user in self.people:
            root.members[user.id] = MAINTAINER if user.username in ("em_maple", "pm_oak") else REPORTER
        for path, name, weight in PROJECTS:
            self.projects.append(world.add_project(f"{ROOT}/{path}", name))
            self.weights.append(weight)
        refusing = world.add_project(f"{ROOT}/{REFUSING}", "Reference models")
        refusing.overrides[self.people[0].id] = GUEST
        self.projects.append(refusing)
        self.weights.append(1)
        for name, color, description in LABELS:
            self.labels[name] = world.add_label(root, name, color, description)
        for version in self.versions:
            self.milestones[version.title] = world.add_milestone(
                root, version.title, version.start, version.due
            )
            if version.due < world.clock.today():
                name = f"missed:{version.title}"
                self.labels[name] = world.add_label(root, name, "#d9534f", "Was planned and not finished")
        for bucket in BUCKETS:
            self.milestones[bucket] = world.add_milestone(root, bucket)
        # The same title twice with different ids, and milestones of only some projects.
        world.add_label(self.projects[0], "needs-docs", "#8fbc8f")
        world.add_label(self.projects[1], "needs-docs", "#2e8b57")
        world.add_milestone(self.projects[0], "Platform hardening")
        world.add_milestone(world.group(f"{ROOT}/ai"), "AI launch")
        for milestone in world.milestones.values():
            milestone.created = milestone.updated = self.now - 120 * DAY

    def labelled(self, names: Sequence[str]) -> tuple[Label, ...]:
        """Labels by name, sorted; the same tuple for the same names, since most issues look alike."""
        key = tuple(sorted(set(names)))
        found = self._sets.get(key)
        if found is None:
            found = self._sets[key] = tuple(self.labels[name] for name in key)
        return found

    def text(self, kind: str) -> str:
        """The next title of a type."""
        number = self._numbers[kind]
        self._numbers[kind] += 1
        return title(kind, number)

    def issue(self, recipe: Recipe, created: int, project: Project) -> Issue:
        """One issue from a recipe."""
        random = self.random
        kind = recipe.kind if recipe.kind in self._numbers else "feature"
        author = self.people[0] if recipe.own else random.choice(self.people[1 if recipe.refused else 0 :])
        issue = self.world.new_issue(project, recipe.title or self.text(kind), author, created)
        issue.labels = self.labelled(recipe.labels)
        issue.milestone = self.milestones[recipe.milestone] if recipe.milestone else None
        issue.weight = recipe.weight
        issue.confidential = recipe.confidential
        if recipe.assigned and not recipe.refused:
            issue.assignees = (random.choice(self.engineers),)
        if recipe.crowd:
            issue.assignees = tuple(random.sample(self.engineers, 2))
        issue.updated = created + int((self.now - created) * random.uniform(0.05, 0.98))
        if recipe.closed is not None:
            self._close(issue, recipe.closed)
        issue.upvotes = random.choice((0, 0, 0, 1, 2, 7))
        if recipe.started:
            issue.merge_requests = merge_requests_of(issue, random.choice((1, 1, 2)))
        if recipe.described:
            issue.description = (
                f"## Why\n\nSee the planning issue.\n\n- [x] look into it\n- [ ] {issue.title[:40]}\n"
            )
        return issue

    def _close(self, issue: Issue, days: tuple[date, date]) -> None:
        first, last = stamp(days[0]), min(stamp(days[1]) + 20 * 3600 * SECOND, self.now - 3600 * SECOND)
        first = max(first, issue.created + 3600 * SECOND)
        issue.closed = first + int(max(0, last - first) * self.random.random())
        issue.open = False
        issue.closed_by = issue.assignees[0] if issue.assignees else self.random.choice(self.people)
        issue.updated = issue.closed

    def rank(self, issues: list[Issue], unplaced: int = DEFAULT_UNPLACED) -> None:
        """Assign a random manual order; that percentage of the issues has no position yet."""
        order = list(range(1, len(issues) + 1))
        self.random.shuffle(order)
        for issue, place in zip(issues, order, strict=True):
            skipped = place * unplaced // 100 != (place - 1) * unplaced // 100
            issue.position = None if skipped else place * _DISTANCE

    def block(self, issues: list[Issue]) -> None:
        """Give issues in the blocked state a blocking issue."""
        label = self.labels["workflow::blocked"]
        open_ones = [one for one in issues if one.open][:200]
        for issue in issues[: 50 * _DISTANCE]:
            if label in issue.labels and open_ones:
                other = self.random.choice(open_ones)
                if other is not issue:
                    self.world.block(issue, other)

    def local(self, issues: list[Issue]) -> None:
        """Give a few issues of the two big projects labels and milestones that only those projects have."""
        for project, milestone in zip(self.projects[:2], ("Platform hardening", "AI launch"), strict=True):
            label = self.world.label_of(project, "needs-docs")
            some = [one for one in issues if one.project is project and one.open and one.milestone]
            for issue in [one for one in some if one.milestone is self.milestones["Backlog"]][:3]:
                if label is not None:
                    issue.labels = tuple(sorted((*issue.labels, label), key=lambda one: one.title))
                issue.milestone = self.world.milestone(milestone)

    def boards(self) -> None:
        """Two boards, as the current milestone's planning left them."""
        current = self.versions[_PREVIOUS].title
        group = self.labels["group::custom models"]
        for name, milestone, columns in (
            (f"Planning {current}", current, ("type::bug", "type::maintenance", "type::feature")),
            ("Next 1-3", BUCKETS[0], ("workflow::planning breakdown", "workflow::ready for development")),
        ):
            board = self.world.add_board(self.world.root, name)
            if self.world.licensed("premium"):
                board.milestone = self.milestones[milestone]
                board.labels = (group,)
            for title_ in columns:
                self.world.add_list(board, "label").label = self.labels[title_]

    def fill(self, count: int, unplaced: int = DEFAULT_UNPLACED) -> None:
        """So many issues of the team, a percentage of them without a position, and its boards."""
        random = self.random
        plan = recipes(random, count, self.versions, _PREVIOUS)
        picked = random.sample(plan, min(len(AWKWARD), len(plan)))
        # The boards that a stranger sees first look like a team's.
        shown = (self.versions[_PREVIOUS].title, self.versions[_PREVIOUS + 1].title)
        picked.sort(key=lambda one: one.closed is not None or one.milestone not in shown)
        for awkward, recipe in zip(AWKWARD, picked, strict=False):
            recipe.title = awkward
        random.shuffle(plan)
        made = []
        places = random.choices(self.projects, self.weights, k=len(plan))
        for recipe, created, place in zip(plan, _dates(random, self.now, len(plan)), places, strict=True):
            issue = self.issue(recipe, created, self.projects[-1] if recipe.refused else place)
            self.world.index.issues[issue.id] = issue
            made.append(issue)
        self.rank(made, unplaced)
        self.block(made)
        self.local(made)
        fill_some(self.world, made, self.engineers, self.now, shown)
        self.boards()
        self.world.index.rebuild()


def _dates(random: Random, now: int, count: int) -> list[int]:
    """When the issues were created: over the last year and a half, more of them recently; oldest first."""
    span = 540 * DAY
    return sorted(now - int(span * random.random() ** 2) - 6 * 3600 * SECOND for _ in range(count))


def default_world(
    *,
    seed: int = 1,
    issues: int = DEFAULT_ISSUES,
    unplaced: int = DEFAULT_UNPLACED,
    clock: Clock | None = None,
    tier: Tier = "ultimate",
    edition: Edition = "ee",
    version: str = "18.9",
) -> World:
    """A generated world around the clock's today; the same seed and day give the same world."""
    world = World(clock=clock, tier=tier, edition=edition, version=version)
    maker = Maker(world, seed)
    maker.furnish()
    maker.fill(issues, unplaced)
    # Generated events are numbered by issue; those of real changes come after all of them.
    world.next_id("event", (issues + 1) * 64)
    world.historian = Historian(world, seed)
    return world
