"""Servers that lie while somebody signs in: every answer is understood or refused, and no secret is shown."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from glboard_core.auth import device, oauth
from glboard_core.auth.credential import OAuthCredential
from glboard_core.auth.device import DeviceCode, DeviceSignIn
from glboard_core.auth.loopback import LoopbackSignIn
from glboard_core.auth.search import server_at
from glboard_core.auth.token_check import check
from glboard_core.config import GitLabSettings
from glboard_core.errors import GlboardError, TlsFailed
from glboard_core.gitlab.account import Account, Secret
from glboard_core.gitlab.http import HiddenBytes, Limits, Transport
from hostile.malicious import Malicious, Sent, answer
from hostile.test_http import PEM, trusting
from support.engines import eventually

QUICK = Limits(first_wait=0.001, longest_wait=0.002, patience=0.02, attempts=2)
SECRET = "refresh-NeverShowThis"
PAIR = OAuthCredential(access=Secret("a"), refresh=Secret(SECRET), client_id="app")
CODE: dict[str, Any] = {
    "device_code": "d",
    "user_code": "ABCD",
    "verification_uri": "https://x/y",
    "interval": 0.001,
}
HOSTILE: tuple[Any, ...] = (
    None, 7, True, -1, "", " ", "a b", "x\x1b[2J", "caf\xe9", "\u202e", [], {}, [[]], {"a": 1}, "x" * 100_000,
)  # fmt: skip


def say(server: Malicious, raw: bytes) -> None:
    """Answer with this from now on."""
    server.reply = lambda _: raw


def place(server: Malicious) -> Account:
    return Account(url=server.url, token=Secret(""))


async def outcome(asking: Awaitable[Any]) -> object:
    """The result, or the error in words fit to be shown; nothing else may be raised."""
    try:
        return await asking
    except (GlboardError, oauth.Refused) as error:
        found = error
    said = f"{found!r} {found} {getattr(found, 'hint', '')}"
    assert SECRET not in said
    assert said.isprintable()
    assert isinstance(found, oauth.Refused) or found.hint
    return found


async def renew(server: Malicious) -> object:
    transport = Transport(place(server), QUICK)
    try:
        return await oauth.renew(transport, PAIR)
    finally:
        await transport.close()


async def start(server: Malicious) -> object:
    return await DeviceSignIn(place(server), "app").start()


async def tell(server: Malicious) -> object:
    return await check(place(server), Secret("t"), kind="oauth")


@pytest.mark.parametrize(
    ("ask", "right"),
    [
        (renew, {"access_token": "a", "refresh_token": "r", "expires_in": 7200, "scope": "api"}),
        (start, CODE),
        (tell, {"scope": ["api"], "expires_in": 7200, "username": "me", "name": "Me"}),
    ],
)
async def test_any_value_in_any_field(
    ask: Callable[[Malicious], Awaitable[object]], right: dict[str, Any]
) -> None:
    async with Malicious() as server:
        for field in right:
            for value in HOSTILE:
                say(server, answer(200, {**right, field: value}))
                found = await outcome(ask(server))
                if isinstance(found, OAuthCredential):
                    assert found.access.reveal().isprintable()
                    assert found.expires_at is None or found.expires_at > datetime.now(UTC)
        for raw in (b"", b"[]", b"7", b"{", b"[" * 100_000, b"\xff", b'{"access_token": "a"'):
            say(server, answer(200, raw))
            assert isinstance(await outcome(ask(server)), GlboardError)


@pytest.mark.parametrize("status", [300, 400, 401, 403, 404, 429, 500, 503])
async def test_any_refusal(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oauth, "Transport", lambda account, _: Transport(account, QUICK))
    async with Malicious() as server:
        for body in ({"error": code} for code in HOSTILE):
            say(server, answer(status, body, retry_after="0"))
            found = await outcome(renew(server))
            assert isinstance(found, GlboardError | oauth.Refused)
        say(server, answer(status, b"<html>", content_type="text/html", retry_after="0"))
        assert isinstance(await outcome(start(server)), GlboardError)


async def test_a_page_to_open_is_one_of_the_server() -> None:
    async with Malicious() as server:
        for page in (
            "data:text/html,x",
            *("javascript:alert(1)", "file:///etc/passwd", "-x", "https://x y", "x" * 9_000, None, "//x/y"),
            *(
                "https://elsewhere.example.com/oauth/device",
                "http://[",
                "http://x:99999/",
                "data:text/html,x",
            ),
            server.url.replace("http:", "https:"),
            server.url.replace("localhost", "localhost.example.com"),
            server.url.replace("localhost", "localhost@example.com"),
            server.url.replace("//", "//me:secret@"),
            f"{server.url}\\@example.com",
            f"{server.url}/\x1b]8;;http://example.com\x07oauth",
            f"{server.url}/\u202e",
        ):
            say(server, answer(200, {**CODE, "verification_uri": page, "verification_uri_complete": page}))
            code = await DeviceSignIn(place(server), "app").start()
            assert code.verification_uri == f"{server.url}/oauth/device"
            assert code.verification_uri_complete == "", page
        page = f"{server.url.upper().replace('HTTP', 'http')}/oauth/device?user_code=ABCD"
        say(server, answer(200, {**CODE, "verification_uri_complete": page}))
        assert (await DeviceSignIn(place(server), "app").start()).verification_uri_complete == page


@pytest.mark.parametrize("interval", [0, -1, 1e-9, 0.001, 1e9, 1e308, 2**63, True, "1", None])
async def test_a_server_is_asked_once_a_second_at_most_and_a_minute_at_least(interval: object) -> None:
    async with Malicious() as server:
        for life in (0, -1, 1e9, 1e308, 2**63, True, "1", None):
            say(server, answer(200, {**CODE, "interval": interval, "expires_in": life}))
            code = await DeviceSignIn(place(server), "app").start()
            assert 1 <= code.interval <= 60
            assert 0 < (code.expires_at - datetime.now(UTC)).total_seconds() <= 3600


@pytest.mark.parametrize("refusal", ["authorization_pending", "slow_down"])
async def test_no_one_waits_forever(refusal: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The code is over at its end, also if the server never says so."""
    monkeypatch.setattr(device, "SHORTEST_INTERVAL", 0.001)
    monkeypatch.setattr(device, "LONGEST_INTERVAL", 0.02)
    monkeypatch.setattr(device, "LONGEST_LIFE", 0.1)
    async with Malicious(answer(200, CODE)) as server:
        waiting = DeviceSignIn(place(server), "app")
        await waiting.start()
        say(server, answer(400, {"error": refusal}))
        async with asyncio.timeout(5):
            assert "expired" in str(await outcome(waiting.wait()))


