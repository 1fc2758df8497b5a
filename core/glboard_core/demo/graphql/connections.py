"""Connections: pages behind opaque cursors, at most 100 nodes each.

Issues are paged by key (stable under change); everything else is short and paged by index. A larger `first`
is silently cut to 100, as GitLab does.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec
from graphql import GraphQLError

from glboard_core.demo.graphql.context import Context
from glboard_core.demo.world.filters import LOOSE, IssueFilter
from glboard_core.demo.world.search import DEFAULT_SORT, UNSTABLE, Down, Key, key_of
from glboard_core.demo.world.texts import whole

MAX_PAGE = 100


class PageInfo:
    """The two ends of a page."""

    __slots__ = ("end_cursor", "has_next_page", "has_previous_page", "start_cursor")

    def __init__(self, start: str | None, end: str | None, *, more: bool, earlier: bool) -> None:
        self.start_cursor = start
        self.end_cursor = end
        self.has_next_page = more
        self.has_previous_page = earlier


class Connection:
    """A page. `cursor` returns the cursor of a node at an index of the page; `total` counts on request."""

    __slots__ = ("cursor", "earlier", "more", "nodes", "total", "weigh")

    def __init__(
        self,
        nodes: Sequence[Any],
        cursor: Callable[[Any, int], str],
        total: Callable[[int | None], int],
        *,
        more: bool,
        earlier: bool,
        weigh: Callable[[], int] = lambda: 0,
    ) -> None:
        self.nodes = nodes
        self.cursor = cursor
        self.total = total
        self.more = more
        self.earlier = earlier
        self.weigh = weigh

    @property
    def page_info(self) -> PageInfo:
        """The ends of this page."""
        nodes = self.nodes
        start = self.cursor(nodes[0], 0) if nodes else None
        end = self.cursor(nodes[-1], len(nodes) - 1) if nodes else None
        return PageInfo(start, end, more=self.more, earlier=self.earlier)

    @property
    def edges(self) -> list[dict[str, Any]]:
        """The nodes, each with its cursor."""
        return [{"cursor": self.cursor(node, at), "node": node} for at, node in enumerate(self.nodes)]


class _Broken(Connection):
    """A page behind a cursor that is none."""

    __slots__ = ("_cursor",)

    def __init__(self, cursor: str, total: Callable[[int | None], int]) -> None:
        self._cursor = cursor
        self.total = total
        self.weigh = lambda: 0

    def __getattr__(self, _: str) -> Any:
        # Rows are read when they are asked for: all of these attributes are theirs.
        raise GraphQLError(f'Invalid input: "{self._cursor}"')


def _encode(value: Any) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(value)).decode()


def _bad_cursor(cursor: str) -> GraphQLError:
    return GraphQLError(f'Invalid input: "{cursor}"')


def _decode(cursor: str) -> Any:
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(cursor.encode()))
    except (binascii.Error, ValueError, msgspec.DecodeError):
        raise _bad_cursor(cursor) from None


def _size(args: dict[str, Any], maximum: int) -> tuple[int, bool]:
    first, last = args.get("first"), args.get("last")
    if first is not None and last is not None:
        raise GraphQLError("Can only provide either `first` or `last`, not both")
    for value in (first, last):
        if value is not None and value < 0:
            raise GraphQLError("Page size can't be negative")
    chosen = last if first is None else first
    return min(maximum if chosen is None else chosen, maximum), last is not None


def _place(args: dict[str, Any], name: str) -> int | None:
    cursor = args.get(name)
    if cursor is None:
        return None
    value = _decode(cursor)
    if not isinstance(value, int):
        raise _bad_cursor(cursor)
    return value


def listed(items: Sequence[Any], args: dict[str, Any], maximum: int = MAX_PAGE) -> Connection:
    """A page of a short list; the cursor is the index."""
    size, backwards = _size(args, maximum)
    after, before = _place(args, "after"), _place(args, "before")
    low = 0 if after is None else after + 1
    high = len(items) if before is None else min(before, len(items))
    if backwards:
        low = max(low, high - size)
    else:
        high = min(high, low + size)
    return Connection(
        items[low:high],
        lambda _, at: _encode(low + at),
        lambda limit: len(items) if limit is None else min(len(items), limit + 1),
        more=high < len(items),
        earlier=low > 0,
    )


def cursor_of(sort: str, key: Key) -> str:
    """The cursor of a sort key in an order of issues."""
    null, at, ident = key
    return _encode({"sort": sort, "key": (null, str(at) if isinstance(at, Down) else at, ident)})


def cursor_key(cursor: str, sort: str) -> Key:
    """The sort key that a cursor of this order encodes."""
    value = _decode(cursor)
    if not isinstance(value, dict) or value.get("sort") != sort or len(value.get("key", ())) != 3:
        raise _bad_cursor(cursor)
    null, at, ident = value["key"]
    return (null, Down(at) if isinstance(at, str) and sort.endswith("_DESC") else at, ident)


def _key(args: dict[str, Any], name: str, sort: str) -> Key | None:
    cursor = args.get(name)
    return None if cursor is None else cursor_key(cursor, sort)


def found(context: Context, wanted: IssueFilter, sort: str | None, args: dict[str, Any]) -> Connection:
    """A page of issues in an order."""
    order = (sort or DEFAULT_SORT).upper()
    world, today = context.world, context.world.clock.today()
    size, backwards = _size(args, MAX_PAGE)
    may_see = context.may_see

    def total(limit: int | None) -> int:
        return world.index.count(wanted, may_see, today, limit)

    def weigh() -> int:
        return sum(one.weight or 0 for one in world.index.matching(wanted, may_see, today))

    if order in UNSTABLE:
        skip = (_place(args, "after") or -1) + 1 if args.get("after") else 0
        page = world.index.page(wanted, order, may_see, today, first=size, skip=skip)
        return Connection(
            page.issues,
            lambda _, at: _encode(skip + at),
            total,
            more=page.has_next,
            earlier=skip > 0,
            weigh=weigh,
        )
    try:
        after, before = _key(args, "after", order), _key(args, "before", order)
    except GraphQLError:
        return _Broken(args.get("after") or args["before"], total)
    page = world.index.page(
        wanted, order, may_see, today, first=size,
        after=after, before=before, backwards=backwards,
    )  # fmt: skip
    return Connection(
        page.issues,
        lambda issue, _: cursor_of(order, key_of(issue, order)),
        total,
        more=page.has_next,
        earlier=page.has_previous,
        weigh=weigh,
    )


# From GraphQL arguments to an issue filter.


def _texts(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    many = [value] if isinstance(value, str) else value
    return tuple(one for one in many if one is not None)


def _numbers(values: Iterable[str] | None) -> frozenset[int] | None:
    if values is None:
        return None
    return frozenset(number for one in values if (number := whole(one)) is not None)


def _weight(value: str | None) -> int | None:
    """The weight argument is text in GraphQL; anything but digits matches nothing."""
    if value is None:
        return None
    return -1 if (number := whole(value)) is None else number


def _negated(wanted: IssueFilter, negated: dict[str, Any]) -> None:
    wanted.not_labels = _texts(negated.get("labelName"))
    wanted.not_milestones = _texts(negated.get("milestoneTitle"))
    wanted.not_milestone_is = negated.get("milestoneWildcardId")
    wanted.not_assignees = _texts(negated.get("assigneeUsernames", negated.get("assigneeUsername")))
    wanted.not_authors = _texts(negated.get("authorUsername"))
    wanted.not_iids = _numbers(negated.get("iids")) or frozenset()
    wanted.not_weight = _weight(negated.get("weight"))


def fill(wanted: IssueFilter, args: dict[str, Any], since: tuple[int, int]) -> IssueFilter:
    """Narrow a filter by the arguments of `issues`, `workItems` or a board list."""
    titles, wild = _texts(args.get("milestoneTitle")), args.get("milestoneWildcardId")
    if titles and wild:
        raise GraphQLError(
            "Only one of [milestoneTitle, milestoneWildcardId] arguments is allowed at the same time."
        )
    if args.get("weight") is not None and args.get("weightWildcardId") is not None:
        raise GraphQLError("Only one of [weight, weightWildcardId] arguments is allowed at the same time.")
    wanted.labels = (*wanted.labels, *_texts(args.get("labelName")))
    if titles:
        # A board with a milestone shows nothing for another one.
        both = tuple(one for one in titles if not wanted.milestones or one in wanted.milestones)
        wanted.milestones = both or ("\0nothing",)
    wanted.milestone_is = wild
    iids = _numbers(args.get("iids"))
    if args.get("iid") is not None:
        iids = (iids or frozenset()) | (_numbers([args["iid"]]) or frozenset())
    wanted.iids = iids
    if args.get("ids") is not None:
        wanted.ids = frozenset(args["ids"])
    if args.get("state") not in (None, "all") and wanted.state is None:
        wanted.state = args["state"]
    wanted.assignees = (
        *wanted.assignees, *_texts(args.get("assigneeUsernames")), *_texts(args.get("assigneeUsername")),
    )  # fmt: skip
    wanted.assignee_is = args.get("assigneeWildcardId")
    wanted.authors = _texts(args.get("authorUsername"))
    for ours, theirs in (("closed", "closed"), ("created", "created"), ("updated", "updated")):
        setattr(wanted, f"{ours}_after", args.get(f"{theirs}After"))
        setattr(wanted, f"{ours}_before", args.get(f"{theirs}Before"))
    wanted.confidential = args.get("confidential")
    wanted.search = args.get("search")
    if args.get("in"):
        wanted.search_in = frozenset(args["in"])
    if args.get("weight") is not None:
        wanted.weight = _weight(args["weight"])
    wanted.weight_is = args.get("weightWildcardId")
    if args.get("types"):
        wanted.kinds = frozenset(args["types"])
    wanted.include_archived = bool(args.get("includeArchived"))
    if args.get("not"):
        _negated(wanted, args["not"])
    either = args.get("or") or {}
    wanted.any_labels = _texts(either.get("labelNames"))
    wanted.any_assignees = _texts(either.get("assigneeUsernames"))
    wanted.authors = (*wanted.authors, *_texts(either.get("authorUsernames")))
    if since < (18, 0):
        for name in ("milestone_is", "not_milestone_is"):
            if getattr(wanted, name) in ("STARTED", "UPCOMING"):
                setattr(wanted, name, getattr(wanted, name) + LOOSE)
    return wanted


def in_projects(context: Context, projects: Iterable[Any], args: dict[str, Any]) -> IssueFilter:
    """The filter of the arguments over some projects."""
    idents = frozenset(one.id for one in projects)
    everything = len(idents) == len(context.world.projects)
    wanted = fill(IssueFilter(projects=None if everything else idents), args, context.world.since)
    if args.get("workItemTypeIds"):
        if args.get("types"):
            raise GraphQLError("Only one of [types, workItemTypeIds] arguments is allowed at the same time.")
        names = {ident: name for name, ident in context.world.types.items()}
        wanted.kinds = frozenset(names.get(ident, "") for ident in args["workItemTypeIds"])
    return wanted
