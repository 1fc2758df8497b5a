"""The sources of pickers: labels, milestones, people and projects.

What is known is in the catalog; more is searched on the server. Owns what is offered first, and what is kept
of a search: only what was chosen.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Generic, TypeVar

from msgspec import structs

from glboard_core.board.definition import roles
from glboard_core.model.catalog import Catalog, Label, Person, Project
from glboard_core.model.milestone import Milestone
from glboard_core.model.query import Found
from glboard_core.planning.text import day_words
from glboard_tui.bridge import Bridge
from glboard_tui.lookup import Kind
from glboard_tui.screens.picker_source import Choice, Source

T = TypeVar("T")

_RECENT = "recent"


class ServerSource(Source, Generic[T]):
    """Choices from the catalog, and from a search on the server."""

    kind: Kind
    searches = True

    def __init__(self, bridge: Bridge) -> None:
        self.bridge = bridge
        #: What was found on the server, by value.
        self._found: dict[str, list[T]] = {}

    def why_not(self) -> str:
        return self.bridge.lookup.why_not()

    async def search(self, text: str) -> Found[Choice]:
        found = await self.ask(text)
        choices: dict[str, Choice] = {}
        for one in found.items:
            choice = self.choice(one)
            if choice is None:
                continue
            choices.setdefault(choice.value, choice)
            self._found.setdefault(choice.value, []).append(one)
        return Found(tuple(choices.values()), found.more)

    def chosen(self, values: Collection[str]) -> None:
        lookup = self.bridge.lookup
        self.keep([one for value in values for one in self._found.get(value, ())])
        lookup.chosen(self.kind, values)

    @abstractmethod
    async def ask(self, text: str) -> Found[T]:
        """Search on the server."""

    @abstractmethod
    def choice(self, found: T) -> Choice | None:
        """The line for something found; None if it is not offered."""

    @abstractmethod
    def keep(self, found: Sequence[T]) -> None:
        """Keep in the catalog what was found and chosen."""

    def ordered(self, choices: Iterable[Choice], first: Sequence[str] = ()) -> list[Choice]:
        """``first``, then what was chosen lately, then the rest in its order."""
        known = {choice.value: choice for choice in choices}
        recent = [value for value in self.bridge.lookup.recent(self.kind) if value in known]
        for value in recent:
            if value not in first:
                note = known[value].note
                known[value] = structs.replace(known[value], note=f"{note} · {_RECENT}" if note else _RECENT)
        return [known[value] for value in dict.fromkeys([*first, *recent, *known]) if value in known]


class PersonSource(ServerSource[Person]):
    """Members of the group: ``first``, then recent ones, those with cards on a board, the rest by username.

    People are searched in ``project``, or in the whole group. ``without`` are not offered; ``notes`` are
    shown instead of names.
    """

    kind = "person"

    def __init__(
        self,
        bridge: Bridge,
        first: Sequence[str] = (),
        *,
        projects: Collection[str] = (),
        without: Collection[str] = (),
        notes: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(bridge)
        self._first = first
        self._project = next(iter(projects)) if len(projects) == 1 else None
        self._without = without
        self._notes = notes or {}

    def known(self) -> list[Choice]:
        if (catalog := self.bridge.catalog) is None:
            return []
        known = {person.username: person.name for person in catalog.people}
        # A person who left the group may still be assigned.
        names = dict.fromkeys([*self._first, *sorted(set(self.bridge.people().values())), *sorted(known)])
        choices = (self._line(name, known.get(name, "")) for name in names if name not in self._without)
        return self.ordered(choices, self._first)

    def _line(self, username: str, name: str) -> Choice:
        return Choice(value=username, text=username, note=self._notes.get(username, name), also=name)

    def choice(self, found: Person) -> Choice | None:
        return None if found.username in self._without else self._line(found.username, found.name)

    async def ask(self, text: str) -> Found[Person]:
        return await self.bridge.lookup.people(text, self._project)

    def keep(self, found: Sequence[Person]) -> None:
        self.bridge.lookup.keep(people=found)


def titled(titles: Iterable[str], catalog: Catalog | None) -> list[Choice]:
    """Labels by title, with their colours."""
    return [Choice(value=t, text=t, color=catalog.color(t) if catalog else None) for t in titles]


class LabelSource(ServerSource[Label]):
    """Labels valid in all ``projects``, after ``first``: labels of an issue can always be removed."""

    kind = "label"

    def __init__(self, bridge: Bridge, projects: Collection[str], first: Sequence[str] = ()) -> None:
        super().__init__(bridge)
        self._projects = projects
        self._first = first

    def known(self) -> list[Choice]:
        if (catalog := self.bridge.catalog) is None:
            return []
        valid = dict.fromkeys(label.title for label in catalog.labels_for(self._projects))
        choices = (
            Choice(
                value=title,
                text=title,
                color=catalog.color(title),
                note="" if title in valid else "not in every project",
            )
            for title in dict.fromkeys([*self._first, *valid])
        )
        return self.ordered(choices, self._first)

    def choice(self, found: Label) -> Choice | None:
        return Choice(value=found.title, text=found.title, color=found.color)

    async def ask(self, text: str) -> Found[Label]:
        return await self.bridge.lookup.labels(text, self._projects)

    def keep(self, found: Sequence[Label]) -> None:
        self.bridge.lookup.keep(labels=found)


class ScopeSource(LabelSource):
    """Labels of one scope, such as ``type::``, valid in all ``projects``; ``others`` stay below them."""

    def __init__(
        self, bridge: Bridge, projects: Collection[str], titles: Sequence[str], others: Sequence[Choice]
    ) -> None:
        super().__init__(bridge, projects)
        self._titles = titles
        self._others = others
        self._scope = titles[0].rpartition("::")[0] + "::"

    def known(self) -> list[Choice]:
        return [*titled(self._titles, self.bridge.catalog), *self._others]

    def choice(self, found: Label) -> Choice | None:
        return super().choice(found) if found.title.startswith(self._scope) else None

    async def ask(self, text: str) -> Found[Label]:
        return await super().ask(text if text.startswith(self._scope) else self._scope + text)


class MilestoneSource(ServerSource[Milestone]):
    """Titles available to all ``projects``, with dates: ``first``, current and future, buckets, past ones."""

    kind = "milestone"

    def __init__(self, bridge: Bridge, projects: Collection[str], first: Sequence[str] = ()) -> None:
        super().__init__(bridge)
        self._projects = projects
        self._first = first

    def known(self) -> list[Choice]:
        catalog, today = self.bridge.catalog, self.bridge.today
        if catalog is None or today is None:
            return []
        # GitLab ignores a closed milestone silently.
        owners: dict[str, set[str]] = {}
        for one in catalog.milestones:
            if one.active:
                owners.setdefault(one.title, set()).add(one.owner)
        above = [_places(project) for project in self._projects]
        valid = [
            milestone
            for title, found in owners.items()
            if not any(found.isdisjoint(places) for places in above)
            and (milestone := catalog.find_milestone(title)) is not None
        ]
        settings = self.bridge.settings
        valid.sort(key=lambda milestone: _by_date(milestone, today, settings.planning.version))
        role = roles(settings, catalog, today)
        return self.ordered((_milestone_line(m, role) for m in valid), self._first)

    def choice(self, found: Milestone) -> Choice | None:
        catalog, today = self.bridge.catalog, self.bridge.today
        return _milestone_line(
            found, roles(self.bridge.settings, catalog, today) if catalog and today else {}
        )

    async def ask(self, text: str) -> Found[Milestone]:
        return await self.bridge.lookup.milestones(text, self._projects)

    def keep(self, found: Sequence[Milestone]) -> None:
        self.bridge.lookup.keep(milestones=found)


def _by_date(milestone: Milestone, today: date, version: str) -> tuple[int, int, str]:
    if not milestone.is_version(version) or milestone.start is None or milestone.due is None:
        return 1, 0, milestone.title
    over = milestone.due < today
    days = milestone.start.toordinal()
    return (2, -days, milestone.title) if over else (0, days, milestone.title)


def _places(project: str) -> set[str]:
    """The full paths of a project and of all groups above it."""
    parts = project.split("/")
    return {"/".join(parts[:n]) for n in range(1, len(parts) + 1)}


def _milestone_line(milestone: Milestone, role: Mapping[str, str]) -> Choice:
    days = [day for day in (milestone.start, milestone.due) if day]
    dates = f"{' – '.join(map(day_words, days))} {days[-1].year}" if days else ""
    note = " · ".join(word for word in (role.get(milestone.title, ""), dates) if word)
    return Choice(value=milestone.title, text=milestone.title, note=note)


class ProjectSource(ServerSource[Project]):
    """Projects in which one can create issues, as far as is known."""

    kind = "project"

    def known(self) -> list[Choice]:
        catalog = self.bridge.catalog
        lines = (self.choice(project) for project in (catalog.projects if catalog else ()))
        return self.ordered(line for line in lines if line is not None)

    def choice(self, found: Project) -> Choice | None:
        usable = not found.archived and found.can_edit is not False
        return Choice(value=found.path, text=found.path) if usable else None

    async def ask(self, text: str) -> Found[Project]:
        return await self.bridge.lookup.projects(text)

    def keep(self, found: Sequence[Project]) -> None:
        self.bridge.lookup.keep(projects=found)
