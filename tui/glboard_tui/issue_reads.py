"""What is read of issues besides their fields: their texts, merge requests, when labels were added.

Owns what of it may be shown: nothing of a hidden issue.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from msgspec import UNSET, structs

from glboard_core.board.operations import IssueDiff
from glboard_core.errors import GlboardError, NotConnected, SharedScreen
from glboard_core.model.issue import Issue, IssueDetail, IssueId
from glboard_core.model.merge_requests import MergeRequest
from glboard_core.model.workflow import WorkflowScheme
from glboard_core.planning.label_history import LabelHistory, added, days_since
from glboard_core.sync.engine import Engine
from glboard_tui.share import ShareMode

#: Seconds that an open issue waits for GitLab to tell about its merge requests.
PATIENCE = 10.0
#: Seconds to wait for merge request states before asking without them.
REQUESTS_PATIENCE = 4.0


class IssueReads:
    """What is read of single issues. ``staged`` is the description of an issue as the draft has it."""

    def __init__(
        self,
        engine: Callable[[], Engine | None],
        share: ShareMode,
        whole_issue: Callable[[IssueId], Issue | None],
        staged: Callable[[IssueId], str | None],
    ) -> None:
        self._engine = engine
        self._share = share
        self._whole_issue = whole_issue
        self._staged = staged

    def requests(self, issue: Issue) -> Sequence[MergeRequest]:
        """The merge requests that close an issue, as last read; none if they were not, or are hidden."""
        engine = self._engine()
        if engine is None or not issue.merge_requests or self._share.hides(issue):
            return ()
        return engine.merge_requests.of(issue.id)

    def history(self, issue: Issue) -> LabelHistory | None:
        """What is known of when its labels were added; None if nothing is, or if it is hidden."""
        engine = self._engine()
        return None if engine is None or self._share.hides(issue) else engine.label_events.of(issue.id)

    def days(self, issue: Issue, flow: WorkflowScheme) -> int | None:
        """For how many days it has been in its workflow state, as far as that was seen or read."""
        history, state, engine = self.history(issue), flow.by_label(issue), self._engine()
        if history is None or state is None or engine is None:
            return None
        found = added(issue, flow.label(state), history)
        if found is None:
            return None
        return days_since(found.at, engine.today(), ZoneInfo(engine.settings.ui.time_zone))

    def saw(self, changes: Sequence[IssueDiff], flow: WorkflowScheme) -> None:
        """These issues changed: of those that are in another workflow state, since when is known now."""
        engine = self._engine()
        if engine is None:
            return
        moved: list[tuple[Issue, list[str]]] = []
        for before, after in changes:
            if before is None or after is None or before.labels == after.labels:
                continue
            new = sorted(flow.workflow_labels(after) - before.labels)
            if new:
                moved.append((after, new))
        if moved:
            engine.label_events.saw(moved)

    async def read_requests(self, issue: Issue) -> Sequence[MergeRequest] | None:
        """The merge requests that close an issue, with approvals, as of now; None if they are not told."""
        engine = self._engine()
        if engine is None or not issue.merge_requests or self._share.hides(issue):
            return None
        try:
            async with asyncio.timeout(PATIENCE):
                found = (await engine.gateway.merge_requests([issue], approvals=True)).get(issue.id)
        except (GlboardError, TimeoutError):
            return None
        if found is not None:
            engine.merge_requests.learn(issue, found)
        return found

    async def read_history(self, issue: Issue) -> LabelHistory | None:
        """When its labels were added; None if GitLab does not tell."""
        engine = self._engine()
        if engine is None or issue.is_new or self._share.hides(issue):
            return None
        try:
            return await engine.label_events.read(issue)
        except GlboardError:
            return None

    def unsent_description(self, issue: IssueId) -> str | None:
        """The description as it will be once what is unsent was sent; None if that does not change it."""
        engine = self._engine()
        if engine is None:
            return None
        edits = (edit for op in engine.outbox.of(issue) if (edit := op.change.as_edit) is not None)
        texts = [edit.description for edit in edits if edit.description is not UNSET]
        return texts[-1] if texts else None

    def zone(self) -> ZoneInfo | None:
        """The team's time zone."""
        engine = self._engine()
        return ZoneInfo(engine.settings.ui.time_zone) if engine is not None else None

    def now(self) -> datetime | None:
        """The time that everything is computed with."""
        engine = self._engine()
        return engine.now() if engine is not None else None

    async def detail(self, issue: IssueId) -> IssueDetail:
        """Description, as staged if it is, and notes, as everybody may see them, from the server.

        Raises EditForbidden, ConnectionFailed, AuthError.
        """
        if (engine := self._engine()) is None:
            raise NotConnected
        found = await engine.gateway.detail(issue)
        staged = self._description_here(issue)
        detail = found if staged is None else structs.replace(found, description=staged, source=staged)
        return self._share.detail(self._whole_issue(issue), detail)

    def _description_here(self, issue: IssueId) -> str | None:
        """The description as it is staged, or unsent; None if it is as GitLab has it."""
        staged = self._staged(issue)
        return self.unsent_description(issue) if staged is None else staged

    async def detail_to_edit(self, issue: IssueId) -> tuple[Issue | None, IssueDetail]:
        """The issue and its texts as GitLab has them. Raises what ``detail`` raises, and SharedScreen."""
        if (engine := self._engine()) is None:
            raise NotConnected
        detail = await engine.gateway.detail(issue)
        staged = self._description_here(issue)
        if staged is not None:
            detail = structs.replace(detail, description=staged, source=staged)
        found = self._whole_issue(issue)
        if found is not None and (
            self._share.hides(found) or self._share.finds(f"{found.title} {detail.source}")
        ):
            raise SharedScreen
        return found, detail

    async def requests_now(self, issues: Sequence[Issue]) -> Mapping[IssueId, Sequence[MergeRequest]]:
        """The merge requests that close these issues, as far as GitLab tells now; none of them offline.

        Those of a hidden issue are not asked for.
        """
        if (engine := self._engine()) is None or engine.status.freshness != "live":
            return {}
        try:
            async with asyncio.timeout(REQUESTS_PATIENCE):
                return await engine.gateway.merge_requests(
                    [issue for issue in issues if not self._share.hides(issue)]
                )
        except (GlboardError, TimeoutError):
            return {}
