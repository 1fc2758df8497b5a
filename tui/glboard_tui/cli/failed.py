"""``glboard failed list|retry|discard``: the changes that GitLab refused, and those in conflict.

The same list as on screen. A conflict is a change that waits since somebody else changed the same field: to
retry it is to keep one's own value, to discard it is to keep theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click
from msgspec import Struct

from glboard_core.board.operations import Op
from glboard_core.errors import READ_ONLY, NameUnknown, ReadOnly, UsageError
from glboard_core.model.issue import short_reference
from glboard_core.planning.text import counted
from glboard_tui.cli import context, printing
from glboard_tui.cli.context import Options
from glboard_tui.cli.groups import NamedGroup
from glboard_tui.cli.sending import Outcomes, conflict_words, reference

if TYPE_CHECKING:
    from glboard_core.sync.engine import Engine
    from glboard_tui.cli.sharing import Printed


_NOTHING = "Nothing failed."


class _Row(Struct, frozen=True):
    """A change in the list; ``kind`` is failed or conflict."""

    op: Op
    kind: str
    reason: str
    hint: str = ""

    @property
    def shape(self) -> dict[str, Any]:
        """The JSON. ``text`` is what a person typed: it exists nowhere else."""
        title, text = self.op.change.typed
        return {
            "reference": reference(self.op),
            "what": self.op.change.describe(self.op.before),
            "kind": self.kind,
            "reason": self.reason,
            "hint": self.hint or None,
            "at": context.moment(self.op.at),
            "text": "\n\n".join(part for part in (title, text) if part) or None,
        }


@click.group("failed", cls=NamedGroup)
def failed_command() -> None:
    """List, retry or discard the changes that GitLab refused, and those in conflict.

    They stay on this machine until then. A conflict waits because somebody else changed the same field: retry
    keeps your value, discard keeps theirs.
    """


@failed_command.command("list")
@context.format_option
@context.share_option
@click.pass_context
def list_command(ctx: click.Context, style: str) -> None:
    """Print the failed changes, oldest first, each with the reason."""
    ctx.exit(context.run_signed_in(lambda: _list(ctx.obj, style)))


_references = click.argument("references", nargs=-1, metavar="[REF...]")
_all = click.option(
    "--all", "everything", is_flag=True, help="All failed changes. To decide a conflict, name its issue."
)


@failed_command.command("retry")
@_references
@_all
@context.share_option
@click.pass_context
def retry_command(ctx: click.Context, references: tuple[str, ...], everything: bool) -> None:
    """Send the failed changes of these issues again, or of all.

    REF is as in the list. Exit status: 1 if none could be applied, 3 if some could.
    """
    _check(references, everything)
    ctx.exit(context.run_signed_in(lambda: _retry(ctx.obj, references)))


@failed_command.command("discard")
@_references
@_all
@context.share_option
@click.pass_context
def discard_command(ctx: click.Context, references: tuple[str, ...], everything: bool) -> None:
    """Delete the failed changes of these issues, or of all, with the texts in them.

    GitLab is not affected.
    """
    _check(references, everything)
    options: Options = ctx.obj
    if options.read_only:
        raise ReadOnly(READ_ONLY, hint="Run the command without --read-only.")
    ctx.exit(context.run_signed_in(lambda: _discard(options, references)))


def _check(references: Sequence[str], everything: bool) -> None:
    if references and everything:
        raise UsageError("--all and names of issues cannot be combined.", hint="Give one of them.")
    if not references and not everything:
        raise UsageError("Name the issues, or use --all.", hint="See glboard failed list.")


def _rows(engine: Engine) -> list[_Row]:
    rows = [_Row(op, "failed", error.message, error.hint) for op, error in engine.failed]
    for op in engine.outbox:
        item = engine.outbox.item(op.id)
        if item is not None and item.conflicts:
            rows.append(_Row(op, "conflict", f"someone else changed it: {conflict_words(item.conflicts)}"))
    return rows


def _chosen(engine: Engine, references: Sequence[str]) -> list[_Row]:
    """The rows of these issues; all but conflicts without any. Raises NameUnknown for one without rows."""
    rows = _rows(engine)
    if not references:
        failed = [row for row in rows if row.kind == "failed"]
        if len(failed) < len(rows):
            printing.echo(
                f"{counted(len(rows) - len(failed), 'conflict')} not included: name the issue.", err=True
            )
        return failed
    found: list[_Row] = []
    for text in references:
        fits = [row for row in rows if _names(text, reference(row.op))]
        if not fits:
            known = dict.fromkeys(reference(row.op) for row in rows)
            nothing = "" if known else f"{_NOTHING} Nothing to do."
            raise NameUnknown("failed change", text, tuple(known)[:5], hint=nothing)
        found += [row for row in fits if row not in found]
    return found


def _names(text: str, known: str) -> bool:
    """Whether a person means this issue: by its reference, the end of it, or its address."""
    project, _, number = known.rpartition("#")
    wanted = text.strip().casefold()
    whole, short = known.casefold(), short_reference(known).casefold()
    addresses = tuple(f"{project}/-/{kind}/{number}".casefold() for kind in ("issues", "work_items"))
    return wanted in (whole, short) or whole.endswith(f"/{wanted}") or wanted.rstrip("/").endswith(addresses)


async def _list(options: Options, style: str) -> int:
    async with options.engine(stored=True) as engine:
        rows = _rows(engine)
        printed = options.printed(engine)
        hidden = {row.op.id for row in rows if printed.hides(engine, row.op)}
    if style == "json":
        shapes = [row.shape for row in rows]
        for shape, row in zip(shapes, rows, strict=True):
            if row.op.id in hidden:
                shape |= {"what": "changed", "reason": "", "hint": None, "text": None}
        printing.echo(printed.text(printing.as_json(shapes)))
        return 0
    heads = ("issue", "change", "kind", "reason")
    lines = [
        (
            reference(row.op),
            "changed" if row.op.id in hidden else row.op.change.describe(row.op.before),
            row.kind,
            "" if row.op.id in hidden else f"{row.reason} {row.hint}".strip(),
        )
        for row in rows
    ]
    printing.echo(printed.text(context.printed(style, heads, lines)) or _NOTHING)
    return 0


async def _retry(options: Options, references: Sequence[str]) -> int:
    async with options.engine(stored=True) as engine:
        rows = _chosen(engine, references)
        if not rows:
            printing.echo(_NOTHING)
            return 0
        await engine.reader.sign_in()
        known = [row.op.issue for row in rows if not row.op.issue.startswith("new:")]
        if known:
            await engine.reader.reread(list(dict.fromkeys(known)))
        before = set(engine.outbox)
        waiting = [row.op for row in rows if row.kind == "conflict"]
        for issue in dict.fromkeys(op.issue for op in waiting):
            engine.keep_mine(issue)
        for row in rows:
            if row.kind == "failed":
                engine.retry(row.op.id)
        resent = {op.id for op in waiting}
        ops = [op for op in engine.outbox if op not in before or op.id in resent]
        printed = options.printed(engine)
        _tell_unsent(engine, rows, {op.issue for op in ops}, printed)
        outcomes = Outcomes(engine, ops, printed)
        await outcomes.send()
        gone = [row for row in rows if any(op.id == row.op.id for op, _ in engine.failed)]
        return outcomes.status if ops or not gone else 1


def _tell_unsent(engine: Engine, rows: Sequence[_Row], sent: set[Any], printed: Printed) -> None:
    left = {op.id: error for op, error in engine.failed}
    for row in rows:
        if (error := left.get(row.op.id)) is not None:
            why = "" if printed.hides(engine, row.op) else f": {error}"
            printing.echo(f"{reference(row.op)}: not changed{why}", err=True)
        elif row.op.issue not in sent:
            printing.echo(f"{reference(row.op)}: {printed.change(engine, row.op)}: no change, already set")


async def _discard(options: Options, references: Sequence[str]) -> int:
    async with options.engine(stored=True) as engine:
        rows = _chosen(engine, references)
        if not rows:
            printing.echo(_NOTHING)
        discard: dict[str, Callable[[Op], None]] = {
            "failed": lambda op: engine.local_state.discard_failed(op.id),
            "conflict": lambda op: engine.keep_theirs(op.issue),
        }
        printed = options.printed(engine)
        for row in rows:
            words = f"{reference(row.op)}: {printed.change(engine, row.op)}: discarded"
            discard[row.kind](row.op)
            printing.echo(words)
    return 0
