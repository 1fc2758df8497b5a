"""The team as written in ``team.toml``: its people and their days off (planning rule 10).

Owns the shape of the file (planning rule 27) and the errors for a wrong one: file, line, key, and the
nearest known key; and which of its names are former ones. Days are calendar days. The file stays on this
machine: days off are private.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct, structs

from glboard_core.errors import ConfigError
from glboard_core.files import read_text, toml_of
from glboard_core.model.catalog import Catalog

#: A longer range of days is a typo.
_LONGEST = 366


class Span(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"first": "from", "last": "to"}
):
    """Days in a row, both ends included; in the file ``{ from = …, to = … }``."""

    first: date
    last: date


Days = tuple[date | Span, ...]

Count = Annotated[int, Meta(ge=0, le=10_000)] | Annotated[float, Meta(ge=0, le=10_000)]
"""A number of workdays, whole or not."""


class Member(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One person. ``factor`` is 1, or 0.5 while onboarding.

    ``support_days`` are workdays, by milestone title. ``net_days`` too: for a milestone listed there, they
    replace the days calculated from holidays, time off and support.
    """

    username: Annotated[str, Meta(min_length=1)]
    role: str = ""
    factor: Annotated[float, Meta(ge=0, le=1_000)] = 1.0
    holidays: Days = ()
    time_off: Days = ()
    support_days: dict[str, Count] = {}
    net_days: dict[str, Count] = {}


