"""Milestones and their calendar: which one is current, which is next, and where a deferred card goes.

Owns planning rule 1. Dates are calendar days in the team's time zone. It never sorts by title (19.10 comes
after 19.9) and never treats GitLab's "active" as "current": an expired milestone stays active for months.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from itertools import pairwise

from msgspec import Struct

_VERSION = re.compile(r"\d+\.\d+")


class Milestone(Struct, frozen=True, kw_only=True):
    """One milestone on the server. ``id`` is the plain number, ``owner`` its group's or project's full path.

    It can be set on issues whose project is ``owner`` or below it.
    """

    id: str
    title: str
    owner: str
    start: date | None = None
    due: date | None = None
    active: bool = True

    @property
    def is_version(self) -> bool:
        """A title like ``19.8`` and both dates; every other milestone is a bucket (rule 1)."""
        return bool(_VERSION.fullmatch(self.title)) and self.start is not None and self.due is not None


def by_title(milestones: Iterable[Milestone]) -> dict[str, Milestone]:
    """The milestones by title. Of several with the same title, the one highest in the group: the team's.

    One of a subgroup or project, perhaps with other dates, counts only if no level above has the title; of
    several on one level, the oldest (the lowest id).
    """
    ordered = sorted(milestones, key=lambda m: (m.owner.count("/"), len(m.id), m.id), reverse=True)
    return {milestone.title: milestone for milestone in ordered}


def versions(milestones: Iterable[Milestone]) -> list[Milestone]:
    """The version milestones, one per title (see ``by_title``), in order of their start."""
    found = [milestone for milestone in by_title(milestones).values() if milestone.is_version]
    return sorted(found, key=lambda m: (m.start or date.min, m.title))


def current(milestones: Iterable[Milestone], today: date) -> Milestone | None:
    """The version milestone with start ≤ today ≤ due; of several, the one that started last (rule 1)."""
    found = reversed(versions(milestones))
    return next((m for m in found if m.start and m.due and m.start <= today <= m.due), None)


def upcoming(milestones: Iterable[Milestone], today: date) -> list[Milestone]:
    """The version milestones that start after today, the next one first (rule 1)."""
    return [m for m in versions(milestones) if m.start and m.start > today]


def following(milestones: Iterable[Milestone], title: str | None, today: date) -> Milestone | None:
    """Where a deferred card goes: the version milestone with the smallest start after the card's own
    (rule 1).

    A card without a milestone, or in one without dates, goes to the next one.
    """
    known = list(milestones)
    own = by_title(known).get(title or "")
    if own is None or own.start is None:
        return next(iter(upcoming(known, today)), None)
    after = own.start
    return next((m for m in versions(known) if m.start and m.start > after), None)


def preceding(milestones: Iterable[Milestone], title: str | None) -> Milestone | None:
    """The version milestone before the one named, or None."""
    return next((before for before, after in pairwise(versions(milestones)) if after.title == title), None)
