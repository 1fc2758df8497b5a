"""Runs GraphQL queries, one or page by page, in the dialect of the server.

Owns the envelope of an answer, the errors that come with HTTP 200 (API note 2), and what is learned about the
server: its dialect, and how much a page may ask for. It must not know issues.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Struct, structs

from glboard_core.concurrency import together
from glboard_core.errors import (
    GlboardError,
    GroupNotFound,
    NotUnderstood,
    QueryRefused,
    ServerFailed,
    TimedOut,
)
from glboard_core.gitlab import name_queries
from glboard_core.gitlab.answer_errors import endless, not_json, too_deep
from glboard_core.gitlab.answers import Name, NotJsonError, Report, TooDeepError, decoded, not_understood
from glboard_core.gitlab.dialect import PAGE, Dialect, dialect_of
from glboard_core.gitlab.error_body import LOOKED_AT
from glboard_core.gitlab.http import Transport
from glboard_core.gitlab.http_errors import CRASHED
from glboard_core.gitlab.token_errors import fine_grained, token_rejected
from glboard_core.gitlab.wire import Page, User
from glboard_core.model.catalog import Server
from glboard_core.model.clean_text import line

T = TypeVar("T")
R = TypeVar("R")

#: A document, or what builds it for a dialect.
Build = str | Callable[[Dialect], str]

#: The smallest page size.
SMALLEST = 10
#: No list has more pages than this: at the usual size of a page, that is 200,000 issues.
MOST_PAGES = 2_000
#: Pages in a row that may be equal, such as empty ones, before the list is taken for endless.
MOST_EQUAL = 20
#: Bytes of the errors in an answer; no answer of GitLab has so many.
MOST_ERROR_BYTES = 1024 * 1024
#: Above this size, a failing page is requested in a smaller size rather than retried many times.
_HEAVY = 25

_UNDEFINED = (r"Field '(?P<field>\w+)' doesn't exist on type", r"Cannot query field ['\"](?P<field>\w+)['\"]")


#: GitLab 18.9 refuses everything to fine-grained tokens; 19.x names what they lack.
_FINE_GRAINED = (
    r"boundaries and permissions for authorization|insufficient_granular_scope"
    r"|(fine-grained|granular|personal access token)\b.*\bpermission"
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
        return line(self.message[:LOOKED_AT])[:300]

    @property
    def forbidden(self) -> bool:
        """Not found or not permitted: GitLab does not tell which."""
        return "does not exist or you don't have permission" in self.message

    @property
    def timeout(self) -> bool:
        """The server exceeded its own limit of 30 seconds."""
        return self.message.startswith("Timeout on") or "Request timed out" in self.message

    @property
    def crashed(self) -> bool:
        """The server failed on the field; it no longer works on it."""
        return self.message.strip().lower() == CRASHED

    @property
    def maintenance(self) -> bool:
        """The server can be read only, for a while; nothing was executed."""
        return "read-only instance" in self.message

    @property
    def fine_grained(self) -> bool:
        """A fine-grained token may not do this: nothing was executed, and null does not mean "not found"."""
        return re.search(_FINE_GRAINED, self.message[:LOOKED_AT], re.IGNORECASE) is not None

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
        """The field or argument that this server's schema lacks, or None."""
        extensions = self.extensions or {}
        if extensions.get("code") == "undefinedField":
            return str(extensions.get("fieldName", ""))
        if extensions.get("code") == "argumentNotAccepted":
            return str(extensions.get("argumentName", ""))
        return next(
            (
                found["field"]
                for pattern in _UNDEFINED
                if (found := re.search(pattern, self.message[:LOOKED_AT]))
            ),
            None,
        )


class Envelope(Struct, Generic[T], frozen=True, kw_only=True):
    """An answer: ``data`` and ``errors`` as defined by GraphQL."""

    data: T | None = None
    errors: list[GraphError] | None = None


