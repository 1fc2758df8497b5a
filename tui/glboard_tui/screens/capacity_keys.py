"""The keys of the capacity pane: changes to team.toml, each prompted in one line and written at once.

Owns the prompts and how typed text becomes a change. The prompt reports errors and keeps the typed text.
Individual figures are neither shown nor typed visibly while figures are hidden.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date

from glboard_core.errors import GlboardError, UsageError
from glboard_core.model.milestone import Milestone
from glboard_core.planning import text as day_words
from glboard_core.planning.team import Member, Team
from glboard_core.planning.team_edit import (
    AddPeople,
    Change,
    MilestoneKey,
    OfMilestone,
    OfPerson,
    OfTeam,
    PersonKey,
    RemovePerson,
    TeamKey,
)
from glboard_core.planning.text import number
from glboard_tui.screens.capacity import RoomBody
from glboard_tui.screens.picker import Choice, Ticks

_DAYS = "Days like 12-21 or ranges like 12-28..12-30, separated by commas; empty for none"
_HIDDEN = "Individual figures hidden (b shows them; n enters net days hidden)."


def change(body: RoomBody, token: str) -> bool:
    """Run the pane's command for a key; return whether there is one."""
    if (key := _KEYS.get(token)) is not None:
        key(body)
        return True
    return False


# -- one person


def _chosen(body: RoomBody, *, open_: bool = True) -> tuple[Member, Team, Milestone] | None:
    """The member under the cursor; None, after a message why, if there is none to change."""
    team, milestone, person = body.plan.team, body.milestone, body.person
    if team is None or milestone is None or person is None:
        body.say("No one here to change; a adds people.")
        return None
    if open_ and body.plan.roster.blind:
        body.say(_HIDDEN)
        return None
    if (member := team.member(person.username)) is None:
        body.say(f"{person.username} is not in team.toml; a adds them.")
        return None
    return member, team, milestone


def _person_days(key: PersonKey, words: str) -> Callable[[RoomBody], None]:
    def ask(body: RoomBody) -> None:
        if (chosen := _chosen(body)) is None:
            return
        member, near = chosen[0], _start(chosen[2])
        there = member.time_off if key == "time_off" else member.holidays

        def change(typed: str) -> Change:
            return OfPerson(member.username, key, day_words.merged(there, day_words.read(typed, near)))

        _prompt(body, f"{words} of {member.username}", day_words.words(there), change, note=_DAYS)

    return ask


def _start(milestone: Milestone) -> date:
    """The date that days without a year are closest to; a milestone with figures always has dates."""
    return milestone.start or date.max


def _support(body: RoomBody) -> None:
    if (chosen := _chosen(body)) is None:
        return
    member, _, milestone = chosen
    there = member.support_days.get(milestone.title)

    def change(typed: str) -> Change:
        return _of_milestone(member, "support_days", milestone, typed)

    _prompt(
        body,
        f"Support days of {member.username} in {milestone.title}",
        "" if there is None else number(there),
        change,
        note="Workdays on support or on call; empty for none",
    )


def _net_days(body: RoomBody) -> None:
    if (chosen := _chosen(body, open_=False)) is None:
        return
    member, _, milestone = chosen
    from glboard_tui.screens.dialogs import HiddenInput

    def typed(text: str) -> str:
        return _try(body, lambda: _of_milestone(member, "net_days", milestone, text))

    prompt = HiddenInput(
        f"Net days of {member.username} in {milestone.title}",
        note="Typed text is hidden. Leave empty to calculate from days off and support.",
        check=typed,
    )
    body.app.push_screen(prompt, lambda _: body.changed())


def _of_milestone(member: Member, key: MilestoneKey, milestone: Milestone, typed: str) -> Change:
    days = _number(typed) if typed.strip() else None
    if days is not None and key == "net_days" and days > _MOST_DAYS:
        # Without the figure: it was typed hidden.
        raise UsageError(f"Net days must be at most {_MOST_DAYS}.")
    return OfMilestone(member.username, key, milestone.title, days)


_MOST_DAYS = 260


def _factor(body: RoomBody) -> None:
    if (chosen := _chosen(body)) is None:
        return
    member = chosen[0]
    _prompt(
        body,
        f"Factor of {member.username}",
        number(member.factor),
        lambda typed: OfPerson(member.username, "factor", _number(typed)),
        note="Usually 1; 0.5 for someone new",
    )


def _role(body: RoomBody) -> None:
    if (chosen := _chosen(body, open_=False)) is None:
        return
    member = chosen[0]
    _prompt(
        body,
        f"Role of {member.username}",
        member.role,
        lambda typed: OfPerson(member.username, "role", typed.strip()),
        note="Budgets are summed by role; empty for none",
    )


def _remove(body: RoomBody) -> None:
    if (chosen := _chosen(body, open_=False)) is None:
        return
    name = chosen[0].username

    def answered(answer: str) -> None:
        if answer == "y" and (wrong := _try(body, lambda: RemovePerson(name))):
            body.say(wrong)

    body.context.ask(
        f"Remove {name} and their days from team.toml?",
        {"y": "remove; u undoes it", "n": "keep them"},
        answered,
    )


