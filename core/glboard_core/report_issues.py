"""The issues that reports read beyond the mirror: in milestones, closed long ago, updated since a day.

Owns the queries, and what is kept of their answers from one report to the next: then only what was updated
since is read. It must not know what a report makes of them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Literal

from msgspec import Struct

from glboard_core.config import Settings
from glboard_core.errors import GlboardError
from glboard_core.model.event import SETTLED
from glboard_core.model.issue import Issue, IssueId
from glboard_core.model.query import IssueQuery
from glboard_core.store.report_tables import KnownIssues, ReportCache
from glboard_core.sync.engine import Engine

#: Concurrent queries.
PARALLEL = 4
#: How long issues that no board shows are only updated before all are read again.
WHOLE = timedelta(days=2)
#: The same for open ones. Meanwhile, an issue that loses the group's label is not noticed.
FRESH = timedelta(minutes=10)
#: From this many issues on, reading takes long enough to ask how many there are.
MANY = 100

#: Called with what is read, how many of them are read, and how many there are (0: unknown).
Progress = Callable[[Literal["issues", "events"], int, int], None]


class RecentIssues(Struct, frozen=True):
    """Issues updated since a day; those of ``kept`` were read by an earlier report, a while ago."""

    issues: Mapping[IssueId, Issue]
    kept: Collection[IssueId] = frozenset()


class ReportIssues:
    """Reads issues of the group of one engine. All methods raise what the gateway does."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that an issue of the group has."""
        return labels_of(self._engine.settings)

    async def read(self, queries: Iterable[IssueQuery], progress: Progress | None = None) -> list[Issue]:
        """All issues of the group that match one of the queries, each once."""
        from glboard_core.gitlab.graphql import side_by_side

        asked, found = list(queries), dict[IssueId, Issue]()
        total = 0

        async def read(query: IssueQuery) -> None:
            nonlocal total
            async for page in self._engine.gateway.pages(query):
                found.update((issue.id, issue) for issue in page)
                if progress is not None and len(found) >= MANY:
                    total = total or await self._count(asked)
                    progress("issues", len(found), max(total, len(found)))

        await side_by_side([partial(read, query) for query in asked], PARALLEL)
        return list(found.values())

    async def _count(self, queries: Sequence[IssueQuery]) -> int:
        try:
            return sum(await self._engine.gateway.count(queries))
        except GlboardError:
            return MANY  # a server that cannot count in time still returns the pages

    async def open(
        self, milestones: Sequence[str] | None = None, progress: Progress | None = None
    ) -> list[Issue]:
        """The group's open issues in these milestones, or all of them."""
        labels = self.labels
        if milestones is not None:
            return await self.read(
                IssueQuery(labels=labels, milestone=title, state="opened")
                for title in dict.fromkeys(milestones)
            )
        query = IssueQuery(labels=labels, state="opened")
        found = await self._updated("open", query, FRESH, progress)
        return list(found.issues.values())

    async def closed(self, milestones: Sequence[str]) -> list[Issue]:
        """The group's closed issues in these milestones, however long ago.

        If they were read lately, one query updates them all with what changed since. An issue that lost the
        group's label in the meantime stays until all are read again.
        """
        kept, labels, now = cache_of(self._engine), self.labels, self._engine.gateway.now()
        known = {title: kept.issues(closed_key(labels, title)) for title in milestones}
        fresh = {title: one for title, one in known.items() if one and now - one.whole < WHOLE}
        lacking = [title for title in known if title not in fresh]
        queries = [
            IssueQuery(labels=labels, milestone=title, state="closed", order="updated") for title in lacking
        ]
        if fresh:
            since = min(one.at for one in fresh.values()) - SETTLED
            queries.append(IssueQuery(labels=labels, updated_after=since, order="updated"))
        found = {issue.id: issue for issue in await self.read(queries)}
        all_of: list[Issue] = []
        for title in known:
            old = fresh.get(title)
            issues = ({issue.id: issue for issue in old.issues} if old else {}) | found
            closed = tuple(i for i in issues.values() if i.milestone == title and not i.is_open)
            whole = old.whole if old else now
            kept.keep_issues(closed_key(labels, title), KnownIssues(at=now, whole=whole, issues=closed))
            all_of += closed
        return all_of

    async def updated_since(self, since: datetime, progress: Progress | None = None) -> RecentIssues:
        """The group's issues updated since then."""
        query = IssueQuery(labels=self.labels, updated_after=since, order="updated")
        return await self._updated("updated", query, WHOLE, progress)

    async def still(self, issues: Collection[IssueId]) -> dict[IssueId, Issue]:
        """These issues as they are now; without those that are gone or no longer the group's."""
        read = await self._engine.gateway.read(sorted(issues)) if issues else {}
        labels = set(self.labels)
        return {issue.id: issue for issue in read.values() if labels <= issue.labels}

    async def promoted(self, issues: Collection[Issue]) -> frozenset[IssueId]:
        """Those of these closed issues that became epics; asked again only for what was updated since."""
        kept = cache_of(self._engine)
        known = kept.promoted(issues)
        unknown = [issue for issue in issues if issue.id not in known]
        read: frozenset[IssueId] = frozenset()
        if unknown:
            read = await self._engine.gateway.promoted([issue.id for issue in unknown])
        kept.keep_promoted(unknown, read)
        return read | {issue for issue, became in known.items() if became}

    async def _updated(
        self,
        name: str,
        query: IssueQuery,
        whole: timedelta,
        progress: Progress | None,
    ) -> RecentIssues:
        """The answer to ``query``: if one was kept for less than ``whole``, with what was updated since.

        Labels can change for ``SETTLED`` without an update, so it is asked for that much more.
        """
        kept, now = cache_of(self._engine), self._engine.gateway.now()
        key = "\n".join((name, *query.labels))
        old = kept.issues(key)
        since = query.updated_after
        if old is not None and now - old.whole < whole and _reaches(old.since, since):
            update = IssueQuery(labels=query.labels, updated_after=old.at - SETTLED, order="updated")
            read = {issue.id: issue for issue in await self.read([update], progress)}
            known = {issue.id: issue for issue in old.issues}
            began, since = old.whole, old.since
        else:
            read = {issue.id: issue for issue in await self.read([query], progress)}
            known, began = dict[IssueId, Issue](), now
        every = known | read
        if query.state is not None:
            every = {issue: one for issue, one in every.items() if one.state == query.state}
        if old is None or every != known:
            keep = KnownIssues(at=now, whole=began, since=since, issues=tuple(every.values()))
            kept.keep_issues(key, keep)
        oldest = query.updated_after
        found = {i: one for i, one in every.items() if oldest is None or one.updated_at >= oldest}
        return RecentIssues(found, found.keys() - read.keys() if now - began >= FRESH else ())


def _reaches(kept: datetime | None, since: datetime | None) -> bool:
    """Whether what was kept goes back as far as the query."""
    return kept is None or (since is not None and kept <= since)


def cache_of(engine: Engine) -> ReportCache:
    """What reports have read of the engine's group."""
    group = engine.catalog.group_id if engine.catalog is not None else ""
    return ReportCache(engine.store, engine.gateway.now().date(), group)


def labels_of(settings: Settings) -> tuple[str, ...]:
    """The labels that an issue of the group has."""
    return (settings.labels.group,) if settings.labels.group else ()


def closed_key(labels: Sequence[str], milestone: str) -> str:
    """Under which the closed issues of a milestone are kept."""
    return "\n".join(("closed", *labels, milestone))
