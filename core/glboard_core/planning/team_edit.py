"""Changes of ``team.toml`` as data, and the text of the file after one: comments and layout survive.

Owns the rule that a change touches its own value and nothing else. Every result is checked: the new text is
parsed again and must give the old team with that one change, or an error is raised. Reading and writing the
file belong to ``team_file``. Days are calendar days, planning rule 10.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, Literal

from msgspec import Struct, structs
from tomlkit import TOMLDocument, dumps, item, parse, value
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT, Array, InlineTable

from glboard_core.errors import ConfigError, UsageError
from glboard_core.planning.team import Days, Member, Span, Team, parse_team

Value = str | float | Days | dict[str, float] | None
Way = Callable[[str], str]

HEAD = """\
# The team's days. It stays on this machine: days off are private.
days_per_weight = 2     # two workdays of one engineer make a weight of 1
reserve = 0.0           # the share that is kept free: 0.1 is a tenth
holidays = []           # days off for everybody, like "2026-12-24"
"""

_PEOPLE = re.compile(r"\s*\[\[\s*people\s*\]\]")
_TABLE = re.compile(r"\s*\[")


# The text: where a line is inserted, what is removed, what stays


class CannotEdit(Exception):
    """This way does not fit this file."""


def setting(person: int | None, key: str, wanted: Value) -> Sequence[Way]:
    """Set a value of the team, or of the person with that index; None removes the key."""
    if wanted is None:
        return (lambda text: _drop_key(text, person, key),)
    return (
        lambda text: _change(text, person, key, wanted),
        lambda text: _insert(text, person, key, wanted),
        lambda text: _append(text, person, key, wanted),
    )


def adding(usernames: Sequence[str]) -> Sequence[Way]:
    """Add people at the end of the file."""
    return (
        lambda text: _ended(text) + "".join(person(name) for name in usernames),
        lambda text: _add_to_list(text, usernames),
    )


def removing(number: int) -> Sequence[Way]:
    """Remove the person with that index, and no comment that belongs to another."""
    return (lambda text: _cut(text, number), lambda text: _drop_from_list(text, number))


def person(username: str) -> str:
    """A new person's lines."""
    return f"\n[[people]]\nusername = {written(username)}\n"


def whole(team: Team) -> str:
    """A file that contains only this team."""
    lines = [f"{key} = {written(getattr(team, key))}" for key in ("days_per_weight", "reserve", "holidays")]
    for member in team.people:
        lines.append("[[people]]")
        lines.extend(f"{key} = {written(getattr(member, key))}" for key in Member.__struct_fields__)
    return "\n".join(lines) + "\n"


def written(wanted: Value) -> str:
    """A value as TOML on one line."""
    if isinstance(wanted, tuple):
        return f"[{', '.join(map(_entry, wanted))}]"
    if isinstance(wanted, dict):
        inside = ", ".join(f"{written(key)} = {written(days)}" for key, days in wanted.items())
        return f"{{ {inside} }}" if inside else "{}"
    plain = int(wanted) if isinstance(wanted, float) and wanted.is_integer() else wanted
    return str(item(plain).as_string())


def _entry(entry: date | Span) -> str:
    if isinstance(entry, Span):
        return f'{{ from = "{entry.first}", to = "{entry.last}" }}'
    return f'"{entry}"'


# Line by line


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else text + "\n"


def _block(lines: Sequence[str], number: int) -> tuple[int, int]:
    """Start and end of a person's lines, including their own tables."""
    heads = [at for at, line in enumerate(lines) if _PEOPLE.match(line)]
    if number >= len(heads):
        raise CannotEdit
    end = heads[number] + 1
    while end < len(lines) and not (_TABLE.match(lines[end]) and not _own(lines[end])):
        end += 1
    return heads[number], end


def _own(line: str) -> bool:
    return re.match(r"\s*\[\s*people\s*\.", line) is not None


def _last_said(lines: Sequence[str], first: int, end: int) -> int:
    """The position after the last line of a range that is neither blank nor only a comment."""
    while end > first and (not lines[end - 1].strip() or lines[end - 1].lstrip().startswith("#")):
        end -= 1
    return end


