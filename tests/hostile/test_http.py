"""Servers that lie, and proxies that are not there: the token goes to one host, all answers are bounded."""

from __future__ import annotations

import asyncio
import gc
import gzip
import json
import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from msgspec import structs

from contract.documents import CATALOG, ISSUE, op
from glboard_core.board.operations import Edit
from glboard_core.errors import (
    AuthError,
    EditUnknown,
    GlboardError,
    NotGitLab,
    NotUnderstood,
    Offline,
    RateLimited,
    ServerFailed,
    TimedOut,
    TlsFailed,
)
from glboard_core.gitlab import answers, graphql, rest, route
from glboard_core.gitlab.account import Account, Secret
from glboard_core.gitlab.admin import Admin
from glboard_core.gitlab.answer_errors import place_in
from glboard_core.gitlab.connection_errors import of_exception
from glboard_core.gitlab.gateway import GitLabGateway
from glboard_core.gitlab.http import Limits, http_date, retry_after
from glboard_core.gitlab.resource_events import EventReader
from glboard_core.gitlab.unpack import Body, Corrupt, body_of
from glboard_core.model.catalog import Server
from glboard_core.model.query import IssueQuery
from glboard_core.planning.milestone_setup import IssueText, SeenIssue
from glboard_core.ports import Failed
from hostile.malicious import Malicious, Sent, Socks, answer

TOKEN = "glpat-NeverShowThis"
QUICK = Limits(
    first_wait=0.001, longest_wait=0.002, patience=2.0, attempts=2, max_bytes=200_000, max_error_bytes=20_000
)
PEM = Path(__file__).parent / "localhost.pem"
MIB = 1024 * 1024


def gateway(url: str, *, token: str = TOKEN, limits: Limits = QUICK, **fields: Any) -> GitLabGateway:
    account = Account(url=url, token=Secret(token), **fields)
    return GitLabGateway(account, "top", server=Server(version="18.9.0-ee"), limits=limits)


async def failure(url: str, **fields: Any) -> GlboardError:
    """What reading issues ends with."""
    async with gateway(url, **fields) as one:
        with pytest.raises(GlboardError) as caught:
            _ = [page async for page in one.pages(IssueQuery())]
    return unspoken(caught.value)


async def failure_of_rest(url: str, **fields: Any) -> GlboardError:
    """What reading boards, over REST, ends with."""
    async with gateway(url, **fields) as one:
        with pytest.raises(GlboardError) as caught:
            await Admin(one.transport).boards("top")
    return unspoken(caught.value)


def unspoken(error: GlboardError) -> GlboardError:
    """The error, which says nothing of the token, a password or the program, and holds no other error."""
    said = f"{error!r} {error} {error.hint}"
    assert TOKEN not in said
    assert "hunter2" not in said
    assert "background" not in said
    assert said.isprintable()
    assert error.__cause__ is None
    assert error.__context__ is None
    return error


async def test_the_token_goes_with_no_redirect() -> None:
    async with Malicious(answer(200, [])) as other:
        for status in (301, 302, 303, 307, 308):
            place = f"{other.url}/api/v4/groups/top/boards"
            async with Malicious(answer(status, location=place)) as server:
                for ask in (failure, failure_of_rest):
                    assert other.url in str(await ask(server.url))
                async with gateway(server.url) as one:
                    with pytest.raises(NotGitLab, match="redirects"):
                        await Admin(one.transport).ensure_label("top", "x", "#ffffff", "")
                assert server.sent[-1].line.startswith("POST")
                assert {sent.headers["authorization"] for sent in server.sent} == {f"Bearer {TOKEN}"}
                assert not any("private-token" in sent.headers for sent in server.sent)
    assert not other.sent


BOARD = {"id": 1, "name": "Planning", "labels": [], "lists": []}


async def test_a_moved_project_is_asked_for_at_the_accounts_own_address() -> None:
    def reply(sent: Sent) -> bytes:
        if "/groups/top/" in sent.path:
            return answer(301, location=f"{other.url}/gitlab/api/v4/groups/7/boards?page=1")
        return answer(200, [BOARD])

    async with Malicious() as other, Malicious(reply) as server, gateway(server.url) as one:
        assert [board.name for board in await Admin(one.transport).boards("top")] == ["Planning"]
        assert server.sent[-1].path == "/api/v4/groups/7/boards?page=1"
        server.sent.clear()
        # One redirect after another ends.
        count = iter(range(99))
        server.reply = lambda _: answer(302, location=f"/api/v4/groups/{next(count)}/boards")
        with pytest.raises(NotGitLab, match="redirects"):
            await Admin(one.transport).boards("top")
        assert len(server.sent) == 3
    assert not other.sent


