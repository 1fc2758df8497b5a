"""Reports: reads what the planning rules need and the mirror lacks, and calls the rules.

Owns which issues a report needs (``report_issues.py`` reads them), and which of their events: those of issues
that were in a milestone once (planning rule 6). The rules are in ``planning``; what is on screen already is
computed from the mirror alone. Nothing here changes an issue.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from msgspec import structs

from glboard_core.board.definition import milestone_title, overlap_notes
from glboard_core.board.rules import missed_labels
from glboard_core.concurrency import together
from glboard_core.config import Settings
from glboard_core.errors import (
    LOAD_FIRST,
    AuthError,
    NameUnknown,
    NotGitLab,
    ScopeMissing,
    TokenMissing,
    TokenRejected,
    UsageError,
)
from glboard_core.model.catalog import Catalog
from glboard_core.model.catalog_needs import Needs
from glboard_core.model.event import Event, EventKind, History
from glboard_core.model.issue import Issue, IssueId
from glboard_core.model.milestone import Milestone
from glboard_core.model.query import IssueQuery
from glboard_core.planning import plan_lock, say_do
from glboard_core.planning.capacity import ClosedWeight, MilestoneWindow, closed_weights, window
from glboard_core.planning.events_needed import Look, kinds_needed
from glboard_core.planning.figures import Figures
from glboard_core.planning.plan_lock import PlanChanges, PlanSnapshot
from glboard_core.planning.reasons import team_label_notes, tier_notes
from glboard_core.planning.say_do import SayDo, Track
from glboard_core.planning.timeline import before_move, timeline
from glboard_core.ports import Store
from glboard_core.report_issues import (
    Progress,
    RecentIssues,
    ReportIssues,
    cache_of,
    closed_key,
    labels_of,
)
from glboard_core.store.report_tables import ReportCache
from glboard_core.sync.engine import Engine

if TYPE_CHECKING:
    from glboard_core.gitlab.resource_events import EventReader, Further, Read

#: Histories stored per batch, so that little is lost if reading is interrupted.
TOGETHER = 20
#: That none of so few issues can be read says nothing about the others.
FEW = 3

#: How far our reading of the server's clock, which it tells in whole seconds, may be behind.
_CLOCK_SLACK = timedelta(seconds=2)
_PLANNED: frozenset[EventKind] = frozenset({"milestone", "label"})


class Reports:
    """Reports on the group of one engine.

    With ``as_of`` (the session shows an earlier time), later events are ignored. What was read is cached in
    the engine's store, and read again only for issues updated since.
    """

    def __init__(self, engine: Engine, reader: EventReader, *, as_of: datetime | None = None) -> None:
        self.engine = engine
        self.as_of = as_of
        self._reader = reader
        #: What reports read of issues.
        self.issues = ReportIssues(engine)
        self._known: dict[IssueId, History] = {}
        self._named: Catalog | None = None
        self._names: dict[tuple[EventKind, str], str] = {}
        self._unkept: list[History] = []
        #: References whose events the last report could not read.
        self.unread: tuple[str, ...] = ()
        #: The copies of the last report's issues that were moved to other projects.
        self.copies: Mapping[IssueId, Issue] = {}
        #: The issues of the last report, by reference.
        self.seen: Mapping[str, Issue] = {}
        #: Their events.
        self.events: Mapping[IssueId, Sequence[Event]] = {}

    # -- names and dates

    @property
    def settings(self) -> Settings:
        """The configuration, with present names."""
        return self.engine.settings

    @property
    def catalog(self) -> Catalog:
        """The catalog. Raises NameUnknown if it has not been read yet."""
        if (catalog := self.engine.catalog) is None:
            raise NameUnknown("group", "", hint=LOAD_FIRST)
        return catalog

    def milestone(self, name: str) -> Milestone:
        """The milestone for a title, ``current``, ``next``, ``after-next`` or alias. Raises NameUnknown."""
        title = milestone_title(name, self.settings, self.catalog, self.engine.today())
        found = self.catalog.find_milestone(title)
        if found is None:
            raise NameUnknown("milestone", title, self.catalog.near_milestones(title))
        return found

    def notes(self, name: str) -> list[str]:
        """What to know about the milestone that ``name`` means today. Raises NameUnknown."""
        overlaps = overlap_notes(name, self.settings, self.catalog, self.engine.today())
        label = team_label_notes(self.settings, self.catalog)
        return [*tier_notes(self.catalog.server), *label, *overlaps]

    @property
    def figures(self) -> Figures:
        """The planning rules for this group and day. Raises NameUnknown without a catalog."""
        return Figures(settings=self.settings, catalog=self.catalog, today=self.engine.today())

    @property
    def zone(self) -> ZoneInfo:
        """The team's time zone."""
        return ZoneInfo(self.settings.ui.time_zone)

    # -- issues

    async def closed_before(self, milestone: Milestone) -> tuple[ClosedWeight, ...]:
        """What the milestones before closed, to compare a capacity with. Raises what the gateway does."""
        past = self.figures.past(milestone)
        issues = await self.issues.closed([one.title for one in past]) if past else []
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
        # Only a plan that was not stored is looked up at its lock.
        moments = [measured.start, measured.cut_off, *([lock] if plan is None else [])]
        looks = (
            Look(_PLANNED, min(moments), max(moments)),
            Look(frozenset({"state"}), measured.cut_off, measured.cut_off),
        )
        missed = missed_labels(milestone, names)
        tracks = await self.past(milestone.title, looks, plan, progress, missed=missed)
        return say_do.say_do(
            tracks,
            milestone.title,
            measured,
            names,
            plan_lock.followed(plan, self.copies)
            if plan
            else plan_lock.rebuild(tracks, milestone.title, lock, names),
            count_wont_do=self.settings.planning.count_wont_do,
            missed_labels=missed,
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
        if plan is not None and timedelta() < lock - now <= _CLOCK_SLACK:
            now = lock
        if lock > now:
            raise UsageError(
                f"The plan of {milestone.title} is not locked before {plan_lock.minute(lock)}.",
                hint="Pass an earlier time with --locked-at.",
            )
        looks = () if plan is not None else (Look(_PLANNED | {"weight"}, lock, lock),)
        tracks = await self.past(milestone.title, looks, progress=progress)
        names = self.settings.labels
        if plan is not None:
            locked = plan_lock.followed(plan, self.copies)
        else:
            locked = plan_lock.rebuild(tracks, milestone.title, lock, names)
        return plan_lock.scope(locked, plan_lock.at_the_end(tracks, milestone.title, now, names))

    async def taken(
        self, milestone: Milestone, *, at: datetime | None = None, progress: Progress | None = None
    ) -> PlanSnapshot:
        """A milestone's plan as a snapshot: as it is now, or rebuilt from events as it was ``at``."""
        names, me = self.settings.labels, self.catalog.me.username
        if at is None:
            issues = await self.issues.read(
                [IssueQuery(labels=self.issues.labels, milestone=milestone.title)]
            )
            found = plan_lock.take(issues, milestone.title, self.engine.gateway.now(), names)
        else:
            looks = (Look(_PLANNED | {"weight"}, at, at),)
            tracks = await self.past(milestone.title, looks, progress=progress)
            found = plan_lock.rebuild(tracks, milestone.title, at, names)
        return plan_lock.locked(found, me, self.engine.host, self.catalog.group, self.catalog.group_id)

    async def past(
        self,
        milestone: str,
        looks: Sequence[Look],
        plan: PlanSnapshot | None = None,
        progress: Progress | None = None,
        *,
        missed: frozenset[str] = frozenset(),
    ) -> list[Track]:
        """Every issue that can matter to a report on ``milestone`` with these ``looks``, and its history.

        That is the group's issues in it, those updated since the first look (so also those that left it),
        those of ``plan``, and those with one of its labels ``missed``. Events are read only where
        they can tell more than the issue itself: those of milestones first, the other kinds only for issues
        that were ever in it, since the rest can appear in no list.
        """
        if self.as_of is not None:
            looks = (*looks, Look(_PLANNED | {"state", "weight"}, self.as_of, self.as_of))
        issues, kept = await self._candidates(milestone, looks, missed, progress)
        extra = {row.issue for row in plan.issues} if plan else set()
        if absent := extra - issues.keys():
            issues |= await self.engine.gateway.read(sorted(absent))
        issues |= await self._copies(issues)
        copies = {issue.moved_to for issue in issues.values()} - {None}
        needed = {issue.id: kinds for issue in issues.values() if (kinds := kinds_needed(issue, looks))}

        def concerned(issue: Issue, events: Iterable[Event]) -> bool:
            return (
                issue.milestone == milestone
                or not missed.isdisjoint(issue.labels)
                or issue.id in extra
                or issue.id in copies
                or any(event.kind == "milestone" and event.value == milestone for event in events)
            )

        def further(issue: Issue, events: Iterable[Event]) -> frozenset[EventKind]:
            return needed[issue.id] if concerned(issue, events) else frozenset()

        read = await self._histories([issues[one] for one in needed], further, progress)
        events = {issue: history.events for issue, history in read.histories.items()}
        found = {one: issue for one, issue in issues.items() if concerned(issue, events.get(one, ()))}
        # What an earlier report read may have left the group since, which no update says.
        left = found.keys() & kept
        found = {one: issue for one, issue in found.items() if one not in left} | await self.issues.still(
            left
        )
        self.unread = tuple(found[one].reference for one in read.unread if one in found)
        self.seen = {issue.reference: issue for issue in found.values()}
        if missed:
            # Only Say/Do is about what was closed.
            closed = [one for one in found.values() if not (one.is_open or one.moved or one.duplicate)]
            for one in await self.issues.promoted(closed):
                found[one] = structs.replace(found[one], promoted=True)
        return self._tracks(found, events)

    async def _copies(self, issues: Mapping[IssueId, Issue]) -> dict[IssueId, Issue]:
        """The group's issues that some of these were moved to, as far as they are not among them."""
        found: dict[IssueId, Issue] = {}
        while True:
            known = {**issues, **found}
            lacking = {one.moved_to for one in known.values() if one.moved_to is not None} - known.keys()
            if not lacking or not (read := await self.issues.still(lacking)):
                return found
            found |= read

    def _tracks(
        self, found: Mapping[IssueId, Issue], events: Mapping[IssueId, Sequence[Event]]
    ) -> list[Track]:
        """Each issue with its timeline. One that was moved to another project is left out: its copy, with its
        history, stands for it."""
        last = {one: _last_copy(one, found) for one in found}
        self.copies = {one: found[copy] for one, copy in last.items() if copy != one}
        earlier: dict[IssueId, list[Issue]] = {}
        for one, copy in last.items():
            if copy != one:
                earlier.setdefault(copy, []).append(found[one])
        tracks = []
        told: dict[IssueId, Sequence[Event]] = {}
        for issue in found.values():
            if issue.id in self.copies:
                continue
            history, created = list(events.get(issue.id, ())), issue.created_at
            for original in earlier.get(issue.id, ()):
                history += before_move(original, events.get(original.id, ()))
                created = min(created, original.created_at)
            whole = structs.replace(issue, created_at=created)
            told[issue.id] = history
            tracks.append(Track(issue, timeline(whole, history, until=self.as_of)))
        self.events = told
        return tracks

    async def _candidates(
        self, milestone: str, looks: Sequence[Look], missed: Collection[str], progress: Progress | None
    ) -> tuple[dict[IssueId, Issue], Collection[IssueId]]:
        """The issues that may have been in the milestone, and those of them that were not read just now."""
        labels = self.issues.labels
        queries = [IssueQuery(labels=labels, milestone=milestone, order="updated")]
        queries += [IssueQuery(labels=(*labels, label), order="updated") for label in sorted(missed)]
        recent = RecentIssues({})
        async with together() as tasks:
            there = tasks.create_task(self.issues.read(queries))
            if looks:
                since = min(look.since for look in looks)
                updated = tasks.create_task(self.issues.updated_since(since, progress))
        if looks:
            recent = updated.result()
        now = {issue.id: issue for issue in there.result()}
        return {**recent.issues, **now}, frozenset(recent.kept) - now.keys()

    # -- internals

    async def _histories(self, issues: Sequence[Issue], further: Further, progress: Progress | None) -> Read:
        """The histories; those read now are cached, even if reading is interrupted."""
        from glboard_core.gitlab.resource_events import Read

        kept = cache_of(self.engine)
        known = kept.histories(issue.id for issue in issues if issue.id not in self._known)
        self._known |= {issue: self._renamed(history) for issue, history in known.items()}

        def heard(history: History) -> None:
            self._known[history.issue] = history
            self._unkept.append(history)
            if len(self._unkept) >= TOGETHER:
                self._flush(kept)

        def told(done: int, of: int) -> None:
            if progress is not None:
                progress("events", done, of)

        try:
            return await self._reader.histories(issues, ("milestone",), self._known, told, heard, further)
        except (TokenRejected, TokenMissing, ScopeMissing):
            raise
        except (AuthError, NotGitLab):
            if len(issues) > FEW:
                raise
            return Read({}, tuple(issue.id for issue in issues))
        finally:
            self._flush(kept)

    def _renamed(self, history: History) -> History:
        """The history with today's titles: a rename updates no issue, so it is not read again for one."""
        return structs.replace(history, events=tuple(map(self._titled, history.events)))

    def _titled(self, event: Event) -> Event:
        title = self._titles.get((event.kind, event.of), event.value) if event.of else event.value
        return event if title == event.value else structs.replace(event, value=title)

    @property
    def _titles(self) -> Mapping[tuple[EventKind, str], str]:
        """The titles of labels and milestones by kind and number."""
        catalog = self.catalog
        if self._named is not catalog:
            self._named = catalog
            self._names = {("label", one.id.rpartition("/")[2]): one.title for one in catalog.labels}
            self._names |= {("milestone", one.id): one.title for one in catalog.milestones}
        return self._names

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
async def open_reports(engine: Engine, *, as_of: datetime | None = None) -> AsyncIterator[Reports]:
    """Reports over an engine; events are read over its gateway's connection."""
    from glboard_core.gitlab.gateway import transport_of
    from glboard_core.gitlab.resource_events import EventReader

    yield Reports(engine, EventReader(transport_of(engine.gateway)), as_of=as_of)


def _last_copy(issue: IssueId, known: Mapping[IssueId, Issue]) -> IssueId:
    """The last issue that this one was moved to, as far as it is known."""
    seen = {issue}
    while (copy := known[issue].moved_to) is not None and copy in known and copy not in seen:
        issue = copy
        seen.add(issue)
    return issue


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
    settings, kept, issues = engine.settings, cache_of(engine), list[Issue]()
    past = Figures(settings=settings, catalog=catalog, today=engine.today()).past(milestone)
    for one in past:
        if (found := kept.issues(closed_key(labels_of(settings), one.title))) is None:
            return None
        issues += found.issues
    return closed_weights(issues, past, settings.labels)
