"""A store that forgets: the mirror and the outbox in memory.

For ``glboard demo``, for commands that read once, and for tests. It keeps the promises of ``ports.Store``
except the disk.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from glboard_core.board.op import Op, OpId
from glboard_core.model.catalog import Catalog
from glboard_core.model.issue import Issue, IssueId


class MemoryStore:
    """``ports.Store`` in memory."""

    def __init__(self) -> None:
        self._issues: dict[IssueId, Issue] = {}
        self._view = MappingProxyType(self._issues)
        self._outbox: dict[OpId, Op] = {}
        self._catalog: Catalog | None = None

    def issue(self, issue: IssueId) -> Issue | None:
        """The confirmed issue, or none."""
        return self._issues.get(issue)

    def issues(self) -> Mapping[IssueId, Issue]:
        """All confirmed issues, live."""
        return self._view

    def put(self, issues: Iterable[Issue]) -> None:
        """Add or replace confirmed issues."""
        for issue in issues:
            self._issues[issue.id] = issue

    def drop(self, issues: Iterable[IssueId]) -> None:
        """Forget issues that left the scope."""
        for issue in issues:
            self._issues.pop(issue, None)

    def catalog(self) -> Catalog | None:
        """The catalog kept last, or none."""
        return self._catalog

    def put_catalog(self, catalog: Catalog) -> None:
        """Keep the catalog."""
        self._catalog = catalog

    def outbox(self) -> Sequence[Op]:
        """The Ops not yet settled, oldest first."""
        return list(self._outbox.values())

    def enqueue(self, ops: Sequence[Op]) -> None:
        """Keep Ops until they are settled; one with a known id is replaced."""
        for op in ops:
            self._outbox[op.id] = op

    def settle(self, ops: Iterable[OpId]) -> None:
        """Remove settled Ops."""
        for op in ops:
            self._outbox.pop(op, None)

    def close(self) -> None:
        """Nothing to let go of."""
