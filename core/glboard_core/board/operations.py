"""Ops: every change that a person can make, as data.

One class for each kind of change. Its methods know what it does to an issue (``apply``), how it is undone
(``inverse``), what it touches, its text on screen (``describe``), and what sending and recovery must know of
it. A change knows nothing of the wire: titles, not ids; only ``gitlab/encode.py`` knows how a kind is sent.
An Op is one change of one issue; the Ops of one keystroke share a ``group`` and are undone together.

Laws (tested): undo restores the issue as it was, assignees perhaps in another order (unless it had two labels
of one scope, which GitLab does not allow anyone to add again); Ops on different issues commute; Ops on
different fields of one issue commute; applying twice is applying once.
"""

from __future__ import annotations

import itertools
import secrets
import time
from abc import abstractmethod
from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar, Literal, NewType, Self

from msgspec import UNSET, Struct, UnsetType, field, structs

from glboard_core.board.fields import FIELDS, FieldValues, assignees_after, missing_people
from glboard_core.model.issue import Issue, IssueId, LinkKind, scope_of, short_reference

OpId = NewType("OpId", str)
GroupId = NewType("GroupId", str)


_created = itertools.count()


def new_id() -> str:
    """An id that sorts by creation time (milliseconds), then by a counter, and is globally unique."""
    return f"{int(time.time() * 1000):012x}-{next(_created) & 0xFFFF:04x}-{secrets.token_hex(6)}"


def new_issue_id() -> IssueId:
    """A temporary id of an issue that the server does not know yet."""
    return IssueId(f"new:{new_id()}")


#: What recovery recognises a change by: a new issue or a note with the Op's marker, a note that is gone, or
#: the issue's own fields and events.
Trace = Literal["issue", "note", "no note", "fields"]

_NOTES = frozenset({"notes"})


class NoteSought(Struct, frozen=True):
    """A note to find before a change is sent: my newest with ``mark``, or else the one of the Op ``of``."""

    mark: str
    of: OpId | None = None


class LinkWanted(Struct, frozen=True):
    """The issue to link and the kind of link; None for no link."""

    other: IssueId
    kind: LinkKind | None


