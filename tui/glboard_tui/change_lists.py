"""The failed list and the change log as rows: what everybody may see of each. It touches no widget."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol
from zoneinfo import ZoneInfo

from msgspec import Struct

from glboard_core.board.batch import short
from glboard_core.board.conflicts import Conflict
from glboard_core.board.operations import Change, Op, OpId
from glboard_core.model.issue import Issue, IssueId, short_reference
from glboard_core.planning.text import time_words
from glboard_core.ports import WAITS, Logged
from glboard_core.sync.engine import Engine
from glboard_core.sync.log import undoable

#: The result of a change that was not sent, and what is shown in place of a time, as wide as one.
NOT_SENT = "not sent yet"


class FailedRow(Struct, frozen=True, kw_only=True):
    """A row of the failed list."""

    op: OpId
    issue: IssueId
    reference: str
    title: str
    what: str
    message: str
    hint: str
    change: Change
    #: The full path of its issue's project.
    project: str = ""
    #: Whether it waits because somebody else changed the same field.
    conflict: bool = False


class LogRow(Struct, frozen=True, kw_only=True):
    """A row of the change log. ``when`` is in the team's time zone."""

    op: OpId
    #: The keystroke it came from.
    group: str
    issue: IssueId
    when: str
    reference: str
    what: str
    was: str
    result: str
    message: str
    can_undo: bool

    @property
    def as_expected(self) -> bool:
        """Whether there is nothing to say of the result: it was made, or waits, which ``when`` says."""
        return self.result in ("done", WAITS)

    @property
    def why_not(self) -> str:
        """Why it cannot be undone, in a sentence."""
        match self.result:
            case "failed":
                return "Rejected by GitLab; nothing to undo."
            case "dropped":
                return "Discarded before it was sent; nothing to undo."
            case _:
                return "Already undone, or itself an undo."


def _conflict_words(conflicts: Sequence[Conflict]) -> str:
    texts = (f"{one.field} was {one.saw}, yours {one.mine}, now {one.theirs}" for one in conflicts)
    return f"Someone else changed it: {'; '.join(texts)}."


class Views(Protocol):
    """What everybody may see of issues and texts, and the whole issue to compute with."""

    def whole_issue(self, issue: IssueId) -> Issue | None: ...
    def is_hidden(self, issue: IssueId, before: Issue | None = None) -> bool: ...
    def reference_of(self, issue: Issue) -> str: ...
    def title_of(self, issue: Issue) -> str: ...
    def text(self, text: str) -> str: ...


class ChangeLists:
    """The lists of one engine, once there is one. ``repaint`` marks cards that look different afterwards."""

    def __init__(
        self,
        engine: Callable[[], Engine | None],
        views: Views,
        zone: Callable[[], ZoneInfo],
        repaint: Callable[[Iterable[IssueId]], None],
    ) -> None:
        self._engine = engine
        self._views = views
        self._zone = zone
        self._repaint = repaint

    def failed(self) -> list[FailedRow]:
        """The changes in conflict, wherever their cards are, and the failed ones; newest first."""
        if (engine := self._engine()) is None:
            return []
        outbox = engine.outbox
        waiting = [item for op in outbox if (item := outbox.item(op.id)) is not None and item.conflicts]
        rows = [self._failed_row(item.op, _conflict_words(item.conflicts), "", True) for item in waiting]
        rows += [self._failed_row(op, error.message, error.hint) for op, error in engine.failed]
        return sorted(rows, key=lambda row: row.op, reverse=True)

    def _failed_row(self, op: Op, message: str, hint: str, conflict: bool = False) -> FailedRow:
        issue = self._views.whole_issue(op.issue) or op.before
        hidden = issue is not None and self._views.is_hidden(issue.id, op.before)
        return FailedRow(
            op=op.id,
            issue=op.issue,
            reference=self._views.reference_of(issue) if issue else "new issue",
            title=self._views.title_of(issue) if issue else "",
            what="change" if hidden else self._views.text(op.change.describe(op.before)),
            message="" if hidden else self._views.text(message),
            hint=self._views.text(hint),
            change=op.change,
            project=issue.project if issue else "",
            conflict=conflict,
        )

    def retry(self, row: FailedRow) -> None:
        """Retry a failed change; in a conflict, send mine over theirs."""
        if (engine := self._engine()) is not None:
            self._repaint([row.issue])
            if row.conflict:
                engine.keep_mine(row.issue)
            else:
                engine.retry(row.op)

    def drop(self, row: FailedRow) -> None:
        """Discard a failed change; in a conflict, keep theirs."""
        if (engine := self._engine()) is not None:
            self._repaint([row.issue])
            if row.conflict:
                engine.keep_theirs(row.issue)
            else:
                engine.local_state.discard_failed(row.op)

    def instead(self, op: OpId, change: Change) -> bool:
        """Send an edited change instead of a failed one, with those depending on it; whether it was queued.

        The failed one leaves the list only when the new one is in the outbox; it stays if there is nothing to
        send. Raises like ``perform``.
        """
        engine = self._engine()
        failed = next((one for one, _ in engine.failed if one.id == op), None) if engine else None
        if engine is None or failed is None:
            return False
        # Changes to a new issue that could not be created go with it.
        new = failed.change.creates
        along = [one for one, _ in engine.failed if one is failed or (new and one.issue == failed.issue)]
        issue = engine.shown.get(failed.issue) or failed.before
        title = f"{short(issue)} {change.describe(issue)}" if issue else change.describe()
        changes = [(one.issue, change if one is failed else one.change) for one in along]
        if not engine.perform(changes, title, [one.id for one in along]):
            return False
        self._repaint(one.issue for one in along)
        return True

    def history(self) -> list[LogRow]:
        """The change log, newest first, after the unsent changes."""
        if (engine := self._engine()) is None:
            return []
        zone = self._zone()
        lines = [*engine.log.unsent(), *engine.store.log()]
        possible = undoable(lines)
        return [self._log_row(line, zone, line.op in possible) for line in lines]

    def _log_row(self, line: Logged, zone: ZoneInfo, possible: bool) -> LogRow:
        hidden = self._views.is_hidden(line.change.issue, line.change.before)
        at = line.at.astimezone(zone)
        return LogRow(
            op=line.op,
            group=line.group,
            issue=line.change.issue,
            when=NOT_SENT if line.result == WAITS else time_words(at),
            reference=self._views.text(short_reference(line.reference)),
            what="changed" if hidden else self._views.text(line.what),
            was="" if hidden else self._views.text(line.was),
            result=line.result,
            message="" if hidden else self._views.text(line.message),
            can_undo=possible and line.result != "undone",
        )
