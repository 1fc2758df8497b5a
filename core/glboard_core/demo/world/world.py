"""The world of the embedded GitLab: its registry, and people who work in it.

GraphQL, REST and tests hold the lock while they read or write. What a change of an issue does is
`changes.py`. Lookups raise `UnknownName`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from glboard_core.demo.world import boards, changes, links
from glboard_core.demo.world.changes import UNSET, Change, Unset
from glboard_core.demo.world.links import LinkKind
from glboard_core.demo.world.records import Issue, Label, Note
from glboard_core.demo.world.registry import Registry, UnknownName


class World(Registry):
    """The registry, and ways for tests to act as another person."""

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
        """Change an issue as another person, by the same rules as the APIs."""
        with self.lock:
            self.turn += 1
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
        """Create an issue as another person; the wishes are those of `edit`."""
        with self.lock:
            issue = self.new_issue(self.project(path), title, self.user(by), self.clock.now())
            issue.history = []
            self.index.add(issue)
            self.edit(issue.reference, by=by, **wishes)
            issue.updated_by = None
            for note in issue.notes or ():
                self.drop_note(note)
            issue.notes = None
            self.place_later()
            return issue

    def comment(self, reference: str, body: str, *, by: str, answers: Note | None = None) -> Note:
        """Comment as another person, in the thread of the note that it ``answers``."""
        with self.lock:
            thread = None if answers is None else answers.thread or answers
            return self.add_note(self.issue(reference), body, self.user(by), thread=thread)

    def link(self, reference: str, other: str, kind: LinkKind, *, by: str) -> None:
        """Link two issues as another person; ``kind`` is how it looks from the first one."""
        with self.lock:
            links.link(self, self.issue(reference), self.issue(other), kind, self.user(by))

    def unlink(self, reference: str, other: str, *, by: str) -> None:
        """Remove the link between two issues as another person."""
        with self.lock:
            links.unlink(self, self.issue(reference), self.issue(other), self.user(by))

    def move(self, reference: str, *, after: str | None = None, before: str | None = None) -> None:
        """Reorder an issue; `updated_at` does not change."""
        with self.lock:
            above, below = (self.issue(one) if one else None for one in (after, before))
            boards.place(self, [one for one in (above, below) if one is not None])
            boards.move_between(self, self.issue(reference), above, below)

    def delete(self, reference: str) -> None:
        """Delete an issue, without a trace."""
        with self.lock:
            issue = self.issue(reference)
            self.index.drop(issue)
            del issue.project.issues[issue.iid]
            for waiting in self._waiting.pop(issue, ()):
                waiting.blocked_by = tuple(one for one in waiting.blocked_by if one is not issue)
            for blocker in issue.blocked_by:
                self._waiting[blocker].remove(issue)
            for other in issue.related:
                other.related = tuple(one for one in other.related if one is not issue)
            for note in issue.notes or ():
                del self.notes[note.id]
