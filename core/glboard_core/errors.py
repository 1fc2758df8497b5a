"""Every error a person may be shown, as types.

Owns what went wrong (title, message) and what to do about it (hint). It must not know where an error is
shown: ``glboard_tui.notices`` and the command line turn these into words on a screen. No message may ever
hold a token, a password or an authorisation header.

::

    GlboardError
    ├── UsageError               the command line was wrong (exit status 2)
    ├── ConfigError              a file people write is wrong: file, line, key
    │   └── FileChanged          it is not what it was when it was read: nothing was written
    ├── ScenarioError            a scenario file is wrong
    ├── NameUnknown              a board, label, milestone or person that does not exist; near matches
    ├── AuthError                who you are, or may do
    │   ├── TokenMissing
    │   ├── TokenRejected        401: wrong, expired or revoked
    │   └── ScopeMissing         the token may only read
    ├── ConnectionFailed         the answer did not come; may pass
    │   ├── Offline              no route, refused, DNS, connection cut
    │   ├── TimedOut
    │   ├── TlsFailed
    │   ├── RateLimited          429, with the seconds to wait
    │   ├── ServerFailed         5xx
    │   └── NotGitLab            the answer is not GitLab's (a proxy's page, another server)
    ├── GroupNotFound            the group does not exist, or you may not see it
    ├── QueryRefused             the server does not understand the question (a version we do not know)
    ├── ReadOnly                 the session was started to change nothing
    ├── StoreFailed              the state folder cannot be read or written
    └── EditRefused              one change of one issue was not made
        ├── EditForbidden        no permission, or the issue is gone
        ├── EditInvalid          the server says the value is wrong
        ├── EditDropped          the server said yes and did nothing: the field, and the cause if known
        ├── EditImpossible       cannot be sent at all: label or milestone not available to the project
        └── EditUnknown          the answer was lost: it may or may not have been made
"""

from __future__ import annotations


class GlboardError(Exception):
    """Base of all. ``title`` is a few words, ``message`` one or two sentences, ``hint`` what to do."""

    title = "Something went wrong"
    #: Whether trying the same again later may succeed.
    may_pass = False

    def __init__(self, message: str, *, hint: str = "", title: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if title is not None:
            self.title = title

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class UsageError(GlboardError):
    """The command line asked for something that makes no sense."""

    title = "Usage"


class ConfigError(GlboardError):
    """A configuration file is wrong. ``where`` is ``file:line`` or ``file``; ``key`` the dotted key."""

    title = "Configuration"

    def __init__(self, message: str, *, where: str = "", key: str = "", hint: str = "") -> None:
        place = ": ".join(part for part in (where, key) if part)
        super().__init__(f"{place}: {message}" if place else message, hint=hint)
        self.where = where
        self.key = key


class FileChanged(ConfigError):
    """A file people write was changed by somebody else since it was read, so it was left alone."""


class ScenarioError(GlboardError):
    """A scenario file cannot be used."""

    title = "Scenario"


class NameUnknown(GlboardError):
    """A name that stands for nothing. ``near`` are names that do exist and look like it."""

    title = "Unknown name"

    def __init__(self, kind: str, name: str, near: tuple[str, ...] = (), *, hint: str = "") -> None:
        if not hint:
            hint = f"Near matches: {', '.join(near)}." if near else ""
        super().__init__(f"There is no {kind} named “{name}”.", hint=hint)
        self.kind = kind
        self.name = name
        self.near = near


class AuthError(GlboardError):
    """GitLab does not let us in."""

    title = "Sign-in"


class TokenMissing(AuthError):
    """No token was found anywhere."""


class TokenRejected(AuthError):
    """HTTP 401: the token is wrong, expired or revoked."""


class ScopeMissing(AuthError):
    """The token lacks a scope the request needs."""


class ConnectionFailed(GlboardError):
    """The server could not be asked, or did not answer properly. Trying later may help."""

    title = "No connection"
    may_pass = True


class Offline(ConnectionFailed):
    """No network, name not found, connection refused or cut."""


class TimedOut(ConnectionFailed):
    """No answer in time."""

    title = "Timeout"


class TlsFailed(ConnectionFailed):
    """The server's certificate is not trusted, or TLS failed otherwise."""

    title = "TLS"
    may_pass = False


class RateLimited(ConnectionFailed):
    """HTTP 429. ``retry_after`` is in seconds."""

    title = "Rate limited"

    def __init__(self, message: str, *, retry_after: float, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after


class ServerFailed(ConnectionFailed):
    """HTTP 5xx. ``status`` is the HTTP status."""

    title = "Server error"

    def __init__(self, message: str, *, status: int, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status


class NotGitLab(ConnectionFailed):
    """What answered is not GitLab's API."""

    title = "Not GitLab"
    may_pass = False


class GroupNotFound(GlboardError):
    """The group does not exist, or this token may not see it."""

    title = "Group"


class QueryRefused(GlboardError):
    """The server refused a query as invalid."""

    title = "Query rejected"


class ReadOnly(GlboardError):
    """The session was started with --read-only."""

    title = "Read-only"


class StoreFailed(GlboardError):
    """The state folder cannot be used."""

    title = "State folder"


class EditRefused(GlboardError):
    """One change of one issue was not made."""

    title = "Not changed"


class EditForbidden(EditRefused):
    """No permission for this issue, or it no longer exists."""


class EditInvalid(EditRefused):
    """The server says that the value is not valid."""


class EditDropped(EditRefused):
    """The server answered yes, but the issue it returned does not show the change."""


class EditImpossible(EditRefused):
    """The change cannot be sent: a label, milestone or person is not available to the issue's project."""


class EditUnknown(EditRefused):
    """The answer was lost. The change may have been made; it must be settled by reading back."""

    may_pass = True
