"""The app: shows the screen from the mirror, then connects; quits cleanly.

It only routes: no board logic, no keys, no texts. The engine runs as a task of the app and not as a widget's
worker, which would die with its widget.
"""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic
from typing import ClassVar

from rich.console import RenderableType
from textual import events
from textual.app import App, SystemCommand
from textual.command import Provider
from textual.filter import LineFilter
from textual.message import Message
from textual.notifications import SeverityLevel
from textual.screen import Screen
from textual.theme import Theme

from glboard_core.config import Settings
from glboard_core.errors import ConfigError, GlboardError
from glboard_core.sync.engine import Engine, UserChangedError
from glboard_styles import all_sheets
from glboard_styles.themes import THEMES, default_theme
from glboard_tui import notices
from glboard_tui.actions import load_commands
from glboard_tui.board_view import BoardView
from glboard_tui.bridge import Bridge, Connect
from glboard_tui.config_file import ConfigFile, keymap_of
from glboard_tui.file_watch import LOOK_EVERY, FileWatch
from glboard_tui.key_line import KeyLine
from glboard_tui.live_config import LiveConfig
from glboard_tui.plan_history import OpenReports
from glboard_tui.planning import OpenMilestone, PlanningFigures
from glboard_tui.screens.board import BoardScreen
from glboard_tui.screens.keys import RowDialog
from glboard_tui.share import ShareMode
from glboard_tui.signals import on_ending_signals
from glboard_tui.widgets.changed_cells import ShownCells
from glboard_tui.widgets.colors import shared_theme
from glboard_tui.widgets.contrast import ContrastFilter
from glboard_tui.widgets.masking import MaskingFilter
from glboard_tui.widgets.plain_lines import forget_removed_widgets

#: Seconds after the first frame until likely needed parts are prepared.
_LATER = 1.0
#: Seconds before the engine is restarted after an unexpected error.
_BREATH = 5.0
#: Seconds until a key press clears a toast; Escape always does.
_READ = 1.0
#: Cells of a toast's edge and of the space around its text.
_TOAST_SIDES = 4


