"""The question before undo deletes posted comments: one for the board and for the change log."""

from __future__ import annotations

from collections.abc import Callable

from glboard_core.board.undo import posted_comments
from glboard_tui.commands.context import CommandContext


def ask_to_delete(
    context: CommandContext, count: int, then: Callable[[], None], *, what: str = "", note: str = ""
) -> None:
    """The team can have read it, so it is not taken away by a key that was meant for a weight."""
    context.ask(
        f"Delete the {posted_comments(count)}?{what}",
        {"y": "delete it" if count == 1 else "delete them"},
        lambda _: then(),
        note=note,
    )