class BaseChange(Struct, frozen=True, kw_only=True):
    """The interface of all kinds for sending, recovery and the screen, with the usual defaults."""

    #: Whether it creates the issue.
    creates: ClassVar[bool] = False
    #: Whether GitLab notifies people with its text: it waits as long as a comment.
    speaks: ClassVar[bool] = False
    #: Whether later changes of the issue wait until the server has answered this one.
    later_wait: ClassVar[bool] = False
    #: Whether only one of its kind is sent at a time, whatever the issue.
    one_at_a_time: ClassVar[bool] = False
    trace: ClassVar[Trace] = "fields"
    #: What it changes besides fields, and its text.
    _touches: ClassVar[frozenset[str]] = frozenset()
    _text: ClassVar[str] = ""

    def apply(self, issue: Issue) -> Issue:
        """The issue after the change. Times stay the same: only the server changes them."""
        added = self.notes_added
        return structs.replace(issue, notes=max(0, issue.notes + added)) if added else issue

    @abstractmethod
    def inverse(self, before: Issue | None, op: OpId) -> Change | None:
        """The change that undoes it, made as Op ``op``; None if nothing would change."""

    def touches(self) -> frozenset[str]:
        """What it changes: names of fields, ``labels``, ``description``, ``rank``, ``notes``, ``links``."""
        return self._touches

    def describe(self, before: Issue | None = None) -> str:
        """The change as text, without the issue's title (so share mode and logs can show it)."""
        return self._text

    @property
    def repeatable(self) -> bool:
        """Whether sending it twice has the effect of sending it once."""
        return self.trace not in ("issue", "note")

    @property
    def as_edit(self) -> Edit | None:
        """The fields and labels that the issue is to have afterwards, as an edit; None if it sets none."""
        return None

    @property
    def comment(self) -> str:
        """The comment it adds, or ""."""
        return ""

    @property
    def typed(self) -> tuple[str, str]:
        """The title and the text that a person typed for it, or ""."""
        return "", ""

    @property
    def link_wanted(self) -> LinkWanted | None:
        """The link that there is to be afterwards, if it is about one."""
        return None

    @property
    def description_change(self) -> tuple[str, str] | None:
        """The description as the person saw it, and the new one; None if it is not known or not edited."""
        return None

    @property
    def neighbours(self) -> tuple[IssueId, ...]:
        """The other issues it refers to."""
        return ()

    @property
    def waits_for(self) -> OpId | None:
        """The Op that must be answered before it is sent."""
        return None

    @property
    def note_sought(self) -> NoteSought | None:
        """The note to find before it is sent."""
        return None

    def with_note(self, note: str | None) -> Self | None:
        """The change once the note sought was found, or not; None if nothing is left to do."""
        return self

    def note_marker(self, op: OpId) -> OpId | None:
        """Whose marker is in the note that recovery looks for, if it does; ``op`` is the change's own Op."""
        return op

    @property
    def notes_added(self) -> int:
        """How many notes the issue gains when it is sent."""
        return 0

    def project_of(self, issue: Issue | None) -> str:
        """The full path of the project concerned, or ""."""
        return issue.project if issue is not None else ""

    def new_issue(self, identity: IssueId, at: datetime) -> Issue | None:
        """The issue to show until the server has created it; None if this creates none."""
        return None

    def renamed(self, old: IssueId, new: IssueId) -> Self:
        """The change with the id that the server assigned to a new issue it refers to."""
        return self

    def changes_nothing(self, issue: Issue) -> bool:
        """Whether it would leave this issue as it is (so it is neither sent nor undone)."""
        return False

    def parts(self) -> list[str]:
        """The parts that a person can edit after a failure: fields, ``labels``, a text."""
        return []

    def value(self, part: str) -> Any:
        """The value of a part; None if it has none."""
        value = getattr(self, part, None)
        return None if value is UNSET else value

    def labels_on(self, labels: frozenset[str]) -> frozenset[str]:
        """The labels it wants on an issue that has ``labels``."""
        return labels

    def with_labels(self, add: frozenset[str], remove: frozenset[str]) -> Self:
        """The change with other labels to add and to remove."""
        return self

    def assignees_on(self, assignees: tuple[str, ...]) -> tuple[str, ...]:
        """The assignees it wants on an issue that has ``assignees``."""
        return assignees

    def with_assignees(self, assign: frozenset[str], unassign: frozenset[str]) -> Self:
        """The change with other people to assign and to unassign."""
        return self

    @property
    def assigned(self) -> frozenset[str]:
        """The usernames that it assigns, and that must be known before it is sent."""
        return frozenset(self.assignees_on(()))


