"""Decodes answers: in one step if all of it is as it should be, else without what is not understood.

Owns the bounds of what an answer may hold, and what becomes of a value outside of them. One issue with a
value that no GitLab has must not take a page of issues along, and must not be left out without a word: each
answer with such values is reported, with the id of its request. It must not know issues.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import cache
from itertools import islice
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct

from glboard_core.errors import NotUnderstood
from glboard_core.model.printable import printable

T = TypeVar("T")

#: A title or name, a path or address, an id, a number in decimal digits, and a description or comment: each
#: several times longer than GitLab stores.
Name = Annotated[str, Meta(max_length=2_000)]
Address = Annotated[str, Meta(max_length=10_000)]
Identity = Annotated[str, Meta(max_length=500)]
Digits = Annotated[str, Meta(max_length=18)]
Text = Annotated[str, Meta(max_length=4 * 1024 * 1024)]
#: A count or weight, which is an integer of 32 bits; a number of the REST API, of 64; a manual position.
Count = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Number = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Position = Annotated[float, Meta(ge=-(2.0**53), le=2.0**53)]
#: Entries of a page: ten times what is asked for.
MOST_ENTRIES = 1_000

#: Texts, commas and brackets in an answer: five times what a page of issues with a hundred labels and a
#: hundred assignees each has. A list within a list of a page multiplies, and each value takes memory.
MOST_PARTS = 1_000_000

#: Times outside of these are taken for them: every calculation and every time zone stays within the calendar.
EARLIEST, LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)

#: What a card can be shown without. Whatever else is not understood leaves the whole entry out.
_DISPENSABLE = frozenset(
    {
        "closedAt", "color", "dueDate", "healthStatus", "mergeRequestsCount", "relativePosition",
        "startDate", "status", "updatedBy", "userNotesCount", "webPath", "webUrl", "weight",
    }
)  # fmt: skip
#: Bytes decoded again and again, a fault at a time, until an answer is refused altogether.
_MOST_WORK = 32 * 1024 * 1024
_NOT_UNICODE = "text that is not Unicode, shown as \ufffd"
_MOST_FAULTS = 500

# Patterns are compiled (and cached by ``re``) on first use: the board opens without them.
#: An escape in JSON: of a unit of UTF-16, with the second half if it is the first of a pair, or another.
_ESCAPE = rb"(?s)\\(?:u([0-9a-fA-F]{4})(?:(?<=[dD][89abAB]..)\\u([dD][c-fC-F][0-9a-fA-F]{2}))?|.)"
#: A step of a path, as msgspec names it.
_STEP = r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]"

#: A text, also one that never ends, or what comes before or between values.
_PART = rb'(?s)"(?:[^"\\]+|\\.)*+(?:"|\\?\Z)|[,{\[]'

#: For an entry without a name, title or id.
_NAMELESS = "an entry"

#: Called with what was left out of an answer.
Report = Callable[[str], None]

_request_id: ContextVar[str] = ContextVar("request_id", default="")
#: The same of any task; empty before the first answer.
_last_id: list[str] = []


class NotJsonError(Exception):
    """Not JSON, or cut off."""


class TooDeepError(NotJsonError):
    """Nested too deeply."""


# -- the request


def note_request(headers: Mapping[str, str]) -> None:
    """Remember which request is being answered, for the errors of this task."""
    found = printable(headers.get("x-request-id", ""))[:64].strip()
    _request_id.set(found)
    _last_id[:] = [found]


def not_understood(what: str) -> NotUnderstood:
    """The error for the answer that this task received last."""
    return NotUnderstood(what, _request_id.get())


def last_request() -> str:
    """The server's id of the request that this task, or else another, got an answer to last, or ""."""
    return _request_id.get() or "".join(_last_id)


def has_answer() -> bool:
    """Whether any server has answered this process."""
    return bool(_last_id)


# -- times


def moment(at: datetime) -> datetime:
    """A time in UTC; without a zone it is taken for UTC."""
    if at.tzinfo is UTC and EARLIEST.year <= at.year < LATEST.year:
        return at
    try:
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except OverflowError:
        at = EARLIEST if at.year < LATEST.year else LATEST
    return min(max(at, EARLIEST), LATEST)


# -- decoding


def is_overfull(raw: bytes) -> bool:
    """Whether JSON has more parts than any answer of GitLab; it is not decoded for that."""
    # Quick, and exact unless texts are full of commas.
    if raw.count(b'"') // 2 + sum(raw.count(sign) for sign in (b",", b"{", b"[")) <= MOST_PARTS:
        return False
    return next(islice(re.finditer(_PART, raw), MOST_PARTS, None), None) is not None


@cache
def decoder(kind: type[T]) -> msgspec.json.Decoder[T]:
    """The decoder for a type."""
    return msgspec.json.Decoder(kind)


def decoded(
    raw: bytes | msgspec.Raw, kind: type[T], report: Report | None = None, *, alone: bool = False
) -> T:
    """An answer, or a part of one. With ``report``, without the entries that are not understood.

    ``alone``: it is such an entry itself. Raises NotJsonError and NotUnderstood.
    """
    try:
        found: T = decoder(kind).decode(raw)  # type: ignore[arg-type]  # a type is hashable
    except msgspec.ValidationError as wrong:
        problem = wrong
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _repaired(bytes(raw), kind, report, alone=alone)
    except RecursionError:
        raise TooDeepError from None
    else:
        return found
    return _left_out(bytes(raw), kind, problem, report, alone=alone)


