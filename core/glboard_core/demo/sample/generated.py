"""The default world: a seeded month of planning of one product group, or a hundred times that.

The boards of a small and of a large world look alike (people plan the same number of cards); what grows is
the backlog, the later buckets and the archive of closed issues.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from random import Random

from glboard_core.demo.calendar import Version, around
from glboard_core.demo.recipes import Recipe, recipes
from glboard_core.demo.titles import AWKWARD, title
from glboard_core.demo.vocabulary import LABELS, PEOPLE, PROJECTS, REFUSING, ROOT
from glboard_core.demo.world.clock import DAY, SECOND, Clock
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

DEFAULT_ISSUES = 300
BUCKETS = ("Next 1-3 releases", "Next 4-6 releases", "Backlog", "Awaiting further demand")
_PREVIOUS, _FOLLOWING = 3, 4
_DISTANCE = 512


class _Maker:
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
        self.weights: list[int] = []
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
        # The same title twice with different ids, and milestones that only some projects can see.
        world.add_label(self.projects[0], "needs-docs", "#8fbc8f")
        world.add_label(self.projects[1], "needs-docs", "#2e8b57")
        world.add_milestone(self.projects[0], "Platform hardening")
        world.add_milestone(world.group(f"{ROOT}/ai"), "AI launch")
        for milestone in world.milestones.values():
            milestone.created = milestone.updated = self.now - 120 * DAY

    def labelled(self, names: Sequence[str]) -> tuple[Label, ...]:
        """Labels of names, sorted; the same tuple for the same names, since most issues look alike."""
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
        """One issue after a recipe."""
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
        issue.mr_count = random.choice((1, 1, 2)) if recipe.started else 0
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

    def rank(self, issues: list[Issue]) -> None:
        """Deals the manual order at random; one in twenty has no place yet."""
        order = list(range(1, len(issues) + 1))
        self.random.shuffle(order)
        for issue, place in zip(issues, order, strict=True):
            issue.position = place * _DISTANCE if place % 20 else None

    def block(self, issues: list[Issue]) -> None:
        """Lets those that are said to be blocked wait for something."""
        label = self.labels["workflow::blocked"]
        open_ones = [one for one in issues if one.open][:200]
        for issue in issues[: 50 * _DISTANCE]:
            if label in issue.labels and open_ones:
                other = self.random.choice(open_ones)
                if other is not issue:
                    self.world.block(issue, other)

    def local(self, issues: list[Issue]) -> None:
        """Puts a few issues of the two big projects under labels and milestones that only they can see."""
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


def _dates(random: Random, now: int, count: int) -> list[int]:
    """When the issues were opened: over the last year and a half, more of them lately; oldest first."""
    span = 540 * DAY
    return sorted(now - int(span * random.random() ** 2) - 6 * 3600 * SECOND for _ in range(count))


def default_world(
    *,
    seed: int = 1,
    issues: int = DEFAULT_ISSUES,
    clock: Clock | None = None,
    tier: Tier = "ultimate",
    edition: Edition = "ee",
    version: str = "18.9",
) -> World:
    """A world made up around the clock's today; the same seed and day give the same one."""
    world = World(clock=clock, tier=tier, edition=edition, version=version)
    maker = _Maker(world, seed)
    maker.furnish()
    random = maker.random
    plan = recipes(random, issues, maker.versions, _PREVIOUS)
    for awkward, recipe in zip(AWKWARD, random.sample(plan, min(len(AWKWARD), len(plan))), strict=False):
        recipe.title = awkward
    random.shuffle(plan)
    made = []
    places = random.choices(maker.projects, maker.weights, k=len(plan))
    for recipe, created, place in zip(plan, _dates(random, maker.now, len(plan)), places, strict=True):
        issue = maker.issue(recipe, created, maker.projects[-1] if recipe.refused else place)
        world.index.issues[issue.id] = issue
        made.append(issue)
    maker.rank(made)
    maker.block(made)
    maker.local(made)
    maker.boards()
    world.index.rebuild()
    # Events made up later are numbered by issue; those of real changes come after all of them.
    world.next_id("event", (len(made) + 1) * 64)
    world.historian = Historian(world, seed)
    return world
