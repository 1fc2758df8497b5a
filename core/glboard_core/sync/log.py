"""How the answer to an Op is stored: a line in the change log, and for a failed one what to show later.

Also answers questions about the log: what ``undo`` applies to, and what can be pruned.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime

from msgspec import Struct, structs

from glboard_core import errors
from glboard_core.board.fields import missing_people
from glboard_core.board.operations import Edit, GroupId, Op, OpId, new_id
from glboard_core.board.undo import Group
from glboard_core.errors import EditImpossible, GlboardError
from glboard_core.model.issue import Issue
from glboard_core.ports import MADE, WAITS, FailedChange, Logged, Store
from glboard_core.sync.outbox import Outbox

#: More lines than any log has.
_ALL = 1_000_000_000
#: Title prefix of an undo.
UNDO = "undo: "


class ServerAnswer(Struct, frozen=True):
    """What became of an Op: made, or failed with an ``error``. ``issue`` is the server's state, if known."""

    op: Op
    issue: Issue | None = None
    error: GlboardError | None = None


def log_line(op: Op, title: str, at: datetime, result: str, message: str = "") -> Logged:
    """One line of the log: what was changed, and the value before, without the issue's title."""
    back = op.change.inverse(op.before, op.id)
    new = op.change.creates
    reference = f"{op.change.project_of(None)}#new" if new else op.issue
    return Logged(
        at=at,
        change=op,
        op=op.id,
        group=op.group,
        title=title,
        reference=op.before.reference if op.before else reference,
        what=op.change.describe(op.before),
        was=back.describe() if back is not None and not new else "",
        result=result,
        message=message,
    )


def answer_line(answer: ServerAnswer, title: str, at: datetime, result: str) -> Logged:
    """The line for an answer; ``result`` is that of one made. A new issue has its reference on the server."""
    if answer.error is not None:
        return log_line(answer.op, title, at, "failed", str(answer.error))
    line = log_line(answer.op, title, at, result)
    if not answer.op.change.creates or answer.issue is None:
        return line
    created = structs.replace(line.change, issue=answer.issue.id)
    return structs.replace(line, reference=answer.issue.reference, change=created)


def last_group(log: Sequence[Logged], failed: Collection[OpId] = ()) -> Group | None:
    """What undo applies to if nothing was done in this session: the last group of log and unsent changes.

    "Last" is when it was asked for: what waits since yesterday is older than what went through today.
    Excludes what was undone already, and undos themselves, unless GitLab refused them: what was refused is
    the last thing done while it is among the ``failed`` changes.
    """
    undone = {line.op for line in log if line.result == "undone"}
    groups: dict[str, Group] = {}
    for line in _by_wish(log):
        done = line.result in (*MADE, WAITS) and not line.title.startswith(UNDO) and line.op not in undone
        refused = line.result == "failed" and line.op in failed
        if not done and not refused:
            continue
        empty = Group(id=GroupId(line.group), title=line.title, ops=())
        group = groups.get(line.group, empty)
        groups[line.group] = structs.replace(
            group,
            ops=(line.change, *group.ops) if done else group.ops,
            refused=(line.change, *group.refused) if refused else group.refused,
        )
    return next(iter(groups.values()), None)


def undoable(log: Sequence[Logged]) -> frozenset[OpId]:
    """The changes that can be undone: made or waiting, not undone already, and no undo themselves."""
    undone = {line.op for line in log if line.result == "undone"}
    return frozenset(
        line.op
        for line in log
        if line.result in (*MADE, WAITS) and not line.title.startswith(UNDO) and line.op not in undone
    )


def chosen_group(log: Sequence[Logged], ops: Collection[OpId]) -> Group | None:
    """Those of these changes that can be undone, as if one keystroke had made them; None if none can."""
    possible = undoable(log).intersection(ops)
    lines = {line.op: line for line in _by_wish(log) if line.op in possible and line.result != "undone"}
    if not lines:
        return None
    titles = {line.title for line in lines.values()}
    groups = {line.group for line in lines.values()}
    one = titles.pop() if len(groups) == 1 else ""
    return Group(
        id=GroupId(new_id()),
        title=one or f"{len(lines)} changes",
        ops=tuple(line.change for line in reversed(lines.values())),
    )


def _by_wish(log: Sequence[Logged]) -> Iterable[Logged]:
    """The lines in the order in which they were asked for, newest first.

    What is in the log keeps its order, since clocks of sessions differ by a second; what waits goes where
    its time says.
    """
    waits = [line for line in log if line.result == WAITS]
    for line in log:
        if line.result == WAITS:
            continue
        while waits and waits[0].change.at >= line.change.at:
            yield waits.pop(0)
        yield line
    yield from waits


