"""The source of a picker for issues: those on this machine, by anything that they are found by, and GitLab's.

Owns what is offered first, and what everybody may see of each. An issue that is named by its reference or its
URL is read, wherever it is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from glboard_core.board.find import best_of
from glboard_core.model.issue import Issue, IssueId, LinkedIssue, short_reference, to_link
from glboard_core.model.query import Found
from glboard_tui.bridge import Bridge
from glboard_tui.screens.picker_source import Choice

#: Lines of one answer from this machine.
_MOST = 8
#: The fewest letters that are searched for on GitLab.
_FEWEST = 3


class LinkableIssues:
    """Issues to choose one of. ``without`` are not offered."""

    searches = True

    def __init__(self, bridge: Bridge, *, without: Collection[IssueId] = ()) -> None:
        self._bridge = bridge
        self._without = frozenset(without)
        #: What GitLab found beyond this machine.
        self._elsewhere: dict[IssueId, LinkedIssue] = {}

    def known(self) -> Sequence[Choice]:
        bridge = self._bridge
        recent = bridge.lookup.recent("issue")
        if bridge.lookup.why_not() or not recent:
            # Nothing can be searched, or nothing was chosen before: the cards of the board are offered.
            index = bridge.index
            columns = index.visible() if index is not None else []
            return self._lines(column[row] for column in columns for row in range(len(column)))
        return self._lines(IssueId(value) for value in recent)

    def why_not(self) -> str:
        return self._bridge.lookup.why_not()

    async def search(self, text: str) -> Found[Choice]:
        bridge = self._bridge
        finding = bridge.finding
        if (address := finding.address(text)) is not None:
            lines = await finding.read(address)
            return Found(tuple(self._lines(IssueId(line.key) for line in lines)))
        await finding.fill()
        hits = best_of(text, (line for line in finding if line.kind == "issue"), _MOST)
        found = self._lines(IssueId(hit.line.key) for hit in hits.best)
        if len(text) < _FEWEST:
            return Found(tuple(found), True)
        there = await bridge.lookup.issues(text)
        for one in there.items:
            if bridge.issue(one.id) is None:
                self._elsewhere[one.id] = one
        ids = {choice.value for choice in found}
        found += [line for line in self._lines(one.id for one in there.items) if line.value not in ids]
        return Found(tuple(found), there.more or hits.count > len(hits.best))

    def chosen(self, values: Collection[str]) -> None:
        self._bridge.lookup.chosen("issue", values)

    def linked(self, value: str) -> LinkedIssue | None:
        """The issue that was chosen, to be linked."""
        identity = IssueId(value)
        issue = self._bridge.issue(identity)
        return self._elsewhere.get(identity) if issue is None else to_link(issue)

    def _lines(self, ids: Iterable[IssueId]) -> list[Choice]:
        found: list[Choice] = []
        for identity in ids:
            issue = self._bridge.issue(identity)
            line = self._line(issue) if issue is not None else self._line_elsewhere(identity)
            if line is not None:
                found.append(line)
        return found

    def _line(self, issue: Issue) -> Choice | None:
        bridge = self._bridge
        if issue.id in self._without or issue.is_new:
            return None
        note = " · ".join(filter(None, ("" if issue.is_open else "closed", issue.milestone or "")))
        text = f"{bridge.reference_of(issue)} {issue.title}"
        return Choice(value=issue.id, text=text, note=note, also=" ".join(issue.labels))

    def _line_elsewhere(self, identity: IssueId) -> Choice | None:
        one = self._elsewhere.get(identity)
        if one is None or identity in self._without:
            return None
        text = f"{self._bridge.text(short_reference(one.reference))} {self._bridge.title_of_linked(one)}"
        return Choice(value=identity, text=text, note="" if one.is_open else "closed")
