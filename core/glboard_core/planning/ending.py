"""The end of a milestone: everything in it that still wants a decision (DOMAIN.md 7.6 special cases, EM-11).

Owns which list an issue stands in. Slipping and dropping are edits (``board/plans.py``), not made here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from glboard_core.config import LabelSettings
from glboard_core.model.issue import Issue, rank_key
from glboard_core.planning.calendar import Window
from glboard_core.planning.counting import counts

Kind = Literal["confidential", "deliverable", "open", "late-closed"]
_ORDER: tuple[Kind, ...] = ("confidential", "deliverable", "open", "late-closed")


class Leftover(Struct, frozen=True):
    """An issue and why it is left.

    ``confidential`` ones the bot skips, so they are nobody's but ours; ``deliverable`` slips or is dropped;
    ``open`` was never accepted; ``late-closed`` came after the cut-off.
    """

    issue: Issue
    kind: Kind


def leftovers(
    issues: Iterable[Issue], milestone: str, window: Window, names: LabelSettings
) -> list[Leftover]:
    """What is left of ``milestone``, in the order of the kinds, then in manual order."""
    found = [
        Leftover(issue, kind)
        for issue in issues
        if issue.milestone == milestone and counts(issue, names) and (kind := _kind(issue, window, names))
    ]
    return sorted(found, key=lambda left: (_ORDER.index(left.kind), rank_key(left.issue)))


def _kind(issue: Issue, window: Window, names: LabelSettings) -> Kind | None:
    accepted = names.deliverable in issue.labels
    if issue.is_open:
        if issue.confidential:
            return "confidential"
        return "deliverable" if accepted else "open"
    late = issue.closed_at is not None and issue.closed_at.replace(microsecond=0) > window.cut_off
    return "late-closed" if late and accepted else None
