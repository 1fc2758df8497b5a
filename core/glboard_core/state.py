"""shown = fold(confirmed, pending).

Owns the two pure functions behind everything on screen. ``confirmed`` is what the server last reported;
``pending`` is what a person did and the server has not confirmed yet, in layers (a draft over the outbox).
Nothing here changes ``confirmed``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from glboard_core.board.operations import Create, Op, apply, created
from glboard_core.model.issue import Issue, IssueId


def fold_one(issue: Issue | None, ops: Iterable[Op]) -> Issue | None:
    """One issue with its pending Ops applied in order; a Create adds the issue if it does not exist."""
    for op in ops:
        if issue is None:
            if isinstance(op.act, Create):
                issue = created(op)
            continue
        issue = apply(op.act, issue)
    return issue


def fold(confirmed: Mapping[IssueId, Issue], layers: Sequence[Sequence[Op]]) -> dict[IssueId, Issue]:
    """The issues that differ from ``confirmed`` once the layers are applied, lowest layer first.

    Only issues with pending Ops are computed, so the cost is independent of the mirror's size.
    """
    by_issue: dict[IssueId, list[Op]] = {}
    for layer in layers:
        for op in layer:
            by_issue.setdefault(op.issue, []).append(op)
    return {
        identity: issue
        for identity, ops in by_issue.items()
        if (issue := fold_one(confirmed.get(identity), ops)) is not None
    }


class IssueDiff(tuple[Issue | None, Issue | None]):
    """(before, after): before is None for an added issue, after is None for a removed one."""

    __slots__ = ()


def diff(before: Mapping[IssueId, Issue], after: Mapping[IssueId, Issue]) -> Iterator[IssueDiff]:
    """The changes that lead from ``before`` to ``after``, in no particular order."""
    for identity, issue in before.items():
        other = after.get(identity)
        if other is not issue and other != issue:
            yield IssueDiff((issue, other))
    for identity, issue in after.items():
        if identity not in before:
            yield IssueDiff((None, issue))