def _add(body: RoomBody) -> None:
    team, found, catalog = body.plan.team, body.found, body.context.bridge.catalog
    if team is None or found is None or catalog is None:
        body.say("No team.toml yet: Enter creates one.")
        return
    there = {member.username for member in team.people}
    assigned = {person.username for person in found.people}
    names = {person.username: person.name for person in catalog.people}
    known = [*sorted(assigned), *(name for name in sorted(names) if name not in assigned)]
    choices = [
        Choice(
            value=name,
            text=f"{name} {names.get(name, '')}".strip(),
            note="assigned here" if name in assigned else "",
        )
        for name in known
        if name not in there
    ]
    if not choices:
        body.say("All group members are in team.toml.")
        return

    def picked(chosen: tuple[str, ...]) -> None:
        if chosen and (wrong := _try(body, lambda: AddPeople(chosen))):
            body.say(wrong)

    body.context.pick("Add to the team", choices, lambda result: picked(result.add), ticks=Ticks())


# -- the team


def _team(key: TeamKey, title: str, note: str) -> Callable[[RoomBody], None]:
    def ask(body: RoomBody) -> None:
        if (team := body.plan.team) is None:
            body.say("No team.toml yet: Enter creates one.")
            return
        value = team.reserve if key == "reserve" else team.days_per_weight
        shown = f"{number(value * 100)} %" if key == "reserve" else number(value)
        _prompt(body, title, shown, lambda typed: OfTeam(key, _number(typed)), note=note)

    return ask


def _team_holidays(body: RoomBody) -> None:
    team, milestone = body.plan.team, body.milestone
    if team is None or milestone is None:
        body.say("No team.toml yet: Enter creates one.")
        return
    near = _start(milestone)

    def change(typed: str) -> Change:
        return OfTeam("holidays", day_words.merged(team.holidays, day_words.read(typed, near)))

    _prompt(body, "Team holidays", day_words.words(team.holidays), change, note=_DAYS)


def _make(body: RoomBody) -> None:
    plan, found = body.plan, body.found
    if plan.team is not None or plan.trouble is not None or found is None or plan.roster.path is None:
        return
    names = [person.username for person in found.people]
    who = f"with {len(names)} people" if names else "without people"

    def answered(answer: str) -> None:
        if answer != "y":
            return
        try:
            plan.roster.make(names)
        except GlboardError as error:
            body.say(str(error))

    body.context.ask(
        f"Create team.toml {who}?",
        {"y": "create it", "n": "not now"},
        answered,
        note=f"{plan.roster.place}\n{', '.join(names)}",
    )


# -- the pane


def _blind(body: RoomBody) -> None:
    body.plan.roster.blind = not body.plan.roster.blind
    body.changed()


def _reload(body: RoomBody) -> None:
    changed = body.plan.roster.reload()
    body.changed()
    body.say("" if changed else "team.toml has not changed.")


def _undo(body: RoomBody) -> None:
    try:
        words = body.plan.roster.undo()
    except GlboardError as error:
        body.say(str(error))
        return
    body.say(f"Undone: {words}." if words else "Nothing to undo in this session.")


def _post(body: RoomBody) -> None:
    milestone, context = body.milestone, body.context
    if milestone is None or body.found is None or body.plan.team is None:
        body.say("No capacity to post yet: Enter creates team.toml.")
        return
    if not context.bridge.writable:
        body.say("Read-only session.")
        return
    found = body.plan.planning_issue(milestone)
    if found.issue is None or found.issue.is_new:
        body.say(f"No planning issue for {milestone.title} to post on.")
        return
    issue = found.issue
    from glboard_tui.planning import post
    from glboard_tui.screens.capacity import Post

    def answered(answer: tuple[str, str | None] | None) -> None:
        if answer is not None and context.perform(post(issue, milestone, *answer)):
            body.say(f"Posting to {issue.reference}; u on the board undoes it. {found.doubt}".rstrip())

    body.app.push_screen(Post(context, milestone, issue), answered)


# -- prompts


def _prompt(body: RoomBody, title: str, value: str, change: Callable[[str], Change], *, note: str) -> None:
    from glboard_tui.screens.dialogs import Prompt

    prompt = Prompt(title, value=value, note=note, check=lambda typed: _try(body, lambda: change(typed)))
    body.app.push_screen(prompt, lambda _: body.changed())


def _try(body: RoomBody, change: Callable[[], Change]) -> str:
    """Make a change; return what is wrong with it, or "" if it was made."""
    try:
        body.plan.roster.change(change())
    except GlboardError as error:
        return str(error)
    return ""


def _number(typed: str) -> float:
    """A number as people type it: ``2.5``, ``2,5``, ``15 %``. Raises UsageError without the typed text."""
    plain = typed.strip().replace(",", ".")
    percent = plain.endswith("%")
    try:
        found = float(plain.removesuffix("%").strip())
    except ValueError:
        raise UsageError("This is not a number.") from None
    if not math.isfinite(found) or found < 0:
        raise UsageError("The number must be 0 or more.")
    return found / 100 if percent else found


_KEYS: dict[str, Callable[[RoomBody], None]] = {
    "t": _person_days("time_off", "Time off"),
    "h": _person_days("holidays", "Own holidays"),
    "s": _support,
    "n": _net_days,
    "f": _factor,
    "o": _role,
    "x": _remove,
    "a": _add,
    "R": _team("reserve", "Team reserve", "The share kept free, like 10 % or 0.1"),
    "w": _team("days_per_weight", "Days per weight", "Workdays of one engineer for a weight of 1"),
    "H": _team_holidays,
    "b": _blind,
    "p": _post,
    "r": _reload,
    "u": _undo,
    "enter": _make,
}
