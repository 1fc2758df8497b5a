"""The board screen: composes header, board, open issue and footer, and routes between them and the bridge.

Owns what is on top (panel, board, open issue, filter line) and when each part is repainted. It holds no
board logic and binds no keys: ``keys.py`` turns keys into commands, ``texts.py`` state into text.
"""

from __future__ import annotations

import time
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Protocol

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Container
from textual.screen import Screen
from textual.timer import Timer
from textual.worker import Worker, WorkerState

from glboard_core.errors import GlboardError
from glboard_core.model.issue import IssueId
from glboard_tui import notices, texts
from glboard_tui.actions import BY_ID
from glboard_tui.bridge import Bridge, Update
from glboard_tui.commands.context import CommandContext
from glboard_tui.keymap import Keymap
from glboard_tui.notices import News
from glboard_tui.planning import PlanningFigures
from glboard_tui.screens.issue_pane import IssuePaneLoader
from glboard_tui.screens.keys import Keys, token_of
from glboard_tui.widgets.board import BoardWidget
from glboard_tui.widgets.card_view import presenter
from glboard_tui.widgets.footer import FilterBar, FooterBar, WhichKey
from glboard_tui.widgets.header import HeaderBar
from glboard_tui.widgets.issue_pane import DetailPane
from glboard_tui.widgets.messages import Panel

if TYPE_CHECKING:
    from glboard_tui.screens.capacity import Beside


# Filtering the board while typing, at the pace that its size allows.

#: Up to this many issues every typed letter filters at once; above, filtering waits for a pause (in seconds).
_AT_ONCE, _PAUSE = 4_000, 0.12


class Filtering:
    """One per board screen."""

    def __init__(self, screen: BoardScreen) -> None:
        self._screen = screen
        self._timer: Timer | None = None

    def set(self, text: str) -> None:
        """Filter the board."""
        unknown = self._screen.bridge.filter(text)
        self._screen.show_board()
        if unknown:
            self._screen.say(
                f"Unknown filter is:{unknown[0]}, so nothing matches; ? lists the known ones.", bad=True
            )

    def typed(self, text: str) -> None:
        """Apply the text typed so far."""
        self._stop()
        if self._screen.bridge.size <= _AT_ONCE:
            self.set(text)
        else:
            self._timer = self._screen.set_timer(_PAUSE, lambda: self.set(text))

    def closed(self, text: str) -> None:
        """Apply the final filter text."""
        self._stop()
        self._screen.board.focus()
        if text.strip() != self._screen.bridge.view.text:
            self.set(text)
        self._screen.show_footer()

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.stop()


# Quitting: unsent changes are sent first; if they cannot be sent, a question decides.

#: Seconds that quitting waits for GitLab: without asking, and when told to wait.
_SOON, _LONG = 3.0, 3600.0


class Leaving:
    """Quits the program."""

    def __init__(self, context: CommandContext) -> None:
        self._command_context = context
        self._under_way = False

    def start(self) -> None:
        """Quit; if changes are unsent, send them first, or ask when offline or already sending."""
        status = self._command_context.bridge.status
        if status is None or not status.unsent:
            self._command_context.screen.app.exit()
        elif self._under_way or status.freshness in ("offline", "signed-out"):
            self._ask(status.unsent)
        else:
            self._under_way = True
            changes = "1 change" if status.unsent == 1 else f"{status.unsent} changes"
            self._command_context.say(f"Sending {changes} before quitting …")
            self._command_context.screen.work(self._when_sent(_SOON), "quit")

    def _ask(self, unsent: int) -> None:
        later = (
            "unsent changes are sent at the next start"
            if self._command_context.bridge.keeps
            else "unsent changes are lost"
        )
        self._command_context.ask(
            f"{unsent} changes are not sent to GitLab yet."
            if unsent > 1
            else "1 change is not sent to GitLab yet.",
            {"w": "wait until sent, then quit", "y": f"quit now; {later}"},
            self._answered,
        )

    def _answered(self, answer: str) -> None:
        if answer == "y":
            self._command_context.screen.app.exit()
        else:
            self._under_way = True
            self._command_context.say("Waiting for GitLab … Quit again to choose again.")
            self._command_context.screen.work(self._when_sent(_LONG), "quit")

    async def _when_sent(self, seconds: float) -> None:
        unsent = await self._command_context.bridge.finish(seconds)
        self._under_way = False
        if unsent:
            self._ask(unsent)
        else:
            self._command_context.screen.app.exit()


