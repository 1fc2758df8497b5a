"""Changes of ``team.toml`` as data, and the text of the file after one: comments and layout survive.

Owns the rule that a change touches its own value and nothing else. Every result is checked: the new text is
parsed again and must give the old team with that one change, or an error is raised. Reading and writing the
file belong to ``team_file``. Days are calendar days, planning rule 10.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Literal

from msgspec import Struct, structs
from tomlkit import TOMLDocument, dumps, item, parse, value
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT, Array, InlineTable

from glboard_core.errors import ConfigError, UsageError
from glboard_core.planning.team import Days, FormerNames, Member, Span, Team, parse_team

TeamKey = Literal["days_per_weight", "reserve", "holidays"]
PersonKey = Literal["role", "factor", "holidays", "time_off"]
MilestoneKey = Literal["support_days", "net_days"]
Value = str | float | Days | dict[str, float] | None
#: One way to write a change: the text after it. Raises _CannotEdit if it does not fit the file.
Way = Callable[[str], str]

HEAD = """\
# The team's days. This file stays on this computer: days off are private.
days_per_weight = 2     # two workdays of one engineer equal weight 1
reserve = 0.0           # the share to keep free: 0.1 is 10 %
holidays = []           # days off for everyone, such as "2026-12-24"
"""

_PEOPLE = re.compile(r"\s*\[\[\s*people\s*\]\]")
_TABLE = re.compile(r"\s*\[")
_OWN_TABLE = re.compile(r"\s*\[\s*people\s*\.")


class _CannotEdit(Exception):
    """This way does not fit this file."""


# -- changes
#
# ``after`` is the team after the change; it raises UsageError if the person is missing, or is already there.
# ``ways`` are the ways to write it, best first. ``words`` say what is changed, without figures, so that a
# shared screen can show them.


class OfTeam(Struct, frozen=True):
    """A value of the whole team."""

    key: TeamKey
    value: float | Days

    @property
    def words(self) -> str:
        return f"the team's {_words(self.key)}"

    def after(self, team: Team) -> Team:
        return structs.replace(team, **{self.key: self.value})

    def ways(self, team: Team) -> Sequence[Way]:
        return _setting(None, self.key, self.value)


class OfPerson(Struct, frozen=True):
    """A value of one person; "" removes a role."""

    username: str
    key: PersonKey
    value: str | float | Days

    @property
    def words(self) -> str:
        return f"{_words(self.key)} of {self.username}"

    def after(self, team: Team) -> Team:
        return _with(team, self.username, self.key, self.value)

    def ways(self, team: Team) -> Sequence[Way]:
        return _setting(_place(team, self.username), self.key, None if self.value == "" else self.value)


class OfMilestone(Struct, frozen=True):
    """Days of one person in one milestone; None removes them, so that they are calculated again."""

    username: str
    key: MilestoneKey
    milestone: str
    value: float | None

    @property
    def words(self) -> str:
        return f"{_words(self.key)} of {self.username} in {self.milestone}"

    def after(self, team: Team) -> Team:
        return _with(team, self.username, self.key, self._days(team))

    def ways(self, team: Team) -> Sequence[Way]:
        return _setting(_place(team, self.username), self.key, self._days(team) or None)

    def _days(self, team: Team) -> dict[str, float]:
        days = dict(getattr(team.people[_place(team, self.username)], self.key))
        days.pop(self.milestone, None)
        return days if self.value is None else {**days, self.milestone: self.value}


class AddPeople(Struct, frozen=True):
    """People who are not in the file yet, at its end."""

    usernames: tuple[str, ...]

    @property
    def words(self) -> str:
        return f"{', '.join(self.usernames)} added"

    def after(self, team: Team) -> Team:
        for name in self.usernames:
            if team.member(name) is not None or self.usernames.count(name) > 1:
                raise UsageError(f"{name} is already in team.toml.", hint="Choose someone else.")
        added = tuple(Member(username=name) for name in self.usernames)
        return structs.replace(team, people=(*team.people, *added))

    def ways(self, team: Team) -> Sequence[Way]:
        return (lambda text: _ended(text) + _people(self.usernames), partial(_add_to_list, self.usernames))


class RemovePerson(Struct, frozen=True):
    """Remove a person with all their days. Comments above the next person stay."""

    username: str

    @property
    def words(self) -> str:
        return f"{self.username} removed"

    def after(self, team: Team) -> Team:
        _place(team, self.username)
        left = tuple(member for member in team.people if member.username != self.username)
        return structs.replace(team, people=left)

    def ways(self, team: Team) -> Sequence[Way]:
        number = _place(team, self.username)
        return partial(_cut, number), partial(_drop_from_list, number)


class WriteNames(Struct, frozen=True):
    """The present usernames and milestone titles in place of former ones."""

    former: FormerNames

    @property
    def words(self) -> str:
        return ", ".join(f"{old} is {new}" for old, new in self._names)

    @property
    def _names(self) -> Sequence[tuple[str, str]]:
        return [*self.former.people.items(), *self.former.milestones.items()]

    def after(self, team: Team) -> Team:
        return self.former.replaced(team)

    def ways(self, team: Team) -> Sequence[Way]:
        return (partial(_rename, self._names),)


Change = OfTeam | OfPerson | OfMilestone | AddPeople | RemovePerson | WriteNames


def as_written(change: Change, team: Team, former: FormerNames) -> Change:
    """A change that names things as they are called now, with the names of the file."""
    if not isinstance(change, OfPerson | OfMilestone | RemovePerson):
        return change
    before = {now: name for name, now in former.people.items()}
    change = structs.replace(change, username=before.get(change.username, change.username))
    if isinstance(change, OfMilestone) and (member := team.member(change.username)) is not None:
        there = getattr(member, change.key)
        old = (
            title for title, now in former.milestones.items() if now == change.milestone and title in there
        )
        if change.milestone not in there:
            change = structs.replace(change, milestone=next(old, change.milestone))
    return change


def edited(before: str, change: Change, where: str = "team.toml") -> str:
    """The file's text after the change; the same text if nothing changes.

    Raises UsageError as ``change.after`` does, and ConfigError if the text is already wrong, if the value is
    not allowed in the file, or if the file's layout cannot be changed safely.
    """
    team = parse_team(before, where)
    wanted = change.after(team)
    if wanted == team:
        return before
    for way in change.ways(team):
        with suppress(_CannotEdit, ConfigError):
            made = way(before)
            if parse_team(made, where) == wanted:
                return made
    # If the value itself is wrong, its own error says more.
    parse_team(_whole(wanted), where)
    raise ConfigError(
        f"Cannot change {change.words} without changing other lines.",
        where=where,
        hint="Edit the file by hand.",
    )


def fresh(usernames: Sequence[str]) -> str:
    """The text of a new file with these people, with explaining comments."""
    return HEAD + _people(usernames)


def _words(key: str) -> str:
    return key.replace("_", " ")


def _place(team: Team, username: str) -> int:
    """The index of a person in the file, from 0. Raises UsageError if there is no such person."""
    for number, member in enumerate(team.people):
        if member.username == username:
            return number
    raise UsageError(f"{username} is not in team.toml.", hint="Add them first.")


def _with(team: Team, username: str, key: str, wanted: object) -> Team:
    people, number = list(team.people), _place(team, username)
    people[number] = structs.replace(people[number], **{key: wanted})
    return structs.replace(team, people=tuple(people))


def _setting(number: int | None, key: str, wanted: Value) -> Sequence[Way]:
    """Set a value of the team, or of the person with that index; None removes the key."""
    if wanted is None:
        return (partial(_drop_key, number, key),)
    return tuple(partial(way, number, key, wanted) for way in (_change, _insert, _append))


# -- values as TOML


def _people(usernames: Sequence[str]) -> str:
    return "".join(f"\n[[people]]\nusername = {_written(name)}\n" for name in usernames)


def _whole(team: Team) -> str:
    """A file that contains only this team."""
    lines = [f"{key} = {_written(getattr(team, key))}" for key in ("days_per_weight", "reserve", "holidays")]
    for member in team.people:
        lines.append("[[people]]")
        lines.extend(f"{key} = {_written(getattr(member, key))}" for key in Member.__struct_fields__)
    return "\n".join(lines) + "\n"


def _written(wanted: Value) -> str:
    """A value as TOML on one line."""
    if isinstance(wanted, tuple):
        return f"[{', '.join(map(_entry, wanted))}]"
    if isinstance(wanted, dict):
        inside = ", ".join(f"{_written(key)} = {_written(days)}" for key, days in wanted.items())
        return f"{{ {inside} }}" if inside else "{}"
    plain = int(wanted) if isinstance(wanted, float) and wanted.is_integer() else wanted
    return str(item(plain).as_string())


def _entry(entry: Any) -> str:
    """A day or range as glboard writes it: one of ours, or one of the file, however it is spelled there."""
    if isinstance(entry, Span):
        return f'{{ from = "{entry.first}", to = "{entry.last}" }}'
    if isinstance(entry, dict):
        return f'{{ from = "{entry["from"]}", to = "{entry["to"]}" }}'
    return f'"{entry}"'


# Line by line


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else text + "\n"


def _block(lines: Sequence[str], number: int) -> tuple[int, int]:
    """Start and end of a person's lines, including their own tables."""
    heads = [at for at, line in enumerate(lines) if _PEOPLE.match(line)]
    if number >= len(heads):
        raise _CannotEdit
    end = heads[number] + 1
    while end < len(lines) and (not _TABLE.match(lines[end]) or _OWN_TABLE.match(lines[end])):
        end += 1
    return heads[number], end


