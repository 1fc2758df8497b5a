"""``glboard plan``: lock a milestone's plan, show, export and import it.

Owns the subcommands, their texts and the files. What a plan is, and which one is rejected, is defined in
``planning/plan_lock.py``; the store keeps every plan, and the latest is the current one.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec import structs

from glboard_core.errors import (
    ConfigError,
    GlboardError,
    GroupNotFound,
    NameUnknown,
    SharedScreen,
    UsageError,
)
from glboard_core.files import read_bytes
from glboard_core.planning import plan_lock as plans
from glboard_core.planning.capacity import dates_of
from glboard_core.planning.plan_lock import PlanSnapshot, count_words, locked_words
from glboard_core.planning.text import plain
from glboard_core.sync.timing import DAY
from glboard_tui.cli import context, printing
from glboard_tui.cli.context import Options, cells, moment, parse_time
from glboard_tui.cli.groups import NamedGroup

if TYPE_CHECKING:
    from glboard_core.reports import Reports
    from glboard_tui.cli.sharing import Printed


def _with_reports(task: Callable[..., Awaitable[int]], seconds: float | None = None) -> Callable[..., None]:
    """A command that calls ``task`` with reports on what is stored here, and exits with its status.

    A catalog read in the last ``seconds`` is used, unless it lacks a name.
    """

    @click.pass_context
    @wraps(task)
    def command(ctx: click.Context, /, **given: Any) -> None:
        options: Options = ctx.obj

        async def once(seconds: float | None) -> int:
            async with options.reports(keep=True, seconds=seconds) as reports:
                if reports.engine.save_error is not None:
                    # Without the state folder there is no plan to show, and none could be stored.
                    raise reports.engine.save_error
                await reports.engine.names.know_milestones(
                    [given["milestone"]] if "milestone" in given else []
                )
                return await task(reports, **given)

        try:
            ctx.exit(context.run_signed_in(lambda: once(seconds)))
        except (NameUnknown, GroupNotFound):
            if seconds is None:
                raise
            ctx.exit(context.run_signed_in(lambda: once(None)))

    return command


#: For what only shows or moves plans that are stored here.
_with_stored = partial(_with_reports, seconds=DAY)


def _time(_: click.Context, __: click.Parameter, text: str | None) -> datetime | None:
    return parse_time(text) if text is not None else None


_number = click.option(
    "--number",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    metavar="N",
    help="Which stored plan: 1 is the current one, 2 the previous one.",
)
_replace = click.option("--replace", is_flag=True, help="Replace a locked plan without asking.")


@click.group("plan", cls=NamedGroup)
@context.as_of_option
def plan_command() -> None:
    """Lock a milestone's plan and share it with colleagues. Say/Do and scope are based on it."""


@plan_command.command("lock")
@click.argument("milestone", shell_complete=context.complete_milestone)
@click.option(
    "--at",
    metavar="TIME",
    callback=_time,
    help="Lock the plan as of this time, rebuilt from events (ISO 8601, UTC).",
)
@_replace
@context.as_of_option
@context.share_option
@_with_reports
async def lock(reports: Reports, milestone: str, at: datetime | None, replace: bool) -> int:
    """Lock the plan of MILESTONE: its Deliverables with weight and assignees, as they are in GitLab now."""
    when = at or reports.as_of
    one = reports.milestone(milestone)
    dates_of(one)
    if when is not None and when > reports.engine.gateway.now():
        raise UsageError(
            f"{moment(when)} is in the future.",
            hint="Pass a time in the past.",
        )
    before = _plans(reports, one.title)
    taken = await reports.taken(one, at=when, progress=context.progress)
    if not _agreed(before, taken, replace):
        return 1
    reports.engine.store.keep_plan(taken)
    printing.echo(f"Locked {one.title}: {count_words(taken)}, {locked_words(taken)}.")
    return context.tell_unread(reports.unread)


@plan_command.command("export")
@click.argument("milestone", shell_complete=context.complete_milestone)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Output file (default: standard output).",
)
@_number
@context.as_of_option
@context.share_option
@_with_stored
async def export(reports: Reports, milestone: str, output: Path | None, number: int) -> int:
    """Write the locked plan of MILESTONE as JSON for a colleague. It contains no titles."""
    plan, printed = _kept(reports, milestone, number), _printed(reports)
    if any(printed.hides_reference(row.reference) for row in plan.issues):
        raise SharedScreen  # a plan without who had what is none
    raw = plans.exported(plan)
    if output is None or str(output) == "-":
        printing.echo(printing.escaped_json(raw), nl=False)
    else:
        _write(output, raw)
        printing.echo(f"Wrote {output}.")
    return 0


@plan_command.command("import")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@_replace
@context.as_of_option
@context.share_option
@_with_reports
async def import_(reports: Reports, file: Path, replace: bool) -> int:
    """Import the plan in FILE, written by `glboard plan export`. The plan it replaces is kept."""
    plan = plans.imported(_content(file), str(file))
    if wrong := plans.refused(plan, reports.engine.host, reports.catalog.group, reports.catalog.group_id):
        raise ConfigError(f"cannot use this plan: {wrong}.", where=str(file))
    await reports.engine.names.know_milestones([plan.milestone])
    if reports.catalog.find_milestone(plan.milestone) is None:
        raise NameUnknown("milestone", plan.milestone, reports.catalog.near_milestones(plan.milestone))
    before = _plans(reports, plan.milestone)
    if before and before[0] == plan:
        printing.echo(f"This is already the current plan of {plan.milestone}.")
        return 0
    if not _agreed(before, plan, replace):
        return 1
    reports.engine.store.keep_plan(plan)
    printing.echo(f"Imported the plan of {plan.milestone}: {count_words(plan)}, {locked_words(plan)}.")
    return 0