# The area next to the board: the capacity pane if the terminal is wide enough, or an open issue instead.

#: The width from which the capacity pane fits next to the board: three columns and the pane.
_WIDE = 140


class Docking:
    """One per board screen."""

    def __init__(self, screen: BoardScreen) -> None:
        self._screen = screen
        #: The capacity pane if it is open; hidden while an issue is open or the terminal is narrow.
        self.pane: Beside | None = None

    def toggle(self) -> bool:
        """Open or close the capacity pane next to the board; return False if there is no space for it."""
        screen = self._screen
        if screen.size.width < _WIDE:
            return False
        if self.pane is not None:
            self.close()
            return True
        from glboard_tui.screens.capacity import Beside

        screen.plan.reload()
        if screen.pane.is_open:
            screen.close_detail()
        self.pane = Beside(screen.context)
        screen.query_one("#middle").mount(self.pane, before=screen.pane)
        self.pane.follow()
        return True

    def focus(self) -> bool:
        """Give the keys to the capacity pane; return False if it is not visible."""
        if self.pane is None or not self.pane.is_open:
            return False
        self._screen.set_focus(self.pane)
        self._screen.show_footer()
        return True

    def close(self) -> None:
        """Close the pane and give its space to the board."""
        if self.pane is not None:
            self.pane.remove()
            self.pane = None
            self._screen.set_focus(self._screen.board)
            self._screen.show_header()

    def fit(self) -> None:
        """Show or hide it, depending on the terminal's width and whether an issue is open."""
        screen, pane = self._screen, self.pane
        shown = screen.size.width >= _WIDE and not screen.pane.is_open
        if pane is not None and bool(pane.display) != shown:
            pane.display = shown
            if screen.focused is pane:
                screen.set_focus(screen.board)


class Host(Protocol):
    """What the screen needs from the app."""

    @property
    def trouble(self) -> GlboardError | None:
        """Why there is no connection, once connecting has failed."""

    def remember(self, board: str, milestone: str | None) -> None:
        """Remember the board to open next time."""

    def connect_again(self) -> None:
        """Retry after connecting has failed."""


