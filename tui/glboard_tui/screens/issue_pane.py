"""An issue's description and comments, loaded without ever showing another issue's data.

``OpenIssue`` shows the issue opened over the board; ``DescriptionPane`` the one under a list's cursor.
Content carries the issue it belongs to; late replies are ignored.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any, Protocol

from textual.screen import Screen
from textual.timer import Timer

from glboard_core.errors import GlboardError
from glboard_core.model.issue import Issue, IssueDetail, IssueId
from glboard_tui import notices, texts
from glboard_tui.bridge import Bridge, Update
from glboard_tui.issue_facts import detail_facts, hidden_facts
from glboard_tui.keymap import Keymap
from glboard_tui.more_of_issue import MoreOfIssue
from glboard_tui.screens.task_focus import TaskFocus
from glboard_tui.widgets.board import BoardWidget
from glboard_tui.widgets.issue_notes import NotesView
from glboard_tui.widgets.issue_pane import DetailPane


class Work(Protocol):
    """Runs a background job."""

    def __call__(self, job: Coroutine[Any, Any, None], group: str, *, only: bool = False) -> None:
        """Run it. ``only`` cancels an earlier one of its group."""


def _nothing_to_load(bridge: Bridge, issue: Issue) -> str:
    """What is shown in place of description and comments that cannot be read, or ""."""
    if bridge.mask(issue) is not None:
        return "Hidden on the shared screen: title, people, labels, description, comments and links."
    return "GitLab has not created this issue yet." if issue.is_new else ""


def _notes_view(bridge: Bridge) -> NotesView:
    return NotesView(
        short_name=bridge.people_words.short, now=bridge.reads.now(), zone=bridge.reads.zone() or UTC
    )


class OpenIssue:
    """The issue opened over the board. ``changed`` is called when it opened or closed."""

    def __init__(
        self,
        bridge: Bridge,
        keymap: Keymap,
        board: BoardWidget,
        pane: DetailPane,
        work: Work,
        changed: Callable[[], None],
    ) -> None:
        self._bridge = bridge
        self._keymap = keymap
        self._board = board
        self.pane = pane
        pane.notes_view = lambda: _notes_view(bridge)
        self._work = work
        self._changed = changed
        self._generation = 0
        #: What was read of the shown issue, and which task of its description has the focus.
        self._more = MoreOfIssue(bridge)
        self.tasks = TaskFocus(pane)

    @property
    def id(self) -> IssueId | None:
        """The open issue."""
        return self.pane.issue

    @property
    def has_keys(self) -> bool:
        """Whether keys go to it."""
        return self.pane.has_keys

    def open(self, issue: IssueId | None = None) -> None:
        """Open an issue, by default the focused one: known data at once, then what is read."""
        identity = issue or self._board.focused[0]
        found = self._bridge.issue(identity) if identity else None
        if found is None:
            return
        self._bridge.unseen.look(found.id)
        self._show(found)
        self._board.changed(set(), {found.id})
        self.pane.screen.set_focus(self.pane)
        self._load(found.id)
        self._changed()

    def close(self) -> None:
        """Return to the board."""
        if self.pane.is_open:
            self.pane.close()
            self.pane.screen.set_focus(self._board)
            self._changed()

    def share_changed(self) -> None:
        """Show it again as everybody may see it now: nothing that was read before stays."""
        self._generation += 1
        self._more.forget()
        self.tasks.forget()
        if self.id is not None and (issue := self._bridge.issue(self.id)) is not None:
            self.pane.forget()
            self._show(issue)
            self._load(issue.id)

    @property
    def modes(self) -> frozenset[str]:
        """The states that decide about its own keys."""
        return frozenset({"tasks"}) if self.tasks.of(self.id) else frozenset()

    def reload(self) -> None:
        """Reload description and comments."""
        if self.id is not None:
            self._load(self.id)

    def _show(self, issue: Issue) -> None:
        bridge = self._bridge
        masked = bridge.mask(issue)
        names = bridge.settings.labels
        if masked:
            facts = hidden_facts(issue)
        else:
            facts = detail_facts(issue, bridge.catalog, bridge.view.flow, names, self._more.of(issue))
        if not masked and (row := bridge.unseen.of(issue.id)) is not None:
            by = f"{texts.who(row, bridge.me)}, {texts.when(row, bridge.server_now())}:"
            facts.insert(1, ("Changed", (by, *map(bridge.text, row.what))))
        reference = bridge.reference_of(issue) if masked else issue.reference
        self.pane.show_issue(issue, bridge.title_of(issue), facts, (reference, *self._place(issue.id)))

    def _place(self, issue: IssueId) -> tuple[str, ...]:
        """Where it is in its column, and the keys that lead to the next issue and the one before."""
        if not (where := self._board.where(issue)):
            return ()
        following, preceding = (self._keymap.key(f"issue.{way}") for way in ("next", "previous"))
        keys = ((following, "next"), (preceding, "previous"))
        return (where, *(f"{key} {word}" for key, word in keys if key))

    def _load(self, identity: IssueId) -> None:
        issue = self._bridge.issue(identity)
        if issue is not None and (words := _nothing_to_load(self._bridge, issue)):
            self.pane.say(words)
        else:
            self._generation += 1
            self._work(self._read(identity, self._generation), "detail", only=True)

    async def _read(self, identity: IssueId, generation: int) -> None:
        try:
            detail = await self._bridge.reads.detail(identity)
        except GlboardError as error:
            if generation == self._generation and self.id == identity:
                self.pane.say(notices.notice_of(error).line)
            return
        if generation == self._generation:
            self._more.learn(detail)
            issue = self._bridge.issue(identity)
            if issue is not None and self.id == identity:
                self._show(issue)
            await self.tasks.show(detail)
            if issue is not None:
                await self._read_more(issue, generation)

    async def _read_more(self, issue: Issue, generation: int) -> None:
        """What needs requests of its own comes last, each part as it is there."""
        for read in (self._more.read_requests, self._more.read_history):
            if generation != self._generation or self.id != issue.id:
                return
            if await read(issue) and generation == self._generation and self.id == issue.id:
                self._show(self._bridge.issue(issue.id) or issue)

    def follow(self, update: Update) -> bool:
        """Update the facts, and the comments if one was added or removed; return False if it is gone."""
        identity = self.id
        if identity is None or identity not in update.issues:
            return True
        issue = self._bridge.issue(identity)
        if issue is None:
            self.close()
            return False
        if self._bridge.mask(issue) is not None:
            # It may have become confidential a moment ago.
            self.share_changed()
            return True
        self._show(issue)
        if any(op.issue == identity for settled in update.settled for op in settled.done):
            self._load(identity)
        return True


#: Seconds the cursor rests before a request: moving down a list requests nothing.
_REST = 0.12
_KEPT = 50

_Version = tuple[IssueId, datetime, int, str]


class DescriptionPane:
    """The description of the issue under a list's cursor, read in the background while it is shown.

    ``loaded`` is called with what was read, unless another issue is shown then.
    """

    def __init__(
        self, bridge: Bridge, screen: Screen[None], loaded: Callable[[IssueDetail], None] = lambda _: None
    ) -> None:
        self.pane = DetailPane()
        self.pane.notes_view = lambda: _notes_view(bridge)
        self._loaded = loaded
        self.pane.can_focus = False
        self.on = False
        self._bridge = bridge
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
        masked = self._bridge.mask(issue)
        seen = "hidden" if masked else "shared" if self._bridge.share.is_on else ""
        version = (issue.id, issue.updated_at, issue.notes, seen)
        issue = self._bridge.view_of(issue)
        facts = (("Labels", self._telling(issue)), ("Assigned", issue.assignees))
        self.pane.show_issue(issue, issue.title, () if masked else facts)
        if version == self._wanted:
            return
        self._stop()
        self._wanted = version
        if words := _nothing_to_load(self._bridge, issue):
            self.pane.say(words)
        elif version in self._kept:
            self._work(version)
        else:
            self._timer = self._screen.set_timer(_REST, lambda: self._work(version))

    def _telling(self, issue: Issue) -> tuple[str, ...]:
        """The labels that are neither the same on every issue nor shown by the list."""
        names = self._bridge.settings.labels
        same = {names.group, names.devops, names.section}
        said = (names.workflow_prefix, names.priority_prefix, names.type_prefix)
        labels = (label for label in issue.labels if label not in same and not label.startswith(said))
        return tuple(sorted(labels, key=str.casefold))

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
                detail = await self._bridge.reads.detail(version[0])
            except GlboardError as error:
                if version == self._wanted:
                    self.pane.say(notices.notice_of(error).line)
                return
            self._kept[version] = detail
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        if version == self._wanted:
            self._loaded(detail)
            await self.pane.show_detail(detail)
