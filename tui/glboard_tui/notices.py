"""The one place that turns an error, or the result of a keystroke, into text on the screen.

Owns which error is a toast, a line in the header or a panel over the board. Remote text is never markup:
every ``notify`` uses ``markup=False``, since a title like ``fix [/api]`` would crash the app.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from msgspec import Struct
from textual.app import App

from glboard_core.board.operations import Op
from glboard_core.errors import (
    AuthError,
    ConfigError,
    ConnectionFailed,
    EditForbidden,
    EditUnknown,
    GlboardError,
    GroupNotFound,
    NotGitLab,
    QueryRefused,
    TlsFailed,
)

Where = Literal["toast", "line", "panel"]
Severity = Literal["information", "warning", "error"]

#: Seconds a toast stays: longer where there is something to read and do.
SHORT, LONG = 4.0, 10.0


class Notice(Struct, frozen=True, kw_only=True):
    """A message for the user: ``hint`` says what to do."""

    title: str
    message: str
    hint: str = ""
    severity: Severity = "information"

    @property
    def text(self) -> str:
        """Message and hint, the hint on its own line."""
        return f"{self.message}\n{self.hint}" if self.hint else self.message


def notice_of(error: GlboardError) -> Notice:
    """An error as a message."""
    return Notice(
        title=error.title,
        message=error.message,
        hint=error.hint or _hint(error),
        severity="warning" if error.may_pass else "error",
    )


def _hint(error: GlboardError) -> str:
    match error:
        case AuthError():
            return "Set GITLAB_TOKEN to a token with the scope “api”, or sign in with: glab auth login"
        case GroupNotFound():
            return "Check --group, or ask for access: a token only sees the groups of its user."
        case TlsFailed():
            return "Set SSL_CERT_FILE to your company's certificate authority."
        case NotGitLab():
            return "Check --url: it must be the URL of GitLab itself, including its path if any."
        case EditForbidden():
            return "You need at least the Planner or Reporter role in that project."
        case EditUnknown():
            return "Check the issue, then retry from the list of failed changes (gf)."
        case ConfigError():
            return "Fix the file, then restart glboard."
        case QueryRefused():
            return "This GitLab may be older than 16.8, the oldest supported version."
        case ConnectionFailed():
            return "Your changes are kept and sent when the server is reachable again."
        case _:
            return ""


def place_of(error: GlboardError, *, has_board: bool) -> Where:
    """Where the error is shown. A temporary one stays out of the way as soon as there is a board."""
    if not has_board:
        return "panel"
    return "line" if isinstance(error, ConnectionFailed) and error.may_pass else "toast"


def unexpected(error: BaseException) -> Notice:
    """An unexpected error: its type only, because its text could contain anything."""
    return Notice(
        title="Unexpected",
        message=f"{type(error).__name__} in the background.",
        hint="The board still works and your changes are kept. Press r to refresh.",
        severity="error",
    )


def failures(title: str, failed: Sequence[tuple[Op, GlboardError]], done: int) -> Notice:
    """The rejected changes of one keystroke: how many and why, grouped by reason."""
    reasons = Counter(error.message for _, error in failed)
    lines = [
        f"{message}" if count == len(failed) == 1 else f"{count}: {message}"
        for message, count in reasons.most_common(3)
    ]
    if len(reasons) > 3:
        lines.append(f"… and {len(reasons) - 3} more reasons")
    hints = dict.fromkeys(error.hint for _, error in failed if error.hint)
    lines.extend(list(hints)[:1])
    if done:
        what = f"{len(failed)} of {len(failed) + done} not changed"
    else:
        what = "Not changed" if len(failed) == 1 else f"{len(failed)} not changed"
    return Notice(
        title=f"{what}: {title}" if title else what,
        message="\n".join(lines),
        hint="gf lists failed changes",
        severity="error",
    )


def tell(app: App[Any], notice: Notice) -> None:
    """Show a toast."""
    app.notify(
        notice.text,
        title=notice.title,
        severity=notice.severity,
        timeout=SHORT if notice.severity == "information" else LONG,
        markup=False,
    )


def say(app: App[Any], text: str, *, title: str = "", severity: Severity = "information") -> None:
    """Show a short message as a toast."""
    app.notify(text, title=title, severity=severity, timeout=SHORT, markup=False)


def warnings_text(warnings: Iterable[str]) -> str:
    """What could not be resolved, one per line."""
    return "\n".join(dict.fromkeys(warnings))
