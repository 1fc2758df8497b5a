"""Milestones and their calendar: which one is current, which is next, and where a deferred card goes.

Owns planning rule 1. Dates are calendar days in the team's time zone. It never sorts by title (19.10 comes
after 19.9) and never treats GitLab's "active" as "current": an expired milestone stays active for months.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date
from itertools import pairwise

from msgspec import Struct

from glboard_core.config import VERSION

_NUMBER = re.compile(r"(\d+)")
#: No title is longer; a pattern may take time that grows faster than the title.
_LONGEST = 255


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
    #: Its former titles: one that was a version stays one when it is renamed.
    was: tuple[str, ...] = ()

    def is_version(self, version: str = VERSION) -> bool:
        """A title like ``19.8``, or as configured, and both dates; any other milestone is a bucket (rule 1).

        ``version`` is a regular expression that matches anywhere in the title.
        """
        dated = self.start is not None and self.due is not None
        titles = (title[:_LONGEST] for title in (self.title, *self.was))
        return dated and any(re.search(version, title) for title in titles)


def by_title(milestones: Iterable[Milestone]) -> dict[str, Milestone]:
    """The milestones by title. Of several with the same title, the one highest in the group: the team's.

    One of a subgroup or project, perhaps with other dates, counts only if no level above has the title; of
    several on one level, the oldest (the lowest id).
    """
    ordered = sorted(milestones, key=lambda m: (m.owner.count("/"), len(m.id), m.id), reverse=True)
    return {milestone.title: milestone for milestone in ordered}


def present_titles(milestones: Iterable[Milestone]) -> Mapping[str, str]:
    """The former titles of milestones, with what they are called now."""
    return {title: milestone.title for milestone in milestones for title in milestone.was}


def versions(milestones: Iterable[Milestone], version: str = VERSION) -> list[Milestone]:
    """The version milestones, one per title (see ``by_title``), by start, then by end."""
    found = [milestone for milestone in by_title(milestones).values() if milestone.is_version(version)]
    return sorted(found, key=_order)


def _order(milestone: Milestone) -> tuple[date, date, list[int], str]:
    # Numbers in titles as numbers, for milestones with the same dates: 19.9 before 19.10.
    numbers = [int(digits) for digits in _NUMBER.findall(milestone.title)]
    return milestone.start or date.min, milestone.due or date.min, numbers, milestone.title


def current(milestones: Iterable[Milestone], today: date, version: str = VERSION) -> Milestone | None:
    """The version milestone with start ≤ today ≤ due; of several, the one that started last (rule 1)."""
    found = reversed(versions(milestones, version))
    return next((m for m in found if m.start and m.due and m.start <= today <= m.due), None)


def upcoming(milestones: Iterable[Milestone], today: date, version: str = VERSION) -> list[Milestone]:
    """The version milestones after the current one, the next one first (rule 1).

    Between two, those that start after today. So none is left out, whether they share days or leave some out;
    one that is over is not coming, even if it started within the current one.
    """
    known = versions(milestones, version)
    now = current(known, today, version)
    if now is not None:
        return [m for m in known[known.index(now) + 1 :] if m.due and m.due >= today]
    return [m for m in known if m.start and m.start > today]


def overlapping(milestones: Iterable[Milestone], today: date, version: str = VERSION) -> list[Milestone]:
    """The version milestones that run today as well as the current one, in order of their start."""
    now = current(milestones := list(milestones), today, version)
    running = (m for m in versions(milestones, version) if m.start and m.due and m.start <= today <= m.due)
    return [one for one in running if one != now]


def following(
    milestones: Iterable[Milestone], title: str | None, today: date, version: str = VERSION
) -> Milestone | None:
    """Where a deferred card goes: the version milestone with the smallest start after the card's own
    (rule 1).

    A card without a milestone, or in one without dates, goes to the next one.
    """
    known = list(milestones)
    own = by_title(known).get(title or "")
    if own is None or own.start is None:
        return next(iter(upcoming(known, today, version)), None)
    after = own.start
    return next((m for m in versions(known, version) if m.start and m.start > after), None)


def preceding(milestones: Iterable[Milestone], title: str | None, version: str = VERSION) -> Milestone | None:
    """The version milestone before the one named, or None."""
    known = versions(milestones, version)
    return next((before for before, after in pairwise(known) if after.title == title), None)
