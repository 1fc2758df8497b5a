"""Columns, rank and closing: where a card is.

After ``H`` and ``L`` on one card the focus follows the card, so that it can be moved again and its new place
is visible. After everything else (a selection, ``>``, a drag) the focus moves to the neighbour, which is the
next card to work on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from glboard_core.board.definition import Column
from glboard_core.board.use_cases import EditBatch, reachable, sideways
from glboard_core.model.issue import Issue, IssueId
from glboard_tui.commands.context import CommandContext
from glboard_tui.ranking import Where, ranked


def left(desk: CommandContext, _: str) -> None:
    """Move to the previous column."""
    _sideways(desk, -1)


def right(desk: CommandContext, _: str) -> None:
    """Move to the next column."""
    _sideways(desk, 1)


def _sideways(desk: CommandContext, step: int) -> None:
    index = desk.bridge.index
    if index is None:
        return
    issues = desk.targets()
    column = desk.column()
    to = sideways(index, issues, column.key if column else None, step)
    if not to:
        desk.say("No column in that direction; use > for (unlisted) and (closed).")
        return
    alone = not desk.marked()
    move(desk, issues, to, follow=alone)
    desk.again = lambda: _sideways(desk, step)


def to_column(desk: CommandContext, letter: str) -> None:
    """Move to the column with that letter."""
    index = desk.bridge.index
    target = reachable(index).get(letter) if index else None
    if target is None:
        desk.say("This board has no such column.")
        return
    issues = desk.targets()
    move(desk, issues, {issue.id: target for issue in issues})
    desk.again = lambda: to_column(desk, letter)


def move(
    desk: CommandContext, issues: Sequence[Issue], to: Mapping[IssueId, Column], *, follow: bool = False
) -> None:
    """Move cards, after asking once if a type changes or if more than one would be closed."""
    index, planner, column = desk.bridge.index, desk.bridge.planner(), desk.column()
    if index is None or planner is None:
        return
    moves = planner.move(issues, index, column.key if column else None, to)

    def go(work: EditBatch) -> None:
        desk.careful(work, follow=follow)

    if moves.closing > 1:
        desk.ask(f"Close {moves.closing} issues?", {"y": "close them"}, lambda _: go(moves.work))
    elif moves.asks:
        answers = {"y": "change the type"}
        if moves.further is not None:
            answers = {
                "y": "change the type, keep the subtype label",
                "t": "change the type, remove the subtype label",
            }
        further = moves.further or moves.work
        desk.ask(
            f"Change the type of {len(moves.work.acts)} issues?"
            if len(moves.work.acts) > 1
            else "Change the type of this issue?",
            answers,
            lambda answer: go(further if answer == "t" else moves.work),
            note="Its subtype label will no longer fit." if moves.further is not None else "",
        )
    elif moves.work.acts:
        go(moves.work)
    else:
        desk.say("Already there.")


def rank(where: Where) -> Callable[[CommandContext, str], None]:
    """Return a command that ranks the targets of the focused column."""

    def command(desk: CommandContext, _: str) -> None:
        index, column, catalog = desk.bridge.index, desk.column(), desk.bridge.catalog
        cards = index.column(column.key) if index and column else None
        if index is None or cards is None or catalog is None:
            return
        if cards.column.kind == "closed":
            desk.say("(closed) is sorted by closing time; reopen a card to rank it.")
            return
        if catalog.ranking_board is None:
            desk.say("Cannot rank: GitLab keeps no manual order in a group without a board.", bad=True)
            return
        # The card stays in its column and keeps the focus, so that it can be ranked again.
        desk.perform(ranked(index, cards, desk.targets(), where), follow=True)
        desk.again = lambda: command(desk, "")

    return command


def complete(desk: CommandContext, _: str) -> None:
    """Set the workflow state complete, and close."""
    _closing(desk, "Complete and close", lambda on: desk.do(lambda p, issues: p.complete(issues), on=on))
    desk.again = lambda: complete(desk, "")


def close(desk: CommandContext, _: str) -> None:
    """Just close."""
    _closing(desk, "Close", lambda on: desk.do(lambda p, issues: p.set_state(issues, close=True), on=on))
    desk.again = lambda: close(desk, "")


def _closing(desk: CommandContext, what: str, go: Callable[[Sequence[Issue]], object]) -> None:
    issues = desk.targets()
    if len(issues) > 1:
        desk.ask(f"{what} {len(issues)} issues?", {"y": "close them"}, lambda _: _ignore(go(issues)))
    else:
        go(issues)


def _ignore(_: object) -> None:
    """Discard a result."""


def reopen(desk: CommandContext, _: str) -> None:
    """Reopen."""
    desk.do(lambda planner, issues: planner.set_state(issues, close=False))