class Team(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The team. ``days_per_weight``: workdays of one engineer; ``reserve``: share kept free, 0 to below 1."""

    days_per_weight: Annotated[float, Meta(gt=0.001, le=10_000)] = 2.0
    reserve: Annotated[float, Meta(ge=0, lt=1)] = 0.0
    holidays: Days = ()
    people: tuple[Member, ...] = ()

    def member(self, username: str) -> Member | None:
        """The person with that username, or None."""
        return next((member for member in self.people if member.username == username), None)


class FormerNames(Struct, frozen=True):
    """Usernames and milestone titles of a team that are former ones, with the present ones."""

    people: Mapping[str, str] = {}
    milestones: Mapping[str, str] = {}

    def __bool__(self) -> bool:
        return bool(self.people or self.milestones)

    def replaced(self, team: Team) -> Team:
        """The team with the present names. Of days under both names of a milestone, those under the present
        one count."""
        if not self:
            return team
        people = tuple(
            structs.replace(
                member,
                username=self.people.get(member.username, member.username),
                support_days=self._days(member.support_days),
                net_days=self._days(member.net_days),
            )
            for member in team.people
        )
        return structs.replace(team, people=people)

    def _days(self, listed: dict[str, Count]) -> dict[str, Count]:
        now = {self.milestones.get(title, title): count for title, count in listed.items()}
        return {title: listed.get(title, count) for title, count in now.items()}


def former_names(team: Team, catalog: Catalog | None) -> FormerNames:
    """The former names in a team, as far as the catalog knows what they are now."""
    if catalog is None or not catalog.former:
        return FormerNames()
    there = {member.username for member in team.people}
    people: dict[str, str] = {}
    for name in sorted(there):
        if (now := catalog.present("person", name)) not in there | set(people.values()):
            people[name] = now
    titles = {title for member in team.people for title in (*member.support_days, *member.net_days)}
    present = {title: catalog.present("milestone", title) for title in sorted(titles)}
    return FormerNames(people, {title: now for title, now in present.items() if now != title})


def days(listed: Days) -> frozenset[date]:
    """Every day of the list, once."""
    found: set[date] = set()
    for entry in listed:
        if isinstance(entry, Span):
            found.update(entry.first + timedelta(days=n) for n in range((entry.last - entry.first).days + 1))
        else:
            found.add(entry)
    return frozenset(found)


def load(path: Path) -> Team:
    """The team from a file. Raises ConfigError, also if there is no file."""
    try:
        text = read_text(path)
    except FileNotFoundError:
        raise ConfigError(
            "no such file.",
            where=str(path),
            hint="Create it in the capacity pane, or pass another file with --team.",
        ) from None
    return parse_team(text, str(path))


def parse_team(text: str, where: str) -> Team:
    """The team from TOML. Raises ConfigError with the line and key of the first mistake."""
    data = toml_of(text, where)
    place = _Place(text, where)
    _refuse_unknown(data, place)
    _check_days(data, None, place)
    people = data.get("people", [])
    for number, person in enumerate(people if isinstance(people, list) else ()):
        if isinstance(person, dict):
            _check_days(person, number, place)
    try:
        team = msgspec.convert(data, Team)
    except msgspec.ValidationError as error:
        raise place.invalid(error) from None
    seen: set[str] = set()
    for number, member in enumerate(team.people):
        if member.username in seen:
            raise place.wrong(f"{member.username} is listed twice.", "username", number)
        seen.add(member.username)
    return team


class _Place:
    """Locates mistakes in the file."""

    def __init__(self, text: str, where: str) -> None:
        self._lines = text.splitlines()
        self._where = where
        heads = re.compile(r"\s*\[\[\s*people\s*\]\]")
        self._heads = [n for n, line in enumerate(self._lines) if heads.match(line)]

    def wrong(self, message: str, key: str, person: int | None, *, hint: str = "") -> ConfigError:
        """The error for a key of the team, or of the person with that number in the file."""
        line = self._line(key, person)
        at = f"{self._where}:{line}" if line is not None else self._where
        return ConfigError(message, where=at, key=key if person is None else f"people.{key}", hint=hint)

    def invalid(self, error: msgspec.ValidationError) -> ConfigError:
        """The error of msgspec, with the place it names (``$.people[1].factor``)."""
        message, _, path = str(error).partition(" - at `$")
        keys = re.split(r"[.\[\]]+", path.strip("`.]"))
        person = None
        if keys[0] == "people" and len(keys) > 1 and keys[1].isdecimal():
            person = int(keys[1])
            # A missing key has no place of its own, only a name in the message.
            keys = keys[2:] or re.findall("`(.+)`", message)
        return self.wrong(message[:1].lower() + message[1:] + ".", keys[0] if keys else "people", person)

    def _line(self, key: str, person: int | None) -> int | None:
        first, end = 0, len(self._lines)
        if person is not None and person < len(self._heads):
            first = self._heads[person]
            end = self._heads[person + 1] if person + 1 < len(self._heads) else end
        pattern = re.compile(rf"(.*[{{,.\s\[])?[\"']?{re.escape(key)}[\"']?\s*[=.\]]")
        found = (n for n in range(first, end) if pattern.match(self._lines[n]))
        return next((n + 1 for n in found), first + 1 if person is not None and self._heads else None)


def _refuse_unknown(data: dict[str, Any], place: _Place) -> None:
    people = data.get("people", [])
    persons = list(enumerate(people)) if isinstance(people, list) else []
    for number, table in [(None, data), *persons]:
        known = (Team if number is None else Member).__struct_fields__
        for key in table if isinstance(table, dict) else ():
            if key not in known:
                raise place.wrong("unknown key.", key, number, hint=_near(key, sorted(known)))


def _near(key: str, known: Sequence[str], alike: float = 0.5) -> str:
    near = get_close_matches(key, known, 1, alike)
    return f"Did you mean “{near[0]}”?" if near else f"Known keys: {', '.join(known)}."


def _check_days(table: dict[str, Any], number: int | None, place: _Place) -> None:
    """Check lists of days, with clearer errors than a type error: a day is ISO text or a TOML date."""
    for key in ("holidays", "time_off"):
        listed = table.get(key, [])
        if not isinstance(listed, list):
            raise place.wrong('expected a list of days, like ["2026-12-24"].', key, number)
        for at, entry in enumerate(listed):
            listed[at] = _entry(entry, key, number, place)


def _entry(entry: Any, key: str, number: int | None, place: _Place) -> Any:
    if not isinstance(entry, dict):
        return _day(entry, key, number, place)
    for name in entry:
        if name not in ("from", "to"):
            hint = _near(name, ("from", "to"), 0.4)
            raise place.wrong("unknown key in a range of days.", name, number, hint=hint)
    if len(entry) != 2:
        raise place.wrong("a range of days needs both from and to.", key, number)
    first, last = (_day(entry[end], key, number, place) for end in ("from", "to"))
    if first > last:
        raise place.wrong(f"the range from {first} to {last} ends before it starts.", key, number)
    if (last - first).days >= _LONGEST:
        raise place.wrong(f"the range from {first} to {last} is longer than a year.", key, number)
    return {"from": first, "to": last}


def _day(value: Any, key: str, number: int | None, place: _Place) -> date:
    if type(value) is date:
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise place.wrong(f"“{value}” is not a date.", key, number, hint="Use the form 2026-12-24.") from None
