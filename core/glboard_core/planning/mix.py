"""How a milestone's work is split by type, compared with the target (planning rule 11).

Owns shares by count and by weight. A share is of all open issues of the milestone, each once; an issue with
two types counts for both, so that shares can add up to more than the whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from glboard_core.board.rules import types_of
from glboard_core.config import LabelSettings
from glboard_core.model.issue import Issue
from glboard_core.planning.readiness import Sum, planned, total

UNDEFINED = "undefined"
_USUAL = ("feature", "maintenance", "bug")


class Share(Struct, frozen=True, kw_only=True):
    """The share of one type. Percent with one decimal; None if the whole is empty."""

    sums: Sum
    percent_count: float | None
    percent_weight: float | None


class Mix(Struct, frozen=True, kw_only=True):
    """All types in order: the usual three, even if empty, others by name, ``undefined`` last.

    ``target`` is as configured: a type, or several joined by `` + ``, mapped to percent.
    """

    milestone: str
    types: Mapping[str, Share]
    whole: Sum
    target: Mapping[str, float]

    def reached(self, target: str) -> tuple[float | None, float | None]:
        """The share of a target's types together, by count and by weight, in percent.

        Summed before rounding. An issue with two of its types is counted for both.
        """
        shares = [self.types[name] for name in target.split(" + ") if name in self.types]
        count = sum(share.sums.count for share in shares)
        weight = sum(share.sums.weight for share in shares)
        return _percent(count, self.whole.count), _percent(weight, self.whole.weight)


def mix(issues: Iterable[Issue], milestone: str, names: LabelSettings, target: Mapping[str, float]) -> Mix:
    """The mix of the open issues of ``milestone`` that count (rule 11)."""
    there = planned(issues, milestone, names)
    whole = total(there)
    groups: dict[str, list[Issue]] = {names.type_prefix + name: [] for name in _USUAL}
    others = sorted({label for issue in there for label in types_of(issue, names)} - groups.keys())
    groups |= {name: [] for name in (*others, UNDEFINED)}
    for issue in there:
        for name in types_of(issue, names) or (UNDEFINED,):
            groups[name].append(issue)
    return Mix(
        milestone=milestone,
        types={name: _share(total(group), whole) for name, group in groups.items()},
        whole=whole,
        target=target,
    )


def _share(sums: Sum, whole: Sum) -> Share:
    return Share(
        sums=sums,
        percent_count=_percent(sums.count, whole.count),
        percent_weight=_percent(sums.weight, whole.weight),
    )


def _percent(part: int, whole: int) -> float | None:
    return round(100 * part / whole, 1) if whole else None
