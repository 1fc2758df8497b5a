"""What is read of issues besides their fields, for cards and panes: merge requests, when labels were added.

Owns what of it may be shown: nothing of a hidden issue. It is read and kept by the engine.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from msgspec import UNSET

from glboard_core.board.operations import IssueDiff
from glboard_core.errors import GlboardError
from glboard_core.model.issue import Issue, IssueId
from glboard_core.model.merge_requests import MergeRequest
from glboard_core.model.workflow import WorkflowScheme
from glboard_core.planning.label_history import LabelHistory, added, days_since
from glboard_core.sync.engine import Engine
from glboard_core.zones import zone_named

#: Seconds that an open issue waits for GitLab to tell about its merge requests.
PATIENCE = 10.0


class IssueReads:
    """What the engine has read of single issues. ``hides``: whether an issue is hidden on a shared screen."""

    def __init__(self, engine: Callable[[], Engine | None], hides: Callable[[Issue], bool]) -> None:
        self._engine = engine
        self._hides = hides

    def requests(self, issue: Issue) -> Sequence[MergeRequest]:
        """The merge requests that close an issue, as last read; none if they were not, or are hidden."""
        engine = self._engine()
        if engine is None or not issue.merge_requests or self._hides(issue):
            return ()
        return engine.merge_requests.of(issue.id)

    def history(self, issue: Issue) -> LabelHistory | None:
        """What is known of when its labels were added; None if nothing is, or if it is hidden."""
        engine = self._engine()
        return None if engine is None or self._hides(issue) else engine.label_events.of(issue.id)

    def days(self, issue: Issue, flow: WorkflowScheme) -> int | None:
        """For how many days it has been in its workflow state, as far as that was seen or read."""
        history, state, engine = self.history(issue), flow.by_label(issue), self._engine()
        if history is None or state is None or engine is None:
            return None
        found = added(issue, flow.label(state), history)
        if found is None:
            return None
        return days_since(found.at, engine.today(), zone_named(engine.settings.ui.time_zone))

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
        if engine is None or not issue.merge_requests or self._hides(issue):
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
        if engine is None or issue.is_new or self._hides(issue):
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
        return zone_named(engine.settings.ui.time_zone) if engine is not None else None

    def now(self) -> datetime | None:
        """The time that everything is computed with."""
        engine = self._engine()
        return engine.now() if engine is not None else None
