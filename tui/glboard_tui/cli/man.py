"""``glboard man``: the manual page, made from the help of every command."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

import click

from glboard_tui.cli import printing

_EXIT = (
    ("0", "Success."),
    ("1", "Failure; the reason is on standard error. For doctor: a check found a problem."),
    ("2", "Usage error."),
    ("3", "Partial success."),
    ("4", "Confirmation is needed (--yes); nothing was sent."),
)
_FILES = (
    ("~/.config/glboard/config.toml", "The configuration: glboard config init writes one with comments."),
    ("~/.config/glboard/team.toml", "The team and its days, for capacity."),
    ("~/.local/state/glboard/", "Data from GitLab, and unsent changes."),
    ("~/.local/state/glboard/credentials.json", "Sign-ins, and their tokens if not stored in a keyring."),
    ("~/.local/state/glboard/log/glboard.log", "Failed requests; with --debug, every request."),
)
_ENVIRONMENT = (
    ("GITLAB_TOKEN", "The personal access token."),
    ("GITLAB_HOST", "The server's address."),
    ("GLBOARD_CLIENT_ID", "The OAuth application to sign in with."),
    ("GLBOARD_GROUP", "The full path of the group."),
    ("NO_COLOR", "If set, colors are disabled."),
    ("HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY", "Proxy settings."),
    ("SSL_CERT_FILE, SSL_CERT_DIR", "The certificate authorities to trust."),
    ("VISUAL, EDITOR", "The editor for descriptions and the configuration."),
    ("GLAB_CONFIG_DIR, PYTHON_GITLAB_CFG", "Where the sign-ins of glab and python-gitlab are."),
)


@click.command("man", epilog="For example:\n\n\b\n  glboard man > ~/.local/share/man/man1/glboard.1")
@click.pass_context
def man_command(ctx: click.Context) -> None:
    """Print the manual page."""
    printing.echo("\n".join(_page(ctx.find_root())))


def _page(root: click.Context) -> Iterator[str]:
    from glboard_tui.cli.version import version_of

    yield f'.TH GLBOARD 1 "" "glboard {version_of("glboard")}" "User Commands"'
    yield ".SH NAME"
    yield _text("glboard - plan milestones on GitLab issue boards, from the keyboard")
    yield ".SH SYNOPSIS"
    yield ".B glboard"
    yield _text("[OPTIONS] [COMMAND] [ARGUMENTS]")
    yield ".SH DESCRIPTION"
    yield from _help(root.command)
    yield ".SH OPTIONS"
    yield from _options(root.command, root)
    yield ".SH COMMANDS"
    yield from _commands(root, "glboard")
    for title, rows in (("EXIT STATUS", _EXIT), ("FILES", _FILES), ("ENVIRONMENT", _ENVIRONMENT)):
        yield f".SH {title}"
        for name, text in rows:
            yield from _row(name, text)


def _commands(context: click.Context, path: str) -> Iterator[str]:
    group = context.command
    assert isinstance(group, click.Group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None or command.hidden:
            continue
        inside = click.Context(command, parent=context, info_name=name)
        yield ".SS " + _text(f"{path} {name} {' '.join(command.collect_usage_pieces(inside))}".rstrip())
        yield from _help(command)
        yield from _options(command, inside)
        if isinstance(command, click.Group):
            yield from _commands(inside, f"{path} {name}")


def _help(command: click.Command) -> Iterator[str]:
    for number, paragraph in enumerate(inspect.cleandoc(command.help or "").split("\n\n")):
        if number:
            yield ".PP"
        if paragraph.startswith("\b"):
            # Lines that stay as they are: a list of kinds, or of exit statuses.
            yield ".nf"
            yield from map(_line, paragraph.splitlines()[1:])
            yield ".fi"
        else:
            yield _text(" ".join(paragraph.split()))


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    # What arguments are is in the text.
    for parameter in (one for one in command.get_params(context) if isinstance(one, click.Option)):
        if (record := parameter.get_help_record(context)) is not None:
            yield from _row(*record)


def _row(name: str, text: str) -> Iterator[str]:
    yield ".TP"
    yield ".B " + _text(name)
    yield _text(text) if text else "\\&"


def _text(text: str) -> str:
    """A text as one line in roff."""
    return _line(re.sub(r"[ \n]+", " ", text).strip())


def _line(text: str) -> str:
    """A line in roff as it is: nothing in it is a request, and no hyphen becomes a dash."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{escaped}" if escaped[:1] in (".", "'") else escaped
