"""A team file for the embedded GitLab's group, to try capacity without writing one.

GitLab knows no days off, so this is not part of the world: it is the file the group's EM would have written.
For a generated world the days follow its calendar; a scenario has its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import msgspec

from glboard_core.demo.world.clock import Version, around
from glboard_core.errors import ConfigError
from glboard_core.files import json_of, read_bytes

#: Role, factor, and days off: (working days after the start of the next milestone, how many).
_TEAM: tuple[tuple[str, str, float, tuple[tuple[int, int], ...], int], ...] = (
    ("eng_alder", "backend", 1.0, ((7, 3),), 5),
    ("eng_birch", "backend", 1.0, ((12, 2),), 0),
    ("eng_cedar", "frontend", 1.0, (), 0),
    ("eng_dogwood", "backend", 1.0, ((5, 5),), 0),
    ("eng_elm", "frontend", 0.5, ((0, 2),), 0),
)


def team_of_world(today: date) -> str:
    """The generated group's ``team.toml``, with days off in the milestone after that of ``today`` (UTC)."""
    coming = around(today, 0, 1)[-1]
    lines = ["# The demo's team. Days off are made up; change them here or in the capacity pane (gr).", ""]
    lines += [f"holidays = {json.dumps([_workday(coming, 10).isoformat()])}"]
    for username, role, factor, away, support in _TEAM:
        days = [_workday(coming, first + n).isoformat() for first, count in away for n in range(count)]
        lines += ["", *_person(username, factor, days, {coming.title: support} if support else {}, role)]
    return "\n".join(lines) + "\n"


def _workday(version: Version, number: int) -> date:
    """The working day of a milestone with that number, from 0; holidays are ignored."""
    found = (day for n in range(60) if (day := version.start + timedelta(days=n)).weekday() < 5)
    return next(day for n, day in enumerate(found) if n == number)


def _person(
    username: str, factor: float, days: list[str], support: dict[str, float], role: str = ""
) -> Iterator[str]:
    yield "[[people]]"
    # JSON's strings and arrays of strings are TOML's too.
    yield f"username = {json.dumps(username)}"
    if role:
        yield f"role = {json.dumps(role)}"
    yield f"factor = {factor}"
    yield f"time_off = {json.dumps(days)}"
    for milestone, count in support.items():
        yield f"support_days = {{ {json.dumps(milestone)} = {count} }}"


class _Input(msgspec.Struct):
    handle: str
    pto: list[date] = []
    support_days: float = 0
    factor: float = 1.0


class _Inputs(msgspec.Struct):
    capacity_inputs: list[_Input] = []
    holidays: list[date] = []
    next_milestone: str | None = None


def team_of_scenario(path: Path) -> str | None:
    """The ``team.toml`` of a scenario file, or None. Errors in the file are the loader's to report."""
    try:
        data = msgspec.convert(json_of(read_bytes(path), str(path)), type=_Inputs)
    except (OSError, ConfigError, msgspec.ValidationError):
        return None
    if not data.capacity_inputs:
        return None
    lines = [f"holidays = {json.dumps([day.isoformat() for day in data.holidays])}"]
    for person in data.capacity_inputs:
        support = {data.next_milestone: person.support_days} if data.next_milestone else {}
        days = [day.isoformat() for day in person.pto]
        lines += ["", *_person(person.handle, person.factor, days, support)]
    return "\n".join(lines) + "\n"
