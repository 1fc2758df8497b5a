"""Locked plans and what became of them: Say/Do, scope, the end of a milestone.

Owns the way from the screens to the stored plans and to ``glboard_core.reports``, which reads what the mirror
does not have. What the figures mean is defined in ``glboard_core.planning``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from glboard_core.errors import ConfigError, GlboardError, NameUnknown
from glboard_core.model.issue import Issue, IssueId
from glboard_core.model.milestone import Milestone, versions
from glboard_core.sync.engine import Engine

if TYPE_CHECKING:
    from glboard_core.planning.milestone_end import Leftover
    from glboard_core.planning.plan_lock import PlanSnapshot
    from glboard_core.planning.say_do import SayDo
    from glboard_core.planning.scope import Scope
    from glboard_core.reports import Reports
    from glboard_tui.planning import PlanningFigures

OpenReports = Callable[[Engine], AbstractAsyncContextManager["Reports"]]
"""Opens a reader of events with the engine's own account; closes its connection at the end."""

#: How many are read, of how many.
Progress = Callable[[int, int], None]


class SaidDone(Struct, frozen=True, kw_only=True):
    """Say/Do as read: the report, the references without readable history, and the time it is as of.

    ``issues`` are the issues in the lists, by reference, including those no longer on any board.
    """

    report: SayDo
    unread: Sequence[str]
    at: datetime
    issues: Mapping[str, Issue]


class PlanHistory:
    """One per ``MovePlan``."""

    def __init__(self, plan: PlanningFigures, reports: OpenReports | None) -> None:
        self._plan = plan
        self._reports = reports

    def _must(self) -> Engine:
        if (engine := self._plan.engine) is None:
            raise GlboardError("Not connected yet.", hint="Wait a moment, then try again.")
        return engine

    # The lock

    def locked(self, milestone: Milestone) -> PlanSnapshot | None:
        """The plan last locked or imported here. Raises StoreFailed."""
        from glboard_core.reports import kept_plan

        if (engine := self._plan.engine) is None:
            return None
        group = engine.catalog.group_id if engine.catalog is not None else ""
        return kept_plan(engine.store, milestone.title, group)

    def lock(self, milestone: Milestone) -> PlanSnapshot:
        """Lock the plan as currently shown. Raises StoreFailed, GlboardError."""
        from glboard_core.planning.plan_lock import locked

        engine, catalog = self._must(), self._plan.bridge.catalog
        taken = self._now(milestone)
        if catalog is not None:
            taken = locked(taken, catalog.me.username, engine.host, catalog.group, catalog.group_id)
        engine.store.keep_plan(taken)
        return taken

    def scope(self, milestone: Milestone) -> Scope | None:
        """What changed since the lock, unsent changes included; None if no plan is locked.

        Raises StoreFailed.
        """
        from glboard_core.planning.scope import scope

        locked = self.locked(milestone)
        return scope(locked, self._now(milestone)) if locked is not None else None

    def _now(self, milestone: Milestone) -> PlanSnapshot:
        from glboard_core.planning.plan_lock import take

        names = self._plan.bridge.settings.labels
        return take(self._plan.issues_of(milestone.title), milestone.title, self._must().now(), names)

    def export(self, plan: PlanSnapshot, file: Path) -> None:
        """Write a plan for a colleague. Raises GlboardError, also if the file already exists."""
        from glboard_core.planning.plan_lock import exported

        try:
            with file.open("xb") as out:
                out.write(exported(plan))
        except FileExistsError:
            raise GlboardError(f"{file} already exists.", hint="Choose another file name.") from None
        except OSError as error:
            raise GlboardError(f"Cannot write {file}: {error.strerror}.") from None

    def read(self, file: Path, milestone: Milestone) -> PlanSnapshot:
        """A colleague's plan of this milestone. Raises ConfigError, which names the file."""
        from glboard_core.planning.plan_lock import imported, refused

        engine, catalog = self._must(), self._plan.bridge.catalog
        if catalog is None:
            raise NameUnknown("milestone", milestone.title)
        try:
            raw = file.read_bytes()
        except OSError as error:
            raise ConfigError(f"cannot be read: {error.strerror}.", where=str(file)) from None
        plan = imported(raw, str(file))
        wrong = refused(plan, engine.host, catalog.group, catalog.group_id)
        if not wrong and plan.milestone != milestone.title:
            wrong = f"it is for {plan.milestone}, not {milestone.title}"
        if wrong:
            raise ConfigError(f"this plan cannot be used: {wrong}.", where=str(file))
        return plan

    def use(self, plan: PlanSnapshot) -> None:
        """Make this the current plan; the previous one is kept. Raises StoreFailed."""
        self._must().store.keep_plan(plan)

    # The end of a milestone

    def beside(self, milestone: Milestone, step: int) -> Milestone | None:
        """The version milestone ``step`` places after (negative: before) this one, or None."""
        catalog = self._plan.bridge.catalog
        ordered = versions(catalog.milestones) if catalog is not None else []
        at = next((n for n, one in enumerate(ordered) if one.title == milestone.title), None)
        if at is None or not 0 <= at + step < len(ordered):
            return None
        return ordered[at + step]

    def ending(self) -> Milestone | None:
        """The milestone that is being closed out now (7.6, EM-11), or None."""
        from glboard_core.planning.counting import planned
        from glboard_core.planning.milestone_end import ending

        catalog, today = self._plan.bridge.catalog, self._plan.bridge.today
        if catalog is None or today is None:
            return None
        names = self._plan.bridge.settings.labels
        return ending(
            catalog.milestones,
            today,
            lambda title: bool(planned(self._plan.issues_of(title), title, names)),
        )

    def leftovers(self, milestone: Milestone, also: Iterable[IssueId] = ()) -> list[Leftover]:
        """Unfinished issues of a milestone; moved ones are searched in the next two, the plan and ``also``.

        Issues dropped elsewhere before are in none of these: the list is about what can be done here.
        """
        from zoneinfo import ZoneInfo

        from glboard_core.planning.calendar import window
        from glboard_core.planning.milestone_end import leftovers

        bridge = self._plan.bridge
        plan = self.lock_of(milestone)
        after = [one.title for step in (1, 2) if (one := self.beside(milestone, step)) is not None]
        ids = {*also, *(row.issue for row in plan.issues)} if plan is not None else set(also)
        named = [issue for one in ids if (issue := bridge.issue(one)) is not None]
        return leftovers(
            [*self._plan.issues_of(milestone.title, *after), *named],
            milestone.title,
            window(milestone, ZoneInfo(bridge.settings.ui.time_zone)),
            bridge.settings.labels,
            plan,
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
            raise GlboardError(
                "Events cannot be read in this session.", hint="Run glboard report say-do instead."
            )
        async with self._reports(engine) as reports:
            found = await reports.say_do(milestone, plan=self.locked(milestone), progress=progress)
            return SaidDone(report=found, unread=reports.unread, at=engine.now(), issues=reports.seen)
