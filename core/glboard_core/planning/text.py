"""Figures, days and remote text in words: on screen, in print and in GitLab's Markdown.

Owns rounding, the sign of what is over, the names of months, days as people type them, and escaping: a reader
sees a title as it is; it causes no mention, reference, formatting or quick action (API note 4: quick actions
also run in descriptions), and it cannot end one of our comments.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import date, datetime, tzinfo

from glboard_core.errors import UsageError
from glboard_core.planning.team import Days, Span

# The names of months must not depend on the machine's locale.
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

#: Characters of Markdown and HTML, and those that start one of GitLab's references or a formula.
_SPECIAL = re.compile(r"[\\`*_{}\[\]<>|#~@!]|[$%&^](?=\S)")


def number(value: float | None) -> str:
    """At most two decimals, without trailing zeros; ? if unknown."""
    if value is None:
        return "?"
    words = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if words == "-0" else words


def signed(value: float) -> str:
    """With a sign, and a mark if it is over (colour alone is not enough): ``+4.25``, ``!-9.75``.

    For a terminal only; Markdown and other text has ``with_sign``.
    """
    words = number(value)
    return f"!{words}" if words.startswith("-") else f"+{words}"


def with_sign(value: float) -> str:
    """With a sign and no mark, for text that leaves the terminal: ``+4.25``, ``-9.75``."""
    words = number(value)
    return words if words.startswith("-") else f"+{words}"


def counted(count: int, word: str) -> str:
    """``1 issue``, ``2 issues``."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def age_in_words(days: float) -> str:
    """How old something is: ``under a week``, ``5 weeks``, ``8 months``, ``3.5 years``."""
    if days < 7:
        return "under a week"
    if days < 14:
        return f"{int(days)} days"
    if days < 60:
        return f"{int(days / 7)} weeks"
    if days < 730:
        return f"{int(days / 30.4)} months"
    return f"{days / 365.25:.1f} years".replace(".0 ", " ")


def percent_words(value: float | None) -> str:
    """``58.3 %``; a dash if there is nothing to share."""
    return "-" if value is None else f"{value:.1f} %"


def day_words(day: date | None) -> str:
    """``13 Nov``."""
    return "?" if day is None else f"{day.day} {_MONTHS[day.month - 1]}"


def time_words(at: datetime) -> str:
    """Day and time, as its zone has them: ``7 Dec 14:02``."""
    return f"{day_words(at.date())} {at:%H:%M}"


#: Days after which a moment is a date: older ones are easier to place as a day.
_RECENT_DAYS = 30


def moment_words(at: datetime, now: datetime | None, zone: tzinfo) -> str:
    """When something happened, as GitLab says it: ``3 hours ago``, ``yesterday``, ``12 days ago``.

    What is older than a month, or not in the past, is a day in ``zone``.
    """
    if now is None or not -60 < (seconds := (now - at).total_seconds()) < _RECENT_DAYS * 86_400:
        return date_words(at, now, zone)
    days = (now.astimezone(zone).date() - at.astimezone(zone).date()).days
    if seconds < 60:
        return "just now"
    if seconds < 3600:
        return f"{counted(int(seconds // 60), 'minute')} ago"
    if days <= 0 or seconds < 6 * 3600:
        return f"{counted(int(seconds // 3600), 'hour')} ago"
    return "yesterday" if days == 1 else f"{days} days ago"


def date_words(at: datetime, now: datetime | None, zone: tzinfo) -> str:
    """A moment's day in ``zone``, with its year unless that is this one."""
    day = at.astimezone(zone).date()
    this = now is not None and now.astimezone(zone).year == day.year
    return day_words(day) if this else f"{day_words(day)} {day.year}"


def plain(text: str) -> str:
    """Text as one literal line. A backslash disables special characters, including GitLab's references.

    A slash at the start, where a quick action would begin, is escaped as well.
    """
    flat = " ".join(text.split())
    escaped = _SPECIAL.sub(r"\\\g<0>", flat)
    return "\\" + escaped if escaped.startswith("/") else escaped


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], *, right: frozenset[int] = frozenset()) -> str:
    """A table of cells that already are Markdown; the columns in ``right`` are right-aligned."""
    rule = " | ".join("---:" if n in right else "---" for n in range(len(heads)))
    lines = [f"| {' | '.join(heads)} |", f"| {rule} |"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines)


# Days as people type them on one line: ``2026-12-21, 12-28..30``

_DAY = re.compile(r"(?:(?P<year>\d{4})-)?(?P<month>\d{1,2})-(?P<day>\d{1,2})")
_SHORT = re.compile(r"\d{1,2}")
_HINT = "Use days such as 2026-12-21 or 12-21 and ranges such as 12-28..12-30, separated by commas."
#: A longer range is a typo.
_LONGEST = 366


def words(days: Days) -> str:
    """Days on one line, as they are typed."""
    return ", ".join(
        f"{entry.first}..{entry.last}" if isinstance(entry, Span) else str(entry) for entry in days
    )


def read(typed: str, near: date) -> Days:
    """Parse days from one line; those without a year are closest to ``near``. Raises UsageError."""
    found: list[date | Span] = []
    for part in re.split(r"[,;]", re.sub(r"\s*(?:\.\.\.?|…|–|\bto\b)\s*", "..", typed)):
        for word in part.split():
            entry = _entry(word, near)
            if entry not in found:
                found.append(entry)
    return tuple(found)


def _entry(word: str, near: date) -> date | Span:
    first, dots, last = word.partition("..")
    start = _day(first, near)
    if not dots:
        return start
    if _SHORT.fullmatch(last):
        last = f"{start.year:04}-{start.month:02}-{last}"
    # A range never ends before it starts: one across New Year ends next year.
    end = _day(last, start)
    if end < start and "-" in last and last.count("-") == 1:
        end = _made(end.year + 1, end.month, end.day, last)
    if end < start:
        raise UsageError(f"The range {word} ends before it starts.", hint=_HINT)
    if (end - start).days >= _LONGEST:
        raise UsageError(f"The range {word} is longer than a year.", hint=_HINT)
    return Span(first=start, last=end)


def _day(word: str, near: date) -> date:
    found = _DAY.fullmatch(word)
    if found is None:
        raise UsageError(f"“{word}” is not a date.", hint=_HINT)
    month, day = int(found["month"]), int(found["day"])
    if found["year"] is not None:
        return _made(int(found["year"]), month, day, word)
    around: list[date] = []
    for year in (near.year - 1, near.year, near.year + 1):
        with suppress(ValueError):  # not every year has a 29 February
            around.append(date(year, month, day))
    if not around:
        raise UsageError(f"“{word}” is not a date.", hint=_HINT)
    return min(around, key=lambda one: abs((one - near).days))


def _made(year: int, month: int, day: int, word: str) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        raise UsageError(f"“{word}” is not a date.", hint=_HINT) from None


def merged(before: Days, typed: Days) -> Days:
    """What was typed, in the order of ``before``: the order has no meaning, so kept entries keep their place
    (and in a file their comment)."""
    kept = tuple(entry for entry in before if entry in typed)
    return kept + tuple(entry for entry in typed if entry not in kept)