def _last_content(lines: Sequence[str], first: int, end: int) -> int:
    """The position after the last line of a range that is neither blank nor only a comment."""
    while end > first and (not lines[end - 1].strip() or lines[end - 1].lstrip().startswith("#")):
        end -= 1
    return end


def _insert(number: int | None, key: str, wanted: Value, text: str) -> str:
    lines = _ended(text).splitlines(keepends=True)
    first, end = (0, len(lines)) if number is None else _block(lines, number)
    below = first + (number is not None)
    tables = (at for at in range(below, end) if _TABLE.match(lines[at]))
    end = next(tables, end)
    at = _last_content(lines, below, end)
    if number is None and at == 0:
        # Below the introductory comment at the top of the file.
        while at < end and lines[at].strip():
            at += 1
    lines.insert(at, f"{key} = {_written(wanted)}\n")
    return "".join(lines)


def _cut(number: int, text: str) -> str:
    lines = text.splitlines(keepends=True)
    first, end = _block(lines, number)
    end = _last_content(lines, first, end)
    if first and not lines[first - 1].strip() and (end == len(lines) or not lines[end].strip()):
        first -= 1  # one blank line between people, not two
    return "".join(lines[:first] + lines[end:])


def _rename(names: Sequence[tuple[str, str]], text: str) -> str:
    """Replace usernames and keys where they stand, so that everything else stays as it is."""
    lines = text.splitlines(keepends=True)
    for old, new in names:
        quoted = "|".join(re.escape(mark + old + mark) for mark in "\"'")
        bare = rf"|(?<![\w\"'.-]){re.escape(old)}" if re.fullmatch(r"[\w-]+", old, re.ASCII) else ""
        name = re.compile(rf"(\busername\s*=\s*)(?:{quoted})|(?:{quoted}{bare})(?=\s*=)")
        written = _written(new).replace("\\", r"\\")
        lines = [
            line if line.lstrip().startswith("#") else name.sub(rf"\g<1>{written}", line) for line in lines
        ]
    return "".join(lines)


