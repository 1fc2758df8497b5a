"""What the server offers besides issues: labels, milestones, people, projects, and who we are.

Owns the mapping from a title to the id that is valid for one project. A wrong id is dropped silently: GitLab
ignores a label or milestone the project cannot see. Pickers read from here, never from a request.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import cached_property

from msgspec import Struct

from glboard_core.errors import EditImpossible
from glboard_core.model.milestone import Milestone, by_title


class Label(Struct, frozen=True, kw_only=True):
    """One label on the server. ``id`` is a global id; ``owner`` the full path of its group or project."""

    id: str
    title: str
    owner: str
    color: str = "#6e7681"
    description: str = ""


class Person(Struct, frozen=True, kw_only=True):
    """A member of the group."""

    id: str
    username: str
    name: str = ""

    @property
    def initials(self) -> str:
        """Two letters for a card, taken from the username."""
        parts = [part for part in re.split(r"[-._]", self.username) if part]
        return (parts[-1] if len(parts) > 1 else self.username)[:2].upper()


class Project(Struct, frozen=True, kw_only=True):
    """A project of the group. ``can_edit`` is None if unknown."""

    id: str
    path: str
    archived: bool = False
    can_edit: bool | None = None


class Server(Struct, frozen=True, kw_only=True):
    """The GitLab server: its version and which licensed fields it has."""

    version: str = ""
    enterprise: bool = True
    #: Whether the schema has the EE fields at all (weight, blocked); false on the CE build.
    has_weight: bool = True
    #: Whether this token can write (scope ``api``); None if unknown.
    can_write: bool | None = None

    @property
    def release(self) -> tuple[int, int]:
        """Major and minor version, (0, 0) if it cannot be parsed."""
        parts = self.version.split(".")
        try:
            return int(parts[0]), int(parts[1])
        except (IndexError, ValueError):
            return 0, 0


def _within(project: str, owner: str) -> bool:
    return project == owner or project.startswith(owner + "/")


class Catalog(Struct, frozen=True, kw_only=True, dict=True):
    """Everything above at one moment. A refresh replaces the whole catalog."""

    group: str
    me: Person
    server: Server = Server()
    labels: tuple[Label, ...] = ()
    milestones: tuple[Milestone, ...] = ()
    people: tuple[Person, ...] = ()
    projects: tuple[Project, ...] = ()
    #: A board of the group, which GitLab needs to change the manual order; None: ranking is not possible.
    ranking_board: str | None = None
    #: Texts on what was left out (such as members beyond the limit).
    notes: tuple[str, ...] = ()
    #: The group's global id, since another group can take over its path. Empty if not requested.
    group_id: str = ""

    @cached_property
    def _labels(self) -> Mapping[str, Sequence[Label]]:
        # The nearest owner wins: a project's label precedes its group's label of the same title.
        found: dict[str, list[Label]] = defaultdict(list)
        for label in sorted(self.labels, key=lambda label: -len(label.owner)):
            found[label.title].append(label)
        return dict(found)

    def label(self, project: str, title: str) -> Label | None:
        """The label with that title available to issues of ``project``, or None."""
        return next((label for label in self._labels.get(title, ()) if _within(project, label.owner)), None)

    def label_id(self, project: str, title: str) -> str:
        """The global id to send. Raises EditImpossible if the project has no such label."""
        if (label := self.label(project, title)) is None:
            raise EditImpossible(
                f"The label “{title}” does not exist in {project}.",
                hint="Create it as a group label in GitLab, then try again."
                if title not in self._labels
                else "It exists only in another project. Create it as a group label in GitLab.",
            )
        return label.id

    def color(self, title: str) -> str | None:
        """The colour (``#rrggbb``) of a label title anywhere in the group, or None."""
        labels = self._labels.get(title)
        return labels[-1].color if labels else None

    def labels_for(self, projects: Iterable[str]) -> list[Label]:
        """The labels valid in all of ``projects``, one per title, sorted by title, ignoring case."""
        paths = list(projects)
        found = [
            labels[-1]
            for title, labels in self._labels.items()
            if all(self.label(path, title) is not None for path in paths)
        ]
        return sorted(found, key=lambda label: label.title.casefold())

    def milestone(self, project: str, title: str) -> Milestone | None:
        """The milestone with that title available to issues of ``project``, or None."""
        fits = [m for m in self.milestones if m.title == title and _within(project, m.owner)]
        return max(fits, key=lambda m: len(m.owner), default=None)

    def milestone_id(self, project: str, title: str) -> str:
        """The plain number to send. Raises EditImpossible if the project cannot see such a milestone."""
        if (milestone := self.milestone(project, title)) is None:
            known = any(m.title == title for m in self.milestones)
            raise EditImpossible(
                f"The milestone “{title}” is not available to {project}.",
                hint="It belongs to another project or subgroup."
                if known
                else "It no longer exists, or has another title.",
            )
        return milestone.id

    def find_milestone(self, title: str) -> Milestone | None:
        """The milestone with that title highest in the group, or None: for dates, not for writing."""
        return self._milestones.get(title)

    @cached_property
    def _milestones(self) -> Mapping[str, Milestone]:
        return by_title(self.milestones)

    def milestones_for(self, project: str) -> list[Milestone]:
        """The milestones available to issues of ``project``, one per title: the nearest."""
        titles = dict.fromkeys(m.title for m in self.milestones if _within(project, m.owner))
        return [found for title in titles if (found := self.milestone(project, title)) is not None]

    def near_milestones(self, title: str) -> tuple[str, ...]:
        """At most three titles similar to ``title``, best match first."""
        return tuple(get_close_matches(title, dict.fromkeys(m.title for m in self.milestones), 3, 0.4))

    @cached_property
    def _people(self) -> Mapping[str, Person]:
        return {person.username: person for person in self.people}

    def person(self, username: str) -> Person | None:
        """The member with that username, or None."""
        return self._people.get(username)

    def project(self, path: str) -> Project | None:
        """The project with that full path, or None."""
        return next((project for project in self.projects if project.path == path), None)
