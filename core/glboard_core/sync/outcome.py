"""How an Op ends, as it is kept: a line of the change log, and for a refused one what to show later."""

from __future__ import annotations

from datetime import datetime

from glboard_core import errors
from glboard_core.board.op import Create, Op, describe, inverse
from glboard_core.errors import GlboardError
from glboard_core.ports import Logged, Refusal


def logged(op: Op, title: str, at: datetime, result: str, message: str = "") -> Logged:
    """One line of the log: what was changed, and what it was before, in words without the issue's title."""
    back = inverse(op.act, op.before, op.id)
    new = isinstance(op.act, Create)
    return Logged(
        at=at,
        op=op.id,
        group=op.group,
        title=title,
        reference=op.before.reference if op.before else f"{op.act.project}#new" if new else op.issue,  # type: ignore[union-attr]
        what=describe(op.act, op.before),
        was=describe(back) if back is not None and not new else "",
        result=result,
        message=message,
    )


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
