"""Groups of commands: what the help lists, and what an unknown command could mean."""

from __future__ import annotations

from difflib import get_close_matches

import click

from glboard_core.errors import NameUnknown


class NamedGroup(click.Group):
    """A group that suggests close matches for an unknown command, and lists each with its first sentence."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Raises NameUnknown for an unknown command."""
        known = self.list_commands(ctx)
        if args and not args[0].startswith("-") and args[0] not in known:
            near = tuple(get_close_matches(args[0], known, 2))
            raise NameUnknown(
                "command", args[0], near, hint="" if near else f"See {ctx.command_path} --help."
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands in the help."""
        commands = ((name, self.get_command(ctx, name)) for name in self.list_commands(ctx))
        with formatter.section("Commands"):
            formatter.write_dl([(name, one.get_short_help_str(200)) for name, one in commands if one])