def _insert(text: str, number: int | None, key: str, wanted: Value) -> str:
    lines = _lines(_ended(text))
    first, end = (0, len(lines)) if number is None else _block(lines, number)
    below = first + (number is not None)
    tables = (at for at in range(below, end) if _TABLE.match(lines[at]))
    end = next(tables, end)
    at = _last_said(lines, below, end)
    if number is None and at == 0:
        # Below the introductory comment at the top of the file.
        while at < end and lines[at].strip():
            at += 1
    lines.insert(at, f"{key} = {written(wanted)}\n")
    return "".join(lines)


def _cut(text: str, number: int) -> str:
    lines = _lines(text)
    first, end = _block(lines, number)
    end = _last_said(lines, first, end)
    if first and not lines[first - 1].strip() and (end == len(lines) or not lines[end].strip()):
        first -= 1  # one blank line between people, not two
    return "".join(lines[:first] + lines[end:])


# By parsing


def _document(text: str) -> TOMLDocument:
    try:
        return parse(text)
    except TOMLKitError as error:
        raise CannotEdit from error


def _table(document: TOMLDocument, number: int | None) -> Any:
    try:
        return document if number is None else document["people"][number]
    except (KeyError, IndexError, TypeError) as error:
        raise CannotEdit from error


def _change(text: str, number: int | None, key: str, wanted: Value) -> str:
    document = _document(text)
    table = _table(document, number)
    if key not in table:
        raise CannotEdit
    there = table[key]
    if isinstance(wanted, tuple) and isinstance(there, Array):
        plain = there.as_string()
        if "#" in plain or "\n" in plain:
            _merge(there, wanted)
            return dumps(document)
    if isinstance(wanted, dict) and not isinstance(there, InlineTable):
        for gone in [name for name in there if name not in wanted]:
            del there[gone]
        for name, days in wanted.items():
            if name not in there or there[name] != days:
                there[name] = value(written(days))
        return dumps(document)
    table[key] = value(written(wanted))
    return dumps(document)


def _merge(there: Array, wanted: Days) -> None:
    """Change a list over several lines entry by entry, so that the rest keeps its comments."""
    left = [_entry(entry) for entry in wanted]
    for at in range(len(there) - 1, -1, -1):
        said = _said(there[at])
        if said in left:
            left.remove(said)
        else:
            del there[at]
    for place, entry in enumerate(_entry(entry) for entry in wanted):
        if place >= len(there) or _said(there[place]) != entry:
            there.insert(place, value(entry))


def _said(entry: Any) -> str:
    """An entry as glboard writes it, however it is spelled in the file."""
    if isinstance(entry, dict):
        return f'{{ from = "{entry["from"]}", to = "{entry["to"]}" }}'
    return f'"{entry}"'


def _append(text: str, number: int | None, key: str, wanted: Value) -> str:
    document = _document(text)
    _table(document, number)[key] = value(written(wanted))
    return dumps(document)


def _drop_key(text: str, number: int | None, key: str) -> str:
    document = _document(text)
    table = _table(document, number)
    if key not in table:
        raise CannotEdit
    del table[key]
    return dumps(document)


def _add_to_list(text: str, usernames: Sequence[str]) -> str:
    document = _document(text)
    people = document.get("people")
    if isinstance(people, AoT) or not isinstance(people, Array):
        raise CannotEdit
    for name in usernames:
        people.append(value(f"{{ username = {written(name)} }}"))
    return dumps(document)


def _drop_from_list(text: str, number: int) -> str:
    document = _document(text)
    people: Any = document.get("people")
    if not isinstance(people, AoT | Array) or number >= len(people):
        raise CannotEdit
    del people[number]
    return dumps(document)


TeamKey = Literal["days_per_weight", "reserve", "holidays"]
PersonKey = Literal["role", "factor", "holidays", "time_off"]
MilestoneKey = Literal["support_days", "net_days"]

_WORDS = {
    "days_per_weight": "days per weight",
    "reserve": "reserve",
    "holidays": "holidays",
    "role": "role",
    "factor": "factor",
    "time_off": "time off",
    "support_days": "support days",
    "net_days": "net days",
}


class OfTeam(Struct, frozen=True):
    """A value of the whole team."""

    key: TeamKey
    value: float | Days

    @property
    def words(self) -> str:
        """What is changed, without figures, so that a shared screen can show it."""
        return f"the team's {_WORDS[self.key]}"


class OfPerson(Struct, frozen=True):
    """A value of one person; "" removes a role."""

    username: str
    key: PersonKey
    value: str | float | Days

    @property
    def words(self) -> str:
        """What is changed, without figures."""
        return f"{_WORDS[self.key]} of {self.username}"


