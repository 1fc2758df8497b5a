"""Renames: what has another title, path or username than it had, by its id, which stays.

Owns the comparison of two catalogs, and what an issue looks like with the present names. GitLab moves the
time of no issue when something is renamed, so issues that were read before have the old names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property

from msgspec import Struct, structs

from glboard_core.model.catalog import Catalog, Former, Kind, Label
from glboard_core.model.issue import Issue
from glboard_core.model.milestone import Milestone


class Renames(Struct, frozen=True, kw_only=True, dict=True):
    """What was renamed between two catalogs of one group: old names, with the new one by id.

    ``before`` tells which of several with one title an issue has; the group's own path is in ``group``.
    """

    before: Catalog
    labels: Mapping[str, Mapping[str, str]] = {}
    milestones: Mapping[str, Mapping[str, str]] = {}
    people: Mapping[str, str] = {}
    projects: Mapping[str, str] = {}
    group: tuple[str, str] = ("", "")

    def __bool__(self) -> bool:
        moved = self.group[0] != self.group[1]
        return bool(self.labels or self.milestones or self.people or self.projects or moved)

    def label(self, title: str, project: str) -> str:
        """The present title of a label on issues of ``project`` (its path before)."""
        if (found := self.labels.get(title)) is None:
            return title
        if len(self._labels.get(title, ())) < 2:
            return next(iter(found.values()))
        own = self.before.label(project, title)
        return found.get(own.id, title) if own is not None else title

    def milestone(self, title: str, project: str) -> str:
        """The present title of a milestone of issues of ``project`` (its path before)."""
        if (found := self.milestones.get(title)) is None:
            return title
        if len(self._milestones.get(title, ())) < 2:
            return next(iter(found.values()))
        own = self.before.milestone(project, title)
        return found.get(own.id, title) if own is not None else title

    def person(self, username: str) -> str:
        """The present username."""
        return self.people.get(username, username)

    def path(self, path: str) -> str:
        """The present full path of a project."""
        if path in self.projects:
            return self.projects[path]
        old, new = self.group
        return new + path.removeprefix(old) if old != new and path.startswith(old + "/") else path

    def issue(self, issue: Issue) -> Issue:
        """The issue with the present names; the same one if none of its own has changed."""
        values: dict[str, object] = {}
        if self.labels and not self.labels.keys().isdisjoint(issue.labels):
            values["labels"] = frozenset(self.label(title, issue.project) for title in issue.labels)
        if issue.milestone in self.milestones:
            values["milestone"] = self.milestone(issue.milestone or "", issue.project)
        if self.people and not self.people.keys().isdisjoint((*issue.assignees, issue.updated_by)):
            values["assignees"] = tuple(map(self.person, issue.assignees))
            values["updated_by"] = self.person(issue.updated_by) if issue.updated_by else None
        if (project := self.path(issue.project)) != issue.project:
            values["project"] = project
            values["web_url"] = issue.web_url.replace(f"/{issue.project}/-/", f"/{project}/-/")
        return structs.replace(issue, **values) if values else issue

    @cached_property
    def _labels(self) -> Mapping[str, set[str]]:
        return _ids((one.title, one.id) for one in self.before.labels)

    @cached_property
    def _milestones(self) -> Mapping[str, set[str]]:
        return _ids((one.title, one.id) for one in self.before.milestones)

    @property
    def names(self) -> frozenset[str]:
        """All old names."""
        return frozenset((*self.labels, *self.milestones, *self.people, *self.projects))

    def formers(self) -> Iterable[Former]:
        """The old names, to be kept: configuration and people go on using them."""
        both: tuple[tuple[Kind, Mapping[str, Mapping[str, str]]], ...] = (
            ("label", self.labels),
            ("milestone", self.milestones),
        )
        for kind, renamed in both:
            yield from (Former(kind, one, title) for title, by_id in renamed.items() for one in by_id)
        people = {one.username: one.id for one in self.before.people}
        yield from (Former("person", people[name], name) for name in self.people)
        projects = {one.path: one.id for one in self.before.projects}
        yield from (Former("project", projects[path], path) for path in self.projects if path in projects)

    def said(self) -> list[str]:
        """A line about each, for a person, such as “The milestone 19.8 is now 19.8 GA.”."""
        found = [
            f"The {kind} {old} is now {new}."
            for kind, renamed in (("milestone", self.milestones), ("label", self.labels))
            for old, by_id in sorted(renamed.items())
            for new in dict.fromkeys(by_id.values())
        ]
        old, new = self.group
        if old != new:
            return [f"The group {old} is now {new}.", *found]
        found += [f"The project {old} is now {new}." for old, new in sorted(self.projects.items())]
        return [*found, *(f"The user {old} is now {new}." for old, new in sorted(self.people.items()))]


def renames(before: Catalog, after: Catalog) -> Renames:
    """What was renamed between two catalogs; nothing if they are of different groups."""
    if before.group_id != after.group_id:
        return Renames(before=before)
    # Some were known by their former names only: not found for a while.
    known = {one.id for one in before.labels}
    lost = [one for one in before.former if one.kind == "label" and one.id not in known]
    labels = (*before.labels, *(Label(id=one.id, title=one.name, owner=before.group) for one in lost))
    projects = {one.id: one.path for one in after.projects}
    people = {one.id: one.username for one in (*after.people, after.me)}
    return Renames(
        before=before,
        labels=_titles(labels, {one.id: one.title for one in after.labels}),
        milestones=_titles(before.milestones, {one.id: one.title for one in after.milestones}),
        people={
            one.username: people[one.id]
            for one in (*before.people, before.me)
            if people.get(one.id, one.username) != one.username
        },
        projects={
            one.path: projects[one.id]
            for one in before.projects
            if projects.get(one.id, one.path) != one.path
        },
        group=(before.group, after.group),
    )


def with_formers(catalog: Catalog, former: Iterable[Former]) -> Catalog:
    """The catalog with these former names, except those that something is called now."""
    found = frozenset(one for one in former if one.name not in catalog.names[one.kind])
    titles: dict[str, list[str]] = {}
    for one in sorted(found, key=lambda one: one.name):
        if one.kind == "milestone":
            titles.setdefault(one.id, []).append(one.name)
    milestones = tuple(
        structs.replace(one, was=was) if one.was != (was := tuple(titles.get(one.id, ()))) else one
        for one in catalog.milestones
    )
    if found == catalog.former and milestones == catalog.milestones:
        return catalog
    return structs.replace(catalog, former=found, milestones=milestones)


def since(catalog: Catalog) -> Renames:
    """All that is known to have been renamed at any time, for what was written down before."""
    found: dict[Kind, dict[str, dict[str, str]]] = {kind: {} for kind in catalog.names}
    for one in catalog.former:
        now = catalog.present(one.kind, one.name)
        if now != one.name:
            found[one.kind][one.name] = {one.id: now}
    return Renames(
        before=catalog,
        labels=found["label"],
        milestones=found["milestone"],
        people={old: now for old, by_id in found["person"].items() for now in by_id.values()},
        projects={old: now for old, by_id in found["project"].items() for now in by_id.values()},
        group=(catalog.group, catalog.group),
    )


def _titles(before: Iterable[Label | Milestone], now: Mapping[str, str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for one in before:
        if now.get(one.id, one.title) != one.title:
            found.setdefault(one.title, {})[one.id] = now[one.id]
    return found


def _ids(rows: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for title, identity in rows:
        found.setdefault(title, set()).add(identity)
    return found