class _Whole(Struct, Generic[T], frozen=True, kw_only=True):
    """An envelope whose errors are not decoded yet: before, their size is checked."""

    data: T | None = None
    errors: msgspec.Raw = msgspec.Raw(b"null")


class TooComplex(QueryRefused):
    """The document exceeds this server's complexity limit. Nothing was executed."""


class FieldMissing(QueryRefused):
    """The document uses ``field``, which this server lacks. Nothing was executed."""

    def __init__(self, message: str, field: str) -> None:
        super().__init__(message, hint="This GitLab is older than 16.8, or is not the edition it reports.")
        self.field = field


def request(document: str, variables: Mapping[str, object]) -> bytes:
    """The body to post. Variables that are None are left out: GitLab would treat null as a value."""
    given = {name: value for name, value in variables.items() if value is not None}
    return msgspec.json.encode({"query": document, "variables": given})


def envelope_of(raw: bytes, kind: type[T], host: str, report: Report | None = None) -> Envelope[T]:
    """The envelope of an answer. Raises NotGitLab if it is not GraphQL, NotUnderstood if undecodable.

    With ``report``, entries that are not understood are left out, and reported.
    """
    deep = False
    try:
        whole = decoded(raw, _Whole[kind], report)  # type: ignore[valid-type]  # the type is a value here
        if len(memoryview(whole.errors)) > MOST_ERROR_BYTES:
            raise not_understood("too many errors")
        errors: Any = list[GraphError] | None
        return Envelope(data=whole.data, errors=decoded(whole.errors, errors, report))
    except NotJsonError as problem:
        deep = isinstance(problem, TooDeepError)
    except NotUnderstood:
        if _is_graphql(raw):
            raise
    raise too_deep(host) if deep else not_json(host)


def part_of(
    raw: msgspec.Raw, kind: type[T], host: str, report: Report | None = None, *, alone: bool = False
) -> T | None:
    """A part of an answer, decoded later than the whole; None for null. Raises as ``envelope_of``.

    ``alone``: it is an entry itself, and can be shown without some of its values.
    """
    try:
        return decoded(raw, kind | None, report, alone=alone)  # type: ignore[arg-type]
    except NotJsonError:
        pass
    raise not_json(host)


def _is_graphql(raw: bytes) -> bool:
    try:
        found = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return False
    return "data" in found or "errors" in found


def refused(errors: Iterable[GraphError], host: str) -> GlboardError:
    """The exception for the ``errors`` of a query."""
    found = list(errors)
    if (barred := next((error for error in found if error.fine_grained), None)) is not None:
        return fine_grained(host, "" if "boundaries" in barred.message else barred.text)
    if any(error.timeout for error in found):
        return TimedOut(f"{host} ran out of time on this query.", hint="Try again later.")
    reasons = "; ".join(dict.fromkeys(error.text for error in found if error.text))[:400]
    message = f"{host} rejected the query: {reasons or 'no reason given'}"
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


class Metadata(Struct, frozen=True):
    """The server's version and edition."""

    version: Name
    enterprise: bool = True


class About(Struct, frozen=True, rename="camel"):
    """Answer to ``name_queries.ABOUT``."""

    metadata: Metadata | None = None
    current_user: User | None = None


