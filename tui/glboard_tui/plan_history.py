"""Locked plans on screen and what became of them: scope, the end of a milestone, Say/Do.

Owns what is read from the state file and from events; the rules are in ``glboard_core.planning``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from glboard_core.board.rules import missed_labels
from glboard_core.errors import ConfigError, GlboardError, NameUnknown, NotConnected
from glboard_core.files import read_bytes
from glboard_core.model.issue import Issue, IssueId
from glboard_core.model.milestone import Milestone, versions
from glboard_core.planning.capacity import window
from glboard_core.planning.readiness import planned
from glboard_core.sync.engine import Engine
from glboard_core.zones import zone_named
from glboard_tui.bridge import Bridge

if TYPE_CHECKING:
    from glboard_core.planning.milestone_end import Leftover
    from glboard_core.planning.plan_lock import PlanChanges, PlanSnapshot
    from glboard_core.planning.say_do import SayDo
    from glboard_core.reports import Reports

OpenReports = Callable[[Engine], AbstractAsyncContextManager["Reports"]]
"""Opens a reader of events with the engine's own account; closes its connection at the end."""

#: What is read, how many are read, and of how many.
Progress = Callable[[str, int, int], None]


class SaidDone(Struct, frozen=True, kw_only=True):
    """Say/Do as read: the report, the references without readable history, and the time it is as of.

    ``issues`` are the issues in the lists, by reference, including those no longer on any board.
    """

    report: SayDo
    unread: Sequence[str]
    at: datetime
    issues: Mapping[str, Issue]


