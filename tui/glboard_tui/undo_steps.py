"""What undo and redo would do and did, in words; of an earlier session it is read from the log once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from glboard_core.board import undo
from glboard_core.board.operations import OpId
from glboard_core.board.undo import Group
from glboard_core.model.issue import IssueId
from glboard_core.sync.engine import Engine
from glboard_tui.change_words import ChangeWords
from glboard_tui.drafts import BoardDrafts
from glboard_tui.share import ShareMode


class UndoSteps:
    """Undo and redo of the engine, once there is one. ``repaint`` marks cards that look different then."""

    def __init__(
        self,
        engine: Callable[[], Engine | None],
        drafts: BoardDrafts,
        words: ChangeWords,
        share: ShareMode,
        repaint: Callable[[Iterable[IssueId]], None],
    ) -> None:
        self._engine = engine
        self._drafts = drafts
        self._words = words
        self._share = share
        self._repaint = repaint
        #: What undo applies to of an earlier session: read from the log once, since the footer asks on every
        #: key.
        self._earlier: Group | None = None
        self._earlier_read = False
        #: What was done last, and why it cannot be undone, in a sentence; "" if it is a change.
        self.no_undo = ""
        #: What undo or redo was about last.
        self.last_step: Group | None = None

    def look_again(self) -> None:
        """What was done in an earlier session may be another change now: a failed one may be gone."""
        self._earlier_read = False

    @property
    def title(self) -> str:
        """The title of what ``u`` would undo or discard; "" if nothing."""
        last = self._last_change
        return self._words.title(last) if last is not None else ""

    @property
    def words(self) -> str:
        """What ``u`` would do: "undo: weight 3"; "" if nothing."""
        last = self._last_change
        if last is None or self.no_undo:
            return ""
        if self._drafts.undoes_staged:
            return f"unstage: {self._words.title(last)}"
        return f"{'discard' if last.is_refused else 'undo'}: {self._words.title(last)}"

    @property
    def refused(self) -> Group | None:
        """What was done last, if GitLab refused it: there is nothing to undo, only something to discard."""
        last = self._last_change
        return last if last is not None and last.is_refused else None

    @property
    def _last_change(self) -> Group | None:
        if (engine := self._engine()) is None:
            return None
        if self._drafts.undoes_staged:
            return engine.undoing.last()
        if (last := engine.undo_stack.last) is not None:
            return last
        if not self._earlier_read:
            self._earlier_read = True
            self._earlier = engine.undoing.last()
        return self._earlier

    def discard_refused(self) -> None:
        """Discard what was done last and refused. Raises StoreFailed."""
        if (engine := self._engine()) is not None:
            self._repaint(op.issue for op in (self.refused.refused if self.refused else ()))
            engine.undoing.discard_refused()
            self._earlier_read = False

    @property
    def can_redo(self) -> bool:
        """Whether there is something to redo."""
        return (engine := self._engine()) is not None and engine.undoing.next is not None

    @property
    def deletes(self) -> int:
        """How many posted comments ``u`` would delete."""
        engine = self._engine()
        return engine.undoing.deletes if engine is not None else 0

    def chosen_deletes(self, ops: Collection[OpId]) -> int:
        """How many posted comments ``undo_chosen`` would delete."""
        engine = self._engine()
        return engine.undoing.chosen_deletes(ops) if engine is not None else 0

    def undo(self) -> tuple[str, str] | None:
        """Undo the last keystroke: its title, and what undo could not simply restore.

        Raises StoreFailed if the undo cannot be stored, and LastRefused.
        """
        staged = self._drafts.undoes_staged
        engine = self._engine()
        group = engine.undoing.undo() if engine is not None else None
        self._earlier_read = False
        self.last_step = group
        if group is None:
            return None
        self._words.tell_step(group, "unstaged" if staged else "undone")
        return self._words.title(group), "" if staged else self._share.text(undo.says(group.ops))

    def undo_chosen(self, ops: Collection[OpId]) -> tuple[str, str] | None:
        """Undo these changes of the log in one go; returns and raises what ``undo`` does."""
        engine = self._engine()
        group = engine.undoing.undo_chosen(ops) if engine is not None else None
        self._earlier_read = False
        self._words.tell_step(group, "undone")
        return (self._words.title(group), self._share.text(undo.says(group.ops))) if group else None

    def redo(self) -> str | None:
        """Redo what was undone last; returns its title."""
        engine = self._engine()
        group = self.last_step = engine.undoing.redo() if engine is not None else None
        self._words.tell_step(group, "redone")
        return self._words.title(group) if group else None
