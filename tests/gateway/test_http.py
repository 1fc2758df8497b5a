"""What the demo server cannot do: strange answers, broken TLS, proxies; and no secret ever shows."""

from __future__ import annotations

import gzip
import json
import logging
import socket
import ssl
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import httpx
import msgspec
import pytest
import respx

from contract.documents import CATALOG, ISSUE, op
from glboard_core.board.operations import Comment, Edit
from glboard_core.demo.http.server import DemoServer
from glboard_core.errors import (
    AuthError,
    ConnectionFailed,
    EditCrashed,
    EditDropped,
    EditForbidden,
    EditInvalid,
    EditUnknown,
    GlboardError,
    NotGitLab,
    NotUnderstood,
    Offline,
    QueryRefused,
    RateLimited,
    ScopeMissing,
    ServerFailed,
    TimedOut,
    TlsFailed,
    TokenRejected,
)
from glboard_core.gitlab.account import Account, Secret
from glboard_core.gitlab.connection_errors import of_exception
from glboard_core.gitlab.gateway import GitLabGateway
from glboard_core.gitlab.graphql import complete, envelope_of
from glboard_core.gitlab.http import Limits
from glboard_core.model.catalog import Server
from glboard_core.model.query import IssueQuery
from glboard_core.ports import Done, Failed, Outcome

TOKEN = "glpat-NeverShowThis"
URL = "https://gitlab.example.com/api/graphql"
QUICK = Limits(first_wait=0.001, longest_wait=0.002, patience=2.0, attempts=2, max_bytes=200_000)
SERVER = Server(version="18.9.0-ee")
JSON = {"content-type": "application/json; charset=utf-8"}


def gateway(url: str = "https://gitlab.example.com", **fields: Any) -> GitLabGateway:
    account = Account(url=url, token=Secret(TOKEN), **fields)
    return GitLabGateway(account, "top", server=SERVER, limits=QUICK)


@pytest.fixture
def route() -> Iterator[respx.Route]:
    with respx.mock(assert_all_called=False) as router:
        # Asked for the reason when the token is rejected.
        router.get(URL.replace("graphql", "v4/user")).mock(side_effect=httpx.ConnectError("x"))
        yield router.post(URL)


async def ask(one: GitLabGateway | None = None) -> list[Any]:
    async with one or gateway() as asked:
        return [issue async for page in asked.pages(IssueQuery()) for issue in page]


async def send_change(*changes: Any) -> list[Outcome]:
    async with gateway() as one:
        ops = [op(change, n) for n, change in enumerate(changes)]
        return await one.send(ops, {ISSUE.id: ISSUE}, CATALOG)


async def failing(change: Any) -> GlboardError:
    [outcome] = await send_change(change)
    assert isinstance(outcome, Failed)
    return outcome.error


def page(*nodes: Any, cursor: str | None = None) -> httpx.Response:
    connection = {"nodes": list(nodes), "pageInfo": {"hasNextPage": cursor is not None, "endCursor": cursor}}
    return httpx.Response(200, json={"data": {"group": {"issues": connection}}})


NODE = {
    "id": "gid://gitlab/Issue/1",
    "iid": "1",
    "title": "T",
    "state": "opened",
    "reference": "top/app#1",
    "createdAt": "2026-12-01T00:00:00Z",
    "updatedAt": "2026-12-01T00:00:00Z",
}
HTML = "<!DOCTYPE html><html><body>Sign in</body></html>"


def web(status: int, **fields: Any) -> Callable[[], httpx.Response]:
    """A factory for answers, since a response can be read only once."""
    return partial(httpx.Response, status, **fields)


def stream(content: bytes) -> Callable[[], httpx.Response]:
    """An answer that claims to be compressed JSON."""

    def make() -> httpx.Response:
        headers = {**JSON, "content-encoding": "gzip"}
        return httpx.Response(200, stream=httpx.ByteStream(content), headers=headers)

    return make


