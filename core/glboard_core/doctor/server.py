"""The checks of the server itself: address, token, version, tier, clock and rate limit."""

from __future__ import annotations

from datetime import date, datetime

from glboard_core.auth.private_files import exposed_advice
from glboard_core.doctor.checks import Checks, counted
from glboard_core.errors import (
    AuthError,
    ConnectionFailed,
    GlboardError,
    GroupNotFound,
    TlsFailed,
)
from glboard_core.gitlab.account import Account
from glboard_core.gitlab.http import Transport
from glboard_core.gitlab.inspection import TokenFacts
from glboard_core.model.catalog import Server

#: Days before its end from which on a token is worth a word.
SOON = 14
#: Seconds that two clocks may differ: a Date header has whole seconds, and takes a while to arrive.
MOST_OFF = 30
#: The share of the rate limit below which there is little left.
LITTLE = 0.1
#: The oldest version that glboard works with.
OLDEST = (16, 8)

#: What is asked after the first answer, in order.
_LATER = ("version", "group", "labels", "roles", "flow")

#: What each licensed feature is called on GitLab's own pages.
LICENSED = ("weights", "scoped labels", "multiple assignees", "scoped boards")


def check_failure(checks: Checks, error: GlboardError) -> None:
    """What an error of asking says of the server: which check it belongs to."""
    if checks.told(error):
        return  # before anything was sent: of the proxy, or of the certificates
    match error:
        case TlsFailed():
            about = "tls"
        case ConnectionFailed():
            about = "address"
        case AuthError():
            about = "token"
        case GroupNotFound():
            about = "group"
        case _:
            about = "version"
    # A server that failed only after it had answered is a problem of what was asked then.
    open_checks = (one for one in (about, *_LATER) if one not in checks)
    checks.refused(next(open_checks, about), error)


def check_reached(checks: Checks, account: Account, source: str) -> None:
    """GitLab has answered: so its address and the way to it are right."""
    named = f", by {source}" if source else ""
    checks.ok("address", f"{account.url}{named}.", url=account.url, source=source)
    if account.url.startswith("https://"):
        by = f" by {account.verified_by}" if account.verified_by else ""
        checks.ok("tls", f"The server's certificate is trusted{by}.", encrypted=True, verified=True)


def check_token(checks: Checks, account: Account, facts: TokenFacts | None, user: str, today: date) -> None:
    """Whose token it is, what it may do, and when it ends. Without facts it is not a personal one."""
    whose = f"of @{user}" if user else "of an unknown user"
    source = account.source or "the command line"
    if facts is None:
        kind = "OAuth" if account.kind == "oauth" else "A token"
        text = f"{kind} {whose}, from {source}; scopes unknown."
        told = {"user": user, "source": source, "kind": account.kind}
        if account.exposed:
            checks.warn("token", text, exposed_advice(account.exposed), **told)
        else:
            checks.ok("token", text, **told)
        return
    scopes = ", ".join(facts.shown_scopes) or "none"
    ends = facts.expires_at
    left = (ends - today).days if ends is not None else None
    figures = {
        "user": user,
        "source": source,
        "kind": account.kind,
        "scopes": facts.shown_scopes,
        "expires": ends.isoformat() if ends is not None else None,
        "days_left": left,
    }
    text = f"{whose[0].upper()}{whose[1:]}, from {source}; "
    text += (
        "fine-grained"
        if facts.fine_grained
        else f"{'scope' if len(facts.scopes) == 1 else 'scopes'} {scopes}"
    )
    page = f"{account.url}/-/user_settings/personal_access_tokens"
    advice = [exposed_advice(account.exposed)] if account.exposed else []
    if facts.can_write is False:
        reads = "read_api" in facts.scopes
        text += ": read-only" if reads else ": it cannot use the API"
        oauth = "To make changes, sign in with: glboard auth login --scope api"
        advice.append(oauth if account.kind == "oauth" else f"Create one with the “api” scope at {page}.")
    if account.kind == "oauth":
        text += "; glboard renews it." if account.tokens is not None else "; another program renews it."
    elif left is None:
        text += "; it does not expire."
    elif left > SOON:
        text += f"; it expires on {ends}."
    elif left < 0:
        text += f"; it expired on {ends}, by this day."
        advice.append(f"Create another one at {page}.")
    else:
        last = "today" if left == 0 else "tomorrow" if left == 1 else f"in {left} days"
        text += f"; it expires {last}, on {ends}."
        advice.append(f"Rotate it before then, or create another, at {page}.")
    if not advice:
        checks.ok("token", text, **figures)
    elif facts.can_write is False and "read_api" not in facts.scopes:
        checks.fail("token", text, " ".join(advice), **figures)
    else:
        checks.warn("token", text, " ".join(advice), **figures)


