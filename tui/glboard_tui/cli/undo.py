"""``glboard undo``: undo the last change, list the change log, or prune it."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import TYPE_CHECKING

import click
from msgspec import structs

from glboard_core.board.undo import Group, posted_comments, says
from glboard_core.errors import UsageError
from glboard_core.planning.text import counted
from glboard_tui.cli import context, printing
from glboard_tui.cli.context import UNCONFIRMED, Options
from glboard_tui.cli.sending import LISTED, Outcomes, reference

if TYPE_CHECKING:
    from glboard_core.ports import Logged
    from glboard_core.sync.engine import Engine
    from glboard_tui.cli.sharing import Printed

#: What a line of the change log has in JSON; ``at`` is UTC.
_LOGGED = ("at", "title", "reference", "what", "was", "result", "message")


@click.command("undo")
@click.option("--list", "listing", is_flag=True, help="Print the change log, newest first.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=50,
    show_default=True,
    metavar="N",
    help="How many changes --list prints.",
)
@click.option(
    "--prune",
    "days",
    type=click.IntRange(min=1, max=36_500),
    metavar="DAYS",
    help="Remove older changes from the log; they can no longer be undone.",
)
@click.option(
    "--yes", is_flag=True, help="Prune, discard a rejected change, or delete a comment, without asking."
)
@context.format_option
@context.as_of_option
@context.share_option
@click.pass_context
def undo_command(
    ctx: click.Context, listing: bool, limit: int, days: int | None, yes: bool, style: str
) -> None:
    """Undo the last glboard change on this machine, list the change log, or prune it.

    Later changes by others are not overwritten: they are reported and left as they are. If GitLab refused the
    last change, there is nothing to undo: it can be discarded, and earlier changes are not touched. Undoing a
    posted comment deletes it, and asks before. The log keeps the last 20,000 changes; --prune removes those
    older than DAYS, but never unsent or failed ones.
    """
    if not listing:
        # Whoever asks for a format, or for so many lines, wants the list: not a change undone.
        for name, flag in (("style", "--format"), ("limit", "--limit")):
            if ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
                raise UsageError(
                    f"{flag} is for --list. Nothing was undone.", hint="Add --list to see the log."
                )
    if days is not None:
        if listing:
            raise UsageError("--list and --prune cannot be combined.", hint="Pass only one of them.")
        ctx.exit(context.run_signed_in(lambda: _prune(ctx.obj, days, yes=yes)))
    if yes and listing:
        raise UsageError("--yes and --list cannot be combined.", hint="Omit --yes: --list changes nothing.")
    ctx.exit(
        context.run_signed_in(lambda: _list(ctx.obj, limit, style) if listing else _undo(ctx.obj, yes=yes))
    )


async def _list(options: Options, limit: int, style: str) -> int:
    async with options.engine(stored=True) as engine:
        log = engine.store.log(limit)
        printed = options.printed(engine)
        log = [_for_all(entry) if printed.hides(engine, entry.change) else entry for entry in log]
    if style == "json":
        shapes = [{name: getattr(entry, name) for name in _LOGGED} for entry in log]
        printing.echo(printed.text(printing.as_json(shapes)))
        return 0
    rows = [
        (
            context.moment(entry.at),
            entry.reference,
            entry.what,
            entry.was,
            entry.result + (f": {entry.message}" if entry.message else ""),
        )
        for entry in log
    ]
    heads = ("at", "issue", "what", "was", "result")
    printing.echo(printed.text(context.printed(style, heads, rows)) or "No changes yet.")
    return 0


def _for_all(entry: Logged) -> Logged:
    """The line of an issue that is hidden on a shared screen."""
    return structs.replace(entry, title=f"{entry.reference} changed", what="changed", was="", message="")


async def _undo(options: Options, *, yes: bool) -> int:
    async with options.engine(stored=True) as engine:
        group = engine.undoing.last()
        if group is None:
            printing.echo("Nothing to undo.")
            return 0
        if group.is_refused:
            return _discard_refused(engine, group, options.printed(engine), yes=yes)
        if not yes and (count := engine.undoing.deletes):
            words = posted_comments(count)
            if not sys.stdin.isatty():
                printing.echo(
                    f"This deletes the {words}. Run again with --yes. Nothing was undone.", err=True
                )
                return UNCONFIRMED
            if not printing.confirm(f"Delete the {words}?", err=True):
                printing.echo("Nothing was undone.")
                return 0
        await engine.reader.sign_in()
        await engine.reader.reread(list(dict.fromkeys(op.issue for op in group.ops)))
        before = set(engine.outbox)
        engine.undoing.undo()
        ops = [op for op in engine.outbox if op not in before]
        changing = {op.issue for op in ops}
        printed = options.printed(engine)
        outcomes = Outcomes(engine, ops, printed, undone=group.title)
        for issue, op in {op.issue: op for op in group.ops}.items():
            if issue not in engine.shown:
                outcomes.not_done.add(issue)
                printing.echo(f"{reference(op)}: not undone: the issue no longer exists here.", err=True)
            elif issue not in changing:
                what = "" if printed.hides(engine, op) else f": {group.title}"
                printing.echo(f"{reference(op)}: nothing to undo, already as before{what}")
        await outcomes.send()
        if note := says(group.ops):
            printing.echo(note, err=True)
        if group.refused:
            left = counted(len(group.refused), "rejected change")
            printing.echo(f"{left} of it: never applied, nothing to undo. {LISTED}", err=True)
        return outcomes.status


def _discard_refused(engine: Engine, group: Group, printed: Printed, *, yes: bool) -> int:
    """The last change was never applied: offer to discard it, rather than undo the one before it."""
    reasons = {op.id: error for op, error in engine.failed}
    hidden = any(printed.hides(engine, op) for op in (*group.ops, *group.refused))
    title = "changed" if hidden else group.title
    printing.echo(f"GitLab rejected the last change: {title}", err=True)
    for op in group.refused:
        why = "" if printed.hides(engine, op) else f": {reasons[op.id]}"
        printing.echo(f"  {reference(op)}: {printed.change(engine, op)}{why}", err=True)
    if not yes:
        if not sys.stdin.isatty():
            printing.echo("  To discard it, run again with --yes. Nothing undone.", err=True)
            return UNCONFIRMED
        if not printing.confirm("Discard it?", err=True):
            printing.echo("Nothing was undone.")
            return 0
    engine.undoing.discard_refused()
    printing.echo(f"Discarded: {title}. Nothing undone.")
    return 0


async def _prune(options: Options, days: int, *, yes: bool) -> int:
    async with options.engine(stored=True) as engine:
        before, count = engine.log.prunable(engine.now() - timedelta(days=days))
        if not count:
            printing.echo(f"The log has no changes older than {counted(days, 'day')}; nothing removed.")
            return 0
        changes = counted(count, "line")
        if not yes:
            printing.echo(
                f"{changes} older than {counted(days, 'day')} will be removed from the log.", err=True
            )
            printing.echo("These changes can no longer be undone. GitLab is not affected.", err=True)
            printing.confirm("Remove them?", abort=True, err=True)
        engine.log.prune(before)
        printing.echo(f"Removed {changes} from the change log.")
        return 0