Answer = Callable[[], httpx.Response] | Exception
INVALID = {"errors": [{"message": "Invalid token"}]}
STRANGE: dict[str, tuple[Answer, type[GlboardError], str]] = {
    "html": (web(200, html=HTML), NotGitLab, "text/html"),
    "text": (web(200, text="OK"), NotGitLab, "text/plain"),
    "nothing": (web(200, content=b""), NotGitLab, "no content type"),
    "no json": (web(200, text='{"data": {"group"', headers=JSON), NotGitLab, "truncated"),
    "a list": (web(200, json=[1, 2]), NotGitLab, "truncated"),
    "another api": (web(200, json={"message": "hello"}), NotGitLab, "truncated"),
    "deep": (web(200, text="[" * 100_000, headers=JSON), NotGitLab, "too deeply"),
    "wrong shape": (web(200, json={"data": {"group": 7}}), NotUnderstood, "does not understand"),
    "field missing": (web(200, json={"data": {}}), NotUnderstood, "does not understand"),
    "accepted": (web(202, json={"data": {}}), NotGitLab, "202"),
    "moved": (web(301, headers={"location": "https://other.example/x?y=1"}), NotGitLab, "other.example"),
    "sign in": (web(302, headers={"location": "/users/sign_in"}), NotGitLab, "sign-in"),
    "401": (web(401, json=INVALID), TokenRejected, "expired"),
    "401 page": (web(401, html=HTML), NotGitLab, "401"),
    "scope": (
        web(403, json={"error": "insufficient_scope", "scope": "api read_api"}),
        ScopeMissing,
        "read_api",
    ),
    "403": (web(403, json={"errors": [{"message": "Not\x1b[2J allowed"}]}), AuthError, "Not allowed"),
    "403 page": (web(403, html=HTML), NotGitLab, "403"),
    "404": (web(404, json={"error": "404 Not Found"}), NotGitLab, "relative URL"),
    "407": (web(407), Offline, "proxy"),
    "408": (web(408), TimedOut, "408"),
    "413": (web(413, html=HTML), NotGitLab, "413"),
    "422": (web(422, json={"errors": [{"message": "Query too large"}]}), QueryRefused, "too large"),
    "500": (web(500, json={"errors": []}), ServerFailed, "500"),
    "520": (web(520, html=HTML), ServerFailed, "520"),
    "429": (web(429, text="Retry later", headers={"retry-after": "900"}), RateLimited, "900 s"),
    "huge": (stream(gzip.compress(b" " * 300_000)), NotGitLab, "larger"),
    "refused": (httpx.ConnectError("x"), Offline, "Cannot reach"),
    "slow to connect": (httpx.ConnectTimeout("x"), Offline, "timed out"),
    "slow": (httpx.ReadTimeout("x"), TimedOut, "in time"),
    "cut": (httpx.ReadError("x"), Offline, "lost"),
    "nonsense": (httpx.RemoteProtocolError("x"), Offline, "not valid HTTP"),
    "proxy": (httpx.ProxyError("407 for http://me:hunter2@proxy"), Offline, "proxy"),
    "not understood": (httpx.UnsupportedProtocol("x"), NotGitLab, "HTTP"),
}
#: Answers after which certainly nothing was executed.
NOTHING_DONE = {
    *("moved", "sign in", "401", "scope", "403", "404", "407", "408", "429"),
    *("refused", "slow to connect", "proxy", "not understood"),
    # A proxy page, with a status that GitLab never uses for success.
    *("401 page", "403 page", "413"),
}


