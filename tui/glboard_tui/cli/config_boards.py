"""``glboard config boards``: the boards of the group in GitLab, as they would stand in the configuration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from glboard_core.unknown_names import no_board
from glboard_tui.cli import context, printing
from glboard_tui.cli.context import Options

if TYPE_CHECKING:
    from glboard_core.setup.offered import OfferedBoard


@click.command("boards")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.pass_obj
def boards_command(options: Options, names: tuple[str, ...]) -> None:
    """Print boards of GitLab as the configuration has them: their lists as columns, their scope as filter.

    Without NAME all that have lists. Append what you want to the file: glboard config boards Support >>
    config.toml
    """
    from glboard_core.setup.write import board_text

    found = context.run_signed_in(lambda: _read(options))
    chosen = found
    if names:
        by_name = {one.title.casefold(): one for one in found}
        if lacking := next((name for name in names if name.casefold() not in by_name), None):
            raise no_board(lacking, (one.title for one in found))
        chosen = [by_name[name.casefold()] for name in names]
    for one in chosen:
        if one.note:
            printing.echo(f"# {one.note}")
        printing.echo(board_text(one.board))
    if not found:
        printing.echo("glboard: the group has no board with lists in GitLab.", err=True)


async def _read(options: Options) -> Sequence[OfferedBoard]:
    from glboard_core.gitlab_boards import gitlab_boards

    async with options.signed_in() as engine:
        return await gitlab_boards(engine)