async def test_the_next_page_is_asked_for_at_the_accounts_own_address() -> None:
    def reply(sent: Sent) -> bytes:
        page = 2 if "page=2" in sent.path.split("&") or "?page=2" in sent.path else 1
        link = {} if page == 2 else {"link": f'<{other.url}/api/v4/groups/top/boards?page=2>; rel="next"'}
        return answer(200, [{**BOARD, "id": page}], **link)

    async with Malicious() as other, Malicious(reply) as server:
        async with gateway(server.url) as one:
            assert [board.id for board in await Admin(one.transport).boards("top")] == [1, 2]
        server.reply = lambda _: answer(200, [BOARD], link=f'<{other.url}/collect>; rel="next"')
        assert "elsewhere" in str(await failure_of_rest(server.url))
    assert not other.sent


async def test_an_answer_of_lists_in_lists_is_not_decoded() -> None:
    """A thousand issues with a thousand labels each: no list is too long, and all of it is far too much."""
    labels = b'{"nodes":[' + b",".join([b'{"title":"x"}'] * 1_000) + b"]}"
    wire = b'{"id":"gid://gitlab/Issue/1","labels":' + labels + b"}"
    issues = b'{"data":{"group":{"issues":{"nodes":[' + b",".join([wire] * 700) + b"]}}}}"
    limits = structs.replace(QUICK, max_bytes=64 * MIB)
    for body, ask in ((issues, failure), (b"[" + b",".join([labels] * 700) + b"]", failure_of_rest)):
        async with Malicious(answer(200, body)) as server:
            error = await ask(server.url, limits=limits)
            assert isinstance(error, NotGitLab)
            assert "has more than 1,000,000 values" in str(error)


def test_signs_within_texts_are_no_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "MOST_PARTS", 10)
    assert not answers.is_overfull(json.dumps({"body": '{[,"\\' * 100, "notes": [1, "\\"]}).encode())
    for raw in (b"[" + b"1," * 10 + b"1]", b'["' + b'","' * 6 + b'"]', b"[" * 11, b"{}" * 11):
        assert answers.is_overfull(raw)
    # One text that never ends is one text, whatever is in it.
    assert not answers.is_overfull(b'"' + b'\\"' * 100)


async def test_pages_without_end_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest, "MOST_REQUESTS", 5)
    monkeypatch.setattr(graphql, "MOST_PAGES", 5)

    def reply(sent: Sent) -> bytes:
        count = len(server.sent)
        if sent.path.startswith("/api/v4"):
            link = f'<{server.url}/api/v4/groups/top/boards?page={count}>; rel="next"'
            return answer(200, [] if empty else [{**BOARD, "id": count}], link=link)
        nodes = [] if empty else [{**NODE, "id": f"gid://gitlab/Issue/{count}"}]
        pages = {"hasNextPage": True, "endCursor": f"c{count}"}
        return answer(200, {"data": {"group": {"issues": {"nodes": nodes, "pageInfo": pages}}}})

    async with Malicious(reply) as server:
        for empty in (False, True):  # noqa: B007  (the server's)
            assert "stopped after 5" in str(await failure(server.url))
            assert "stopped after 5" in str(await failure_of_rest(server.url))
        assert len(server.sent) == 20
        server.sent.clear()
        monkeypatch.setattr(graphql, "MOST_PAGES", 2_000)
        assert "endless list" in str(await failure(server.url))
        assert len(server.sent) == graphql.MOST_EQUAL


NODE = {
    "iid": "1",
    "title": "T",
    "state": "opened",
    "reference": "top/app#1",
    "createdAt": "2026-12-01T00:00:00Z",
    "updatedAt": "2026-12-01T00:00:00Z",
}