def play(route: respx.Route, name: str) -> None:
    """Let the server always answer like that."""
    answer = STRANGE[name][0]

    def effect(request: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise type(answer)(str(answer), request=request)  # type: ignore[call-arg]
        return answer()

    route.mock(side_effect=effect)


@pytest.mark.parametrize("name", STRANGE)
async def test_strange_answers(route: respx.Route, name: str) -> None:
    play(route, name)
    _, error, word = STRANGE[name]
    with pytest.raises(GlboardError) as caught:
        await ask()
    assert type(caught.value) is error
    assert word in str(caught.value)
    assert caught.value.title
    shown = everything_shown(caught.value)
    assert TOKEN not in shown
    assert "hunter2" not in shown
    assert "\x1b" not in shown


def everything_shown(error: BaseException) -> str:
    """Everything that a handler, a log or a crash screen with locals could print of an error."""
    seen: list[str] = []
    at: BaseException | None = error
    while at is not None:
        # Except this file's own frames, which hold the token.
        summary = traceback.TracebackException(type(at), at, at.__traceback__, capture_locals=True)
        frames = [frame for frame in summary.stack if "/tests/" not in frame.filename]
        seen += [str(frame.locals) for frame in frames]
        seen += [repr(at), str(at), repr(at.args), repr(vars(at))]
        assert not isinstance(at, httpx.HTTPError), "an httpx error is chained, and holds the request"
        at = at.__cause__ or at.__context__
    return "\n".join(seen)


@pytest.mark.parametrize("name", sorted(NOTHING_DONE))
async def test_errors_are_raised_if_nothing_was_sent(route: respx.Route, name: str) -> None:
    play(route, name)
    with pytest.raises((ConnectionFailed, AuthError)) as caught:
        await send_change(Edit(weight=3))
    assert type(caught.value) is STRANGE[name][1]
    assert TOKEN not in everything_shown(caught.value)


@pytest.mark.parametrize(
    "name", sorted(set(STRANGE) - NOTHING_DONE - {"422", "wrong shape", "field missing"})
)
async def test_the_outcome_is_unknown_if_it_may_have_been_sent(route: respx.Route, name: str) -> None:
    play(route, name)
    assert isinstance(await failing(Edit(weight=3)), EditUnknown)
    assert route.call_count == 1


async def test_a_rejected_change(route: respx.Route) -> None:
    play(route, "422")
    assert isinstance(await failing(Edit(weight=3)), QueryRefused)


async def test_nothing_is_logged(route: respx.Route, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    route.mock(return_value=page(NODE))
    await ask()
    assert caplog.records
    assert TOKEN not in caplog.text
    assert route.calls[0].request.headers["authorization"] == f"Bearer {TOKEN}"
    assert TOKEN not in repr(route.calls[0].request.headers)


async def test_a_name_that_is_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(Offline, match=r"Host gitlab\.example\.com not found") as caught:
        await ask()
    assert TOKEN not in everything_shown(caught.value)


async def test_a_server_without_tls(server: DemoServer) -> None:
    with pytest.raises(TlsFailed) as caught:
        await ask(gateway(server.url.replace("http:", "https:")))
    assert TOKEN not in everything_shown(caught.value)
    assert len(server.requests) == 0


def test_a_certificate_that_is_not_trusted() -> None:
    cause = ssl.SSLCertVerificationError("certificate verify failed")
    cause.verify_message = "self-signed certificate"
    problem = httpx.ConnectError("failed")
    problem.__cause__ = cause
    failure = of_exception(problem, "host")
    assert isinstance(failure.error, TlsFailed)
    assert "self-signed certificate" in failure.error.message
    assert "SSL_CERT_FILE" in failure.error.hint
    assert not failure.reached
    assert not failure.again


async def test_a_missing_certificate_file(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TlsFailed, match="ca_cert in glab's file"):
        await ask(gateway(verify="/not/there.pem", verified_by="ca_cert in glab's file"))
    monkeypatch.setenv("SSL_CERT_FILE", "/not/there.pem")
    with pytest.raises(TlsFailed, match="SSL_CERT_FILE"):
        await ask()


async def test_an_invalid_certificate_file(tmp_path: Any) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("nonsense")
    with pytest.raises(TlsFailed):
        await ask(gateway(verify=str(file)))


@pytest.mark.slow
async def test_a_retry_date(route: respx.Route) -> None:
    headers = {"retry-after": "Tue, 01 Dec 2026 12:00:00 GMT", "date": "Tue, 01 Dec 2026 11:59:59 GMT"}
    route.mock(side_effect=[httpx.Response(429, text="Retry later", headers=headers), page(NODE)])
    assert len(await ask()) == 1


# -- GraphQL errors with HTTP 200


def said(message: str, **more: Any) -> httpx.Response:
    return httpx.Response(200, json={"errors": [{"message": message, **more}]})


COMPLEX = said("Query has complexity of 300, which exceeds max complexity of 250")


async def test_a_page_that_is_too_complex_is_halved(route: respx.Route) -> None:
    route.mock(side_effect=[COMPLEX, COMPLEX, page(NODE)])
    assert len(await ask()) == 1
    sizes = [json.loads(call.request.content)["variables"]["first"] for call in route.calls]
    assert sizes == [100, 50, 25]


async def test_a_query_that_is_always_too_complex(route: respx.Route) -> None:
    route.mock(return_value=COMPLEX)
    with pytest.raises(QueryRefused, match="complexity"):
        await ask()
    assert route.call_count < 8


@pytest.mark.parametrize(
    "refusal",
    [
        {"message": "Field 'weight' doesn't exist on type 'Issue'"},
        {
            "message": "no",
            "path": ["fragment Card", "blocked"],
            "extensions": {"code": "undefinedField", "typeName": "Issue", "fieldName": "blocked"},
        },
    ],
)
async def test_a_server_without_the_fields_of_ee(route: respx.Route, refusal: dict[str, Any]) -> None:
    route.mock(side_effect=[httpx.Response(200, json={"errors": [refusal]}), page(NODE)])
    assert len(await ask()) == 1
    assert "weight" in route.calls[0].request.content.decode()
    assert "weight" not in route.calls[1].request.content.decode()


async def test_an_unknown_field_is_reported(route: respx.Route) -> None:
    route.mock(return_value=said("Field 'iid' doesn't exist on type 'Issue'"))
    with pytest.raises(QueryRefused, match="iid"):
        await ask()
    assert route.call_count == 1


async def test_hidden_nodes_are_left_out(route: respx.Route) -> None:
    route.mock(return_value=page(None, NODE, None))
    assert [issue.iid for issue in await ask()] == [1]


async def test_a_repeating_cursor_ends(route: respx.Route) -> None:
    route.mock(side_effect=[page(NODE, cursor="a"), page(NODE, cursor="b"), *[page(NODE, cursor="a")] * 9])
    assert len(await ask()) == 1
    assert route.call_count == 3


READ_ONLY = "You cannot perform write operations on a read-only instance"
FORBIDDEN = (
    "The resource that you are attempting to access does not exist or you don't have permission to "
    "perform this action"
)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"data": {"m0": None}, "errors": [{"message": FORBIDDEN, "path": ["m0"]}]}, EditForbidden),
        ({"data": None, "errors": [{"message": FORBIDDEN, "path": ["m0"]}]}, EditForbidden),
        (
            {
                "data": {"m0": None},
                "errors": [{"message": "Timeout on Mutation.m0", "path": ["m0"]}],
            },
            EditUnknown,
        ),
        ({"data": {"m0": None}, "errors": [{"message": "Internal server error"}]}, EditCrashed),
        ({"data": {"m0": None}, "errors": [{"message": "Weight is odd", "path": ["m0"]}]}, EditInvalid),
        ({"data": {"m0": None}, "errors": [{"message": READ_ONLY, "path": ["m0"]}]}, ServerFailed),
        ({"errors": [{"message": READ_ONLY}]}, ServerFailed),
        ({"data": {"m0": None}}, EditUnknown),
        ({"data": {}}, EditUnknown),
        ({"data": {"m0": {"errors": ["Weight must\x1b[31m be"], "issue": None}}}, EditInvalid),
        ({"data": {"m0": {"errors": [], "issue": None}}}, EditDropped),
        ({"data": {"m0": {"errors": [], "issue": {"id": 7}}}}, EditUnknown),
        ({"data": {"m0": "what"}}, EditUnknown),
        (b'{"data": {"m0": {"errors": ["\xff"]}}}', EditUnknown),
        (b'{"data": {"m0": {"errors": ["\\ud800"]}}}', EditUnknown),
        ({"data": None, "errors": [{"message": "Variable $i0 was provided invalid value"}]}, QueryRefused),
        ({"errors": [{"message": "Timeout on validation of query"}]}, EditUnknown),
    ],
)
async def test_answers_to_a_change(route: respx.Route, answer: Any, error: type[GlboardError]) -> None:
    raw = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    route.mock(return_value=httpx.Response(200, content=raw, headers=JSON))
    found = await failing(Edit(weight=3))
    assert type(found) is error
    assert "\x1b" not in str(found)


