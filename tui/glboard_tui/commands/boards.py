"""Boards of GitLab: chosen from a list, opened with their lists as columns, kept in the configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, cast

from glboard_core.errors import GlboardError
from glboard_core.planning.text import counted
from glboard_tui.commands.context import CommandContext
from glboard_tui.commands.navigate import open_board
from glboard_tui.gitlab_boards import keep_board, read_boards
from glboard_tui.live_config import LiveConfig
from glboard_tui.screens.picker_source import Choice, FixedChoices

if TYPE_CHECKING:
    from glboard_core.setup.offered import OfferedBoard


class _Configured(Protocol):
    @property
    def config(self) -> LiveConfig: ...


def choose(context: CommandContext, _: str) -> None:
    """Read the boards of the group in GitLab, and offer them."""
    context.say("Loading the group's boards …")
    context.shell.work(_offer(context), "boards", only=True)


async def _offer(context: CommandContext) -> None:
    try:
        found = await read_boards(context.bridge)
    except GlboardError as error:
        context.tell(error)
        return
    context.say("")
    if not found:
        context.say("No board in this group has lists in GitLab.")
        return
    by_id = {one.board.id: one for one in found}
    choices = [Choice(value=one.board.id, text=one.title, note=_note(one)) for one in found]
    context.pick(
        "GitLab board",
        FixedChoices(choices),
        lambda result: _open(context, by_id[result.add[0]]),
    )


def _note(offer: OfferedBoard) -> str:
    board = offer.board
    columns = f"{counted(len(board.columns), 'column')} by {board.by}" if board.columns else f"by {board.by}"
    return ", ".join(filter(None, (columns, board.milestone if board.milestone != "any" else "", offer.note)))


def _open(context: CommandContext, offer: OfferedBoard) -> None:
    live = cast("_Configured", context.shell.app).config
    board = live.add_board(offer.board)
    open_board(context, board.id)
    file = live.file
    if file is None:
        context.say(f"{offer.title} is open for this session.")
        return

    def answered(letter: str) -> None:
        if letter != "y":
            return
        try:
            keep_board(file.path, board)
        except GlboardError as error:
            context.tell(error)
            return
        live.reload()
        context.say(f"{offer.title} is saved in {file.path.name}: g, opens the file.")

    answers: dict[str, str] = {"y": f"save it in {file.path.name}", "n": "only for this session"}
    context.ask(f"{offer.title} is open. Save it?", answers, answered, note=offer.note)
