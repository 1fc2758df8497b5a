"""The team's capacity in a milestone, and how much of it is used (planning rule 10).

Owns budgets (from days to weight), carry-over, planned and free capacity. Weights are sums of GitLab's issue
weights; budgets are weights too and never rounded; days are workdays, Monday to Friday.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from msgspec import Struct, structs

from glboard_core.config import LabelSettings, PlanningSettings
from glboard_core.errors import UsageError
from glboard_core.model.issue import Issue, IssueId, rank_key
from glboard_core.model.milestone import Milestone, preceding, versions
from glboard_core.model.workflow import WorkflowScheme
from glboard_core.planning.readiness import Sum, counts, deliverables, total
from glboard_core.planning.team import Member, Team, days
from glboard_core.planning.text import day_words, number, plain, with_sign

_SATURDAY = 5


# The days of a milestone


class MilestoneWindow(Struct, frozen=True, kw_only=True):
    """The period in which a milestone is measured, both ends inclusive; ``lock`` is the default lock of its
    plan: 23:59:59 of the day before the start (rule 6)."""

    start: datetime
    cut_off: datetime
    lock: datetime


def dates_of(milestone: Milestone) -> tuple[date, date]:
    """Start and due date. Raises UsageError for a milestone without both, since it cannot be measured."""
    if milestone.start is None or milestone.due is None:
        raise UsageError(
            f"The milestone “{milestone.title}” has no start and due date.",
            hint="This report needs a milestone with both dates, such as current or next.",
        )
    return milestone.start, milestone.due


def workdays(milestone: Milestone) -> tuple[date, ...]:
    """Monday to Friday from start to due, both inclusive, holidays included (rule 10). Raises UsageError."""
    start, due = dates_of(milestone)
    days = (start + timedelta(days=n) for n in range((due - start).days + 1))
    return tuple(day for day in days if day.weekday() < _SATURDAY)


def window(milestone: Milestone, zone: tzinfo) -> MilestoneWindow:
    """The window of a milestone in the team's time zone (rule 6). Raises UsageError if it has no dates."""
    start, due = dates_of(milestone)
    return MilestoneWindow(
        start=datetime.combine(start, time.min, zone).astimezone(UTC),
        cut_off=_end_of(due, zone),
        lock=_end_of(start - timedelta(days=1), zone),
    )


def _end_of(day: date, zone: tzinfo) -> datetime:
    # fold=1: if the clocks go back at midnight, the day ends with the second 23:59:59, not the first.
    return datetime.combine(day, time(23, 59, 59, fold=1), zone).astimezone(UTC)


# Budgets, carry-over and what is free


class PersonBudget(Struct, frozen=True):
    """One person's days and the weight they equal. Days are whole unless support days are not."""

    net_days: float
    weight: float


class PersonCapacity(Struct, frozen=True, kw_only=True):
    """One person. ``budget`` is None for an assignee who is not in the team file.

    ``committed`` is the weight of the milestone's open issues assigned to them, Deliverable or not, each
    in full (rule 10); ``carry_over`` that of the open Deliverables before it, and ``likely`` what of that
    probably comes along.
    """

    username: str
    role: str = ""
    budget: PersonBudget | None = None
    committed: int = 0
    carry_over: int = 0
    likely: float = 0.0

    @property
    def free(self) -> float | None:
        """The free part of the budget after the likely carry-over; negative if over. None without a budget.

        People and what is unassigned add up to the team's ``free_likely``. Only an issue with several
        assignees counts for each.
        """
        return None if self.budget is None else self.budget.weight - self.committed - self.likely


class CarryOver(Struct, frozen=True, kw_only=True):
    """The open Deliverables of the version milestone before: ``likely`` without those nearly done
    (rule 10).
    """

    milestone: str | None = None
    issues: tuple[Issue, ...] = ()
    weight: int = 0
    unweighted: int = 0
    likely: float = 0.0
    #: The issues that are nearly done, and the share of the others that is likely.
    nearly_done: frozenset[IssueId] = frozenset()
    likely_share: float = 1.0

    def likely_of(self, issues: Iterable[Issue]) -> float:
        """The likely weight of some of these issues."""
        return total(i for i in issues if i.id not in self.nearly_done).weight * self.likely_share


