"""What ``glboard auth login`` asks and says, on a terminal or with the token on standard input."""

from __future__ import annotations

import asyncio
import re
import sys
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from msgspec import structs

from glboard_core.errors import AuthError, UsageError
from glboard_tui.cli import printing
from glboard_tui.cli.context import Options
from glboard_tui.sign_in_ways import Way, lacking, ways

if TYPE_CHECKING:
    from glboard_core.auth.credential import Credential, OAuthCredential
    from glboard_core.auth.store import StoredAccount
    from glboard_core.auth.token_check import TokenInfo
    from glboard_core.gitlab.account import Account, Secret

#: No token is longer, in characters.
_MOST = 8192
_WAYS: dict[Way, str] = {
    "browser": "Sign in with the browser on this computer",
    "device": "Sign in with a code in any browser",
    "token": "Paste a token",
}


class Login:
    """One sign-in, with the options of the command."""

    def __init__(
        self,
        options: Options,
        url: str | None,
        method: str | None,
        scope: str,
        *,
        from_stdin: bool,
        storage: str,
    ) -> None:
        from glboard_core.auth.search import client_id

        self._settings = options.settings().gitlab
        self._url = server_in(url) if url else None
        self._scope = scope
        self._from_stdin = from_stdin
        self._storage = storage
        self._client_id = client_id(self._settings)
        if from_stdin and method not in (None, "token"):
            raise UsageError(
                f"--stdin passes a token, but --method {method} does not use one.",
                hint="Leave out one of them.",
            )
        self._method = "token" if from_stdin else method
        self._asks = sys.stdin.isatty() and sys.stderr.isatty()

    def run(self) -> None:
        """Sign in. Raises GlboardError."""
        from glboard_core.auth.search import server_at

        server = server_at(self._address(), self._settings)
        method = self._method or self._chosen(server)
        if method in ("browser", "device") and not self._client_id:
            raise _no_client_id(server)
        trouble = self._keyring_trouble()
        credential, info = self._by_token(server) if method == "token" else self._by_oauth(server, method)
        self._keep(server, credential, info, trouble)

    def _address(self) -> str:
        from glboard_core.auth.search import find_address

        address, named_by = find_address(self._url, self._settings)
        if not named_by and self._asks:
            return server_in(printing.ask("GitLab URL", default=address))
        return address

    def _chosen(self, server: Account) -> str:
        """The way to sign in, asked for if there is a choice."""
        from glboard_tui.terminal import has_browser

        application = bool(self._client_id)
        if not self._asks:
            if not application:
                return "token"
            raise UsageError("No terminal to prompt on.", hint="Pass --method, or the token with --stdin.")
        offered = ways(application=application, opens=has_browser())
        printing.echo(f"How do you want to sign in to {server.host}?", err=True)
        for number, way in enumerate(offered, 1):
            more = lacking(application=application) if way != "token" else ""
            printing.echo(f"  {number}  {_WAYS[way]}{more}", err=True)
        numbers = [str(number) for number in range(1, len(offered) + 1)]
        while (given := printing.ask("Number", default="1")) not in numbers:
            printing.echo(f"Enter a number from 1 to {len(offered)}.", err=True)
        method = offered[int(given) - 1]
        if method != "token" and not application:
            self._client_id = printing.ask("The application's ID")
        return method

    # -- a token

    def _by_token(self, server: Account) -> tuple[Credential, TokenInfo]:
        from glboard_core.auth.credential import TokenCredential
        from glboard_core.auth.search import sendable
        from glboard_core.auth.token_check import check

        secret = self._token(server)
        # With the words for a text that is no token.
        source = "Standard input" if self._from_stdin else "Your input"
        given = sendable(structs.replace(server, token=secret, source=source), allow_http=True)
        info = asyncio.run(check(server, given.token))
        if info.kind == "oauth":
            raise AuthError(
                "This is another program's OAuth token: it expires soon, and glboard cannot renew it.",
                hint=f"Create a personal access token at {_token_page(server, self._scope)}",
            )
        return TokenCredential(secret=given.token, scopes=info.scopes, expires_on=info.expires_on), info

    def _token(self, server: Account) -> Secret:
        from glboard_core.gitlab.account import Secret

        if self._from_stdin:
            # PowerShell begins a pipe with a byte order mark.
            secret = Secret(sys.stdin.read(_MOST).removeprefix("\ufeff").strip())
            if not secret:
                raise UsageError(
                    "No token on standard input.",
                    hint="For example: pass show gitlab | glboard auth login --stdin",
                )
            return secret
        if not self._asks:
            raise UsageError("No terminal to type the token on.", hint="Pass it with --stdin.")
        printing.echo(f"Create a token with the “{self._scope}” scope on this page, and paste it:", err=True)
        printing.echo(f"  {_token_page(server, self._scope)}", err=True)
        return Secret(printing.ask("Token (not shown)", hidden=True))

    # -- OAuth

    def _by_oauth(self, server: Account, method: str) -> tuple[Credential, TokenInfo]:
        from glboard_core.auth.token_check import check

        async def sign_in() -> tuple[OAuthCredential, TokenInfo]:
            got = await (self._by_device(server) if method == "device" else self._by_browser(server))
            return got, await check(server, got.access, kind="oauth")

        return asyncio.run(sign_in())

    async def _by_device(self, server: Account) -> OAuthCredential:
        from glboard_core.auth.device import DeviceSignIn

        signing_in = DeviceSignIn(server, self._client_id, scope=self._scope)
        code = await signing_in.start()
        until = code.expires_at.astimezone().strftime("%H:%M")
        printing.echo("Open this page in a browser on any device, and enter the code:", err=True)
        printing.echo(f"  page  {code.verification_uri}", err=True)
        printing.echo(f"  code  {code.user_code}", err=True)
        if code.verification_uri_complete:
            printing.echo(f"  both  {code.verification_uri_complete}", err=True)
        printing.echo(f"Waiting until {until} for you to approve it …", err=True)
        return await signing_in.wait()

    async def _by_browser(self, server: Account) -> OAuthCredential:
        import webbrowser

        from glboard_core.auth.loopback import LoopbackSignIn
        from glboard_tui.terminal import has_browser

        signing_in = LoopbackSignIn(server, self._client_id, scope=self._scope)
        address = await signing_in.start()
        try:
            opened = has_browser() and await asyncio.to_thread(webbrowser.open, address)
            text = (
                "Opened the browser. If no page appears, open"
                if opened
                else "Open this page in a browser on this computer:"
            )
            printing.echo(text, err=True)
            printing.echo(f"  {address}", err=True)
            printing.echo("Waiting for the browser …", err=True)
            return await signing_in.wait()
        finally:
            await signing_in.close()

    # -- keeping it

    def _keyring_trouble(self) -> str:
        """Why the token goes to a file; "" for the keyring. Raises AuthError if only that was wanted."""
        from glboard_core.auth import keyring_access

        if self._storage == "file":
            return "not wanted"
        trouble = keyring_access.trouble()
        if trouble and self._storage == "keyring":
            missing = not keyring_access.is_installed()
            hint = (
                f"Install it: {keyring_access.install_command()}"
                if missing
                else "Unlock it, or use --storage file."
            )
            raise AuthError(f"Cannot use the keyring: {trouble}.", hint=hint)
        return trouble

    def _keep(self, server: Account, credential: Credential, info: TokenInfo, trouble: str) -> None:
        from glboard_core.auth import keyring_access
        from glboard_core.auth.store import CredentialStore
        from glboard_core.auth.token_check import unusable

        if (problem := unusable(info, server.host)) is not None:
            raise problem
        if not info.username:
            raise AuthError(
                f"{server.host} does not report whose token this is.",
                hint="Create one with the scope “api” or “read_api”.",
            )
        store = CredentialStore()
        if trouble:
            printing.echo(f"Storing the token in {store.place('file')}, which only you can read.", err=True)
            if not keyring_access.is_installed():
                printing.echo(
                    f"  To store it in the system keyring: {keyring_access.install_command()}", err=True
                )
            elif self._storage != "file":
                printing.echo(f"  Cannot use the keyring: {trouble}.", err=True)
        stored = store.save(server.url, info.username, credential, name=info.name, keyring=not trouble)
        if self._storage == "keyring" and stored.kept != "keyring":
            store.delete(stored)
            raise AuthError("The keyring did not store the token.", hint="Use --storage file.")
        printing.echo(f"✓ Logged in to {server.host} as @{stored.user}.")
        if not trouble:
            printing.echo(f"  Stored the token in {store.place(stored.kept, stored)}.")
        self._tell(stored, info)

    def _tell(self, stored: StoredAccount, info: TokenInfo) -> None:
        """What is to be known of the token, and of what keeps it from being used."""
        from glboard_core.auth.search import TOKEN_NAMES, client_id
        from glboard_core.environment import environment

        if stored.kind == "oauth":
            printing.echo("  It is renewed automatically.")
            if client_id(self._settings) != self._client_id:
                printing.echo(f'  For the next time, set client_id = "{self._client_id}" in [gitlab].')
        elif info.expires_on is not None:
            printing.echo(f"  It expires on {info.expires_on}.")
        if not info.can_write:
            printing.echo("  Read-only: the token has the read_api scope.")
        env = environment()
        if name := next((name for name, _ in TOKEN_NAMES if env.get(name)), ""):
            printing.echo(f"  {name} is set and takes precedence. Unset it to use this sign-in.")
        if self._settings.user not in ("", stored.user):
            printing.echo(
                f"  The configuration uses @{self._settings.user}. To use this sign-in, change user in "
                "[gitlab]."
            )


def server_in(text: str) -> str:
    """The server's address in that of one of its pages; any other text as it is.

    >>> server_in("https://gitlab.example.com/groups/a/b/-/boards?x=y"), server_in("host/gitlab")
    ('https://gitlab.example.com', 'host/gitlab')
    """
    page = re.split(r"[?#]", text.strip())[0]
    below, found, _ = page.partition("/groups/")
    if found:
        return below
    if "/-/" not in page:
        return text
    scheme, mark, rest = page.rpartition("://")
    return f"{scheme}{mark}{rest.partition('/')[0]}"


def _token_page(server: Account, scope: str) -> str:
    """The page to create a token, filled in."""
    query = urlencode({"name": "glboard", "scopes": scope})
    return f"{server.url}/-/user_settings/personal_access_tokens?{query}"


def _no_client_id(server: Account) -> AuthError:
    return AuthError(
        f"No client ID is configured for {server.host}, so only a token works.",
        hint="Set client_id in [gitlab], or GLBOARD_CLIENT_ID. It belongs to an application of the server: "
        "redirect URI http://127.0.0.1/callback, not confidential, scopes api and read_api. "
        "Or: glboard auth login --method token",
    )
