"""Signing in with a code that is typed in a browser, on this or any other machine (OAuth device flow).

Owns when the server is asked whether the code was approved, and when that is over.
"""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from msgspec import Struct

from glboard_core.auth import oauth
from glboard_core.auth.credential import OAuthCredential
from glboard_core.auth.oauth import Refused
from glboard_core.errors import ConnectionFailed
from glboard_core.gitlab.account import Account, Secret
from glboard_core.model.clean_text import line

#: What the server's answers say, where they do not.
USUAL_INTERVAL, USUAL_LIFE = 5.0, 300.0
#: Whatever they say: seconds between two questions, and until it is over. GitLab says 5 and 300.
SHORTEST_INTERVAL, LONGEST_INTERVAL, LONGEST_LIFE = 1.0, 60.0, 3600.0
#: Seconds by which the pause grows each time the server asks for that (RFC 8628).
SLOWER_BY = 5.0


class DeviceCode(Struct, frozen=True, kw_only=True):
    """What to show: the code, and the page to type it on. ``interval`` is the pause between two questions.

    ``verification_uri_complete`` already contains the code; "" if the server gives none.
    """

    user_code: str
    verification_uri: str
    verification_uri_complete: str
    expires_at: datetime
    interval: float


class DeviceSignIn:
    """One sign-in: ``start``, show the code, then ``wait``. Leaving it needs nothing: the code expires."""

    def __init__(
        self, server: Account, client_id: str, *, scope: str = "api", slower_by: float = SLOWER_BY
    ) -> None:
        """``server``: from ``search.server_at``."""
        self._server = oauth.without_token(server)
        self._client_id = client_id
        self._scope = scope
        self._slower_by = slower_by
        self._secret = Secret("")
        self._code: DeviceCode | None = None

    async def start(self) -> DeviceCode:
        """Ask the server for a code. Raises AuthError if it has none for us, and GlboardError."""
        host = self._server.host
        async with oauth.opened(self._server) as transport:
            try:
                found = await oauth.ask(
                    transport, oauth.AUTHORIZE_DEVICE, client_id=self._client_id, scope=self._scope
                )
            except Refused as refused:
                code = refused.code
            except ConnectionFailed as error:
                raise oauth.unsupported(error, host, "with a device code") from None
            else:
                code = ""
        if code:
            raise oauth.refusal(code, host, self._scope)
        self._secret = oauth.word(found, "device_code", host)
        page = self._page(found.get("verification_uri")) or f"{self._server.url}/oauth/device"
        life = min(oauth.seconds(found, "expires_in", USUAL_LIFE), LONGEST_LIFE)
        interval = min(oauth.seconds(found, "interval", USUAL_INTERVAL), LONGEST_INTERVAL)
        self._code = DeviceCode(
            user_code=line(oauth.word(found, "user_code", host).reveal())[:40],
            verification_uri=page,
            verification_uri_complete=self._page(found.get("verification_uri_complete")),
            expires_at=datetime.now(UTC) + timedelta(seconds=life),
            interval=max(interval, SHORTEST_INTERVAL),
        )
        return self._code

    async def wait(self) -> OAuthCredential:
        """Wait until the code is approved. Raises AuthError if it is denied or expires, and GlboardError."""
        code = self._code
        assert code is not None, "start first"
        interval = code.interval
        async with oauth.opened(self._server) as transport:
            while True:
                await asyncio.sleep(interval)
                try:
                    found = await oauth.ask(
                        transport,
                        oauth.TOKEN,
                        grant_type=oauth.DEVICE_GRANT,
                        client_id=self._client_id,
                        device_code=self._secret,
                    )
                    return oauth.credential_of(found, self._server.host, self._client_id)
                except Refused as refused:
                    said = refused.code
                except ConnectionFailed as error:
                    # A connection that is lost for a moment ends no sign-in.
                    if not error.may_pass or datetime.now(UTC) >= code.expires_at:
                        raise
                    continue
                over = datetime.now(UTC) >= code.expires_at
                if said == "slow_down":
                    interval = min(interval + self._slower_by, LONGEST_INTERVAL)
                elif said != "authorization_pending":
                    # A code that expired a while ago is no longer known.
                    over = over and said == "invalid_grant"
                    raise oauth.refusal("expired_token" if over else said, self._server.host, self._scope)
                if over:
                    # Whether the server says so or not: no one waits forever.
                    raise oauth.refusal("expired_token", self._server.host, self._scope)

    def _page(self, given: object) -> str:
        """The address of a page, as shown and opened: one of this server, whatever it says, or nothing.

        Behind a tunnel it names another host; its page is also at the address that we use.
        """
        text = given if isinstance(given, str) else ""
        if not re.fullmatch(r"[\x21-\x7e]{1,500}", text):
            return ""
        try:
            return text if _origin(text) == _origin(self._server.url) else ""
        except ValueError:
            return ""


def _origin(address: str) -> tuple[str, str, int]:
    """Scheme, host and port of a page. Raises ValueError for what has none."""
    parts = urlsplit(address)
    usual = {"https": 443, "http": 80}.get(parts.scheme)
    # What comes before the host could make another one look like ours.
    if usual is None or not parts.hostname or "@" in parts.netloc or "\\" in address:
        raise ValueError(address)
    return parts.scheme, parts.hostname, parts.port or usual
