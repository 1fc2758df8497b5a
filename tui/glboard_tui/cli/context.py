"""What every subcommand gets: the global options, and from them the settings and an engine.

Owns parsing times and choosing the configuration file. It imports no network code until needed.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec
from msgspec import Struct
from rich.cells import cell_len, set_cell_size

from glboard_core.config import Settings, load
from glboard_core.errors import ConfigError, UsageError
from glboard_core.session import Place

if TYPE_CHECKING:
    from glboard_core.sync.engine import Engine


class Options(Struct, frozen=True, kw_only=True):
    """The global options, as given."""

    url: str | None = None
    group: str | None = None
    profile: str | None = None
    config: Path | None = None
    read_only: bool = False
    as_of: datetime | None = None

    @property
    def config_path(self) -> Path:
        """The configuration file: ``--config``, else the profile's, else the default path.

        Raises ConfigError if a file given explicitly does not exist.
        """
        if self.config is not None:
            if not self.config.is_file():
                raise ConfigError("no such file.", where=str(self.config))
            return self.config
        from platformdirs import user_config_path

        folder = user_config_path("glboard")
        if self.profile is None:
            return folder / "config.toml"
        path = folder / "profiles" / f"{self.profile}.toml"
        if not path.is_file():
            raise ConfigError("no such profile.", where=str(path), hint="Profiles are files in that folder.")
        return path

    def settings(self) -> Settings:
        """The current settings. Raises ConfigError."""
        return load(self.config_path)

    @property
    def place(self) -> Place:
        """The server and group, as far as the command line gives them."""
        return Place(url=self.url, group=self.group, as_of=self.as_of, read_only=self.read_only)

    @asynccontextmanager
    async def engine(self, *, keep: bool = False) -> AsyncIterator[Engine]:
        """An engine for a command; with ``keep`` over the mirror, outbox and log on disk.

        Raises what finding the account does.
        """
        from msgspec import structs

        from glboard_core.session import open_engine

        async with open_engine(structs.replace(self.place, keep=keep), self.settings()) as engine:
            yield engine

    @property
    def has_account(self) -> bool:
        """Whether a group is configured; if not, a first run shows the welcome screen instead of an error."""
        named = self.group or os.environ.get("GLBOARD_GROUP") or self.settings().gitlab.group
        return bool(named)


def parse_time(text: str) -> datetime:
    """A time from ISO text: ``2026-12-07``, ``2026-12-07T15:00Z``; without a zone it is UTC.

    Raises UsageError.
    """
    try:
        moment = datetime.fromisoformat(text)
        if len(text) <= len("2026-12-07"):
            moment = datetime.combine(moment.date(), time.min)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(
            f"“{text}” is not a time.", hint="Use a format like 2026-12-07 or 2026-12-07T15:00:00Z."
        ) from None


# Printing rows as a table, JSON, Markdown or CSV.

FORMATS = ("table", "json", "markdown", "csv")

format_option = click.option(
    "--format",
    "style",
    type=click.Choice(FORMATS),
    default="table",
    show_default=True,
    help="Output format.",
)


def as_json(value: Any) -> str:
    """Indented JSON. Times are ISO 8601 in UTC."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def as_table(
    heads: Sequence[str], rows: Sequence[Sequence[str]], *, right: frozenset[int] = frozenset()
) -> str:
    """Columns aligned by cell width, so that wide characters line up; ``right`` are right-aligned."""
    if not rows:
        return ""
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
    heads: Sequence[str], rows: Sequence[Sequence[str]], *, plain: frozenset[int] = frozenset()
) -> str:
    """A Markdown table; text is escaped so that it cannot break out of its cell or become a link or HTML.

    The columns in ``plain`` are not escaped: references, which GitLab turns into links.
    """
    lines = ["| " + " | ".join(heads) + " |", "|" + " --- |" * len(heads)]
    for row in rows:
        cells = [text if n in plain else escape_markdown(text) for n, text in enumerate(row)]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def escape_markdown(text: str) -> str:
    """Remote text as plain text in Markdown."""
    for char in "\\`*_[]<>|#~@!":
        text = text.replace(char, "\\" + char)
    return text


def as_csv(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """CSV; a text that a spreadsheet would take for a formula is prefixed with an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(heads)
    writer.writerows([["'" + c if c[:1] in "=+-@\t" and c else c for c in row] for row in rows])
    return out.getvalue().rstrip("\n")
