"""Ops: every change a person can make, as data.

Owns what a change does to an issue (``apply``), how it is undone (``inverse``), which fields it touches, and
its text on screen (``describe``). An Op knows nothing of the wire: titles, not ids. It is one change of one
issue; the Ops of one keystroke share a ``group`` and are undone together.

Laws (tested): undo restores the issue as it was (unless it had two labels of one scope, which GitLab does not
allow anyone to add again); Ops on different issues commute; Ops on different fields of one
issue commute; applying twice is applying once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Literal, NewType

import msgspec
from msgspec import UNSET, Struct, UnsetType, field

from glboard_core.model.issue import Issue, IssueId, State, scope_of

OpId = NewType("OpId", str)
GroupId = NewType("GroupId", str)

Field = Literal[
    "labels", "weight", "milestone", "assignees", "state", "status", "title", "description", "rank", "notes"
]


class Edit(Struct, frozen=True, kw_only=True, tag="edit", omit_defaults=True):
    """A change of fields. UNSET fields stay as they are; None clears weight, milestone or status.

    Labels change by add and remove, so that two people's label changes merge. Adding a scoped label
    removes the other labels of its scope (scoped labels are mutually exclusive).
    """

    add: frozenset[str] = frozenset()
    remove: frozenset[str] = frozenset()
    weight: int | UnsetType | None = UNSET
    milestone: str | UnsetType | None = UNSET
    assignees: tuple[str, ...] | UnsetType = UNSET
    state: State | UnsetType = UNSET
    status: str | UnsetType | None = UNSET
    title: str | UnsetType = UNSET
    #: The description is not part of the slim issue; ``was`` keeps the text before, for undo.
    description: str | UnsetType = UNSET
    description_was: str | UnsetType = UNSET


class Rank(Struct, frozen=True, kw_only=True, tag="rank", omit_defaults=True):
    """A place in the manual order: directly below ``above`` or directly above ``below`` (one may be None).

    ``position`` is shown until the server answers; ``was_*`` record the previous place.
    """

    above: IssueId | None = None
    below: IssueId | None = None
    position: float | None = None
    was_above: IssueId | None = None
    was_below: IssueId | None = None
    was_position: float | None = None


class Comment(Struct, frozen=True, kw_only=True, tag="comment"):
    """A new comment. Undo deletes its note."""

    body: str


class DeleteNote(Struct, frozen=True, kw_only=True, tag="delete_note", omit_defaults=True):
    """Delete the comment that the Op ``of`` created; ``note`` is its id once known. Redo posts ``body``.

    ``mark`` is that of a NoteWrite: other Ops may have updated its note since.
    """

    of: OpId
    note: str | None = None
    body: str = ""
    mark: str = ""


class NoteWrite(Struct, frozen=True, kw_only=True, tag="note_write", omit_defaults=True):
    """The only comment of its kind: update my note with the invisible ``mark`` to this text, or create it.

    ``was`` is the text to restore on undo, None if there is no such note yet. ``note`` is its id, filled in
    on sending, since someone may have created or deleted the note until then.
    """

    mark: str
    body: str
    was: str | None = None
    note: str | None = None


class Create(Struct, frozen=True, kw_only=True, tag="create", omit_defaults=True):
    """A new issue in ``project``. The Op's issue id is ``new:…`` until the server has created it."""

    project: str
    title: str
    description: str = ""
    labels: frozenset[str] = frozenset()
    milestone: str | None = None
    weight: int | None = None
    assignees: tuple[str, ...] = ()
    confidential: bool = False


Change = Edit | Rank | Comment | DeleteNote | NoteWrite | Create


class Op(Struct, frozen=True, kw_only=True):
    """One act on one issue: ``at`` is the server's time in UTC; ``group`` is the keystroke it came from."""

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
    scopes = {scope for label in fresh if (scope := scope_of(label)) is not None}
    kept = frozenset(
        label for label in labels - remove if not scopes or label in add or scope_of(label) not in scopes
    )
    return kept | add


def apply(change: Change, issue: Issue) -> Issue:
    """The issue as it looks after ``act``. Times stay the same: only the server changes them."""
    match change:
        case Edit():
            return _edited(change, issue)
        case Rank():
            return (
                issue if change.position is None else msgspec.structs.replace(issue, position=change.position)
            )
        case Comment():
            return msgspec.structs.replace(issue, notes=issue.notes + 1)
        case NoteWrite():
            return issue if change.was is not None else msgspec.structs.replace(issue, notes=issue.notes + 1)
        case DeleteNote():
            return msgspec.structs.replace(issue, notes=max(0, issue.notes - 1))
        case Create():
            return issue


def _edited(edit: Edit, issue: Issue) -> Issue:
    changes: dict[str, object] = {}
    if edit.add or edit.remove:
        changes["labels"] = labels_after(issue.labels, edit.add, edit.remove)
    for name in ("weight", "milestone", "assignees", "state", "status", "title"):
        value = getattr(edit, name)
        if value is not UNSET:
            changes[name] = value
    return msgspec.structs.replace(issue, **changes) if changes else issue


def created(op: Op) -> Issue:
    """The card to show for a new issue until the server has created it. Raises TypeError for other acts."""
    change = op.change
    if not isinstance(change, Create):
        raise TypeError(f"not a Create: {type(change).__name__}")
    return Issue(
        id=op.issue,
        project=change.project,
        iid=0,
        title=change.title,
        labels=change.labels,
        milestone=change.milestone,
        weight=change.weight,
        assignees=change.assignees,
        confidential=change.confidential,
        created_at=op.at,
        updated_at=op.at,
    )


