"""Pinned issues: those that a person opened or edited although they are out of the mirror's scope.

Owns which they are, in the state file, so that no process takes one away while another shows it. They are
issues like all others for edits, undo and conflicts; lists, boards and figures leave them out, as long as
they do not belong there. The oldest ones leave the mirror when nothing needs them.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping

import msgspec

from glboard_core.model.issue import Issue, IssueId
from glboard_core.ports import Store

#: The store key: their ids, the one that was opened last at the end.
PINNED = "pinned"
#: So many stay that nothing needs: they are found again, and what was done to them can be undone.
MOST = 20


def pinned_ids(store: Store) -> tuple[IssueId, ...]:
    """The pinned issues, the latest last."""
    try:
        return tuple(map(IssueId, msgspec.json.decode(store.meta(PINNED) or b"[]", type=list[str])))
    except msgspec.DecodeError:
        return ()  # of another version: they can be read again


class PinnedIssues:
    """The pinned issues of a state file. ``belongs`` tells whether an issue is in scope, and in the group."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.belongs: Callable[[Issue], bool] = lambda _: True
        #: The issues that are open on screen in this process.
        self.open: frozenset[IssueId] = frozenset()

    def ids(self) -> tuple[IssueId, ...]:
        """The pinned issues, the latest last."""
        return pinned_ids(self._store)

    def kept(self) -> frozenset[IssueId]:
        """The issues that stay in the mirror whatever its scope is."""
        return frozenset(self.ids())

    def unlisted(self, shown: Mapping[IssueId, Issue]) -> frozenset[IssueId]:
        """Those that no list, board or figure has: they do not belong to the scope as they are shown."""
        found = ((one, shown.get(one)) for one in self.ids())
        return frozenset(one for one, issue in found if issue is not None and not self.belongs(issue))

    def listed(self, issue: Issue | None) -> Issue | None:
        """The issue, unless no list has it."""
        if issue is None or issue.id not in self.ids() or self.belongs(issue):
            return issue
        return None

    def pin(self, issues: Iterable[Issue], needed: Container[IssueId]) -> list[IssueId]:
        """Pin those of them that do not belong to the scope; returns which can leave the mirror for them."""
        before = self.ids()
        new = [issue.id for issue in issues if issue.id in before or not self.belongs(issue)]
        if not new:
            return []
        order = list(dict.fromkeys([*(one for one in before if one not in new), *new]))
        spare = [one for one in order if one not in needed and one not in self.open and one not in new]
        gone = spare[: max(0, len(spare) + len(new) - MOST)]
        kept = [one for one in order if one not in gone]
        self._store.put_meta(PINNED, msgspec.json.encode(kept))
        return [one for one in gone if (issue := self._store.issue(one)) and not self.belongs(issue)]