@plan_command.command("show")
@click.argument("milestone", shell_complete=context.complete_milestone)
@click.option("--list", "listing", is_flag=True, help="List all stored plans, the current one first.")
@_number
@context.format_option
@context.as_of_option
@context.share_option
@_with_stored
async def show(reports: Reports, milestone: str, listing: bool, number: int, style: str) -> int:
    """Print the locked plan of MILESTONE."""
    if listing:
        title = reports.milestone(milestone).title
        printing.echo(_listed(_plans(reports, title), style))
    else:
        printing.echo(_shown(_for_all(_kept(reports, milestone, number), _printed(reports)), style))
    return 0


@plan_command.command("restore")
@click.argument("milestone", shell_complete=context.complete_milestone)
@click.argument("number", type=click.IntRange(min=2))
@context.as_of_option
@context.share_option
@_with_stored
async def restore(reports: Reports, milestone: str, number: int) -> int:
    """Make an older plan of MILESTONE current again: NUMBER as in `plan show --list`."""
    plan = _kept(reports, milestone, number)
    reports.engine.store.keep_plan(plan)
    printing.echo(f"Restored the plan of {plan.milestone}, {locked_words(plan)}: {count_words(plan)}.")
    return 0


def _printed(reports: Reports) -> Printed:
    return click.get_current_context().ensure_object(Options).printed(reports.engine)


def _for_all(plan: PlanSnapshot, printed: Printed) -> PlanSnapshot:
    """The plan without the assignees of issues that are hidden on a shared screen."""
    rows = (
        structs.replace(row, assignees=()) if printed.hides_reference(row.reference) else row
        for row in plan.issues
    )
    return structs.replace(plan, issues=tuple(rows))


def _plans(reports: Reports, title: str) -> list[PlanSnapshot]:
    from glboard_core.reports import kept_plans

    return kept_plans(reports.engine.store, title, reports.catalog.group_id)


def _kept(reports: Reports, milestone: str, number: int) -> PlanSnapshot:
    title = reports.milestone(milestone).title
    kept = _plans(reports, title)
    if not kept:
        raise GlboardError(
            f"The plan of {title} is not locked here.",
            title="Plan",
            hint=f"Lock it with glboard plan lock {title}, or import one with glboard plan import FILE.",
        )
    if number > len(kept):
        raise UsageError(
            f"Only {len(kept)} plans of {title} are stored.", hint="See glboard plan show M --list."
        )
    return kept[number - 1]


def _agreed(before: Sequence[PlanSnapshot], plan: PlanSnapshot, replace: bool) -> bool:
    """Whether a plan can replace the current one, which is kept as number 2."""
    if not before or replace:
        return True
    there = f"The plan of {plan.milestone} is {locked_words(before[0])}: {count_words(before[0])}."
    if not sys.stdin.isatty():
        raise UsageError(there, hint="To replace it, pass --replace. The old plan is kept.")
    printing.echo(there)
    return printing.confirm(f"Replace it with {count_words(plan)}, {locked_words(plan)}? The old one is kept")


def _content(file: Path) -> bytes:
    if str(file) == "-":
        return sys.stdin.buffer.read()
    try:
        return read_bytes(file)
    except FileNotFoundError:
        raise ConfigError("no such file.", where=str(file), hint="Check the path.") from None


def _write(file: Path, raw: bytes) -> None:
    try:
        file.write_bytes(raw)
    except OSError as error:
        raise GlboardError(
            f"Cannot save {file}: {error.strerror}.", title="Plan", hint="Pass another file with -o."
        ) from None


def _shown(plan: PlanSnapshot, style: str) -> str:
    rows = [cells(row.reference, row.weight, " ".join(row.assignees)) for row in plan.issues]
    heads = ("reference", "weight", "assignees")
    if style == "json":
        return printing.as_json(
            {
                "milestone": plan.milestone,
                "locked_at": moment(plan.locked_at),
                "locked_by": plan.locked_by,
                "rebuilt": plan.rebuilt,
                "weight": plan.weight,
                "issues": [
                    {"reference": r.reference, "weight": r.weight, "assignees": r.assignees}
                    for r in plan.issues
                ],
            }
        )
    if style == "csv":
        return context.as_csv(heads, rows)
    title = f"Plan of {plan.milestone}, {locked_words(plan)}: {count_words(plan)}"
    if style == "markdown":
        return f"## {plain(title)}\n\n{context.as_markdown(heads, rows)}"
    return f"{title}\n\n{context.as_table(heads, rows, right=frozenset({1}))}".rstrip()


def _listed(kept: Sequence[PlanSnapshot], style: str) -> str:
    heads = ("number", "locked at", "by", "issues", "weight", "from")
    rows = [
        cells(number, moment(plan.locked_at), plan.locked_by, len(plan.issues), plan.weight)
        + cells("events" if plan.rebuilt else "issues")
        for number, plan in enumerate(kept, 1)
    ]
    if style == "json":
        return printing.as_json(
            [
                {
                    "number": number,
                    "locked_at": moment(plan.locked_at),
                    "by": plan.locked_by,
                    "issues": len(plan.issues),
                    "weight": plan.weight,
                    "from": "events" if plan.rebuilt else "issues",
                }
                for number, plan in enumerate(kept, 1)
            ]
        )
    return context.printed(style, heads, rows) or "No plan is locked here."
