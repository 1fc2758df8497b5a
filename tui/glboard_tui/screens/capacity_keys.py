"""What the capacity pane's keys do: changes to team.toml, each prompted in one line and written at once.

Owns the prompts and how typed text becomes a change. The prompt reports errors and keeps the typed text.
Individual figures are neither shown nor typed visibly while figures are hidden.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date
from typing import Protocol

from glboard_core.errors import READ_ONLY, GlboardError, UsageError
from glboard_core.model.milestone import Milestone
from glboard_core.planning import text as day_words
from glboard_core.planning.capacity import Capacity, PersonCapacity
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
    WriteNames,
)
from glboard_core.planning.text import number
from glboard_tui.commands.context import CommandContext
from glboard_tui.own_note import post
from glboard_tui.screens.capacity_post import PostCapacity
from glboard_tui.screens.choices import PersonSource
from glboard_tui.screens.picker import Ticks
from glboard_tui.screens.prompts import HiddenInput

_DAYS = "Days such as 12-21 or ranges such as 12-28..12-30, separated by commas; empty for none"
_MOST_DAYS = 260


class CapacityView(Protocol):
    """What is shown: the keys act on the person under the cursor, in this milestone."""

    @property
    def milestone(self) -> Milestone | None: ...
    @property
    def person(self) -> PersonCapacity | None: ...

    found: Capacity | None

    def tell(self, text: str) -> None: ...
    def changed(self) -> None: ...


class CapacityActions:
    """The pane's own actions, each a method of the registry's name."""

    def __init__(self, context: CommandContext, view: CapacityView) -> None:
        self._context = context
        self._view = view
        self._file = context.planning.team_store

    # One person

    def action_time_off(self) -> None:
        self._days("time_off", "Time off")

    def action_holidays(self) -> None:
        self._days("holidays", "Personal holidays")

    def _days(self, key: PersonKey, words: str) -> None:
        if (chosen := self._chosen()) is None:
            return
        member, near = chosen[0], _start(chosen[2])
        there = member.time_off if key == "time_off" else member.holidays

        def change(typed: str) -> Change:
            return OfPerson(member.username, key, day_words.merged(there, day_words.read(typed, near)))

        self._prompt(f"{words} of {member.username}", day_words.words(there), change, note=_DAYS)

    def action_support(self) -> None:
        if (chosen := self._chosen()) is None:
            return
        member, _, milestone = chosen
        there = member.support_days.get(milestone.title)
        self._prompt(
            f"Support days of {member.username} in {milestone.title}",
            "" if there is None else number(there),
            lambda typed: _of_milestone(member, "support_days", milestone, typed),
            note="Workdays on support or on-call; empty for none",
        )

    def action_net_days(self) -> None:
        """Ask for the net days in this milestone; what is typed stays hidden."""
        if (chosen := self._chosen(open_=False)) is None:
            return
        member, _, milestone = chosen
        prompt = HiddenInput(
            f"Net days of {member.username} in {milestone.title}",
            note="Your typing is hidden. Leave empty to calculate from days off and support.",
            check=lambda typed: self._try(lambda: _of_milestone(member, "net_days", milestone, typed)),
        )
        self._context.shell.app.push_screen(prompt, lambda _: self._view.changed())

    def action_factor(self) -> None:
        if (chosen := self._chosen()) is None:
            return
        member = chosen[0]
        self._prompt(
            f"Factor of {member.username}",
            number(member.factor),
            lambda typed: OfPerson(member.username, "factor", _number(typed)),
            note="Usually 1; 0.5 for a new team member",
        )

    def action_role(self) -> None:
        if (chosen := self._chosen(open_=False)) is None:
            return
        member = chosen[0]
        self._prompt(
            f"Role of {member.username}",
            member.role,
            lambda typed: OfPerson(member.username, "role", typed.strip()),
            note="Budgets are totaled by role; empty for none",
        )

    def action_remove(self) -> None:
        if (chosen := self._chosen(open_=False)) is None:
            return
        name = chosen[0].username
        self._context.ask(
            f"Remove {name} and their days from team.toml?",
            {"y": f"remove; {self._key('undo')} undoes it", "n": "keep them"},
            lambda answer: self._make(lambda: RemovePerson(name)) if answer == "y" else None,
        )

    def _chosen(self, *, open_: bool = True) -> tuple[Member, Team, Milestone] | None:
        """The member under the cursor; None, after a message why, if there is none to change.

        ``open_``: their figures are shown, and so not while figures are hidden.
        """
        team, milestone, person = self._file.team, self._view.milestone, self._view.person
        if team is None or milestone is None or person is None:
            self._tell(f"No one to change; {self._key('add')} adds people.")
            return None
        if open_ and self._refuses():
            return None
        if (member := team.member(person.username)) is None:
            self._tell(f"{person.username} is not in team.toml; {self._key('add')} adds them.")
            return None
        return member, team, milestone

    # The team

    def action_add(self) -> None:
        team, found = self._team, self._view.found
        if team is None or found is None or self._context.bridge.catalog is None:
            return
        there = {member.username for member in team.people}
        assigned = {person.username for person in found.people}
        self._context.pick(
            "Add to the team",
            PersonSource(
                self._context.bridge,
                sorted(assigned - there),
                without=there,
                notes=dict.fromkeys(assigned, "assigned here"),
            ),
            lambda result: self._make(lambda: AddPeople(result.add)) if result.add else None,
            ticks=Ticks(),
        )

    def action_days_per_weight(self) -> None:
        if (team := self._team) is not None and not self._refuses():
            self._prompt(
                "Days per weight",
                number(team.days_per_weight),
                lambda typed: OfTeam("days_per_weight", _number(typed)),
                note="Workdays one engineer needs for weight 1",
            )

    def action_reserve(self) -> None:
        if (team := self._team) is not None and not self._refuses():
            self._prompt(
                "Team reserve",
                f"{number(team.reserve * 100)} %",
                lambda typed: OfTeam("reserve", _number(typed)),
                note="The share to keep free, such as 10 % or 0.1",
            )

    def action_team_holidays(self) -> None:
        team, milestone = self._team, self._view.milestone
        if team is None or milestone is None or self._refuses():
            return

        def change(typed: str) -> Change:
            return OfTeam(
                "holidays", day_words.merged(team.holidays, day_words.read(typed, _start(milestone)))
            )

        self._prompt("Team holidays", day_words.words(team.holidays), change, note=_DAYS)

    @property
    def _team(self) -> Team | None:
        """The team; None after a message that there is none."""
        if self._file.team is None:
            self._tell(f"No team.toml yet: {self._key('create')} creates one.")
        return self._file.team

    def action_create(self) -> None:
        names = [person.username for person in self._view.found.people] if self._view.found else []
        who = f"with {len(names)} people" if names else "without people"

        def answered(answer: str) -> None:
            if answer == "y":
                try:
                    self._file.make(names)
                except GlboardError as error:
                    self._tell(str(error))

        self._context.ask(
            f"Create team.toml {who}?",
            {"y": "create it", "n": "not now"},
            answered,
            note=f"{self._file.place}\n{', '.join(names)}",
        )

    def action_names(self) -> None:
        former = self._file.former
        if former:
            self._make(lambda: WriteNames(former))
            self._tell(f"Updated the names in team.toml; {self._key('undo')} undoes it.")

    # The pane

    def action_reload(self) -> None:
        changed = self._file.reload()
        self._view.changed()
        if not changed:
            self._tell("No change to team.toml.")

    def action_undo(self) -> None:
        try:
            words = self._file.undo()
        except GlboardError as error:
            self._tell(str(error))
            return
        self._tell(f"Undone: {words}." if words else "Nothing to undo in this session.")

    def action_post(self) -> None:
        milestone, context = self._view.milestone, self._context
        if milestone is None or self._view.found is None or self._team is None or self._refuses():
            return
        if not context.bridge.writable:
            self._tell(READ_ONLY)
            return
        if context.bridge.drafts.is_on:
            key = context.keymap.key("draft.toggle")
            self._tell(f"These figures include the draft. Turn it off with {key} to post them.")
            return
        found = context.planning.planning_issue(milestone)
        if found.issue is None or found.issue.is_new:
            self._tell(f"No planning issue for {milestone.title}. Open the milestone first.")
            return
        issue = found.issue

        def answered(answer: tuple[str, str | None] | None) -> None:
            if answer is not None and context.perform(post(issue, milestone, *answer)):
                undo = context.keymap.key("undo")
                words = f"Posting to {issue.reference}; {undo} on the board undoes it. {found.doubt}"
                self._tell(words.rstrip())

        context.shell.app.push_screen(PostCapacity(context, milestone, issue), answered)

    # Parts

    def _refuses(self) -> bool:
        """Whether figures are hidden from those who watch, after a message that says so."""
        if not self._context.bridge.share.is_on:
            return False
        stop = self._context.keymap.key("share.off")
        self._tell(
            f"Figures are hidden on the shared screen. {stop} stops sharing; {self._key('net-days')} sets "
            "net days hidden."
        )
        return True

    def _tell(self, text: str) -> None:
        self._view.tell(text)

    def _key(self, name: str) -> str:
        return self._context.keymap.key(f"capacity.{name}")

    def _prompt(self, title: str, value: str, change: Callable[[str], Change], *, note: str) -> None:
        self._context.prompt(
            title,
            lambda _: self._view.changed(),
            value=value,
            note=note,
            check=lambda typed: self._try(lambda: change(typed)),
        )

    def _make(self, change: Callable[[], Change]) -> None:
        """Make a change, and show what is wrong with it."""
        if wrong := self._try(change):
            self._tell(wrong)

    def _try(self, change: Callable[[], Change]) -> str:
        """Make a change; return what is wrong with it, or "" if it was made."""
        try:
            self._file.change(change())
        except GlboardError as error:
            return str(error)
        return ""


def _start(milestone: Milestone) -> date:
    """The date that days without a year are closest to; a milestone with figures always has dates."""
    return milestone.start or date.max


def _of_milestone(member: Member, key: MilestoneKey, milestone: Milestone, typed: str) -> Change:
    days = _number(typed) if typed.strip() else None
    if days is not None and key == "net_days" and days > _MOST_DAYS:
        # Without the figure: it was typed hidden.
        raise UsageError(f"Net days cannot exceed {_MOST_DAYS}.", hint="Check the number.")
    return OfMilestone(member.username, key, milestone.title, days)


def _number(typed: str) -> float:
    """A number as people type it: ``2.5``, ``2,5``, ``15 %``. Raises UsageError without the typed text."""
    plain = typed.strip().replace(",", ".")
    percent = plain.endswith("%")
    try:
        found = float(plain.removesuffix("%").strip())
    except ValueError:
        raise UsageError("Not a number.", hint="Examples: 2.5, 15 %.") from None
    if not math.isfinite(found) or found < 0:
        raise UsageError("The number must be 0 or more.", hint="Examples: 2.5, 15 %.")
    return found / 100 if percent else found