class PlanHistory:
    """Locked plans and what became of them: scope, the end of a milestone, Say/Do.

    ``issues_of`` returns the issues of milestones as shown; ``reports`` opens a reader of events.
    """

    def __init__(
        self, bridge: Bridge, issues_of: Callable[..., Iterable[Issue]], reports: OpenReports | None
    ) -> None:
        self._bridge = bridge
        self._issues_of = issues_of
        self._reports = reports

    @property
    def _version(self) -> str:
        return self._bridge.settings.planning.version

    def _must(self) -> Engine:
        if (engine := self._bridge.engine) is None:
            raise NotConnected
        return engine

    # The lock

    def locked(self, milestone: Milestone) -> PlanSnapshot | None:
        """The plan last locked or imported here. Raises StoreFailed."""
        from glboard_core.reports import kept_plan

        if (engine := self._bridge.engine) is None:
            return None
        group = engine.catalog.group_id if engine.catalog is not None else ""
        return kept_plan(engine.store, milestone.title, group)

    def lock(self, milestone: Milestone) -> PlanSnapshot:
        """Lock the plan as currently shown. Raises StoreFailed, DraftOn, GlboardError."""
        from glboard_core.planning.plan_lock import locked

        self._bridge.drafts.check_off("A draft is not part of a locked plan.")
        engine, catalog = self._must(), self._bridge.whole_catalog
        taken = self._now(milestone)
        if catalog is not None:
            taken = locked(taken, catalog.me.username, engine.host, catalog.group, catalog.group_id)
        engine.store.keep_plan(taken)
        return taken

    def scope(self, milestone: Milestone) -> PlanChanges | None:
        """What changed since the lock, unsent changes included; None if no plan is locked.

        Raises StoreFailed.
        """
        from glboard_core.planning.plan_lock import scope

        locked = self.locked(milestone)
        return scope(self._followed(locked), self._now(milestone)) if locked is not None else None

    def _followed(self, plan: PlanSnapshot) -> PlanSnapshot:
        """The plan with the copies of issues that were moved to other projects, as far as we have them."""
        from glboard_core.planning.plan_lock import followed

        copies: dict[IssueId, Issue] = {}
        for row in plan.issues:
            issue = self._bridge.whole_issue(row.issue)
            if issue is None or issue.moved_to is None:
                continue
            if (copy := self._bridge.whole_issue(issue.moved_to)) is not None:
                copies[row.issue] = copy
        return followed(plan, copies)

    def _now(self, milestone: Milestone) -> PlanSnapshot:
        from glboard_core.planning.plan_lock import take

        names = self._bridge.settings.labels
        return take(self._issues_of(milestone.title), milestone.title, self._must().now(), names)

    def read(self, file: Path, milestone: Milestone) -> PlanSnapshot:
        """A colleague's plan of this milestone. Raises ConfigError, which names the file."""
        from glboard_core.planning.plan_lock import imported, refused

        engine, catalog = self._must(), self._bridge.whole_catalog
        if catalog is None:
            raise NameUnknown("milestone", milestone.title)
        try:
            raw = read_bytes(file)
        except FileNotFoundError:
            raise ConfigError("no such file.", where=str(file), hint="Check the path.") from None
        plan = imported(raw, str(file))
        wrong = refused(plan, engine.host, catalog.group, catalog.group_id)
        if not wrong and plan.milestone != milestone.title:
            wrong = f"it is for {plan.milestone}, not {milestone.title}"
        if wrong:
            raise ConfigError(f"cannot use this plan: {wrong}.", where=str(file))
        return plan

    def use(self, plan: PlanSnapshot) -> None:
        """Make this the current plan; the previous one is kept. Raises StoreFailed."""
        self._must().store.keep_plan(plan)

    # The end of a milestone

    def named(self, title: str) -> Milestone | None:
        """The milestone that has, or once had, this title; None if it is not known."""
        catalog = self._bridge.whole_catalog
        return catalog.find_milestone(catalog.present("milestone", title)) if catalog is not None else None

    def beside(self, milestone: Milestone, step: int) -> Milestone | None:
        """The version milestone ``step`` places after (negative: before) this one, or None."""
        catalog = self._bridge.whole_catalog
        ordered = versions(catalog.milestones, self._version) if catalog is not None else []
        at = next((n for n, one in enumerate(ordered) if one.title == milestone.title), None)
        if at is None or not 0 <= at + step < len(ordered):
            return None
        return ordered[at + step]

    def ending(self) -> Milestone | None:
        """The milestone that is being closed out now (rules 6 and 20), or None."""
        from glboard_core.planning.milestone_end import ending

        catalog, today = self._bridge.whole_catalog, self._bridge.today
        if catalog is None or today is None:
            return None
        names = self._bridge.settings.labels
        return ending(
            catalog.milestones,
            today,
            lambda title: bool(planned(self._issues_of(title), title, names)),
            self._version,
        )

    def leftovers(self, milestone: Milestone, also: Iterable[IssueId] = ()) -> list[Leftover]:
        """Unfinished issues of a milestone; moved ones are searched in the next two, the plan and ``also``.

        Issues dropped elsewhere before are in none of these: the list is about what can be done here.
        """
        from glboard_core.planning.milestone_end import leftovers

        bridge, locked = self._bridge, self.lock_of(milestone)
        plan = self._followed(locked) if locked is not None else None
        after = [one.title for step in (1, 2) if (one := self.beside(milestone, step)) is not None]
        ids = {*also, *(row.issue for row in plan.issues)} if plan is not None else set(also)
        named = [issue for one in ids if (issue := bridge.whole_issue(one)) is not None]
        return leftovers(
            [*self._issues_of(milestone.title, *after), *named],
            milestone.title,
            window(milestone, zone_named(bridge.settings.ui.time_zone)),
            bridge.settings.labels,
            plan,
            missed_labels(milestone, bridge.settings.labels),
        )

    def lock_of(self, milestone: Milestone) -> PlanSnapshot | None:
        """``locked``; a store that cannot be read counts as nothing locked."""
        try:
            return self.locked(milestone)
        except GlboardError:
            return None

    # Say/Do

    async def say_do(self, milestone: Milestone, progress: Progress) -> SaidDone:
        """Say/Do of a milestone. Raises what reading raises, and UsageError if it has no dates."""
        engine = self._must()
        if self._reports is None:
            raise GlboardError("This session cannot load events.", hint="Run glboard report say-do instead.")
        async with self._reports(engine) as reports:
            found = await reports.say_do(milestone, plan=self.locked(milestone), progress=progress)
            return SaidDone(report=found, unread=reports.unread, at=engine.now(), issues=reports.seen)
