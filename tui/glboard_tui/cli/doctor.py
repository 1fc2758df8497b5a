"""``glboard doctor``: is all well, and if not, what to do.

Exit status: 0 if no check found a problem (warnings included), 1 otherwise, 2 for a usage error. With
``--format json``: ``{"glboard", "runtime", "status", "requests", "checks"}``; each check is ``{"id", "area",
"name", "status", "text", "advice", "facts"}``, and a status is ok, warning, problem or skipped.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from itertools import groupby
from textwrap import wrap
from typing import TYPE_CHECKING

import click
from msgspec import Struct, structs

from glboard_core.errors import ConfigError
from glboard_tui.cli import context, printing
from glboard_tui.cli.context import Options

if TYPE_CHECKING:
    from glboard_core.doctor.checks import Check, CheckStatus, Diagnosis

#: Columns of the text, where the terminal has as many.
WIDEST, USUAL = 100, 80
_MARKS: dict[CheckStatus, tuple[str, str]] = {
    "ok": ("✓", "green"),
    "warning": ("!", "yellow"),
    "problem": ("✗", "red"),
    "skipped": ("–", "bright_black"),
}
_NAME = 13


class ShownDiagnosis(Struct, frozen=True, kw_only=True):
    """The JSON of ``doctor``."""

    glboard: str
    runtime: str
    status: CheckStatus
    requests: int
    checks: tuple[Check, ...]


@click.command("doctor")
@context.text_format_option
@click.pass_context
def doctor_command(ctx: click.Context, style: str) -> None:
    """Check connection, token, names, mirror and terminal, and say what to do.

    It changes nothing. What it prints has no token and no title of an issue: paste it into a report. Exit
    status: 0 without a problem (there may be warnings), 1 otherwise.
    """
    ctx.obj.mask_words()
    diagnosis = diagnose(ctx.obj)
    if style == "json":
        from glboard_tui.cli.version import runtime, version_of

        shown = ShownDiagnosis(
            glboard=version_of("glboard"),
            runtime=runtime(),
            status=diagnosis.status,
            requests=diagnosis.requests,
            checks=diagnosis.checks,
        )
        printing.echo(printing.as_json(shown))
    else:
        _print(diagnosis)
    ctx.exit(1 if diagnosis.status == "problem" else 0)


def diagnose(options: Options, *, only_names: bool = False) -> Diagnosis:
    """Run the checks; with ``only_names`` those of the configured names alone are asked of the server."""
    import asyncio

    from glboard_core.doctor.checks import Checks
    from glboard_core.doctor.examination import Patient, examine
    from glboard_tui.cli.terminal_checks import check_terminal

    checks = Checks()
    if not only_names:
        check_terminal(checks)
    try:
        config = options.config_path
    except ConfigError as error:
        config = None
        checks.refused("config", error)
    team = options.team_file if config is not None else options.team
    patient = Patient(
        config=config,
        url=options.url,
        group=options.group,
        allow_http=options.allow_http,
        as_of=options.as_of,
        only_names=only_names,
        team=None if only_names else team,
    )
    if printing.progress_is_seen():
        printing.progress_line("Checking …")
    try:
        return asyncio.run(examine(patient, checks))
    finally:
        if printing.progress_is_seen():
            printing.end_progress_line()


def _print(diagnosis: Diagnosis) -> None:
    from glboard_tui.cli.version import runtime, version_of

    for row in wrap(f"glboard {version_of('glboard')}, {runtime()}", _width()):
        printing.echo(row)
    print_checks(diagnosis.checks)
    printing.echo()
    printing.echo_colored([(_summary(diagnosis), _MARKS[diagnosis.status][1])])


def print_checks(checks: Sequence[Check]) -> None:
    """Print checks by area, for a person."""
    width = _width()
    marked = sys.stdout.isatty() and "utf" in (sys.stdout.encoding or "").lower()
    for area, of_area in groupby(checks, lambda one: one.area):
        printing.echo()
        printing.echo_colored([(area, "bold")])
        for _, same in groupby(of_area, _reason):
            for line in _lines([*same], width, marked=marked):
                printing.echo_colored(line)


def _width() -> int:
    from glboard_tui.cli.terminal_checks import terminal_size

    size = terminal_size() if sys.stdout.isatty() else None
    return min(WIDEST, size[0]) if size else USUAL


def _reason(check: Check) -> str:
    """What checks next to each other have in common, if they were skipped for one reason."""
    return f"skipped: {check.text}" if check.status == "skipped" else check.id


def _lines(checks: list[Check], width: int, *, marked: bool) -> Iterator[list[tuple[str, str]]]:
    """A check as lines of texts and their colours: what it found, and below it what to do."""
    check, *more = checks
    if more:
        names = ", ".join(one.name for one in checks)
        check = structs.replace(check, name="", text=f"{names}: not checked. {check.text}")
    sign, color = _MARKS[check.status]
    mark = f"  {sign}  " if marked else f"  {check.status:<9}"
    indent = len(mark) + _NAME
    gray = color if check.status == "skipped" else ""
    room = max(30, width - indent)
    first, *rest = wrap(check.text, room, break_long_words=False, break_on_hyphens=False) or [""]
    yield [(mark, color), (f"{check.name:<{_NAME}}", gray), (first, gray)]
    for row in rest:
        yield [(" " * indent + row, gray)]
    arrow = "→ " if marked else "-> "
    advice = wrap(check.advice, room - len(arrow), break_long_words=False, break_on_hyphens=False)
    for number, row in enumerate(advice):
        start = arrow if not number else " " * len(arrow)
        yield [(" " * indent + start + row, color)]


def _summary(diagnosis: Diagnosis) -> str:
    from glboard_core.doctor.checks import counted

    problems, warnings = diagnosis.number("problem"), diagnosis.number("warning")
    skipped = diagnosis.number("skipped")
    found = [counted(number, one) for number, one in ((problems, "problem"), (warnings, "warning")) if number]
    text = " and ".join(found) if found else "No problems"
    asked = f"{counted(diagnosis.requests, 'request')}"
    return f"{text}{f', {skipped} not checked' if skipped else ''}; {asked} to GitLab."
