"""A draft: changes that are tried out, as a pure value. Nothing in it is sent until it is applied.

Owns what of a draft concerns which issue, what its changes amount to, and what became of them when others
changed the same issues. It is kept by the store and folded over the outbox by ``sync/drafts.py``.

A person decides about issues, not about keystrokes: what was done to one issue is applied or dropped as a
whole, in one edit, and what cancelled itself is not sent at all. So no change is ever taken out from under a
later one. Undo alone goes back by keystrokes, from the last one on.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, NewType

from msgspec import UNSET, Struct, structs

from glboard_core.board.changes import differences
from glboard_core.board.conflicts import Conflict, conflicts, seen_without
from glboard_core.board.fields import FIELDS, missing_people
from glboard_core.board.operations import Edit, Op, fold_one
from glboard_core.board.undo import Group
from glboard_core.model.issue import Issue, IssueId, scope_of

DraftId = NewType("DraftId", str)

Now = Callable[[IssueId], Issue | None]
"""An issue as it is without any draft, or None."""


class Draft(Struct, frozen=True, kw_only=True):
    """The staged keystrokes, oldest first, and those that can be redone, the next one last.

    ``revision`` counts its versions in the store, so that no process overwrites one it does not know.
    """

    id: DraftId
    name: str
    revision: int = 0
    groups: tuple[Group, ...] = ()
    undone: tuple[Group, ...] = ()

    @property
    def ops(self) -> list[Op]:
        """Everything staged, in order."""
        return [op for group in self.groups for op in group.ops]

    @property
    def issues(self) -> list[IssueId]:
        """The issues with staged changes, in the order in which they were first changed."""
        return list(dict.fromkeys(op.issue for op in self.ops))

    def by_issue(self) -> dict[IssueId, list[Op]]:
        """What is staged for each issue, in order."""
        found: dict[IssueId, list[Op]] = {}
        for op in self.ops:
            found.setdefault(op.issue, []).append(op)
        return found

    def staged(self, group: Group) -> Draft:
        """With another keystroke; what had been undone can no longer be redone."""
        return structs.replace(self, groups=(*self.groups, group), undone=())

    def undo(self) -> Draft:
        """Without the last keystroke, which can be redone."""
        return structs.replace(self, groups=self.groups[:-1], undone=(*self.undone, *self.groups[-1:]))

    def redone(self, group: Group) -> Draft:
        """With the keystroke that was undone last; ``group`` has its Ops on the issues as they are now."""
        found = (*self.groups, group) if group.ops else self.groups
        return structs.replace(self, groups=found, undone=self.undone[:-1])

    def without(self, issues: Collection[IssueId]) -> Draft:
        """Without what is staged for these issues, and without ranks next to those it would have created."""
        created = {op.issue for op in self.ops if op.change.creates and op.issue in issues}
        kept = (
            structs.replace(
                group,
                ops=tuple(
                    op
                    for op in group.ops
                    if op.issue not in issues and created.isdisjoint(op.change.neighbours)
                ),
            )
            for group in self.groups
        )
        return structs.replace(self, groups=tuple(group for group in kept if group.ops))

    def dropped(self, issues: Collection[IssueId]) -> Draft:
        """Without these issues; what was dropped can be redone as one keystroke."""
        rest = self.without(issues)
        left = {op.id for op in rest.ops}
        gone = tuple(op for op in self.ops if op.id not in left)
        if not gone:
            return self
        group = Group(id=gone[0].group, title=f"{len({op.issue for op in gone})} dropped", ops=gone)
        return structs.replace(rest, undone=(*rest.undone, group))

    def with_needed(self, issues: Collection[IssueId]) -> list[IssueId]:
        """These issues, and the new ones that they are ranked next to: GitLab must know those first."""
        wanted = set(issues)
        new = {op.issue for op in self.ops if op.change.creates}
        while (
            more := {
                other
                for op in self.ops
                if op.issue in wanted
                for other in op.change.neighbours
                if other in new
            }
            - wanted
        ):
            wanted |= more
        return [issue for issue in self.issues if issue in wanted]

    def convert(self, now: Callable[[Group], Group]) -> Draft:
        """Every keystroke replaced by what ``now`` makes of it: something was renamed."""
        groups, undone = (tuple(map(now, some)) for some in (self.groups, self.undone))
        if groups == self.groups and undone == self.undone:
            return self
        return structs.replace(self, groups=groups, undone=undone)

    def with_server_id(self, old: IssueId, new: IssueId) -> Draft:
        """With the id that the server gave to an issue that was new."""

        def renamed(group: Group) -> Group:
            return structs.replace(group, ops=tuple(_renamed(op, old, new) for op in group.ops))

        return self.convert(renamed)


def _renamed(op: Op, old: IssueId, new: IssueId) -> Op:
    before = op.before
    if before is not None and before.id == old:
        before = structs.replace(before, id=new)
    change = op.change.renamed(old, new)
    if op.issue != old and change is op.change:
        return op
    return structs.replace(op, issue=new if op.issue == old else op.issue, change=change, before=before)


# What the changes of one issue amount to


def squeezed(ops: Sequence[Op]) -> list[Op]:
    """The Ops of one issue with all its edits as one, which has the place of the first.

    Edits that cancel each other leave none. The edit's ``before`` has for each field what the person saw when
    they first changed it, so that a change by others in between is still found.
    """
    edits = [op for op in ops if op.change.as_edit is op.change]
    if len(edits) < 2 or (net := _net(edits)) is None:
        return list(ops)
    first = ops.index(edits[0])
    rest = [op for op in ops[first:] if op.change.as_edit is not op.change]
    # What follows is about the issue as the edit leaves it: undo compares with that.
    now = fold_one(net[0].before, net) if net else edits[0].before
    return [*ops[:first], *net, *rebased(rest, now)]


def _net(edits: Sequence[Op]) -> list[Op] | None:
    """One edit for several, or none if nothing is left; None if they cannot be merged."""
    saw = edits[-1].before
    for op in reversed(edits[:-1]):
        if saw is None or op.before is None:
            return None
        saw = seen_without(saw, op.change, op.before)
    after = fold_one(saw, edits)
    changes = [edit for op in edits if (edit := op.change.as_edit) is not None]
    if saw is None or after is None or any(edit.assignees is not UNSET for edit in changes):
        return None
    touched = frozenset().union(*(edit.touches() for edit in changes))
    values: dict[str, Any] = {
        f.name: getattr(after, f.name)
        for f in FIELDS
        if f.name != "assignees" and f.name in touched and f.differs_in(saw, after)
    }
    texts = [edit for edit in changes if edit.description is not UNSET]
    if texts and texts[-1].description != texts[0].description_was:
        values |= {"description": texts[-1].description, "description_was": texts[0].description_was}
    add = after.labels - saw.labels
    pushed = {scope_of(label) for label in add} - {None}
    net = Edit(
        add=add,
        # An added scoped label pushes the others of its scope out by itself.
        remove=frozenset(one for one in saw.labels - after.labels if scope_of(one) not in pushed),
        assign=missing_people(after.assignees, saw.assignees),
        unassign=missing_people(saw.assignees, after.assignees),
        **values,
    )
    first = structs.replace(edits[0], change=net, before=saw)
    return [] if net == Edit() else [first]


class StagedIssue(Struct, frozen=True, kw_only=True):
    """One issue of a draft: without it now, and with it; both None if it is gone.

    ``ops`` are what would be sent for it; ``conflicts`` the fields that others changed since they were
    staged.
    """

    id: IssueId
    before: Issue | None
    after: Issue | None
    ops: tuple[Op, ...]
    conflicts: tuple[Conflict, ...] = ()
    #: The issue as it was last known, if it is gone.
    last: Issue | None = None

    @property
    def issue(self) -> Issue | None:
        """The issue to show: with the draft, else as it was last known."""
        return self.after or self.last

    @property
    def is_gone(self) -> bool:
        """Whether others deleted it, or moved it away: nothing can be applied to it."""
        return self.after is None

    @property
    def is_new(self) -> bool:
        """Whether the draft would create it."""
        return any(op.change.creates for op in self.ops)

    @property
    def what(self) -> tuple[str, ...]:
        """What would change, in words: ``("milestone 19.8 to 19.9", "Deliverable removed")``."""
        if self.is_new and self.after is not None:
            where = self.after.milestone or "no milestone"
            return (f"new issue in {where}", *(["1 comment"] if self.after.notes else []))
        found = list(differences(self.before, self.after)) if self.before and self.after else []
        found = [word for word in found if word != _MOVED]
        for op in self.ops:
            if "description" in op.change.touches():
                found.append("description")
            elif not found or not {"rank", "links"}.isdisjoint(op.change.touches()):
                found.append(op.change.describe(op.before))
        return tuple(dict.fromkeys(found)) or ("no change left",)


_MOVED = "moved in the manual order"


def staged_issues(draft: Draft, now: Now) -> list[StagedIssue]:
    """What the draft would do to each of its issues, as they are now."""
    return [_staged(issue, ops, now(issue)) for issue, ops in draft.by_issue().items()]


def _staged(issue: IssueId, ops: Sequence[Op], now: Issue | None) -> StagedIssue:
    merged = squeezed(ops)
    return StagedIssue(
        id=issue,
        before=now,
        after=fold_one(now, ops),
        ops=tuple(merged),
        conflicts=staged_conflicts(merged, now),
        last=next((op.before for op in ops if op.before is not None), None),
    )


def staged_conflicts(ops: Sequence[Op], now: Issue | None) -> tuple[Conflict, ...]:
    """The fields that others changed since these Ops of one issue were staged."""
    found: list[Conflict] = []
    for op in ops:
        if now is None:
            break
        found += conflicts(op, now)
        now = op.change.apply(now)
    return tuple(found)


def rebased(ops: Iterable[Op], now: Issue | None) -> list[Op]:
    """The same Ops of one issue, about the issue as it is now: they overwrite what others changed."""
    found: list[Op] = []
    for op in ops:
        if op.change.creates or now is None:
            found.append(op)
            continue
        found.append(structs.replace(op, before=now))
        now = op.change.apply(now)
    return found