class Edit(FieldValues, BaseChange, frozen=True, kw_only=True, tag="edit", omit_defaults=True):
    """A change of fields.

    Labels change by add and remove, so that two people's label changes merge, and so do assignees. Adding a
    scoped label removes the other labels of its scope (scoped labels are mutually exclusive).
    """

    add: frozenset[str] = frozenset()
    remove: frozenset[str] = frozenset()
    assign: frozenset[str] = frozenset()
    unassign: frozenset[str] = frozenset()
    #: The description is not part of the slim issue; ``was`` keeps the text before, for undo.
    description: str | UnsetType = UNSET
    description_was: str | UnsetType = UNSET

    def apply(self, issue: Issue) -> Issue:
        changes = {f.name: value for f, value in self.fields()}
        if self.add or self.remove:
            changes["labels"] = labels_after(issue.labels, self.add, self.remove)
        if self.assign or self.unassign:
            changes["assignees"] = self.assignees_on(issue.assignees)
        return structs.replace(issue, **changes) if changes else issue

    def inverse(self, before: Issue | None, op: OpId) -> Change | None:
        if before is None:
            return None
        after = self.apply(before)
        values: dict[str, Any] = {
            f.name: was
            for f in FIELDS
            if f.name != "assignees" and getattr(after, f.name) != (was := getattr(before, f.name))
        }
        if "state" in values and before.status is not None:
            # GitLab moves the status along when it closes or reopens an issue.
            values["status"] = before.status
        if self.description_change is not None:
            values["description"], values["description_was"] = self.description_change
        kept = self.chosen(before)
        back = Edit(
            add=_restorable(before.labels - kept, after.labels - kept),
            remove=(after.labels - before.labels) | kept,
            assign=missing_people(before.assignees, after.assignees),
            unassign=missing_people(after.assignees, before.assignees),
            **values,
        )
        return None if back == Edit() else back

    def chosen(self, before: Issue) -> frozenset[str]:
        """The labels it keeps instead of others of their scope: undo puts back one of those instead."""
        gone = {scope for label in self.remove & before.labels if (scope := scope_of(label)) is not None}
        return frozenset(label for label in self.add & before.labels if scope_of(label) in gone)

    def touches(self) -> frozenset[str]:
        names = {f.name for f, _ in self.fields()}
        if self.add or self.remove:
            names.add("labels")
        if self.assign or self.unassign:
            names.add("assignees")
        if self.description is not UNSET:
            names.add("description")
        return frozenset(names)

    def describe(self, before: Issue | None = None) -> str:
        words = {f.name: f.described(value) for f, value in self.fields()}
        texts = [words.pop("title")] if "title" in words else []
        people = [("assign", self.assign), ("unassign", self.unassign)]
        words |= {word: f"{word} {', '.join(sorted(names))}" for word, names in people if names}
        if self.description is not UNSET:
            texts.append("description")
        added = self.add - (before.labels if before else frozenset())
        scopes = {scope_of(label) for label in added} - {None}
        labels = [f"+{label}" for label in sorted(added or self.add)]
        # A replaced scoped label is implied by the one that replaces it.
        labels += [f"-{label}" for label in sorted(self.remove) if scope_of(label) not in scopes]
        return ", ".join([*words.values(), *labels, *texts]) or "nothing"

    @property
    def as_edit(self) -> Edit | None:
        return self

    @property
    def typed(self) -> tuple[str, str]:
        return self.value("title") or "", self.value("description") or ""

    @property
    def description_change(self) -> tuple[str, str] | None:
        if self.description is UNSET or self.description_was is UNSET:
            return None
        return self.description_was, self.description

    def changes_nothing(self, issue: Issue) -> bool:
        return self.description is UNSET and self.apply(issue) == issue

    def missing_on(self, issue: Issue) -> Edit:
        """What of it the issue does not show: labels, and fields with another value."""
        values = {f.name: value for f, value in self.fields() if not f.same(value, getattr(issue, f.name))}
        if frozenset(self.assignees_on(issue.assignees)) == frozenset(issue.assignees):
            values.pop("assignees", None)
        assign, unassign = missing_people(self.assign, issue.assignees), self.unassign - self.assign
        return Edit(
            add=self.add - issue.labels,
            remove=(self.remove - self.add) & issue.labels,
            assign=assign,
            unassign=unassign - missing_people(unassign, issue.assignees),
            **values,
        )

    def split_by(self, before: Issue, now: Issue) -> tuple[Edit, Edit]:
        """(what of it went through, the rest), judged by the issue before and ``now``.

        A description does not show in an issue: it counts as not gone through.
        """
        rest = self.missing_on(now)
        if self.description is not UNSET:
            rest = structs.replace(rest, description=self.description, description_was=self.description_was)
        left = {f.name for f, _ in rest.fields()}
        values = {f.name: v for f, v in self.fields() if f.name not in left and f.differs_in(before, now)}
        if "assignees" in left and before.assignees != now.assignees:
            # GitLab drops people it does not know or has no seat for, and assigns the rest.
            values["assignees"] = now.assignees
        came = self.add & now.labels
        staying = self.unassign - self.assign
        went = Edit(
            assign=missing_people(self.assign, before.assignees) - missing_people(self.assign, now.assignees),
            unassign=missing_people(staying, now.assignees) - missing_people(staying, before.assignees),
            # With a label that was there, so that another one of its scope does not push it out.
            add=came if came - before.labels else frozenset(),
            remove=(self.remove & before.labels) - now.labels,
            **values,
        )
        return went, rest

    def parts(self) -> list[str]:
        touched = self.touches() - {"title"}
        fields = [f.name for f in FIELDS if f.name in touched]
        labels = ["labels"] if self.add or self.remove else []
        # The editor of a description shows the title as well.
        texts = [name for name in ("description", "title") if self.value(name)][:1]
        return [*fields, *labels, *texts]

    def labels_on(self, labels: frozenset[str]) -> frozenset[str]:
        return (labels - self.remove) | self.add

    def with_labels(self, add: frozenset[str], remove: frozenset[str]) -> Self:
        return structs.replace(self, add=add, remove=remove)

    def assignees_on(self, assignees: tuple[str, ...]) -> tuple[str, ...]:
        whole = assignees if self.assignees is UNSET else self.assignees
        return assignees_after(whole, self.assign, self.unassign)

    def with_assignees(self, assign: frozenset[str], unassign: frozenset[str]) -> Self:
        return structs.replace(self, assignees=UNSET, assign=assign, unassign=unassign)


