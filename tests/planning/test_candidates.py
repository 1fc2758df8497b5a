"""Candidates, their order, and the proposal that fills the capacity (rule 12); the mix (rule 11)."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from glboard_core.board.index import Sorting
from glboard_core.model.issue import Issue
from glboard_core.model.milestone import present_titles
from glboard_core.planning.candidates import (
    Candidate,
    Order,
    candidates,
    capacity_ends,
    fill,
    running,
    takers,
)
from glboard_core.planning.capacity import PersonBudget, PersonCapacity
from glboard_core.planning.mix import UNDEFINED, Mix, mix
from planning.histories import FLOW, NAMES, READY
from support.make import issue, milestone

TARGET = {"type::feature": 60.0, "type::maintenance + type::bug": 40.0}


def found(*issues: Issue, order: Order = "suggested") -> list[Candidate]:
    return candidates(issues, "19.8", frozenset({"19.7", "19.8"}), FLOW, NAMES, order=order)


def fit(number: int, *labels: str, **fields: Any) -> Issue:
    return issue(number, READY, "type::bug", *labels, **{"milestone": "19.8", "weight": 2, **fields})


def iids(listed: list[Candidate]) -> list[int]:
    return [one.issue.iid for one in listed]


def test_order_is_by_slips_then_manual_order_and_nothing_else() -> None:
    listed = found(
        fit(1, "priority::1", position=4.0, weight=1),
        fit(2, "priority::4", position=1.0, weight=3),
        fit(3, "missed:19.6", position=9.0),
        fit(4, "missed:19.6", "missed:19.7", position=10.0),
        fit(5, "missed:19.6", position=5.0),
        fit(6, position=None),
    )
    assert iids(listed) == [4, 5, 3, 2, 1, 6]
    assert [(one.slipped, one.rank) for one in listed] == [(2, 5), (1, 3), (1, 4), (0, 1), (0, 2), (0, 6)]


def test_a_renamed_milestone_is_missed_once() -> None:
    """A label keeps the title that the milestone had; the next one has the present title."""
    renamed = present_titles([milestone("19.6"), milestone("19.7", was=("19.7 RC", "19.7 beta"))])
    twice = fit(1, "missed:19.7", "missed:19.7 RC", "missed:19.7 beta", position=2.0)
    both = fit(2, "missed:19.6", "missed:19.7 RC", position=3.0)
    listed = candidates([twice, both], "19.8", frozenset({"19.8"}), FLOW, NAMES, renamed=renamed)
    assert [(one.issue.iid, one.slipped) for one in listed] == [(2, 2), (1, 1)]
    sorting = Sorting(by="slipped", renamed=renamed)
    assert [sorting.lead(one, one.weight) for one in (twice, both)] == [-1, -2]


def test_order_can_be_by_priority_or_weight() -> None:
    issues = (
        fit(1, "priority::2", weight=1),
        fit(2, weight=None),
        fit(3, "priority::1", "priority::4", weight=3),
        fit(4, "priority::2", weight=0),
    )
    assert iids(found(*issues, order="priority")) == [3, 1, 4, 2]
    assert iids(found(*issues, order="weight")) == [4, 1, 3, 2]


def test_details_of_a_candidate() -> None:
    (one,) = found(fit(1, "priority::2", "severity::2", "Deliverable", weight=5))
    assert (one.priority, one.severity, one.severe, one.accepted) == ("2", "2", True, True)
    assert one.warnings == ("over-weight",)
    (other,) = found(issue(2, READY, "type::feature", "severity::1", milestone="19.8", weight=1))
    assert (other.severe, other.priority) == (False, None)


def test_candidates_are_the_open_issues_of_the_milestone_that_count() -> None:
    assert iids(
        found(
            fit(1),
            fit(2, state="closed"),
            fit(3, milestone="19.7"),
            fit(4, "type::ignore"),
            fit(5, labels=frozenset({READY})),
            fit(6, weight=None),
        )
    ) == [1, 6]
    assert found() == []


def test_running_weight_covers_accepted_and_eligible_issues() -> None:
    lines = found(fit(1, weight=2), fit(2, NAMES.deliverable, weight=3), issue(3, milestone="19.8", weight=5))
    sums = running(lines)
    assert sorted(n for n in sums if n is not None)[-1] == 5
    assert sums[iids(lines).index(3)] is None


def test_capacity_ends_before_the_first_line_that_exceeds_it() -> None:
    assert capacity_ends([2, None, 5], 5) is None
    assert capacity_ends([2, None, 5], 4.5) == 2
    assert capacity_ends([2, None, 5], -1) == 0
    assert capacity_ends([0], 0) is None
    assert capacity_ends([], 0) is None


def test_fill_goes_down_the_order_and_skips_what_does_not_fit() -> None:
    listed = found(
        fit(1, weight=3), fit(2, weight=3), fit(3, weight=None), fit(4, weight=1), fit(5, weight=0)
    )
    lines = fill(listed, 4.5)
    assert [(line.candidate.issue.iid, line.chosen, line.cumulative) for line in lines] == [
        (1, True, 3),
        (2, False, 3),
        (3, False, 3),
        (4, True, 4),
        (5, True, 4),
    ]


def test_fill_leaves_accepted_and_ineligible_issues() -> None:
    listed = found(fit(1, "Deliverable"), fit(2, "type::feature"), fit(3))
    assert [line.chosen for line in fill(listed, 100)] == [False, False, True]


def test_nothing_is_proposed_without_capacity() -> None:
    assert not any(line.chosen for line in fill(found(fit(1), fit(2, weight=0)), -1))


@given(
    st.lists(st.tuples(st.none() | st.integers(0, 6), st.booleans()), max_size=12),
    st.floats(-5, 30, allow_nan=False),
)
def test_proposal_fits_and_no_skipped_issue_would(rows: list[tuple[int | None, bool]], space: float) -> None:
    listed = found(
        *(fit(n, *(("Deliverable",) if taken else ()), weight=w) for n, (w, taken) in enumerate(rows))
    )
    lines = fill(listed, space)
    chosen = [line.candidate.issue.weight or 0 for line in lines if line.chosen]
    assert not chosen or sum(chosen) <= space
    for line in lines:
        one = line.candidate
        if one.eligible and not one.accepted and not line.chosen:
            assert line.cumulative + (one.issue.weight or 0) > space


# -- mix


def mixed(*issues: Issue) -> Mix:
    return mix(issues, "19.8", NAMES, TARGET)


def test_issue_with_two_types_is_in_both_and_one_without_is_shown() -> None:
    result = mixed(
        issue(1, "type::bug", "type::maintenance", milestone="19.8", weight=1),
        issue(2, "type::feature", milestone="19.8", weight=3),
        issue(3, milestone="19.8", weight=None),
        issue(4, "type::chore", milestone="19.8", weight=0),
        issue(5, "type::ignore", milestone="19.8", weight=9),
        issue(6, "type::bug", milestone="19.8", weight=9, state="closed"),
        issue(7, "type::bug", milestone="19.7", weight=9),
    )
    assert list(result.types) == [
        "type::feature",
        "type::maintenance",
        "type::bug",
        "type::chore",
        UNDEFINED,
    ]
    sums = {name: (s.sums.count, s.sums.weight, s.sums.unweighted) for name, s in result.types.items()}
    assert sums == {
        "type::feature": (1, 3, 0),
        "type::maintenance": (1, 1, 0),
        "type::bug": (1, 1, 0),
        "type::chore": (1, 0, 0),
        UNDEFINED: (1, 0, 1),
    }
    assert (result.whole.count, result.whole.weight) == (4, 4)
    assert (result.types["type::feature"].percent_count, result.types["type::feature"].percent_weight) == (
        25.0,
        75.0,
    )
    assert result.reached("type::feature") == (25.0, 75.0)
    assert result.reached("type::maintenance + type::bug") == (50.0, 50.0)
    assert result.reached("type::unheard of") == (0.0, 0.0)


def test_an_empty_milestone_has_no_shares() -> None:
    result = mixed()
    assert {(s.percent_count, s.percent_weight) for s in result.types.values()} == {(None, None)}
    weightless = mixed(issue(1, "type::bug", milestone="19.8", weight=0))
    share = weightless.types["type::bug"]
    assert (share.percent_count, share.percent_weight) == (100.0, None)


TYPES = st.frozensets(st.sampled_from(["type::bug", "type::feature", "type::maintenance"]), max_size=2)


@given(st.lists(st.tuples(TYPES, st.none() | st.integers(0, 8)), max_size=15))
def test_mix_adds_up(rows: list[tuple[frozenset[str], int | None]]) -> None:
    result = mixed(*(issue(n, *types, milestone="19.8", weight=w) for n, (types, w) in enumerate(rows)))
    twice = [(types, w) for types, w in rows if len(types) > 1]
    assert sum(s.sums.count for s in result.types.values()) == len(rows) + len(twice)
    assert sum(s.sums.weight for s in result.types.values()) == sum(w or 0 for _, w in [*rows, *twice])
    assert sum(s.sums.unweighted for s in result.types.values()) == sum(w is None for _, w in [*rows, *twice])


def test_a_proposal_is_distributed_by_free_weight_and_role() -> None:
    def person(name: str, weight: float, role: str = "", **fields: int) -> PersonCapacity:
        return PersonCapacity(username=name, role=role, budget=PersonBudget(weight * 2, weight), **fields)

    people = (
        person("a", 5, "backend", committed=1),
        person("b", 3, "frontend"),
        person("away", 0),
        PersonCapacity(username="stranger"),
    )
    open_ = [fit(1), fit(2), fit(3), fit(4, "role::frontend"), fit(5, assignees=("a",))]
    # 4 and 3 are free: a, then b, then a; the fourth is for the frontend, though that is over by then.
    assert list(takers(open_, people).values()) == ["a", "b", "a", "b"]
    assert takers(open_, people[2:]) == {}
