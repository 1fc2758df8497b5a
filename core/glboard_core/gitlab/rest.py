"""python-gitlab over our own transport: it makes and reads objects, and never holds the token.

Owns the backend that python-gitlab calls from its thread, and the exception for requests without an answer of
GitLab. Whatever python-gitlab does by itself (redirects, pages, waiting, proxies, certificates) is done by
``http.py`` instead, or not at all.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import msgspec
from msgspec import Struct

from glboard_core.errors import GlboardError, Offline
from glboard_core.gitlab import answer_errors
from glboard_core.gitlab.failure import Failure
from glboard_core.gitlab.http import Answer, Transport

if TYPE_CHECKING:
    from gitlab import Gitlab
    from requests import Response

#: The most requests of one piece of work: no list of boards or planning issues has more pages.
MOST_REQUESTS = 200

_JSON = "application/json"


class NoAnswer(Exception):
    """A request without an answer of GitLab; ``failure`` says why, and whether it may have been executed."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.error.message)
        self.failure = failure


def open_gitlab(transport: Transport, loop: asyncio.AbstractEventLoop) -> Gitlab:
    """python-gitlab for one piece of work in a thread, while the transport's loop goes on in its own."""
    from gitlab import Gitlab

    backend = partial(_Backend, transport, loop)
    return Gitlab(transport.account.url, backend=backend, keep_base_url=True)


class _Sent(Struct, frozen=True):
    """What python-gitlab wants sent, as it expects it from a backend."""

    content_type: str
    json: Mapping[str, Any] | None = None
    data: None = None


class _Received:
    """An answer, as python-gitlab expects it from a backend."""

    def __init__(self, answer: Answer, url: str) -> None:
        from requests import Response

        self.response: Response = Response()
        self.response.status_code = answer.status
        self.response.headers.update(answer.headers)
        self.response.url = url
        self.response.encoding = "utf-8"
        self.response.raw = io.BytesIO(answer.body)
        self.status_code = answer.status
        self.headers = self.response.headers
        self.content = answer.body
        # The server's own words are not needed.
        self.reason = ""

    def json(self) -> Any:
        return self.response.json()


class _Backend:
    """Sends what python-gitlab asks for, one request after the other."""

    def __init__(self, transport: Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._count = 0
        #: python-gitlab keeps it, and needs it for nothing.
        self.client = None

    @staticmethod
    def prepare_send_data(
        files: object = None, post_data: Mapping[str, Any] | None = None, raw: bool = False
    ) -> _Sent:
        """The fields to send, as JSON."""
        if files or raw:
            raise ValueError("only JSON is sent")
        return _Sent(_JSON, json=post_data)

    def http_request(
        self, method: str, url: str, json: Mapping[str, Any] | None = None, params: Any = None, **_: object
    ) -> _Received:
        """Send a request; of ``url`` only the path counts. Raises NoAnswer."""
        host = self._transport.account.host
        self._count += 1
        if self._count > MOST_REQUESTS:
            raise NoAnswer(Failure(answer_errors.endless(host, MOST_REQUESTS), reached=False))
        # A next page can be at another address: its path is asked for at the account's own.
        place = answer_errors.place_in(url)
        if not place:
            raise NoAnswer(Failure(answer_errors.elsewhere(host, url), reached=False))
        if params:
            place = f"{place}{'&' if urlsplit(place).query else '?'}{urlencode(params, doseq=True)}"
        body = b"" if json is None else msgspec.json.encode(json)
        answer = self._ask(method.upper(), place, body)
        if isinstance(answer, Failure):
            raise NoAnswer(answer)
        if (error := _unreadable(answer, host)) is not None:
            raise NoAnswer(Failure(error))
        return _Received(answer, url)

    def _ask(self, method: str, path: str, body: bytes) -> Answer | Failure:
        asking = self._transport.rest(method, path, body)
        try:
            asked = asyncio.run_coroutine_threadsafe(asking, self._loop)
        except RuntimeError:  # the loop is closed: the program is ending
            asking.close()
            return Failure(
                Offline("The connection is closed.", hint="glboard is exiting. Run it again."),
                reached=False,
            )
        return asked.result()


def _unreadable(answer: Answer, host: str) -> GlboardError | None:
    """What is wrong with the JSON of an answer: python-gitlab's own reader lets pass what is no text."""
    try:
        if answer.body:
            msgspec.json.decode(answer.body)
    except RecursionError:
        return answer_errors.too_deep(host)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return answer_errors.not_json(host)
    return None
