"""``glboard auth``: sign in and out, and every account that there is on this machine.

Exit status of ``status``: 0 if the account that is used works, 1 otherwise. With ``--format json``:
``{"address", "named_by", "accounts"}``; each account is ``{"origin", "place", "url", "user", "name",
"kind", "scopes", "expires", "renewed", "state", "message", "hint", "used"}``, and a state is ok, problem or
unknown. No token is ever printed.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from itertools import groupby
from textwrap import wrap
from typing import TYPE_CHECKING

import click
from msgspec import Struct, structs

from glboard_core.errors import UsageError
from glboard_tui.cli import context, printing
from glboard_tui.cli.context import Options
from glboard_tui.cli.groups import NamedGroup

if TYPE_CHECKING:
    from glboard_core.auth.overview import FoundAccount, Overview
    from glboard_core.auth.store import CredentialStore, StoredAccount
    from glboard_core.config import GitLabSettings

WIDTH = 100
_ORIGINS = {
    "environment": "the environment",
    "glboard": "glboard auth login",
    "glab": "glab",
    "python-gitlab": "python-gitlab",
    "netrc": "netrc",
}
_MARKS = {"ok": ("✓", "green"), "problem": ("✗", "red"), "unknown": ("–", "bright_black")}


class ShownAccount(Struct, frozen=True, kw_only=True):
    """An account in the JSON of ``auth status``."""

    origin: str
    place: str
    url: str
    user: str
    name: str
    kind: str
    scopes: tuple[str, ...]
    expires: str | None
    renewed: bool
    state: str
    message: str
    hint: str
    used: bool


class ShownAccounts(Struct, frozen=True, kw_only=True):
    """The JSON of ``auth status``."""

    address: str
    named_by: str
    accounts: tuple[ShownAccount, ...]


url_option = click.option("--url", metavar="URL", help="GitLab URL (default: the one glboard uses).")
user_option = click.option("--user", metavar="NAME", help="Use this user's sign-in, if there are several.")


@click.group("auth", cls=NamedGroup)
def auth_command() -> None:
    """Sign in or out, or show where tokens come from."""


@auth_command.command("login")
@url_option
@click.option(
    "--method",
    type=click.Choice(("browser", "device", "token")),
    help="How to sign in: browser on this computer, code for any browser, or token.",
)
@click.option(
    "--scope",
    type=click.Choice(("api", "read_api")),
    default="api",
    show_default=True,
    help="Scope to request; read_api is enough for read-only access.",
)
@click.option("--stdin", "from_stdin", is_flag=True, help="Read the token from standard input.")
@click.option(
    "--storage",
    type=click.Choice(("auto", "keyring", "file")),
    default="auto",
    show_default=True,
    help="Where to store the token; auto uses the keyring if available.",
)
@click.pass_obj
def login(
    options: Options, url: str | None, method: str | None, scope: str, from_stdin: bool, storage: str
) -> None:
    """Sign in to a GitLab server.

    The token is checked, and kept in the system's keyring, or in a file that only you can read. Browser and
    device need the client ID of an application on the server: client_id in [gitlab], or GLBOARD_CLIENT_ID.
    """
    from glboard_tui.cli.auth_login import Login

    given = Login(options, url or options.url, method, scope, from_stdin=from_stdin, storage=storage)
    given.run()


@auth_command.command("status")
@url_option
@click.option("--offline", is_flag=True, help="Do not contact any server.")
@context.text_format_option
@click.pass_context
def status(ctx: click.Context, url: str | None, offline: bool, style: str) -> None:
    """List all accounts, where each comes from, and which one is used.

    Exit status: 0 if the account that is used works, 1 otherwise.
    """
    from glboard_core.auth.overview import checked, overview

    options: Options = ctx.obj
    found = overview(url or options.url, options.settings().gitlab, helpers=not offline)
    if not offline:
        if printing.progress_is_seen():
            printing.progress_line("Checking …")
        try:
            found = structs.replace(found, accounts=tuple(asyncio.run(checked(found.accounts))))
        finally:
            if printing.progress_is_seen():
                printing.end_progress_line()
    if style == "json":
        shown = ShownAccounts(
            address=found.address, named_by=found.named_by, accounts=tuple(map(_shown, found.accounts))
        )
        printing.echo(printing.as_json(shown))
    else:
        _print(found)
    state = found.used.state if found.used is not None else "problem"
    # Offline, no server was asked.
    ctx.exit(0 if state == "ok" or (offline and state == "unknown") else 1)


@auth_command.command("logout")
@url_option
@user_option
@click.pass_obj
def logout(options: Options, url: str | None, user: str | None) -> None:
    """Sign out: delete the token here, and revoke it on the server if it is an OAuth token.

    Other programs' sign-ins are not touched.
    """
    from glboard_core.auth import signing_out

    settings = options.settings().gitlab
    store, stored = _stored(settings, url or options.url, user)
    result = asyncio.run(signing_out.sign_out(store, stored, settings))
    printing.echo(f"✓ Logged out of {stored.host} as @{stored.user}.")
    if result.revoked:
        printing.echo("  The tokens were revoked.")
    elif stored.kind == "oauth":
        printing.echo(f"  The tokens were deleted here, but not revoked: {result.why}")
        printing.echo(f"  Revoke the application at {stored.url}/-/user_settings/applications")
    else:
        printing.echo("  The token was deleted here. It is still valid: to revoke it, open")
        printing.echo(f"  {stored.url}/-/user_settings/personal_access_tokens")


@auth_command.command("refresh")
@url_option
@user_option
@click.pass_obj
def refresh(options: Options, url: str | None, user: str | None) -> None:
    """Renew an OAuth sign-in now. Usually that is done when it is needed."""
    from glboard_core.auth.renewal import renew
    from glboard_core.auth.search import server_at

    settings = options.settings().gitlab
    store, stored = _stored(settings, url or options.url, user)
    fresh = renew(store, stored, server_at(stored.url, settings))
    printing.echo(f"✓ Renewed the sign-in to {stored.host} as @{stored.user}.")
    if fresh.expires_at is not None:
        at = fresh.expires_at.astimezone().strftime("%H:%M")
        printing.echo(f"  The current token expires at {at} and is renewed before then.")


def _stored(
    settings: GitLabSettings, url: str | None, user: str | None
) -> tuple[CredentialStore, StoredAccount]:
    """The sign-in that is meant. Raises UsageError if there is none, or several."""
    from glboard_core.auth.search import find_address
    from glboard_core.auth.store import CredentialStore
    from glboard_core.gitlab.account import host_of

    store = CredentialStore()
    address, _ = find_address(url, settings)
    host, wanted = host_of(address), (user or settings.user).removeprefix("@")
    there = [one for one in store.accounts() if one.host == host and wanted in ("", one.user)]
    if not there:
        whose = f" as @{wanted}" if wanted else ""
        raise UsageError(
            f"Not signed in to {host}{whose} with glboard.",
            hint="glboard auth status lists all accounts. For glab's sign-in: glab auth logout",
        )
    if len(there) > 1:
        names = ", ".join(f"@{one.user}" for one in there)
        raise UsageError(f"There are several sign-ins to {host}: {names}.", hint="Choose one with --user.")
    return store, there[0]


def _shown(one: FoundAccount) -> ShownAccount:
    return ShownAccount(
        origin=one.origin,
        place=one.place,
        url=one.url,
        user=one.user,
        name=one.name,
        kind=one.kind,
        scopes=one.scopes,
        expires=one.expires.isoformat() if one.expires else None,
        renewed=one.renewed,
        state=one.state,
        message=one.message,
        hint=one.hint,
        used=one.used,
    )


def _print(found: Overview) -> None:
    """The accounts by server, in the order in which they are taken."""
    marked = sys.stdout.isatty() and "utf" in (sys.stdout.encoding or "").lower()
    ordered = sorted(found.accounts, key=lambda one: (not _is_same(one, found), one.host))
    for host, accounts in groupby(ordered, lambda one: one.host):
        printing.echo_colored([(host, "bold")])
        for one in accounts:
            for line in _lines(one, marked=marked):
                printing.echo_colored(line)
        printing.echo()
    if (used := found.used) is not None:
        server = f"{used.host}, set by {found.named_by}" if found.named_by else used.host
        for row in _wrapped(f"In use: {_ORIGINS[used.origin]}, for {server}. {_why(found, used)}"):
            printing.echo(row)
    else:
        text = found.missing.message if found.missing is not None else "No usable account."
        for row in _wrapped(text):
            printing.echo(row)
        where = f" --url {found.address}" if found.named_by == "--url" else ""
        printing.echo(f"Sign in: glboard auth login{where}")


def _is_same(one: FoundAccount, found: Overview) -> bool:
    from glboard_core.gitlab.account import host_of

    return one.host == host_of(found.address)


def _why(found: Overview, used: FoundAccount) -> str:
    """Why this one is used, if there are others for its server."""
    others = [one for one in found.accounts if one.host == used.host and not one.used]
    if not others:
        return ""
    if used.origin == "glboard" and any(one.origin == "glboard" for one in others):
        return "The latest of several sign-ins is used; set user in [gitlab] to choose another."
    names = list(dict.fromkeys(_ORIGINS[one.origin] for one in others))
    listed = " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
    return f"It takes precedence over {listed}."


def _lines(one: FoundAccount, *, marked: bool) -> Iterator[list[tuple[str, str]]]:
    """An account: whose, and below it from where, and what is known of the token."""
    sign, color = _MARKS[one.state]
    mark = f"  {sign} " if marked else f"  {one.state:<8} "
    indent = " " * len(mark)
    whose = f"Logged in as @{one.user}" if one.user else "A token of an unknown user"
    if one.state == "problem":
        whose = f"Not usable: @{one.user}" if one.user else "Not usable"
    yield [(mark, color), (f"{whose}{' (used)' if one.used else ''}", "bold" if one.used else "")]
    wrong = one.state == "problem"
    for text, shade in (
        (f"From {_ORIGINS[one.origin]}{f': {one.place}' if one.place else ''}", ""),
        (_facts(one), ""),
        (one.message, "red" if wrong else ""),
        (f"→ {one.hint}" if one.hint and wrong else "", "red"),
    ):
        for row in _wrapped(text, len(indent)):
            yield [(indent + row, shade)]


def _wrapped(text: str, indent: int = 0) -> list[str]:
    """A text in rows that fit the terminal; a pipe gets the usual width."""
    from glboard_tui.cli.terminal_checks import terminal_size

    size = terminal_size() if sys.stdout.isatty() else None
    width = min(WIDTH, size[0]) if size else WIDTH
    return wrap(text, max(30, width - indent), break_long_words=False, break_on_hyphens=False)


def _facts(one: FoundAccount) -> str:
    """Kind, scopes and end of a token, as far as there is something to say."""
    facts: list[str] = []
    if one.scopes:
        facts.append(f"{'scope' if len(one.scopes) == 1 else 'scopes'} {', '.join(one.scopes)}")
    if one.renewed:
        facts.append("renewed automatically")
    elif one.expires is not None:
        facts.append(f"expires on {one.expires}")
    elif one.state == "ok" and one.kind == "token":
        facts.append("does not expire")
    return "; ".join(("OAuth token" if one.kind == "oauth" else "Access token", *facts)) if facts else ""