# -- the browser that comes back


async def knock(port: int, request: bytes) -> bytes:
    """Send bytes to the port that waits for the browser; what it answers."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    found = b""
    async with asyncio.timeout(5):
        with suppress(ConnectionError):
            writer.write(request)
            writer.write_eof()
            found = await reader.read()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
    return found


async def test_who_else_comes_back_is_sent_away(capsys: pytest.CaptureFixture[str]) -> None:
    problems: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, what: problems.append(what))
    async with Malicious(answer(200, {"access_token": "a", "refresh_token": "r"})) as server:
        signing_in = LoopbackSignIn(place(server), "app")
        state = parse_qs(urlsplit(await signing_in.start()).query)["state"][0]
        port = urlsplit(signing_in.redirect_uri).port or 0
        host = f"Host: 127.0.0.1:{port}"
        right = f"/callback?code=c&state={state}"
        for line, header in (
            # Another state, or none; another page, method or name.
            ("GET /callback?code=c&state=x", host),
            ("GET /callback?code=c", host),
            (f"GET {right.replace('callback', 'other')}", host),
            (f"POST {right}", host),
            (f"GET {right}", "Host: example.com"),
            (f"GET {right}", f"Host: example.com:{port}"),
            (f"GET {right}", f"{host}\r\n{host}"),
            (f"GET {right}", "X: y"),
            (f"GET http://example.com{right}", host),
            # What is no address, no code, or too much.
            ("GET //[x", host),
            ("GET ", host),
            ("", host),
            (f"GET /callback?code=c&state={state}&" + "a=b&" * 2_000, host),
            (f"GET /callback?code={'c' * 5_000}&state={state}", host),
            (f"GET /callback?code=%1b[2J&state={state}", host),
            (f"GET /callback?code=&state={state}", host),
            (f"GET /callback?state={state}", host),
            (f"GET /callback?code=c&state={state}&x=" + "x" * 40_000, host),
            ("\x16\x03\x01\x02", host),
        ):
            shown = await knock(port, f"{line} HTTP/1.1\r\n{header}\r\n\r\n".encode("latin-1"))
            assert b"200 OK" not in shown, line[:60]
        assert b"200 OK" in await knock(port, f"GET {right} HTTP/1.1\r\n{host}\r\n\r\n".encode())
        # A second time it is no longer asked for.
        with suppress(ConnectionError):
            assert b"200" not in await knock(port, f"GET {right} HTTP/1.1\r\n{host}\r\n\r\n".encode())
        assert isinstance(await outcome(signing_in.wait()), OAuthCredential)
        assert len(server.sent) == 1
    assert not problems
    assert capsys.readouterr() == ("", "")


async def test_an_error_that_comes_back_is_shown_in_our_words() -> None:
    async with Malicious() as server:
        for error in ("x" * 500, "%1b[2J", "\u00fcber", "a b", "ACCESS"):
            signing_in = LoopbackSignIn(place(server), "app")
            state = parse_qs(urlsplit(await signing_in.start()).query)["state"][0]
            port = urlsplit(signing_in.redirect_uri).port or 0
            line = f"GET /callback?error={quote(error)}&state={state} HTTP/1.1"
            await knock(port, f"{line}\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
            assert "(unknown)" in str(await outcome(signing_in.wait()))


async def test_a_form_goes_to_the_server_alone_and_carries_no_other_token() -> None:
    async with Malicious(answer(200, {})) as other:

        def reply(sent: Sent) -> bytes:
            return answer(307, location=f"{other.url}/oauth/token")

        async with Malicious(reply) as server:
            account = Account(url=server.url, token=Secret("personal"))
            async with oauth.opened(account) as transport:
                assert isinstance(await outcome(oauth.renew(transport, PAIR)), GlboardError)
            assert "authorization" not in server.sent[0].headers
            assert server.sent[0].headers["content-type"] == "application/x-www-form-urlencoded"
            assert not other.sent


async def test_signing_in_takes_the_way_of_all_requests(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with Malicious(answer(200, CODE), trust=trusting()) as server:
        for settings, trusts in (
            (GitLabSettings(), False),
            (GitLabSettings(ca_cert=str(PEM)), True),
            (GitLabSettings(skip_tls_verify=True), True),
        ):
            place = server_at(server.url, settings, env={}, home=tmp_path)
            found = await outcome(DeviceSignIn(place, "app").start())
            assert isinstance(found, DeviceCode) == trusts
            assert isinstance(found, TlsFailed) != trusts
        monkeypatch.setenv("SSL_CERT_FILE", str(PEM))
        assert await DeviceSignIn(server_at(server.url, env={}, home=tmp_path), "app").start()
    async with Malicious(answer(200, CODE)) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        place = server_at("http://gitlab.example.com", GitLabSettings(allow_http=True), env={}, home=tmp_path)
        assert await DeviceSignIn(place, "app").start()
        assert proxy.sent[0].line.startswith("POST http://gitlab.example.com/oauth/authorize_device")


async def test_no_traceback_shows_a_form(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fault(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Transport, "_logged", fault)
    async with Malicious() as server:
        try:
            await renew(server)
        except ZeroDivisionError as error:
            shown = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
            assert "HiddenBytes" in shown
            assert SECRET not in shown
    assert repr(HiddenBytes(b"x")) == "HiddenBytes(…)"


async def test_a_server_that_says_nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "SHORTEST_INTERVAL", 0.001)
    async with Malicious(answer(200, CODE)) as server:
        waiting = DeviceSignIn(place(server), "app")
        await waiting.start()
        say(server, answer(400, {"error": "authorization_pending"}))
        task = asyncio.ensure_future(waiting.wait())
        await eventually(lambda: len(server.sent) >= 3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
