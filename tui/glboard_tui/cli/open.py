"""Opening the screen: with an account, on the demo, or with the set-up on a first run.

Owns which board is opened first and where that is remembered. Textual is imported here and nowhere else in
the command line; network code is not imported before the first frame is painted.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec
from msgspec import Struct, structs

from glboard_core import logfile
from glboard_core.auth import private_files
from glboard_core.config import FlowSettings, GitLabSettings, Settings
from glboard_core.errors import ConfigError, GlboardError, StoreFailed, TokenMissing
from glboard_core.files import read_bytes
from glboard_core.folders import state_folder
from glboard_core.unknown_names import no_board
from glboard_tui.cli import context
from glboard_tui.cli.context import TEAM_FILE, Options

if TYPE_CHECKING:
    from textual.app import App

    from glboard_core.demo.http.process import DemoOptions
    from glboard_core.gitlab.account import Account
    from glboard_core.milestone_setup import MilestoneSetup
    from glboard_core.planning.team import Team
    from glboard_core.reports import Reports
    from glboard_core.sync.engine import Engine

FIRST_BOARD = "planning"


class Last(Struct, frozen=True):
    """The board that was open last, and its milestone if the user chose one."""

    board: str = FIRST_BOARD
    milestone: str | None = None


@click.command("open")
@click.argument("board", shell_complete=context.complete_board, metavar="BOARD|ISSUE")
@click.option(
    "--milestone",
    metavar="M",
    help="A title, current, next, or an alias.",
    shell_complete=context.complete_milestone,
)
@click.option("--call", is_flag=True, help="Start a planning call, unless one is in progress.")
@context.as_of_option
@context.team_option
@context.share_option
@click.pass_context
def open_command(ctx: click.Context, board: str, milestone: str | None, call: bool) -> None:
    """Open BOARD: planning, build, next-1-3, next-4-6, backlog, milestones, people, or your own.

    ISSUE is its reference (project#12) or its URL: opens it over the board that was open last.
    """
    from glboard_core.model.address import issue_address

    if issue_address(board) is None:
        ctx.exit(open_board(ctx.obj, context.board_id(ctx.obj, board), milestone, call=call))
    last = _last(ctx.obj)
    ctx.exit(open_board(ctx.obj, last.board, milestone or last.milestone, call=call, issue=board))


def open_last(options: Options) -> int:
    """Open the last board, or the set-up without a group or without a token. Returns the status."""
    from glboard_core.auth.search import find_account

    if not options.has_account:
        return _set_up(options)
    account = None
    try:
        account = find_account(options.url, options.settings().gitlab)
    except TokenMissing:
        if sys.stdin.isatty() and sys.stdout.isatty():
            return _set_up(options, lacking=True)
    except GlboardError:
        pass  # the board says it, and may have something to show all the same
    return _open(options, _last(options), account=account)


def _last(options: Options) -> Last:
    """The board that was open last; the first one if this configuration has no such board (any longer)."""
    last = _remembered()
    return last if options.settings().board(last.board) is not None else Last()


def _set_up(options: Options, *, lacking: bool = False) -> int:
    """Lead through the set-up, then open what it ends with. ``lacking``: only a token is missing."""
    from glboard_core.setup.connection import SetupConnection

    context.check_terminal("glboard config init --url URL --group GROUP, or glboard demo")
    settings = options.settings()
    gitlab = settings.gitlab
    if lacking and options.url:
        gitlab = structs.replace(gitlab, url=options.url)
    connection = SetupConnection(options.config_path, gitlab, as_of=options.as_of)
    address = options.url or ("" if lacking else gitlab.url)

    from glboard_tui.setup_app import SetupApp

    app = SetupApp(connection, settings, address=address, complete=lacking)
    result = app.run()
    _check_crashed(app)
    if result is None:
        return app.return_code or 0
    if result.then == "demo":
        from glboard_core.demo.http.process import DemoOptions

        return open_demo(options, DemoOptions(), FIRST_BOARD)
    said = result.message
    if not lacking and not options.team_file.exists():
        from glboard_tui.keymap import Keymap

        key = Keymap(settings.keymap).key("pane.capacity")
        said = f"{said}\nNext: {key} sets up the team's capacity."
    return _open(options, Last(), account=connection.board_account(), said=said)


def open_board(
    options: Options, board: str, milestone: str | None, *, call: bool = False, issue: str = ""
) -> int:
    """Open one board, and ``issue`` over it. Raises NameUnknown for a board that is not configured."""
    return _open(options, Last(board, milestone), call=call, issue=issue)


def open_demo(options: Options, demo: DemoOptions, board: str, *, call: bool = False) -> int:
    """Open a board on an embedded GitLab. The user's settings apply only with ``--config``."""
    settings = options.settings() if options.config else Settings(flow=FlowSettings(backend=demo.flow))
    if settings.board(board) is None:
        raise no_board(board, (b.id for b in settings.boards))
    with _team_of(options, demo) as team_file:
        return _show(
            options,
            settings,
            lambda: _on_demo(options, settings, demo),
            board=board,
            instead="glboard demo --serve 127.0.0.1:0",
            team_file=team_file,
            call=call,
            share=options.share,
            config_file=options.config_path if options.config else None,
            config_given=options.config is not None,
        )


@contextmanager
def _team_of(options: Options, demo: DemoOptions) -> Iterator[Path | None]:
    """The user's team file with ``--config`` or ``--team``, else a temporary one for the demo."""
    if options.config or options.team:
        yield options.team_file
        return
    from tempfile import TemporaryDirectory

    from glboard_core.demo.sample.team import team_of_scenario, team_of_world

    today = (options.as_of or datetime.now(UTC)).date()
    text = team_of_scenario(Path(demo.scenario)) if demo.scenario else team_of_world(today)
    with TemporaryDirectory(prefix="glboard-demo-") as folder:
        path = Path(folder) / TEAM_FILE
        if text is not None:
            path.write_text(text, "utf-8")
        yield path


def _open(
    options: Options,
    last: Last,
    *,
    call: bool = False,
    issue: str = "",
    account: Account | None = None,
    said: str = "",
) -> int:
    """Open a board; ``account`` is the sign-in if it is known already, ``said`` is shown once."""
    from glboard_core.session import open_engine

    settings, place = options.settings(), options.place
    if settings.board(last.board) is None:
        raise no_board(last.board, (b.id for b in settings.boards))
    return _show(
        options,
        settings,
        lambda: open_engine(place, settings, account=account),
        board=last.board,
        milestone=last.milestone,
        remember=_remember,
        where=str(options.config_path),
        team_file=options.team_file,
        call=call,
        share=options.share,
        config_file=options.config_path,
        config_given=options.config is not None,
        issue=issue,
        said=said,
    )


def _show(
    options: Options,
    settings: Settings,
    connect: Callable[[], AbstractAsyncContextManager[Engine]],
    *,
    board: str,
    instead: str = "",
    **more: Any,
) -> int:
    """Run the app until it is closed; returns the exit status. Raises UsageError without a terminal."""
    context.check_terminal(instead or f"glboard show {board}")

    def reports(engine: Engine) -> AbstractAsyncContextManager[Reports]:
        from glboard_core.reports import open_reports

        return open_reports(engine)

    def opening(engine: Engine, milestone: str, team: Team | None) -> MilestoneSetup:
        from glboard_core.milestone_setup import MilestoneSetup

        return MilestoneSetup(engine, milestone, team=team, folder=options.config_path.parent)

    # Objects created up to the first frame live to the end, and scanning them repeatedly costs an eighth of
    # the start. The app collects from its first frame on.
    gc.disable()
    try:
        from glboard_tui.app import GlboardApp

        app = GlboardApp(settings, connect, reports=reports, opening=opening, board=board, **more)
        app.run()
    finally:
        gc.enable()
    _check_crashed(app)
    # 128 plus the number after a signal, as usual.
    return app.return_code or 0


def _check_crashed(app: App[Any]) -> None:
    """Raise GlboardError if an error that no one expected ended the screen."""
    if (crash := app._exception) is not None:
        logfile.fault(crash)
        raise context.bug(crash) from None


@asynccontextmanager
async def _on_demo(options: Options, settings: Settings, demo: DemoOptions) -> AsyncIterator[Engine]:
    from glboard_core.demo.http.process import SpawnError, spawn
    from glboard_core.gitlab.account import Account, Secret
    from glboard_core.session import EngineOptions, open_engine

    starting = asyncio.ensure_future(asyncio.to_thread(spawn, demo))
    try:
        child = await asyncio.shield(starting)
    except asyncio.CancelledError:
        # Quit before it was up: a thread cannot be cancelled, so wait for the child and stop it.
        (await starting).stop()
        raise
    except SpawnError as error:
        raise GlboardError(
            f"The demo did not start: {error}", title="Demo", hint="Check its options: glboard demo --help"
        ) from None
    try:
        account = Account(url=child.url, token=Secret(child.token), kind="token", source="the demo")
        settings = msgspec.structs.replace(settings, gitlab=GitLabSettings(url=child.url, group=child.group))
        # A demo that starts at that time has its own running clock.
        as_of = None if demo.as_of else options.as_of
        place = EngineOptions(group=child.group, as_of=as_of, read_only=options.read_only, keep=False)
        async with open_engine(place, settings, account=account) as engine:
            yield engine
    finally:
        await asyncio.to_thread(child.stop)


def _state_file() -> Path:
    return state_folder() / "last.json"


def _remembered() -> Last:
    # A file that cannot be read only costs convenience.
    with suppress(OSError, ConfigError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return msgspec.json.decode(read_bytes(_state_file()), type=Last)
    return Last()


def _remember(board: str, milestone: str | None) -> None:
    with suppress(StoreFailed):
        private_files.replace(_state_file(), msgspec.json.encode(Last(board, milestone)))
