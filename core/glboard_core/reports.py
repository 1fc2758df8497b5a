"""Reports: reads what the planning rules need and the mirror lacks, and calls the rules.

Owns which issues a report needs: those closed long ago, those that left a milestone, and their events
(planning rule 6). The rules are in ``planning``; what is on screen already is computed from the mirror alone.
Nothing here changes an issue.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from glboard_core.board.definition import milestone_title
from glboard_core.config import Settings
from glboard_core.errors import NOT_LOADED, NameUnknown, UsageError
from glboard_core.model.catalog import Catalog
from glboard_core.model.event import EventKind, History
from glboard_core.model.issue import Issue, IssueId
from glboard_core.model.milestone import Milestone
from glboard_core.model.names import Needs
from glboard_core.model.query import IssueQuery
from glboard_core.planning import plan_lock, say_do
from glboard_core.planning.capacity import ClosedWeight, MilestoneWindow, closed_weights, window
from glboard_core.planning.figures import Figures
from glboard_core.planning.plan_lock import PlanChanges, PlanSnapshot
from glboard_core.planning.say_do import SayDo, Track
from glboard_core.planning.timeline import timeline
from glboard_core.ports import Store
from glboard_core.store.reports import ClosedIssues, ReportCache
from glboard_core.sync.engine import Engine

if TYPE_CHECKING:
    from glboard_core.gitlab.account import Account
    from glboard_core.gitlab.events import EventReader, Progress, Read

#: Concurrent queries.
PARALLEL = 4
#: Histories stored per batch, so that little is lost if reading is interrupted.
TOGETHER = 50
#: How long the closed issues of a milestone are only updated before all are read again.
WHOLE = timedelta(days=2)


class Reports:
    """Reports on the group of one engine.

    With ``as_of`` (the session shows an earlier time), later events are ignored. What was read is cached in
    the engine's store, and read again only for issues updated since.
    """

    def __init__(self, engine: Engine, reader: EventReader, *, as_of: datetime | None = None) -> None:
        self.engine = engine
        self.settings = engine.settings
        self.as_of = as_of
        self._reader = reader
        self._known: dict[IssueId, History] = {}
        self._unkept: list[History] = []
        #: References whose events the last report could not read.
        self.unread: tuple[str, ...] = ()
        #: The issues of the last report, by reference.
        self.seen: Mapping[str, Issue] = {}

    # -- names and dates

    @property
    def catalog(self) -> Catalog:
        """The catalog. Raises NameUnknown if it has not been read yet."""
        if (catalog := self.engine.catalog) is None:
            raise NameUnknown("group", "", hint=NOT_LOADED)
        return catalog

    def milestone(self, name: str) -> Milestone:
        """The milestone for a title, ``current``, ``next``, ``after-next`` or alias. Raises NameUnknown."""
        title = milestone_title(name, self.settings, self.catalog, self.engine.today())
        found = self.catalog.find_milestone(title)
        if found is None:
            raise NameUnknown("milestone", title, self.catalog.near_milestones(title))
        return found

    @property
    def figures(self) -> Figures:
        """The planning rules for this group and day. Raises NameUnknown without a catalog."""
        return Figures(settings=self.settings, catalog=self.catalog, today=self.engine.today())

    @property
    def zone(self) -> ZoneInfo:
        """The team's time zone."""
        return ZoneInfo(self.settings.ui.time_zone)

    # -- issues

    async def issues(self, queries: Iterable[IssueQuery]) -> list[Issue]:
        """All issues of the group that match one of the queries, each once. Raises what the gateway does."""
        from glboard_core.gitlab.graphql import side_by_side

        async def read(query: IssueQuery) -> list[Issue]:
            return [issue async for page in self.engine.gateway.pages(query) for issue in page]

        found = await side_by_side([partial(read, query) for query in queries], PARALLEL)
        return list({issue.id: issue for part in found for issue in part}.values())

    async def open_issues(self, milestones: Sequence[str] | None = None) -> list[Issue]:
        """The group's open issues in these milestones, or all of them."""
        titles: Sequence[str | None] = [None] if milestones is None else list(dict.fromkeys(milestones))
        return await self.issues(
            IssueQuery(labels=_labels(self.settings), milestone=title, state="opened") for title in titles
        )

    async def closed_issues(self, milestones: Sequence[str]) -> list[Issue]:
        """The group's closed issues in these milestones, however long ago.

        If they were read lately, one query updates them all with what changed since. An issue that lost the
        group's label in the meantime stays until all are read again.
        """
        kept, labels, now = _kept(self.engine), _labels(self.settings), self.engine.gateway.now()
        known = {title: kept.closed(_question(labels, title)) for title in milestones}
        fresh = {title: one for title, one in known.items() if one and now - one.whole < WHOLE}
        lacking = [title for title in known if title not in fresh]
        queries = [
            IssueQuery(labels=labels, milestone=title, state="closed", order="updated") for title in lacking
        ]
        if fresh:
            since = min(one.at for one in fresh.values())
            queries.append(IssueQuery(labels=labels, updated_after=since, order="updated"))
        found = {issue.id: issue for issue in await self.issues(queries)}
        all_of: list[Issue] = []
        for title in known:
            old = fresh.get(title)
            issues = ({issue.id: issue for issue in old.issues} if old else {}) | found
            closed = tuple(i for i in issues.values() if i.milestone == title and not i.is_open)
            whole = old.whole if old else now
            kept.keep_closed(_question(labels, title), ClosedIssues(at=now, whole=whole, issues=closed))
            all_of += closed
        return all_of

    async def closed_before(self, milestone: Milestone) -> tuple[ClosedWeight, ...]:
        """What the milestones before closed, to compare a capacity with. Raises what the gateway does."""
        past = self.figures.past(milestone)
        issues = await self.closed_issues([one.title for one in past]) if past else []
        return closed_weights(issues, past, self.settings.labels)

    async def extend_for(self, issues: Iterable[Issue]) -> None:
        """Ask for the milestones of subgroups and projects if an issue has one unknown to the group."""
        of_issues = list(issues)
        wanted = {issue.id for issue in of_issues}
        self.engine.names.learn(wanted.__contains__)  # they came with the issues that were read just now
        known = {milestone.title for milestone in self.catalog.milestones}
        named = {(i.project, i.milestone) for i in of_issues if i.milestone and i.milestone not in known}
        await self.engine.names.need(Needs(milestones=frozenset(named)))

    # -- reports on the past

    async def say_do(
        self,
        milestone: Milestone,
        *,
        locked_at: datetime | None = None,
        plan: PlanSnapshot | None = None,
        progress: Progress | None = None,
    ) -> SayDo:
        """Say/Do of a milestone (rule 6). Raises UsageError where it has no dates.

        The lock is at ``locked_at``, rebuilt from events; else ``plan``, the stored snapshot; else the
        default lock, rebuilt. With ``--as-of``, later events are ignored.
        """
        measured, names = window(milestone, self.zone), self.settings.labels
        lock, plan = self._lock(measured, locked_at, plan)
        tracks = await self.past(
            milestone.title, min(lock, measured.start), ("label", "state"), plan, progress
        )
        return say_do.say_do(
            tracks,
            milestone.title,
            measured,
            names,
            plan or plan_lock.rebuild(tracks, milestone.title, lock, names),
            count_wont_do=self.settings.planning.count_wont_do,
        )

    async def scope(
        self,
        milestone: Milestone,
        *,
        locked_at: datetime | None = None,
        plan: PlanSnapshot | None = None,
        progress: Progress | None = None,
    ) -> PlanChanges:
        """What changed in a milestone's plan since its lock, which is chosen as for ``say_do``."""
        lock, plan = self._lock(window(milestone, self.zone), locked_at, plan)
        now = self.engine.now()
        if lock > now:
            raise UsageError(
                f"The plan of {milestone.title} is not locked before {lock.isoformat(' ')}.",
                hint="Pass an earlier time with --locked-at.",
            )
        tracks = await self.past(milestone.title, lock, ("label", "weight"), plan, progress)
        names = self.settings.labels
        locked = plan or plan_lock.rebuild(tracks, milestone.title, lock, names)
        return plan_lock.scope(locked, plan_lock.at_the_end(tracks, milestone.title, now, names))

    async def taken(
        self, milestone: Milestone, *, at: datetime | None = None, progress: Progress | None = None
    ) -> PlanSnapshot:
        """A milestone's plan as a snapshot: as it is now, or rebuilt from events as it was ``at``."""
        names, me = self.settings.labels, self.catalog.me.username
        if at is None:
            issues = await self.issues([IssueQuery(labels=_labels(self.settings), milestone=milestone.title)])
            found = plan_lock.take(issues, milestone.title, self.engine.gateway.now(), names)
        else:
            tracks = await self.past(milestone.title, at, ("label", "weight"), progress=progress)
            found = plan_lock.rebuild(tracks, milestone.title, at, names)
        return plan_lock.locked(found, me, self.engine.host, self.catalog.group, self.catalog.group_id)

    async def past(
        self,
        milestone: str,
        since: datetime,
        kinds: Sequence[EventKind],
        plan: PlanSnapshot | None = None,
        progress: Progress | None = None,
    ) -> list[Track]:
        """Every issue that can matter to a report on ``milestone`` from ``since`` on, and its history.

        That is the group's issues in it, those updated since (so also those that left it), those with its
        ``missed:`` label, and those of ``plan``. Milestone events are read for all of them; the other
        ``kinds`` only for those that were ever in it, since the rest can appear in no list.
        """
        missed = self.settings.labels.missed_prefix + milestone
        labels = _labels(self.settings)
        issues = await self.issues(
            (
                IssueQuery(labels=labels, milestone=milestone, order="updated"),
                IssueQuery(labels=labels, updated_after=since, order="updated"),
                IssueQuery(labels=(*labels, missed), order="updated"),
            )
        )
        extra = {row.issue for row in plan.issues} if plan else set()
        absent = extra - {issue.id for issue in issues}
        if absent:
            issues += (await self.engine.gateway.read(sorted(absent))).values()
        placed = await self._histories(issues, ("milestone",), progress)
        concerned = [
            issue
            for issue in issues
            if issue.milestone == milestone
            or missed in issue.labels
            or issue.id in extra
            or any(
                event.kind == "milestone" and event.value == milestone
                for event in placed.histories[issue.id].events
            )
        ]
        # Milestones once more for issues updated so recently that what was read may be outdated.
        read = await self._histories(concerned, ("milestone", *kinds), progress)
        unread = {*placed.unread, *read.unread}
        self.unread = tuple(issue.reference for issue in concerned if issue.id in unread)
        self.seen = {issue.reference: issue for issue in concerned}
        return [
            Track(issue, timeline(issue, read.histories[issue.id].events, until=self.as_of))
            for issue in concerned
        ]

    # -- internals

    async def _histories(
        self, issues: Sequence[Issue], kinds: Sequence[EventKind], progress: Progress | None
    ) -> Read:
        """The histories; those read now are cached, even if reading is interrupted."""
        kept = _kept(self.engine)
        self._known |= kept.histories(issue.id for issue in issues if issue.id not in self._known)

        def heard(history: History) -> None:
            self._known[history.issue] = history
            self._unkept.append(history)
            if len(self._unkept) >= TOGETHER:
                self._flush(kept)

        try:
            return await self._reader.histories(issues, kinds, self._known, progress, heard)
        finally:
            self._flush(kept)

    def _flush(self, kept: ReportCache) -> None:
        kept.keep_histories(self._unkept)
        self._unkept.clear()

    @staticmethod
    def _lock(
        measured: MilestoneWindow, locked_at: datetime | None, plan: PlanSnapshot | None
    ) -> tuple[datetime, PlanSnapshot | None]:
        """When the plan was locked, and the snapshot to use, if any."""
        if locked_at is not None:
            return locked_at, None
        return (plan.locked_at, plan) if plan is not None else (measured.lock, None)


