"""The shown issues as a mapping: the confirmed issues with pending changes applied.

Owns the overlay. ``confirmed`` belongs to the store and is never changed here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, ValuesView

from glboard_core.board.operations import Op
from glboard_core.model.issue import Issue, IssueId
from glboard_core.model.slim import IssueRow, row_of
from glboard_core.ports import Issues
from glboard_core.state import fold_one


class Shown(Mapping[IssueId, Issue]):
    """shown = fold(confirmed, pending), computed only for issues with pending Ops."""

    def __init__(self, confirmed: Issues) -> None:
        self._confirmed = confirmed
        self._overlay: dict[IssueId, Issue] = {}

    def fold(self, issue: IssueId, ops: Sequence[Op]) -> None:
        """Recompute one issue from its pending Ops."""
        folded = fold_one(self._confirmed.get(issue), ops) if ops else None
        if folded is None:
            self._overlay.pop(issue, None)
        else:
            self._overlay[issue] = folded

    def matching(self, milestone: str | None) -> Iterator[Issue]:
        """The issues of a milestone as shown ("" for those without), or all for None."""
        for issue in self._confirmed.matching(milestone):
            if issue.id not in self._overlay:
                yield issue
        for issue in list(self._overlay.values()):
            if milestone is None or (issue.milestone or "") == milestone:
                yield issue

    def slim(self, milestone: str | None) -> Iterator[IssueRow]:
        """The same as slim rows: only what is needed to place, count and sort."""
        for issue in self._confirmed.slim(milestone):
            if issue.id not in self._overlay:
                yield issue
        for shown in list(self._overlay.values()):
            if milestone is None or (shown.milestone or "") == milestone:
                yield row_of(shown)

    def values(self) -> ValuesView[Issue]:
        """All of them, in one pass rather than one by one."""
        return _Values(self)

    def __getitem__(self, issue: IssueId) -> Issue:
        return self._overlay[issue] if issue in self._overlay else self._confirmed[issue]

    def __iter__(self) -> Iterator[IssueId]:
        yield from self._confirmed
        for issue in self._overlay:
            if issue not in self._confirmed:
                yield issue

    def __len__(self) -> int:
        return len(self._confirmed) + sum(issue not in self._confirmed for issue in self._overlay)

    def __contains__(self, issue: object) -> bool:
        return issue in self._overlay or issue in self._confirmed


class _Values(ValuesView[Issue]):
    def __init__(self, shown: Shown) -> None:
        super().__init__(shown)
        self._shown = shown

    def __iter__(self) -> Iterator[Issue]:
        return self._shown.matching(None)
