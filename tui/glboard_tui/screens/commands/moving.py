"""Columns, rank, closing: where a card stands.

Where the focus goes: after ``H`` and ``L`` on one card it goes with the card, so that it can be moved on and
one sees where it went; after everything else (a marked set, ``>``, a drag) it stays with the neighbour, since
the next card of the list one is working through is there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from glboard_core.model.board import Column
from glboard_core.model.issue import Issue, IssueId
from glboard_tui.edits import Work, reachable, sideways
from glboard_tui.ranking import Where, ranked
from glboard_tui.screens.desk import Desk


def left(desk: Desk, _: str) -> None:
    """To the previous column."""
    _sideways(desk, -1)


def right(desk: Desk, _: str) -> None:
    """To the next column."""
    _sideways(desk, 1)


def _sideways(desk: Desk, step: int) -> None:
    index = desk.bridge.index
    if index is None:
        return
    issues = desk.targets()
    column = desk.column()
    to = sideways(index, issues, column.key if column else None, step)
    if not to:
        desk.say("There is no column further that way; > and a letter reaches the special ones.")
        return
    alone = not desk.marked()
    move(desk, issues, to, follow=alone)
    desk.again = lambda: _sideways(desk, step)


def to_column(desk: Desk, letter: str) -> None:
    """To the column with that letter."""
    index = desk.bridge.index
    target = reachable(index).get(letter) if index else None
    if target is None:
        desk.say("This board has no such column.")
        return
    issues = desk.targets()
    move(desk, issues, {issue.id: target for issue in issues})
    desk.again = lambda: to_column(desk, letter)


def move(desk: Desk, issues: Sequence[Issue], to: Mapping[IssueId, Column], *, follow: bool = False) -> None:
    """Move cards; asks once where a type changes, and where more than one would be closed."""
    index, planner, column = desk.bridge.index, desk.bridge.planner(), desk.column()
    if index is None or planner is None:
        return
    moves = planner.move(issues, index, column.key if column else None, to)

    def go(work: Work) -> None:
        desk.careful(work, follow=follow)

    if moves.closing > 1:
        desk.ask(f"Close {moves.closing} issues?", {"y": "close them"}, lambda _: go(moves.work))
    elif moves.asks:
        answers = {"y": "change the type"}
        if moves.further is not None:
            answers = {
                "y": "change the type, keep the subtype label",
                "t": "… and take the subtype label off",
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
        desk.say("It stands there already.")


def rank(where: Where) -> Callable[[Desk, str], None]:
    """A command that ranks the targets of the focused column."""

    def command(desk: Desk, _: str) -> None:
        index, column, catalog = desk.bridge.index, desk.column(), desk.bridge.catalog
        cards = index.column(column.key) if index and column else None
        if index is None or cards is None or catalog is None:
            return
        if cards.column.kind == "closed":
            desk.say("(closed) is in the order of closing; reopen a card to rank it.")
            return
        if catalog.ranking_board is None:
            desk.say("This group has no board in GitLab, and without one it keeps no manual order.", bad=True)
            return
        # The focus stays on the card, which stays in its column: it can be ranked on.
        desk.perform(ranked(index, cards, desk.targets(), where), follow=True)
        desk.again = lambda: command(desk, "")

    return command


def complete(desk: Desk, _: str) -> None:
    """Flow complete, and closed."""
    _closing(desk, "Complete and close", lambda on: desk.do(lambda p, issues: p.complete(issues), on=on))
    desk.again = lambda: complete(desk, "")


def close(desk: Desk, _: str) -> None:
    """Just close."""
    _closing(desk, "Close", lambda on: desk.do(lambda p, issues: p.set_state(issues, close=True), on=on))
    desk.again = lambda: close(desk, "")


def _closing(desk: Desk, what: str, go: Callable[[Sequence[Issue]], object]) -> None:
    issues = desk.targets()
    if len(issues) > 1:
        desk.ask(f"{what} {len(issues)} issues?", {"y": "close them"}, lambda _: _ignore(go(issues)))
    else:
        go(issues)


def _ignore(_: object) -> None:
    """Take a result that nobody wants."""


def reopen(desk: Desk, _: str) -> None:
    """Open again."""
    desk.do(lambda planner, issues: planner.set_state(issues, close=False))
