"""Two versions of a plan next to each other: team, people, types."""

from __future__ import annotations

from datetime import date

from msgspec import structs

from glboard_core.config import Settings
from glboard_core.model.issue import Issue
from glboard_core.planning.figures import Figures
from glboard_core.planning.plan_comparison import BeforeAfter, PlanComparison, compare_plans
from glboard_core.planning.team import Team, parse_team
from support.make import catalog, issue

GROUP = Settings().labels.group
FIGURES = Figures(settings=Settings(), catalog=catalog(), today=date(2026, 12, 7))
NEXT = next(one for one in FIGURES.catalog.milestones if one.title == "19.8")
TEAM = parse_team('[[people]]\nusername = "alder"\n[[people]]\nusername = "birch"\n', "team.toml")


def planned(number: int, weight: int | None, kind: str, *who: str) -> Issue:
    labels = frozenset({label for label in (GROUP, f"type::{kind}") if label})
    made = issue(number)
    return structs.replace(made, weight=weight, labels=labels, assignees=who, milestone="19.8")


BEFORE = [planned(1, 3, "bug", "alder"), planned(2, 2, "feature", "alder"), planned(3, None, "feature")]


def compared(after: list[Issue], team: Team = TEAM) -> PlanComparison:
    return compare_plans(
        FIGURES.capacity(BEFORE, NEXT, team),
        FIGURES.capacity(after, NEXT, team),
        (FIGURES.mix(BEFORE, NEXT), FIGURES.mix(after, NEXT)),
    )


def test_the_difference_of_the_team_is_that_of_its_rows() -> None:
    after = [planned(1, 3, "bug", "birch"), planned(3, 5, "feature")]
    found = compared(after)
    assert (found.planned, found.unassigned) == (BeforeAfter(5, 8), BeforeAfter(0, 5))
    assert found.unweighted.difference == -1
    assert found.free.difference == -3
    people = {one.username: one.planned.difference for one in found.people}
    assert people == {"alder": -5, "birch": 3}
    assert sum(people.values()) + found.unassigned.difference == found.planned.difference
    # Those for whom most changes come first.
    assert [one.username for one in found.people] == ["alder", "birch"]
    assert {one.name: (one.count.difference, one.weight.difference) for one in found.types} == {
        "type::feature": (-1, 3),
        "type::bug": (0, 0),
    }


def test_the_same_plan_has_no_difference() -> None:
    found = compared(BEFORE)
    assert found.planned.difference == found.free.difference == 0
    assert not any(one.differs for one in found.people)


def test_people_outside_the_team_have_no_budget() -> None:
    found = compared([*BEFORE, planned(4, 1, "bug", "cedar")])
    cedar = next(one for one in found.people if one.username == "cedar")
    assert cedar.planned == BeforeAfter(0, 1)
    assert cedar.free == BeforeAfter(None, None)
    assert cedar.free.difference == 0
    assert cedar.differs