class Capacity(Struct, frozen=True, kw_only=True):
    """The capacity of a milestone. ``planned`` counts every open issue once, whoever is assigned."""

    milestone: str
    workdays: int
    people: tuple[PersonCapacity, ...]
    total: float
    carry_over: CarryOver
    planned: int
    unweighted: int
    #: The part of ``planned`` that is accepted (Deliverable), and the part that is unassigned.
    accepted: int
    unassigned: int

    @property
    def free(self) -> float:
        """Team − carry-over − planned; negative is over (rule 10)."""
        return self.total - self.carry_over.weight - self.planned

    @property
    def free_likely(self) -> float:
        """The same with only the likely carry-over."""
        return self.total - self.carry_over.likely - self.planned

    def space(self, *, likely: bool = True) -> float:
        """The weight that can still be accepted: the team's less carry-over and what is accepted already.

        ``free`` counts every candidate as planned. That shows an overloaded board, but does not help to
        choose among the candidates.
        """
        carried = self.carry_over.likely if likely else self.carry_over.weight
        return self.total - carried - self.accepted

    def by_role(self) -> Mapping[str, float]:
        """Budgets summed by role, in order of first mention; those without a role under ""."""
        sums: dict[str, float] = {}
        for person in self.people:
            if person.budget is not None:
                sums[person.role] = sums.get(person.role, 0.0) + person.budget.weight
        return sums

    def shared_roles(self) -> Mapping[str, float]:
        """``by_role`` if no sum reveals one person's budget: every role has at least two people. Else empty.

        The sum of a role with one person is that person's, and so is the total less all other sums.
        """
        having = [person.role for person in self.people if person.budget is not None]
        return self.by_role() if all(having.count(role) > 1 for role in having) else {}


def budget(member: Member, team: Team, milestone: Milestone) -> PersonBudget:
    """One person's days and weight in a milestone (rule 10). Raises UsageError if it has no dates.

    net = workdays that are neither a holiday nor time off (each day once) − support days, at least 0, unless
    the file sets the person's net days; weight = net / days per weight × factor × (1 − reserve).
    """
    off = days(team.holidays) | days(member.holidays) | days(member.time_off)
    there = sum(day not in off for day in workdays(milestone))
    net = member.net_days.get(milestone.title)
    if net is None:
        net = max(0, there - member.support_days.get(milestone.title, 0))
    return PersonBudget(net, net / team.days_per_weight * member.factor * (1 - team.reserve))


def carry_over(
    issues: Iterable[Issue],
    before: Milestone | None,
    flow: WorkflowScheme,
    names: LabelSettings,
    planning: PlanningSettings,
) -> CarryOver:
    """The open Deliverables of ``before``, the version milestone before the planned one (rule 10)."""
    if before is None:
        return CarryOver()
    return _left_of(before, deliverables(issues, before.title, names), flow, planning)


def _left_of(
    before: Milestone, issues: Iterable[Issue], flow: WorkflowScheme, planning: PlanningSettings
) -> CarryOver:
    left = sorted(issues, key=rank_key)
    unlikely = set(planning.nearly_done)
    nearly_done = (i.id for i in left if (state := flow.of(i)) is not None and state.name in unlikely)
    sums = total(left)
    found = CarryOver(
        milestone=before.title,
        issues=tuple(left),
        weight=sums.weight,
        unweighted=sums.unweighted,
        nearly_done=frozenset(nearly_done),
        likely_share=planning.likely_share,
    )
    return structs.replace(found, likely=found.likely_of(left))


def capacity(
    issues: Iterable[Issue],
    milestone: Milestone,
    team: Team,
    milestones: Iterable[Milestone],
    flow: WorkflowScheme,
    names: LabelSettings,
    planning: PlanningSettings,
) -> Capacity:
    """The capacity of ``milestone``, from the open issues of it and of the one before (rule 10).

    People are the team's in their order, then assignees who are not in it, by name. Raises UsageError if the
    milestone has no dates.
    """
    tally = CapacityTally(
        milestone, preceding(milestones, milestone.title, planning.version), flow, names, planning
    )
    for issue in issues:
        tally.put(issue)
    return tally.capacity(team)


class _Taken(Struct, frozen=True):
    """How an issue of the milestone is counted."""

    weight: int | None
    accepted: bool
    assignees: tuple[str, ...]