class Rank(BaseChange, frozen=True, kw_only=True, tag="rank", omit_defaults=True):
    """A place in the manual order: directly below ``above`` or directly above ``below`` (one may be None).

    ``position`` is shown until the server answers; ``was_*`` record the previous place. ``unplaced`` are
    cards of its column, in order, that have no position: if a neighbour is one, GitLab must place them first.
    """

    # It refers to adjacent issues.
    one_at_a_time: ClassVar[bool] = True
    _touches: ClassVar[frozenset[str]] = frozenset({"rank"})

    above: IssueId | None = None
    below: IssueId | None = None
    position: float | None = None
    was_above: IssueId | None = None
    was_below: IssueId | None = None
    was_position: float | None = None
    unplaced: tuple[IssueId, ...] = ()

    def apply(self, issue: Issue) -> Issue:
        return issue if self.position is None else structs.replace(issue, position=self.position)

    def inverse(self, before: Issue | None, op: OpId) -> Change | None:
        return Rank(
            above=self.was_above,
            below=self.was_below,
            position=self.was_position,
            was_above=self.above,
            was_below=self.below,
            was_position=self.position,
            unplaced=self.unplaced,
        )

    def describe(self, before: Issue | None = None) -> str:
        if self.above is None:
            return "rank to top"
        return "rank to bottom" if self.below is None else "rank"

    @property
    def neighbours(self) -> tuple[IssueId, ...]:
        return tuple(other for other in (self.above, self.below) if other is not None)

    def renamed(self, old: IssueId, new: IssueId) -> Self:
        if old not in self.neighbours:
            return self
        return structs.replace(
            self,
            above=new if self.above == old else self.above,
            below=new if self.below == old else self.below,
        )


class Comment(BaseChange, frozen=True, kw_only=True, tag="comment"):
    """A new comment. Undo deletes its note."""

    speaks: ClassVar[bool] = True
    trace: ClassVar[Trace] = "note"
    _touches: ClassVar[frozenset[str]] = _NOTES
    _text: ClassVar[str] = "comment"

    body: str

    def inverse(self, before: Issue | None, op: OpId) -> Change | None:
        return DeleteNote(of=op, body=self.body)

    @property
    def comment(self) -> str:
        return self.body

    @property
    def notes_added(self) -> int:
        return 1

    @property
    def typed(self) -> tuple[str, str]:
        return "", self.body

    def parts(self) -> list[str]:
        return ["comment"]