# By parsing


def _parsed(text: str, number: int | None = None) -> tuple[TOMLDocument, Any]:
    """The file and the table of the team, or of the person with that index."""
    try:
        document: Any = parse(text)
        return document, document if number is None else document["people"][number]
    except (TOMLKitError, KeyError, IndexError, TypeError) as error:
        raise _CannotEdit from error


def _change(number: int | None, key: str, wanted: Value, text: str) -> str:
    document, table = _parsed(text, number)
    if key not in table:
        raise _CannotEdit
    there = table[key]
    if isinstance(wanted, tuple) and isinstance(there, Array) and re.search(r"[#\n]", there.as_string()):
        _merge(there, wanted)
    elif isinstance(wanted, dict) and not isinstance(there, InlineTable):
        for gone in [name for name in there if name not in wanted]:
            del there[gone]
        for name, days in wanted.items():
            if name not in there or there[name] != days:
                there[name] = value(_written(days))
    else:
        table[key] = value(_written(wanted))
    return dumps(document)


def _merge(there: Array, wanted: Days) -> None:
    """Change a list over several lines entry by entry, so that the rest keeps its comments."""
    left = [_entry(entry) for entry in wanted]
    for at in range(len(there) - 1, -1, -1):
        known = _entry(there[at])
        if known in left:
            left.remove(known)
        else:
            del there[at]
    for place, entry in enumerate(map(_entry, wanted)):
        if place >= len(there) or _entry(there[place]) != entry:
            there.insert(place, value(entry))


def _append(number: int | None, key: str, wanted: Value, text: str) -> str:
    document, table = _parsed(text, number)
    table[key] = value(_written(wanted))
    return dumps(document)


def _drop_key(number: int | None, key: str, text: str) -> str:
    document, table = _parsed(text, number)
    if key not in table:
        raise _CannotEdit
    del table[key]
    return dumps(document)


def _add_to_list(usernames: Sequence[str], text: str) -> str:
    document, team = _parsed(text)
    people = team.get("people")
    if isinstance(people, AoT) or not isinstance(people, Array):
        raise _CannotEdit
    for name in usernames:
        people.append(value(f"{{ username = {_written(name)} }}"))
    return dumps(document)


def _drop_from_list(number: int, text: str) -> str:
    document, team = _parsed(text)
    people = team.get("people")
    if not isinstance(people, AoT | Array) or number >= len(people):
        raise _CannotEdit
    del people[number]
    return dumps(document)
