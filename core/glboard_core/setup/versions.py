"""What the title of a version milestone looks like: a pattern, from the milestones with dates.

Owns the step from titles to their shape; which one is current and next follows (planning rule 1). Pure.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from itertools import pairwise

from msgspec import Struct

from glboard_core.config import VERSION
from glboard_core.model.milestone import Milestone, current, upcoming

_MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
    "jan",
    "feb",
    "mar",
    "apr",
    "jun",
    "jul",
    "aug",
    "sep",
    "sept",
    "oct",
    "nov",
    "dec",
]
_MONTH = re.compile(rf"\b({'|'.join(_MONTHS)})\b", re.IGNORECASE)
_ANY_MONTH = r"[A-Z][a-z]+"
#: The pattern of titles that have nothing in common: then the dates alone say which is which.
ANY_TITLE = ".+"
_PART = re.compile(r"\d+|\x00|.", re.DOTALL)


class TitleShape(Struct, frozen=True, kw_only=True):
    """A pattern for titles, with how many milestones fit it, and which are current and next by it."""

    pattern: str
    count: int = 0
    current: str = ""
    next: str = ""
    overlaps: int = 0
    #: A title that fits.
    example: str = ""


def shape_of(title: str) -> str:
    r"""The pattern of a title: its numbers and months can be others; any title, if it has neither.

    >>> shape_of("19.8"), shape_of("Sprint 12 (web)"), shape_of("Autumn")
    ('^\\d+\\.\\d+$', '^Sprint \\d+ \\(web\\)$', '.+')
    """
    marked = _MONTH.sub("\0", title)
    if "\0" not in marked and not any(map(str.isdigit, title)):
        return ANY_TITLE
    month = _ANY_MONTH if any(one[0].isupper() for one in _MONTH.findall(title)) else "[a-z]+"
    parts = (
        r"\d+" if part[0].isdigit() else month if part == "\0" else re.escape(part).replace(r"\ ", " ")
        for part in _PART.findall(marked)
    )
    return f"^{''.join(parts)}$"


def shapes(milestones: Iterable[Milestone], today: date) -> Sequence[TitleShape]:
    """The shapes of the titles with both dates, the one that is most like a series of versions first."""
    known = list(milestones)
    by_shape: dict[str, list[Milestone]] = defaultdict(list)
    for one in known:
        if one.start is not None and one.due is not None:
            by_shape[shape_of(one.title)].append(one)
    found = [_shape(pattern, known, today) for pattern in by_shape]
    return sorted(found, key=_rank)


def fitting(pattern: str, milestones: Iterable[Milestone], today: date) -> TitleShape:
    """The shape of a pattern that was typed; it must be a regular expression."""
    return _shape(pattern, list(milestones), today)


def _shape(pattern: str, known: Sequence[Milestone], today: date) -> TitleShape:
    fit = sorted((one for one in known if one.is_version(pattern)), key=lambda one: one.start or date.min)
    now, coming = current(known, today, pattern), upcoming(known, today, pattern)
    overlaps = sum(bool(a.due and b.start and b.start <= a.due) for a, b in pairwise(fit))
    example = next(iter([*([now] if now else []), *coming, *fit]), None)
    return TitleShape(
        pattern=pattern,
        count=len(fit),
        current=now.title if now else "",
        next=coming[0].title if coming else "",
        overlaps=overlaps,
        example=example.title if example else "",
    )


def _rank(shape: TitleShape) -> tuple[object, ...]:
    """Series come first: one that runs today and goes on, without overlaps; then the usual form."""
    runs = (not shape.current) + (not shape.next)
    unlike = shape.pattern == ANY_TITLE, shape.pattern != VERSION
    return runs, shape.overlaps * 2 > shape.count, *unlike, -shape.count, shape.pattern
