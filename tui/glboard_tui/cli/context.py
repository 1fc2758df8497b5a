"""What the subcommands share: the global options, what they open, exit statuses and formats.

It imports no network code until needed.
"""

from __future__ import annotations

import io
import os
import re
import sys
import unicodedata
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from msgspec import Struct, structs
from rich.cells import cell_len, set_cell_size

from glboard_core import logfile
from glboard_core.config import Settings, load
from glboard_core.errors import ConfigError, GlboardError, UsageError
from glboard_core.folders import config_folder
from glboard_core.model.printable import printable
from glboard_core.planning.text import plain
from glboard_core.sync.events import EngineNotice
from glboard_tui.cli import printing

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from glboard_core.planning.team import Team
    from glboard_core.reports import Reports
    from glboard_core.session import EngineOptions
    from glboard_core.sync.engine import Engine
    from glboard_core.sync.events import Event
    from glboard_tui.cli.sharing import Printed

T = TypeVar("T")

#: Exit statuses in addition to 0, 1 (failure) and 2 (usage error).
PARTLY, UNCONFIRMED = 3, 4

#: Characters of a progress bar.
_BAR = 24

#: The name of a profile is that of a file.
_PROFILE = re.compile(r"\w[\w.-]*")

#: In the folder of the configuration file.
TEAM_FILE = "team.toml"


