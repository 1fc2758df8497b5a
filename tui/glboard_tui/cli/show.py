"""``glboard show BOARD``: a board as text or data."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

import click
from msgspec import Struct, structs

from glboard_core.board.definition import flow_scheme
from glboard_core.board.index import BoardIndex, ColumnIndex
from glboard_core.board.rules import missed, warnings
from glboard_core.model.issue import Issue, IssueId
from glboard_core.model.milestone import present_titles
from glboard_core.planning.reasons import team_label_notes, tier_notes
from glboard_core.planning.text import counted
from glboard_tui.cli import context, printing, sharing
from glboard_tui.cli.context import Options
from glboard_tui.cli.sharing import Printed

if TYPE_CHECKING:
    from glboard_core.sync.engine import Engine


class ShownIssue(Struct, frozen=True):
    """An issue in the JSON of ``show``. ``slipped`` is the number of milestones it missed."""

    reference: str
    title: str
    weight: int | None
    assignees: tuple[str, ...]
    labels: tuple[str, ...]
    milestone: str | None
    state: str
    confidential: bool
    slipped: int
    warnings: tuple[str, ...]
    web_url: str


class ShownColumn(Struct, frozen=True):
    """A column in the JSON of ``show``."""

    name: str
    count: int
    #: None on a server without weights.
    weight: int | None
    unweighted: int | None
    #: The limits by configuration, and by how much the column is over each; None where there is none.
    limit_issues: int | None
    limit_weight: int | None
    over_issues: int
    over_weight: int
    issues: tuple[ShownIssue, ...]


class ShownBoard(Struct, frozen=True):
    """The JSON of ``show``."""

    board: str
    milestone: str | None
    as_of: str
    columns: tuple[ShownColumn, ...]


@click.command("show")
@click.argument("board", shell_complete=context.complete_board)
@click.option(
    "--milestone",
    metavar="M",
    help="Milestone to show: a title, current, next, or an alias.",
    shell_complete=context.complete_milestone,
)
@click.option("--closed", is_flag=True, help="Add the closed issues as a (closed) column.")
@click.option("--fresh", is_flag=True, help="Reload everything, even if loaded a moment ago.")
@context.format_option
@context.as_of_option
@context.share_option
@sharing.confidential_option
@click.pass_obj
def show_command(
    options: Options,
    board: str,
    milestone: str | None,
    closed: bool,
    fresh: bool,
    style: str,
    confidential: bool,
) -> None:
    """Print BOARD: planning, build, next-1-3, next-4-6, backlog, milestones, people, or your own.

    If the board was read in the last 10 minutes, by this command or on screen, only what changed since is
    read. Changes that are not sent yet are not included. In place of the title of a confidential issue it
    says "confidential".
    """
    shown, notes, printed = context.run_signed_in(
        lambda: _read(options, board, milestone, closed, fresh, confidential)
    )
    for note in notes:
        printing.echo(f"glboard: {note}", err=True)
    printing.echo(printed.text(_printed(shown, style)))
    if not any(column.count for column in shown.columns):
        where = f" of {shown.milestone}" if shown.milestone else ""
        printing.echo(f"glboard: no issues on the board {shown.board}{where}.", err=True)


async def _read(
    options: Options, name: str, milestone: str | None, closed: bool, fresh: bool, confidential: bool
) -> tuple[ShownBoard, tuple[str, ...], Printed]:
    async with options.engine() as engine:
        printed = options.printed(engine, confidential=confidential)
        name = context.board_id(options, name)
        issues = await engine.reader.load_board(name, milestone, closed=closed, fresh=fresh)
        board = engine.board(name, milestone)
        flow = flow_scheme(engine.settings)
        index = BoardIndex(board, flow, issues, show_closed=closed)
        shown = ShownBoard(
            board=board.id,
            milestone=board.milestone,
            as_of=engine.now().isoformat().replace("+00:00", "Z"),
            columns=tuple(_column(c, index, engine, printed) for c in index.visible()),
        )
        return shown, (*_notes(engine), *board.warnings, *_unsent(engine, issues)), printed


def _unsent(engine: Engine, issues: Mapping[IssueId, Issue]) -> tuple[str, ...]:
    waiting = sum(op.issue in issues for op in engine.outbox)
    return (f"not included: {counted(waiting, 'change')} not sent yet.",) if waiting else ()


def _notes(engine: Engine) -> list[str]:
    if (catalog := engine.catalog) is None:
        return []
    return [*tier_notes(catalog.server), *team_label_notes(engine.settings, catalog)]


def _has_weight(engine: Engine) -> bool:
    return engine.catalog is None or engine.catalog.server.has_weight


def _column(column: ColumnIndex, index: BoardIndex, engine: Engine, printed: Printed) -> ShownColumn:
    issues, weights = [index.issue(column[row]) for row in range(len(column))], _has_weight(engine)
    renamed = present_titles(engine.catalog.milestones) if engine.catalog else {}
    over_issues, over_weight = column.over_limit
    return ShownColumn(
        name=column.column.key,
        count=len(column),
        weight=column.weight if weights else None,
        unweighted=column.unweighted if weights else None,
        limit_issues=column.column.limit_issues,
        limit_weight=column.column.limit_weight if weights else None,
        over_issues=over_issues,
        over_weight=over_weight if weights else 0,
        issues=tuple(_issue(printed.issue(issue), engine, renamed) for issue in issues if issue is not None),
    )


def _issue(issue: Issue, engine: Engine, renamed: Mapping[str, str]) -> ShownIssue:
    settings, weights = engine.settings, _has_weight(engine)
    return ShownIssue(
        reference=issue.reference,
        title=issue.title,
        weight=issue.weight,
        assignees=issue.assignees,
        labels=tuple(sorted(issue.labels)),
        milestone=issue.milestone,
        state=issue.state,
        confidential=issue.confidential,
        slipped=missed(issue, settings.labels, renamed),
        warnings=warnings(issue, flow_scheme(settings), settings.labels, weights=weights),
        web_url=issue.web_url,
    )


def _printed(board: ShownBoard, style: str) -> str:
    if style == "json":
        return printing.as_json(structs.asdict(board))
    heads = ("column", "reference", "weight", "assignees", "title")
    rows = [
        context.cells(column.name, issue.reference, issue.weight, " ".join(issue.assignees), issue.title)
        for column in board.columns
        for issue in column.issues
    ]
    return _as_text(board) if style == "table" else context.printed(style, heads, rows)


def _of(value: int | None, limit: int | None) -> str:
    return f"{value}" if limit is None else f"{value} of {limit}"


def _issues(column: ShownColumn) -> str:
    number = column.count if column.limit_issues is None else column.limit_issues
    return "issue" if number == 1 else "issues"


def _to_the_second(time: str) -> str:
    return context.moment(datetime.fromisoformat(time))


def _as_text(board: ShownBoard) -> str:
    parts = [f"{board.board} {board.milestone or ''}".rstrip() + f"  as of {_to_the_second(board.as_of)}"]
    for column in board.columns:
        weights = column.weight is not None
        head = f"{column.name}  {_of(column.count, column.limit_issues)} {_issues(column)}"
        if weights:
            head += f"  {_of(column.weight, column.limit_weight)} w"
        if column.unweighted:
            head += f"  {column.unweighted} unweighted"
        if column.over_issues:
            head += f"  {column.over_issues} over its limit"
        if column.over_weight:
            head += f"  {column.over_weight} w over its limit"
        rows = [
            (
                str(issue.weight) if issue.weight is not None else "?" if weights else "",
                issue.reference,
                " ".join(issue.assignees),
                f"▒ {issue.title}" if issue.confidential else issue.title,
            )
            for issue in column.issues
        ]
        table = context.as_table(("w", "reference", "assignees", "title"), rows, right=frozenset({0}))
        parts.append(
            head + ("\n" + "\n".join("  " + line for line in table.splitlines()[1:]) if rows else "")
        )
    return "\n\n".join(parts)
