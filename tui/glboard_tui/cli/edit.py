"""``glboard edit REF…``: the screen's edits from the command line."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import click
from msgspec import Struct

from glboard_core.board import edits
from glboard_core.board.columns import REST, UNLISTED, Column
from glboard_core.board.definition import Board, flow_scheme, milestone_for, milestone_title
from glboard_core.board.operations import Change, Comment, Edit
from glboard_core.errors import NameUnknown, UsageError
from glboard_core.model.issue import Issue, IssueId
from glboard_core.ports import Logged
from glboard_tui.cli import context
from glboard_tui.cli.context import Options

if TYPE_CHECKING:
    from glboard_core.sync.engine import Engine


PARTLY = 3


class Wanted(Struct, frozen=True, kw_only=True):
    """The options of ``edit``, as given; None or empty means no change."""

    board: str | None = None
    to: str | None = None
    milestone: str | None = None
    weight: str | None = None
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    assign: tuple[str, ...] = ()
    unassign: tuple[str, ...] = ()
    close: bool = False
    reopen: bool = False
    comment: str | None = None

    def check(self) -> None:
        """Raises UsageError if nothing is asked for, or if options exclude each other."""
        if self == Wanted(board=self.board):
            raise UsageError(
                "Nothing to change.",
                hint="Give at least one change: --weight 3, --to COLUMN, --milestone M …",
            )
        if self.close and self.reopen:
            raise UsageError("--close and --reopen cannot be combined.")
        if bool(self.board) != bool(self.to):
            raise UsageError(
                "--board and --to must be used together.", hint="Example: --board build --to 'in dev'."
            )
        if self.weight is not None and self.weight != "none" and not self.weight.isdecimal():
            raise UsageError(f"“{self.weight}” is not a weight.", hint="Use 0 or more, or none.")


@click.command("edit")
@click.argument("references", nargs=-1, required=True, metavar="REF...")
@click.option("--board", metavar="B", help="The board that has the column --to.")
@click.option("--to", metavar="COLUMN", help="Move to this column, like a move on the board.")
@click.option("--milestone", metavar="M", help="A title, current, next, an alias, or none.")
@click.option("--weight", metavar="N", help="An integer of 0 or more, or none.")
@click.option("--add-label", "add", multiple=True, metavar="A")
@click.option("--remove-label", "remove", multiple=True, metavar="B")
@click.option("--assign", multiple=True, metavar="U")
@click.option("--unassign", multiple=True, metavar="U")
@click.option("--close", is_flag=True)
@click.option("--reopen", is_flag=True)
@click.option("--comment", metavar="TEXT")
@click.option("--dry-run", is_flag=True, help="Print the changes without making them.")
@click.pass_context
def edit_command(
    ctx: click.Context,
    references: tuple[str, ...],
    board: str | None,
    to: str | None,
    milestone: str | None,
    weight: str | None,
    add: tuple[str, ...],
    remove: tuple[str, ...],
    assign: tuple[str, ...],
    unassign: tuple[str, ...],
    close: bool,
    reopen: bool,
    comment: str | None,
    dry_run: bool,
) -> None:
    """Change issues. REF is group/project#12, project#12 or an issue's URL.

    Exit status 3 means that some changes failed; each issue is listed.
    """
    wanted = Wanted(
        board=board,
        to=to,
        milestone=milestone,
        weight=weight.strip().lower() if weight else None,
        add=add,
        remove=remove,
        assign=assign,
        unassign=unassign,
        close=close,
        reopen=reopen,
        comment=comment,
    )
    wanted.check()
    ctx.exit(asyncio.run(_run(ctx.obj, references, wanted, dry_run=dry_run)))


async def _run(options: Options, references: Sequence[str], wanted: Wanted, *, dry_run: bool) -> int:
    async with options.engine(keep=not dry_run) as engine:
        await engine.load_catalog()
        issues = await engine.load_issues(references)
        changes: list[tuple[IssueId, Change]] = []
        for issue in issues:
            edit = _edit(engine, issue, wanted)
            changed = edit.apply(issue) != issue
            comment = [Comment(body=wanted.comment)] if wanted.comment else []
            words = [edit.describe(issue)] if changed else []
            words += [change.describe() for change in comment]
            if dry_run:
                click.echo(f"{issue.reference}: would {', '.join(words) if words else 'not change'}")
            elif not words:
                click.echo(f"{issue.reference}: no change, already set")
            if changed:
                changes.append((issue.id, edit))
            changes.extend((issue.id, change) for change in comment)
        if dry_run or not changes:
            return 0
        return await _send(engine, changes)


async def _send(engine: Engine, changes: Sequence[tuple[IssueId, Change]]) -> int:
    ops = engine.perform(changes, "edit")
    await engine.flush()
    reasons = {op.id: error for op, error in engine.failed}
    for op in ops:
        reference = op.before.reference if op.before else op.issue
        if (error := reasons.get(op.id)) is None:
            click.echo(f"{reference}: {op.change.describe(op.before)}")
        else:
            click.echo(f"{reference}: not changed: {error}", err=True)
    if not reasons:
        return 0
    return 1 if len(reasons) == len(ops) else PARTLY


def _edit(engine: Engine, issue: Issue, wanted: Wanted) -> Edit:
    values: dict[str, object] = {}
    labels = Edit()
    if wanted.board and wanted.to:
        move = _move(engine, issue, wanted.board, wanted.to)
        labels = Edit(add=move.add, remove=move.remove)
        values.update((field.name, value) for field, value in move.fields())
    if wanted.milestone is not None:
        values["milestone"] = _milestone(engine, wanted.milestone, issue.project)
    if wanted.weight is not None:
        values["weight"] = None if wanted.weight == "none" else int(wanted.weight)
    if wanted.assign or wanted.unassign:
        present = [name for name in issue.assignees if name not in wanted.unassign]
        values["assignees"] = tuple(dict.fromkeys((*present, *map(_username, wanted.assign))))
    if wanted.close or wanted.reopen:
        values["state"] = "closed" if wanted.close else "opened"
    own = edits.relabel(issue, frozenset(wanted.add), frozenset(wanted.remove))
    return Edit(add=labels.add | own.add, remove=(labels.remove | own.remove) - own.add, **values)  # type: ignore[arg-type]


def _username(name: str) -> str:
    return name.removeprefix("@")


def _milestone(engine: Engine, name: str, project: str) -> str | None:
    if name == "none":
        return None
    catalog = engine.catalog
    if catalog is None:
        raise NameUnknown("milestone", name)
    settings, today = engine.settings, engine.today()
    # Its project may use another title; if it has no such milestone, sending reports that.
    own = milestone_for(name, project, settings, catalog, today)
    return own or milestone_title(name, settings, catalog, today)


def _move(engine: Engine, issue: Issue, board_id: str, to: str) -> Edit:
    board = engine.board(board_id)
    target = _column(board, to)
    flow = flow_scheme(engine.settings)
    if not board.matches(issue):
        raise UsageError(
            f"{issue.reference} is not on the {board.name} board for {board.milestone or 'all milestones'}.",
            hint="Set its milestone or labels first, or use another board.",
        )
    keys = board.keys_of(issue, flow)
    columns = {column.key: column for column in (*board.columns, *REST)}
    source = columns[keys[0]] if keys and keys[0] in columns else columns[UNLISTED]
    plan = board.move(issue, source, target, flow, engine.settings.labels)
    return plan.edit if plan else Edit()


def _column(board: Board, name: str) -> Column:
    wanted = name.casefold()
    columns = (*board.columns, *REST)
    for column in columns:
        if wanted in (column.key.casefold(), column.title.casefold()):
            return column
    raise NameUnknown("column", name, tuple(c.title for c in columns))


# ``glboard undo``: undo the last change, list or prune the change log.


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
@context.format_option
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
        click.echo(context.as_json(lines))
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
    printers = {"table": context.as_table, "csv": context.as_csv, "markdown": context.as_markdown}
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
        conflicts = [issue for op in group.ops for issue in [op.issue] if engine.conflicting(issue)]
        reasons = {
            op.issue: str(error) for op, error in engine.failed if op.issue in {o.issue for o in group.ops}
        }
        for op in {op.issue: op for op in group.ops}.values():
            reference = op.before.reference if op.before else op.issue
            if op.issue in conflicts:
                clash = engine.conflicting(op.issue)[0]
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
