"""``glboard config init``: the configuration that a group suggests, as a table; written when confirmed.

Without a group it writes a commented template. Exit status: 0 written, 4 if the question is not answered.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec import structs
from rich.cells import cell_len, set_cell_size

from glboard_core.config import GitLabSettings, load, parse
from glboard_core.environment import environment
from glboard_core.errors import (
    ConfigError,
    GlboardError,
    GroupNotFound,
    NotGitLab,
    NotUnderstood,
    TokenMissing,
    UsageError,
)
from glboard_core.logfile import short
from glboard_core.planning.text import counted
from glboard_tui.cli import printing
from glboard_tui.cli.context import UNCONFIRMED, Options, as_table

if TYPE_CHECKING:
    from glboard_core.gitlab.account import Account
    from glboard_core.model.query import Found
    from glboard_core.setup.addresses import ServerPlace
    from glboard_core.setup.found import FoundGroup, GroupChoice
    from glboard_core.setup.proposal import Proposal, SettingLine
    from glboard_core.setup.save import How

TEMPLATE = """\
# glboard's configuration. Everything here is optional. Never put a token in this file.

[gitlab]
# url = "https://gitlab.example.com"
# group = "my-org/my-group"

[labels]
# group = "group::custom models"

[milestones]
# Possible milestone titles on your server, preferred first.
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

[share]
# What is hidden on a shared screen (p turns share mode on).
# always = true
# hide_references = true              # of confidential issues
# people = "words"                    # full, free or over for each person; by default only the team's bar
# words = ["customer name"]
# labels = ["customer::*"]

[keymap]
# An action's id and its keys; press ? or see the README for the list.
"""

_MARKS = {"sure": "ok", "likely": "likely", "missing": "missing", "default": "default", "chosen": "chosen"}
#: Cells of a value in the table, and of what is said of it; the other columns have so many.
_VALUE, _WHY, _OTHERS = 44, 58, 45
#: Groups that are named where none was given.
_GROUPS = 10


@click.command("init")
@click.option("--url", metavar="URL", help="GitLab URL, or the URL of any page of the group.")
@click.option("--group", metavar="GROUP", help="Full path of the group or of one of its projects.")
@click.option("--yes", is_flag=True, help="Write without asking; keep the settings of an existing file.")
@click.option("--dry-run", is_flag=True, help="Print the file; do not write it.")
@click.pass_context
def init_command(ctx: click.Context, url: str | None, group: str | None, yes: bool, dry_run: bool) -> None:
    """Propose a configuration from the group's labels, milestones and boards, and write it.

    Nothing is changed in GitLab. Without a group, write a commented template.
    """
    options: Options = ctx.obj
    options = structs.replace(options, url=url or options.url, group=group or options.group)
    if not _names_a_group(options):
        _write_template(options, dry_run=dry_run)
        return
    ctx.exit(_propose(options, yes=yes, dry_run=dry_run))


def _names_a_group(options: Options) -> bool:
    """Whether a server or a group is named: by an option, the environment, or the file that exists."""
    if options.url or options.group or environment().get("GLBOARD_GROUP"):
        return True
    try:
        return bool(load(options.config_target).gitlab.group)
    except ConfigError:
        return False  # said where the file is read to be completed


def _write_template(options: Options, *, dry_run: bool) -> None:
    target = options.config_target
    if dry_run:
        printing.echo(TEMPLATE, nl=False)
        return
    if target.exists():
        raise UsageError(
            f"{target} already exists.",
            hint="Add --url and --group to complete it from your group,"
            f" or run: {options.command} config edit",
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(TEMPLATE, encoding="utf-8")
    printing.echo(f"Wrote {target}")
    printing.echo(f"  To fill it in from your group: {options.command} config init --url URL --group GROUP")


def _propose(options: Options, *, yes: bool, dry_run: bool) -> int:
    from glboard_core.setup import save
    from glboard_core.setup.propose import propose
    from glboard_core.setup.zone import local_zone

    target = options.config_target
    before = save.existing(target)
    account, found = _read(options, before)
    today = (options.as_of or datetime.now(UTC)).date()
    proposal = propose(found, today, zone=local_zone())
    more = {"allow_http": True} if account.url.startswith("http://") and not account.loopback else {}
    # A dry run's output is the file, and nothing else.
    _print(proposal, err=dry_run)
    how: How = "new" if before is None else "merge"
    if dry_run:
        printing.echo(save.text_of(proposal, today, how=how, before=before, more=more), nl=False)
        return 0
    if not yes:
        if not sys.stdin.isatty():
            printing.echo("glboard: nothing written; confirm with --yes.", err=True)
            return UNCONFIRMED
        printing.echo()
        how = _ask(target, exists=before is not None)
    text = save.text_of(proposal, today, how=how, before=before, more=more)
    copy = save.save(target, text, seen=before)
    printing.echo()
    done = "Wrote" if before is None or how == "replace" else "Completed"
    printing.echo(f"{done} {short(target)}{f' (before: {copy.name})' if copy is not None else ''}")
    printing.echo(f"  To open the board: {options.command}")
    printing.echo(f"  To change the file: {options.command} config edit")
    return 0


def _read(options: Options, before: str | None) -> tuple[Account, FoundGroup]:
    """What the group has, at the first server that the address can mean. Raises GlboardError."""
    import asyncio

    from glboard_core.setup.addresses import places_in

    trouble: GlboardError | None = None
    for place in places_in(options.url) if options.url else (None,):
        try:
            account, path = _account(options, before, place)
            return account, asyncio.run(_found(account, path))
        except (NotGitLab, NotUnderstood, TokenMissing) as error:
            # Of a GitLab below a path, the address without it is no GitLab, or no one is signed in there.
            trouble = trouble or error
    assert trouble is not None  # there is at least one place
    raise trouble


def _account(options: Options, before: str | None, place: ServerPlace | None) -> tuple[Account, str]:
    """The server and token, and the path of the group; "" if none is given. Raises TokenMissing."""
    from glboard_core.auth.search import find_account
    from glboard_core.setup.addresses import place_in

    url, group = None, options.group or environment().get("GLBOARD_GROUP", "")
    if place is not None:
        url, group = place.url, group or place.path
    settings = GitLabSettings()
    if before is not None:
        try:
            settings = parse(before, str(options.config_target)).gitlab
        except ConfigError as error:
            raise ConfigError(
                error.message,
                hint=f"{error.hint} Correct the file first: {options.command} config edit".strip(),
            ) from None
    if options.allow_http:
        settings = structs.replace(settings, allow_http=True)
    group = group or ("" if url else settings.group)
    group = place_in(group).path if "://" in group else group.strip().strip("/")
    return find_account(url, settings), group


async def _found(account: Account, path: str) -> FoundGroup:
    """What the group has; of a project's path, its group. Raises UsageError if there are several."""
    from glboard_core.setup.discover import Discovery

    async with Discovery(account) as discovery:
        if path:
            try:
                found = await discovery.group_at(path)
            except GroupNotFound as error:
                raise GroupNotFound(
                    error.message, hint=_near_groups(path, await discovery.groups())
                ) from None
            if found.path.casefold() != path.casefold():
                printing.echo(f"{path} is a project; using its group, {found.path}.", err=True)
            return found
        groups = await discovery.groups()
        if len(groups.items) == 1 and not groups.more:
            return await discovery.group(groups.items[0].path)
    named = _named(one.path for one in groups.items)
    raise UsageError("No group given.", hint=f"Pass --group PATH. Your groups: {named}.")


