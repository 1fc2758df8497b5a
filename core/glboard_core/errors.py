"""All errors shown to a person, as types.

Owns what went wrong (title, message) and what to do about it (hint), but not where an error is shown:
``glboard_tui.notices`` and the command line render these. No message ever contains a token, a password or an
authorisation header, not even if it quotes what was typed.
"""

from __future__ import annotations

import re

#: Said wherever a session may not write, or nothing was read from GitLab yet.
READ_ONLY = "Read-only session."
NOT_LOADED = "Nothing loaded from GitLab yet."
LOAD_FIRST = f"{NOT_LOADED} Open the board once, then try again."


#: Before the server's id of a request, at the end of a message.
REQUEST_ID = " Request ID: "


# Compiled (and cached by ``re``) on first use: a URL's username and password, its tokens, and GitLab's own.
_SECRETS = (
    r"(?i)(?<=://)[^/?#\s@]*@"
    r"|(?<=[?&])((?:private_|access_|job_|feed_|rss_)?token|authenticity_token)=[^&#\s”]+"
    r"|\bgl(?:pat|oas|dt|rt|rtr|cbt|ptt|ft|imt|agent|soat|ffct|wt)-[\w.-]{8,}"
)


def without_secrets(text: str) -> str:
    """A text that quotes what was typed, without tokens and passwords in it: people paste whole URLs."""
    return re.sub(_SECRETS, lambda found: f"{found[1]}=…" if found[1] else "…", text)


class GlboardError(Exception):
    """Base class. ``title`` is a few words, ``message`` one or two sentences, ``hint`` what to do."""

    title = "Something went wrong"
    #: What to do where the place that raises it knows nothing better. ``docs/messages.md`` lists all.
    advice = ""
    #: Whether retrying later may succeed.
    may_pass = False

    def __init__(self, message: str, *, hint: str = "", title: str | None = None) -> None:
        message = without_secrets(message)
        super().__init__(message)
        self.message = message
        self.hint = hint
        if title is not None:
            self.title = title

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()

    @property
    def what_to_do(self) -> str:
        """The hint, or what helps with any error of this kind."""
        return self.hint or self.advice


class UsageError(GlboardError):
    """The command line is invalid."""

    title = "Usage"
    advice = "Add --help to the command to see its options."


class ConfigError(GlboardError):
    """A configuration file is invalid. ``where`` is ``file:line`` or ``file``; ``key`` the dotted key."""

    title = "Configuration"
    advice = "Fix that file, then try again."

    def __init__(self, message: str, *, where: str = "", key: str = "", hint: str = "") -> None:
        place = ": ".join(part for part in (where, key) if part)
        super().__init__(f"{place}: {message}" if place else message, hint=hint)
        self.where = where
        self.key = key


class FileChanged(ConfigError):
    """A user-edited file was changed by someone else since it was read, so it was not written."""

    advice = "Check what they changed, then try again."


class ScenarioError(GlboardError):
    """A scenario file cannot be used."""

    title = "Scenario"
    advice = "Fix the file, or omit --scenario to generate a group."


class NameUnknown(GlboardError):
    """A name that does not exist. ``near`` are similar names that do."""

    title = "Unknown name"
    advice = "Check the spelling in GitLab."

    def __init__(self, kind: str, name: str, near: tuple[str, ...] = (), *, hint: str = "") -> None:
        if not hint:
            hint = f"Similar: {', '.join(near)}." if near else ""
        super().__init__(f"No {kind} named “{name}”.", hint=hint)


class IssueNotFound(GlboardError):
    """An issue that a person named does not exist, or is hidden from us."""

    title = "Issue not found"


class AuthError(GlboardError):
    """Authentication failed, or access was denied."""

    title = "Sign-in"
    advice = "Sign in with glboard auth login, or set GITLAB_TOKEN to a token with the “api” scope."


class TokenMissing(AuthError):
    """No token was found anywhere."""


class TokenRejected(AuthError):
    """HTTP 401: the token is unknown, expired or revoked, or its user is blocked."""


class TokenUnknown(TokenRejected):
    """The server does not know the token: it was copied badly, or it was removed since."""


class ScopeMissing(AuthError):
    """The token lacks a scope the request needs."""


class ApplicationRefused(AuthError):
    """The server does not accept the OAuth application with which we want to sign in."""


class FineGrainedToken(AuthError):
    """A fine-grained token, which this GitLab does not accept here, or which lacks a permission."""


class NotConnected(GlboardError):
    """There is no engine yet."""

    def __init__(self) -> None:
        super().__init__("Not connected yet.", hint="Wait a moment, then try again.")


class SharedScreen(GlboardError):
    """It would show others what share mode hides."""

    title = "Shared screen"

    def __init__(self) -> None:
        super().__init__("This is hidden on the shared screen.", hint="Stop sharing first.")


class ConnectionFailed(GlboardError):
    """The server could not be reached, or did not answer properly. Retrying later may help."""

    title = "No connection"
    advice = "Try again later; glboard doctor checks the connection."
    may_pass = True