def check_server(checks: Checks, server: Server, *, licence_known: bool) -> None:
    """Its version, edition and tier, and what of that glboard uses."""
    edition = "Enterprise Edition" if server.enterprise else "Community Edition"
    text = f"GitLab {server.version}, {edition}."
    figures = {"version": server.version, "enterprise": server.enterprise}
    if (0, 0) < server.release < OLDEST:
        advice = "glboard needs GitLab 16.8 or later. Update the server."
        checks.warn("version", text, advice, **figures)
    else:
        checks.ok("version", text, **figures)
    if not licence_known:
        return
    if server.fine_grained:
        checks.ok("tier", "Fine-grained tokens cannot read it.", licensed=None)
        return
    statuses = ("statuses",) if server.release >= (18, 5) else ()
    features = (*LICENSED, *statuses)
    licensed = server.enterprise and server.has_weight
    listed = f"{', '.join(features[:-1])} and {features[-1]}"
    facts = {"licensed": licensed, "features": dict.fromkeys(features, licensed)}
    if licensed:
        checks.ok("tier", f"Premium or Ultimate: with {listed}.", **facts)
    else:
        checks.warn(
            "tier",
            f"Free: without {listed}.",
            "Weights are hidden, and glboard keeps one label per scope itself. Everything else works.",
            **facts,
        )


def check_answers(checks: Checks, transport: Transport, now: datetime) -> None:
    """What every answer's headers tell: the clock and the rate limit."""
    if transport.knows_time:
        off = round((transport.now() - now).total_seconds())
        figures = {"offset_seconds": off}
        if abs(off) <= MOST_OFF:
            checks.ok("clock", "The clocks of the server and this computer agree.", **figures)
        else:
            side = "behind" if off > 0 else "ahead of"
            checks.warn(
                "clock",
                f"This computer's clock is {_length(abs(off))} {side} the server's.",
                "Synchronize it with the network. Until then, glboard uses the server's time.",
                **figures,
            )
    else:
        checks.ok("clock", "The server does not report its time.", offset_seconds=None)
    left, most = transport.remaining, transport.pace.per_minute
    figures_of_limit = {"left_share": left, "glboard_per_minute": most}
    own = f"glboard sends at most {counted(most, 'request')} a minute."
    if left is None:
        checks.ok("rate-limit", f"The server reports none; {own}", **figures_of_limit)
    elif left < LITTLE:
        advice = "Another program is using this account heavily. Wait a minute, or stop that program."
        checks.warn("rate-limit", f"{left:.0%} of requests left this minute.", advice, **figures_of_limit)
    else:
        checks.ok("rate-limit", f"{left:.0%} left; {own}", **figures_of_limit)


def _length(seconds: int) -> str:
    if seconds < 120:
        return counted(seconds, "second")
    if seconds < 2 * 3600:
        return counted(round(seconds / 60), "minute")
    hours = round(seconds / 3600)
    return counted(hours, "hour") if hours < 48 else counted(round(hours / 24), "day")
