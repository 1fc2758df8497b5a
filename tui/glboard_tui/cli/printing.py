"""Everything that a command prints, on standard output or standard error, to a terminal or a pipe.

Titles, names and error texts come from a server that anybody may write to, so nothing is printed but through
here: no other module of the command line calls ``click.echo`` or ``print``.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

import click
import msgspec

from glboard_core.model.printable import escaped, printable

Mask = Callable[[str], str]


def _nothing(text: str) -> str:
    return text


#: What every output passes; on a shared screen it leaves out what is hidden there.
_mask: Mask = _nothing


def mask_with(mask: Mask | None) -> None:
    """Let every output pass this function from now on; None lets all through."""
    global _mask  # noqa: PLW0603  (the output of a process is one)
    _mask = mask or _nothing


def masked(text: str) -> str:
    """The text as it passes to the output, for what depends on its width."""
    return _mask(text)


#: Back to the start of the line, and clear it.
_CLEAR = "\r\x1b[K"


def echo(text: object = "", *, err: bool = False, nl: bool = True) -> None:
    """Print a text: its line breaks and tabs are kept, other control characters are not."""
    click.echo(printable(_mask(str(text))), err=err, nl=nl)


def echo_colored(parts: Sequence[tuple[str, str]], *, err: bool = False) -> None:
    """Print a line of texts, each with a colour, "bold" or ""; a pipe and NO_COLOR get plain text."""
    stream = sys.stderr if err else sys.stdout
    colored = stream.isatty() and not os.environ.get("NO_COLOR")
    texts = (_styled(printable(_mask(text)), color if colored else "") for text, color in parts)
    click.echo("".join(texts), err=err)


def _styled(text: str, color: str) -> str:
    if not color:
        return text
    return click.style(text, bold=True) if color == "bold" else click.style(text, fg=color)


class Unanswered(Exception):
    """Standard input has no answer to a question; nothing was done."""


def confirm(question: str, *, default: bool = False, abort: bool = False, err: bool = False) -> bool:
    """Ask for yes or no on the terminal; with ``abort``, no raises click.Abort.

    Raises Unanswered if no one can answer: a script gets the exit status for that.
    """
    try:
        return click.confirm(printable(_mask(question)), default=default, abort=abort, err=err)
    except click.Abort as error:
        if isinstance(error.__context__, EOFError) and not sys.stdin.isatty():
            echo(err=err)  # the question has no line break
            raise Unanswered from None
        raise


def ask(question: str, *, default: str | None = None, hidden: bool = False) -> str:
    """Ask for a text on the terminal; what is typed is not shown if ``hidden``."""
    answer: str = click.prompt(printable(question), default=default, hide_input=hidden, err=True)
    return answer.strip()


def as_json(value: Any) -> str:
    """Indented JSON, in which invisible characters are escaped. Times are ISO 8601 in UTC."""
    return escaped_json(msgspec.json.format(msgspec.json.encode(value), indent=2))


def escaped_json(raw: bytes) -> str:
    """JSON that is already encoded, in which invisible characters are escaped."""
    return escaped(raw.decode())


def progress_line(text: str) -> None:
    """Print a line on standard error that the next one, or ``end_progress_line``, replaces."""
    click.echo(_CLEAR + printable(_mask(text)).replace("\n", " "), nl=False, err=True)


def end_progress_line() -> None:
    """Remove such a line."""
    click.echo(_CLEAR, nl=False, err=True)


def usage_error(error: click.ClickException) -> None:
    """Print an error of the command line's own syntax, which repeats what was typed."""
    text = io.StringIO()
    error.show(text)
    echo(text.getvalue(), err=True, nl=False)


def progress_is_seen() -> bool:
    """Whether anybody sees progress: a pipe gets nothing but the output."""
    return sys.stderr.isatty()
