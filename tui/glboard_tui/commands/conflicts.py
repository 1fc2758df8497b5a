"""Conflicts, when someone else changed the same field: keep mine, keep theirs, or look first."""

from __future__ import annotations

from collections.abc import Callable

from glboard_core.errors import GlboardError
from glboard_core.model.issue import Issue, IssueId
from glboard_tui.commands.context import CommandContext


def mine(desk: CommandContext, _: str) -> None:
    """Keep mine: send my change over the current value."""
    _choose(desk, desk.bridge.take_mine, "Kept yours")


def theirs(desk: CommandContext, _: str) -> None:
    """Keep theirs: the current value stays and my change is discarded."""
    _choose(desk, desk.bridge.take_theirs, "Kept theirs")


def _choose(desk: CommandContext, take: Callable[[IssueId], None], said: str) -> None:
    for issue in _clashing(desk):
        try:
            take(issue.id)
        except GlboardError as error:  # it cannot be stored, or this session is read-only: the conflict stays
            desk.tell(error)
            break
        desk.say(f"{said}: {issue.reference.rpartition('/')[2]}.")
    desk.screen.sync()


def look(desk: CommandContext, _: str) -> None:
    """Show each field: what I saw, what I want, and its current value."""
    found = _clashing(desk)
    if not found:
        return
    issue = found[0]
    clashes = desk.bridge.clashes(issue.id)
    lines = [f"{c.field}: was {c.saw}, mine {c.mine}, theirs {c.theirs}" for c in clashes]
    if any(clash.maybe for clash in clashes):
        lines.append("GitLab's reply to your change was lost; it may have been applied before theirs.")
    desk.ask(
        f"Someone else changed {issue.reference.rpartition('/')[2]} since you saw it.",
        {"m": "keep mine", "t": "keep theirs, discard mine"},
        lambda answer: (mine if answer == "m" else theirs)(desk, ""),
        note="\n".join(lines),
    )


def history(desk: CommandContext, _: str) -> None:
    """Open the change log."""
    from glboard_tui.screens.history import History

    desk.screen.app.push_screen(History(desk.bridge))


def _clashing(desk: CommandContext) -> list[Issue]:
    found = [issue for issue in desk.targets() if desk.bridge.is_conflicting(issue.id)]
    if not found:
        desk.say("No conflict here.")
    return found
