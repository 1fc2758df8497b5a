"""What was read of the one issue that a pane shows, for its facts.

Owns which issue that is: what was read of another one is never shown. What an earlier session kept is there
at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC

from glboard_core.model.issue import Issue, IssueDetail, LinkedIssue, Note
from glboard_core.model.merge_requests import MergeRequest
from glboard_core.planning.label_history import LabelHistory, status_set
from glboard_tui.bridge import Bridge
from glboard_tui.issue_facts import IssueMore


class MoreOfIssue:
    """What is known of one issue beyond its card."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._detail: IssueDetail | None = None
        self._requests: tuple[str, Sequence[MergeRequest]] = ("", ())

    def forget(self) -> None:
        """Keep nothing of what was read."""
        self._detail = None
        self._requests = ("", ())

    def learn(self, detail: IssueDetail) -> None:
        """Its description, notes and links were read."""
        self._detail = detail

    def links(self, issue: Issue) -> Sequence[LinkedIssue]:
        """The issues linked to it, as far as they were read."""
        return self._detail.links if self._detail is not None and self._detail.id == issue.id else ()

    def of(self, issue: Issue) -> IssueMore:
        """What is known of this issue."""
        bridge, reads = self._bridge, self._bridge.reads
        requests = self._requests[1] if self._requests[0] == issue.id else reads.requests(issue)
        notes: Sequence[Note] = ()
        if self._detail is not None and self._detail.id == issue.id:
            notes = self._detail.notes
        return IssueMore(
            links=self.links(issue),
            requests=requests or None,
            history=reads.history(issue),
            since=status_set(notes, issue.status) if issue.status else None,
            today=bridge.today,
            now=reads.now(),
            zone=reads.zone() or UTC,
            title_of=bridge.title_of_linked,
            text=bridge.text,
            person=self._person,
            assignee=bridge.people_words.name,
        )

    def _person(self, username: str) -> str:
        bridge = self._bridge
        return bridge.people_words.name(username) if username and bridge.share.names_people else ""

    async def read_requests(self, issue: Issue) -> bool:
        """Read its merge requests, with approvals; returns whether they are known now."""
        if (found := await self._bridge.reads.read_requests(issue)) is None:
            return False
        self._requests = (issue.id, found)
        return True

    async def read_history(self, issue: Issue) -> bool:
        """Read when it got its labels; returns whether that is known now."""
        found: LabelHistory | None = await self._bridge.reads.read_history(issue)
        return found is not None