class Offline(ConnectionFailed):
    """No network, host not found, connection refused or lost."""


class TimedOut(ConnectionFailed):
    """No answer in time."""

    title = "Timeout"


class TlsFailed(ConnectionFailed):
    """The server's certificate is not trusted, or TLS failed otherwise."""

    title = "TLS"
    advice = "Set SSL_CERT_FILE to your company's certificate authority."
    may_pass = False


class RateLimited(ConnectionFailed):
    """HTTP 429. ``retry_after`` is in seconds."""

    title = "Rate limited"
    advice = "Try again after that."

    def __init__(self, message: str, *, retry_after: float, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after


class ServerFailed(ConnectionFailed):
    """HTTP 5xx."""

    title = "Server error"


class NotGitLab(ConnectionFailed):
    """The response does not come from GitLab's API."""

    title = "Not GitLab"
    advice = "Check --url: it must be the URL of GitLab itself, including its path if any."
    may_pass = False


class NoLiveEvents(GlboardError):
    """The server, or something on the way to it, offers no live events. Changes arrive by polling."""

    title = "No live events"
    advice = "No action needed: changes by others arrive by polling."


class GroupNotFound(GlboardError):
    """The group does not exist, or the token has no access to it."""

    title = "Group"
    advice = "Check --group, or ask for access. A token only has access to its user's groups."


class QueryRefused(GlboardError):
    """The server rejected a query as invalid."""

    title = "Query rejected"
    advice = "Run glboard doctor. This GitLab may be older than 16.8, the oldest supported version."


class NotUnderstood(QueryRefused):
    """A response, or a value in one, that GitLab never sends: wrong type, out of range, or not decodable.

    ``what`` is wrong with it; ``request_id`` is the server's, by which its administrator finds the request.
    """

    title = "Unexpected response"

    def __init__(self, what: str, request_id: str = "") -> None:
        named = f"{REQUEST_ID}{request_id}." if request_id else ""
        super().__init__(
            f"glboard does not understand GitLab's response: {what}.{named}",
            hint="Check for a proxy or another server in between, or a much older or newer GitLab.",
        )


def misled(problem: BaseException, request_id: str = "") -> NotUnderstood:
    """The error for what a value led to: by its type, since its text could contain anything."""
    while isinstance(problem, BaseExceptionGroup):
        problem = problem.exceptions[0]
    return NotUnderstood(f"it led to {type(problem).__name__}", request_id)


#: What Python raises where a value is not what it should be: of the wrong type, form or size.
WRONG_VALUES = (ArithmeticError, LookupError, RecursionError, TypeError, ValueError)


class ReadOnly(GlboardError):
    """The session was started with --read-only."""

    title = "Read-only"
    advice = "To make changes, start without --read-only and use a token with the “api” scope."


class DraftOn(GlboardError):
    """A draft is on, so nothing is sent, and this cannot be staged."""

    title = "Draft"

    def __init__(self, what: str = "This change cannot be staged.") -> None:
        super().__init__(
            f"A draft is on: nothing is sent. {what}", hint="Turn the draft off, then try again."
        )


class StoreFailed(GlboardError):
    """The state folder is not usable."""

    title = "State folder"
    advice = "Check the free disk space and the owner of the folder (see glboard doctor)."


class EditRefused(GlboardError):
    """One change to one issue was not made."""

    title = "Not changed"
    advice = "Edit, retry or discard it in the list of failed changes (glboard failed list)."


class EditForbidden(EditRefused):
    """No permission for this issue, or it no longer exists."""

    advice = "Ask for the Planner or Reporter role in that project."


class EditGone(EditForbidden):
    """The issue was deleted, or is hidden from us now: it cannot be read by its id."""

    advice = "Discard the change in the list of failed changes (glboard failed discard)."


class EditInvalid(EditRefused):
    """The server rejected the value."""


class EditDropped(EditRefused):
    """The server reported success, but the issue it returned does not show the change."""

    advice = "A license, a rule or another program may prevent it. Retry or discard it (glboard failed list)."


class EditImpossible(EditRefused):
    """The change cannot be sent: a label, milestone or person is not available to the issue's project."""


class EditFailed(EditRefused):
    """The server failed on the change (HTTP 500), and did not make it."""

    may_pass = True


class LastRefused(GlboardError):
    """There is nothing to undo, since GitLab refused the last change; earlier ones are not passed over."""

    title = "Undo"

    def __init__(self, what: str) -> None:
        super().__init__(
            f"The last change was rejected: {what}.", hint="Discard it, or retry it in the failed changes."
        )


class EditUnknown(EditRefused):
    """The answer was lost. The change may have been made; reading back must settle it."""

    advice = "Check the issue, then retry or discard the change (glboard failed list)."
    may_pass = True


class EditCrashed(EditUnknown):
    """GitLab failed while making the change (HTTP 500). It is over, and may have been made or not.

    ``alone``: nothing else was sent with it, so it is what GitLab fails on.
    """

    def __init__(self, message: str, *, hint: str = "", alone: bool = True) -> None:
        super().__init__(message, hint=hint)
        self.alone = alone
