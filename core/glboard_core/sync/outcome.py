"""How an Op ends, as it is kept: a line of the change log, and for a refused one what to show later."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from glboard_core import errors
from glboard_core.board.op import Create, GroupId, Op, describe, inverse
from glboard_core.board.undo import Group
from glboard_core.errors import GlboardError
from glboard_core.ports import MADE, Logged, Refusal

#: How the title of an undo begins.
UNDO = "undo: "


def logged(op: Op, title: str, at: datetime, result: str, message: str = "") -> Logged:
    """One line of the log: what was changed, and what it was before, in words without the issue's title."""
    back = inverse(op.act, op.before, op.id)
    new = isinstance(op.act, Create)
    return Logged(
        at=at,
        change=op,
        op=op.id,
        group=op.group,
        title=title,
        reference=op.before.reference if op.before else f"{op.act.project}#new" if new else op.issue,  # type: ignore[union-attr]
        what=describe(op.act, op.before),
        was=describe(back) if back is not None and not new else "",
        result=result,
        message=message,
    )


def last_made(log: Sequence[Logged]) -> Group | None:
    """What undo takes back when nothing was done in this session: the last group of the log, newest first.

    Not what was undone already, and not an undo itself.
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


def refused(op: Op, title: str, error: GlboardError, at: datetime) -> Refusal:
    """A change that was not made, to be kept."""
    return Refusal(
        op=op, title=title, kind=type(error).__name__, message=error.message, hint=error.hint, at=at
    )


def remembered(refusal: Refusal) -> tuple[Op, GlboardError]:
    """A kept refusal as the error it was; of a kind this version does not know, the plain one."""
    kind = getattr(errors, refusal.kind, None)
    if isinstance(kind, type) and issubclass(kind, errors.EditRefused):
        return refusal.op, kind(refusal.message, hint=refusal.hint)
    return refusal.op, GlboardError(refusal.message, hint=refusal.hint)
