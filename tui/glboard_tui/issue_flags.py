"""What the user has to know of an issue's changes: whether any waits, failed or is in conflict."""

from __future__ import annotations

from collections.abc import Callable, Container

from glboard_core.board.conflicts import Conflict
from glboard_core.model.issue import IssueId
from glboard_core.sync.engine import Engine


class IssueFlags:
    """The flags of issues. ``unseen`` are those with changes by others."""

    def __init__(
        self,
        engine: Callable[[], Engine | None],
        unseen: Container[object],
        is_staged: Callable[[IssueId], bool],
    ) -> None:
        self._engine = engine
        self._unseen = unseen
        self._is_staged = is_staged

    def is_pending(self, issue: IssueId) -> bool:
        """Whether it has an unconfirmed change."""
        return (engine := self._engine()) is not None and bool(engine.outbox.of(issue))

    def is_failed(self, issue: IssueId) -> bool:
        """Whether it has a failed change."""
        return (engine := self._engine()) is not None and any(op.issue == issue for op, _ in engine.failed)

    def is_conflicting(self, issue: IssueId) -> bool:
        """Whether it has a conflict: a waiting change to a field that someone else changed."""
        return bool(self.conflicts(issue))

    def is_changed(self, issue: IssueId) -> bool:
        """Whether it has changes: staged, unsent, failed, or by others."""
        mine = self.is_pending(issue) or self.is_failed(issue) or self._is_staged(issue)
        return mine or issue in self._unseen

    def conflicts(self, issue: IssueId) -> tuple[Conflict, ...]:
        """The conflicts of an issue: the value seen, mine, theirs."""
        engine = self._engine()
        return engine.outbox.conflicting(issue) if engine is not None else ()

    def decide(self, issue: IssueId, *, mine: bool) -> None:
        """Resolve a conflict: send the waiting change over the current value, or discard it.

        Raises StoreFailed, and ReadOnly.
        """
        if (engine := self._engine()) is not None:
            engine.keep_mine(issue) if mine else engine.keep_theirs(issue)