@pytest.mark.parametrize(
    ("coding", "body", "word"),
    [
        ("gzip, gzip", gzip.compress(gzip.compress(bytes(8 * MIB))), "unexpected compression"),
        ("br", b"x", "unexpected compression"),
        ("gzip", gzip.compress(bytes(8 * MIB)), "larger"),
        ("gzip", gzip.compress(b"[]") * 2 + gzip.compress(bytes(8 * MIB)), "larger"),
        ("gzip", gzip.compress(b'{"data": {}}')[:-9], "truncated"),
        ("gzip", b"no gzip", "decompression failed"),
    ],
    # Not the bodies: gzip puts the time into them.
    ids=["twice", "brotli", "large", "in members", "truncated", "garbled"],
)
async def test_answers_are_bounded_while_they_are_unpacked(coding: str, body: bytes, word: str) -> None:
    async with Malicious(answer(200, body, content_encoding=coding)) as server:
        assert word in str(await failure(server.url))
        assert word in str(await failure_of_rest(server.url))
        assert server.sent[0].headers["accept-encoding"] == "gzip"


async def test_no_more_is_unpacked_than_is_wanted() -> None:
    async def parts() -> AsyncIterator[bytes]:
        yield gzip.compress(bytes(64 * MIB), 1)

    unpacked = await body_of(parts(), "gzip", 1_000)
    assert unpacked == Body(bytes(1_000), cut=True)
    with pytest.raises(Corrupt):
        await body_of(parts(), "deflate", 1_000)


@pytest.mark.parametrize("status", [200, 400, 403, 422, 500, 502])
async def test_errors_are_cut(status: int) -> None:
    long = "\x1b[2J" + "x\n" * MIB
    async with Malicious(answer(status, {"errors": [{"message": long}] * 2, "message": long})) as server:
        for ask in (failure, failure_of_rest):
            assert len(str(await ask(server.url, limits=QUICK if status != 200 else Limits()))) < 1_000


@pytest.mark.parametrize("raw", [b'{"data":' + b"[" * 50_000, b"[" * 50_000, b'[{"id":' * 20_000])
async def test_deep_json_is_an_error(raw: bytes) -> None:
    async with Malicious(answer(200, raw)) as server:
        for ask in (failure, failure_of_rest):
            assert "too deeply" in str(await ask(server.url))


@pytest.mark.parametrize(
    "rows",
    [
        b"[" * 50_000, b'[{"id": 1e99}]', b"{}", b"[null]", b'[{"id": 1, "created_at": "yesterday"}]',
        b'[{"id": 1, "action": "add", "label": {"name": "\xff"}, "created_at": "2026-12-01T00:00:00Z"}]',
    ],
)  # fmt: skip
async def test_events_of_another_form_are_an_error(rows: bytes) -> None:
    async with Malicious(answer(200, rows)) as server, gateway(server.url) as one:
        with pytest.raises((NotGitLab, NotUnderstood)) as caught:
            await EventReader(one.transport).histories([ISSUE], ["label"])
        unspoken(caught.value)


@pytest.mark.parametrize(
    "board", [7, None, {}, {"id": "x"}, {"id": 1e999, "name": "x"}, {"id": 1, "name": "\ud800"}, [[]]]
)
async def test_rest_of_another_form_is_an_error(board: Any) -> None:
    async with Malicious(answer(200, [board])) as server:
        assert isinstance(await failure_of_rest(server.url), NotGitLab | NotUnderstood)


async def test_rest_has_the_same_bounds_of_time() -> None:
    limits = Limits(total=0.1, attempts=1)
    async with Malicious(answer(200, [BOARD]), drip=0.05) as server:
        assert isinstance(await failure_of_rest(server.url, limits=limits), TimedOut)
        assert isinstance(await failure(server.url, limits=limits), TimedOut)
    for wait in ("900", "9" * 5_000, "Tue, 99 Foo", "Fri, 31 Dec 9999 23:59:59 -9999", "1e999"):
        async with Malicious(
            answer(429, {}, retry_after=wait, date="Sat, 01 Jan 0001 00:00:00 GMT")
        ) as server:
            error = await failure_of_rest(server.url, limits=Limits(patience=0.1))
            assert isinstance(error, RateLimited)
            assert len(server.sent) == 1


@pytest.mark.parametrize("status", [503, 507, 520, 521, 522, 524, 529, 530, 598, 599])
async def test_server_errors_of_a_proxy_are_asked_again_for_reads(status: int) -> None:
    page = b"<html>down</html>"
    async with Malicious(answer(status, page, content_type="text/html")) as server:
        for ask in (failure, failure_of_rest):
            server.sent.clear()
            assert isinstance(await ask(server.url), ServerFailed)
            # A page of issues is then asked for in smaller sizes.
            assert len(server.sent) == QUICK.attempts * (3 if ask is failure else 1)
        server.sent.clear()
        async with gateway(server.url) as one:
            [outcome] = await one.send([op(Edit(weight=3))], {ISSUE.id: ISSUE}, CATALOG)
        assert isinstance(outcome, Failed)
        assert isinstance(outcome.error, EditUnknown)
        assert len(server.sent) == 1


