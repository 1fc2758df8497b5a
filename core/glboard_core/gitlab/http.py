"""HTTP: one client for GraphQL and REST, its timeouts and retries, and the server's clock.

Owns connections, the authorisation header, the server's rate limit, retries, size limits and redirects; how
fast we ask is in ``pace.py``, the proxy and whom we trust in ``route.py``. It sends bytes and returns bytes
or a ``Failure``, and does not interpret them. It never blocks the loop, and repeats a mutation only if the
server cannot have acted on it. The token goes to the account's own address and nowhere else: a redirect is
never followed, but the path that it names can be asked for there. httpx takes longer to import than the board
takes to open, so it is imported in a thread by the first request.

HTTP/1.1 with keep-alive: measured over TLS on loopback, HTTP/2 took 1.4 to 2 times as long for sequential
requests; for four concurrent ones the two were equal.
"""

from __future__ import annotations

import asyncio
import importlib
import random
import re
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct, structs

from glboard_core import logfile, purpose
from glboard_core.errors import (
    WRONG_VALUES,
    GlboardError,
    RateLimited,
    ServerFailed,
    TimedOut,
    TokenRejected,
)
from glboard_core.gitlab import answer_errors, connection_errors, http_errors, signing_in, token_errors
from glboard_core.gitlab.account import Account
from glboard_core.gitlab.answers import MOST_PARTS, is_overfull, note_request
from glboard_core.gitlab.failure import Failure
from glboard_core.gitlab.pace import Pace
from glboard_core.gitlab.route import (
    Opening,
    Proxy,
    no_proxy_address,
    proxy_of,
    trust_of,
    trust_of_environment,
    trusted_by,
)
from glboard_core.gitlab.unpack import ACCEPTED, Corrupt, body_of

if TYPE_CHECKING:
    import httpx
    from httpcore import AsyncNetworkStream

GRAPHQL = "/api/graphql"
#: Below it, forms are sent, without the token.
OAUTH = "/oauth/"
_FORM = "application/x-www-form-urlencoded"
#: How often the path of a redirect is asked for: a project that moved has moved once.
MOST_REDIRECTS = 3
#: No clock of a server shows a year outside of these.
_YEARS = range(2000, 2200)

#: Characters of a Date header in its longest form.
_LONGEST_DATE = 64
#: Who we are, by REST: any token that can be used for anything may ask that, or is told why not.
WHO = "/api/v4/user"
#: Seconds between two questions why the token is rejected.
ASK_WHY_EVERY = 60.0


class Limits(Struct, frozen=True, kw_only=True):
    """Timeouts (seconds), number of attempts, and size limits (bytes).

    ``total`` bounds one request from first to last byte, so that a server that sends a byte a second cannot
    block us; ``patience`` bounds a query with all retries and waits; ``write_patience`` the wait before a
    mutation is sent: conflicts were checked just before, and that check must not grow stale. GitLab itself
    stops a query after 30 s, so ``read`` is larger. Of errors, ``max_error_bytes`` are read: the rest is cut.
    """

    connect: float = 10.0
    read: float = 40.0
    write: float = 20.0
    pool: float = 60.0
    total: float = 60.0
    patience: float = 120.0
    write_patience: float = 5.0
    attempts: int = 4
    first_wait: float = 0.5
    longest_wait: float = 20.0
    max_bytes: int = 64 * 1024 * 1024
    max_error_bytes: int = 1024 * 1024
    connections: int = 8
    keep_alive: float = 20.0


def backoff(attempt: int, chance: float, limits: Limits) -> float:
    """Seconds before the retry after ``attempt`` (0 is the first): exponential, capped, jittered.

    ``chance`` is a random number from 0 to 1; at least half of the wait is kept, so that it still backs off.
    """
    full = min(limits.longest_wait, limits.first_wait * 2.0 ** min(attempt, 30))
    return full * (0.5 + chance / 2)


