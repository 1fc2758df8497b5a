"""``glboard config``: the configuration file and the current settings."""

from __future__ import annotations

import click
import msgspec

from glboard_core.errors import UsageError
from glboard_tui.cli.context import Options

EXAMPLE = """\
# glboard's configuration. Everything here is optional. Never put a token in this file.

[gitlab]
# url = "https://gitlab.example.com"
# group = "my-org/my-group"

[labels]
# group = "group::custom models"

[milestones]
# The titles a milestone can have on your server, best first.
# next-1-3 = ["Next 1-3 Milestones", "Next 1-3 releases"]

# Your own board; the id of a built-in board replaces that one.
# [[boards]]
# id = "support"
# name = "Support"
# by = "label"                      # label, flow, milestone, assignee or none
# milestone = "current"             # current, next, none, any, a key of [milestones], or a title
# labels = ["support"]
# columns = ["type::bug", "type::maintenance"]
# limits = { "type::bug" = { issues = 5, weight = 10 } }

[keymap]
# An action's id and its keys; press ? or see the README for the list.
"""


@click.group("config")
def config_command() -> None:
    """Show the configuration file and the current settings."""


@config_command.command("path")
@click.pass_obj
def path(options: Options) -> None:
    """Print the path of the configuration file."""
    click.echo(options.config_path)


@config_command.command("show")
@click.pass_obj
def show(options: Options) -> None:
    """Print the current settings as JSON."""
    click.echo(msgspec.json.format(msgspec.json.encode(options.settings()), indent=2).decode())


@config_command.command("init")
@click.pass_obj
def init(options: Options) -> None:
    """Write a commented example, if there is no file yet."""
    target = options.config_path
    if target.exists():
        raise UsageError(f"{target} already exists.", hint="Nothing was changed.")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(EXAMPLE, encoding="utf-8")
    click.echo(f"Wrote {target}")
