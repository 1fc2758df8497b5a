"""The entry point, as one ASGI application: prefix, latency, faults, rate limit, token, headers, journal.

Every request passes here, and only here are faults carried out. Behind it are the two APIs: GraphQL at
`/api/graphql` and REST under `/api/v4`.
"""

from __future__ import annotations

import asyncio
import ipaddress
import secrets
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any

import msgspec
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import PlainTextResponse, Response
from starlette.websockets import WebSocket

from glboard_core.demo.graphql.context import Context, TooManyIssues
from glboard_core.demo.graphql.endpoint import Endpoint, make_partial, read
from glboard_core.demo.graphql.mutations import THROTTLED
from glboard_core.demo.graphql.schema import load
from glboard_core.demo.http.cable import PATH, Cable
from glboard_core.demo.http.faults import Faults
from glboard_core.demo.http.journal import Journal, Record
from glboard_core.demo.http.oauth import OAuth, Token
from glboard_core.demo.http.process import is_loopback
from glboard_core.demo.http.transport import ABORT
from glboard_core.demo.rest.app import Rest
from glboard_core.demo.rest.request import Asked as RestAsked
from glboard_core.demo.world.clock import SECOND, Clock
from glboard_core.demo.world.records import User
from glboard_core.demo.world.registry import InternalServerError
from glboard_core.demo.world.world import World

# Tokens: user, scope, and where a request carries one.

#: Scopes that the API accepts at all.
_API_SCOPES = ("api", "read_api", "granular")


def mint() -> str:
    """A new random token."""
    return f"glpat-{secrets.token_urlsafe(15)}"


