"""HTTP: one client, its timeouts and retries, and the server's clock.

Owns connections, the authorisation header, the server's rate limit, retries and size limits; how fast we ask
is in ``pace.py``. It sends bytes and returns bytes or a ``Failure``, and does not interpret them. It never
blocks the loop, and repeats a mutation only if the server cannot have acted on it. httpx takes longer to
import than the board takes to open, so it is imported in a thread by the first request.

HTTP/1.1 with keep-alive: measured over TLS on loopback, HTTP/2 took 1.4 to 2 times as long for sequential
requests; for four concurrent ones the two were equal.
"""

from __future__ import annotations

import asyncio
import importlib
import random
import ssl
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct, structs

from glboard_core import purpose
from glboard_core.errors import GlboardError, RateLimited, ServerFailed, TimedOut, TokenRejected
from glboard_core.gitlab import http_errors
from glboard_core.gitlab.account import Account
from glboard_core.gitlab.http_errors import Failure
from glboard_core.gitlab.pace import Pace

if TYPE_CHECKING:
    import httpx

GRAPHQL = "/api/graphql"
#: Who we are, by REST: any token that can be used for anything may ask that, or is told why not.
WHO = "/api/v4/user"
#: Seconds between two questions why the token is rejected.
ASK_WHY_EVERY = 60.0


class Limits(Struct, frozen=True, kw_only=True):
    """Timeouts (seconds), number of attempts, and size limits (bytes).

    ``total`` bounds one request from first to last byte, so that a server that sends a byte a second cannot
    block us; ``patience`` bounds a query with all retries and waits; ``write_patience`` the wait before a
    mutation is sent: conflicts were checked just before, and that check must not grow stale. GitLab itself
    stops a query after 30 s, so ``read`` is larger.
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
        seconds = _bounded(float(text))
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
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _bounded(seconds: float) -> float | None:
    return min(3600.0, max(0.0, seconds)) if seconds == seconds else None  # noqa: PLR0124  # not a number


def _number(text: str | None) -> int | None:
    try:
        return int(text) if text else None
    except ValueError:
        return None


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
        return await self._ask("POST", GRAPHQL, body, safe=False, took=took)

    async def get(self, path: str) -> bytes:
        """GET a REST path relative to the server's address. Raises GlboardError."""
        return _answered(await self._ask("GET", path, b"", safe=True))

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
    ) -> bytes | Failure:
        with self.pace.urgent(purpose.current()):
            answer = await self._ask_in_turn(method, path, body, safe=safe, heavy=heavy, took=took)
        if path != GRAPHQL:
            return answer
        if isinstance(answer, bytes):
            self._accepted = True
        elif isinstance(answer.error, TokenRejected):
            return structs.replace(answer, error=await self._why_rejected() or answer.error)
        return answer

    async def _why_rejected(self) -> GlboardError | None:
        """What REST says of a token that GraphQL rejected with its one text for all. Asked once a minute."""
        async with self._asking_why:
            asked, why = self._why
            if time.monotonic() - asked > ASK_WHY_EVERY:
                answer = await self._once("GET", WHO, b"")
                why = http_errors.why_rejected(answer, self.account.host, worked=self._accepted)
                self._why = (time.monotonic(), why)
        return why

    async def _ask_in_turn(
        self,
        method: str,
        path: str,
        body: bytes,
        *,
        safe: bool,
        heavy: bool,
        took: Callable[[float], None] | None,
    ) -> bytes | Failure:
        patience = self.limits.patience if safe else min(self.limits.patience, self.limits.write_patience)
        deadline = time.monotonic() + patience
        attempt = 0
        while True:
            if (closed := await self._pass_gate(deadline)) is not None:
                return closed
            started = time.monotonic()
            answer = await self._once(method, path, body)
            if took is not None:
                took(time.monotonic() - started)
            if isinstance(answer, bytes):
                return answer
            limited = isinstance(answer.error, RateLimited)
            wait = backoff(attempt, random.random(), self.limits)
            if answer.wait is not None:
                wait = max(wait, answer.wait) if not limited else answer.wait + wait / 4
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

    async def _once(self, method: str, path: str, body: bytes) -> bytes | Failure:
        if self._client is None:
            # Its own command line, which is not used, would import Rich and Pygments: a tenth of a command.
            sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # documented: not importable
            await asyncio.to_thread(importlib.import_module, "httpx")
        import httpx

        try:
            async with asyncio.timeout(self.limits.total):
                return await self._exchange(method, path, body)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError) as problem:
            return http_errors.of_exception(problem, self.account.host)

    async def _exchange(self, method: str, path: str, body: bytes) -> bytes | Failure:
        client = self._client or self._open()
        sent = {"Content-Type": "application/json"} if body else {}
        async with client.stream(method, self.account.url + path, content=body, headers=sent) as response:
            self._note(response.headers)
            parts: list[bytes] = []
            size = 0
            async for part in response.aiter_bytes():
                size += len(part)
                if size > self.limits.max_bytes:
                    return Failure(http_errors.too_large(self.account.host, self.limits.max_bytes))
                parts.append(part)
        raw = b"".join(parts)
        status, headers = response.status_code, response.headers
        wait = retry_after(headers, self.now()) if status != 200 else None
        return http_errors.of_status(status, headers, raw, self.account.url, wait) or raw

    def _open(self) -> httpx.AsyncClient:
        import httpx

        account, limits = self.account, self.limits

        def with_token(request: httpx.Request) -> httpx.Request:
            # At the last moment, and as Bearer, which httpx redacts when it prints headers.
            request.headers["Authorization"] = f"Bearer {account.token.reveal()}"
            return request

        self._client = httpx.AsyncClient(
            auth=with_token,
            headers={"User-Agent": "glboard", "Accept": "application/json"},
            verify=_verify(account),
            # No proxy for a server on this machine, whatever the environment says.
            trust_env=not account.loopback,
            follow_redirects=False,
            timeout=httpx.Timeout(
                connect=limits.connect, read=limits.read, write=limits.write, pool=limits.pool
            ),
            limits=httpx.Limits(
                max_connections=limits.connections,
                max_keepalive_connections=limits.connections,
                keepalive_expiry=limits.keep_alive,
            ),
        )
        return self._client

    def _note(self, headers: httpx.Headers) -> None:
        """Store what the headers of every answer tell: the time, and the rate limit left."""
        if (left := share_left(headers)) is not None:
            self.remaining = left
            self.pace.allowed(_number(headers.get("ratelimit-limit")))
        if (moment := http_date(headers.get("date", ""))) is None:
            return
        # A Date is truncated to the second, so the largest of several close estimates is the best one.
        offset = moment.timestamp() - time.monotonic()
        if self._offset is None or not -2.0 < offset - self._offset < 0.0:
            self._offset = offset


def _answered(answer: bytes | Failure) -> bytes:
    if isinstance(answer, Failure):
        raise answer.error
    return answer


def _verify(account: Account) -> ssl.SSLContext | bool:
    """The ``verify`` of httpx. Plain HTTP on this machine needs no certificates, which take 20 ms to load."""
    if account.loopback and account.url.startswith("http://"):
        return False
    if isinstance(account.verify, str):
        return ssl.create_default_context(cafile=account.verify)
    return account.verify