class GlboardApp(App[int]):
    """The board in a terminal.

    ``connect`` creates the engine: its mirror is part of the first frame, and the network is used (and
    imported) only after that. ``remember`` is called with the chosen board; ``team_file`` holds the team's
    days; ``reports`` reads past events, ``opening`` opens a milestone in GitLab. ``warnings`` are shown once.
    ``call``: a planning call begins. ``share`` starts with share mode on. ``config_file`` is where the
    settings come from: it is followed; ``config_given`` by an option. ``issue`` names one that is opened
    first. ``said`` is how the set-up before it ended, shown once.

    Raises ConfigError if the keymap in the settings is invalid.
    """

    CSS = all_sheets()
    TITLE = "glboard"
    # Its own palette is only used for themes; ours finds everything, by a key of the registry.
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = set()
    COMMAND_PALETTE_BINDING = "f24"

    class EngineChanged(Message):
        """The engine has events waiting."""

    def __init__(
        self,
        settings: Settings,
        connect: Connect,
        *,
        board: str = "planning",
        milestone: str | None = None,
        remember: Callable[[str, str | None], None] | None = None,
        warnings: Sequence[str] = (),
        where: str = "",
        team_file: Path | None = None,
        reports: OpenReports | None = None,
        opening: OpenMilestone | None = None,
        call: bool = False,
        share: bool = False,
        config_file: Path | None = None,
        config_given: bool = False,
        issue: str = "",
        said: str = "",
    ) -> None:
        # Before anything is painted: every line passes it.
        self.share = ShareMode(settings.share, on=share)
        self._mask = MaskingFilter(self.share.masked)
        #: What the terminal shows.
        self.shown = ShownCells()
        #: The theme and whether it is shared, and what makes texts readable in it.
        self._contrast: tuple[tuple[str, bool], Sequence[LineFilter]] | None = None
        super().__init__()
        self.settings = settings
        self._connect = connect
        self._warnings = tuple(warnings)
        self._said = said
        self._live: asyncio.Task[None] | None = None
        #: When the last toast appeared, until a key clears it.
        self._told_at: float | None = None
        forget_removed_widgets()
        self._first_frame = asyncio.Event()
        #: Whether the garbage collector is still to be told that it need not scan the issues.
        self._freezes_issues = False
        view = BoardView(settings, board, milestone)
        self.bridge = Bridge(settings, view, self._notify, self.connect_again, remember, self.share)
        self._planning = planning = PlanningFigures(self.bridge, team_file, reports, opening)
        planning.calls.wanted = call
        keymap = keymap_of(settings, where)
        file = ConfigFile(config_file, settings) if config_file is not None else None
        self.config = LiveConfig(file, settings, keymap, self)
        self._team_watch = FileWatch(team_file) if team_file is not None else None
        self.board_screen = BoardScreen(self.bridge, keymap, planning)
        self.board_screen.wanted = issue
        self.board_screen.context.own_commands.file = config_file
        self.board_screen.context.own_commands.given = config_given
        self._keys = KeyLine(self, self.board_screen, super().on_event)
        # Before anything runs: registering a theme later parses and applies every sheet again.
        for theme in THEMES:
            self.register_theme(theme)
        wanted = settings.ui.theme
        self.theme = wanted if wanted in self.available_themes else default_theme(no_color=self.no_color)
        self.stylesheet.set_variables(self.get_css_variables())
        self.share.changed = self._share_changed

    async def on_mount(self) -> None:
        """Handle signals, show the board screen from the mirror, and connect after its first frame."""
        self._obey_signals()
        self.app_resume_signal.subscribe(self, self._paint_again)
        self.set_interval(LOOK_EVERY, self._look_at_files)
        await self.push_screen(self.board_screen)
        # The mirror is part of the first frame; the network waits until that is painted.
        self.connect_again()
        self.call_after_refresh(self._painted)

    def _painted(self) -> None:
        # The commands are needed from the first key on, not for the first frame.
        load_commands()
        if not gc.isenabled():
            self._freezes_issues = True
            # Start-up is over. Its objects live until the end, so no collection needs to scan them again.
            gc.freeze()
            gc.enable()
        if self.settings.ui.theme and self.theme != self.settings.ui.theme:
            self._warnings += (f"Unknown theme “{self.settings.ui.theme}”.",)
        if self._warnings:
            notices.please_note(self, self._warnings)
        if self._said:
            notices.say(self, self._said)
        self._first_frame.set()
        self.set_timer(_LATER, self._prepare)

    def _prepare(self) -> None:
        from glboard_tui.commands.find import prepare

        prepare(self.board_screen.context)

    async def on_event(self, event: events.Event) -> None:
        """Keys are queued in order; every other event is handled by Textual."""
        if isinstance(event, events.Key) and not event.is_forwarded:
            if self._told_at is not None and (event.key == "escape" or monotonic() - self._told_at > _READ):
                # It was there long enough to be seen, and may cover what this key is about.
                self._told_at = None
                self.clear_notifications()
            await self._keys.put(event)
        else:
            if isinstance(event, events.Resize | events.AppFocus):
                # A terminal moves its lines for another size, and others may have written to it meanwhile.
                self.shown.forget()
            await super().on_event(event)

    # What is written to the terminal

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        """Write only the cells that changed, whatever Textual paints."""
        super()._display(screen, self.shown.changes(screen, renderable))

    def _paint_again(self, _: object) -> None:
        """The terminal was another program's."""
        self.shown.forget()
        self.refresh(layout=True)

    def on_app_focus(self) -> None:
        """The terminal got the focus."""
        self.bridge.attend(True)
        self._look_at_files(settled=False)

    def on_app_blur(self) -> None:
        """The terminal lost the focus."""
        self.bridge.attend(False)

    # The configuration and the team, when their files change

    def _look_at_files(self, *, settled: bool = True) -> None:
        self.config.look(settled=settled)
        watch, team = self._team_watch, self._planning.team_store
        if watch is None or not watch.changed(settled=settled):
            return
        watch.taken()
        if team.reload():
            notices.say(self, team.trouble.message if team.trouble else f"{watch.path.name} reloaded.")
            self.board_screen.show_header()

    def use_settings(self, settings: Settings) -> None:
        """Show everything as the configuration has it now."""
        before, self.settings = self.settings, settings
        self.bridge.configure(settings)
        wanted = settings.ui.theme
        if wanted != before.ui.theme:
            if wanted and wanted not in self.available_themes:
                notices.please_note(self, [f"Unknown theme “{wanted}”."])
            else:
                self.theme = wanted or default_theme(no_color=self.no_color)
        self.board_screen.sync()
        self.board_screen.show_board()
        self._planning.tell()
        if settings.share != before.share and self.share.is_on:
            self._share_changed()

    def tell_config(self, words: str) -> None:
        """Report what changed in the configuration."""
        notices.say(self, words)

    def tell_mistake(self, error: ConfigError) -> None:
        """Report the first error in the configuration."""
        notices.tell(self, notices.notice_of(error))

    async def on_dialog_ready(self) -> None:
        """A dialog has the focus: keys that waited for it can be processed."""
        await self._keys.go()

    async def on_docked_capacity_ready(self) -> None:
        """The pane next to the board has the focus."""
        await self._keys.go()

    # Share mode: all output of the program passes here

    def _share_changed(self) -> None:
        """Show everything as it may be seen now, and nothing of before."""
        # Lines behind a dialog are taken from it.
        self.shown.forget()
        self.clear_notifications()
        self.bridge.messages.clear()
        self._mask = MaskingFilter(self.share.masked)
        self.mutate_reactive(GlboardApp.theme)
        self.bridge.keep_live(on=self.share.is_on)
        self.bridge.view_changed()
        self.board_screen.share_changed()
        self._planning.tell()
        for screen in self.screen_stack:
            if isinstance(screen, RowDialog):
                screen.fill()
            screen.refresh(layout=True)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Every line of every widget can be read, and is masked on a shared screen."""
        filters = [*super().get_line_filters(), *self._readable()]
        return [*filters, self._mask] if self.share.is_on else filters

    def _readable(self) -> Sequence[LineFilter]:
        shown = (self.theme, self.share.is_on)
        if self._contrast is None or self._contrast[0] != shown:
            theme = self.current_theme
            ratio = float(theme.variables.get("board-contrast", "4.5"))
            self._contrast = (shown, () if theme.ansi else (ContrastFilter(ratio),))
        return self._contrast[1]

    def get_theme(self, theme_name: str) -> Theme | None:
        """The theme; on a shared screen with more contrast."""
        theme = super().get_theme(theme_name)
        return shared_theme(theme) if theme is not None and self.share.is_on else theme

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = True,
    ) -> None:
        """Show a toast of one or two lines, without what share mode hides. What is cut is kept to be read."""
        title, message = self.share.text(title), self.share.text(message)
        self._told_at = monotonic()
        rest = f"({self.board_screen.context.keymap.key('pane.connection')} shows all)"
        short, shown, cut = notices.shortened(title, message, max(self.size.width - _TOAST_SIDES, 20), rest)
        if cut:
            self.bridge.messages.append(f"{title}: {message}" if title else message)
        super().notify(shown, title=short, severity=severity, timeout=timeout, markup=markup)

    # The engine

    def connect_again(self) -> None:
        """Connect, unless already connecting or connected."""
        if self._live is None or self._live.done():
            self.bridge.connect_error = None
            self.board_screen.show_board()
            self._live = asyncio.create_task(self._serve(self._connect), name="engine")

    async def _serve(self, connect: Connect) -> None:
        try:
            while True:
                try:
                    async with connect() as engine:
                        await self._run(engine)
                except UserChangedError as error:
                    # The token belongs to another user now: reconnecting opens that user's store.
                    notices.say(self, f"Now signed in as {error.username}.", severity="warning")
        except GlboardError as error:
            self._no_connection(error)
        except Exception as error:  # noqa: BLE001  (the boundary: connecting can fail in any way)
            self.log.error(error)
            # Its type only, because its text could contain anything.
            self._no_connection(
                GlboardError(
                    f"Connecting failed ({type(error).__name__}).",
                    title="Unexpected",
                    hint="This is a bug in glboard. Please report it with the output of: glboard doctor",
                )
            )

    def _no_connection(self, error: GlboardError) -> None:
        self.bridge.connect_error = error
        self.board_screen.show_board()

    async def _run(self, engine: Engine) -> None:
        self.config.configure(engine)
        self.bridge.attach(engine)
        self.board_screen.show_board()
        await self._first_frame.wait()
        if (team := self._planning.team_store.written) is not None:
            self.bridge.know_team(member.username for member in team.people)
        while True:
            try:
                await engine.run()
            except UserChangedError:
                raise
            except Exception as error:  # noqa: BLE001  (the boundary: the board stays up)
                self.log.error(error)
                notices.tell(self, notices.unexpected(error, engine.gateway.last_request))
                await asyncio.sleep(_BREATH)

    def _notify(self) -> None:
        self.post_message(self.EngineChanged())

    def on_glboard_app_engine_changed(self) -> None:
        """Show the engine's events."""
        self.board_screen.sync()
        if self._freezes_issues and self.bridge.is_complete:
            self._freezes_issues = False
            self.set_timer(_LATER, self._freeze_issues)

    def _freeze_issues(self) -> None:
        """All issues are here to stay: scanning 10,000 of them each time would hold up keys by 0.1 s."""
        gc.collect()
        gc.freeze()

    def copy_to_clipboard(self, text: str) -> None:
        """Send a text to the terminal's clipboard, and to tmux's buffer if this runs in tmux.

        What share mode hides is not in it.
        """
        text = self.share.text(text)
        super().copy_to_clipboard(text)
        if os.environ.get("TMUX"):
            from glboard_tui.terminal import to_tmux

            asyncio.get_running_loop().run_in_executor(None, to_tmux, text)

    def get_system_commands(self, screen: Screen[object]) -> list[SystemCommand]:
        """Only what the registry lacks: Textual's own keys and quit would bypass the question."""
        return [SystemCommand("Save screenshot", "As SVG", self.deliver_screenshot)]

    # Leaving

    async def action_quit(self) -> None:
        """``Ctrl+Q`` is as careful as ``q``."""
        self.board_screen.quit()

    def action_help_quit(self) -> None:
        """``Ctrl+C`` in a dialog, where nothing is selected."""
        self.board_screen.quit()

    def _obey_signals(self) -> None:
        if not self.is_headless:
            on_ending_signals(lambda number: self.exit(None, 128 + number))

    def _fatal_error(self) -> None:
        # Textual would print all values on the way: titles that others may not see, a token that was typed.
        self._close_messages_no_wait()

    async def on_unmount(self) -> None:
        """Close the connection before the loop ends."""
        if self._live is not None:
            if not self._live.done():
                self.bridge.keep_unseen()
            self._live.cancel()
            await asyncio.gather(self._live, return_exceptions=True)