async def test_a_lost_answer_to_a_change_over_rest_is_settled() -> None:
    def reply(sent: Sent) -> bytes:
        if sent.line.startswith("PUT"):
            if kept:
                row["description"] = json.loads(sent.body)["description"]
            return answer(521, content_type="text/html")
        return answer(200, row)

    wanted = IssueText(project="top/app", description="new", milestone="", seen=SeenIssue(ISSUE, "old"))
    for kept in (True, False):
        row = {**ROW, "description": "old"}
        async with Malicious(reply) as server, gateway(server.url) as one:
            change = Admin(one.transport).update_issue(CATALOG, wanted, lambda _: None)
            if kept:
                assert (await change)[0].description == "new"
            else:
                with pytest.raises(ServerFailed):
                    await change


ROW = {
    "id": 42,
    "iid": 7,
    "title": "A title",
    "state": "opened",
    "references": {"full": "top/app#7"},
    "created_at": "2026-12-01T00:00:00Z",
    "updated_at": "2026-12-01T00:00:00Z",
}


# -- proxies


async def test_a_socks_proxy_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "localhost")
    async with Socks(answer(401, {"message": "no"})) as proxy:
        for scheme in ("socks5", "socks", "socks5h"):
            monkeypatch.setenv("ALL_PROXY", f"{scheme}://localhost:{proxy.port}/")
            error = await failure("http://gitlab.example.com")
            assert "rejected the token" in str(error)
        assert proxy.wanted == b"gitlab.example.com"
        assert proxy.sent[0].headers["host"] == "gitlab.example.com"
        proxy.garbled = b"\x05\x77\x99"
        error = await failure("http://gitlab.example.com")
        assert isinstance(error, Offline)
        assert "ALL_PROXY" in str(error)


