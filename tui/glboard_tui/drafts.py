"""The screen's side of the drafts: what is staged, and turning on, dropping and applying it.

Owns the sentences about a draft that header, footer and questions share. It touches no widget; what a draft
is and does is in the core.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from glboard_core.board.draft import Draft, DraftId, StagedIssue
from glboard_core.board.undo import Group
from glboard_core.errors import DraftOn
from glboard_core.model.issue import IssueId
from glboard_core.planning.text import counted
from glboard_core.sync.engine import Engine


class BoardDrafts:
    """The drafts of the engine, once there is one. Changes raise StoreFailed if they cannot be stored."""

    def __init__(self, engine: Callable[[], Engine | None]) -> None:
        self._engine = engine
        #: The draft that was on last in this session, so that one key turns it off and on.
        self.latest: DraftId | None = None

    # What there is

    @property
    def all(self) -> Sequence[Draft]:
        """The drafts, oldest first."""
        engine = self._engine()
        return engine.drafts.all if engine is not None else ()

    @property
    def current(self) -> Draft | None:
        """The draft that is on; None: edits are sent."""
        engine = self._engine()
        return engine.drafts.current if engine is not None else None

    @property
    def is_on(self) -> bool:
        """Whether edits are staged, and nothing is sent."""
        return self.current is not None

    @property
    def count(self) -> int:
        """How many issues the draft that is on would change."""
        engine = self._engine()
        return engine.status.staged if engine is not None else 0

    @property
    def undoes_staged(self) -> bool:
        """Whether undo is about the draft."""
        engine = self._engine()
        return engine is not None and self.is_on and not engine.drafts.applied_last

    def is_staged(self, issue: IssueId) -> bool:
        """Whether the draft that is on changes this issue."""
        engine = self._engine()
        return engine is not None and bool(engine.local_state.drafts.of(issue))

    def issues(self) -> Sequence[StagedIssue]:
        """What the draft that is on would do to each of its issues."""
        engine = self._engine()
        return engine.drafts.issues() if engine is not None else ()

    def description(self, issue: IssueId) -> str | None:
        """The description that is staged for an issue, if one is."""
        engine = self._engine()
        staged = engine.local_state.drafts.of(issue) if engine is not None else ()
        found = [op.change.description_change for op in staged]
        return next((change[1] for change in reversed(found) if change is not None), None)

    # Turning on and off

    def turn_on(self, draft: DraftId) -> None:
        """Stage every edit in this draft from now on."""
        if (engine := self._engine()) is not None:
            engine.drafts.turn_on(draft)
            self.latest = draft

    def turn_off(self) -> None:
        """Show the board without the draft, and send edits again."""
        if (engine := self._engine()) is not None:
            engine.drafts.turn_on(None)

    def begin(self, name: str) -> None:
        """Create a draft of this name, and turn it on."""
        if (engine := self._engine()) is not None:
            self.turn_on(engine.drafts.create(name).id)

    def rename(self, draft: DraftId, name: str) -> None:
        """Give a draft another name."""
        if (engine := self._engine()) is not None:
            engine.drafts.rename(draft, name)

    def delete(self, draft: DraftId) -> None:
        """Delete a draft and what is staged in it."""
        if (engine := self._engine()) is not None:
            engine.drafts.delete(draft)

    def unused(self, name: str) -> str:
        """This name, with a number if a draft has it already."""
        taken = {draft.name for draft in self.all}
        numbered = (name if number == 1 else f"{name} ({number})" for number in range(1, len(taken) + 2))
        return next(one for one in numbered if one not in taken)

    # What is staged

    def drop(self, issues: Collection[IssueId]) -> int:
        """Drop what is staged for these issues; returns for how many."""
        engine = self._engine()
        return engine.drafts.drop(issues) if engine is not None else 0

    def apply(self, issues: Collection[IssueId], *, over: Collection[IssueId] = ()) -> Group | None:
        """Send what is staged for these issues; in conflict only those in ``over``. Raises ReadOnly."""
        engine, draft = self._engine(), self.current
        if engine is None or draft is None:
            return None
        return engine.apply_draft(
            issues, lambda count: f"draft {draft.name}: {counted(count, 'issue')}", over=over
        )

    def check_off(self, what: str) -> None:
        """For what reads or writes the plan outside the draft. Raises DraftOn while one is on."""
        if self.is_on:
            raise DraftOn(what)


def staged_words(count: int) -> str:
    """``7 staged``."""
    return f"{count} staged" if count else "nothing staged"
