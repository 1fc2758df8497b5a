"""Sends what a command changes and prints what becomes of each change, as the answers come.

Owns the words for an outcome, and the bar. Only this command's changes count: what an earlier session left in
the outbox is sent as well, and named on stderr.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from glboard_core.board.conflicts import Conflict
from glboard_core.board.operations import Op, OpId
from glboard_core.errors import GlboardError
from glboard_core.model.issue import IssueId
from glboard_core.planning.text import counted
from glboard_core.ports import MADE
from glboard_core.sync.events import Event, Settled
from glboard_tui.cli import printing

if TYPE_CHECKING:
    from glboard_core.sync.engine import Engine
    from glboard_tui.cli.sharing import Printed

#: Seconds until a bar is shown, and between two of its updates.
BAR_AFTER, BAR_EVERY = 1.0, 0.25
_BAR_CELLS = 30

#: What to do about changes that are not in GitLab, and stay here.
LISTED = "See glboard failed list; retry or discard with glboard failed."


def reference(op: Op) -> str:
    """The issue's reference, for output."""
    if op.before is not None:
        return op.before.reference
    return f"{op.change.project_of(None)}#new" if op.change.creates else op.issue


def conflict_words(conflicts: Sequence[Conflict]) -> str:
    """What somebody else changed that a change is about."""
    return "; ".join(f"{one.field} was {one.saw}, yours {one.mine}, now {one.theirs}" for one in conflicts)