class Options(Struct, frozen=True, kw_only=True):
    """The global options, as given."""

    url: str | None = None
    group: str | None = None
    profile: str | None = None
    config: Path | None = None
    read_only: bool = False
    allow_http: bool = False
    as_of: datetime | None = None
    locked_at: datetime | None = None
    team: Path | None = None
    #: The screen is shared (planning rule 24).
    share: bool = False

    @property
    def config_path(self) -> Path:
        """The configuration file: ``--config``, else the profile's, else the default path.

        Raises ConfigError if a file given explicitly does not exist, UsageError if the name is no profile's.
        """
        path = self.config_target
        # A pipe is read as a file is.
        if self.config is not None and not path.exists():
            command = f"{self.command} config init --url URL --group GROUP"
            raise ConfigError(
                "no such file.", where=str(path), hint=f"Check the path, or create it: {command}"
            )
        if self.profile is not None and not path.is_file():
            command = f"{self.command} config init --url URL --group GROUP"
            known = profiles()
            there = f"Profiles: {', '.join(known)}. " if known else ""
            raise ConfigError("no such profile.", where=str(path), hint=f"{there}Create it: {command}")
        return path

    @property
    def config_target(self) -> Path:
        """The configuration file to write: the same, but it need not exist yet.

        Raises UsageError, and ConfigError for a folder.
        """
        if self.config is not None and self.profile is not None:
            raise UsageError("--config and --profile cannot be combined.", hint="Pass only one of them.")
        if self.config is not None:
            if self.config.is_dir():
                hint = f"Name the file in it: --config {self.config / 'config.toml'}"
                raise ConfigError("is a folder.", where=str(self.config), hint=hint)
            return self.config
        if self.profile is None:
            return config_folder() / "config.toml"
        if not _PROFILE.fullmatch(self.profile):
            raise UsageError(
                f"“{self.profile}” is not a valid profile name.",
                hint="Use letters, digits, dots, dashes and underscores.",
            )
        return config_folder() / "profiles" / f"{self.profile}.toml"

    @property
    def command(self) -> str:
        """What is typed for another command with the same configuration file, before its name."""
        if self.config is not None:
            return f"glboard --config {self.config}"
        return f"glboard --profile {self.profile}" if self.profile is not None else "glboard"

    def settings(self) -> Settings:
        """The current settings. Raises ConfigError."""
        settings = load(self.config_path)
        if self.allow_http:
            settings = structs.replace(settings, gitlab=structs.replace(settings.gitlab, allow_http=True))
        return settings

    @property
    def place(self) -> EngineOptions:
        """The server and group, as far as the command line gives them."""
        from glboard_core.session import EngineOptions

        return EngineOptions(url=self.url, group=self.group, as_of=self.as_of, read_only=self.read_only)

    @asynccontextmanager
    async def engine(self, *, stored: bool = False) -> AsyncIterator[Engine]:
        """An engine for a command, over the mirror, outbox and log on disk.

        Raises what finding the account does; with ``stored``, StoreFailed as well if these cannot be used:
        then nothing is known of earlier changes, and "nothing to undo" would be wrong.
        """
        from glboard_core.session import open_engine

        async with open_engine(structs.replace(self.place, command=True), self.settings()) as engine:
            if stored and engine.save_error is not None:
                raise engine.save_error
            with _telling(engine):
                self.printed(engine)  # from here on nothing hidden is printed
                yield engine

    @asynccontextmanager
    async def signed_in(self, *, keep: bool = False, seconds: float | None = None) -> AsyncIterator[Engine]:
        """Such an engine with the catalog; with nothing kept on disk unless ``keep``.

        A catalog read in the last ``seconds`` is used. Raises what finding the account and reading do.
        """
        from glboard_core.session import open_engine

        place = structs.replace(self.place, keep=keep, command=True)
        async with open_engine(place, self.settings()) as engine:
            with _telling(engine):
                self.printed(engine)
                await (engine.names.read() if seconds is None else engine.reader.sign_in(seconds))
                yield engine

    @asynccontextmanager
    async def reports(self, *, keep: bool = False, seconds: float | None = None) -> AsyncIterator[Reports]:
        """Reports over such an engine. Raises what ``signed_in`` does."""
        from glboard_core.reports import open_reports

        async with (
            self.signed_in(keep=keep, seconds=seconds) as engine,
            open_reports(engine, as_of=self.as_of) as reports,
        ):
            yield reports

    @property
    def team_file(self) -> Path:
        """The team's file: ``--team``, else in the folder of the configuration file.

        Of a profile its own, since that is for another group. Raises as ``config_path`` does.
        """
        if self.team is not None:
            return self.team
        folder = self.config_path.parent
        if self.profile is None or (folder / TEAM_FILE).is_file():
            return folder / TEAM_FILE  # a file for all profiles stays in use
        return folder / self.profile / TEAM_FILE

    def read_team(self) -> Team | None:
        """The team; None if there is no file and none was named. Raises ConfigError."""
        if self.team is None and not self.team_file.is_file():
            return None
        from glboard_core.planning import team

        return team.load(self.team_file)

    def printed(self, engine: Engine, *, confidential: bool = False) -> Printed:
        """How this command prints titles. Raises UsageError if it shall print what a shared screen hides."""
        from glboard_tui.cli import sharing

        return sharing.printed(self.share, engine, confidential=confidential, team=self._team_names)

    def mask_words(self) -> None:
        """Print no masked word from here on, in a command without an engine, while others watch."""
        from glboard_tui.cli import sharing

        try:
            share = self.settings().share
        except ConfigError:
            return  # no words are known, and the command says what is wrong
        sharing.mask_words(self.share, share)

    def _team_names(self) -> frozenset[str]:
        try:
            team = self.read_team()
        except ConfigError:
            return frozenset()  # whoever needs it reports what is wrong with it
        return frozenset(person.username for person in team.people) if team is not None else frozenset()

    @property
    def has_account(self) -> bool:
        """Whether a group is configured; if not, a first run opens the set-up instead of an error."""
        named = self.group or os.environ.get("GLBOARD_GROUP") or self.settings().gitlab.group
        return bool(named)


def profiles() -> list[str]:
    """The names of the profiles that there are."""
    found = (config_folder() / "profiles").glob("*.toml")
    return sorted(one.stem for one in found if one.name != TEAM_FILE)


def board_id(options: Options, name: str) -> str:
    """The id of the board that a person named by its id or its name, in any case; else ``name`` itself."""
    boards = options.settings().boards
    if any(board.id == name for board in boards):
        return name
    meant = name.strip().casefold()
    ids = [board.id for board in boards if board.id.casefold() == meant]
    ids += [board.id for board in boards if board.name.casefold() == meant]
    return next(iter(ids), name)


