"""Changes of ``team.toml`` as data, and the text of the file after one: comments and layout survive.

Owns the rule that a change touches its own value and nothing else. It is held by looking: the text is read
again after the change and must say what the team was with that change made, or nothing is returned. Nothing
is read or written here; ``team_file`` does. Days are calendar days, DOMAIN.md 7.10.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from msgspec import Struct, structs

from glboard_core.errors import ConfigError, UsageError
from glboard_core.planning import team_text as text
from glboard_core.planning.team import Days, Member, Team, parse

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
        """What is changed, without figures: it may be said on a shared screen."""
        return f"the team's {_WORDS[self.key]}"


class OfPerson(Struct, frozen=True):
    """A value of one person; "" takes a role away."""

    username: str
    key: PersonKey
    value: str | float | Days

    @property
    def words(self) -> str:
        """What is changed, without figures."""
        return f"{_WORDS[self.key]} of {self.username}"


class OfMilestone(Struct, frozen=True):
    """Days of one person in one milestone; None takes them away, so that they are reckoned again."""

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
    """A person with all their days. Comments above the next one stay."""

    username: str

    @property
    def words(self) -> str:
        """What is changed."""
        return f"{self.username} removed"


Change = OfTeam | OfPerson | OfMilestone | AddPeople | RemovePerson


def after(team: Team, change: Change) -> Team:
    """The team with the change made. Raises UsageError where the person is not there, or there already."""
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
                    raise UsageError(f"{name} is in team.toml already.")
            added = tuple(Member(username=name) for name in change.usernames)
            return structs.replace(team, people=(*team.people, *added))
        case RemovePerson():
            place(team, change.username)
            left = tuple(member for member in team.people if member.username != change.username)
            return structs.replace(team, people=left)


def place(team: Team, username: str) -> int:
    """The number of a person in the file, from 0. Raises UsageError where there is none of that name."""
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
    """The file's text with the change made; the same text where it changes nothing.

    Raises UsageError as ``after``, and ConfigError where the text is wrong already, where the value may not
    stand in the file, or where the file is written in a way that cannot be changed safely.
    """
    team = parse(before, where)
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
    # The value itself may be what is wrong: then its own error says more.
    _refuse(wanted, where)
    raise ConfigError(
        f"{change.words} cannot be changed here without touching something else.",
        where=where,
        hint="Change it by hand.",
    )


def _says(made: str, wanted: Team, where: str) -> bool:
    try:
        return parse(made, where) == wanted
    except ConfigError:
        return False


def _refuse(wanted: Team, where: str) -> None:
    parse(text.whole(wanted), where)


def _ways(team: Team, wanted: Team, change: Change) -> Sequence[Callable[[str], str]]:
    """How it can be written, best first: the first that says what is wanted is taken."""
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
    """The text of a new file with these people, explained by comments."""
    return text.HEAD + "".join(text.person(name) for name in usernames)
