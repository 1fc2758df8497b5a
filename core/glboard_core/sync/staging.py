"""What a person does with drafts: turn one on and off, stage, undo, drop, apply.

Owns the steps and the events of each. ``drafts.py`` has what is stored, ``board/draft.py`` what it means.
Applied changes become ordinary ones in the outbox: one keystroke, one undo.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime

from msgspec import structs

from glboard_core.board.draft import (
    Draft,
    DraftId,
    StagedIssue,
    rebased,
    staged_issues,
)
from glboard_core.board.operations import GroupId, Op, fold_one, new_id
from glboard_core.board.undo import Group
from glboard_core.model.issue import Issue, IssueId
from glboard_core.ports import OutboxEntry
from glboard_core.sync.local_state import LocalState
from glboard_core.sync.ops import MakeOps


class Staging:
    """The drafts of one engine. A change that cannot be saved raises StoreFailed and changes nothing."""

    def __init__(
        self,
        local_state: LocalState,
        make_ops: MakeOps,
        done: Callable[[Group], None],
        now: Callable[[], datetime],
    ) -> None:
        self._local_state = local_state
        self._drafts = local_state.drafts
        self._make_ops = make_ops
        self._done = done
        self._now = now
        #: Whether the last thing done was to apply a part of the draft that is on: then undo is about that.
        self.applied_last = False

    # What there is

    @property
    def all(self) -> list[Draft]:
        """The drafts, oldest first."""
        return self._drafts.all

    @property
    def current(self) -> Draft | None:
        """The draft that is on, or None: then edits are sent."""
        return self._drafts.current

    @property
    def remembered(self) -> Draft | None:
        """The draft that the screen begins with, which is not on for a command."""
        on = self._local_state.store.draft_on()
        return self._drafts.get(on) if on is not None else None

    @property
    def last(self) -> Group | None:
        """The keystroke that undo would take out of the draft."""
        draft = self.current
        return draft.groups[-1] if draft is not None and draft.groups else None

    @property
    def next(self) -> Group | None:
        """The keystroke that redo would stage again."""
        draft = self.current
        return draft.undone[-1] if draft is not None and draft.undone else None

    def without(self, issue: IssueId) -> Issue | None:
        """An issue as it is without any draft: confirmed, with the unsent changes."""
        return fold_one(self._local_state.store.issue(issue), self._local_state.outbox.of(issue))

    def issues(self) -> list[StagedIssue]:
        """What the draft that is on would do to each of its issues."""
        draft = self.current
        return staged_issues(draft, self.without) if draft is not None else []

    # Drafts by name

    def create(self, name: str) -> Draft:
        """A new draft of this name; it is not on yet."""
        draft = Draft(id=DraftId(new_id()), name=name)
        self._drafts.add(draft)
        self._local_state.changed()
        return draft

    def turn_on(self, draft: DraftId | None) -> None:
        """Show the board with this draft and stage every edit; None: without any, and send them again."""
        old = self._drafts.issues()
        self._drafts.turn_on(draft)
        self.applied_last = False
        self._show(self._local_state.as_shown(dict.fromkeys((*old, *self._drafts.issues()))))

    def rename(self, draft: DraftId, name: str) -> None:
        """Give a draft another name."""
        self._drafts.change(draft, lambda one: structs.replace(one, name=name))
        self._local_state.changed()

    def delete(self, draft: DraftId) -> None:
        """Delete a draft with everything staged in it."""
        before = self._local_state.as_shown(self._drafts.issues())
        self._drafts.change(draft, lambda _: None)
        self._show(before)

    # Staged changes of the draft that is on

    def stage(self, ops: Sequence[Op], title: str) -> None:
        """Stage the Ops of one keystroke."""
        if (draft := self.current) is None or not ops:
            return
        group = Group(id=ops[0].group, title=title, ops=tuple(ops))
        self._drafts.change(draft.id, lambda one: one.staged(group))
        self.applied_last = False
        self._show(self._local_state.as_shown(op.issue for op in ops))

    def undo(self) -> Group | None:
        """Take the last keystroke out of the draft; returns it, or None if nothing is staged."""
        if (draft := self.current) is None:
            return None
        found = self._drafts.change(draft.id, Draft.undo)
        if found is None or not found.groups:
            return None
        self._show(self._local_state.as_shown(op.issue for op in found.groups[-1].ops))
        return found.groups[-1]

    def redo(self) -> Group | None:
        """Stage again what was undone or dropped last, on the issues as they are now."""
        if (draft := self.current) is None or not draft.undone:
            return None
        group = draft.undone[-1]
        ops = self._make_ops([(op.issue, op.change) for op in group.ops])
        again = Group(id=ops[0].group if ops else group.id, title=group.title, ops=tuple(ops))
        self._drafts.change(draft.id, lambda one: one.redone(again) if one.undone[-1:] == (group,) else one)
        self._show(self._local_state.as_shown(op.issue for op in ops))
        return again

    def drop(self, issues: Collection[IssueId]) -> int:
        """Drop what is staged for these issues; returns for how many. Redo stages it again."""
        if (draft := self.current) is None:
            return 0
        before = self._local_state.as_shown(self._drafts.issues())
        found = self._drafts.change(draft.id, lambda one: one.dropped(issues))
        self._show(before)
        return len(set(issues) & set(found.issues)) if found is not None else 0

    def apply(
        self, issues: Collection[IssueId], titled: Callable[[int], str], *, over: Collection[IssueId] = ()
    ) -> Group | None:
        """Put what is staged for these issues into the outbox, as one keystroke; returns it.

        ``titled`` is what it is called, by how many issues it changes.

        What others changed meanwhile is left in the draft, except that of issues in ``over``: there a person
        chose their own. What is gone is left, too. A draft of which nothing is left is deleted. None if there
        is nothing to apply.
        """
        if (draft := self.current) is None:
            return None
        before = self._local_state.as_shown(self._drafts.issues())
        group = GroupId(new_id())
        handed: list[OutboxEntry] = []

        def title_of(ops: Iterable[Op]) -> str:
            return titled(len({op.issue for op in ops}))

        def entries(one: Draft) -> Sequence[OutboxEntry]:
            chosen = self._applicable(one, issues, over)
            ready = self._ready(one, chosen, over, group)
            handed[:] = self._local_state.entries(ready, title_of(ready))
            return handed

        def rest(one: Draft) -> Draft | None:
            if not (chosen := self._applicable(one, issues, over)):
                return one
            left = one.without(chosen)
            return left if left.groups else None

        self._drafts.change(draft.id, rest, entries)
        self._local_state.queued(handed, {**self._local_state.as_shown(self._drafts.unshown()), **before})
        if not handed:
            return None
        ops = tuple(entry.op for entry in handed)
        applied = Group(id=group, title=title_of(ops), ops=ops)
        self._done(applied)
        self.applied_last = self.current is not None
        return applied

    def _applicable(
        self, draft: Draft, issues: Collection[IssueId], over: Collection[IssueId]
    ) -> frozenset[IssueId]:
        needed = frozenset(draft.with_needed(issues))
        return frozenset(
            one.id
            for one in staged_issues(draft, self.without)
            if one.id in needed and not one.is_gone and (not one.conflicts or one.id in over)
        )

    def _ready(
        self, draft: Draft, chosen: Collection[IssueId], over: Collection[IssueId], group: GroupId
    ) -> list[Op]:
        """What is sent for these issues, in the order in which it was staged."""
        place = {op.id: at for at, op in enumerate(draft.ops)}
        found: list[Op] = []
        now = self._now()
        for one in staged_issues(draft, self.without):
            if one.id not in chosen:
                continue
            ops = rebased(one.ops, one.before) if one.id in over else one.ops
            there = one.before
            for op in ops:
                if there is not None and op.change.changes_nothing(there):
                    continue
                found.append(structs.replace(op, group=group, at=now))
                there = fold_one(there, [op])
        return sorted(found, key=lambda op: place[op.id])

    def _show(self, before: dict[IssueId, Issue | None]) -> None:
        """Show these issues, and those that another process staged meanwhile."""
        before = {**self._local_state.as_shown(self._drafts.unshown()), **before}
        self._local_state.update_shown(before, "draft", always=True)
        self._local_state.changed()
