"""What is known of the server besides issues: labels, milestones, people, projects, and who we are.

Owns the mapping from a title to the id that is valid for one project. A wrong id is dropped silently: GitLab
ignores a label or milestone the project cannot see. An organisation has tens of thousands of labels, so this
never is all there is: what is named, seen or about to be written is asked, and kept by its id.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import cached_property
from itertools import takewhile
from typing import Literal, TypeVar

from msgspec import Struct, structs

from glboard_core.errors import EditImpossible
from glboard_core.model.milestone import Milestone, by_title


class Label(Struct, frozen=True, kw_only=True):
    """One label on the server. ``id`` is a global id; ``owner`` the full path of its group or project.

    A label found through a project may belong to any group above it: then ``owner`` is that project, and the
    same id is valid for other projects once it was found there, too.
    """

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
    #: Whether it has weights, blocked issues and statuses: not on the CE build, nor on EE without a licence.
    has_weight: bool = True
    #: Whether this token can write (scope ``api``); None if unknown.
    can_write: bool | None = None
    #: Whether the token is fine-grained: then what it may not read is null, without a word.
    fine_grained: bool = False
    #: The ids of the types of work items that boards show (19.0 and later); empty where names do.
    kinds: tuple[str, ...] = ()

    @property
    def release(self) -> tuple[int, int]:
        """Major and minor version, (0, 0) if it cannot be parsed."""
        parts = self.version.split(".")
        try:
            return int(parts[0]), int(parts[1])
        except (IndexError, ValueError):
            return 0, 0


Kind = Literal["label", "milestone", "person", "project"]


class Former(Struct, frozen=True):
    """A title, username or path that something with this id had before it was renamed."""

    kind: Kind
    id: str
    name: str


class Absent(Struct, frozen=True):
    """What was asked for and does not exist: ``name`` in the project or group ``place``.

    Of a ``family``, ``name`` is a prefix: no label of the project starts with it but those that are known.
    """

    kind: Kind | Literal["family"]
    name: str
    place: str = ""


def within(path: str, owner: str) -> bool:
    """Whether a full path is that of ``owner``, or below it. GitLab ignores the case of paths, not of titles.

    >>> within("Top/App", "top"), within("topmost/app", "top")
    (True, False)
    """
    size = len(owner)
    return path[size : size + 1] in ("", "/") and path[:size].lower() == owner.lower()


#: A label or a milestone: it has an id, a title and an owner.
Owned = TypeVar("Owned", Label, Milestone)


class Catalog(Struct, frozen=True, kw_only=True, dict=True):
    """Everything above, as far as it is known. What is learned makes another catalog."""

    group: str
    me: Person
    server: Server = Server()
    labels: tuple[Label, ...] = ()
    milestones: tuple[Milestone, ...] = ()
    people: tuple[Person, ...] = ()
    projects: tuple[Project, ...] = ()
    #: A board of the group, which GitLab needs to change the manual order; None: ranking is not possible.
    ranking_board: str | None = None
    #: Prefixes of label titles of which all of the group's labels are known, and no others exist below it.
    families: frozenset[str] = frozenset()
    #: What was asked for and does not exist: it is not asked for again until everything is refreshed.
    absent: frozenset[Absent] = frozenset()
    #: The group's global id, since another group can take over its path. Empty if not requested.
    group_id: str = ""
    #: Names that are used no longer, since what had them was renamed.
    former: frozenset[Former] = frozenset()

    def learn(
        self,
        *,
        labels: Iterable[Label] = (),
        milestones: Iterable[Milestone] = (),
        people: Iterable[Person] = (),
        projects: Iterable[Project] = (),
    ) -> Catalog:
        """The catalog plus these, or itself if nothing is new.

        What has a known id and another title, path or username was renamed: the newest wins. A title belongs
        to one id of an owner: one with another id was deleted meanwhile.
        """
        fresh_labels = [one for one in labels if not _knows(self._label_rows, one)]
        fresh_milestones = [one for one in milestones if not _knows(self._milestone_rows, one)]
        fresh_people = [one for one in people if self._is_new_person(one)]
        fresh_projects = [one for one in projects if self._is_new_project(one)]
        if not (fresh_labels or fresh_milestones or fresh_people or fresh_projects):
            return self
        learned = structs.replace(
            self,
            labels=_with_owned(self.labels, fresh_labels),
            milestones=_with_owned(self.milestones, fresh_milestones),
            people=_with_people(self.people, fresh_people),
            projects=_with_projects(self.projects, fresh_projects),
        )
        before = self._projects_by_id
        paths = {before[one.id].path: one.path for one in fresh_projects if one.id in before}
        if paths:
            learned = structs.replace(
                learned,
                labels=tuple(_moved(one, paths) for one in learned.labels),
                milestones=tuple(_moved(one, paths) for one in learned.milestones),
            )
        if learned.absent:
            learned = structs.replace(learned, absent=frozenset(filter(learned._is_absent, learned.absent)))
        return learned

    def moved(self, old: str, new: str) -> Catalog:
        """The catalog after a group or project, and all below it, has another path."""

        def path(one: str) -> str:
            return new + one.removeprefix(old) if within(one, old) else one

        return structs.replace(
            self,
            group=path(self.group),
            labels=tuple(structs.replace(one, owner=path(one.owner)) for one in self.labels),
            milestones=tuple(structs.replace(one, owner=path(one.owner)) for one in self.milestones),
            projects=tuple(structs.replace(one, path=path(one.path)) for one in self.projects),
            absent=frozenset(structs.replace(one, place=path(one.place)) for one in self.absent),
        )

    def lacks(self, project: str, title: str) -> bool:
        """Whether ``project`` has no label with that title, as far as it was asked there or in its group."""
        if self.label(project, title) is not None:
            return False
        asked = {Absent("label", title, project), Absent("label", title, self.group)}
        own = self._own_families.get(project, ())
        return title.startswith((*self.families, *own)) or bool(self.absent & asked)

    @cached_property
    def _own_families(self) -> Mapping[str, Sequence[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for one in self.absent:
            if one.kind == "family":
                found[one.place].append(one.name)
        return dict(found)

    def present(self, kind: Kind, name: str) -> str:
        """The name that what was once called ``name`` has now; ``name`` itself if something is called so."""
        if name in self.names[kind]:
            return name
        ids = (one.id for one in self.former if one.kind == kind and one.name == name)
        return next((self._by_kind[kind][one] for one in ids if one in self._by_kind[kind]), name)

    @cached_property
    def _by_kind(self) -> Mapping[Kind, Mapping[str, str]]:
        return {
            "label": {one.id: one.title for one in self.labels},
            "milestone": {one.id: one.title for one in self.milestones},
            "person": {one.id: one.username for one in self.people},
            "project": {one.id: one.path for one in self.projects},
        }

    @cached_property
    def names(self) -> Mapping[Kind, frozenset[str]]:
        """Everything that is known, by name."""
        return {kind: frozenset(names.values()) for kind, names in self._by_kind.items()}

    def _is_absent(self, one: Absent) -> bool:
        match one.kind:
            case "label":
                return self.label(one.place, one.name) is None
            case "family":
                return True
            case "milestone":
                return self.milestone(one.place, one.name) is None
            case "person":
                return self.person(one.name) is None
            case "project":
                return self.project(one.name) is None

    def _is_new_person(self, one: Person) -> bool:
        was = self._people_by_id.get(one.id)
        return was is None or _person_now(was, one) != was

    def _is_new_project(self, one: Project) -> bool:
        was = self._projects_by_id.get(one.id)
        return was is None or _project_now(was, one) != was

    @cached_property
    def _label_rows(self) -> Mapping[str, Sequence[Label]]:
        return _by_id(self.labels)

    @cached_property
    def _milestone_rows(self) -> Mapping[str, Sequence[Milestone]]:
        return _by_id(self.milestones)

    @cached_property
    def _people_by_id(self) -> Mapping[str, Person]:
        return {one.id: one for one in self.people}

    @cached_property
    def _projects_by_id(self) -> Mapping[str, Project]:
        return {one.id: one for one in self.projects}

    @cached_property
    def _labels(self) -> Mapping[str, Sequence[Label]]:
        # The nearest owner wins: a project's label precedes its group's label of the same title.
        found: dict[str, list[Label]] = defaultdict(list)
        for label in sorted(self.labels, key=lambda label: -len(label.owner)):
            found[label.title].append(label)
        return dict(found)

    def label(self, project: str, title: str) -> Label | None:
        """The label with that title available to issues of ``project``, or None."""
        return next((label for label in self._labels.get(title, ()) if within(project, label.owner)), None)

    def label_id(self, project: str, title: str) -> str:
        """The global id to send. Raises EditImpossible if the project has no such label."""
        if (label := self.label(project, title)) is None:
            self._check_there(project)
            wanted = title.strip().casefold()
            alike = (one.title for one in self.labels if one.title.casefold() == wanted)
            if title in self._labels:
                hint = "It only exists in another project. Create it as a group label in GitLab."
            elif near := next(alike, ""):
                hint = f"Did you mean “{near}”? Label titles are case-sensitive in GitLab."
            else:
                hint = "Create it as a group label in GitLab, then try again."
            raise EditImpossible(f"The label “{title}” does not exist in {project}.", hint=hint)
        return label.id

    def _check_there(self, project: str) -> None:
        """Raise EditImpossible if the project is not there: then nothing is wrong with a title."""
        if Absent("project", project) in self.absent:
            raise EditImpossible(
                f"The project {project} no longer exists, or you no longer have access to it.",
                hint="Refresh, or find it in GitLab.",
            )

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
        fits = [m for m in self.milestones if m.title == title and within(project, m.owner)]
        return max(fits, key=lambda m: len(m.owner), default=None)

    def milestone_id(self, project: str, title: str) -> str:
        """The plain number to send. Raises EditImpossible if the project cannot see such a milestone."""
        if (milestone := self.milestone(project, title)) is None:
            self._check_there(project)
            known = any(m.title == title for m in self.milestones)
            raise EditImpossible(
                f"The milestone “{title}” is not available to {project}.",
                hint="Choose another. This one belongs to another project or subgroup."
                if known
                else "Choose another. This one no longer exists, or its title has changed.",
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
        titles = dict.fromkeys(m.title for m in self.milestones if within(project, m.owner))
        return [found for title in titles if (found := self.milestone(project, title)) is not None]

    def near_milestones(self, title: str) -> tuple[str, ...]:
        """At most three titles similar to ``title``, best match first."""
        return tuple(get_close_matches(title, dict.fromkeys(m.title for m in self.milestones), 3, 0.4))

    def near_labels(self, title: str) -> tuple[str, ...]:
        """At most three label titles similar to ``title``, best match first."""
        return tuple(get_close_matches(title, self._labels, 3, 0.7))

    @cached_property
    def _people(self) -> Mapping[str, Person]:
        return {person.username: person for person in self.people}

    def person(self, username: str) -> Person | None:
        """The member with that username, or None."""
        return self._people.get(username)

    def project(self, path: str) -> Project | None:
        """The project with that full path, ignoring case, or None."""
        return self._projects_by_path.get(path.lower())

    @cached_property
    def _projects_by_path(self) -> Mapping[str, Project]:
        return {project.path.lower(): project for project in self.projects}


# What is known no longer, or elsewhere


def without(catalog: Catalog, labels: Iterable[str], milestones: Iterable[str]) -> Catalog:
    """The catalog without the labels and milestones with these ids."""
    gone, over = set(labels), set(milestones)
    if not (gone or over):
        return catalog
    return structs.replace(
        catalog,
        labels=tuple(one for one in catalog.labels if one.id not in gone),
        milestones=tuple(one for one in catalog.milestones if one.id not in over),
    )


def moved_in(catalog: Catalog, old: str, new: str) -> Catalog:
    """The catalog after a project has another path: with the group above it if that was renamed."""
    above, below = old.split("/"), new.split("/")
    while len(above) > 1 and len(below) > 1 and above[-1] == below[-1]:
        above, below = above[:-1], below[:-1]
    before, after = "/".join(above), "/".join(below)
    if within(catalog.group, before):
        return catalog.moved(before, after)
    return structs.replace(catalog.moved(old, new), group=catalog.group)


# What is learned


def _by_id(known: Iterable[Owned]) -> Mapping[str, Sequence[Owned]]:
    found: dict[str, list[Owned]] = defaultdict(list)
    for one in known:
        found[one.id].append(one)
    return dict(found)


def _knows(rows: Mapping[str, Sequence[Owned]], one: Owned) -> bool:
    """Whether this label or milestone is known, as it is, for all that is below its owner."""
    known = rows.get(one.id, ())
    return any(within(one.owner, row.owner) and _renamed(row, one) == row for row in known)


def _renamed(row: Owned, now: Owned) -> Owned:
    """A known label or milestone as it is now; its owner stays."""
    if isinstance(now, Label) and not now.description:
        now = structs.replace(now, description=getattr(row, "description", ""))
    if isinstance(now, Milestone):
        now = structs.replace(now, was=getattr(row, "was", ()))
    return structs.replace(now, owner=row.owner)


def _with_owned(known: tuple[Owned, ...], fresh: Sequence[Owned]) -> tuple[Owned, ...]:
    if not fresh:
        return known
    rows = {(one.id, one.owner): one for one in known}
    owners: dict[str, set[str]] = defaultdict(set)
    for identity, owner in rows:
        owners[identity].add(owner)
    learned: list[tuple[str, str]] = []
    for one in fresh:
        same: set[str] = owners[one.id]
        for owner in same:
            rows[one.id, owner] = _renamed(rows[one.id, owner], one)
        if not any(within(one.owner, owner) for owner in same):
            place = one.owner
            if same and "/GroupLabel/" in one.id:
                # Its group is above each of these places, so it is valid below what they share.
                place = _shared([place, *same]) or place
            for owner in [owner for owner in same if within(owner, place)]:
                del rows[one.id, owner]
                same.remove(owner)
            rows[one.id, place] = structs.replace(one, owner=place)
            same.add(place)
        learned += [(one.id, owner) for owner in same]
    # A title has one id in its owner: the one learned last.
    newest = {(row.owner, row.title): key for key, row in rows.items()}
    newest |= {(rows[key].owner, rows[key].title): key for key in learned if key in rows}
    return tuple(row for key, row in rows.items() if newest[row.owner, row.title] == key)


def _shared(paths: Sequence[str]) -> str:
    """The full path of the innermost group above all of ``paths``, or one of them; "" if there is none."""
    parts = zip(*(path.split("/") for path in paths), strict=False)
    return "/".join(together[0] for together in takewhile(lambda some: len({*some}) == 1, parts))


def _with_people(known: tuple[Person, ...], fresh: Iterable[Person]) -> tuple[Person, ...]:
    rows = {one.id: one for one in known}
    for one in fresh:
        # Another one with this name had it before: it was renamed or deleted.
        rows = {key: row for key, row in rows.items() if key == one.id or row.username != one.username}
        rows[one.id] = _person_now(rows.get(one.id, one), one)
    return tuple(sorted(rows.values(), key=lambda one: one.username))


def _with_projects(known: tuple[Project, ...], fresh: Iterable[Project]) -> tuple[Project, ...]:
    rows = {one.id: one for one in known}
    for one in fresh:
        rows = {key: row for key, row in rows.items() if key == one.id or row.path != one.path}
        rows[one.id] = _project_now(rows.get(one.id, one), one)
    return tuple(sorted(rows.values(), key=lambda one: one.path))


def _person_now(was: Person, now: Person) -> Person:
    return structs.replace(now, name=now.name or was.name)


def _project_now(was: Project, now: Project) -> Project:
    """A project as it is now. What one may do there stays, unless it was asked."""
    if now.can_edit is None:
        return structs.replace(now, can_edit=was.can_edit, archived=now.archived or was.archived)
    return now


def _moved(one: Owned, paths: Mapping[str, str]) -> Owned:
    return structs.replace(one, owner=paths.get(one.owner, one.owner))
