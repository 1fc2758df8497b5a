"""``glboard undo``: undo the last change, list or prune the change log."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import click
from msgspec import Struct

from glboard_core.ports import Logged
from glboard_tui.cli import formats
from glboard_tui.cli.context import Options
from glboard_tui.cli.edit import PARTLY


class Line(Struct, frozen=True):
    """A line of the change log in JSON; ``at`` is UTC."""

    at: str
    title: str
    reference: str
    what: str
    was: str
    result: str
    message: str


@click.command("undo")
@click.option("--list", "listing", is_flag=True, help="Print the change log, newest first.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, metavar="N")
@click.option(
    "--prune",
    "days",
    type=click.IntRange(min=1, max=36_500),
    metavar="DAYS",
    help="Remove older changes from the log; they can no longer be undone.",
)
@click.option("--yes", is_flag=True, help="Prune without asking.")
@formats.format_option
@click.pass_context
def undo_command(
    ctx: click.Context, listing: bool, limit: int, days: int | None, yes: bool, style: str
) -> None:
    """Undo the last glboard change on this machine, list the change log, or prune it.

    Later changes by others are not overwritten: they are reported and left as they are. The log keeps the
    last 20,000 changes; --prune removes those older than DAYS, but never unsent or failed ones.
    """
    if days is not None:
        if listing:
            raise click.UsageError("--list and --prune cannot be combined.")
        ctx.exit(asyncio.run(_prune(ctx.obj, days, yes=yes)))
    if yes:
        raise click.UsageError("--yes requires --prune.")
    ctx.exit(asyncio.run(_list(ctx.obj, limit, style) if listing else _undo(ctx.obj)))


async def _list(options: Options, limit: int, style: str) -> int:
    async with options.engine(keep=True) as engine:
        lines = [_line(entry) for entry in engine.history(limit)]
    if style == "json":
        click.echo(formats.as_json(lines))
        return 0
    heads = ("at", "issue", "what", "was", "result")
    rows = [
        (
            line.at,
            line.reference,
            line.what,
            line.was,
            line.result + (f": {line.message}" if line.message else ""),
        )
        for line in lines
    ]
    printers = {"table": formats.as_table, "csv": formats.as_csv, "markdown": formats.as_markdown}
    click.echo(printers[style](heads, rows))
    return 0


async def _undo(options: Options) -> int:
    async with options.engine(keep=True) as engine:
        await engine.load_catalog()
        group = engine.last_change()
        if group is None:
            click.echo("Nothing to undo.")
            return 0
        await engine.reread([op.issue for op in group.ops])
        engine.undo()
        await engine.flush()
        conflicts = [issue for op in group.ops for issue in [op.issue] if engine.clashing(issue)]
        reasons = {
            op.issue: str(error) for op, error in engine.failed if op.issue in {o.issue for o in group.ops}
        }
        for op in {op.issue: op for op in group.ops}.values():
            reference = op.before.reference if op.before else op.issue
            if op.issue in conflicts:
                clash = engine.clashing(op.issue)[0]
                click.echo(f"{reference}: not undone: {clash.field} is now {clash.theirs}", err=True)
            elif op.issue in reasons:
                click.echo(f"{reference}: not undone: {reasons[op.issue]}", err=True)
            else:
                click.echo(f"{reference}: undone: {group.title}")
        for issue in conflicts:
            engine.take_theirs(issue)
        missed = len(set(conflicts) | set(reasons))
        if not missed:
            return 0
        return PARTLY if missed < len({op.issue for op in group.ops}) else 1


async def _prune(options: Options, days: int, *, yes: bool) -> int:
    async with options.engine(keep=True) as engine:
        before, count = engine.prunable(engine.now() - timedelta(days=days))
        if not count:
            click.echo(f"The log has no changes older than {_days(days)}; nothing removed.")
            return 0
        changes = "1 line" if count == 1 else f"{count} lines"
        if not yes:
            click.echo(f"{changes} older than {_days(days)} will be removed from the log.", err=True)
            click.echo("These changes can no longer be undone. GitLab is not affected.", err=True)
            click.confirm("Remove them?", abort=True, err=True)
        engine.prune(before)
        click.echo(f"Removed {changes} from the change log.")
        return 0


def _days(days: int) -> str:
    return "1 day" if days == 1 else f"{days} days"


def _line(entry: Logged) -> Line:
    return Line(
        at=entry.at.isoformat().replace("+00:00", "Z"),
        title=entry.title,
        reference=entry.reference,
        what=entry.what,
        was=entry.was,
        result=entry.result,
        message=entry.message,
    )