def share_left(headers: Mapping[str, str]) -> float | None:
    """The share of the rate limit that is left, 0 to 1, by the RateLimit headers; None if they do not say."""
    limit = _number(headers.get("ratelimit-limit"))
    remaining = _number(headers.get("ratelimit-remaining"))
    return None if not limit or remaining is None else min(1.0, max(0.0, remaining / limit))


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """The seconds the server asks to wait: Retry-After in seconds or as a date, else RateLimit-Reset.

    ``now`` is the server's clock. None without usable headers; never negative; at most an hour.
    """
    text, seconds = headers.get("retry-after", "").strip(), None
    try:
        seconds = _bounded(float(text[:_LONGEST_DATE]))
    except ValueError:
        if (moment := http_date(text)) is not None:
            seconds = _bounded((moment - now).total_seconds())
    if seconds is None and headers.get("ratelimit-remaining", "").strip() == "0":
        reset = _number(headers.get("ratelimit-reset"))
        return None if reset is None else _bounded(reset - now.timestamp())
    return seconds


def http_date(text: str) -> datetime | None:
    """An HTTP date as an aware UTC time, or None if invalid."""
    from email.utils import parsedate_to_datetime  # slow to import

    try:
        moment = parsedate_to_datetime(text[:_LONGEST_DATE])
        at = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except WRONG_VALUES:
        # Whatever the standard library makes of it: anybody can send a header.
        return None
    return at if at.year in _YEARS else None


def _bounded(seconds: float) -> float | None:
    return min(3600.0, max(0.0, seconds)) if seconds == seconds else None  # noqa: PLR0124  # not a number


def _number(text: str | None) -> int | None:
    return int(text) if text and re.fullmatch(r"\s*-?[0-9]{1,15}\s*", text) else None


class HiddenBytes(bytes):
    """The body of a request that holds a token: it is not shown, not even by a traceback's locals."""

    def __repr__(self) -> str:
        return "HiddenBytes(…)"


class Answer(Struct, frozen=True):
    """The answer to a request: ``headers`` with names in small letters, and the body, unpacked."""

    status: int
    headers: Mapping[str, str]
    body: bytes


#: What is wrong with an answer: of_status, for GraphQL, or of_rest_status.
Judge = Callable[[int, Mapping[str, str], bytes, str, float | None, Proxy | None], Failure | None]


class Switched:
    """The answer to a request for another protocol; with status 101 the connection speaks that now."""

    def __init__(self, status: int, headers: Mapping[str, str], stream: AsyncNetworkStream | None) -> None:
        self.status = status
        self.headers = headers
        self._stream = stream

    async def read(self, most: int, seconds: float) -> bytes:
        """What has arrived, waiting for it at most that long; nothing if the connection is lost."""
        # Whatever the library raises; its text is not shown.
        with suppress(Exception):
            if self._stream is not None:
                return await self._stream.read(most, timeout=seconds)
        return b""

    async def write(self, data: bytes, seconds: float) -> bool:
        """Send bytes within so many seconds; returns whether the connection still took them."""
        with suppress(Exception):
            if self._stream is not None:
                await self._stream.write(data, timeout=seconds)
                return True
        return False


