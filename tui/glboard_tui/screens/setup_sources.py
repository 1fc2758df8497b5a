"""What the pickers of the set-up offer: groups, labels, milestones, time zones; near matches first."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from zoneinfo import available_timezones

from glboard_core.model.milestone import Milestone
from glboard_core.model.query import Found
from glboard_core.setup.found import FoundLabel, GroupChoice
from glboard_core.setup.proposal import SettingLine
from glboard_tui.screens.picker_source import Choice

Search = Callable[[str], Awaitable[Found[Choice]]]


class SearchedChoices:
    """What is known, and a search on the server."""

    searches = True

    def __init__(self, known: Sequence[Choice], search: Search) -> None:
        self._known = known
        self._search = search

    def known(self) -> Sequence[Choice]:
        return self._known

    def why_not(self) -> str:
        return ""

    async def search(self, text: str) -> Found[Choice]:
        return await self._search(text)

    def chosen(self, values: Collection[str]) -> None:
        pass


def group_choices(groups: Sequence[GroupChoice]) -> list[Choice]:
    """A line for each group; a project's path finds its group, too."""
    return [
        Choice(
            value=one.path,
            text=one.path,
            note=f"the group of {one.project}" if one.project else one.name,
            also=f"{one.project} {one.name}",
        )
        for one in groups
    ]


def label_choices(labels: Sequence[FoundLabel], near: Sequence[str], now: Sequence[str] = ()) -> list[Choice]:
    """The labels; those that are chosen and near matches first."""
    by_title = {one.title: one for one in labels}
    first = [title for title in dict.fromkeys((*now, *near)) if title in by_title]
    titles = dict.fromkeys([*first, *sorted(by_title, key=str.casefold)])
    return [
        Choice(
            value=title,
            text=title,
            note="similar match" if title in near else by_title[title].description,
            color=by_title[title].color or None,
        )
        for title in titles
    ]


def milestone_choices(
    milestones: Sequence[Milestone], near: Sequence[str], now: Sequence[str]
) -> list[Choice]:
    """The milestones without dates, then those with; what is chosen and near matches first."""
    known = {one.title: one for one in milestones if one.active}
    ordered = sorted(known.values(), key=lambda one: (one.start is not None, one.title.casefold()))
    titles = dict.fromkeys([*(t for t in (*now, *near) if t in known), *(one.title for one in ordered)])
    return [
        Choice(value=title, text=title, note="similar match" if title in near else _days(known[title]))
        for title in titles
    ]


def text_choices(values: Sequence[str], notes: Sequence[str] = ()) -> list[Choice]:
    """A line for each text, with a note if there is one."""
    notes = [*notes, *[""] * len(values)]
    return [Choice(value=one, text=one, note=note) for one, note in zip(values, notes, strict=False)]


def pattern_choices(line: SettingLine) -> list[Choice]:
    """A line for each pattern of titles, by a title that fits; the pattern is its note."""
    return [
        Choice(value=one, text=line.pattern_words(one), note=f"{one} now" if one in line.value else one)
        for one in dict.fromkeys((*line.value, *line.near))
    ]


def zone_choices(first: Sequence[str]) -> list[Choice]:
    """The zones of the database; ``first`` are at the top."""
    return text_choices(list(dict.fromkeys([*first, "UTC", *sorted(available_timezones())])))


def _days(one: Milestone) -> str:
    return f"{one.start} – {one.due}" if one.start and one.due else "no dates"
