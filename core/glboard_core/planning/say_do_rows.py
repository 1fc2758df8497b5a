"""Say/Do issue by issue: whether each shown definition counts it, and the lists it is in (7.6).

Owns the grouping for a list that contains every issue once. The figures belong to ``say_do.py``.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from glboard_core.planning.say_do import Ratio, SayDo

Outcome = Literal["not done", "apart", "done", "beside"]
OUTCOMES: tuple[Outcome, ...] = ("not done", "apart", "done", "beside")


class Row(Struct, frozen=True, kw_only=True):
    """An issue. ``group`` and ``committed`` say whether it was done; None if it was not said.

    ``apart`` are won't-dos and duplicates; ``beside`` are in a list but in neither of the two figures.
    """

    reference: str
    outcome: Outcome
    group: bool | None
    committed: bool | None
    notes: tuple[str, ...]


def rows(report: SayDo) -> list[Row]:
    """Every issue of the two figures and the lists once, those not done first."""
    lists = {
        "late added": report.late_added,
        "removed or moved early": report.removed_or_moved_early,
        "moved without a missed label": report.quiet_slips,
        "closed late": report.late_closed,
        "unresolved": report.unresolved,
        "missed by handbook": report.definitions["handbook"].missed,
        "won't do": report.wont_do,
        "duplicate": report.duplicates,
    }
    group, committed = report.definitions["group"], report.definitions["committed"]
    apart = {*report.wont_do, *report.duplicates}
    everything = dict.fromkeys((*group.said, *committed.said, *(r for one in lists.values() for r in one)))
    found = []
    for reference in everything:
        by_group, by_commitment = _done(group, reference), _done(committed, reference)
        said = [one for one in (by_group, by_commitment) if one is not None]
        outcome: Outcome = (
            "apart" if reference in apart else "beside" if not said else "done" if all(said) else "not done"
        )
        notes = tuple(name for name, references in lists.items() if reference in references)
        found.append(
            Row(reference=reference, outcome=outcome, group=by_group, committed=by_commitment, notes=notes)
        )
    return sorted(found, key=lambda row: OUTCOMES.index(row.outcome))


def _done(ratio: Ratio, reference: str) -> bool | None:
    return reference in ratio.done if reference in ratio.said else None