class CapacityTally:
    """The sums of a capacity, kept up to date one issue at a time; ``before`` is the milestone before.

    Needs the open issues of both milestones; others do no harm.
    """

    def __init__(
        self,
        milestone: Milestone,
        before: Milestone | None,
        flow: WorkflowScheme,
        names: LabelSettings,
        planning: PlanningSettings,
    ) -> None:
        self._milestone, self._before = milestone, before
        self._flow, self._names, self._planning = flow, names, planning
        self._taken: dict[IssueId, _Taken] = {}
        self._carried: dict[IssueId, Issue] = {}
        self._planned = self._unweighted = self._accepted = self._unassigned = 0
        #: How many issues each person is assigned to, and their weight.
        self._people: dict[str, tuple[int, int]] = {}

    def put(self, issue: Issue) -> None:
        """Count an issue as it is now."""
        self.drop(issue.id)
        if not issue.is_open or issue.milestone is None or not counts(issue, self._names):
            return
        accepted = self._names.deliverable in issue.labels
        if issue.milestone == self._milestone.title:
            taken = self._taken[issue.id] = _Taken(issue.weight, accepted, issue.assignees)
            self._count(taken, 1)
        if accepted and self._before is not None and issue.milestone == self._before.title:
            self._carried[issue.id] = issue

    def drop(self, issue: IssueId) -> None:
        """Stop counting an issue."""
        self._carried.pop(issue, None)
        if (taken := self._taken.pop(issue, None)) is not None:
            self._count(taken, -1)

    def _count(self, taken: _Taken, sign: int) -> None:
        weight = sign * (taken.weight or 0)
        self._planned += weight
        self._unweighted += sign * (taken.weight is None)
        self._accepted += weight * taken.accepted
        self._unassigned += weight * (not taken.assignees)
        for name in taken.assignees:
            count, sum_ = self._people.get(name, (0, 0))
            self._people[name] = (count + sign, sum_ + weight)

    def capacity(self, team: Team) -> Capacity:
        """The capacity as of now. Raises UsageError if the milestone has no dates."""
        milestone, before = self._milestone, self._before
        carried = CarryOver()
        if before is not None:
            carried = _left_of(before, self._carried.values(), self._flow, self._planning)
        return Capacity(
            milestone=milestone.title,
            workdays=len(workdays(milestone)),
            people=tuple(self._rows(team, carried)),
            total=sum((budget(member, team, milestone).weight for member in team.people), 0.0),
            carry_over=carried,
            planned=self._planned,
            unweighted=self._unweighted,
            accepted=self._accepted,
            unassigned=self._unassigned,
        )

    def _rows(self, team: Team, carried: CarryOver) -> Iterable[PersonCapacity]:
        left = by_assignee(carried.issues)
        committed = {name: weight for name, (count, weight) in self._people.items() if count}
        for name in _with_others(team, {**committed, **left}):
            member = team.member(name)
            yield PersonCapacity(
                username=name,
                role=member.role if member else "",
                budget=budget(member, team, self._milestone) if member else None,
                committed=committed.get(name, 0),
                carry_over=total(left.get(name, ())).weight,
                likely=carried.likely_of(left.get(name, ())),
            )


def _with_others(team: Team | None, assigned: Iterable[str]) -> list[str]:
    """The team's people in their order, then assignees who are not in it, by name."""
    members = [member.username for member in team.people] if team is not None else []
    return [*members, *sorted(set(assigned) - set(members))]


def by_assignee(issues: Iterable[Issue]) -> dict[str, list[Issue]]:
    """The issues of each assignee: one with several assignees is listed for each of them (rule 10)."""
    found: dict[str, list[Issue]] = {}
    for issue in issues:
        for name in issue.assignees:
            found.setdefault(name, []).append(issue)
    return found


# Load (planning rule 21)


class PersonLoad(Struct, frozen=True, kw_only=True):
    """One person's Deliverables. An issue with several assignees counts in full for each (rule 10)."""

    username: str
    issues: tuple[Issue, ...]
    sums: Sum
    budget: float | None = None

    @property
    def over(self) -> bool:
        """Whether the weight exceeds the budget; False without one."""
        return self.budget is not None and self.sums.weight > self.budget


class Load(Struct, frozen=True, kw_only=True):
    """The load of everyone, and the unassigned Deliverables."""

    milestone: str
    people: tuple[PersonLoad, ...]
    unassigned: tuple[Issue, ...]
    unassigned_sums: Sum


def load_of(issues: Iterable[Issue], milestone: Milestone, team: Team | None, names: LabelSettings) -> Load:
    """The load of a milestone: the team's people in order, with or without issues, then others by name."""
    accepted = sorted(deliverables(issues, milestone.title, names), key=rank_key)
    by_name = by_assignee(accepted)
    dated = milestone.start is not None and milestone.due is not None
    people: list[PersonLoad] = []
    for name in _with_others(team, by_name):
        mine, member = tuple(by_name.get(name, ())), team.member(name) if team is not None else None
        has = budget(member, team, milestone).weight if team and dated and member else None
        people.append(PersonLoad(username=name, issues=mine, sums=total(mine), budget=has))
    free = tuple(issue for issue in accepted if not issue.assignees)
    return Load(milestone=milestone.title, people=tuple(people), unassigned=free, unassigned_sums=total(free))