@pytest.mark.parametrize(
    "answer",
    [
        {"errors": ["Commands only Closed this issue."], "note": None},
        {"errors": [], "note": None, "quickActionsStatus": {"commandsOnly": True, "errorMessages": None}},
        {"errors": [], "note": {"id": "gid://gitlab/Note/1"}, "quickActionsStatus": None},
    ],
)
async def test_successful_comments(route: respx.Route, answer: Any) -> None:
    route.mock(return_value=httpx.Response(200, json={"data": {"m0": answer}}))
    [outcome] = await send_change(Comment(body="x"))
    assert isinstance(outcome, Done)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"data": {"m0": {"errors": [], "note": None}}}, EditDropped),
        (
            {"data": {"m0": {"errors": ["This endpoint has been requested too many times."]}}},
            RateLimited,
        ),
        (
            {
                "data": {"m0": None},
                "errors": [{"message": "This endpoint has been requested too many times.", "path": ["m0"]}],
            },
            RateLimited,
        ),
    ],
)
async def test_failed_comments(route: respx.Route, answer: Any, error: type[GlboardError]) -> None:
    route.mock(return_value=httpx.Response(200, json=answer))
    assert type(await failing(Comment(body="x"))) is error


async def test_a_rejected_document_is_split_until_the_culprit_is_found(route: respx.Route) -> None:
    def effect(request: httpx.Request) -> httpx.Response:
        variables = json.loads(request.content)["variables"]
        if any(one["weight"] == 5 for one in variables.values()):
            return said("Variable $i5 of type UpdateIssueInput! was provided invalid value for weight")
        return httpx.Response(
            200,
            json={
                "data": {
                    f"m{n}": {"errors": [], "issue": {**STAMP, "weight": variables[f"i{n}"]["weight"]}}
                    for n in range(len(variables))
                }
            },
        )

    route.mock(side_effect=effect)
    outcomes = await send_change(*(Edit(weight=n) for n in range(8)))
    assert [type(one.error) if isinstance(one, Failed) else None for one in outcomes] == [
        *[None] * 5,
        QueryRefused,
        None,
        None,
    ]