def complete_board(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """The boards whose ids a shell can complete: those of the configuration."""
    given = ctx.find_root().params
    options = Options(config=given.get("config"), profile=given.get("profile"))
    try:
        boards = options.settings().boards
    except ConfigError:
        return []
    return [board.id for board in boards if board.id.startswith(incomplete)]


#: What a milestone can be called besides its title (see ``complete_milestone``).
_MILESTONE_WORDS = ("current", "next", "after-next")


def complete_milestone(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """The words and the configured names for a milestone; titles are on the server."""
    given = ctx.find_root().params
    options = Options(config=given.get("config"), profile=given.get("profile"))
    try:
        names = (*_MILESTONE_WORDS, *options.settings().milestones)
    except ConfigError:
        names = _MILESTONE_WORDS
    return [name for name in names if name.startswith(incomplete)]


def complete_profile(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    """The profiles that there are."""
    return [one for one in profiles() if one.startswith(incomplete)]


def complete_file(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Files, as the shell completes them."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="file")]


@contextmanager
def _telling(engine: Engine) -> Iterator[None]:
    """Print what the engine has to say, in the end: what GitLab renamed, and what is left out."""
    notices: list[str] = []

    def hear(event: Event) -> None:
        if isinstance(event, EngineNotice):
            notices.append(event.text)

    engine.listen(hear)
    try:
        yield
    finally:
        for text in dict.fromkeys((*notices, *engine.left_out)):
            printing.echo(f"glboard: {text}", err=True)


#: GitLab is younger, and no plan reaches further.
_FIRST_YEAR, _LAST_YEAR = 2000, 2999


def parse_time(text: str) -> datetime:
    """A time from ISO text: ``2026-12-07``, ``2026-12-07T15:00Z``; without a zone it is UTC.

    Raises UsageError.
    """
    try:
        moment = datetime.fromisoformat(text)
        if len(text) <= len("2026-12-07"):
            moment = datetime.combine(moment.date(), time.min)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        moment = datetime.min.replace(tzinfo=UTC)
    # What is calculated from it, days and years before and after, is within the calendar, too.
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise UsageError(
            f"“{text}” is not a time.", hint="Use a format like 2026-12-07 or 2026-12-07T15:00:00Z."
        )
    return moment


# Options that can stand before and after the command's name


def _on_both_sides(
    flag: str,
    what: str,
    parse: Callable[[str], Any],
    metavar: str,
    help_text: str,
    complete: Callable[..., Any] | None = None,
) -> Callable[[Any], Any]:
    """An option that ends up in ``Options``, wherever it stands. Two different values are a usage error."""
    name = flag.removeprefix("--").replace("-", "_")

    def take(ctx: click.Context, _: click.Parameter, texts: tuple[str, ...]) -> None:
        for text in texts:
            options: Options = ctx.obj or Options()
            before, value = getattr(options, name), parse(text)
            if before not in (None, value):
                raise UsageError(f"{flag} is set twice, to different {what}.", hint="Pass it once.")
            ctx.obj = structs.replace(options, **{name: value})

    return click.option(
        flag,
        metavar=metavar,
        multiple=True,
        expose_value=False,
        callback=take,
        help=help_text,
        shell_complete=complete,
    )


as_of_option = _on_both_sides(
    "--as-of", "times", parse_time, "TIME", "Treat this time as now (ISO 8601, UTC)."
)
locked_at_option = _on_both_sides(
    "--locked-at",
    "times",
    parse_time,
    "TIME",
    "Use the plan locked at this time (say-do, scope; ISO 8601, UTC).",
)
team_option = _on_both_sides(
    "--team",
    "files",
    Path,
    "FILE",
    "Team file (default: team.toml in the configuration folder).",
    complete_file,
)


def _share(ctx: click.Context, _: click.Parameter, on: bool) -> None:
    if on:
        ctx.obj = structs.replace(ctx.obj or Options(), share=True)


share_option = click.option(
    "--share",
    is_flag=True,
    expose_value=False,
    callback=_share,
    help="Share mode: hide confidential issues and masked words.",
)


# Running a command


def run_signed_in(task: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a command; a second time if the token belongs to another user than the last one here.

    That is stored by then, so the second time opens their state file.
    """
    import asyncio

    from glboard_core.sync.engine import UserChangedError

    try:
        return asyncio.run(task())
    except UserChangedError:
        return asyncio.run(task())


def bug(error: BaseException) -> GlboardError:
    """The error to show for one that no one expected. Its text, which could hold anything, is not shown."""
    hint = f"This is a bug in glboard. Please report it with the last lines of {logfile.shown_place()}."
    return GlboardError(f"{type(error).__name__}.", hint=hint)


def check_terminal(instead: str) -> None:
    """Raises UsageError if the screen cannot be drawn, since input or output is no terminal."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("No terminal to show the board in.", hint=f"Try {instead}.")


def tell_unread(unread: Sequence[str]) -> int:
    """Say which issues' history could not be read, if any. Returns the exit status."""
    if not unread:
        return 0
    printing.echo(f"glboard: no history for {len(unread)} issues; using their current state:", err=True)
    printing.echo(f"  {', '.join(unread)}", err=True)
    return PARTLY


def progress(what: str, done: int, of: int) -> None:
    """A bar while ``what`` is read, on a terminal only: a pipe gets nothing but the output."""
    if not printing.progress_is_seen():
        return
    filled = round(_BAR * done / of) if of else 0
    bar = "█" * filled + "░" * (_BAR - filled)
    printing.progress_line(f"loading {what}  {bar}  {done:,} of {of:,}")
    if done >= of:
        end_progress()


def shown_progress() -> Callable[[str, int, int], None] | None:
    """``progress``, where anyone sees it: to know how much there is can cost a request."""
    return progress if printing.progress_is_seen() else None


def end_progress() -> None:
    """Remove the bar."""
    if printing.progress_is_seen():
        printing.end_progress_line()


# Rows as a table, Markdown or CSV

FORMATS = ("table", "json", "markdown", "csv")
# What GitLab turns into a link automatically; anything else is escaped.
_REFERENCE = re.compile(r"[\w./-]+#\d+", re.ASCII)

format_option = click.option(
    "--format", "style", type=click.Choice(FORMATS), default="table", show_default=True, help="Output format."
)


text_format_option = click.option(
    "--format",
    "style",
    type=click.Choice(("text", "json")),
    default="text",
    show_default=True,
    help="Output format.",
)


def cells(*values: object) -> tuple[str, ...]:
    """A row of a table; None is empty."""
    return tuple("" if value is None else str(value) for value in values)


def printed(
    style: str, heads: Sequence[str], rows: Sequence[Sequence[str]], *, right: frozenset[int] = frozenset()
) -> str:
    """Rows in one of the formats except JSON; ``right`` are the number columns."""
    if style == "csv":
        return as_csv(heads, rows)
    return (as_markdown if style == "markdown" else as_table)(heads, rows, right=right)


def as_table(
    heads: Sequence[str], rows: Sequence[Sequence[str]], *, right: frozenset[int] = frozenset()
) -> str:
    """Columns aligned by cell width, so that wide characters line up; ``right`` are right-aligned."""
    if not rows:
        return ""
    # What is not printed must not be counted either, nor a word that the sign for masked words replaces.
    rows = [tuple(printable(printing.masked(cell)) for cell in row) for row in rows]
    widths = [max(cell_len(row[n]) for row in (heads, *rows)) for n in range(len(heads))]
    lines: list[str] = []
    for row in (heads, *rows):
        cells = [
            " " * (width - cell_len(text)) + text if n in right else set_cell_size(text, width)
            for n, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def as_markdown(
    heads: Sequence[str], rows: Sequence[Sequence[str]], *, right: frozenset[int] = frozenset()
) -> str:
    """A Markdown table; text is escaped so that it cannot break out of its cell or become a link or HTML.

    References stay as they are: GitLab turns them into links.
    """
    lines = ["| " + " | ".join(heads) + " |"]
    lines.append("|" + "".join(" ---: |" if n in right else " --- |" for n in range(len(heads))))
    lines += ["| " + " | ".join(map(linked, row)) + " |" for row in rows]
    return "\n".join(lines)


def linked(text: str) -> str:
    """A reference unescaped, so that GitLab links it; everything else as plain text."""
    return text if _REFERENCE.fullmatch(text) else plain(text)


def moment(at: datetime) -> str:
    """A time as written in JSON, to the second: ``2026-11-13T23:59:59Z``."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def as_csv(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """CSV; a text that a spreadsheet would take for a formula is prefixed with an apostrophe."""
    import csv

    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(heads)
    writer.writerows([["'" + cell if _is_formula(cell) else cell for cell in row] for row in rows])
    return out.getvalue().rstrip("\n")


def _is_formula(cell: str) -> bool:
    """Whether a spreadsheet may calculate it, also after blanks and unseen characters."""
    start = unicodedata.normalize("NFKC", printable(cell).lstrip()[:1])
    # A minus sign has no compatible form, but some programs read it as one.
    return cell[:1] in ("\t", "\r") or (bool(start) and start[0] in "=+-@\u2212")