class Outcomes:
    """What became of the Ops of one command. ``done`` and ``not_done`` are their issues.

    ``printed`` says what may be told of an issue. ``undone`` is the title of what they undo, if they do: then
    they yield to changes by others.
    """

    def __init__(self, engine: Engine, ops: Sequence[Op], printed: Printed, *, undone: str = "") -> None:
        self.done: set[IssueId] = set()
        self.not_done: set[IssueId] = set()
        self._engine = engine
        self._printed_as = printed
        self._waiting: dict[OpId, Op] = {op.id: op for op in ops}
        self._groups = {op.group for op in ops}
        self._references = {op.issue: reference(op) for op in ops}
        self._undone = undone
        self._printed: set[str] = set()
        self._count = len(ops)
        self._bar = _Bar()
        engine.listen(self._hear)

    async def send(self) -> None:
        """Send them, and what an earlier session left; print the outcomes. A failure is printed as one."""
        if not self._waiting:
            return
        error: GlboardError | None = None
        with self._bar.running(lambda: (self._count - len(self._waiting), self._count)):
            try:
                await self._engine.sender.flush(list(self._waiting))
            except GlboardError as stopped:
                error = stopped
            except asyncio.CancelledError:
                self._tell_rest(GlboardError("Interrupted.", hint="Run the command again to send it."))
                raise
        self._tell_rest(error)
        if self.not_done and any(op.group in self._groups for op, _ in self._engine.failed):
            printing.echo(f"  {LISTED}", err=True)

    @property
    def status(self) -> int:
        """0 if all were made, 1 if none was, 3 otherwise."""
        from glboard_tui.cli.context import PARTLY

        return 0 if not self.not_done else PARTLY if self.done else 1

    def _hear(self, event: Event) -> None:
        if not isinstance(event, Settled):
            return
        for op in event.done:
            if op.group in self._groups:
                self._tell_done(op)
            else:
                self._say(f"{reference(op)}: {self._what(op)} (from an earlier session)", err=True)
        for op, error in event.failed:
            if op.group in self._groups:
                self._tell_not_done(op, str(error))
            else:
                why = self._why(op, str(error))
                self._say(f"{reference(op)}: not changed{why} (from an earlier session)", err=True)

    def _tell_done(self, op: Op) -> None:
        self._waiting.pop(op.id, None)
        self.done.add(op.issue)
        hidden = self._printed_as.hides(self._engine, op)
        undone = "undone" if hidden else f"undone: {self._undone}"
        what = undone if self._undone else self._what(op)
        self._say(f"{self._name(op)}: {what}")

    def _tell_not_done(self, op: Op, reason: str) -> None:
        self._waiting.pop(op.id, None)
        self.not_done.add(op.issue)
        # Of a change that was made in part, only the rest failed.
        rest = f": {self._what(op)}" if op.issue in self.done else ""
        why = self._why(op, reason)
        self._say(f"{self._name(op)}: not {'undone' if self._undone else 'changed'}{rest}{why}", err=True)

    def _what(self, op: Op) -> str:
        return self._printed_as.change(self._engine, op)

    def _why(self, op: Op, reason: str) -> str:
        """The reason, which can name what was changed."""
        return "" if self._printed_as.hides(self._engine, op) else f": {reason}"

    def _name(self, op: Op) -> str:
        return self._references.get(op.issue, reference(op))

    def _say(self, words: str, *, err: bool = False) -> None:
        if words not in self._printed:  # an edit and its comment are undone together
            self._printed.add(words)
            self._bar.clear()
            printing.echo(words, err=err)

    # What has no answer of its own

    def _tell_rest(self, error: GlboardError | None) -> None:
        engine = self._engine
        failed = {op.id: reason for op, reason in engine.failed}
        logged = {line.op: line for line in engine.store.log()} if self._waiting else {}
        # An undo stays: its change already counts as undone.
        withdrawn = list(self._waiting.values()) if error is not None and not self._undone else []
        if withdrawn:
            # A command that failed leaves nothing behind that is sent later, unexpectedly.
            sent = {op.id for op in engine.local_state.withdraw(withdrawn)}
            withdrawn = [op for op in withdrawn if op.id not in sent]
        gone = {op.id for op in withdrawn}
        for op in list(self._waiting.values()):
            line = logged.get(op.id)
            if line is not None and line.result in MADE:
                self._tell_done(line.change)  # another process sent it
            elif op.id in failed:
                self._tell_not_done(op, str(failed[op.id]))
            elif op.id in gone:
                self._tell_not_done(op, str(error))
            elif conflicts := engine.outbox.conflicting(op.issue):
                self._tell_conflict(op, conflicts)
            elif (item := engine.outbox.item(op.id)) is not None:
                passed = item.lost_at or item.sent_at
                later = "may have been applied" if passed else "will be sent by the next glboard command"
                why, hint = (error.message, error.hint) if error is not None else ("No response yet.", "")
                self._tell_not_done(op, f"{why} The change {later}. {hint}".strip())
            else:
                self._tell_not_done(op, "discarded in another glboard session.")

    def _tell_conflict(self, op: Op, conflicts: Sequence[Conflict]) -> None:
        if self._undone:
            self._tell_not_done(op, f"{conflicts[0].field} is now {conflicts[0].theirs}")
            self._engine.keep_theirs(op.issue)
            return
        words = conflict_words(conflicts)
        item = self._engine.outbox.item(op.id)
        if item is not None and item.conflicts:
            self._tell_not_done(op, f"someone else changed it: {words}. {LISTED}")
            return
        # It would be sent once somebody decides about the earlier change, at whatever time.
        self._engine.local_state.withdraw([op])
        self._tell_not_done(op, f"an earlier change of the issue is in conflict: {words}. {LISTED}")


class _Bar:
    """A bar on stderr while many changes are sent; nothing if that is no terminal."""

    def __init__(self) -> None:
        self._shown = False

    @contextmanager
    def running(self, progress: Callable[[], tuple[int, int]]) -> Iterator[None]:
        """Show the bar from the second second on. ``progress`` is (done, of)."""
        if not printing.progress_is_seen():
            yield
            return
        task = asyncio.ensure_future(self._run(progress))
        try:
            yield
        finally:
            task.cancel()
            self.clear()

    async def _run(self, progress: Callable[[], tuple[int, int]]) -> None:
        await asyncio.sleep(BAR_AFTER)
        started = time.monotonic()
        with suppress(BrokenPipeError):
            while True:
                done, of = progress()
                full = _BAR_CELLS * done // of if of else 0
                spent = time.monotonic() - started + BAR_AFTER
                bar = "█" * full + "░" * (_BAR_CELLS - full)
                printing.progress_line(f"{bar} {done} of {counted(of, 'change')}, {spent:.0f} s")
                self._shown = True
                await asyncio.sleep(BAR_EVERY)

    def clear(self) -> None:
        """Remove the bar, so that a line can be printed."""
        if self._shown:
            self._shown = False
            printing.end_progress_line()