class BoardScreen(Screen[None]):
    """The one screen of a run; boards are switched within it."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012  (Textual declares it so)

    def __init__(self, bridge: Bridge, keymap: Keymap, host: Host, plan: PlanningFigures) -> None:
        super().__init__()
        self.plan = plan
        self.bridge = bridge
        self.keymap = keymap
        self.host = host
        self.board = BoardWidget(id="board")
        self.pane = DetailPane()
        self.context = CommandContext(self, bridge)
        self.opened = IssuePaneLoader(self.context, self.pane)
        self.header, self.footer = HeaderBar(), FooterBar()
        self._panel, self._filter, self.strip = Panel(), FilterBar(), WhichKey()
        self.keys = Keys(keymap, self.context, self.strip)
        self._message, self._bad = "", False
        self._news = News(bridge)
        self._status_at = time.monotonic()
        self.filtering = Filtering(self)
        self._leaving = Leaving(self.context)
        self.docking = Docking(self)

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
        self.show_board()
        self.set_interval(10, self._older)

    def _older(self) -> None:
        self.show_header()
        self.show_footer()

    # What others changed

    @property
    def _eye(self) -> IssueId | None:
        """The issue the person is looking at."""
        return self.pane.issue if self.context.in_detail else self.board.focused[0]

    def _look(self) -> None:
        """Mark the card as seen, so that it stops glowing."""
        if (issue := self._eye) is not None and self.bridge.unseen.look(issue):
            self.board.changed(set(), {issue})
            self.show_header()

    def theirs(self) -> str:
        """Changes by others to the card under the cursor, in one line; "" if there are none.

        An open issue shows them itself.
        """
        row = self.bridge.unseen.of(self._eye)
        if row is None or self.context.in_detail or self.context.selected():
            return ""
        bridge = self.bridge
        return texts.line(row, me=bridge.me, now=bridge.server_now(), mask=bridge.mask)

    # Keys

    @property
    def takes_keys(self) -> bool:
        """Whether keys are commands: no field is open."""
        return self.is_mounted and not self._filter.is_open

    def take(self, event: events.Key) -> None:
        """Send every key through the keymap; Textual's own bindings are not used."""
        self.bridge.touch()
        if event.key == "escape" and self.board.cancel_drag():
            return
        self.sync()
        if self._message:
            self.say("")
        self._look()
        self.press(token_of(event))

    def press(self, token: str) -> None:
        """Send a key to the focused pane: the capacity pane next to the board, otherwise the board."""
        room = self.docking.pane
        if room is None or not room.has_keys or self.keys.pending or not room.take(token):
            self.keys.press(token)
        self.show_footer()

    def run_action_id(self, action: str, argument: str = "") -> None:
        """Run an action of the registry (used by the palette)."""
        from glboard_tui.commands import COMMANDS

        self.sync()
        COMMANDS[action](self.context, argument)
        self.show_footer()

    # Updates from the engine

    def sync(self, *, follow: bool = False) -> None:
        """Apply the engine's updates: index, cards, header and notices in one step."""
        focused = self.board.focused[0]
        update = self.bridge.flush()
        if not update:
            return
        with self.app.batch_update():
            if update.replaced:
                self.show_board()
            elif update.touched or update.issues:
                self.board.changed(update.touched, update.issues, follow=follow)
            self._rename(update, focused)
            self.opened.follow(update)
            if update.status:
                self._status_at = time.monotonic()
                if self.bridge.index is None:
                    self.show_board()
                else:
                    self._show_unread()
            self._news.tell(self.app, update)
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
                self.open_detail(new)

    # Display

    def show_board(self) -> None:
        """Show the current board, or the panel that says why there is none."""
        index = self.bridge.index
        if index is None:
            self._show_panel()
        else:
            self._panel.hide()
            catalog = self.bridge.catalog
            self.board.display = True
            self.board.show(
                index,
                present=presenter(self.bridge, index),
                empty=self._empty(),
                unread=self.bridge.unread(),
                has_weight=catalog is None or catalog.server.has_weight,
            )
            self._news.warn(self.app)
        self.show_header()
        self.show_footer()

    def _show_unread(self) -> None:
        """Update after a column was read in full: its count and sums are now exact."""
        self.board.show_unread(self.bridge.unread(), self._empty())

    def _show_panel(self) -> None:
        status = self.bridge.status
        error = self.host.trouble or self.bridge.trouble or (status.error if status else None)
        self.board.display = False
        retry = self.keymap.shown(BY_ID["view.refresh"])
        leave = self.keymap.shown(BY_ID["quit"])
        if error is None:
            self._panel.say("Connecting …", "Labels and milestones load first, then the board.")
            return
        notice = notices.notice_of(error)
        keys = f"{retry} retries · {leave} quits"
        self._panel.say(notice.title, notice.message, notice.hint, keys, bad=True)

    def _empty(self) -> str:
        if self.bridge.is_partial:
            return "Loading …"
        if self.bridge.view.text:
            return "No issues match the filter\nEsc clears it"
        board = self.bridge.board
        if board is not None and board.warnings:
            return "\n".join(["No issues here", *board.warnings])
        return "No issues here\nn creates one, - and = change the milestone, g opens other boards"

    def show_header(self) -> None:
        """Show board, filter, freshness and unsent changes."""
        bridge = self.bridge
        if self.docking.pane is not None:
            self.docking.pane.follow()
        self.header.show(
            texts.header_view(
                bridge.settings,
                bridge.view.board_id,
                bridge.index,
                bridge.view.text,
                bridge.status,
                waited=time.monotonic() - self._status_at,
                catalog=bridge.catalog,
                writable=bridge.writable,
                failed_start=self.host.trouble is not None,
                changed=sum(map(bridge.is_here, bridge.unseen)),
                capacity=self.plan.capacity(self.plan.board_milestone()) if bridge.is_complete else None,
                team=self.plan.team is not None,
                closed=self.plan.mean_closed(),
                partial=bridge.is_partial,
            )
        )

    def show_footer(self) -> None:
        """Show what the next key acts on."""
        bridge = self.bridge
        self.footer.show(
            texts.footer_view(
                self.keymap,
                self.context.situation(),
                self.context.targets(),
                catalog=bridge.catalog,
                today=bridge.today,
                undo=bridge.undo_title,
                message=self._message or self._whose_keys or self.theirs(),
                bad=self._bad,
            )
        )

    @property
    def _whose_keys(self) -> str:
        """The message while keys do not go to a card."""
        has = self.docking.pane is not None and self.docking.pane.has_keys
        return "Keys go to the capacity pane: Esc or Tab returns to the board, g r closes it." if has else ""

    def say(self, text: str, *, bad: bool = False) -> None:
        """Show a message in the footer until the next key."""
        self._message, self._bad = text, bad
        self.show_footer()

    # The board

    def board_chosen(self) -> None:
        """Show another board or milestone, and open it next time."""
        view = self.bridge.view
        if self.pane.is_open:
            self.close_detail()
        self.show_board()
        self.host.remember(view.board_id, view.milestone)

    def retry(self) -> None:
        """Reconnect after connecting has failed."""
        self.host.connect_again()

    @on(BoardWidget.FocusChanged)
    def _focus_changed(self, event: BoardWidget.FocusChanged) -> None:
        self._look()
        self.show_footer()

    @on(BoardWidget.SelectionChanged)
    def _selection_changed(self) -> None:
        self.show_footer()

    @on(BoardWidget.CardDropped)
    def _card_dropped(self, event: BoardWidget.CardDropped) -> None:
        self.sync()
        issues = [issue for identity in event.ids if (issue := self.bridge.issue(identity))]
        from glboard_tui.commands.edit import move

        move(self.context, issues, {issue.id: event.to_column for issue in issues})

    @on(BoardWidget.CardOpened)
    def _card_opened(self, event: BoardWidget.CardOpened) -> None:
        self.open_detail(event.issue)

    @on(BoardWidget.Dragging)
    def _dragging(self, event: BoardWidget.Dragging) -> None:
        column = event.to_column
        many = f"{len(event.ids)} cards" if len(event.ids) > 1 else "the card"
        self.say("" if not event.ids else f"Drop {many} on {column.title if column else '…'} · Esc cancels")

    # The open issue

    def open_detail(self, issue: IssueId | None = None) -> None:
        """Open an issue, by default the focused one."""
        identity = issue or self.board.focused[0]
        if identity is not None:
            self.opened.open(identity)
            self.docking.fit()
            self.show_footer()

    def close_detail(self) -> None:
        """Return to the board."""
        self.pane.close()
        self.docking.fit()
        self.set_focus(self.board)
        self.show_footer()

    def reload_detail(self) -> None:
        """Reload description and comments of the open issue."""
        if self.pane.issue is not None:
            self.opened.load(self.pane.issue)

    def other_pane(self) -> None:
        """Switch between the board and the open issue."""
        self.set_focus(self.board if self.pane.has_keys else self.pane)
        self.show_footer()

    def on_resize(self) -> None:
        """Keep the capacity pane next to the board if there is space."""
        self.docking.fit()

    # The filter

    def edit_filter(self) -> None:
        """Type a filter over the footer."""
        self._filter.edit(self.bridge.view.text)

    @on(FilterBar.Typed)
    def _filter_typed(self, event: FilterBar.Typed) -> None:
        self.filtering.typed(event.text)

    @on(FilterBar.Closed)
    def _filter_closed(self, event: FilterBar.Closed) -> None:
        self.filtering.closed(event.text)

    # Background work, and quitting

    def work(self, job: Coroutine[Any, Any, None], group: str, *, only: bool = False) -> None:
        """Run a background job. ``only`` cancels an earlier one of its group (never a write)."""
        self.run_worker(job, group=group, exclusive=only, exit_on_error=False)

    @on(Worker.StateChanged)
    def _worker_changed(self, event: Worker.StateChanged) -> None:
        if event.state is WorkerState.ERROR and event.worker.error is not None:
            notices.tell(self.app, notices.unexpected(event.worker.error))

    def quit(self) -> None:
        """Quit."""
        self._leaving.start()
