"""The board screen: header, board, open issue, capacity pane and footer.

Owns what is on top and when each part is repainted; filtering, quitting and the capacity pane's space are
parts that get only what they need. It holds no board logic and binds no keys: ``keys.py`` turns keys into
commands, ``texts.py`` state into text.
"""

from __future__ import annotations

import time
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, cast

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Container
from textual.geometry import Size
from textual.reactive import Reactive
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget
from textual.worker import Worker, WorkerState

from glboard_core.model.issue import IssueId
from glboard_tui import head, notices, texts
from glboard_tui.bridge import Bridge, Update
from glboard_tui.commands.context import CommandContext
from glboard_tui.keymap import Keymap, token_of
from glboard_tui.notices import News
from glboard_tui.planning import PlanningFigures
from glboard_tui.screens.dock import Dock
from glboard_tui.screens.issue_pane import OpenIssue
from glboard_tui.screens.keys import Keys
from glboard_tui.screens.quitting import Quitting
from glboard_tui.widgets.backdrop import stay_painted
from glboard_tui.widgets.board import BoardWidget
from glboard_tui.widgets.card_view import presenter
from glboard_tui.widgets.column import CardList
from glboard_tui.widgets.first_frame import take_waiting
from glboard_tui.widgets.footer import FilterBar, FooterBar, WhichKey
from glboard_tui.widgets.header import HeaderBar
from glboard_tui.widgets.issue_pane import DetailPane
from glboard_tui.widgets.messages import Panel

if TYPE_CHECKING:
    from glboard_tui.screens.capacity import CapacityPane, DockedCapacity

#: Up to this many issues every typed letter filters at once; above, filtering waits for a pause (in seconds).
_AT_ONCE, _PAUSE = 4_000, 0.12
#: Below this height the header has two lines.
_LOW = 30