class OfMilestone(Struct, frozen=True):
    """Days of one person in one milestone; None removes them, so that they are calculated again."""

    username: str
    key: MilestoneKey
    milestone: str
    value: float | None

    @property
    def words(self) -> str:
        """What is changed, without figures."""
        return f"{_WORDS[self.key]} of {self.username} in {self.milestone}"


class AddPeople(Struct, frozen=True):
    """People who are not in the file yet, at its end."""

    usernames: tuple[str, ...]

    @property
    def words(self) -> str:
        """What is changed."""
        return f"{', '.join(self.usernames)} added"


class RemovePerson(Struct, frozen=True):
    """Remove a person with all their days. Comments above the next person stay."""

    username: str

    @property
    def words(self) -> str:
        """What is changed."""
        return f"{self.username} removed"


Change = OfTeam | OfPerson | OfMilestone | AddPeople | RemovePerson


def after(team: Team, change: Change) -> Team:
    """The team after the change. Raises UsageError if the person is missing, or already there."""
    match change:
        case OfTeam():
            return structs.replace(team, **{change.key: change.value})
        case OfPerson():
            return _replaced(
                team, change.username, lambda m: structs.replace(m, **{change.key: change.value})
            )
        case OfMilestone():
            return _replaced(team, change.username, lambda m: _with_days(m, change))
        case AddPeople():
            for name in change.usernames:
                if team.member(name) is not None or change.usernames.count(name) > 1:
                    raise UsageError(f"{name} is already in team.toml.")
            added = tuple(Member(username=name) for name in change.usernames)
            return structs.replace(team, people=(*team.people, *added))
        case RemovePerson():
            place(team, change.username)
            left = tuple(member for member in team.people if member.username != change.username)
            return structs.replace(team, people=left)


def place(team: Team, username: str) -> int:
    """The index of a person in the file, from 0. Raises UsageError if there is no such person."""
    for number, member in enumerate(team.people):
        if member.username == username:
            return number
    raise UsageError(f"{username} is not in team.toml.", hint="Add them first.")


def _replaced(team: Team, username: str, make: Callable[[Member], Member]) -> Team:
    number = place(team, username)
    people = list(team.people)
    people[number] = make(people[number])
    return structs.replace(team, people=tuple(people))


def _with_days(member: Member, change: OfMilestone) -> Member:
    days = dict(getattr(member, change.key))
    days.pop(change.milestone, None)
    if change.value is not None:
        days[change.milestone] = change.value
    return structs.replace(member, **{change.key: days})


def edited(before: str, change: Change, where: str = "team.toml") -> str:
    """The file's text after the change; the same text if nothing changes.

    Raises UsageError as ``after`` does, and ConfigError if the text is already wrong, if the value is not
    allowed in the file, or if the file's layout cannot be changed safely.
    """
    team = parse_team(before, where)
    wanted = after(team, change)
    if wanted == team:
        return before
    for way in _ways(team, wanted, change):
        try:
            made = way(before)
        except CannotEdit:
            continue
        if _says(made, wanted, where):
            return made
    # If the value itself is wrong, its own error says more.
    _refuse(wanted, where)
    raise ConfigError(
        f"{change.words} cannot be changed without touching something else.",
        where=where,
        hint="Edit the file by hand.",
    )


def _says(made: str, wanted: Team, where: str) -> bool:
    try:
        return parse_team(made, where) == wanted
    except ConfigError:
        return False


def _refuse(wanted: Team, where: str) -> None:
    parse_team(whole(wanted), where)


def _ways(team: Team, wanted: Team, change: Change) -> Sequence[Callable[[str], str]]:
    """The ways to write it, best first; the first with the wanted result is used."""
    match change:
        case OfTeam():
            return setting(None, change.key, change.value)
        case OfPerson():
            return setting(
                place(team, change.username), change.key, None if change.value == "" else change.value
            )
        case OfMilestone():
            number = place(team, change.username)
            return setting(number, change.key, getattr(wanted.people[number], change.key) or None)
        case AddPeople():
            return adding(change.usernames)
        case RemovePerson():
            return removing(place(team, change.username))


def fresh(usernames: Sequence[str]) -> str:
    """The text of a new file with these people, with explaining comments."""
    return HEAD + "".join(person(name) for name in usernames)
