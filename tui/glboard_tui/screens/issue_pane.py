"""The open issue: what it shows at once, and loading the rest without ever showing another issue's data.

Owns the load. Description and comments carry the issue they belong to; late replies are ignored.
"""

from __future__ import annotations

from glboard_core.errors import GlboardError
from glboard_core.model.issue import Blocker, Issue, IssueId
from glboard_tui import notices, texts
from glboard_tui.bridge import Update
from glboard_tui.commands.context import CommandContext
from glboard_tui.screens import theirs
from glboard_tui.widgets.issue_pane import DetailPane


class IssuePaneLoader:
    """Fills the pane."""

    def __init__(self, desk: CommandContext, pane: DetailPane) -> None:
        self._desk = desk
        self._pane = pane
        self._generation = 0
        # What blocks the shown issue, once that was read.
        self._blockers: tuple[IssueId, tuple[Blocker, ...]] | None = None

    def open(self, identity: IssueId) -> None:
        """Show an issue: known data at once, then what is read."""
        issue = self._desk.bridge.issue(identity)
        if issue is None:
            return
        self._desk.bridge.unseen.look(identity)
        self._show(issue)
        self._desk.screen.board.changed(set(), {identity})
        self._desk.screen.set_focus(self._pane)
        self.load(identity)

    def _show(self, issue: Issue) -> None:
        bridge = self._desk.bridge
        masked = bridge.mask(issue)
        facts = [] if masked else texts.detail_facts(issue, bridge.catalog, bridge.view.flow)
        if not masked and self._blockers is not None and self._blockers[0] == issue.id:
            facts[2:2] = texts.blocker_facts(self._blockers[1], bridge.title_of_blocker)
        if not masked and (row := bridge.unseen.of(issue.id)) is not None:
            by = f"{theirs.who(row, bridge.me)}, {theirs.when(row, bridge.server_now())}:"
            facts.insert(1, ("Changed", (by, *row.what)))
        self._pane.show_issue(issue, masked or issue.title, facts)

    def load(self, identity: IssueId) -> None:
        """Read description and comments."""
        issue = self._desk.bridge.issue(identity)
        if issue is not None and self._desk.bridge.mask(issue) is not None:
            self._pane.say("Masked: comments are never shown in share mode.")
        elif issue is not None and issue.is_new:
            self._pane.say("GitLab has not created this issue yet.")
        else:
            self._generation += 1
            self._desk.screen.work(self._load(identity, self._generation), "detail", only=True)

    async def _load(self, identity: IssueId, generation: int) -> None:
        try:
            detail = await self._desk.bridge.detail(identity)
        except GlboardError as error:
            if generation == self._generation and self._pane.issue == identity:
                notice = notices.notice_of(error)
                self._pane.say(f"{notice.title}: {notice.text}")
            return
        if generation == self._generation:
            self._blockers = (identity, detail.blockers)
            issue = self._desk.bridge.issue(identity)
            if issue is not None and self._pane.issue == identity:
                self._show(issue)
            await self._pane.show_detail(detail)

    def follow(self, update: Update) -> None:
        """Update the open issue's facts, and its comments if one was added or removed."""
        identity = self._pane.issue
        if identity is None or identity not in update.issues:
            return
        issue = self._desk.bridge.issue(identity)
        if issue is None:
            self._desk.screen.close_detail()
            self._desk.say("Issue not found, or you no longer have access.")
            return
        self._show(issue)
        if any(op.issue == identity for settled in update.settled for op in settled.done):
            self.load(identity)
