"""The entry point: global options, subcommands loaded on use, errors as messages and exit status.

Exit status: 0 success, 1 failure (message on stderr), 2 usage error, 3 partial success, 4 a question needs
--yes (nothing was sent).
"""

from __future__ import annotations

import importlib
import io
import logging
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

import click
from msgspec import structs

from glboard_core import environment, logfile
from glboard_core.errors import ConnectionFailed, GlboardError, NameUnknown, NotUnderstood, UsageError, misled
from glboard_tui.cli import context, printing
from glboard_tui.cli.context import Options
from glboard_tui.cli.groups import NamedGroup

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

#: Subcommand → module that defines ``command``; a module is imported only when its command runs.
COMMANDS = {
    "open": ("glboard_tui.cli.open", "Open a board on screen (glboard alone opens the last one)."),
    "demo": ("glboard_tui.cli.demo", "Try glboard with its built-in demo server: no account, no network."),
    "show": ("glboard_tui.cli.show", "Print a board as text or data."),
    "report": (
        "glboard_tui.cli.report",
        "Print Say/Do, capacity, candidates, mix, load, scope, decisions or triage.",
    ),
    "plan": ("glboard_tui.cli.plan", "Lock, show, export or import the plan of a milestone."),
    "edit": ("glboard_tui.cli.edit", "Change issues from the command line."),
    "milestone": (
        "glboard_tui.cli.milestone",
        "Open a milestone: its planning issue, boards and labels in GitLab.",
    ),
    "undo": ("glboard_tui.cli.undo", "Undo the last change, or list the change log."),
    "failed": ("glboard_tui.cli.failed", "List, retry or discard failed changes and conflicts."),
    "config": ("glboard_tui.cli.config", "Create, check, edit or show the configuration."),
    "auth": ("glboard_tui.cli.auth", "Sign in or out, or show where tokens come from."),
    "doctor": (
        "glboard_tui.cli.doctor",
        "Check the connection, token, configured names, local data and terminal.",
    ),
    "completion": ("glboard_tui.cli.completion", "Print the completion script for bash, zsh or fish."),
    "man": ("glboard_tui.cli.man", "Print the manual page."),
}