def _near_groups(path: str, groups: Found[GroupChoice]) -> str:
    """What helps if there is no group at a path: those that are called alike, else all."""
    from difflib import get_close_matches

    paths = [one.path for one in groups.items]
    if near := get_close_matches(path.casefold(), paths, 3, 0.5):
        return f"Similar: {', '.join(near)}."
    return f"Pass --group PATH. Your groups: {_named(paths)}."


def _named(paths: Iterable[str]) -> str:
    return ", ".join(list(paths)[:_GROUPS]) or "none"


def _print(proposal: Proposal, *, err: bool) -> None:
    tell = partial(printing.echo, err=err)
    found = proposal.found
    host = found.url.partition("://")[2]
    labels = counted(len(found.labels), "label") if found.whole else f"{len(found.labels)} of its labels"
    has = ", ".join(
        [labels, counted(len(found.milestones), "milestone"), counted(len(found.boards), "board")]
    )
    tell(f"{found.path} on {host}, as {found.username}: {has}")
    tell()
    rows = [row for line in proposal.lines if line.shown for row in _row(line)]
    rows += [
        ("Board of GitLab", one.offer.title, "taken" if one.taken else "left out", one.offer.note)
        for one in proposal.boards
    ]
    value, why = _widths()
    heads = ("SETTING", "VALUE", "MATCH", "WHY")
    cut = [(title, clipped(shown, value), match, clipped(words, why)) for title, shown, match, words in rows]
    # A narrow terminal has no room for reasons.
    tell(as_table(heads, cut) if why else as_table(heads[:3], [row[:3] for row in cut]))
    zone = proposal.line("ui.time_zone")
    if zone.trust != "chosen":
        tell()
        tell(f"Time zone: {zone.value[0]} is this computer's. If the team works in another one,")
        tell("  set time_zone under [ui] in the file.")
    for one in proposal.missing:
        tell()
        printing.echo_colored([(f"{one.title}: ", "bold"), (f"{one.why}.", "yellow")], err=err)
        if one.near:
            tell(f"  Similar: {', '.join(one.near[:4])}.")
        if one.advice:
            tell(f"  {one.advice}")


def _row(line: SettingLine) -> Iterator[tuple[str, str, str, str]]:
    from glboard_core.setup.write import is_state

    shown = line.words or line.none or "none"
    if is_state(line) and not line.written and line.trust in ("sure", "default"):
        return  # their number is in the line of the start of states
    yield line.title, shown, _MARKS[line.trust], line.why


def _widths() -> tuple[int, int]:
    """Cells for values and reasons on this terminal; a pipe gets them as they are."""
    if not sys.stdout.isatty():
        return _VALUE, _WHY
    room = shutil.get_terminal_size().columns - _OTHERS
    if room < 40:
        return max(room, 16), 0
    value = min(_VALUE, room * 3 // 5)
    return value, min(_WHY, room - value)


def clipped(text: str, width: int) -> str:
    """A text cut to a width, with a sign if it is."""
    return text if cell_len(text) <= width else f"{set_cell_size(text, max(width - 1, 0)).rstrip()}…"


def _ask(target: Path, *, exists: bool) -> How:
    """Ask how to write. Raises click.Abort for no."""
    if not exists:
        printing.confirm(f"Write {short(target)}?", default=True, abort=True)
        return "new"
    printing.echo(f"{short(target)} exists. A backup is kept.")
    if printing.confirm("Complete it and keep its settings?", default=True):
        return "merge"
    printing.confirm("Replace it?", default=False, abort=True)
    return "replace"