class Transport:
    """Sends requests to one GitLab server. Creating it does no I/O: connections open on the first request."""

    def __init__(self, account: Account, limits: Limits | None = None) -> None:
        self.account = account
        self.limits = limits or Limits()
        self.pace = Pace()
        #: The share of the rate limit that is left, 0 to 1; None if the server reports none.
        self.remaining: float | None = None
        #: The server's clock minus this machine's, as far as known before the first answer.
        self.expected_offset = timedelta()
        self._client: httpx.AsyncClient | None = None
        self._token = account.token
        self._proxy: Proxy | None = None
        self._trusted_by = ""
        self._gate = 0.0
        self._gate_of: Failure | None = None
        #: Whether GraphQL has accepted the token.
        self._accepted = False
        self._asking_why = asyncio.Lock()
        self._why: tuple[float, GlboardError | None] = (float("-inf"), None)
        self._offset: float | None = None

    async def read(self, body: bytes, *, heavy: bool = False) -> bytes:
        """Send a GraphQL query, with retries where they can help. Raises GlboardError.

        With ``heavy``, a query that fails or times out is tried only twice: the caller then requests less.
        """
        return _answered(await self._ask("POST", GRAPHQL, body, safe=True, heavy=heavy))

    async def write(self, body: bytes, took: Callable[[float], None] | None = None) -> bytes | Failure:
        """Send a mutation. After a Failure with ``reached`` it may have been executed; it is not repeated.

        ``took`` is called with the seconds that the server needed for it, without what it waited here.
        """
        answer = await self._ask("POST", GRAPHQL, body, safe=False, took=took)
        return answer.body if isinstance(answer, Answer) else answer

    async def get(self, path: str) -> bytes:
        """GET a REST path relative to the server's address. Raises GlboardError."""
        return _answered(await self._get(path, http_errors.of_status))

    async def rest(self, method: str, path: str, body: bytes = b"") -> Answer | Failure:
        """Send a request to the REST API: only GET is repeated if it may have been executed.

        An answer in which GitLab refuses (HTTP 4xx, as JSON) is returned as an ``Answer``, too.
        """
        if method == "GET":
            return await self._get(path, http_errors.of_rest_status)
        return await self._ask(method, path, body, safe=False, judge=http_errors.of_rest_status)

    async def form(self, path: str, fields: HiddenBytes) -> Answer | Failure:
        """POST an encoded form below ``/oauth/``, without the token; refusals as ``rest`` returns them."""
        return await self._ask("POST", path, fields, safe=False, judge=http_errors.of_rest_status)

    async def _get(self, path: str, judge: Judge) -> Answer | Failure:
        for _ in range(MOST_REDIRECTS):
            answer = await self._ask("GET", path, b"", safe=True, judge=judge)
            if not isinstance(answer, Failure) or answer.moved in ("", path):
                return answer
            path = answer.moved
        return answer

    @asynccontextmanager
    async def switched(self, path: str, headers: Mapping[str, str]) -> AsyncIterator[Switched]:
        """GET a path with headers that ask for another protocol; the connection is closed at the end.

        It takes its turn, and the same way as all other requests. Never repeated. Raises GlboardError.
        """
        if (closed := await self._pass_gate(time.monotonic() + self.limits.patience)) is not None:
            raise closed.error
        await self._import()
        failure: Failure | None = None
        try:
            client = self._client or self._open()
            await self._renew_token()
            request = client.build_request("GET", self.account.url + path, headers=dict(headers))
            async with asyncio.timeout(self.limits.connect):
                response = await client.send(request, stream=True)
        except GlboardError:
            raise
        except Exception as problem:  # noqa: BLE001  (as in _once)
            failure = connection_errors.of_exception(
                problem, self.account.host, self._proxy, self._trusted_by
            )
        if failure is not None:
            raise failure.error
        try:
            found = dict(response.headers.items())
            self._note(found)
            stream = response.extensions.get("network_stream") if response.status_code == 101 else None
            yield Switched(response.status_code, found, stream)
        finally:
            # Closing says goodbye, which a connection that is cut never hears.
            with suppress(Exception):
                async with asyncio.timeout(1.0):
                    await response.aclose()

    def now(self) -> datetime:
        """The server's clock in UTC, from its Date headers; before the first answer as far as expected."""
        if self._offset is None:
            return datetime.now(UTC) + self.expected_offset
        return datetime.fromtimestamp(time.monotonic() + self._offset, UTC)

    @property
    def knows_time(self) -> bool:
        """Whether the server has told its time: not all proxies send a Date header."""
        return self._offset is not None

    async def close(self) -> None:
        """Close connections. The transport can be used again afterwards."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    # -- one request ----------------------------------------------------------------------------------------

    async def _ask(
        self,
        method: str,
        path: str,
        body: bytes,
        *,
        safe: bool,
        heavy: bool = False,
        took: Callable[[float], None] | None = None,
        judge: Judge = http_errors.of_status,
    ) -> Answer | Failure:
        with self.pace.urgent(purpose.current()):
            answer = await self._ask_in_turn(method, path, body, safe, heavy, took, judge)
        if not isinstance(answer, Failure):
            self._accepted = self._accepted or path == GRAPHQL
            return answer
        error: GlboardError = answer.error
        if path == GRAPHQL and isinstance(error, TokenRejected):
            error = await self._why_rejected() or error
        return structs.replace(answer, error=signing_in.advised(error, self.account))

    async def _why_rejected(self) -> GlboardError | None:
        """What REST says of a token that GraphQL rejected with its one text for all. Asked once a minute."""
        async with self._asking_why:
            asked, why = self._why
            if time.monotonic() - asked > ASK_WHY_EVERY:
                answer = await self._once("GET", WHO, b"", http_errors.of_status)
                why = token_errors.why_rejected(answer, self.account.host, worked=self._accepted)
                self._why = (time.monotonic(), why)
        return why

    async def _ask_in_turn(
        self,
        method: str,
        path: str,
        body: bytes,
        safe: bool,
        heavy: bool,
        took: Callable[[float], None] | None,
        judge: Judge,
    ) -> Answer | Failure:
        patience = self.limits.patience
        if path == GRAPHQL and not safe:
            patience = min(patience, self.limits.write_patience)
        deadline = time.monotonic() + patience
        attempt = 0
        while True:
            if (closed := await self._pass_gate(deadline)) is not None:
                return closed
            started = time.monotonic()
            answer = await self._once(method, path, body, judge)
            if took is not None:
                took(time.monotonic() - started)
            if isinstance(answer, Answer):
                return answer
            limited = isinstance(answer.error, RateLimited)
            wait = backoff(attempt, random.random(), self.limits)
            if answer.wait is not None:
                # Never at once, even if told so.
                wait = max(wait, answer.wait * 1.25 if limited else answer.wait)
            if limited:
                # The gate is shared: no request is sent until it opens.
                self._gate = max(self._gate, time.monotonic() + wait)
                self._gate_of = answer
            attempt += 1
            overloaded = heavy and isinstance(answer.error, ServerFailed | TimedOut)
            most = min(2, self.limits.attempts) if overloaded else self.limits.attempts
            gives_up = (not limited and attempt >= most) or time.monotonic() + wait >= deadline
            if not answer.again or gives_up or (answer.reached and not safe):
                return answer
            if not limited:
                await asyncio.sleep(wait)

    async def _pass_gate(self, deadline: float) -> Failure | None:
        """Wait while a rate limit lasts, then for our turn; a Failure if that lasts past ``deadline``."""
        while True:
            while (wait := self._gate - time.monotonic()) > 0:
                if self._gate >= deadline:
                    return http_errors.still_limited(self._gate_of, self.account.host, wait)
                await asyncio.sleep(wait)
            left = await self.pace.turn(purpose.current(), deadline)
            if left is not None:
                return http_errors.at_our_limit(self.account.host, self.pace.per_minute, left)
            if self._gate <= time.monotonic():
                return None

    async def _once(self, method: str, path: str, body: bytes, judge: Judge) -> Answer | Failure:
        await self._import()
        answer = await self._logged(method, path, body)
        if isinstance(answer, Answer) and answer.status == 401:
            answer = await self._with_another_token(method, path, body) or answer
        if isinstance(answer, Failure):
            return answer
        status, headers = answer.status, answer.headers
        wait = retry_after(headers, self.now()) if status >= 400 else None
        return judge(status, headers, answer.body, self.account.url, wait, self._proxy) or answer

    async def _logged(self, method: str, path: str, body: bytes) -> Answer | Failure:
        started = time.monotonic()
        answer = await self._attempt(method, path, body)
        self._log(method, path, answer, time.monotonic() - started)
        return answer

    async def _renew_token(self) -> None:
        """Take the account's present token, where it can change. Raises GlboardError, also if it is none."""
        if self.account.tokens is not None:
            self._token = await self.account.tokens.current()
        if not re.fullmatch(r"[\x21-\x7e]+", self._token.reveal()):
            raise token_errors.unsendable(self.account.host)

    async def _with_another_token(self, method: str, path: str, body: bytes) -> Answer | Failure | None:
        """Send it again with another token than the rejected one; None if there is none."""
        if self.account.tokens is None:
            return None
        try:
            if await self.account.tokens.after_rejection(self._token) is None:
                return None
        except GlboardError as error:
            return Failure(error, reached=False, again=error.may_pass)
        # What was rejected for its token was not done.
        return await self._logged(method, path, body)

    @staticmethod
    def _log(method: str, path: str, answer: Answer | Failure, seconds: float) -> None:
        if (log := logfile.current()) is None:
            return
        request = partial(log.request, method, path, purpose=purpose.current(), seconds=seconds)
        if isinstance(answer, Failure):
            request(error=type(answer.error).__name__)
        else:
            request(status=answer.status, request_id=answer.headers.get("x-request-id", "")[:64])

    async def _attempt(self, method: str, path: str, body: bytes) -> Answer | Failure:
        """Send it once: an answer of any status, or why there is none."""
        host = self.account.host
        try:
            async with asyncio.timeout(self.limits.total):
                return await self._exchange(method, path, body)
        except GlboardError as error:
            return Failure(error, reached=False)
        except Corrupt as damaged:
            return Failure(answer_errors.corrupt(host, damaged.why), again=True)
        except Exception as problem:  # noqa: BLE001  (the boundary: what httpx and its parts raise is not listed)
            return connection_errors.of_exception(problem, host, self._proxy, self._trusted_by)

    async def _import(self) -> None:
        if self._client is None:
            # Its own command line, which is not used, would import Rich and Pygments: a tenth of a command.
            sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # documented: not importable
            await asyncio.to_thread(importlib.import_module, "httpx")

    async def _exchange(self, method: str, path: str, body: bytes) -> Answer | Failure:
        client = self._client or self._open()
        form = method == "POST" and path.startswith(OAUTH)
        if not form:
            await self._renew_token()
        sent = {"Content-Type": _FORM if form else "application/json"} if body else {}
        url, follow, auth = self.account.url + path, {"trace": Opening()}, None if form else self._with_token
        async with client.stream(
            method, url, content=body, headers=sent, auth=auth, extensions=follow
        ) as response:
            status, headers = response.status_code, dict(response.headers.items())
            self._note(headers)
            most = self.limits.max_bytes if status < 300 else self.limits.max_error_bytes
            found = await body_of(response.aiter_raw(), headers.get("content-encoding", ""), most)
        if found.cut and status < 300:
            return Failure(answer_errors.too_large(self.account.host, most))
        if is_overfull(found.raw):
            return Failure(answer_errors.overfull(self.account.host, MOST_PARTS))
        return Answer(status, headers, found.raw)

    def _open(self) -> httpx.AsyncClient:
        """Make the client. Raises GlboardError for a proxy or certificates that cannot be used."""
        from http.cookiejar import CookieJar, DefaultCookiePolicy  # slow to import

        import httpx

        account, limits = self.account, self.limits
        trust, proxy = trust_of(account), proxy_of(account)
        self._proxy, self._trusted_by = proxy, trusted_by(account)
        self._client = httpx.AsyncClient(
            auth=self._with_token,
            headers={"User-Agent": "glboard", "Accept": "application/json", "Accept-Encoding": ACCEPTED},
            verify=trust,
            proxy=None if proxy is None else _through(proxy),
            # What it would take from the environment is in route.py.
            trust_env=False,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
            follow_redirects=False,
            timeout=httpx.Timeout(
                connect=limits.connect, read=limits.read, write=limits.write, pool=limits.pool
            ),
            limits=httpx.Limits(
                # One more: live events keep theirs.
                max_connections=limits.connections + 1,
                max_keepalive_connections=limits.connections,
                keepalive_expiry=limits.keep_alive,
            ),
        )
        return self._client

    def _with_token(self, request: httpx.Request) -> httpx.Request:
        # At the last moment, and as Bearer, which httpx redacts when it prints headers.
        request.headers["Authorization"] = f"Bearer {self._token.reveal()}"
        return request

    def _note(self, headers: Mapping[str, str]) -> None:
        """Store what the headers of every answer tell: its id, the time, and the rate limit left."""
        note_request(headers)
        if (left := share_left(headers)) is not None:
            self.remaining = left
            self.pace.allowed(_number(headers.get("ratelimit-limit")))
        if (moment := http_date(headers.get("date", ""))) is None:
            return
        # A Date is truncated to the second, so the largest of several close estimates is the best one.
        offset = moment.timestamp() - time.monotonic()
        if self._offset is None or not -2.0 < offset - self._offset < 0.0:
            self._offset = offset


def _answered(answer: Answer | Failure) -> bytes:
    if isinstance(answer, Failure):
        raise answer.error
    return answer.body


def _through(proxy: Proxy) -> httpx.Proxy:
    import httpx

    trust = trust_of_environment() if proxy.encrypted else None
    try:
        return httpx.Proxy(proxy.address.reveal(), ssl_context=trust)
    except (httpx.InvalidURL, ValueError):
        pass  # the error would hold the address, which can contain a password
    raise no_proxy_address(proxy.setting)
