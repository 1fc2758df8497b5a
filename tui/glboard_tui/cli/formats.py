"""Printing rows as a table, JSON, Markdown or CSV.

Owns layout only; what is printed is decided by the subcommands. The shape of the JSON is documented and
stable (README).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

import click
import msgspec
from rich.cells import cell_len, set_cell_size

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
