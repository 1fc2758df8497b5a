"""Makes the Ops of a keystroke: each on the issue as it is shown, and as the ones before it leave it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from glboard_core.board.operations import Change, GroupId, Op, OpId, new_id
from glboard_core.model.issue import Issue, IssueId
from glboard_core.sync.local_state import Shown


class MakeOps:
    """Ops of one group; none of a change that would change nothing, or whose issue is not shown.

    ``now`` is the server's time even with --as-of: recovery on the server depends on it.
    """

    def __init__(self, shown: Shown, now: Callable[[], datetime]) -> None:
        self._shown = shown
        self._now = now

    def __call__(
        self, changes: Sequence[tuple[IssueId, Change]], *, seen: Mapping[IssueId, Issue] | None = None
    ) -> list[Op]:
        """``seen``: the issues as the person saw them, if that is not what is shown."""
        group = GroupId(new_id())
        ops: list[Op] = []
        now: dict[IssueId, Issue] = {}
        saw: dict[IssueId, Issue] = dict(seen or {})
        for issue, change in changes:
            shown = now.get(issue) or self._shown.get(issue)
            if shown is None and not change.creates:
                continue
            if shown is not None and change.changes_nothing(shown):
                continue
            before = saw.get(issue, shown)
            at = self._now()
            op = Op(id=OpId(new_id()), group=group, issue=issue, change=change, at=at, before=before)
            ops.append(op)
            after = change.new_issue(issue, at) if shown is None else change.apply(shown)
            if after is not None:
                now[issue] = after
            if before is not None:
                saw[issue] = change.apply(before)
        return ops