class DeleteNote(BaseChange, frozen=True, kw_only=True, tag="delete_note", omit_defaults=True):
    """Delete the comment that the Op ``of`` created; ``note`` is its id once known. Redo posts ``body``.

    ``mark`` is that of a NoteWrite: other Ops may have updated its note since.
    """

    trace: ClassVar[Trace] = "no note"
    _touches: ClassVar[frozenset[str]] = _NOTES
    _text: ClassVar[str] = "delete comment"

    of: OpId
    note: str | None = None
    body: str = ""
    mark: str = ""

    def inverse(self, before: Issue | None, op: OpId) -> Change | None:
        return NoteWrite(mark=self.mark, body=self.body) if self.mark else Comment(body=self.body)

    @property
    def waits_for(self) -> OpId | None:
        # A note can be deleted once its id is known.
        return self.of if self.note is None else None

    @property
    def note_sought(self) -> NoteSought | None:
        return NoteSought(self.mark, self.of) if self.note is None else None

    def with_note(self, note: str | None) -> Self | None:
        # A comment that was never created needs no deletion.
        return None if note is None else structs.replace(self, note=note)

    @property
    def notes_added(self) -> int:
        return -1

    def note_marker(self, op: OpId) -> OpId | None:
        # One with a mark is searched for by it before it is sent again.
        return None if self.mark else self.of


class NoteWrite(BaseChange, frozen=True, kw_only=True, tag="note_write", omit_defaults=True):
    """The only comment of its kind: update my note with the invisible ``mark`` to this text, or create it.

    ``was`` is the text to restore on undo, None if there is no such note yet. ``note`` is its id, filled in
    on sending, since someone may have created or deleted the note until then.
    """

    speaks: ClassVar[bool] = True
    later_wait: ClassVar[bool] = True
    trace: ClassVar[Trace] = "note"
    _touches: ClassVar[frozenset[str]] = _NOTES

    mark: str
    body: str
    was: str | None = None
    note: str | None = None

    def apply(self, issue: Issue) -> Issue:
        return issue if self.was is not None else structs.replace(issue, notes=issue.notes + 1)

    def inverse(self, before: Issue | None, op: OpId) -> Change | None:
        if self.was is None:
            return DeleteNote(of=op, body=self.body, mark=self.mark)
        return NoteWrite(mark=self.mark, body=self.was, was=self.body)

    def describe(self, before: Issue | None = None) -> str:
        return "comment" if self.was is None else "update comment"

    @property
    def typed(self) -> tuple[str, str]:
        return "", self.body

    @property
    def note_sought(self) -> NoteSought | None:
        # The current note, whatever existed when the key was pressed: so there is never a second one.
        return NoteSought(self.mark)

    def with_note(self, note: str | None) -> Self | None:
        return structs.replace(self, note=note)

    @property
    def notes_added(self) -> int:
        return 1 if self.note is None else 0


#: How a change of links is called, by how the other issue is linked.
_LINKS: dict[LinkKind, tuple[str, str]] = {
    "is_blocked_by": ("blocked by", "no longer blocked by"),
    "blocks": ("blocks", "no longer blocks"),
    "relates_to": ("related to", "no longer related to"),
}


class Link(BaseChange, frozen=True, kw_only=True, tag="link", omit_defaults=True):
    """A link to the issue ``other``, added or removed; ``reference`` names it in texts.

    ``frees``: no open issue blocks it any longer, as far as was known when a link was removed.
    """

    _touches: ClassVar[frozenset[str]] = frozenset({"links"})

    other: IssueId
    reference: str
    kind: LinkKind = "is_blocked_by"
    add: bool = True
    #: Whether the other issue was open: a closed one blocks nothing.
    is_open: bool = True
    frees: bool = False

    def apply(self, issue: Issue) -> Issue:
        if self.kind != "is_blocked_by" or not self.is_open or not (self.add or self.frees):
            return issue
        return structs.replace(issue, blocked=self.add)

    def inverse(self, before: Issue | None, op: OpId) -> Change | None:
        was = before is not None and before.blocked
        return structs.replace(self, add=not self.add, frees=self.add and not was)

    def describe(self, before: Issue | None = None) -> str:
        return f"{_LINKS[self.kind][not self.add]} {short_reference(self.reference)}"

    @property
    def neighbours(self) -> tuple[IssueId, ...]:
        return (self.other,)

    @property
    def link_wanted(self) -> LinkWanted | None:
        return LinkWanted(self.other, self.kind if self.add else None)

    def renamed(self, old: IssueId, new: IssueId) -> Self:
        return structs.replace(self, other=new) if self.other == old else self