def _repaired(raw: bytes, kind: type[T], report: Report | None, *, alone: bool) -> T:
    """An answer whose texts are not all Unicode: the replacement character stands for what is not."""
    if report is None:
        raise NotJsonError
    text = _in_unicode(raw)
    try:
        found: T = decoder(kind).decode(text)  # type: ignore[arg-type]  # a type is hashable
    except msgspec.ValidationError as wrong:
        problem: msgspec.ValidationError | None = wrong
    except (msgspec.DecodeError, UnicodeDecodeError):
        problem = None
    except RecursionError:
        raise TooDeepError from None
    else:
        report(not_understood(_NOT_UNICODE).message)
        return found
    return _left_out(raw, kind, problem, report, alone=alone)


def _in_unicode(raw: bytes) -> bytes:
    """The same with the replacement character for what is not Unicode."""
    return re.sub(_ESCAPE, _paired, raw.decode("utf-8", "replace").encode())


def _paired(found: re.Match[bytes]) -> bytes:
    lone = found[1] is not None and found[1][:1] in b"dD" and found[1][1:2] in b"89abcdefABCDEF"
    return b"\\ufffd" if lone and found[2] is None else found[0]


class _OutOfRange:
    """A number that is none, or too large to be one."""


def _integer(digits: str) -> int | _OutOfRange:
    return int(digits) if len(digits) < 25 else _OutOfRange()


def _real(digits: str) -> float | _OutOfRange:
    value = float(digits)
    return value if abs(value) < float("inf") else _OutOfRange()


class _Fault(Struct, frozen=True):
    """What is wrong where; ``entry`` names the entry of a page."""

    problem: str
    field: str
    entry: str


def _left_out(
    raw: bytes, kind: type[T], problem: msgspec.ValidationError | None, report: Report | None, *, alone: bool
) -> T:
    """An answer without what is not understood; ``problem`` is None if a number in it is none."""
    if problem is not None and (report is None or len(raw) > _MOST_WORK):
        raise not_understood(str(problem)[:200])
    if report is None or len(raw) > _MOST_WORK:
        raise NotJsonError
    import json  # rarely needed: keep it out of the start

    # What is not Unicode may come after the first value that is not understood.
    text = _in_unicode(raw)
    if text != raw:
        report(not_understood(_NOT_UNICODE).message)
    try:
        tree = json.loads(text, parse_int=_integer, parse_float=_real, parse_constant=lambda _: _OutOfRange())
    except RecursionError:
        raise TooDeepError from None
    except ValueError:
        raise NotJsonError from None
    faults: list[_Fault] = []
    most = min(_MOST_FAULTS, _MOST_WORK // (len(raw) + 1))
    while True:
        try:
            found: T = msgspec.convert(tree, kind)
        except msgspec.ValidationError as wrong:
            if len(faults) > most:
                raise not_understood(f"{_words(faults[0])}, and more than {most} such values") from None
            if "`raw`" in str(wrong):
                raise NotJsonError from None
            faults.append(_leave_out(tree, str(wrong), alone=alone))
        else:
            if faults:
                report(not_understood(_told(faults)).message)
            return found


def _leave_out(tree: Any, problem: str, *, alone: bool) -> _Fault:
    """Remove what a problem is about from the tree: a value that is dispensable, else the whole entry.

    Raises NotUnderstood if it is about no entry.
    """
    what, _, path = problem.rpartition(" - at ")
    steps: list[str | int] = [
        int(index) if index.isdecimal() else name or index
        for name, index in re.findall(_STEP, path.strip("`"))
    ]
    start = next((n + 1 for n, step in enumerate(steps) if isinstance(step, int)), 0 if alone else None)
    if start is None or "..." in steps[:start]:
        raise not_understood(problem[:200])
    page: Any = None
    entry = tree
    for step in steps[:start]:
        page, entry = entry, entry[step]
    rest = steps[start:]
    found = _Fault(what or problem, ".".join(map(str, rest)), _name_of(entry))
    if _without(entry, rest):
        return found
    if start == 0 or entry is None:
        raise not_understood(_words(found))
    page[steps[start - 1]] = None
    if found.entry == _NAMELESS and not any(page):
        # Nothing shows that this is a page of entries at all.
        raise not_understood(problem[:200])
    return found


def _without(entry: Any, steps: Sequence[str | int]) -> bool:
    """Remove the first dispensable value on the way; returns whether there is one."""
    for step in steps:
        if isinstance(entry, dict) and step in entry:
            if step in _DISPENSABLE:
                del entry[step]
                return True
        elif not isinstance(entry, list) or not isinstance(step, int):
            return False
        entry = entry[step]
    return False


def _name_of(entry: Any) -> str:
    if isinstance(entry, dict):
        for name in ("reference", "fullPath", "title", "username", "id"):
            if isinstance(text := entry.get(name), str) and text:
                return " ".join(printable(text[:200]).split())[:80]
    return _NAMELESS


def _words(fault: _Fault) -> str:
    of = f"{fault.field} of {fault.entry}" if fault.field else fault.entry
    return f"{of} ({fault.problem})"


def _told(faults: list[_Fault]) -> str:
    entries = {fault.entry for fault in faults}
    if len(faults) == 1:
        return f"{_words(faults[0])} (left out)"
    return f"{len(faults)} values in {len(entries)} places, such as {_words(faults[0])} (left out)"
