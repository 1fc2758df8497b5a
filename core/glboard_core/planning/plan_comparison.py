"""Two versions of one milestone's plan next to each other: before and after, for the team, people and types.

Pure: the figures are those of ``capacity.py`` (planning rule 10) and ``mix.py`` (rule 11), computed twice. A
draft is compared with the plan without it; nothing here knows where the two versions come from.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from glboard_core.planning.capacity import Capacity, PersonCapacity
from glboard_core.planning.mix import Mix


class BeforeAfter(Struct, frozen=True):
    """One figure before and after; None where it is unknown."""

    before: float | None
    after: float | None

    @property
    def difference(self) -> float:
        """How much more it is afterwards; 0 if one of the two is unknown."""
        return 0.0 if self.before is None or self.after is None else self.after - self.before


class ComparedPerson(Struct, frozen=True, kw_only=True):
    """A person's planned weight, and what is free of their budget; None without a budget."""

    username: str
    planned: BeforeAfter
    free: BeforeAfter

    @property
    def differs(self) -> bool:
        """Whether something changes for the person."""
        return self.planned.before != self.planned.after or self.free.before != self.free.after


class ComparedType(Struct, frozen=True, kw_only=True):
    """The open issues of one type and their weight."""

    name: str
    count: BeforeAfter
    weight: BeforeAfter


class PlanComparison(Struct, frozen=True, kw_only=True):
    """A milestone before and after. ``free`` is the team's capacity less likely carry-over and planned.

    ``people`` have a budget or planned weight in one of the two, those for whom most changes first.
    """

    milestone: str
    total: float
    planned: BeforeAfter
    accepted: BeforeAfter
    unassigned: BeforeAfter
    unweighted: BeforeAfter
    free: BeforeAfter
    people: tuple[ComparedPerson, ...] = ()
    types: tuple[ComparedType, ...] = ()


def compare_plans(before: Capacity, after: Capacity, mix: tuple[Mix, Mix]) -> PlanComparison:
    """Two versions of one milestone; ``mix`` are the types of its issues before and after."""
    return PlanComparison(
        milestone=after.milestone,
        total=after.total,
        planned=BeforeAfter(before.planned, after.planned),
        accepted=BeforeAfter(before.accepted, after.accepted),
        unassigned=BeforeAfter(before.unassigned, after.unassigned),
        unweighted=BeforeAfter(before.unweighted, after.unweighted),
        free=BeforeAfter(before.free_likely, after.free_likely),
        people=tuple(_people(before.people, after.people)),
        types=tuple(_types(*mix)),
    )


def _people(before: Iterable[PersonCapacity], after: Iterable[PersonCapacity]) -> Iterable[ComparedPerson]:
    was, now = ({one.username: one for one in people} for people in (before, after))
    names = list(dict.fromkeys((*now, *was)))
    found = []
    for name in names:
        old, new = was.get(name), now.get(name)
        planned = BeforeAfter(old.committed if old else 0, new.committed if new else 0)
        free = BeforeAfter(old.free if old else None, new.free if new else None)
        if planned.before or planned.after or free.after is not None:
            found.append(ComparedPerson(username=name, planned=planned, free=free))
    return sorted(found, key=lambda one: (not one.differs, -abs(one.planned.difference)))


def _types(before: Mix, after: Mix) -> Iterable[ComparedType]:
    for name in dict.fromkeys((*after.types, *before.types)):
        old, new = (mix.types[name].sums if name in mix.types else None for mix in (before, after))
        count = BeforeAfter(old.count if old else 0, new.count if new else 0)
        weight = BeforeAfter(old.weight if old else 0, new.weight if new else 0)
        if count.before or count.after:
            yield ComparedType(name=name, count=count, weight=weight)
