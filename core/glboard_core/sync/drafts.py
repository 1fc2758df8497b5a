"""The drafts of one state file, and the layer of the one that is on: what ``local_state.py`` folds last.

Owns that they are on disk before they are shown, and that no process overwrites what another one staged. It
holds no outbox and sends nothing: what is staged leaves only by being handed over, in one transaction.

Which draft is on is remembered for the next session, but never changes in a running one: no edits are
sent, or staged, because of a key that was pressed elsewhere. Hence a draft that another process applied or
deleted stays on here, empty, until it is turned off.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import structs

from glboard_core.board.draft import Draft, DraftId
from glboard_core.board.operations import Op
from glboard_core.board.undo import Group
from glboard_core.errors import StoreFailed
from glboard_core.model.issue import IssueId
from glboard_core.ports import OutboxEntry, Store

#: Attempts to write what another process keeps changing.
_ATTEMPTS = 20

Step = Callable[[Draft], Draft | None]
"""A change of a draft: from what is stored now; None deletes it."""


class Drafts:
    """All drafts. ``active`` is whether one can be on at all: not for a command, which sends what it does."""

    def __init__(self, store: Store, *, active: bool) -> None:
        self._store = store
        self._all: dict[DraftId, Draft] = {draft.id: draft for draft in store.drafts()}
        on = store.draft_on() if active else None
        self._on = on if on in self._all else None
        self._layer: dict[IssueId, list[Op]] = {}
        self._unshown: set[IssueId] = set()
        self._fold()

    @property
    def all(self) -> list[Draft]:
        """The drafts, oldest first."""
        return sorted(self._all.values(), key=lambda draft: draft.id)

    @property
    def current(self) -> Draft | None:
        """The draft that is on."""
        return self._all[self._on] if self._on is not None else None

    def get(self, draft: DraftId) -> Draft | None:
        """A draft, or None if it was deleted."""
        return self._all.get(draft)

    # The layer

    def of(self, issue: IssueId) -> Sequence[Op]:
        """What is staged for an issue in the draft that is on, oldest first."""
        return self._layer.get(issue, ())

    def issues(self) -> list[IssueId]:
        """The issues with staged changes in the draft that is on."""
        return list(self._layer)

    def _fold(self) -> None:
        self._layer = draft.by_issue() if (draft := self.current) is not None else {}

    # Changes; each raises StoreFailed, and then nothing is changed

    def turn_on(self, draft: DraftId | None) -> None:
        """Turn on this draft, and another one off; None for none."""
        self._store.turn_on_draft(draft)
        self._on = draft if draft in self._all else None
        self._fold()

    def add(self, draft: Draft) -> None:
        """A new draft."""
        self._save(structs.replace(draft, revision=1))

    def change(
        self, draft: DraftId, step: Step, entries: Callable[[Draft], Sequence[OutboxEntry]] | None = None
    ) -> Draft | None:
        """Change a draft as it is now, whoever changed it last; returns it as it was just before.

        ``entries`` are what goes to the outbox in the same transaction. None if there is no such draft.
        """
        for _ in range(_ATTEMPTS):
            if (before := self._all.get(draft)) is None:
                return None
            after, handed = step(before), entries(before) if entries is not None else ()
            if (after == before and not handed) or self._stored(before, after, handed):
                return before
            self.adopt()
        raise StoreFailed(
            "Another glboard session keeps changing the draft.",
            hint="Nothing is lost. Try again in a moment.",
        )

    def _stored(self, before: Draft, after: Draft | None, entries: Sequence[OutboxEntry]) -> bool:
        """Whether this could be written: no other process changed the draft since ``before``."""
        if after is not None:
            return self._save(structs.replace(after, revision=before.revision + 1), entries)
        if not self._store.delete_draft(before, entries):
            return False
        del self._all[before.id]
        self._on = None if self._on == before.id else self._on
        self._fold()
        return True

    def _save(self, draft: Draft, entries: Sequence[OutboxEntry] = ()) -> bool:
        if not self._store.put_draft(draft, entries):
            return False
        self._all[draft.id] = draft
        self._fold()
        return True

    def convert(self, now: Callable[[Group], Group]) -> list[IssueId]:
        """Something was renamed: every draft gets the present names. Returns the issues concerned."""
        before = self.issues()
        for draft in self.all:
            self.change(draft.id, lambda one: one.convert(now))
        return list(dict.fromkeys((*before, *self.issues())))

    def with_server_id(self, old: IssueId, new: IssueId) -> None:
        """A new issue, sent from the outbox, has its id from the server now."""
        for draft in self.all:
            self.change(draft.id, lambda one: one.with_server_id(old, new))

    # Other processes

    def adopt(self) -> None:
        """Adopt what other processes staged, applied or dropped."""
        stored = {draft.id: draft for draft in self._store.drafts()}
        if (on := self.current) is not None and on.id not in stored:
            stored[on.id] = Draft(id=on.id, name=on.name)
        if stored == self._all:
            return
        before = self._layer
        self._all = stored
        self._fold()
        concerned = {*before, *self._layer}
        self._unshown |= {one for one in concerned if before.get(one) != self._layer.get(one)}

    def unshown(self) -> frozenset[IssueId]:
        """The issues that look different since another process changed the draft, once each."""
        found, self._unshown = frozenset(self._unshown), set()
        return found
