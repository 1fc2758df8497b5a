"""The world: what the embedded GitLab knows, found by name, and ways for tests to play another person in it.

Both faces (GraphQL and REST) and tests hold the lock while they read or write. What a change of an issue
means is `changing`'s; this only finds and passes on. Lookups raise `UnknownName`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from glboard_core.demo.world import boards, changes, permissions
from glboard_core.demo.world.changes import UNSET, Change, Unset
from glboard_core.demo.world.records import Group, Issue, Label, Milestone, Note, Place, Project, User
from glboard_core.demo.world.registry import Registry

_T = TypeVar("_T")


class UnknownName(LookupError):
    """A test or the owner of the world named something that is not in it."""


class World(Registry):
    """The registry with names, and with people at work."""

    @property
    def owner(self) -> User:
        """The user whose token the server gives out: the engineering manager."""
        return self.user(self.owner_username)

    # Finding things

    def user(self, username: str) -> User:
        """The user of a name."""
        return self._find(self.users, username, "user")

    def group(self, path: str) -> Group:
        """The group of a full path."""
        return self._find(self.groups, path, "group")

    def project(self, path: str) -> Project:
        """The project of a full path."""
        return self._find(self.projects, path, "project")

    def issue(self, reference: str) -> Issue:
        """The issue of a reference such as `demo-org/platform#12`."""
        path, _, iid = reference.partition("#")
        found = self.project(path).issues.get(int(iid)) if iid.isdigit() else None
        if found is None:
            raise UnknownName(f"no issue {reference} in this world")
        return found

    def milestone(self, title: str) -> Milestone:
        """The first milestone of a title."""
        for one in self.milestones.values():
            if one.title == title:
                return one
        raise UnknownName(f"no milestone {title} in this world")

    def label_of(self, owner: Place, title: str) -> Label | None:
        """The label of exactly this place."""
        return self._titles.get((owner, title))

    def label_for(self, place: Place, title: str) -> Label | None:
        """The nearest label of a title that issues of a place may carry."""
        chain = permissions.owners_of(place) if isinstance(place, Project) else place.chain()
        for owner in chain:
            found = self._titles.get((owner, title))
            if found is not None:
                return found
        return None

    def projects_below(self, group: Group, *, deep: bool = True) -> list[Project]:
        """The projects of a group, those of its subgroups too when deep."""
        return [
            one
            for one in self.projects.values()
            if one.group is group or (deep and permissions.within(one, group))
        ]

    def groups_below(self, group: Group) -> list[Group]:
        """The subgroups of a group, all the way down."""
        return [one for one in self.groups.values() if one is not group and group in one.chain()]

    @staticmethod
    def _find(table: dict[str, _T], name: str, kind: str) -> _T:
        try:
            return table[name]
        except KeyError:
            raise UnknownName(f"no {kind} {name} in this world") from None

    # Another person at work (for tests)

    def edit(
        self,
        reference: str,
        *,
        by: str,
        title: str | Unset = UNSET,
        description: str | Unset = UNSET,
        add_labels: Iterable[str] = (),
        remove_labels: Iterable[str] = (),
        milestone: str | Unset | None = UNSET,
        weight: int | Unset | None = UNSET,
        assignees: Iterable[str] | Unset = UNSET,
        confidential: bool | Unset = UNSET,
        status: str | Unset | None = UNSET,
        duplicate_of: str | None = None,
        close: bool = False,
        reopen: bool = False,
    ) -> Issue:
        """Changes an issue as another person would, through the same rules as the wire."""
        with self.lock:
            issue = self.issue(reference)
            change = Change(title=title, description=description, weight=weight, confidential=confidential)
            change.status = status
            if duplicate_of is not None:
                change.duplicate_of = self.issue(duplicate_of)
                change.state = "close"
            change.add_labels = [self._label(issue, one) for one in add_labels]
            change.remove_labels = [self._label(issue, one) for one in remove_labels]
            if milestone is not UNSET:
                change.milestone = None if milestone is None else self.milestone(milestone)
            if assignees is not UNSET:
                change.assignees = [self.user(one) for one in assignees]
            if close or reopen:
                change.state = "close" if close else "reopen"
            found = changes.apply(self, issue, change, self.user(by))
            if found:
                raise ValueError("; ".join(found))
            return issue

    def _label(self, issue: Issue, title: str) -> Label:
        found = self.label_for(issue.project, title)
        if found is None:
            raise UnknownName(f"no label {title} for {issue.reference}")
        return found

    def create(self, path: str, title: str, *, by: str, **wishes: Any) -> Issue:
        """Opens an issue as another person would; the wishes are those of `edit`."""
        with self.lock:
            issue = self.new_issue(self.project(path), title, self.user(by), self.clock.now())
            issue.history = []
            self.index.add(issue)
            self.edit(issue.reference, by=by, **wishes)
            issue.updated_by = None
            return issue

    def comment(self, reference: str, body: str, *, by: str) -> Note:
        """Comments as another person would."""
        with self.lock:
            return self.add_note(self.issue(reference), body, self.user(by))

    def move(self, reference: str, *, after: str | None = None, before: str | None = None) -> None:
        """Reorders an issue; `updated_at` does not change."""
        with self.lock:
            boards.move_between(
                self,
                self.issue(reference),
                self.issue(after) if after else None,
                self.issue(before) if before else None,
            )

    def delete(self, reference: str) -> None:
        """Deletes an issue; only its absence shows that."""
        with self.lock:
            issue = self.issue(reference)
            self.index.drop(issue)
            del issue.project.issues[issue.iid]
            for waiting in self._waiting.pop(issue, ()):
                waiting.blocked_by = tuple(one for one in waiting.blocked_by if one is not issue)
            for blocker in issue.blocked_by:
                self._waiting[blocker].remove(issue)
            for note in issue.notes or ():
                del self.notes[note.id]