class LazyGroup(NamedGroup):
    """A group that lists its commands with one line of help each, without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in help order."""
        return list(COMMANDS)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The commands and options that can follow, without importing anything."""
        from click.shell_completion import CompletionItem

        if incomplete.startswith("-"):
            return super().shell_complete(ctx, incomplete)
        names = ((name, line) for name, (_, line) in COMMANDS.items() if name.startswith(incomplete))
        return [CompletionItem(name, help=line) for name, line in names]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command's module."""
        if cmd_name not in COMMANDS:
            return None
        command = getattr(importlib.import_module(COMMANDS[cmd_name][0]), f"{cmd_name}_command")
        if not isinstance(command, click.Command):
            raise TypeError(f"{cmd_name} has no command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The command list in the help, without importing anything."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option("--url", metavar="URL", help="GitLab URL (default: GITLAB_HOST, then the configuration).")
@click.option("--group", metavar="GROUP", help="Full path of the group (default: GLBOARD_GROUP).")
@click.option(
    "--profile",
    metavar="NAME",
    help="Use profiles/NAME.toml in the configuration folder.",
    shell_complete=context.complete_profile,
)
@click.option(
    "--config", type=click.Path(path_type=Path), metavar="FILE", help="Use this configuration file."
)
@click.option("--read-only", is_flag=True, help="Reject every change.")
@click.option(
    "--allow-http", is_flag=True, help="Allow a server without HTTPS (sends the token unencrypted)."
)
@context.as_of_option
@context.locked_at_option
@context.team_option
@click.option("--debug", is_flag=True, help="Log every request (method, path, status, time; no content).")
@click.option("--version", is_flag=True, help="Show the version, platform and GitLab version.")
@context.share_option
@click.pass_context
def cli(ctx: click.Context, /, debug: bool, version: bool, **given: Any) -> None:
    """Plan milestones on GitLab issue boards, from the keyboard.

    Without a command, opens the board you used last. `glboard demo` needs no account.
    """
    for name in ("url", "group"):
        if given[name] is not None and not given[name].strip():
            # In a script, a variable that is not set: the configured one may be another.
            raise UsageError(f"--{name} needs a value: it is empty.", hint="Pass one, or omit the option.")
    ctx.obj = structs.replace(ctx.obj or Options(), **given)
    logfile.start(debug=debug)
    if version:
        from glboard_tui.cli.version import version_lines

        for line in version_lines(ctx.obj):
            printing.echo(line)
        ctx.exit()
    if ctx.invoked_subcommand is None:
        from glboard_tui.cli.open import open_last

        ctx.exit(open_last(ctx.obj))


#: Said where a file of the caller's cannot be read or written.
_NO_FILE = "Check that the location exists, is writable, and is not full."


def main() -> NoReturn:
    """Run the command line and exit with its status."""
    environment.take_tokens()
    environment.leave_folder()
    environment.keep_private()
    # A library logs what it likes, such as an error of a task with all of its text.
    logging.lastResort = logging.NullHandler()
    home = environment.find_home()
    # What the caller has closed is nowhere.
    sys.stdin = sys.stdin or open(os.devnull, encoding="utf-8")  # noqa: SIM115  (until the end)
    sys.stdout, sys.stderr = (stream or _nowhere() for stream in (sys.stdout, sys.stderr))
    for stream in (sys.stdout, sys.stderr):
        # A terminal or pipe in latin-1 or C gets a question mark, not a traceback.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    if home:
        _say(GlboardError(f"There is no home folder: {home} takes its place.", hint="Set HOME."))
    status = run(sys.argv[1:])
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError as error:
            _discard(stream)
            if stream is sys.stdout and not isinstance(error, BrokenPipeError):
                status = status or 1
                _say(GlboardError(f"Cannot write the output: {error.strerror}.", hint=_NO_FILE))
    sys.exit(status)


def _nowhere() -> io.TextIOWrapper:
    return open(os.devnull, "w", encoding="utf-8")


def _discard(stream: TextIO) -> None:
    """Write the rest nowhere: Python flushes again at its end, and would fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def run(arguments: list[str]) -> int:
    """Run the command line and return the exit status. Only messages reach stderr, no tracebacks."""
    output = sys.stdout
    printing.mask_with(None)
    try:
        status = cli.main(args=arguments, prog_name="glboard", standalone_mode=False)
    except click.ClickException as error:
        with suppress(OSError):
            printing.usage_error(error)
        return 2
    except printing.Unanswered:
        with suppress(OSError):
            printing.echo("glboard: nothing was done, a confirmation is needed:", err=True)
            printing.echo("  To continue, run again with --yes.", err=True)
        return context.UNCONFIRMED
    except (click.Abort, KeyboardInterrupt):
        return 130
    except (UsageError, NameUnknown) as error:
        _say(error)
        return 2
    except GlboardError as error:
        _say(error)
        return 1
    except SystemExit:
        # Click ends so, with another stream, if the reader of our output is gone (glboard show | head).
        if sys.stdout is not output:
            return 0
        raise
    except Exception as error:  # noqa: BLE001  (the last step: no traceback, whatever it was)
        if isinstance(inner := _innermost(error), BrokenPipeError):
            _discard(sys.stdout)
            return 0
        logfile.fault(inner)
        cause = _cause(inner)
        _say(cause)
        return 2 if isinstance(cause, UsageError | NameUnknown) else 1
    finally:
        logfile.stop()
    return status if isinstance(status, int) else 0


def _innermost(error: Exception) -> Exception:
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error


def _cause(error: Exception) -> GlboardError:
    """What a value in an answer led to; if nothing was answered, our own fault. Its text is not shown."""
    if isinstance(error, GlboardError):
        return error
    if isinstance(error, OSError):
        # A full disk, a folder that is gone: of the files a command reads and writes.
        place = f"{error.filename}: " if error.filename else ""
        return GlboardError(f"{place}{error.strerror or error}.", hint=_NO_FILE)
    if isinstance(error, ImportError):
        # Python was built without it, as without SQLite or TLS, or the installation is not whole.
        name = (error.name or "?").lstrip("_").partition(".")[0]
        return GlboardError(
            f"A module that glboard needs cannot be loaded: {name}.",
            hint=f"Install glboard again, with a Python that has it: python3 -c 'import {name}'",
        )
    if isinstance(error, UnicodeEncodeError):
        # No decoded answer has such text: it comes from the command line, or the name of a file.
        return UsageError("An argument is not valid UTF-8.", hint="Check the locale of your terminal (LANG).")
    if "glboard_core.gitlab.http" in sys.modules:
        from glboard_core.gitlab.answers import has_answer, last_request

        if has_answer():
            return misled(error, last_request())
    return context.bug(error)


def _say(error: GlboardError) -> None:
    # Where nothing can be written, the exit status is all there is.
    with suppress(OSError):
        printing.echo(f"glboard: {error.message}", err=True)
        if advice := error.what_to_do:
            printing.echo(f"  {advice}", err=True)
        if isinstance(error, ConnectionFailed | NotUnderstood):
            printing.echo(f"  Log: {logfile.shown_place()} (glboard doctor checks the connection)", err=True)
