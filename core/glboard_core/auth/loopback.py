"""Signing in with the browser on this machine: it comes back to a port that is open here for that long.

OAuth's authorization code with PKCE. Owns the port on 127.0.0.1, the one request that is taken from it, and
the page that the browser shows then. Any program on this machine can knock there: only the right state
counts.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from base64 import urlsafe_b64encode
from contextlib import suppress
from hashlib import sha256
from urllib.parse import parse_qs, urlencode

from glboard_core.auth import oauth
from glboard_core.auth.credential import OAuthCredential
from glboard_core.auth.oauth import Refused
from glboard_core.errors import AuthError
from glboard_core.gitlab.account import Account, Secret

#: The path of the redirect URI, http://127.0.0.1/callback: GitLab ignores the port of such an address.
CALLBACK = "/callback"
#: Seconds that the browser is waited for.
PATIENCE = 300.0
#: Bytes of a request that are read, and seconds that it may take.
_MOST, _SLOWEST = 16_384, 10.0

_PAGE = (
    "<!doctype html><html lang=en><meta charset=utf-8><title>glboard</title>"
    "<body style='font-family:sans-serif;margin:4em auto;max-width:32em'>"
    "<h1>{title}</h1><p>{text}</p></body></html>\n"
)


class LoopbackSignIn:
    """One sign-in: ``start``, open the address, ``wait``; ``close`` if it is left before."""

    def __init__(
        self, server: Account, client_id: str, *, scope: str = "api", patience: float = PATIENCE
    ) -> None:
        """``server``: from ``search.server_at``."""
        self._server = oauth.without_token(server)
        self._client_id = client_id
        self._scope = scope
        self._patience = patience
        self._state = Secret(secrets.token_urlsafe(24))
        self._verifier = Secret(secrets.token_urlsafe(48))
        self._port = 0
        self._listener: asyncio.Server | None = None
        self._answer: asyncio.Future[tuple[str, Secret]] | None = None

    @property
    def redirect_uri(self) -> str:
        """Where the browser comes back to."""
        return f"http://127.0.0.1:{self._port}{CALLBACK}"

    async def start(self) -> str:
        """Listen; the address to open in a browser. Raises AuthError if no port can be opened."""
        self._answer = asyncio.get_running_loop().create_future()
        try:
            self._listener = await asyncio.start_server(self._take, "127.0.0.1", 0, limit=_MOST)
        except OSError as error:
            raise AuthError(
                f"Cannot open a local port for the browser: {error.strerror}.",
                hint="Sign in with a code instead: glboard auth login --method device",
            ) from None
        self._port = self._listener.sockets[0].getsockname()[1]
        digest = sha256(self._verifier.reveal().encode()).digest()
        query = urlencode(
            {
                "client_id": self._client_id,
                "redirect_uri": self.redirect_uri,
                "response_type": "code",
                "scope": self._scope,
                "state": self._state.reveal(),
                "code_challenge": urlsafe_b64encode(digest).rstrip(b"=").decode(),
                "code_challenge_method": "S256",
            }
        )
        return f"{self._server.url}{oauth.AUTHORIZE}?{query}"

    async def wait(self) -> OAuthCredential:
        """Wait for the browser, and exchange its code. Raises AuthError if it is denied, and GlboardError."""
        assert self._answer is not None, "start first"
        try:
            async with asyncio.timeout(self._patience):
                problem, code = await self._answer
        except TimeoutError:
            raise AuthError(
                "Timed out waiting for the browser.", hint="To try again, run: glboard auth login"
            ) from None
        finally:
            await self.close()
        if problem:
            raise oauth.refusal(problem, self._server.host, self._scope)
        async with oauth.opened(self._server) as transport:
            try:
                found = await oauth.ask(
                    transport,
                    oauth.TOKEN,
                    grant_type="authorization_code",
                    client_id=self._client_id,
                    code=code,
                    redirect_uri=self.redirect_uri,
                    code_verifier=self._verifier,
                )
                return oauth.credential_of(found, self._server.host, self._client_id)
            except Refused as refused:
                problem = refused.code
        raise oauth.refusal(problem, self._server.host, self._scope)

    async def close(self) -> None:
        """Close the port."""
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.close()
            with suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await listener.wait_closed()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request: the browser that comes back, or somebody else who knocks."""
        status, title, text = "404 Not Found", "Not found", "This is not a sign-in page."
        try:
            async with asyncio.timeout(_SLOWEST):
                head = await reader.readuntil(b"\r\n\r\n")
            found = self._answer_in(head)
            if found is not None and self._answer is not None and not self._answer.done():
                self._answer.set_result(found)
                status, title = "200 OK", "Authorization denied" if found[0] else "Signed in"
                text = "You can close this page and return to the terminal."
            await self._show(writer, status, title, text)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    def _answer_in(self, head: bytes) -> tuple[str, Secret] | None:
        """What the server says by way of the browser: a problem or a code; None for another request."""
        first, *lines = head.decode("latin-1").split("\r\n")
        method, _, rest = first.partition(" ")
        hosts = [line[5:].strip() for line in lines if line[:5].lower() == "host:"]
        # By any other name it is a page of somebody else's that the browser was led here by.
        if method != "GET" or hosts != [f"127.0.0.1:{self._port}"]:
            return None
        path, _, query = rest.partition(" ")[0].partition("#")[0].partition("?")
        if path != CALLBACK:
            return None
        try:
            given = {name: values[0] for name, values in parse_qs(query, max_num_fields=20).items()}
        except ValueError:
            return None
        state = given.get("state", "").encode("utf-8", "replace")
        if not secrets.compare_digest(state, self._state.reveal().encode()):
            return None
        if error := given.get("error", ""):
            return (error if re.fullmatch(r"[a-z_]{1,60}", error) else "unknown"), Secret("")
        code = given.get("code", "")
        return ("", Secret(code)) if re.fullmatch(r"[\x21-\x7e]{1,4096}", code) else None

    @staticmethod
    async def _show(writer: asyncio.StreamWriter, status: str, title: str, text: str) -> None:
        body = _PAGE.format(title=title, text=text).encode()
        head = (
            f"HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
            "Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nConnection: close\r\n\r\n"
        )
        writer.write(head.encode() + body)
        await writer.drain()