class Create(BaseChange, frozen=True, kw_only=True, tag="create", omit_defaults=True):
    """A new issue in ``project``. The Op's issue id is ``new:…`` until the server has created it."""

    creates: ClassVar[bool] = True
    speaks: ClassVar[bool] = True
    later_wait: ClassVar[bool] = True
    trace: ClassVar[Trace] = "issue"
    _text: ClassVar[str] = "new issue"

    project: str
    title: str
    description: str = ""
    labels: frozenset[str] = frozenset()
    milestone: str | None = None
    weight: int | None = None
    assignees: tuple[str, ...] = ()
    confidential: bool = False

    def inverse(self, before: Issue | None, op: OpId) -> Change | None:
        # Only owners can delete issues.
        return Edit(state="closed")

    @property
    def as_edit(self) -> Edit | None:
        given = ((f.name, self.value(f.name)) for f in FIELDS if f.name != "title")
        values = {name: value for name, value in given if value not in (None, (), "") and value is not False}
        return Edit(add=self.labels, **values)

    @property
    def typed(self) -> tuple[str, str]:
        return self.title, self.description

    def project_of(self, issue: Issue | None) -> str:
        return self.project

    def new_issue(self, identity: IssueId, at: datetime) -> Issue | None:
        return Issue(
            id=identity,
            project=self.project,
            iid=0,
            title=self.title,
            labels=self.labels,
            milestone=self.milestone,
            weight=self.weight,
            assignees=self.assignees,
            confidential=self.confidential,
            created_at=at,
            updated_at=at,
        )

    def parts(self) -> list[str]:
        fields = self.as_edit.parts() if self.as_edit else []
        return [*fields, "description" if self.description else "title"]

    def labels_on(self, labels: frozenset[str]) -> frozenset[str]:
        return self.labels

    def with_labels(self, add: frozenset[str], remove: frozenset[str]) -> Self:
        return structs.replace(self, labels=add)

    def assignees_on(self, assignees: tuple[str, ...]) -> tuple[str, ...]:
        return self.assignees

    def with_assignees(self, assign: frozenset[str], unassign: frozenset[str]) -> Self:
        return structs.replace(self, assignees=tuple(sorted(assign)))


Change = Edit | Rank | Comment | DeleteNote | NoteWrite | Link | Create


class Op(Struct, frozen=True, kw_only=True):
    """One change of one issue: ``at`` is the server's time in UTC; ``group`` the keystroke it came from."""

    id: OpId
    group: GroupId
    issue: IssueId
    #: Named ``act`` in files that exist since before it was a change.
    change: Change = field(name="act")
    at: datetime
    #: The issue when the person pressed the key, for undo and conflict checks. None for a new issue.
    before: Issue | None = None


def labels_after(labels: frozenset[str], add: frozenset[str], remove: frozenset[str]) -> frozenset[str]:
    """Labels without ``remove``, with ``add``, and without scoped siblings of what is newly added."""
    fresh = add - labels
    scopes = {scope_of(label) for label in fresh} - {None}
    return add | {label for label in labels - remove if scope_of(label) not in scopes}


def _restorable(before: frozenset[str], after: frozenset[str]) -> frozenset[str]:
    """The labels to restore. Of two labels of one scope (a mistake that GitLab does not allow anyone to
    repeat) one is restored, and none if that would push out a sibling that stayed."""
    kept = {scope for label in before & after if (scope := scope_of(label)) is not None}
    back: dict[str, str] = {}
    for label in sorted(before - after, reverse=True):
        scope = scope_of(label)
        if scope not in kept or scope is None:
            back[scope or label] = label
    return frozenset(back.values())


def fold_one(issue: Issue | None, ops: Iterable[Op]) -> Issue | None:
    """One issue with its pending Ops applied in order; a new issue begins with its Create."""
    for op in ops:
        change = op.change
        issue = change.new_issue(op.issue, op.at) if issue is None else change.apply(issue)
    return issue


class IssueDiff(tuple[Issue | None, Issue | None]):
    """(before, after): before is None for an added issue, after is None for a removed one."""

    __slots__ = ()