class BoardScreen(Screen[None]):
    """The one screen of a run; boards are switched within it."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012  (Textual declares it so)
    VERTICAL_BREAKPOINTS = [(0, "-low"), (30, "-high")]  # noqa: RUF012
    #: What has the focus repaints itself: Textual would paint the whole screen each time.
    focused: Reactive[Widget | None] = Reactive(None, repaint=False)

    def __init__(self, bridge: Bridge, keymap: Keymap, planning: PlanningFigures) -> None:
        super().__init__()
        self._bridge = bridge
        self._planning = planning
        self._keymap = keymap
        self.board = BoardWidget(id="board")
        self.pane = DetailPane()
        self.header, self.footer = HeaderBar(), FooterBar()
        self._panel, self.strip = Panel(), WhichKey()
        self._filter = FilterBar(bridge.completions, lambda: bridge.filters.history)
        self._open_issue = OpenIssue(bridge, keymap, self.board, self.pane, self.work, self._pane_changed)
        self.dock = Dock(self.board, self.pane, self._capacity_pane, self._place, self._pane_changed)
        self.context = CommandContext(bridge, planning, keymap, self.board, self._open_issue, self.dock, self)
        self.keys = Keys(self.context, self.strip)
        self._quitting = Quitting(self.context)
        self._news = News(bridge)
        #: The name of an issue that is opened as soon as the board is there.
        self.wanted = ""
        self._message, self._bad = "", False
        self._filter_timer: Timer | None = None
        #: The message about the last invalid filter.
        self._wrong_filter = ""
        self._status_at = time.monotonic()

    def compose(self) -> ComposeResult:
        """Yield from top to bottom; overlays come last."""
        yield self.header
        with Container(id="middle"):
            yield self._panel
            yield self.board
            yield self.pane
        yield self.footer
        # Each has its own container: showing or hiding a widget repaints its parent, and a key with a
        # strip must not repaint the whole screen twice.
        yield Container(self.strip, id="strip")
        yield Container(self._filter, id="filter")

    def on_mount(self) -> None:
        """Show that glboard is connecting; refresh the displayed age at intervals."""
        self.board.focus()
        self.board.shared = self._bridge.share.is_on
        self.show_board()
        self.set_interval(10, self._older)
        self.set_interval(1, self._count_down)

    def _older(self) -> None:
        self.show_header()
        self.show_footer()

    def share_changed(self) -> None:
        """Share mode was turned on or off, or a confidential issue was shown or hidden."""
        self.board.shared = self._bridge.share.is_on
        self._message = ""
        self.show_board()
        self._open_issue.share_changed()

    def share_tick(self) -> None:
        """What is shown only for a moment may be over."""
        last = self._bridge.share.last
        if self._bridge.share.tick():
            if last is not None:
                self.board.changed(set(), set(last.issues))
            self.show_header()
            self.show_footer()

    def _count_down(self) -> None:
        self.share_tick()
        if (status := self._bridge.status) is not None and status.next_try is not None:
            self.show_header()

    # The panes next to the board

    def _capacity_pane(self) -> DockedCapacity:
        from glboard_tui.screens.capacity import DockedCapacity

        self._planning.team_store.reload()
        self._open_issue.close()
        return DockedCapacity(self.context)

    def _place(self, pane: DockedCapacity) -> None:
        self.query_one("#middle").mount(pane, before=self.pane)

    def _pane_changed(self) -> None:
        self.dock.fit()
        self.tell_view()
        self.show_header()
        self.show_footer()

    def on_resize(self) -> None:
        """Keep the capacity pane next to the board if there is space."""
        self.dock.fit()

    # Changes by others

    @property
    def _looked_at(self) -> IssueId | None:
        return self.pane.issue if self.context.scope in ("detail", "task") else self.board.focused[0]

    def _look(self) -> None:
        """Mark the card as seen, so that it stops glowing."""
        if (issue := self._looked_at) is not None and self._bridge.unseen.look(issue):
            self.board.changed(set(), {issue})
            self.show_header()

    def _theirs(self) -> str:
        """Changes by others to the card under the cursor, in one line; "" if there are none.

        An open issue shows them itself.
        """
        bridge, row = self._bridge, self._bridge.unseen.of(self._looked_at)
        if row is None or self.context.scope in ("detail", "task") or self.context.selected():
            return ""
        return texts.line(row, me=bridge.me, now=bridge.server_now(), mask=bridge.mask)

    # Keys

    @property
    def takes_keys(self) -> bool:
        """Whether keys are commands: no field is open."""
        return self.is_mounted and not self._filter.is_open

    def take(self, event: events.Key) -> None:
        """Send every key through the keymap; Textual's own bindings are not used."""
        self._bridge.touch()
        if event.key == "escape" and self.board.cancel_drag():
            return
        self.sync()
        if self._message:
            self.say("")
        self._look()
        self.press(token_of(event))

    def on_paste(self, event: events.Paste) -> None:
        """Open the issue whose URL was pasted."""
        if self.takes_keys and self.app.screen is self:
            event.stop()
            self.open_pasted(event.text)

    def open_pasted(self, text: str) -> None:
        """Open the issue that a text names, in the mirror or not."""
        from glboard_tui.commands.find import find

        self._bridge.touch()
        self.keys.cancel()
        if self._bridge.finding.address(text) is None:
            self.say("The pasted text is not an issue reference or URL.")
        elif self._bridge.catalog is not None:
            find(self.context, text.strip(), go=True)

    def press(self, token: str) -> None:
        """Send a key to the capacity pane next to the board, the open issue or the board."""
        self.keys.press(token)
        self.show_footer()

    def _compositor_refresh(self) -> None:
        """Repaint what has changed; below a dialog Textual would else repaint all at each of its keys."""
        take_waiting(self)
        super()._compositor_refresh()
        if self is not self.app.screen:
            self._repaint_required = False

    def _screen_resized(self, size: Size) -> None:
        """Lay out for another size only: each dialog that opens over it asks for that."""
        if size != self.outer_size:
            super()._screen_resized(size)

    def on_screen_suspend(self) -> None:
        """A dialog opens over it."""
        stay_painted(self)

    def on_screen_resume(self) -> None:
        """No dialog is over it any longer: the next key acts on the board again."""
        if self.is_mounted and self._bridge.index is not None:
            self.show_footer()

    # Updates from the engine

    def sync(self, *, follow: bool = False) -> None:
        """Apply the engine's updates: index, cards, header and notices in one step."""
        focused = self.board.focused[0]
        update = self._bridge.flush()
        if not update:
            return
        with self.app.batch_update():
            if update.replaced:
                self.show_board()
            elif update.touched or update.issues:
                self.board.changed(update.touched, update.issues, follow=follow)
            self._rename(update, focused)
            if not self._open_issue.follow(update):
                self.context.say("Issue not found, or you no longer have access.")
            if update.status:
                self._status_at = time.monotonic()
                if self._bridge.index is None:
                    self.show_board()
                else:
                    # After a column was read in full its count and sums are exact.
                    self.board.show_unread(self._bridge.unread(), self._empty())
            self._news.tell(self.app, update)
            if unsigned := self._bridge.unseen.unsigned():
                self.work(self._bridge.sign_comments(unsigned), "comments")
            self.show_header()
            self.show_footer()

    def _rename(self, update: Update, focused: IssueId | None) -> None:
        """Move focus and selection to the id that GitLab gave a new issue."""
        for old, new in update.renamed:
            if focused == old:
                self.board.focus_card(new)
            if old in self.board.selection:
                self.board.selection.set([new], on=True)
            if self.pane.issue == old:
                self._open_issue.open(new)

    # Display

    def show_board(self) -> None:
        """Show the current board, or the panel that says why there is none."""
        index, catalog = self._bridge.index, self._bridge.catalog
        if index is None:
            self._show_panel()
        else:
            self._panel.hide()
            self.board.display = True
            if self.board.density != (density := self._bridge.view.density):
                self.board.density = density
            self.board.show(
                index,
                present=presenter(self._bridge, index),
                empty=self._empty(),
                unread=self._bridge.unread(),
                has_weight=catalog is None or catalog.server.has_weight,
                title=self._bridge.column_title,
            )
            self._news.warn(self.app)
            if self.wanted:
                self.call_after_refresh(self.open_pasted, self.wanted)
                self.wanted = ""
        self.tell_view()
        self.show_header()
        self.show_footer()

    def _show_panel(self) -> None:
        error = self._bridge.why_no_board
        self.board.display = False
        if error is None:
            self._panel.say("Connecting …", "Loading labels and milestones, then the board.")
            return
        notice = notices.notice_of(error)
        retry, leave = (self._keymap.key(name) for name in ("view.refresh", "quit"))
        keys = f"{retry} retries · {leave} quits"
        self._panel.say(notice.title, notice.message, notice.hint, keys, bad=True)

    def _empty(self) -> str:
        bridge = self._bridge
        index = bridge.index
        if bridge.is_partial:
            return "Loading …"
        if index is not None and bridge.view.text:
            hidden = f" {index.total} are hidden." if index.total else ""
            return f"No issue matches the filter {bridge.view.text}.{hidden}\nEsc clears it"
        if index is None:
            return ""
        return head.empty_words(index, self._keymap, bridge.catalog)

    def show_header(self) -> None:
        """Show board, filter, freshness and unsent changes."""
        bridge, planning = self._bridge, self._planning
        self.dock.follow()
        planning.calls.begin_wanted()
        self.header.show(
            head.header_view(
                bridge.view,
                bridge.status,
                waited=time.monotonic() - self._status_at,
                catalog=bridge.catalog,
                today=bridge.today,
                writable=bridge.writable,
                failed_start=bridge.connect_error is not None,
                changed=sum(map(bridge.is_here, bridge.unseen)),
                capacity=planning.capacity(planning.board_milestone()) if bridge.is_complete else None,
                team=planning.team is not None,
                team_key=self._keymap.key("pane.capacity") if planning.team_store.can_create else "",
                partial=bridge.is_partial,
                call=planning.calls.words,
                share=head.share_view(bridge),
                short_name=bridge.people_words.short,
            )
        )

    def show_footer(self) -> None:
        """Show what the next key acts on."""
        bridge, pane = self._bridge, self._capacity
        self.footer.show(
            texts.footer_view(
                self._keymap,
                self.context.situation(),
                self.context.targets(),
                catalog=bridge.catalog,
                today=bridge.today,
                undo=bridge.undoing.words,
                message=self._message or ("" if pane is not None else self._told or self._theirs()),
                bad=self._bad,
                right=self.board.right_title,
                builds=bridge.board is not None and bridge.board.kind.tells == "workflow",
                person=pane.about if pane is not None else "",
                shared=bridge.share.is_on,
            )
        )

    @property
    def _told(self) -> str:
        """The last change on a terminal that is too low for the header's third line."""
        return head.last_change(self._bridge) if self.size.height < _LOW else ""

    @property
    def _capacity(self) -> CapacityPane | None:
        """The capacity pane if the keys go to it, next to the board or over it."""
        pane = self.context.pane
        return cast("CapacityPane", pane) if pane is not None and pane.scope == "capacity" else None

    def say(self, text: str, *, bad: bool = False) -> None:
        """Show a message in the footer until the next key."""
        self._message, self._bad = self._bridge.text(text), bad
        self.show_footer()

    # The board's messages

    @on(CardList.ViewChanged)
    def tell_view(self) -> None:
        """Tell which issues are visible, those on top first; more than can be watched are cut at the end."""
        top = self.context.top.in_view() if self.context.top is not None else ()
        opened = [self.pane.issue] if self.pane.issue is not None else []
        self._bridge.finding.keep_open(opened)
        self._bridge.in_view([*top, *opened, *self.board.in_view()])

    @on(BoardWidget.FocusChanged)
    def _focus_changed(self) -> None:
        self.tell_view()
        self._look()
        self.show_footer()

    @on(BoardWidget.SelectionChanged)
    def _selection_changed(self) -> None:
        self.show_footer()

    @on(BoardWidget.CardDropped)
    def _card_dropped(self, event: BoardWidget.CardDropped) -> None:
        from glboard_tui.commands.edit import move

        self.sync()
        issues = [issue for identity in event.ids if (issue := self._bridge.whole_issue(identity))]
        move(self.context, issues, {issue.id: event.to_column for issue in issues})

    @on(HeaderBar.BoardChosen)
    def _board_chosen(self, event: HeaderBar.BoardChosen) -> None:
        from glboard_tui.commands.navigate import open_board

        open_board(self.context, event.board)

    @on(BoardWidget.CardOpened)
    def _card_opened(self, event: BoardWidget.CardOpened) -> None:
        self._open_issue.open(event.issue)

    @on(BoardWidget.Dragging)
    def _dragging(self, event: BoardWidget.Dragging) -> None:
        column = event.to_column
        many = f"{len(event.ids)} issues" if len(event.ids) > 1 else "the issue"
        title = self.board.state.title(column) if column else "…"
        self.say(f"Drop {many} on {title} · Esc cancels" if event.ids else "")

    # The filter, at the pace that the board's size allows

    def filter(self, text: str, *, keep: bool = True) -> None:
        """Filter the board, also after a restart if it is to be kept."""
        if keep:
            self._bridge.filters.use(text.strip())
        wrong = self._bridge.filter(text)
        self.show_board()
        if wrong:
            self.say(wrong[0], bad=True)
            self._wrong_filter = self._message
        else:
            self._filter_is_right()

    def _filter_is_right(self) -> None:
        """Clear the message about an earlier filter."""
        if self._wrong_filter and self._message == self._wrong_filter:
            self.say("")
        self._wrong_filter = ""

    def edit_filter(self) -> None:
        """Type a filter over the footer."""
        self._filter.edit(self._bridge.view.text)

    @on(FilterBar.Typed)
    def _filter_typed(self, event: FilterBar.Typed) -> None:
        self._stop_filtering()
        if self._bridge.size <= _AT_ONCE:
            self.filter(event.text, keep=False)
        else:
            self._filter_timer = self.set_timer(_PAUSE, lambda: self.filter(event.text, keep=False))

    @on(FilterBar.Closed)
    def _filter_closed(self, event: FilterBar.Closed) -> None:
        self._stop_filtering()
        self.board.focus()
        if event.text.strip() != self._bridge.view.text:
            self.filter(event.text)
        self._bridge.filters.use(event.text.strip())
        self.board.leave_empty()  # what was found is what the next key is for
        self.show_footer()

    def _stop_filtering(self) -> None:
        if self._filter_timer is not None:
            self._filter_timer.stop()

    # Background work, and quitting

    def work(self, job: Coroutine[Any, Any, None], group: str, *, only: bool = False) -> None:
        """Run a background job. ``only`` cancels an earlier one of its group (never a write)."""
        self.run_worker(job, group=group, exclusive=only, exit_on_error=False)

    @on(Worker.StateChanged)
    def _worker_changed(self, event: Worker.StateChanged) -> None:
        if event.state is WorkerState.ERROR and event.worker.error is not None:
            engine = self._bridge.engine
            request = engine.gateway.last_request if engine is not None else ""
            notices.tell(self.app, notices.unexpected(event.worker.error, request))

    def quit(self) -> None:
        """Quit, after sending unsent changes or asking."""
        self._quitting.start()
