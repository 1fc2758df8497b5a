"""Capacity, load and the figure for comparison (rules 10 and 21)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from glboard_core.config import PlanningSettings
from glboard_core.errors import UsageError
from glboard_core.model.issue import Issue
from glboard_core.planning.capacity import (
    Capacity,
    ClosedWeight,
    budget,
    capacity,
    closed_weights,
    load_of,
    mean,
    past_milestones,
    window,
    workdays,
)
from glboard_core.planning.team import Member, Span, Team
from planning.histories import FLOW, NAMES
from support.make import MILESTONES, issue, milestone

X = milestone("19.8", "2026-12-12", "2027-01-15")
PLAIN = PlanningSettings()


def capacity_of(issues: list[Issue], team: Team, planning: PlanningSettings = PLAIN) -> Capacity:
    return capacity(issues, X, team, MILESTONES, FLOW, NAMES, planning)


# -- the calendar


def test_workdays_are_monday_to_friday_including_holidays() -> None:
    assert len(workdays(X)) == 25
    assert len(workdays(milestone("a", "2026-12-12", "2026-12-13"))) == 0
    assert len(workdays(milestone("a", "2026-12-11", "2026-12-11"))) == 1


@pytest.mark.parametrize(
    "undated", [milestone("Backlog"), milestone("a", "2026-12-12"), milestone("a", None, "2026-12-12")]
)
def test_milestone_without_both_dates_cannot_be_measured(undated: object) -> None:
    with pytest.raises(UsageError, match="no start and due date"):
        workdays(undated)  # type: ignore[arg-type]


def test_last_second_of_a_day_when_clocks_go_back_at_midnight() -> None:
    # In Havana the first hour of that day occurs twice: the day starts with the first.
    zone = ZoneInfo("America/Havana")
    measured = window(milestone("a", "2026-11-01", "2026-11-01"), zone)
    assert measured.start == datetime(2026, 11, 1, 4, 0, tzinfo=UTC)
    assert measured.cut_off == datetime(2026, 11, 2, 4, 59, 59, tzinfo=UTC)
    # Paraguay once ended summer time at midnight, so the hour before occurred twice.
    twice = window(milestone("a", "2014-03-01", "2014-03-22"), ZoneInfo("America/Asuncion"))
    assert twice.cut_off == datetime(2014, 3, 23, 3, 59, 59, tzinfo=UTC)


# -- budgets


def days_of(member: Member, **team: object) -> float:
    return budget(member, Team(people=(member,), **team), X).net_days  # type: ignore[arg-type]


def test_day_off_counts_once_however_often_it_is_listed() -> None:
    christmas = date(2026, 12, 24)
    off = (christmas, christmas, Span(first=date(2026, 12, 23), last=date(2026, 12, 25)))
    member = Member(username="a", time_off=off, holidays=(christmas,))
    assert days_of(member, holidays=(christmas,)) == 22


def test_days_off_at_weekends_or_outside_the_milestone_do_not_count() -> None:
    off = (date(2026, 12, 13), date(2026, 12, 11), date(2027, 1, 18), date(2027, 1, 15))
    assert days_of(Member(username="a", time_off=off)) == 24


def test_support_days_belong_to_the_milestone_and_net_days_stay_above_zero() -> None:
    assert days_of(Member(username="a", support_days={"19.8": 5, "19.9": 3})) == 20
    assert days_of(Member(username="a", support_days={"19.8": 2.5})) == 22.5
    assert days_of(Member(username="a", support_days={"19.8": 26})) == 0


def test_person_without_days_is_listed_with_budget_zero() -> None:
    winter = Span(first=date(2026, 12, 1), last=date(2027, 1, 31))
    away = Member(username="a", time_off=(winter,), support_days={"19.8": 3})
    found = capacity_of([issue(1, milestone="19.8", weight=2, assignees=("a",))], Team(people=(away,)))
    (person,) = found.people
    assert person.budget is not None
    assert (person.budget.net_days, person.budget.weight) == (0, 0)
    assert (person.committed, person.free) == (2, -2)


def test_factor_reserve_and_days_per_weight() -> None:
    member = Member(username="a", factor=0.5)
    assert budget(member, Team(), X).weight == 6.25
    assert budget(member, Team(reserve=0.2), X).weight == pytest.approx(5.0)
    assert budget(member, Team(days_per_weight=2.5), X).weight == 5.0


def test_team_total_is_the_unrounded_sum() -> None:
    team = Team(people=tuple(Member(username=name, factor=1 / 3) for name in "abc"), days_per_weight=7)
    assert capacity_of([], team).total == pytest.approx(25 / 7)
    assert capacity_of([], Team()).total == 0


# -- planned, carry-over, free capacity


def test_planned_counts_every_open_issue_once() -> None:
    issues = [
        issue(1, "Deliverable", milestone="19.8", weight=3, assignees=("a", "b")),
        issue(2, milestone="19.8", weight=2),
        issue(3, milestone="19.8", weight=None),
        issue(4, milestone="19.8", weight=0),
        issue(5, "type::bug", "type::feature", milestone="19.8", weight=1),
        issue(6, milestone="19.8", weight=5, state="closed"),
        issue(7, "type::ignore", milestone="19.8", weight=5),
        issue(8, milestone="19.9", weight=5),
        issue(9, milestone="19.8", weight=5, labels=frozenset({"group::other"})),
    ]
    found = capacity_of(issues, Team(people=(Member(username="a"),)))
    assert (found.planned, found.unweighted, found.accepted, found.unassigned) == (6, 1, 3, 3)
    # In full for each assignee; a person who is not in the file is listed without a budget.
    assert [(p.username, p.committed, p.budget is None) for p in found.people] == [
        ("a", 3, False),
        ("b", 3, True),
    ]
    assert found.people[1].free is None
    assert found.free == 12.5 - 6


def test_carry_over_is_the_open_deliverables_of_the_milestone_before() -> None:
    def left(number: int, *labels: str, weight: int | None = 2, **fields: object) -> Issue:
        return issue(number, "Deliverable", *labels, milestone="19.7", weight=weight, **fields)

    issues = [
        left(1, "workflow::in dev", assignees=("a",)),
        left(2, "workflow::in review"),
        left(3, "workflow::verification"),
        left(4, "workflow::awaiting security release"),
        left(5, "workflow::blocked"),
        left(6),
        left(7, weight=None),
        left(8, state="closed"),
        left(9, "type::ignore"),
        issue(10, milestone="19.7", weight=2),
        issue(11, "Deliverable", milestone="19.6", weight=2),
    ]
    found = capacity_of(issues, Team(people=(Member(username="a"),)))
    carried = found.carry_over
    assert carried.milestone == "19.7"
    assert [one.iid for one in carried.issues] == [1, 2, 3, 4, 5, 6, 7]
    assert (carried.weight, carried.unweighted, carried.likely) == (12, 1, 6)
    assert (found.free, found.free_likely) == (0.5, 6.5)
    assert found.people[0].free == 10.5
    half = capacity_of(issues, Team(), PlanningSettings(likely_share=0.5)).carry_over
    assert (half.weight, half.likely) == (12, 3)
    strict = capacity_of(issues, Team(), PlanningSettings(nearly_done=("verification",))).carry_over
    assert strict.likely == 10


def test_first_milestone_has_no_carry_over() -> None:
    first = milestone("19.6", "2026-10-10", "2026-11-13")
    found = capacity([], first, Team(), MILESTONES, FLOW, NAMES, PLAIN)
    assert (found.carry_over.milestone, found.carry_over.weight) == (None, 0)


def test_space_ignores_issues_that_are_only_planned() -> None:
    issues = [
        issue(1, "Deliverable", milestone="19.8", weight=3),
        issue(2, milestone="19.8", weight=2),
        issue(3, "Deliverable", "workflow::in review", milestone="19.7", weight=4),
    ]
    found = capacity_of(issues, Team(people=(Member(username="a"),)))
    assert (found.space(), found.space(likely=False)) == (9.5, 5.5)


def test_sums_by_role() -> None:
    people = (Member(username="a", role="backend"), Member(username="b", role="frontend", factor=0.5))
    found = capacity_of([], Team(people=(*people, Member(username="c", role="backend"))))
    assert found.by_role() == {"backend": 25.0, "frontend": 6.25}


def test_sum_of_a_role_with_one_person_reveals_their_budget() -> None:
    pair = (Member(username="a", role="backend"), Member(username="b", role="backend"))
    assert capacity_of([], Team(people=pair)).shared_roles() == {"backend": 25.0}
    # One person without a role equals the rest of the total.
    assert capacity_of([], Team(people=(*pair, Member(username="c")))).shared_roles() == {}


def test_net_days_from_the_file_override_calculated_ones() -> None:
    member = Member(
        username="a",
        holidays=(date(2026, 12, 24),),
        support_days={"19.8": 5},
        net_days={"19.8": 12.5, "19.9": 1},
        factor=0.5,
    )
    assert budget(member, Team(reserve=0.2), X).net_days == 12.5
    assert budget(member, Team(reserve=0.2), X).weight == pytest.approx(12.5 / 2 * 0.5 * 0.8)
    assert budget(structs.replace(member, net_days={"19.8": 0}), Team(), X).net_days == 0
    assert budget(structs.replace(member, net_days={"19.9": 3}), Team(), X).net_days == 19


def test_an_empty_milestone() -> None:
    found = capacity_of([], Team(people=(Member(username="a"),)))
    assert (found.planned, found.unweighted, found.free) == (0, 0, 12.5)


def test_mean_of_the_last_three_finished_milestones() -> None:
    past = past_milestones(MILESTONES, X, date(2026, 12, 7), PLAIN)
    assert [one.title for one in past] == ["19.6"]
    past = past_milestones(
        MILESTONES, milestone("19.10", "2027-02-13", "2027-03-12"), date(2027, 2, 13), PLAIN
    )
    assert [one.title for one in past] == ["19.7", "19.8", "19.9"]
    issues = [
        issue(1, "Deliverable", milestone="19.7", weight=4, state="closed"),
        issue(2, "Deliverable", milestone="19.9", weight=2, state="closed"),
        issue(3, "Deliverable", milestone="19.9", weight=9),
        issue(4, milestone="19.9", weight=9, state="closed"),
        issue(5, "Deliverable", milestone="19.6", weight=9, state="closed"),
    ]
    closed = closed_weights(issues, past, NAMES)
    assert closed == (
        ClosedWeight(milestone="19.7", count=1, weight=4),
        ClosedWeight(milestone="19.8"),
        ClosedWeight(milestone="19.9", count=1, weight=2),
    )
    # Nothing closed in 19.8: it has no data, and is no 0.
    assert mean(closed) == 3.0
    assert mean(closed_weights(issues, [], NAMES)) is None


# -- load


def test_load_counts_open_deliverables_in_full_for_each_assignee() -> None:
    issues = [
        issue(1, "Deliverable", milestone="19.8", weight=3, assignees=("a", "z")),
        issue(2, "Deliverable", milestone="19.8", weight=None, assignees=("a",)),
        issue(3, "Deliverable", milestone="19.8", weight=2),
        issue(4, milestone="19.8", weight=2, assignees=("a",)),
        issue(5, "Deliverable", milestone="19.8", weight=2, assignees=("a",), state="closed"),
    ]
    found = load_of(issues, X, Team(people=(Member(username="b"), Member(username="a", factor=0.1))), NAMES)
    rows = [(p.username, [i.iid for i in p.issues], p.sums.weight, p.over) for p in found.people]
    assert rows == [("b", [], 0, False), ("a", [1, 2], 3, True), ("z", [1], 3, False)]
    assert [p.budget for p in found.people] == [12.5, 1.25, None]
    assert ([i.iid for i in found.unassigned], found.unassigned_sums.weight) == ([3], 2)


def test_load_without_dates_or_team_has_no_budgets() -> None:
    one = issue(1, "Deliverable", milestone="Backlog", assignees=("a",))
    bucket = load_of([one], milestone("Backlog"), Team(people=(Member(username="a"),)), NAMES)
    assert [p.budget for p in bucket.people] == [None]
    assert load_of([], X, None, NAMES).people == ()


# -- laws

DAYS = st.frozensets(st.dates(date(2026, 12, 1), date(2027, 1, 31)), max_size=20)


@given(DAYS, DAYS, DAYS, st.integers(0, 30), st.floats(0, 1), st.floats(0, 0.9))
def test_more_days_off_never_increase_the_budget(
    holidays: frozenset[date],
    off: frozenset[date],
    more: frozenset[date],
    support: int,
    factor: float,
    reserve: float,
) -> None:
    member = Member(username="a", time_off=tuple(off), factor=factor, support_days={"19.8": support})
    team = Team(holidays=tuple(holidays), reserve=reserve)
    before = budget(member, team, X)
    after = budget(structs.replace(member, time_off=tuple(off | more)), team, X)
    assert 0 <= after.net_days <= before.net_days <= 25
    assert 0 <= after.weight <= before.weight <= 12.5
    # A holiday that is also time off changes nothing, wherever it is listed.
    moved = structs.replace(member, time_off=(), holidays=tuple(off))
    assert budget(moved, team, X) == before


@given(st.lists(st.tuples(st.sampled_from(["19.7", "19.8"]), st.integers(0, 9), st.booleans()), max_size=20))
def test_free_capacity_is_the_total_less_everything(rows: list[tuple[str, int, bool]]) -> None:
    issues = [
        issue(n, *(("Deliverable",) if accepted else ()), milestone=title, weight=weight)
        for n, (title, weight, accepted) in enumerate(rows)
    ]
    found = capacity_of(issues, Team(people=(Member(username="a"),)))
    assert found.free == 12.5 - found.carry_over.weight - found.planned
    assert found.free <= found.free_likely
    assert found.accepted <= found.planned


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["19.7", "19.8"]),
            st.integers(0, 9),
            st.sampled_from(["workflow::in dev", "workflow::in review"]),
            st.sampled_from(["", "a", "b"]),
        ),
        max_size=20,
    ),
    st.sampled_from([0.5, 1.0]),
)
def test_people_and_what_is_unassigned_add_up_to_the_team(
    rows: list[tuple[str, int, str, str]], share: float
) -> None:
    issues = [
        issue(n, "Deliverable", state, milestone=title, weight=weight, assignees=(who,) if who else ())
        for n, (title, weight, state, who) in enumerate(rows)
    ]
    team = Team(people=(Member(username="a"), Member(username="b")))
    found = capacity_of(issues, team, PlanningSettings(likely_share=share))
    carried = found.carry_over
    no_one = carried.likely_of(one for one in carried.issues if not one.assignees) + found.unassigned
    assert sum(person.free or 0 for person in found.people) - no_one == found.free_likely
    assert sum(person.likely for person in found.people) <= carried.likely
    assert sum(person.carry_over for person in found.people) <= carried.weight


@given(st.dates(date(2026, 1, 1), date(2026, 12, 31)), st.integers(0, 40))
def test_workdays_of_whole_weeks_are_five_each(start: date, weeks: int) -> None:
    if weeks:
        long = milestone("a", start.isoformat(), (start + timedelta(days=7 * weeks - 1)).isoformat())
        assert len(workdays(long)) == 5 * weeks
