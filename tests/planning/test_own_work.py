"""What a person works on, and what they can start next."""

from __future__ import annotations

from glboard_core.model.issue import Issue
from glboard_core.planning.candidates import assigned, to_pick
from planning.histories import FLOW, NAMES, READY
from support.make import issue


def free(number: int, *labels: str, **fields: object) -> Issue:
    return issue(number, READY, "type::bug", *labels, **{"milestone": "19.8", "weight": 2, **fields})


def iids(issues: list[Issue]) -> list[int]:
    return [one.iid for one in issues]


def test_own_work_is_sorted_by_state_without_closed_or_foreign_issues() -> None:
    mine = {"assignees": ("eng_alder", "eng_birch")}
    work = [
        issue(1, "workflow::in review", **mine),
        issue(2, "workflow::in dev", **mine),
        issue(3, **mine),
        issue(4, "workflow::in dev", state="closed", **mine),
        issue(5, "workflow::in dev", assignees=("eng_birch",)),
    ]
    assert iids(assigned(work, "eng_alder", FLOW)) == [3, 2, 1]


def test_pickable_issues_are_ready_unassigned_and_in_the_milestone() -> None:
    work = [
        free(1),
        free(2, assignees=("eng_alder",)),
        free(3, weight=None),
        free(4, milestone="19.9"),
        free(5, state="closed"),
        free(6, "type::feature"),
        free(7, weight=0),
    ]
    assert iids(to_pick(work, "19.8", FLOW, NAMES)) == [1, 7]
    assert to_pick(work, None, FLOW, NAMES) == []


def test_accepted_issues_come_first_then_priority_then_manual_order() -> None:
    work = [
        free(1),
        free(2, "priority::2"),
        free(3, "priority::1"),
        free(4, NAMES.deliverable, "priority::3"),
        free(5, "priority::1"),
    ]
    assert iids(to_pick(work, "19.8", FLOW, NAMES)) == [4, 3, 5, 2, 1]
