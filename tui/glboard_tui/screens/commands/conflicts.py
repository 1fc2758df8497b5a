"""When somebody else changed the same field: mine, theirs, or look first."""

from __future__ import annotations

from collections.abc import Callable

from glboard_core.errors import GlboardError
from glboard_core.model.issue import Issue, IssueId
from glboard_tui.screens.desk import Desk


def mine(desk: Desk, _: str) -> None:
    """What I did goes over what is there now."""
    _choose(desk, desk.bridge.take_mine, "Yours is sent")


def theirs(desk: Desk, _: str) -> None:
    """What is there now stays; mine is dropped."""
    _choose(desk, desk.bridge.take_theirs, "Theirs stays")


def _choose(desk: Desk, take: Callable[[IssueId], None], said: str) -> None:
    for issue in _clashing(desk):
        try:
            take(issue.id)
        except GlboardError as error:  # it cannot be kept, or this session is read-only: it goes on waiting
            desk.tell(error)
            break
        desk.say(f"{said}: {issue.reference.rpartition('/')[2]}.")
    desk.screen.sync()


def look(desk: Desk, _: str) -> None:
    """Field by field: what I saw, what I want, what is there now."""
    found = _clashing(desk)
    if not found:
        return
    issue = found[0]
    clashes = desk.bridge.clashes(issue.id)
    lines = [f"{c.field}: was {c.saw}, mine {c.mine}, theirs {c.theirs}" for c in clashes]
    if any(clash.maybe for clash in clashes):
        lines.append("GitLab's answer to yours was lost: it may have been made before theirs.")
    desk.ask(
        f"Somebody else changed {issue.reference.rpartition('/')[2]} since you saw it.",
        {"m": "mine goes over theirs", "t": "theirs stays, mine is dropped"},
        lambda answer: (mine if answer == "m" else theirs)(desk, ""),
        note="\n".join(lines),
    )


def history(desk: Desk, _: str) -> None:
    """The change log."""
    from glboard_tui.screens.history import History

    desk.screen.app.push_screen(History(desk.bridge))


def _clashing(desk: Desk) -> list[Issue]:
    found = [issue for issue in desk.targets() if desk.bridge.is_conflicting(issue.id)]
    if not found:
        desk.say("Nothing here waits for a choice.")
    return found
