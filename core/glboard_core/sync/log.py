"""How the outcome of an Op is stored: a line in the change log, and for a failed one what to show later."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import structs

from glboard_core import errors
from glboard_core.board.operations import Edit, GroupId, Op, OpId
from glboard_core.board.undo import Group
from glboard_core.errors import EditImpossible, GlboardError
from glboard_core.model.issue import Issue
from glboard_core.ports import MADE, FailedChange, Logged
from glboard_core.sync.ids import new_id
from glboard_core.sync.outbox import Outbox

Made = tuple[Op, Issue | None]
Refused = tuple[Op, GlboardError, Issue | None]

#: Title prefix of an undo.
UNDO = "undo: "


def logged(op: Op, title: str, at: datetime, result: str, message: str = "") -> Logged:
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


def made(op: Op, issue: Issue | None, title: str, at: datetime, result: str) -> Logged:
    """A line of the log; one about a new issue has the reference assigned by the server."""
    line = logged(op, title, at, result)
    if not op.change.creates or issue is None:
        return line
    return structs.replace(
        line, reference=issue.reference, change=structs.replace(line.change, issue=issue.id)
    )


def last_made(log: Sequence[Logged]) -> Group | None:
    """What undo applies to if nothing was done in this session: the last group of the log, newest first.

    Excludes what was undone already, and undos themselves.
    """
    undone = {line.op for line in log if line.result == "undone"}
    groups: dict[str, list[Op]] = {}
    titles: dict[str, str] = {}
    for line in log:
        if line.result in MADE and not line.title.startswith(UNDO) and line.op not in undone:
            groups.setdefault(line.group, []).insert(0, line.change)
            titles[line.group] = line.title
    for group, ops in groups.items():
        return Group(id=GroupId(group), title=titles[group], ops=tuple(ops))
    return None


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


def refused(op: Op, title: str, error: GlboardError, at: datetime) -> FailedChange:
    """The failed change to store."""
    return FailedChange(
        op=op, title=title, kind=type(error).__name__, message=error.message, hint=error.hint, at=at
    )


def remembered(refusal: FailedChange) -> tuple[Op, GlboardError]:
    """The original error of a failed change; of an unknown kind, the base class."""
    kind = getattr(errors, refusal.kind, None)
    if isinstance(kind, type) and issubclass(kind, errors.EditRefused):
        return refusal.op, kind(refusal.message, hint=refusal.hint)
    return refusal.op, GlboardError(refusal.message, hint=refusal.hint)


def sorted_out(
    done: Sequence[Made], failed: Sequence[Refused], pending: Outbox
) -> tuple[list[Made], list[Refused]]:
    """The outcomes of new issues: created in part, or not at all, with their dependent changes."""
    made: list[Made] = list(done)
    refused_: list[Refused] = []
    for op, error, issue in failed:
        edit = op.change.as_edit
        if not op.change.creates or edit is None:
            refused_.append((op, error, issue))
        elif issue is not None and issue.iid:
            made.append((op, issue))
            refused_.append((_rest(op, edit, issue), error, issue))
        else:
            refused_.append((op, error, None))
            orphan = EditImpossible("The new issue that this belongs to was not created.")
            refused_ += [
                (other.op, orphan, None) for other in pending.items(op.issue) if other.op.id != op.id
            ]
    return made, refused_


def _rest(op: Op, edit: Edit, issue: Issue) -> Op:
    """What is still missing on an issue that was created without all requested fields."""
    return structs.replace(op, id=OpId(new_id()), issue=issue.id, change=edit.missing_on(issue), before=issue)