@asynccontextmanager
async def open_reports(
    engine: Engine, account: Account, *, as_of: datetime | None = None
) -> AsyncIterator[Reports]:
    """Reports over an engine, with a separate connection to the same ``account`` for events."""
    from glboard_core.gitlab.events import EventReader
    from glboard_core.gitlab.http import Transport

    transport = Transport(account)
    try:
        yield Reports(engine, EventReader(transport), as_of=as_of)
    finally:
        await transport.close()


def _question(labels: Sequence[str], milestone: str) -> str:
    return "\n".join((*labels, milestone))


def kept_plans(store: Store, milestone: str, group_id: str) -> list[PlanSnapshot]:
    """The plans of a milestone that were locked or imported here, newest first. Raises StoreFailed.

    Not those of another group that had the same path (on a reinstalled server); ``group_id`` is a global id.
    """
    return [plan for plan in store.plans(milestone) if plan.is_of(group_id)]


def kept_plan(store: Store, milestone: str, group_id: str) -> PlanSnapshot | None:
    """The newest of them, or None. Raises StoreFailed."""
    return next(iter(kept_plans(store, milestone, group_id)), None)


def kept_closed(engine: Engine, milestone: Milestone) -> tuple[ClosedWeight, ...] | None:
    """``Reports.closed_before`` as last read on this machine; None if one of the milestones never was."""
    if (catalog := engine.catalog) is None:
        return None
    settings, kept, issues = engine.settings, _kept(engine), list[Issue]()
    past = Figures(settings=settings, catalog=catalog, today=engine.today()).past(milestone)
    for one in past:
        if (found := kept.closed(_question(_labels(settings), one.title))) is None:
            return None
        issues += found.issues
    return closed_weights(issues, past, settings.labels)


def _kept(engine: Engine) -> ReportCache:
    group = engine.catalog.group_id if engine.catalog is not None else ""
    return ReportCache(engine.store, engine.gateway.now().date(), group)


def _labels(settings: Settings) -> tuple[str, ...]:
    return (settings.labels.group,) if settings.labels.group else ()
