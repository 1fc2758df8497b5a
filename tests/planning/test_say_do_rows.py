"""Say/Do issue by issue: each once, under its outcome."""

from __future__ import annotations

from typing import Any

from glboard_core.planning.say_do import DEFINITIONS, Ratio, SayDo, rows
from planning.histories import at


def report(group: Ratio, committed: Ratio, **lists: tuple[str, ...]) -> SayDo:
    names: tuple[str, ...] = ("late_added", "removed_or_moved_early", "late_closed", "unresolved")
    names += ("quiet_slips", "wont_do", "duplicates")
    values: dict[str, Any] = {name: lists.get(name, ()) for name in names}
    none = Ratio((), ())
    return SayDo(
        milestone="19.6",
        start=at("10-10"),
        cut_off=at("11-13"),
        locked_at=at("10-09"),
        source="snapshot",
        locked_by="",
        definitions={n: {"group": group, "committed": committed}.get(n, none) for n in DEFINITIONS},
        **values,
    )


def test_every_issue_is_listed_once_with_each_figure() -> None:
    found = rows(
        report(
            Ratio(("a", "b", "d", "w"), ("a", "d")),
            Ratio(("a", "c", "d", "w"), ("a",)),
            late_added=("b",),
            removed_or_moved_early=("c",),
            wont_do=("w",),
            unresolved=("b", "u"),
        )
    )
    assert [(r.reference, r.outcome, r.group, r.committed, r.notes) for r in found] == [
        ("b", "not done", False, None, ("late added", "unresolved")),
        ("d", "not done", True, False, ()),
        ("c", "not done", None, False, ("removed or moved early",)),
        ("w", "apart", False, False, ("won't do",)),
        ("a", "done", True, True, ()),
        ("u", "beside", None, None, ("unresolved",)),
    ]


def test_an_empty_milestone_has_no_rows() -> None:
    assert rows(report(Ratio((), ()), Ratio((), ()))) == []
