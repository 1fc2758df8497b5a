"""What kinds of issues a planning month has, and how many of each.

Owns the proportions only: a recipe says labels by name, milestone by title, weight and state. Where an
issue lies, when it was opened and who has it is decided later.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from random import Random

from glboard_core.demo.calendar import Version
from glboard_core.demo.vocabulary import CATEGORIES, ORGANISATION, SUBTYPES, TYPES

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
# The counts below make about this many issues before the backlog.
_CORE = 215


@dataclass(slots=True)
class Recipe:
    """An issue to be made."""

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
        """An ordinary issue: organised, typed, with the gaps real ones have."""
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
        """Makes sure that a Planning board has what a planning session stumbles over."""
        for recipe, spoil in zip(found, _ODD, strict=False):
            spoil(recipe)
        for recipe in found[4:5]:
            recipe.labels += [f"missed:{self.versions[self.at - back].title}" for back in (1, 2)]
        return found

    def _spoil(self, recipe: Recipe, chance: float) -> None:
        """Takes something away or adds too much, as triage finds it."""
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
        """Something in the current milestone that is no Deliverable."""
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
        """Something for later."""
        recipe = self.base(milestone, self.random.choice(_EARLY))
        if self.random.random() < weighed:
            recipe.weight = self.weight()
        self._spoil(recipe, 0.1)
        return recipe

    def unplaced(self) -> Recipe:
        """No milestone yet: triage."""
        recipe = self.base(None, self.random.choice((None, "validation backlog", "ready for development")))
        self._spoil(recipe, 0.5)
        if self.random.random() < 0.15:
            recipe.labels.append("Deliverable")
        return recipe

    def backlog(self) -> Recipe:
        """The long tail; a third of it is closed long ago."""
        flow = self.random.choice((None, None, *_EARLY))
        recipe = self.base("Backlog", flow)
        if self.random.random() < 0.1:
            recipe.weight = self.weight()
        if self.random.random() < 0.3:
            recipe.closed = (date(2000, 1, 1), date(2999, 12, 31))
        self._spoil(recipe, 0.15)
        return recipe

    def planning_issue(self, offset: int) -> Recipe:
        """The planning issue of a milestone, which stands on no board."""
        version = self.versions[self.at + offset]
        labels = ["group::custom models", "type::ignore", "Planning Issue"]
        return Recipe(
            "feature", labels, version.title, described=True, title=f"Planning issue for {version.title}"
        )


def recipes(random: Random, count: int, versions: Sequence[Version], current: int) -> list[Recipe]:
    """As many recipes as asked for; below the size of a month everything shrinks alike."""
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
