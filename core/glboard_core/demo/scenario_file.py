"""The scenario file as people write it: its shape, and errors that name the place.

Strict in what changes a result, lenient where the format leaves it open: a field that is null counts as
missing, a missing one has a plain default, keys that are not known are left alone, and a time may lack its
seconds or its zone (then it is UTC). It makes no world of what it read; that is `scenario`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

R = TypeVar("R")
_REFERENCE = re.compile(r"(?P<path>.+)#(?P<iid>\d+)")


class ScenarioError(ValueError):
    """A scenario file that cannot be used."""


class MilestoneRow(Struct):
    """A milestone; without an id it gets one."""

    title: str
    id: int | None = None
    start_date: date | None = None
    due_date: date | None = None
    state: str = "active"


class MilestoneName(Struct):
    """The milestone an issue is in."""

    title: str


class People(Struct):
    """The team; the engineering manager holds the token."""

    em: str
    pm: str | None = None
    set: str | None = None
    engineers: list[str] = []


class EventRow(Struct):
    """Something that happened to an issue; without `by` the engineering manager did it."""

    kind: str
    action: str
    at: datetime
    by: str | None = None
    value: str | int | None = None


class IssueRow(Struct):
    """An issue. Path and number may stand in `references.full` alone."""

    iid: int
    project_path: str
    title: str
    id: int | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    project_id: int | None = None
    key: str | None = None
    description: str = ""
    state: str = "opened"
    closed_at: datetime | None = None
    labels: list[str] = []
    status: str | None = None
    milestone: MilestoneName | None = None
    weight: int | float | None = None
    assignees: list[str] = []
    confidential: bool = False
    upvotes: int = 0
    health_status: str | None = None
    merge_requests_count: int = 0
    blocked_by: list[int | str] = []
    pm_rank: int | float | None = None
    events: list[EventRow] = []


class Scenario(Struct):
    """All of it."""

    as_of: datetime
    people: People
    milestones: list[MilestoneRow]
    issues: list[tuple[str, IssueRow]]
    """Where in the file it stands, in words, and the row."""


def read(path: Path) -> Scenario:
    """The file. Raises ScenarioError, which names the file and the place in it."""
    try:
        raw = msgspec.json.decode(path.read_bytes())
    except OSError as error:
        raise ScenarioError(f"{path}: cannot be read ({error.strerror})") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{path}: invalid JSON ({error})") from error
    if not isinstance(raw, dict):
        raise ScenarioError(
            f"{path}: not a scenario: expected an object with as_of, people, milestones and issues"
        )
    try:
        return Scenario(
            as_of=_time(_needed(raw, "as_of"), "as_of"),
            people=_people(_needed(raw, "people")),
            milestones=[
                _as(MilestoneRow, row, f"milestones[{at}]")
                for at, row in enumerate(_list(raw.get("milestones"), "milestones"))
            ],
            issues=[_issue(row, at) for at, row in enumerate(_list(_needed(raw, "issues"), "issues"))],
        )
    except ScenarioError as error:
        raise ScenarioError(f"{path}: {error}") from None


def _needed(raw: Mapping[str, Any], name: str) -> Any:
    if raw.get(name) is None:
        raise ScenarioError(f"{name} is missing")
    return raw[name]


def _list(value: Any, where: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise ScenarioError(f"{where}: must be a list")
    return value


def _people(raw: Any) -> People:
    return _as(People, raw, "people")


def _issue(raw: Any, at: int) -> tuple[str, IssueRow]:
    where = f"issues[{at}]"
    if not isinstance(raw, dict):
        raise ScenarioError(f"{where}: must be an object")
    row = dict(raw)
    names = row.get("references")
    full = names.get("full") if isinstance(names, dict) else None
    if isinstance(full, str) and (found := _REFERENCE.fullmatch(full)):
        row["project_path"] = row.get("project_path") or found["path"]
        row["iid"] = int(found["iid"]) if row.get("iid") is None else row["iid"]
    name = next((row[key] for key in ("key", "iid", "id") if isinstance(row.get(key), str | int)), None)
    if name is not None:
        where = f"issue {name}"
    for key in ("created_at", "updated_at", "closed_at"):
        if row.get(key) is not None:
            row[key] = _time(row[key], f"{where}: {key}")
    if isinstance(row.get("milestone"), str):
        row["milestone"] = {"title": row["milestone"]}
    people = _list(row.get("assignees"), f"{where}: assignees")
    row["assignees"] = [one.get("username") if isinstance(one, dict) else one for one in people]
    events = _list(row.get("events"), f"{where}: events")
    row["events"] = [_event(one, f"{where}: events[{number}]") for number, one in enumerate(events)]
    return where, _as(IssueRow, row, where)


def _event(raw: Any, where: str) -> EventRow:
    if not isinstance(raw, dict):
        raise ScenarioError(f"{where}: must be an object")
    return _as(EventRow, {**raw, "at": _time(raw.get("at"), f"{where}.at")}, where)


def _as(kind: type[R], raw: Any, where: str) -> R:
    """A row of this kind; what is null counts as missing."""
    given = {key: one for key, one in raw.items() if one is not None} if isinstance(raw, dict) else raw
    try:
        return msgspec.convert(given, kind)
    except msgspec.ValidationError as error:
        message, _, place = str(error).partition(" - at `$")
        inside = place.strip("`").lstrip(".")
        raise ScenarioError(f"{where}: {f'{inside}: ' if inside else ''}{message}") from None


def _time(text: Any, where: str) -> datetime:
    """An aware UTC time from ISO 8601 text; a day alone is its first moment, no zone is UTC."""
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise ScenarioError(f"{where}: {text!r} is not a time such as 2026-12-07T15:00:00Z") from None


def once(values: Iterable[R]) -> list[R]:
    """Each once, in order."""
    return list(dict.fromkeys(values))