class QueryRunner:
    """Runs queries on one server."""

    def __init__(self, transport: Transport, server: Server | None = None) -> None:
        self.transport = transport
        self.host = transport.account.host
        #: Nodes per page; shrinks for good when the server cannot handle it.
        self.page_size = PAGE
        #: What the schema has, and whether the licence covers what it has.
        self._schema: Dialect | None = None
        self.licensed = True
        self.fine_grained = False
        #: The ids of the types that boards show; empty where they are asked for by name.
        self.kinds: tuple[str, ...] = ()
        if server is not None and server.version:
            self.learn(server)
        self._learning = asyncio.Lock()
        #: Called with what was left out of an answer; and how often that was so.
        self.tell: Report = lambda _: None
        self.left_out = 0

    async def ask(
        self, document: str, variables: Mapping[str, object], kind: type[T], *, heavy: bool = False
    ) -> T:
        """The data of one answer. Raises AuthError, ConnectionFailed, QueryRefused.

        Entries of pages that are not understood are left out, and reported.
        """
        raw = await self.transport.read(request(document, variables), heavy=heavy)
        return complete(envelope_of(raw, kind, self.host, self.report), self.host)

    def report(self, what: str) -> None:
        """Something was left out of an answer."""
        self.left_out += 1
        self.tell(what)

    @contextmanager
    def whole(self) -> Iterator[None]:
        """Where "not there" is concluded from what is read: raises NotUnderstood if anything was left out."""
        before = self.left_out
        yield
        if self.left_out > before:
            raise not_understood("the result may be among the entries left out")

    def part(self, raw: msgspec.Raw, kind: type[T], *, alone: bool = False) -> T | None:
        """See ``part_of``; what is left out is reported as of a whole answer."""
        return part_of(raw, kind, self.host, self.report, alone=alone)

    async def pages(
        self,
        build: Build,
        variables: Mapping[str, object],
        kind: type[T],
        pick: Callable[[T], Page[R]],
        *,
        after: str | None = None,
    ) -> AsyncIterator[list[R]]:
        """The nodes of a connection, page by page, from the cursor ``after`` on. Raises as ``ask``."""
        cursors: set[str] = set()
        equal, before = 0, list[R]()
        while True:
            page = await self.page(build, {**variables, "after": after}, kind, pick)
            items = page.items()
            yield items
            after = page.page_info.end_cursor
            # A repeated cursor would loop forever.
            if not page.page_info.has_next_page or after is None or after in cursors:
                return
            cursors.add(after)
            # So would ever new ones.
            equal, before = equal + 1 if items == before else 0, items
            if len(cursors) >= MOST_PAGES or equal >= MOST_EQUAL:
                raise endless(self.host, len(cursors))

    async def page(
        self, build: Build, variables: Mapping[str, object], kind: type[T], pick: Callable[[T], Page[R]]
    ) -> Page[R]:
        """One page of a connection, smaller if the server cannot handle it. Raises as ``ask``."""
        while True:
            size = self.page_size
            try:
                return pick(
                    await self.ask_in_dialect(build, {**variables, "first": size}, kind, heavy=size > _HEAVY)
                )
            except TooComplex:
                if size <= SMALLEST:
                    raise
            except (TimedOut, ServerFailed):
                if size <= _HEAVY:
                    raise
            self.page_size = min(self.page_size, max(SMALLEST, size // 2))

    async def ask_in_dialect(
        self,
        build: Build,
        variables: Mapping[str, object],
        kind: type[T],
        *,
        heavy: bool = False,
        assumed: Dialect | None = None,
    ) -> T:
        """Like ``ask``, with a document in the server's dialect; adapts when a field is missing.

        As long as the dialect is unknown, the ``assumed`` one is tried first: it saves a round trip.
        """
        if isinstance(build, str):
            return await self.ask(build, variables, kind, heavy=heavy)
        while True:
            known = self._dialect
            dialect = known or assumed or await self.dialect()
            try:
                return await self.ask(build(dialect), variables, kind, heavy=heavy)
            except FieldMissing as missing:
                if known is None and assumed is not None:
                    await self.dialect()
                elif not self.lacks(missing.field, dialect):
                    raise

    @property
    def has_kinds(self) -> bool:
        """Whether the server is known to have types of work items of one's own."""
        return self._schema is not None and self._schema.kinds != ""

    async def dialect(self) -> Dialect:
        """The server's dialect, requested once."""
        if self._dialect is None:
            async with self._learning:
                if self._dialect is None:
                    about = await self.ask(name_queries.ABOUT, {}, About)
                    self.learn(server_of(about, self.host))
        assert self._dialect is not None
        return self._dialect

    @property
    def _dialect(self) -> Dialect | None:
        """What is asked: the fields that the server has and its licence covers. None if not known."""
        schema = self._schema
        if schema is None:
            return None
        if schema.kinds and self.kinds:
            schema = structs.replace(schema, by_kind=True)
        return schema if self.licensed else structs.replace(schema, ee=False, status=False)

    def learn(self, server: Server) -> None:
        """Use this server's dialect; a field once found missing stays missing, a licence comes and goes."""
        known = dialect_of(server)
        if self._schema is not None:
            known = Dialect(
                ee=known.ee and self._schema.ee,
                status=known.status and self._schema.status,
                modern=known.modern and self._schema.modern,
                titles=known.titles and self._schema.titles,
                licence=self._schema.licence if known.ee else "",
                kinds=self._schema.kinds if known.kinds else "",
                rights=known.rights,
            )
        self._schema = known
        self.kinds = server.kinds
        self.fine_grained = server.fine_grained
        self.licensed = server.has_weight or not server.enterprise

    def lacks(self, field: str, used: Dialect) -> bool:
        """Record that ``field`` is missing; returns whether a dialect other than ``used`` may work."""
        schema = self._schema
        if schema is None or self._dialect != used:
            return True
        if field in ("weight", "blocked", "blockedByIssues") and used.ee:
            self._schema = structs.replace(schema, ee=False, status=False, licence="")
        elif field == "status" and used.status:
            self._schema = structs.replace(schema, status=False)
        elif field == "adminIssue" and used.modern:
            self._schema = structs.replace(schema, modern=False)
        elif field == "title" and used.titles:
            self._schema = structs.replace(schema, titles=False)
        elif field in ("lifecycles", "epicsEnabled") and used.licence == field:
            self._schema = structs.replace(
                schema, licence="epicsEnabled" if field == "lifecycles" and schema.ee else ""
            )
        elif field == "isFilterableBoardView" and used.kinds == "board":
            self._schema = structs.replace(schema, kinds="named")
        elif field in ("workItemTypeIds", "workItemTypes") and used.kinds:
            self._schema = structs.replace(schema, kinds="")
        else:
            return False
        return True

    @property
    def has_weight(self) -> bool:
        """Whether the fields of EE exist and the licence covers them, as far as known."""
        return self._dialect is None or self._dialect.ee


def server_of(about: About, host: str) -> Server:
    """The server as it describes itself. Raises TokenRejected if it does not recognise us."""
    if about.current_user is None:
        raise token_rejected(host)
    if (found := about.metadata) is None:
        raise QueryRefused(
            f"{host} does not report its GitLab version.", hint="Use a token with the scope read_api or api."
        )
    return Server(version=line(found.version), enterprise=found.enterprise, has_weight=found.enterprise)


def group_missing(group: str, host: str) -> GroupNotFound:
    """The group does not exist, or is hidden from us."""
    return GroupNotFound(
        f"Group “{group}” not found on {host}, or the token has no access to it.",
        hint="Use its full path, such as company/team, and check that you are a member."
        " The token of a project is a member of the project only.",
    )


def chunks(items: Sequence[T], most: int) -> list[Sequence[T]]:
    """The items in order, at most ``most`` at a time."""
    return [items[at : at + most] for at in range(0, len(items), most)]


async def side_by_side(jobs: Iterable[Callable[[], Coroutine[Any, Any, T]]], most: int) -> list[T]:
    """The results in order, with at most ``most`` running at once. Raises the first error."""
    gate = asyncio.Semaphore(most)

    async def one(job: Callable[[], Coroutine[Any, Any, T]]) -> T:
        async with gate:
            return await job()

    async with together() as group:
        tasks = [group.create_task(one(job)) for job in jobs]
    return [task.result() for task in tasks]
