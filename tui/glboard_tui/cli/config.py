"""``glboard config``: the configuration file, the settings in effect, and its mistakes.

Exit status of ``check``: 0 without a mistake that matters, 1 otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec
from msgspec import Struct

from glboard_core.errors import GlboardError
from glboard_core.files import read_text
from glboard_tui.cli import context, printing
from glboard_tui.cli.config_boards import boards_command
from glboard_tui.cli.config_init import TEMPLATE, init_command
from glboard_tui.cli.context import Options
from glboard_tui.cli.groups import NamedGroup

if TYPE_CHECKING:
    from glboard_core.config_check import CheckedConfig, Mistake
    from glboard_core.config_sources import EffectiveSetting
    from glboard_core.gitlab.account import Account

#: Columns up to which the sources of ``config show`` line up.
_ALIGNED = 44


class ShownSetting(Struct, frozen=True, kw_only=True):
    """A setting in the JSON of ``config show``."""

    key: str
    value: Any
    source: str
    where: str


class ShownSettings(Struct, frozen=True, kw_only=True):
    """The JSON of ``config show``. ``token`` is where the token comes from, or empty."""

    file: str
    exists: bool
    token: str
    settings: tuple[ShownSetting, ...]


class ShownMistakes(Struct, frozen=True, kw_only=True):
    """The JSON of ``config check``; ``checks`` are those of the names, with ``--online``."""

    file: str
    mistakes: tuple[Any, ...]
    checks: tuple[Any, ...]


@click.group("config", cls=NamedGroup)
@click.pass_obj
def config_command(options: Options) -> None:
    """Create, check, edit or show the configuration."""
    options.mask_words()


@config_command.command("path")
@click.pass_obj
def path(options: Options) -> None:
    """Print the path of the configuration file."""
    printing.echo(options.config_path)


config_command.add_command(init_command)
config_command.add_command(boards_command)


@config_command.command("edit")
@click.pass_context
def edit(ctx: click.Context) -> None:
    """Open the file in your editor (VISUAL, EDITOR), then list its errors.

    Exit status: 0 if glboard can use the file as it is, 1 if not.
    """
    from glboard_tui.cli.config_edit import edit_file
    from glboard_tui.config_file import screen_mistakes

    def told(file: Path) -> list[Mistake]:
        checked = _read(file)
        mistakes = [*checked.mistakes, *screen_mistakes(checked)]
        _tell(file, mistakes, ())
        return mistakes

    options: Options = ctx.obj
    ctx.exit(edit_file(options.config_target, TEMPLATE, told, checks=f"{options.command} config check"))


@config_command.command("show")
@click.option("--changed", is_flag=True, help="Print only settings that differ from the defaults.")
@context.text_format_option
@click.pass_obj
def show(options: Options, changed: bool, style: str) -> None:
    """Print the settings in effect, and where each comes from.

    The text is a configuration file itself. A token is never printed, only where it comes from.
    """
    from glboard_core.config_sources import effective_settings

    file = options.config_path
    checked = _read(file)
    account = _account(options, checked)
    rows = effective_settings(
        checked, url=options.url, group=options.group, allow_http=options.allow_http, account=account
    )
    if changed:
        rows = [one for one in rows if one.source != "default"]
    token = account.source if account is not None else ""
    if style == "json":
        settings = tuple(
            ShownSetting(key=_dotted(one.path), value=one.value, source=one.source, where=one.where)
            for one in rows
        )
        shown = ShownSettings(file=str(file), exists=file.is_file(), token=token, settings=settings)
        printing.echo(printing.as_json(shown))
        return
    printing.echo(f"# {file}{'' if file.is_file() else ' (does not exist)'}")
    printing.echo(f"# Token: {f'from {token}, not shown' if token else 'none found'}.")
    for line in _as_toml(rows):
        printing.echo(line)
    for one in checked.mistakes:
        printing.echo(f"glboard: {_place(file, one)}: {one.message}", err=True)


@config_command.command("check")
@click.option("--online", is_flag=True, help="Also check that labels, milestones and boards exist in GitLab.")
@context.text_format_option
@click.pass_context
def check(ctx: click.Context, online: bool, style: str) -> None:
    """List every error in the file, with its line and how to fix it.

    Exit status: 0 if glboard can use the file as it is, 1 if not.
    """
    from glboard_tui.cli.doctor import diagnose
    from glboard_tui.config_file import screen_mistakes

    options: Options = ctx.obj
    file = options.config_path
    checked = _read(file)
    mistakes = [*checked.mistakes, *screen_mistakes(checked)]
    found: tuple[Any, ...] = ()
    if online:
        about_names = ("address", "token", "group", "labels", "milestones", "boards")
        diagnosis = diagnose(options, only_names=True)
        found = tuple(one for one in diagnosis.checks if one.id in about_names)
    if style == "json":
        shown = ShownMistakes(file=str(file), mistakes=tuple(mistakes), checks=found)
        printing.echo(printing.as_json(shown))
    else:
        _tell(file, mistakes, found)
    wrong = any(not one.harmless for one in mistakes) or any(one.status == "problem" for one in found)
    ctx.exit(1 if wrong else 0)


@config_command.command("schema")
def schema() -> None:
    """Print a JSON schema of the file, so that editors can complete and check it.

    In an editor with Taplo, put into the first line of config.toml: #:schema ./config.schema.json
    """
    from glboard_tui.actions import ACTIONS
    from glboard_tui.cli.config_schema import schema_of

    printing.echo(printing.as_json(schema_of({one.id: one.title for one in ACTIONS})))


def _read(file: Path) -> CheckedConfig:
    from glboard_core.config_check import check as check_text

    try:
        return check_text(read_text(file))
    except FileNotFoundError:
        return check_text("")


def _account(options: Options, checked: CheckedConfig) -> Account | None:
    """The server and token in use; None if there is none that can be used."""
    from glboard_core.auth.search import find_account

    try:
        return find_account(options.url, checked.settings.gitlab)
    except GlboardError:
        return None


def _tell(file: Path, mistakes: list[Mistake], found: tuple[Any, ...]) -> None:
    for one in sorted(mistakes, key=lambda one: one.line):
        key = f"{one.key}: " if one.key else ""
        printing.echo_colored(
            [(f"{_place(file, one)}: ", ""), (f"{key}{one.message}", "yellow" if one.harmless else "red")]
        )
        if one.hint:
            printing.echo(f"  {one.hint}")
    if not mistakes:
        printing.echo(f"{file}: {'no errors' if file.is_file() else 'does not exist; the defaults apply'}.")
    if found:
        from glboard_tui.cli.doctor import print_checks

        print_checks(found)


def _place(file: Path, one: Mistake) -> str:
    return f"{file}:{one.line}" if one.line else str(file)


def _dotted(path: tuple[str | int, ...]) -> str:
    return ".".join(map(str, path))


def _as_toml(rows: list[EffectiveSetting]) -> Iterator[str]:
    """The settings as a file, each with a comment on where it comes from."""
    for table, group in groupby(rows, lambda one: one.path[:-1]):
        settings = [one for one in group if one.value is not None]
        if not settings:
            continue
        yield ""
        head = f"[[{table[0]}]]" if isinstance(table[-1], int) else f"[{'.'.join(map(_key, table))}]"
        texts = [f"{_key(one.path[-1])} = {_literal(one.value)}" for one in settings]
        if len({one.where or one.source for one in settings}) == 1:
            yield f"{head}  # {settings[0].where or settings[0].source}"
            yield from texts
            continue
        yield head
        width = max((len(text) for text in texts if len(text) <= _ALIGNED), default=0)
        for text, one in zip(texts, settings, strict=True):
            yield f"{text:<{width}}  # {one.where or one.source}"


def _key(name: str | int) -> str:
    text = str(name)
    bare = text.replace("-", "").replace("_", "")
    return text if bare.isascii() and bare.isalnum() else _literal(text)


def _literal(value: Any) -> str:
    """A value in TOML."""
    if isinstance(value, Struct):
        value = {key: one for key, one in msgspec.to_builtins(value).items() if one is not None}
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        # A text of JSON is one of TOML.
        return msgspec.json.encode(value).decode().replace("\x7f", "\\u007f")
    if isinstance(value, dict):
        pairs = ", ".join(f"{_key(key)} = {_literal(one)}" for key, one in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_literal, value))}]"
    return str(value)
