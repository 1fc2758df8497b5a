"""Changes of ``team.toml`` as data, and the text of the file after one: comments and layout survive.

Owns the rule that a change touches its own value and nothing else. Every result is checked: the new text is
parsed again and must give the old team with that one change, or an error is raised. Reading and writing the
file belong to ``team_file``. Days are calendar days, DOMAIN.md 7.10.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from msgspec import Struct, structs

from glboard_core.errors import ConfigError, UsageError
from glboard_core.planning import team_text as text
from glboard_core.planning.team import Days, Member, Team, parse_team

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
        except text.CannotEdit:
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
    parse_team(text.whole(wanted), where)


def _ways(team: Team, wanted: Team, change: Change) -> Sequence[Callable[[str], str]]:
    """The ways to write it, best first; the first with the wanted result is used."""
    match change:
        case OfTeam():
            return text.setting(None, change.key, change.value)
        case OfPerson():
            return text.setting(
                place(team, change.username), change.key, None if change.value == "" else change.value
            )
        case OfMilestone():
            number = place(team, change.username)
            return text.setting(number, change.key, getattr(wanted.people[number], change.key) or None)
        case AddPeople():
            return text.adding(change.usernames)
        case RemovePerson():
            return text.removing(place(team, change.username))


def fresh(usernames: Sequence[str]) -> str:
    """The text of a new file with these people, with explaining comments."""
    return text.HEAD + "".join(text.person(name) for name in usernames)
