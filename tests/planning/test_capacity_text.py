"""The capacity as Markdown: totals reveal nothing about one person, and days never appear."""

from __future__ import annotations

from glboard_core.config import PlanningSettings
from glboard_core.planning.capacity import Capacity, ClosedWeight, capacity, markdown
from glboard_core.planning.team import Member, Team
from planning.histories import FLOW, NAMES
from support.make import MILESTONES, issue, milestone

X = milestone("19.8", "2026-12-12", "2027-01-15")
CLOSED = (
    ClosedWeight(milestone="19.6", count=2, weight=7),
    ClosedWeight(milestone="19.7", count=1, weight=2),
)


def found(*people: Member) -> Capacity:
    issues = [
        issue(1, milestone="19.8", weight=30, assignees=("eng_alder",)),
        issue(2, milestone="19.8", assignees=("eng_elm",)),
        issue(3, "Deliverable", milestone="19.7", weight=2),
    ]
    return capacity(issues, X, Team(people=people), MILESTONES, FLOW, NAMES, PlanningSettings())


PEOPLE = (Member(username="eng_alder", role="backend"), Member(username="eng_birch", role="frontend"))


def test_totals() -> None:
    assert (
        markdown(found(*PEOPLE), X, CLOSED)
        == """\
## Capacity 19.8

2 people, 25 workdays, 12 Dec to 15 Jan. Weights; 1 is about 2 days.

| | likely | all |
| --- | ---: | ---: |
| Capacity | 25 | 25 |
| Carry-over from 19.7 | 2 | 2 |
| Planned + 1 unweighted | 30 | 30 |
| **Room** | **-7** | **-7** |

For comparison, closed Deliverable weight: 4.5 on average (19.6: 7, 19.7: 2)."""
    )


def test_names_only_on_request() -> None:
    said = markdown(found(*PEOPLE), X, names=True)
    assert "By role: backend 12.5, frontend 12.5." in said
    assert "| eng\\_alder | 12.5 | 0 | 30 | -17.5 |" in said
    assert "| eng\\_elm | not in team.toml | 0 | 0 |  |" in said
    assert "eng" not in markdown(found(*PEOPLE), X)


def test_role_sums_only_if_they_reveal_no_one() -> None:
    pair = (Member(username="a", role="x|y"), Member(username="b", role="x|y"))
    assert "By role: x\\|y 25." in markdown(found(*pair), X)


def test_a_milestone_without_data_is_no_zero_and_people_without_roles_have_no_line() -> None:
    gap = (*CLOSED, ClosedWeight(milestone="19.5"))
    said = markdown(found(Member(username="a"), Member(username="b")), X, gap, names=True)
    assert "4.5 on average (19.6: 7, 19.7: 2, 19.5: no data)" in said
    assert "role" not in said
