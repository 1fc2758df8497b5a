"""The end of a milestone: everything in it that still needs a decision (planning rules 6 and 20).

Owns which milestone that is, and which list an issue is in. It works both before and after the run of the
slippage bot (rule 17: its day is not certain, confidential issues are skipped). Slipping and dropping are
edits and belong to ``board/edits.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import Literal, get_args

from msgspec import Struct

from glboard_core.config import VERSION, LabelSettings
from glboard_core.model.issue import Issue, rank_key
from glboard_core.model.milestone import Milestone, current, versions
from glboard_core.planning.capacity import MilestoneWindow
from glboard_core.planning.plan_lock import PlanSnapshot
from glboard_core.planning.readiness import counts

Kind = Literal["confidential", "deliverable", "open", "late-closed", "quiet", "handled"]
KINDS: tuple[Kind, ...] = get_args(Kind)
#: What keeps a milestone open: issues still in it and not closed.
OPEN: frozenset[Kind] = frozenset({"confidential", "deliverable", "open"})


class Leftover(Struct, frozen=True):
    """An issue and why it is left over.

    ``confidential``: the bot skips it, so a person must move it; ``deliverable``: to slip or drop; ``open``:
    never accepted; ``late-closed``: closed after the cut-off; ``quiet``: in the locked plan, but now in
    another milestone, or none, without the missed label; ``handled``: has the label and has moved on.
    """

    issue: Issue
    kind: Kind


def ending(
    milestones: Iterable[Milestone], today: date, left: Callable[[str], bool], version: str = VERSION
) -> Milestone | None:
    """The milestone to wrap up now, or None.

    The last one that ended, as long as anything in it is open (``left``, by title); else the current one,
    which ends next; between milestones, the last one that ended.
    """
    known = versions(milestones, version)
    ended = [one for one in known if one.due is not None and one.due < today]
    if ended and left(ended[-1].title):
        return ended[-1]
    return current(known, today, version) or (ended[-1] if ended else None)


def leftovers(
    issues: Iterable[Issue],
    milestone: str,
    window: MilestoneWindow,
    names: LabelSettings,
    plan: PlanSnapshot | None = None,
    missed: frozenset[str] = frozenset(),
) -> list[Leftover]:
    """The leftovers of ``milestone``, in the order of the kinds, then in manual order.

    ``issues`` are those of the milestone, those of ``plan`` (if it was locked), and those that may have moved
    on; others are ignored. ``missed`` are the labels of the milestone, if it was called otherwise once.
    """
    missed = missed or frozenset({names.missed_prefix + milestone})
    planned = {row.issue for row in plan.issues} if plan is not None else set()
    found = [
        Leftover(issue, kind)
        for issue in {issue.id: issue for issue in issues}.values()
        if counts(issue, names)
        and (kind := _kind(issue, milestone, window, names, missed, issue.id in planned))
    ]
    return sorted(found, key=lambda left: (KINDS.index(left.kind), rank_key(left.issue)))


def _kind(
    issue: Issue,
    milestone: str,
    window: MilestoneWindow,
    names: LabelSettings,
    missed: frozenset[str],
    planned: bool,
) -> Kind | None:
    if issue.milestone != milestone:
        if not issue.is_open:
            return None
        return "handled" if not missed.isdisjoint(issue.labels) else "quiet" if planned else None
    accepted = names.deliverable in issue.labels
    if issue.is_open:
        if issue.confidential:
            return "confidential"
        return "deliverable" if accepted else "open"
    late = issue.closed_at is not None and issue.closed_at.replace(microsecond=0) > window.cut_off
    return "late-closed" if late and accepted else None