def token_sent(headers: Mapping[str, str]) -> str | None:
    """The token a request carries; None for none."""
    private = headers.get("private-token")
    if private is not None:
        return private
    scheme, _, value = headers.get("authorization", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" else None


# Counting per minute: requests per user (Rack::Attack, with headers) and comments (an application limit).

_MINUTE = 60
# The limit in the headers if there is none: gitlab.com's.
_NOMINAL = 2000


class Window:
    """A count per key and minute."""

    def __init__(self, clock: Clock, limit: int | None) -> None:
        self._clock = clock
        self._minute = -1
        self._seen: dict[str, int] = {}
        self.limit = limit

    def count(self, key: str) -> int:
        """Counts one more and returns the count."""
        minute = self._clock.now() // SECOND // _MINUTE
        if minute != self._minute:
            self._minute, self._seen = minute, {}
        self._seen[key] = self._seen.get(key, 0) + 1
        return self._seen[key]

    def over(self, key: str) -> bool:
        """Counts one more and returns whether that exceeds the limit."""
        return self.limit is not None and self.count(key) > self.limit

    def headers(self, observed: int, *, known: bool = True) -> dict[str, str]:
        """The informational headers of an answer; ``known``: the request carries a valid token."""
        limit = self.limit or _NOMINAL
        reset = (self._clock.now() // SECOND // _MINUTE + 1) * _MINUTE
        return {
            "ratelimit-limit": str(limit),
            "ratelimit-name": f"throttle_{'' if known else 'un'}authenticated_api",
            "ratelimit-observed": str(observed),
            "ratelimit-remaining": str(max(0, limit - observed)),
            "ratelimit-reset": str(reset),
        }

    def refusal(self) -> dict[str, str]:
        """The further headers of a 429."""
        now = self._clock.now() // SECOND
        reset = (now // _MINUTE + 1) * _MINUTE
        return {
            "retry-after": str(reset - now),
            "ratelimit-resettime": formatdate(reset, usegmt=True),
        }


Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_JSON = "application/json; charset=utf-8"
_HTML = (
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n"
    "<body><h1>502 Bad Gateway</h1></body>\r\n</html>\r\n"
)
_DRIPS = 8
#: Bytes of a request: a note of a million characters, each escaped.
_MOST_BODY = 8 * 1024 * 1024
# GitLab's own answer when it fails on a GraphQL request, before or after it wrote.
_CRASH = ({"errors": [{"message": "Internal server error"}]}, 500)
_TOKEN_SELF = "/api/v4/personal_access_tokens/self"  # noqa: S105  (an address)
_EXPIRED = Token(User(0, "", ""), "api", "expired")


def json_response(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON response."""
    return Response(msgspec.json.encode(content), status, headers, media_type=_JSON)


@dataclass(slots=True)
class Settings:
    """The gate's behaviour; can be changed while it serves."""

    latency_ms: float = 0
    relative_url: str = ""
    plain_headers: bool = False
    """Send neither `Date` nor `RateLimit` headers, as GitLab does with no proxy in front of it."""
    hosts: frozenset[str] = frozenset()
    """Host names and addresses it answers to, in addition to those of this machine."""
    cable: bool = True
    """Whether it has live events; otherwise there is no such page."""
    external_url: str = ""
    """Its address in all links, where clients reach it by another one; empty for that of the request."""


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


async def _body(request: Request) -> bytes | None:
    """The body; None if it is larger than anything GitLab accepts. Raises ClientDisconnect."""
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > _MOST_BODY:
            return None
        parts.append(part)
    return b"".join(parts)


def _names(request: Request, body: bytes) -> tuple[str, ...]:
    """The names of a call's parameters."""
    names = [name for name, _ in request.query_params.multi_items()]
    with suppress(msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        content = msgspec.json.decode(body)
        names += content if isinstance(content, dict) else ()
    return tuple(names)


class Gate:
    """The ASGI application. `stopping` ends requests that are kept waiting when the server stops."""

    def __init__(
        self,
        world: World,
        faults: Faults,
        settings: Settings,
        held: dict[str, Token],
        *,
        rate_limit: int | None,
        note_limit: int | None,
        issue_limit: int | None = None,
    ) -> None:
        self.world = world
        self.faults = faults
        self.settings = settings
        self.held = held
        self.journal = Journal()
        self.requests = Window(world.clock, rate_limit)
        self.notes = Window(world.clock, note_limit)
        self.issues = Window(world.clock, issue_limit)
        self.endpoint = Endpoint(load(world.edition, world.since))
        self.rest = Rest(world)
        self.cable = Cable(world, self.endpoint)
        self.oauth = OAuth(world, held)
        self.stopping: asyncio.Event | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "websocket":
            await self._connect(WebSocket(scope, receive, send))
        if scope["type"] != "http":
            return
        raw: bytes = scope.get("raw_path") or scope["path"].encode()
        path = raw.split(b"?", 1)[0].decode("latin-1")
        request = Request(scope, receive)
        inside = self._inside(path)
        # Before anything is read: a page in a browser that guesses the port, and callers without a token.
        if not self._is_own_name(request.headers.get("host", "")):
            await PlainTextResponse("Blocked hosts", 403)(scope, receive, send)
            return
        record = Record(scope["method"], path)
        self.journal.add(record)
        try:
            body = b"" if self._is_unknown(request) else await _body(request)
        except ClientDisconnect:
            return  # disconnected before the request was complete
        if body is None:
            record.status = 413
            await PlainTextResponse("Request Entity Too Large", 413)(scope, receive, send)
            return
        record.parameters = _names(request, body if inside != "/api/graphql" else b"")
        asked = read(body) if inside == "/api/graphql" and body else None
        if asked is not None and asked.asked:
            record.operation = asked.asked[0].name
            record.fields = tuple(name for one in asked.asked for name in one.fields)
            record.mutations = sum(len(one.fields) for one in asked.asked if one.is_mutation)
        fault = self.faults.pick(" ".join([record.method, path, record.operation, *record.fields]))
        record.fault = fault
        if self.settings.latency_ms:
            await self._pause(self.settings.latency_ms / 1000)
        if fault == "reset-before":
            scope[ABORT]()
            return
        if fault == "timeout":
            await self._wait_for_ever(receive)
            scope[ABORT]()
            return
        response = self._fault_response(fault, inside) or self._respond(request, inside, body, asked, record)
        if fault == "reset-after":
            scope[ABORT]()
            return
        if fault == "crash-after":
            response = json_response(*_CRASH)
        if fault == "slow":
            await self._pause(self.faults.slow_seconds)
        record.status = response.status_code
        if self.settings.plain_headers:
            for name in [one for one in response.headers if one.startswith("ratelimit-")]:
                del response.headers[name]
        else:
            response.headers["date"] = self.world.clock.http_date()
        response.headers["x-request-id"] = f"demo-{len(self.journal)}"
        if fault == "drip":
            await self._drip(response, send)
        else:
            await response(scope, receive, send)

    async def _connect(self, socket: WebSocket) -> None:
        """A request for a WebSocket: only live events have one."""
        path = socket.scope["path"]
        record = Record("GET", path)
        self.journal.add(record)
        fault = record.fault = self.faults.pick(f"GET {path}")
        if self.settings.latency_ms:
            await self._pause(self.settings.latency_ms / 1000)
        if fault == "reset-before":
            socket.scope[ABORT]()
            return
        sent = token_sent(socket.headers)
        refused = self._fault_response(fault, None) or self._no_cable(socket, sent)
        record.status = refused.status_code if refused is not None else 101
        if refused is not None:
            await socket.send_denial_response(refused)
            return

        def context() -> Context | None:
            self.oauth.settle()
            token = self.held.get(sent) if sent is not None else None
            if sent is not None and (token is None or token.state != "active"):
                return None
            user, scope = (token.user, token.scope) if token is not None else (None, "")
            return Context(self.world, user, scope, self._base(socket))

        await self.cable.serve(socket, context)

    def _no_cable(self, socket: WebSocket, sent: str | None) -> Response | None:
        """Why there are no live events: not here, not for this site, or too many requests."""
        if not self._is_own_name(socket.headers.get("host", "")):
            return PlainTextResponse("Blocked hosts", 403)
        base = self._base(socket)
        origin = base.removesuffix(self.settings.relative_url)
        ours = self.settings.cable and self._inside(socket.scope["path"]) == PATH
        if not ours or socket.headers.get("origin") != origin:
            return PlainTextResponse("Page not found", 404)
        token = self.held.get(sent or "")
        key = token.user.username if token is not None and token.state == "active" else "anonymous"
        if self.requests.over(key):
            return PlainTextResponse("Retry later\n", 429, self.requests.refusal())
        return None

    def _base(self, request: HTTPConnection) -> str:
        """The address that a client reaches this server by."""
        scheme = {"ws": "http", "wss": "https"}.get(request.url.scheme, request.url.scheme)
        base = f"{scheme}://{request.headers.get('host', '')}{self.settings.relative_url}"
        return self.settings.external_url or base

    def _is_own_name(self, host: str) -> bool:
        """Whether a Host header names this server: this machine, or the address it is served on."""
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
        bare = name.strip("[]").lower()
        names = self.settings.hosts
        # A page cannot make a browser send a foreign address, only a foreign name.
        return (
            is_loopback(bare)
            or bare.endswith(".localhost")
            or (bool(names) and _is_address(bare))
            or bare in names
        )

    def _is_unknown(self, request: Request) -> bool:
        """Whether the request carries a token that is not valid, or no longer."""
        sent = token_sent(request.headers) or request.query_params.get("private_token")
        token = self.held.get(sent) if sent is not None else None
        return sent is not None and (token is None or token.state != "active")

    def _inside(self, path: str) -> str | None:
        """The path below the prefix; None outside it."""
        prefix = self.settings.relative_url
        if not path.startswith(f"{prefix}/"):
            return None
        return path[len(prefix) :].rstrip("/")

    def _fault_response(self, fault: str | None, inside: str | None) -> Response | None:
        """The response of a proxy or a broken server, before GitLab sees the request."""
        match fault:
            case "401":
                return json_response(*self._bad_token(inside, _EXPIRED))
            case "403":
                return json_response({"message": "403 Forbidden"}, 403)
            case "429":
                headers = {**self.requests.headers(10**4), **self.requests.refusal()}
                headers["retry-after"] = str(self.faults.retry_after)
                return PlainTextResponse("Retry later\n", 429, headers)
            case "500":
                return json_response({"message": "500 Internal Server Error"}, 500)
            case "crash-before":
                return json_response(*_CRASH)
            case "502":
                return PlainTextResponse("GitLab is not responding", 502)
            case "503":
                text = "Request timed out. Please try a less complex query or a smaller set of records."
                return json_response({"errors": [{"message": text}]}, 503)
            case "html" | "html-200":
                # The page of a broken proxy, or of one that requires a login.
                return Response(_HTML, 502 if fault == "html" else 200, media_type="text/html")
        return None

    def _respond(
        self, request: Request, inside: str | None, body: bytes, asked: Any, record: Record
    ) -> Response:
        """GitLab's own response."""
        if inside is None:
            return Response(
                "<html><body>The page could not be found (404)</body></html>", 404, media_type="text/html"
            )
        if b"\\u0000" in body:
            return PlainTextResponse("Bad Request", 400)
        if inside == PATH:
            return PlainTextResponse("Page not found", 404)
        self.oauth.settle()
        if inside.startswith("/oauth/"):
            return self.oauth.respond(request, inside, body, self._base(request))
        if not inside.startswith("/api/"):
            return self._page(request)
        sent = token_sent(request.headers)
        if sent is None and request.query_params.get("private_token"):
            sent = request.query_params["private_token"]
        token = self.held.get(sent) if sent is not None else None
        if token is not None and token.ends is not None and "private-token" in request.headers:
            token = None  # an OAuth token counts as Bearer only
        # A token that is not valid counts as none.
        known = token is not None and token.state == "active"
        key = token.user.username if token is not None and known else "anonymous"
        observed = self.requests.count(key)
        headers = self.requests.headers(observed, known=known)
        if self.requests.limit is not None and observed > self.requests.limit:
            return PlainTextResponse("Retry later\n", 429, {**headers, **self.requests.refusal()})
        if sent is not None and (token is None or token.state != "active"):
            return json_response(*self._bad_token(inside, token), headers)
        record.username = token.user.username if token is not None else None
        base = self._base(request)
        user = token.user if token is not None else None
        scope = token.scope if token is not None else ""
        if inside == "/api/graphql" and token is not None and scope not in _API_SCOPES:
            # The same text as for a token that is wrong.
            response = json_response(*self._bad_token(inside, token))
        elif token is not None and token.ends is not None and inside == _TOKEN_SELF:
            text = "400 Bad request - This endpoint requires token type to be a personal access token"
            response = json_response({"message": text}, 400)
        elif inside == "/api/graphql":
            response = self._graphql(request, asked, user, scope, base, record)
        else:
            question = RestAsked(
                request.method, inside, request.query_params.multi_items(), body,
                request.headers.get("content-type", ""), user, scope, base, self._throttle_note,
                self._throttle_issue, self._grant, self._revoke, token.expires if token is not None else None,
            )  # fmt: skip
            status, content, more = self.rest.answer(question)
            headers |= more
            response = Response(status_code=status) if content is None else json_response(content, status)
        response.headers.update(headers)
        return response

    def _grant(self, user: User, scope: str) -> str:
        token = mint()
        self.held[token] = Token(user, scope)
        return token

    def _revoke(self, user: User) -> None:
        for token in self.held.values():
            if token.user is user:
                token.state = "revoked"

    def _page(self, request: Request) -> Response:
        """A page instead of an API: it leads to the sign-in page, or a form without its secret is refused."""
        if request.method not in ("GET", "HEAD") and not self.world.traits.protects_forms:
            text = "<html><body>The page could not be found (404)</body></html>"
            return Response(text, 404, media_type="text/html")
        if request.method not in ("GET", "HEAD"):
            text = "<html><body>The change you requested was rejected (422)</body></html>"
            return Response(text, 422, media_type="text/html")
        base = f"{request.url.scheme}://{request.headers.get('host', '')}{self.settings.relative_url}"
        where = f"{base}/users/sign_in"
        text = f'<html><body>You are being <a href="{where}">redirected</a>.</body></html>'
        return Response(text, 302, {"location": where}, media_type="text/html")

    @staticmethod
    def _bad_token(inside: str | None, token: Token | None) -> tuple[Any, int]:
        if inside == "/api/graphql":
            return {"errors": [{"message": "Invalid token"}]}, 401
        if token is None:
            return {"message": "401 Unauthorized"}, 401
        if token.state == "blocked":
            return {"message": "403 Forbidden - Your account has been blocked."}, 403
        said = "Token was revoked. You have to re-authorize from the user."
        if token.state == "expired":
            said = "Token is expired. You can either do re-authorization or token refresh."
        return {"error": "invalid_token", "error_description": said}, 401

    def _graphql(
        self, request: Request, asked: Any, user: User | None, scope: str, base: str, record: Record
    ) -> Response:
        if asked is None:
            query = dict(request.query_params)
            query.pop("private_token", None)
            asked = read(msgspec.json.encode(query))
        if asked.refused is not None:
            return json_response(asked.refused[1], asked.refused[0])
        context = Context(
            self.world, user, scope, base, throttle_note=self._throttle_note,
            throttle_issue=self._throttle_issue,
        )  # fmt: skip
        try:
            answer = self.endpoint.answer(asked, context)
        except TooManyIssues:
            return json_response({"errors": [{"message": THROTTLED}]}, 429)
        except InternalServerError:
            return json_response({"errors": [{"message": "Internal server error"}]}, 500)
        if record.fault == "partial" and asked.asked:
            answer = make_partial(answer, asked.asked[0], self.endpoint.schema)
        return json_response(answer)

    def _throttle_issue(self, user: User) -> bool:
        return self.issues.over(user.username)

    def _throttle_note(self, user: User) -> bool:
        return self.notes.over(user.username)

    async def _pause(self, seconds: float) -> None:
        """Wait, but not longer than the server runs."""
        assert self.stopping is not None
        try:
            await asyncio.wait_for(self.stopping.wait(), seconds)
        except TimeoutError:
            return

    async def _wait_for_ever(self, receive: Receive) -> None:
        """Wait until the client gives up or the server stops."""
        assert self.stopping is not None
        gone = asyncio.ensure_future(self._disconnected(receive))
        stopped = asyncio.ensure_future(self.stopping.wait())
        _, rest = await asyncio.wait({gone, stopped}, return_when=asyncio.FIRST_COMPLETED)
        for task in rest:
            task.cancel()

    @staticmethod
    async def _disconnected(receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            continue

    async def _drip(self, response: Response, send: Send) -> None:
        """Sends the body in small pieces, with pauses."""
        await send(
            {"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers}
        )
        content = bytes(response.body)
        size = max(1, len(content) // _DRIPS + 1)
        for at in range(0, len(content), size):
            await self._pause(self.faults.slow_seconds / _DRIPS)
            await send({"type": "http.response.body", "body": content[at : at + size], "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
