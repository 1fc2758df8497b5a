"""The open issue: what it shows at once, and loading the rest without ever showing another issue's data.

Owns the load. Description and comments carry the issue they belong to; late replies are ignored.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime

from textual.screen import Screen
from textual.timer import Timer

from glboard_core.errors import GlboardError
from glboard_core.model.issue import Blocker, Issue, IssueDetail, IssueId
from glboard_tui import notices, texts
from glboard_tui.bridge import Update
from glboard_tui.commands.context import CommandContext
from glboard_tui.widgets.issue_pane import DetailPane


class IssuePaneLoader:
    """Fills the pane."""

    def __init__(self, context: CommandContext, pane: DetailPane) -> None:
        self._command_context = context
        self._pane = pane
        self._generation = 0
        # What blocks the shown issue, once that was read.
        self._blockers: tuple[IssueId, tuple[Blocker, ...]] | None = None

    def open(self, identity: IssueId) -> None:
        """Show an issue: known data at once, then what is read."""
        issue = self._command_context.bridge.issue(identity)
        if issue is None:
            return
        self._command_context.bridge.unseen.look(identity)
        self._show(issue)
        self._command_context.screen.board.changed(set(), {identity})
        self._command_context.screen.set_focus(self._pane)
        self.load(identity)

    def _show(self, issue: Issue) -> None:
        bridge = self._command_context.bridge
        masked = bridge.mask(issue)
        facts = [] if masked else texts.detail_facts(issue, bridge.catalog, bridge.view.flow)
        if not masked and self._blockers is not None and self._blockers[0] == issue.id:
            facts[2:2] = texts.blocker_facts(self._blockers[1], bridge.title_of_blocker)
        if not masked and (row := bridge.unseen.of(issue.id)) is not None:
            by = f"{texts.who(row, bridge.me)}, {texts.when(row, bridge.server_now())}:"
            facts.insert(1, ("Changed", (by, *row.what)))
        self._pane.show_issue(issue, masked or issue.title, facts)

    def load(self, identity: IssueId) -> None:
        """Read description and comments."""
        issue = self._command_context.bridge.issue(identity)
        if issue is not None and self._command_context.bridge.mask(issue) is not None:
            self._pane.say("Masked: comments are never shown in share mode.")
        elif issue is not None and issue.is_new:
            self._pane.say("GitLab has not created this issue yet.")
        else:
            self._generation += 1
            self._command_context.screen.work(self._load(identity, self._generation), "detail", only=True)

    async def _load(self, identity: IssueId, generation: int) -> None:
        try:
            detail = await self._command_context.bridge.detail(identity)
        except GlboardError as error:
            if generation == self._generation and self._pane.issue == identity:
                notice = notices.notice_of(error)
                self._pane.say(f"{notice.title}: {notice.text}")
            return
        if generation == self._generation:
            self._blockers = (identity, detail.blockers)
            issue = self._command_context.bridge.issue(identity)
            if issue is not None and self._pane.issue == identity:
                self._show(issue)
            await self._pane.show_detail(detail)

    def follow(self, update: Update) -> None:
        """Update the open issue's facts, and its comments if one was added or removed."""
        identity = self._pane.issue
        if identity is None or identity not in update.issues:
            return
        issue = self._command_context.bridge.issue(identity)
        if issue is None:
            self._command_context.screen.close_detail()
            self._command_context.say("Issue not found, or you no longer have access.")
            return
        self._show(issue)
        if any(op.issue == identity for settled in update.settled for op in settled.done):
            self.load(identity)


# The description of the issue under a list's cursor, read in the background.

#: Seconds the cursor rests before a request: moving down a list requests nothing.
_REST = 0.12
_KEPT = 50
_SCROLL = 3

_Version = tuple[IssueId, datetime, int]


class Reading:
    """Fills the pane of one list while it is shown."""

    def __init__(self, context: CommandContext, screen: Screen[None]) -> None:
        self.pane = DetailPane()
        self.pane.can_focus = False
        self.on = False
        self._command_context = context
        self._screen = screen
        self._timer: Timer | None = None
        self._wanted: _Version | None = None
        self._kept: OrderedDict[_Version, IssueDetail] = OrderedDict()

    def show(self, issue: Issue | None) -> None:
        """Show an issue: known data at once, the rest if it was read before, otherwise soon."""
        if issue is None or not self.on:
            self._stop()
            self._wanted = None
            self.pane.close()
            return
        bridge = self._command_context.bridge
        masked = bridge.mask(issue)
        facts = (("Labels", self._telling(issue)), ("Assigned", issue.assignees))
        self.pane.show_issue(issue, masked or issue.title, () if masked else facts)
        version = (issue.id, issue.updated_at, issue.notes)
        if version == self._wanted:
            return
        self._stop()
        self._wanted = version
        if masked is not None:
            self.pane.say("Masked: descriptions and comments are never shown in share mode.")
        elif issue.is_new:
            self.pane.say("GitLab has not created this issue yet.")
        elif version in self._kept:
            self._work(version)
        else:
            self._timer = self._screen.set_timer(_REST, lambda: self._work(version))

    def _telling(self, issue: Issue) -> tuple[str, ...]:
        """The labels that are neither the same on every issue nor shown by the list."""
        names = self._command_context.bridge.settings.labels
        same = {names.group, names.devops, names.section}
        said = (names.workflow_prefix, names.priority_prefix, names.type_prefix)
        labels = (label for label in issue.labels if label not in same and not label.startswith(said))
        return tuple(sorted(labels, key=str.casefold))

    def key(self, token: str) -> bool:
        """Toggle or scroll the pane; return whether the key was one of its own."""
        if token in ("v", "enter"):
            self.on = not self.on
        elif not self.on:
            return False
        elif token in ("J", "K"):
            self.pane.scroll_by(_SCROLL if token == "J" else -_SCROLL)  # noqa: S105  (a key, no secret)
        elif token in ("pagedown", "pageup"):
            self.pane.scroll_half(1 if token == "pagedown" else -1)  # noqa: S105  (a key, no secret)
        else:
            return False
        return True

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None

    def _work(self, version: _Version) -> None:
        self._screen.run_worker(self._read(version), group="detail", exclusive=True, exit_on_error=False)

    async def _read(self, version: _Version) -> None:
        detail = self._kept.get(version)
        if detail is None:
            try:
                detail = await self._command_context.bridge.detail(version[0])
            except GlboardError as error:
                if version == self._wanted:
                    notice = notices.notice_of(error)
                    self.pane.say(f"{notice.title}: {notice.text}")
                return
            self._kept[version] = detail
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        if version == self._wanted:
            await self.pane.show_detail(detail)