@pytest.mark.slow
@pytest.mark.parametrize("answers", [b"\x05\x77\x99", b"\x05\xff", b"HTTP/1.1 400 Bad Request\r\n\r\n", b""])
async def test_no_connection_is_left_open_when_socks_fails(
    answers: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library leaves them to the garbage collector."""
    monkeypatch.setenv("no_proxy", "localhost")
    limits = structs.replace(QUICK, total=0.2, attempts=1)
    gc.collect()
    gc.disable()
    try:
        async with Socks() as proxy:
            proxy.garbled = answers
            monkeypatch.setenv("ALL_PROXY", f"socks5://localhost:{proxy.port}/")
            assert isinstance(await failure("http://gitlab.example.com", limits=limits), Offline | TimedOut)
            async with asyncio.timeout(5):
                await proxy.left.wait()
    finally:
        gc.enable()


async def test_no_connection_is_left_open_when_a_handshake_is_cut_off() -> None:
    gc.collect()
    gc.disable()
    try:
        async with Socks() as server:
            server.garbled = b""
            asking = asyncio.create_task(failure(f"https://localhost:{server.port}"))
            async with asyncio.timeout(20):
                await server.reached.wait()
                asking.cancel()
                await server.left.wait()
    finally:
        gc.enable()


OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (OK + b"content-length: -1\r\n\r\n{}", "not valid HTTP"),
        (OK + b"content-length: 2\r\ncontent-length: 3\r\n\r\n{}", "not valid HTTP"),
        (OK + b"transfer-encoding: chunked\r\n\r\nZZ\r\n", "not valid HTTP"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "not valid HTTP"),
        (OK + b"x: \x00\r\n\r\n", "not valid HTTP"),
        (OK + b"content-length: 9\r\n\r\n{}", "was lost"),
        (answer(301, location="http://[::1"), "redirects to an address"),
        (answer(301, location="/\x01"), "redirects to an address|not valid HTTP"),
    ],
)
async def test_what_is_not_http_is_not_called_a_lost_connection(raw: bytes, says: str) -> None:
    async with Malicious(raw) as server:
        server.closes = True
        for ask in (failure, failure_of_rest):
            assert re.search(says, str(await ask(server.url)))


async def test_an_http_proxy_is_named_for_its_own_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Malicious(answer(407, b"", content_type="text/html")) as proxy:
        for name, url in (
            ("HTTP_PROXY", "http://gitlab.example.com"),
            ("HTTPS_PROXY", "https://gitlab.example.com"),
        ):
            monkeypatch.setenv(name, f"http://me:hunter2@localhost:{proxy.port}")
            for ask in (failure, failure_of_rest):
                error = await ask(url)
                assert name in error.hint
                assert f"localhost:{proxy.port} requires authentication" in error.message
        proxy.reply = lambda _: answer(503)
        assert f"The proxy localhost:{proxy.port} refused the connection (HTTP 503)" in str(
            await failure(url)
        )
        assert not any(b"glpat" in sent.whole for sent in proxy.sent if sent.line.startswith("CONNECT"))
    error = await failure(url)
    assert f"The proxy localhost:{proxy.port} refused the connection." in error.message
    assert "HTTPS_PROXY" in error.hint
    monkeypatch.setenv("HTTPS_PROXY", "http://me:hunter2@proxy.invalid")
    monkeypatch.setattr(socket, "getaddrinfo", not_found)
    assert "The proxy proxy.invalid:80 was not found" in str(await failure(url))


@pytest.mark.parametrize("trusted", [True, False])
async def test_an_encrypted_way_to_the_proxy(trusted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(PEM) if trusted else "")
    async with Malicious(answer(200, [BOARD]), trust=trusting()) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        if not trusted:
            assert f"or of the proxy localhost:{proxy.port}" in str(
                await failure("http://gitlab.example.com")
            )
            return
        async with gateway("http://gitlab.example.com") as one:
            assert len(await Admin(one.transport).boards("top")) == 1
        assert proxy.sent[0].line.startswith("GET http://gitlab.example.com/api/v4/groups/top/boards")


def not_found(*_: object, **__: object) -> None:
    raise socket.gaierror(-2, "Name or service not known")


@pytest.mark.parametrize(
    "proxy",
    [
        "socks4://me:hunter2@proxy:1", "ftp://proxy", "http://", "http://me:hunter2@proxy:99999", "http://[::1",
        "http://pro xy:80", "http://caf\xe9:80", "http://proxy:\x1b[2J", "http://a..b:1", "://:hunter2@",
    ],
)  # fmt: skip
async def test_what_is_no_proxy_is_named_by_its_variable(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    for ask in (failure, failure_of_rest):
        error = await ask("https://gitlab.example.com")
        assert "HTTPS_PROXY" in f"{error.message} {error.hint}"
        assert "--url" not in error.hint


@pytest.mark.parametrize(
    ("rules", "host", "port", "bypassed"),
    [
        ("*", "gitlab.example.com", 443, True),
        ("a,gitlab.example.com", "gitlab.example.com", 443, True),
        ("a gitlab.example.com", "gitlab.example.com", 443, True),
        ("example.com", "gitlab.example.com", 443, True),
        (".example.com", "GitLab.Example.com.", 443, True),
        ("*.example.com", "gitlab.example.com", 443, True),
        ("https://gitlab.example.com/", "gitlab.example.com", 443, True),
        ("gitlab.example.com:8443", "gitlab.example.com", 8443, True),
        ("gitlab.example.com:8443", "gitlab.example.com", 443, False),
        ("ample.com", "gitlab.example.com", 443, False),
        ("10.0.0.0/8", "10.1.2.3", 443, True),
        ("10.1.2.3", "10.1.2.3", 443, True),
        ("10.0.0.0/8", "11.1.2.3", 443, False),
        ("[fd00::]/8", "fd00::1", 443, False),
        ("fd00::/8", "fd00::1", 443, True),
        ("[fd00::1]:443", "fd00:0::1", 443, True),
        ("fd00::1", "fd00::1", 443, True),
        (",, ,.,*.,:80,[,::/999,a:b:c,\x1b[", "gitlab.example.com", 443, False),
    ],
)
async def test_every_form_of_no_proxy(rules: str, host: str, port: int, bypassed: bool) -> None:
    assert route.bypassed(rules, host, port) is bypassed
    shown = f"[{host}]" if ":" in host else host
    account = Account(url=f"https://{shown}:{port}", token=Secret("t"))
    env = {"HTTPS_PROXY": "proxy", "NO_PROXY": rules}
    assert (route.proxy_of(account, env) is None) is bypassed


# -- certificates and tokens


def trusting() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(PEM)
    return context


async def test_trusted_certificates_hold_for_this_machine_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "certs"
    folder.mkdir()
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    async with Malicious(answer(200, [BOARD]), trust=trusting()) as server:
        assert isinstance(await failure(server.url), TlsFailed)
        assert isinstance(await failure_of_rest(server.url), TlsFailed)
        for verify in (False, str(PEM)):
            async with gateway(server.url, verify=verify) as one:
                assert len(await Admin(one.transport).boards("top")) == 1
        monkeypatch.setenv("SSL_CERT_DIR", str(folder))
        error = await failure_of_rest(server.url)
        assert isinstance(error, TlsFailed)
        # Not the one of the settings that is not in effect.
        assert "authority to SSL_CERT_DIR" in error.hint
        monkeypatch.setenv("SSL_CERT_FILE", str(PEM))
        async with gateway(server.url) as one:
            assert len(await Admin(one.transport).boards("top")) == 1
        for verify in ("/nul\0", "~nobody-at-all/x", "x" * 5_000, __file__, "\x1b[2J"):
            assert "ca_cert" in (await failure_of_rest(server.url, verify=verify)).hint
        for content in (b"", b"\0\xff" * 500, PEM.read_bytes()[:300], "é".encode("utf-16")):
            (folder / "odd.pem").write_bytes(content)
            for name in ("SSL_CERT_DIR", "SSL_CERT_FILE"):
                monkeypatch.setenv(name, str(folder / "odd.pem"))
            assert "no certificates" in (await failure(server.url)).message
        monkeypatch.delenv("SSL_CERT_FILE")
        for name in ("SSL_CERT_DIR", "SSL_CERT_FILE"):
            monkeypatch.setenv(name, str(tmp_path / "missing"))
            assert name in (await failure(server.url)).hint


def test_no_authority_is_blamed_for_a_certificate() -> None:
    for code, says, advice in (
        (9, "is not valid yet", "clock"),
        (10, "has expired", "clock"),
        (62, "is for another name", "the name in"),
        (64, "is for another name", "the name in"),
        (20, "is not trusted", "ca_cert in its file"),
    ):
        cause = ssl.SSLCertVerificationError("certificate verify failed")
        cause.verify_code, cause.verify_message = code, "x"
        problem = httpx.ConnectError("failed")
        problem.__cause__ = cause
        found = of_exception(problem, "host", None, "ca_cert in its file").error
        assert says in found.message
        assert advice in found.hint


def asking_for_ours() -> ssl.SSLContext:
    """Of a server that serves only whoever has a certificate of its own."""
    context = trusting()
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(PEM)
    return context


async def test_a_client_certificate_identifies_us(tmp_path: Path) -> None:
    pem = PEM.read_text()
    parts = [pem[pem.index(f"-----BEGIN {what}") :] for what in ("PRIVATE KEY", "CERTIFICATE")]
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    key.write_text(parts[0])
    cert.write_text(parts[1])
    async with Malicious(answer(200, [BOARD]), trust=asking_for_ours()) as server:
        # Python's own server only cuts the connection.
        assert isinstance(await failure(server.url, verify=str(PEM)), Offline)
        for verify in (str(PEM), False):
            for cert_file, key_file in ((PEM, ""), (cert, key)):
                ours: dict[str, Any] = {"client_cert": str(cert_file), "client_key": str(key_file)}
                async with gateway(server.url, verify=verify, **ours) as one:
                    assert len(await Admin(one.transport).boards("top")) == 1
        wrong = ("/missing", "/nul\0", "~nobody-at-all/x", __file__, str(cert), "\x1b[2J")
        for path in wrong:
            error = await failure(server.url, client_cert=path, identified_by="client_cert in [gitlab]")
            assert isinstance(error, TlsFailed)
            assert "client_cert in [gitlab]" in error.hint


async def test_a_server_that_requires_a_client_certificate_says_so() -> None:
    page = b"<html><head><title>400 No required SSL certificate was sent</title></head></html>"
    async with Malicious(answer(400, page, content_type="text/html")) as server:
        for ask in (failure, failure_of_rest):
            assert "client_cert" in (await ask(server.url)).hint
    plain = b"<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head></html>"
    async with Malicious(answer(400, plain, content_type="text/html")) as server:
        for ask in (failure, failure_of_rest):
            assert "Use https://" in (await ask(server.url)).hint
    alert = ssl.SSLError(1, "[SSL] alert")
    alert.reason = "TLSV13_ALERT_CERTIFICATE_REQUIRED"
    lost = httpx.ReadError("")
    lost.__cause__ = alert
    assert "client_cert" in of_exception(lost, "host").error.hint


def test_a_key_with_a_password_asks_no_one(tmp_path: Path) -> None:
    locked = tmp_path / "locked.pem"
    made = ["openssl", "pkcs8", "-topk8", "-in", str(PEM), "-passout", "pass:hunter2", "-out", str(locked)]
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl to encrypt a key with")
    subprocess.run(made, check=True, capture_output=True)
    account = Account(
        url="https://localhost", token=Secret("t"), client_cert=str(PEM), client_key=str(locked)
    )
    with pytest.raises(TlsFailed, match="unencrypted"):
        route.trust_of(account, {})


@pytest.mark.parametrize(
    "token", [f"{TOKEN}\n", f"{TOKEN}\r\nx: y", f"{TOKEN}\0", f"{TOKEN}\xe9", f"{TOKEN} x", ""]
)
async def test_a_token_that_cannot_be_sent_is_never_quoted(token: str) -> None:
    async with Malicious(answer(200, {"data": {}})) as server:
        for ask in (failure, failure_of_rest):
            assert isinstance(await ask(server.url, token=token), AuthError)
        assert not server.sent


@pytest.mark.parametrize(
    "raw",
    [
        b"\x00\xff" * 99, b"HTTP/1.1 200", b"HTTP/1.1 99 \r\n\r\n", b"HTTP/9.9 200 OK\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        answer(200, b"x", content_length="-1"), answer(200, b"x", content_length="9" * 5_000),
        answer(999, b"x"), answer(204), answer(200, b"{}", transfer_encoding="odd"),
        answer(301, location="http://[::1"), answer(301, location="//\x85\xff:x/\x9b2J"), answer(301),
        answer(200, b"{}", content_type="\x9b31m" * 2_000),
        b"HTTP/1.1 200 \xff\x9b\r\nx:\r\n" + b"x: y\r\n" * 30_000,
    ],
)  # fmt: skip
async def test_stray_bytes_are_an_error_in_our_words(raw: bytes) -> None:
    async with Malicious(lambda sent: raw if len(server.sent) < 9 else None) as server:
        for ask in (failure, failure_of_rest):
            error = await ask(server.url, limits=Limits(read=0.05, attempts=1, patience=0.1))
            assert len(str(error)) < 600


async def test_no_cookie_is_kept() -> None:
    cookie = "a=b; Expires=Fri, 31 Dec 9999 23:59:59 GMT; Path=/"
    async with Malicious(answer(200, [BOARD], set_cookie=cookie)) as server, gateway(server.url) as one:
        for _ in range(2):
            await Admin(one.transport).boards("top")
        assert not any("cookie" in sent.headers for sent in server.sent)


def test_tls_that_breaks_later_leaves_it_open_what_was_made() -> None:
    problem = httpx.ReadError("x")
    problem.__cause__ = ssl.SSLError(1, "bad record mac")
    failure = of_exception(problem, "host")
    assert (type(failure.error), failure.reached) == (Offline, True)


def test_where_a_redirect_leads_on_our_server() -> None:
    assert place_in("https://x/gitlab/api/v4/projects/7?a=b") == "/api/v4/projects/7?a=b"
    for odd in (
        "",
        "https://x/",
        "/api/v4/../x",
        "/api/v4/%2e%2e/%2E%2e/x",
        "/api/v4/..%2f..%2fx",
        "/api/v4/%252e%252e/x",
        "/api/v4/x\\..\\..\\y",
        "http://[::1/api/v4/x",
        "/api/v4/\n",
        "/api/v4/é",
        "/api/v4/x" * 999,
    ):
        assert place_in(odd) == ""


@pytest.mark.parametrize(
    "text",
    ["", "x", "Tue, 01 Dec 2026 12:00:00 +99999999999", "Mon, 01 Jan 1970 00:00:00 +2300", "9" * 9_999],
)
def test_odd_dates_are_no_dates(text: str) -> None:
    assert http_date(text) is None
    now = datetime.fromisoformat("2026-12-01T00:00:00Z")
    for headers in ({"retry-after": text}, {"ratelimit-remaining": "0", "ratelimit-reset": text}):
        assert retry_after(headers, now) in (None, 3_600.0)