def prunable(log: Sequence[Logged], before: datetime) -> tuple[datetime, int]:
    """Up to when the log can be deleted, at most ``before``, and how many lines that is.

    A keystroke is deleted completely or not at all: half of it must never be undone as if it were all.
    """
    oldest: dict[str, datetime] = {}
    newest: dict[str, datetime] = {}
    for line in log:
        oldest[line.group] = min(oldest.get(line.group, line.at), line.at)
        newest[line.group] = max(newest.get(line.group, line.at), line.at)
    while halved := [oldest[group] for group in oldest if oldest[group] < before <= newest[group]]:
        before = min(halved)
    return before, sum(line.at < before for line in log)


def failed_change(op: Op, title: str, error: GlboardError, at: datetime) -> FailedChange:
    """The failed change to store."""
    return FailedChange(
        op=op, title=title, kind=type(error).__name__, message=error.message, hint=error.hint, at=at
    )


def failed_ops(stored: Iterable[FailedChange]) -> list[tuple[Op, GlboardError]]:
    """The stored failed changes with their errors."""
    return [(failed.op, _error(failed)) for failed in stored]


def _error(failed: FailedChange) -> GlboardError:
    """The original error; of an unknown kind, the base class."""
    kind = getattr(errors, failed.kind, None)
    if isinstance(kind, type) and issubclass(kind, errors.EditRefused):
        return kind(failed.message, hint=failed.hint)
    return GlboardError(failed.message, hint=failed.hint)


def split_new_issues(
    answers: Iterable[ServerAnswer], outbox: Outbox, *, one_assignee: bool = False
) -> list[ServerAnswer]:
    """The same, with two about a change that was made in part; what depends on an issue not created fails.

    Those made come first. ``one_assignee``: the server keeps only one, and takes the others off.
    """
    made: list[ServerAnswer] = []
    failed: list[ServerAnswer] = []
    for answer in answers:
        op, issue, wanted = answer.op, answer.issue, answer.op.change.as_edit
        if answer.error is None:
            made.append(answer)
        elif not op.change.creates or wanted is None:
            half = _half_done(answer)
            made += half[:-1]
            failed.append(half[-1])
        elif issue is not None and issue.iid:
            made.append(ServerAnswer(op, issue))
            failed.append(ServerAnswer(_rest(op, wanted, issue), issue, answer.error))
        else:
            failed.append(ServerAnswer(op, None, answer.error))
            orphan = EditImpossible(
                "The new issue this belongs to was not created.", hint="Retry the new issue first."
            )
            failed += [
                ServerAnswer(other, None, orphan) for other in outbox.of(op.issue) if other.id != op.id
            ]
    return [*(_with_those_replaced(one) if one_assignee else one for one in made), *failed]


def _with_those_replaced(answer: ServerAnswer) -> ServerAnswer:
    """The answer to an edit that also unassigns those whom GitLab took off for the one that it assigned.

    So that undo brings them back.
    """
    op, issue, edit = answer.op, answer.issue, answer.op.change
    if not isinstance(edit, Edit) or issue is None or op.before is None:
        return answer
    if not edit.assign or missing_people(issue.assignees, edit.assign):
        return answer
    replaced = missing_people(op.before.assignees, issue.assignees)
    op = structs.replace(op, change=structs.replace(edit, unassign=edit.unassign | replaced))
    return ServerAnswer(op, issue)


def _half_done(answer: ServerAnswer) -> list[ServerAnswer]:
    """A failed edit as what went through, if anything, and the rest that failed.

    ``issue`` is the server's state, and the edit's ``before`` what was there.
    """
    op, issue, wanted = answer.op, answer.issue, answer.op.change.as_edit
    if wanted is None or issue is None or op.before is None:
        return [answer]
    went, rest = wanted.split_by(op.before, issue)
    if went == Edit() or rest == Edit():
        return [answer]
    done = structs.replace(op, change=went)
    left = structs.replace(op, id=OpId(new_id()), change=rest, before=issue)
    return [ServerAnswer(done, issue), ServerAnswer(left, issue, answer.error)]


def _rest(op: Op, wanted: Edit, issue: Issue) -> Op:
    """What is still missing on an issue that was created without all requested fields."""
    missing = wanted.missing_on(issue)
    return structs.replace(op, id=OpId(new_id()), issue=issue.id, change=missing, before=issue)


class LoggedChanges:
    """The change log of one store, and what waits to get into it. ``title`` is that of an Op's keystroke."""

    def __init__(
        self, store: Store, outbox: Outbox, title: Callable[[Op], str], now: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._outbox = outbox
        self._title = title
        self._now = now

    def unsent(self) -> list[Logged]:
        """Unsent changes, newest first, as log lines; their result is ``waits``."""
        now = self._now()
        return [log_line(op, self._title(op), now, WAITS) for op in self._outbox][::-1]

    def prunable(self, before: datetime) -> tuple[datetime, int]:
        """(up to when, how many lines) ``prune`` would delete; a keystroke is never split."""
        return prunable(self._store.log(_ALL), before)

    def prune(self, before: datetime) -> int:
        """Delete the change log before ``before`` for good; returns how many lines. Raises StoreFailed.

        Unsent, failed and conflicting changes are not in the log, and stay.
        """
        return self._store.prune(self.prunable(before)[0])