def inverse(change: Change, before: Issue | None, op: OpId) -> Change | None:
    """The act that undoes ``act``, from the values before it; None if nothing would change.

    Undoing a new issue closes it (only owners can delete issues), undoing a comment deletes its note.
    """
    match change:
        case Edit():
            if before is None:
                return None
            return _unedit(change, before)
        case Rank():
            return Rank(
                above=change.was_above,
                below=change.was_below,
                position=change.was_position,
                was_above=change.above,
                was_below=change.below,
                was_position=change.position,
            )
        case Comment():
            return DeleteNote(of=op, body=change.body)
        case NoteWrite():
            if change.was is None:
                return DeleteNote(of=op, body=change.body, mark=change.mark)
            return NoteWrite(mark=change.mark, body=change.was, was=change.body)
        case DeleteNote():
            return NoteWrite(mark=change.mark, body=change.body) if change.mark else Comment(body=change.body)
        case Create():
            return Edit(state="closed")


def _unedit(edit: Edit, before: Issue) -> Edit | None:
    after = _edited(edit, before)
    values: dict[str, object] = {}
    for name in ("weight", "milestone", "assignees", "state", "status", "title"):
        if getattr(after, name) != getattr(before, name):
            values[name] = getattr(before, name)
    if edit.description is not UNSET and edit.description_was is not UNSET:
        values["description"] = edit.description_was
        values["description_was"] = edit.description
    taken_back = Edit(
        add=_restorable(before.labels, after.labels),
        remove=after.labels - before.labels,
        **values,  # type: ignore[arg-type]  # the names are those of Edit's own fields
    )
    return None if taken_back == Edit() else taken_back


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


def touches(change: Change) -> frozenset[Field]:
    """The fields an act changes, which are checked for conflicts."""
    match change:
        case Edit():
            names: set[Field] = set()
            if change.add or change.remove:
                names.add("labels")
            fields: tuple[Field, ...] = (
                "weight",
                "milestone",
                "assignees",
                "state",
                "status",
                "title",
                "description",
            )
            names.update(name for name in fields if getattr(change, name) is not UNSET)
            return frozenset(names)
        case Rank():
            return frozenset({"rank"})
        case Comment() | DeleteNote() | NoteWrite():
            return frozenset({"notes"})
        case Create():
            return frozenset()


def changes_nothing(change: Change, issue: Issue) -> bool:
    """Whether an edit would leave this issue as it is (so it is neither sent nor undone)."""
    return isinstance(change, Edit) and change.description is UNSET and _edited(change, issue) == issue


def describe(change: Change, before: Issue | None = None) -> str:
    """The act as text, without the issue's title (so share mode and logs can show it)."""
    match change:
        case Edit():
            return _describe_edit(change, before)
        case Rank():
            if change.above is None:
                return "rank to top"
            return "rank to bottom" if change.below is None else "rank"
        case Comment():
            return "comment"
        case NoteWrite():
            return "comment" if change.was is None else "update comment"
        case DeleteNote():
            return "delete comment"
        case Create():
            return "new issue"


def _describe_edit(edit: Edit, before: Issue | None) -> str:
    parts: list[str] = []
    if edit.state is not UNSET:
        parts.append("close" if edit.state == "closed" else "reopen")
    if edit.milestone is not UNSET:
        parts.append(f"to {edit.milestone}" if edit.milestone else "no milestone")
    if edit.weight is not UNSET:
        parts.append("clear weight" if edit.weight is None else f"weight {edit.weight}")
    if edit.assignees is not UNSET:
        parts.append(f"assign {', '.join(edit.assignees)}" if edit.assignees else "unassign")
    if edit.status is not UNSET:
        parts.append(f"status {edit.status}" if edit.status else "no status")
    added = edit.add - (before.labels if before else frozenset())
    scopes = {scope_of(label) for label in added} - {None}
    parts.extend(f"+{label}" for label in sorted(added or edit.add))
    # A replaced scoped label is implied by the one that replaces it.
    parts.extend(f"-{label}" for label in sorted(edit.remove) if scope_of(label) not in scopes)
    if edit.title is not UNSET:
        parts.append("title")
    if edit.description is not UNSET:
        parts.append("description")
    return ", ".join(parts) or "nothing"


# shown = fold(confirmed, pending).


def fold_one(issue: Issue | None, ops: Iterable[Op]) -> Issue | None:
    """One issue with its pending Ops applied in order; a Create adds the issue if it does not exist."""
    for op in ops:
        if issue is None:
            if isinstance(op.change, Create):
                issue = created(op)
            continue
        issue = apply(op.change, issue)
    return issue


def fold(confirmed: Mapping[IssueId, Issue], layers: Sequence[Sequence[Op]]) -> dict[IssueId, Issue]:
    """The issues that differ from ``confirmed`` once the layers are applied, lowest layer first.

    Only issues with pending Ops are computed, so the cost is independent of the mirror's size.
    """
    by_issue: dict[IssueId, list[Op]] = {}
    for layer in layers:
        for op in layer:
            by_issue.setdefault(op.issue, []).append(op)
    return {
        identity: issue
        for identity, ops in by_issue.items()
        if (issue := fold_one(confirmed.get(identity), ops)) is not None
    }


class IssueDiff(tuple[Issue | None, Issue | None]):
    """(before, after): before is None for an added issue, after is None for a removed one."""

    __slots__ = ()


def diff(before: Mapping[IssueId, Issue], after: Mapping[IssueId, Issue]) -> Iterator[IssueDiff]:
    """The changes that lead from ``before`` to ``after``, in no particular order."""
    for identity, issue in before.items():
        other = after.get(identity)
        if other is not issue and other != issue:
            yield IssueDiff((issue, other))
    for identity, issue in after.items():
        if identity not in before:
            yield IssueDiff((None, issue))
