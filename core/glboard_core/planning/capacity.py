"""How much the team can take on in a milestone, and how much it already has (DOMAIN.md 7.10).

Owns budgets (from days to weight), carry-over, planned and free capacity. Weights are sums of GitLab's issue
weights; budgets are weights too and never rounded; days are workdays, Monday to Friday.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from glboard_core.config import LabelSettings, PlanningSettings
from glboard_core.model.issue import Issue, rank_key
from glboard_core.model.milestone import Milestone, preceding
from glboard_core.model.workflow import WorkflowScheme
from glboard_core.planning.calendar import workdays
from glboard_core.planning.counting import deliverables, planned, total
from glboard_core.planning.team import Member, Team, days


class Budget(Struct, frozen=True):
    """One person's days and the weight they equal. Days are whole unless support days are not."""

    net_days: float
    weight: float


class PersonCapacity(Struct, frozen=True, kw_only=True):
    """One person. ``budget`` is None for an assignee who is not in the team file.

    ``committed`` is the weight of the milestone's open issues assigned to them, Deliverable or not, each
    in full (7.10); ``carry_over`` that of the open Deliverables before it.
    """

    username: str
    role: str = ""
    budget: Budget | None = None
    committed: int = 0
    carry_over: int = 0

    @property
    def room(self) -> float | None:
        """What is free of the budget; negative is over. None without a budget."""
        return None if self.budget is None else self.budget.weight - self.committed - self.carry_over


class CarryOver(Struct, frozen=True, kw_only=True):
    """The open Deliverables of the version milestone before: ``likely`` without those nearly done (7.10)."""

    milestone: str | None = None
    issues: tuple[Issue, ...] = ()
    weight: int = 0
    unweighted: int = 0
    likely: float = 0.0


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
    def room(self) -> float:
        """Team − carry-over − planned; negative is over (7.10)."""
        return self.total - self.carry_over.weight - self.planned

    @property
    def room_likely(self) -> float:
        """The same with only the likely carry-over."""
        return self.total - self.carry_over.likely - self.planned

    def space(self, *, likely: bool = True) -> float:
        """The weight that can still be accepted: the team's less carry-over and what is accepted already.

        ``room`` counts every candidate as planned. That shows an overloaded board, but does not help to
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


def budget(member: Member, team: Team, milestone: Milestone) -> Budget:
    """One person's days and weight in a milestone (7.10). Raises UsageError if it has no dates.

    net = workdays that are neither a holiday nor time off (each day once) − support days, at least 0, unless
    the file sets the person's net days; weight = net / days per weight × factor × (1 − reserve).
    """
    off = days(team.holidays) | days(member.holidays) | days(member.time_off)
    there = sum(day not in off for day in workdays(milestone))
    net = member.net_days.get(milestone.title)
    if net is None:
        net = max(0, there - member.support_days.get(milestone.title, 0))
    return Budget(net, net / team.days_per_weight * member.factor * (1 - team.reserve))


def carry_over(
    issues: Iterable[Issue],
    before: Milestone | None,
    flow: WorkflowScheme,
    names: LabelSettings,
    planning: PlanningSettings,
) -> CarryOver:
    """The open Deliverables of ``before``, the version milestone before the planned one (7.10)."""
    if before is None:
        return CarryOver()
    left = sorted(deliverables(issues, before.title, names), key=rank_key)
    unlikely = set(planning.nearly_done)
    likely = [i for i in left if (state := flow.of(i)) is None or state.name not in unlikely]
    sums = total(left)
    return CarryOver(
        milestone=before.title,
        issues=tuple(left),
        weight=sums.weight,
        unweighted=sums.unweighted,
        likely=total(likely).weight * planning.likely_share,
    )


def capacity(
    issues: Iterable[Issue],
    milestone: Milestone,
    team: Team,
    milestones: Iterable[Milestone],
    flow: WorkflowScheme,
    names: LabelSettings,
    planning: PlanningSettings,
) -> Capacity:
    """The capacity of ``milestone``, from the open issues of it and of the one before (7.10).

    People are the team's in their order, then assignees who are not in it, by name. Raises UsageError if the
    milestone has no dates.
    """
    known = list(issues)
    there = planned(known, milestone.title, names)
    carried = carry_over(known, preceding(milestones, milestone.title), flow, names, planning)
    sums = total(there)
    return Capacity(
        milestone=milestone.title,
        workdays=len(workdays(milestone)),
        people=tuple(_people(team, milestone, there, carried.issues)),
        total=sum((budget(member, team, milestone).weight for member in team.people), 0.0),
        carry_over=carried,
        planned=sums.weight,
        unweighted=sums.unweighted,
        accepted=total(i for i in there if names.deliverable in i.labels).weight,
        unassigned=total(i for i in there if not i.assignees).weight,
    )


def _people(
    team: Team, milestone: Milestone, there: Sequence[Issue], carried: Sequence[Issue]
) -> Iterable[PersonCapacity]:
    committed, left = by_assignee(there), by_assignee(carried)
    for member in team.people:
        yield PersonCapacity(
            username=member.username,
            role=member.role,
            budget=budget(member, team, milestone),
            committed=total(committed.get(member.username, ())).weight,
            carry_over=total(left.get(member.username, ())).weight,
        )
    for name in sorted((committed.keys() | left.keys()) - {member.username for member in team.people}):
        yield PersonCapacity(
            username=name,
            committed=total(committed.get(name, ())).weight,
            carry_over=total(left.get(name, ())).weight,
        )


def by_assignee(issues: Iterable[Issue]) -> dict[str, list[Issue]]:
    """The issues of each assignee: one with several assignees is listed for each of them (7.10)."""
    found: dict[str, list[Issue]] = {}
    for issue in issues:
        for name in issue.assignees:
            found.setdefault(name, []).append(issue)
    return found
