"""Load per person: accepted weight per engineer against the budget (DOMAIN.md EM-13, 7.10).

Owns the sum per person of a milestone's open Deliverables. Weights are GitLab's issue weights; budgets come
from ``capacity.budget`` and can be missing: no team file, no dates, or a person who is not in it.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from glboard_core.config import LabelSettings
from glboard_core.model.issue import Issue, rank_key
from glboard_core.model.milestone import Milestone
from glboard_core.planning.capacity import budget, by_assignee
from glboard_core.planning.counting import Sum, deliverables, total
from glboard_core.planning.team import Team


class PersonLoad(Struct, frozen=True, kw_only=True):
    """One person's Deliverables. An issue with several assignees counts in full for each (7.10)."""

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
    members = {member.username: member for member in team.people} if team is not None else {}
    dated = milestone.start is not None and milestone.due is not None
    people: list[PersonLoad] = []
    for name in [*members, *sorted(by_name.keys() - members.keys())]:
        mine = tuple(by_name.get(name, ()))
        has = budget(members[name], team, milestone) if team and dated and name in members else None
        people.append(
            PersonLoad(username=name, issues=mine, sums=total(mine), budget=has.weight if has else None)
        )
    free = tuple(issue for issue in accepted if not issue.assignees)
    return Load(milestone=milestone.title, people=tuple(people), unassigned=free, unassigned_sums=total(free))