# What past milestones closed


class ClosedWeight(Struct, frozen=True, kw_only=True):
    """The closed Deliverables of one milestone: how many, and their weight."""

    milestone: str
    count: int = 0
    weight: int = 0

    @property
    def words(self) -> str:
        """The weight, or that there is none to compare with."""
        return str(self.weight) if self.count else "no data"


def mean(closed: Sequence[ClosedWeight]) -> float | None:
    """Mean closed Deliverable weight (rule 10); None if no past milestone has data.

    A milestone in which no Deliverable was closed has none: it was planned without the label, and is no 0.
    """
    known = [one.weight for one in closed if one.count]
    return sum(known) / len(known) if known else None


def past_milestones(
    milestones: Iterable[Milestone], milestone: Milestone, today: date, planning: PlanningSettings
) -> list[Milestone]:
    """The last version milestones before ``milestone`` that are over, oldest first (rule 10)."""
    over = [
        m
        for m in versions(milestones, planning.version)
        if m.due is not None
        and m.due < today
        and (milestone.start is None or (m.start is not None and m.start < milestone.start))
    ]
    return over[-planning.past_milestones :]


def closed_weights(
    issues: Iterable[Issue], past: Sequence[Milestone], names: LabelSettings
) -> tuple[ClosedWeight, ...]:
    """The closed Deliverables of each of these milestones, in their order; other issues are ignored, and so
    are duplicates, since nothing was done for them."""
    done = [
        issue
        for issue in issues
        if not issue.is_open
        and not issue.duplicate
        and names.deliverable in issue.labels
        and counts(issue, names)
    ]
    sums = {one.title: total(i for i in done if i.milestone == one.title) for one in past}
    return tuple(
        ClosedWeight(milestone=title, count=found.count, weight=found.weight) for title, found in sums.items()
    )


# As Markdown, to paste or to post on the planning issue (planning rule 23)


def markdown(
    found: Capacity, milestone: Milestone, closed: Sequence[ClosedWeight] = (), *, names: bool = False
) -> str:
    """The text. ``closed`` are the milestones to compare with; empty if unknown."""
    people = [person for person in found.people if person.budget is not None]
    engineers = f"{len(people)} {'person' if len(people) == 1 else 'people'}"
    carried = found.carry_over
    before = f" from {plain(carried.milestone)}" if carried.milestone else ""
    unweighted = f" + {found.unweighted} unweighted" if found.unweighted else ""
    parts = [
        f"## Capacity {plain(found.milestone)}",
        f"{engineers}, {found.workdays} workdays{_dates(milestone)}. Weights; 1 is about 2 days.",
        "\n".join(
            (
                "| | likely | all |",
                "| --- | ---: | ---: |",
                f"| Capacity | {number(found.total)} | {number(found.total)} |",
                f"| Carry-over{before} | {number(carried.likely)} | {carried.weight} |",
                f"| Planned{unweighted} | {found.planned} | {found.planned} |",
                f"| **Room** | **{with_sign(found.free_likely)}** | **{with_sign(found.free)}** |",
            )
        ),
    ]
    roles = found.by_role() if names else found.shared_roles()
    # Without any role the line would only repeat the capacity.
    if any(roles):
        sums = ", ".join(f"{plain(role) or 'no role'} {number(w)}" for role, w in roles.items())
        parts.append(f"By role: {sums}.")
    if (average := mean(closed)) is not None:
        each = ", ".join(f"{plain(one.milestone)}: {one.words}" for one in closed)
        parts.append(f"For comparison, closed Deliverable weight: {number(average)} on average ({each}).")
    if names and found.people:
        parts.append(_people_rows(found.people))
    return "\n\n".join(parts)


def _people_rows(people: Sequence[PersonCapacity]) -> str:
    lines = ["| who | budget | carry-over | planned | room |", "| --- | ---: | ---: | ---: | ---: |"]
    for person in people:
        budget = "not in team.toml" if person.budget is None else number(person.budget.weight)
        free = "" if person.free is None else with_sign(person.free)
        lines.append(
            f"| {plain(person.username)} | {budget} | {number(person.likely)} | {person.committed} | {free} |"
        )
    return "\n".join(lines)


def _dates(milestone: Milestone) -> str:
    if milestone.start is None or milestone.due is None:
        return ""
    return f", {day_words(milestone.start)} to {day_words(milestone.due)}"