async def test_what_follows_on_a_lost_part_of_a_divided_document_stays(route: respx.Route) -> None:
    def effect(request: httpx.Request) -> httpx.Response:
        if len(json.loads(request.content)["variables"]) > 1:
            return said("Variable $i3 of type UpdateIssueInput! was provided invalid value for weight")
        return httpx.Response(502)

    route.mock(side_effect=effect)
    outcomes = await send_change(*(Edit(weight=n) for n in range(4)))
    assert [type(one.error) for one in outcomes if isinstance(one, Failed)] == [EditUnknown, *[Offline] * 3]
    # All four, the first two, the first: nothing of the same issue overtakes it.
    assert len(route.calls) == 3


STAMP = {"id": ISSUE.id, "updatedAt": "2026-12-01T00:00:00Z"}


async def test_documents_shrink_when_they_are_too_complex(route: respx.Route) -> None:
    def effect(request: httpx.Request) -> httpx.Response:
        variables = json.loads(request.content)["variables"]
        if len(variables) > 10:
            return COMPLEX
        found = {
            f"m{n}": {"errors": [], "issue": {**STAMP, "weight": one["weight"]}}
            for n, one in enumerate(variables.values())
        }
        return httpx.Response(200, json={"data": found})

    route.mock(side_effect=effect)
    outcomes = await send_change(*(Edit(weight=n) for n in range(20)))
    assert all(isinstance(one, Done) for one in outcomes)
    # 20 are rejected, then what fits into half the budget, then a quarter.
    assert [len(json.loads(call.request.content)["variables"]) for call in route.calls][-1] <= 10


ODD = [b"", b"null", b"7", b'"x"', b"[]", b"{}", b'{"data":7}', b'{"errors":{}}', b'{"errors":[7]}']


@pytest.mark.parametrize("raw", ODD)
def test_a_raw_answer_can_contain_anything(raw: bytes) -> None:
    with pytest.raises((NotGitLab, QueryRefused)):
        complete(envelope_of(raw, dict[str, msgspec.Raw], "host"), "host")


def test_the_import_is_lean() -> None:
    script = (
        "import sys; import glboard_core.gitlab.gateway;"
        "print([m for m in ('gitlab', 'requests', 'textual', 'starlette', 'graphql') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
