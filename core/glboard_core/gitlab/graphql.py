"""The GraphQL envelope: data, errors, and how to classify an error.

Owns the errors that come with HTTP 200 (FACTS section 2). It must not know issues.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Struct

from glboard_core.errors import GlboardError, QueryRefused, TimedOut
from glboard_core.gitlab.http_errors import not_json
from glboard_core.gitlab.text import line

T = TypeVar("T")

_UNDEFINED = (
    re.compile(r"Field '(?P<field>\w+)' doesn't exist on type"),
    re.compile(r"Cannot query field ['\"](?P<field>\w+)['\"]"),
)


class GraphError(Struct, frozen=True, kw_only=True):
    """One entry of ``errors``. ``path`` leads to the field it belongs to; None for the whole document."""

    message: str = ""
    path: list[str | int] | None = None
    extensions: dict[str, Any] | None = None

    @property
    def alias(self) -> str | None:
        """The top-level field (alias) that failed, or None for the whole document."""
        return str(self.path[0]) if self.path else None

    @property
    def text(self) -> str:
        """The message as one clean line."""
        return line(self.message)[:300]

    @property
    def forbidden(self) -> bool:
        """Not found or not permitted: GitLab does not tell which."""
        return "does not exist or you don't have permission" in self.message

    @property
    def timeout(self) -> bool:
        """The server exceeded its own limit of 30 seconds."""
        return self.message.startswith("Timeout on") or "Request timed out" in self.message

    @property
    def too_complex(self) -> bool:
        """The document exceeds the server's complexity limit; nothing was executed."""
        return "max complexity" in self.message

    @property
    def throttled(self) -> bool:
        """An application limit without HTTP 429 (notes)."""
        return "requested too many times" in self.message

    @property
    def missing_field(self) -> str | None:
        """The field that this server's schema lacks, or None."""
        extensions = self.extensions or {}
        if extensions.get("code") == "undefinedField":
            return str(extensions.get("fieldName", ""))
        return next(
            (found["field"] for pattern in _UNDEFINED if (found := pattern.search(self.message))), None
        )


class Envelope(Struct, Generic[T], frozen=True, kw_only=True):
    """An answer: ``data`` and ``errors`` as defined by GraphQL."""

    data: T | None = None
    errors: list[GraphError] | None = None


class TooComplex(QueryRefused):
    """The document exceeds this server's complexity limit. Nothing was executed."""


class FieldMissing(QueryRefused):
    """The document uses ``field``, which this server lacks. Nothing was executed."""

    def __init__(self, message: str, field: str) -> None:
        super().__init__(message, hint="This GitLab is older than 16.8, or not the edition it reports.")
        self.field = field


class Shape(Struct, frozen=True):
    """Only to check whether an answer is GraphQL at all."""

    data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    errors: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


def request(document: str, variables: Mapping[str, object]) -> bytes:
    """The body to post. Variables that are None are left out: GitLab would treat null as a value."""
    given = {name: value for name, value in variables.items() if value is not None}
    return msgspec.json.encode({"query": document, "variables": given})


@cache
def decoder(kind: type[T]) -> msgspec.json.Decoder[Envelope[T]]:
    """The decoder for an answer with ``kind`` as its data."""
    return msgspec.json.Decoder(Envelope[kind])  # type: ignore[valid-type]  # the type is a value here


def opened(raw: bytes, kind: type[T], host: str) -> Envelope[T]:
    """The envelope of an answer. Raises NotGitLab if it is not GraphQL, QueryRefused if undecodable."""
    problem = ""
    try:
        return decoder(kind).decode(raw)  # type: ignore[arg-type]  # a type is hashable
    except msgspec.ValidationError as wrong:
        problem = line(str(wrong))[:200]
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        pass
    if not problem or not _is_graphql(raw):
        raise not_json(host)
    raise QueryRefused(
        f"{host} returned an answer in an unknown format ({problem}).",
        hint="The server may be much older or newer. Please report this with its GitLab version.",
    )


def _is_graphql(raw: bytes) -> bool:
    try:
        shape = msgspec.json.decode(raw, type=Shape)
    except (msgspec.DecodeError, RecursionError):
        return False
    return shape.data is not msgspec.UNSET or shape.errors is not msgspec.UNSET


def refused(errors: Iterable[GraphError], host: str) -> GlboardError:
    """The exception for the ``errors`` of a query."""
    found = list(errors)
    if any(error.timeout for error in found):
        return TimedOut(f"{host} ran out of time on this query.", hint="Try again later.")
    said = "; ".join(dict.fromkeys(error.text for error in found if error.text))[:400]
    message = f"{host} rejected the query: {said or 'no reason given'}"
    if any(error.too_complex for error in found):
        return TooComplex(message)
    for error in found:
        if (field := error.missing_field) is not None:
            return FieldMissing(message, field)
    return QueryRefused(message)


def complete(answer: Envelope[T], host: str) -> T:
    """The data of an answer without errors. Raises QueryRefused, TimedOut or NotGitLab."""
    if answer.errors:
        raise refused(answer.errors, host)
    if answer.data is None:
        raise not_json(host)
    return answer.data
