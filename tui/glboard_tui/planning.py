"""The planning figures for the issues on screen: capacity, candidates, triage, mix, locked plans, Say/Do.

Owns when a figure is recomputed: when an issue, the catalog, the day or the team file changed, never because
the focus moved. Only the issues of the milestones concerned are read. What goes into a figure is in
``glboard_core.planning.figures``; what needs past events is read by ``glboard_core.reports``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from msgspec import Struct, structs

from glboard_core.board.batch import EditBatch
from glboard_core.board.operations import NoteSought, NoteWrite
from glboard_core.board.rules import types_of
from glboard_core.errors import ConfigError, GlboardError, NameUnknown, NotConnected
from glboard_core.files import read_bytes
from glboard_core.model.issue import Issue, IssueId, rank_key
from glboard_core.model.milestone import Milestone, current, upcoming, versions
from glboard_core.planning.capacity import Capacity, CapacityTally, ClosedWeight, window
from glboard_core.planning.figures import Figures
from glboard_core.planning.readiness import counts, planned
from glboard_core.planning.team import Team
from glboard_core.sync.engine import Engine
from glboard_core.sync.events import CatalogChanged, Event, IssuesChanged
from glboard_tui.board_view import milestone_line
from glboard_tui.bridge import Bridge
from glboard_tui.calls import Calls
from glboard_tui.team_store import TeamStore

if TYPE_CHECKING:
    from glboard_core.milestone_setup import MilestoneSetup
    from glboard_core.planning.candidates import Candidate, Order
    from glboard_core.planning.capacity import PersonCapacity
    from glboard_core.planning.milestone_end import Leftover
    from glboard_core.planning.mix import Mix
    from glboard_core.planning.plan_lock import PlanChanges, PlanSnapshot
    from glboard_core.planning.planning_issue import FoundIssue
    from glboard_core.planning.say_do import SayDo
    from glboard_core.planning.triage import Finding
    from glboard_core.reports import Reports


OpenReports = Callable[[Engine], AbstractAsyncContextManager["Reports"]]
"""Opens a reader of events with the engine's own account; closes its connection at the end."""

OpenMilestone = Callable[[Engine, str, "Team | None"], "MilestoneSetup"]
"""Creates the set-up of a milestone in GitLab, with the engine's own account."""

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


class Lookback(Struct, frozen=True, kw_only=True):
    """What earlier milestones closed: None while unknown; ``read`` in this session, else from the store.

    ``trouble`` says why it could not be read.
    """

    closed: tuple[ClosedWeight, ...] | None = None
    read: bool = False
    reading: bool = False
    trouble: str = ""


class PlanningFigures:
    """One per app. ``team_file`` holds the team's days, if there is one."""

    def __init__(
        self,
        bridge: Bridge,
        team_file: Path | None = None,
        reports: OpenReports | None = None,
        opening: OpenMilestone | None = None,
    ) -> None:
        self.bridge = bridge
        self.team_store = TeamStore(team_file, self._team_changed, lambda: bridge.catalog)
        self._closed: dict[str, Lookback] = {}
        self._reports = reports
        #: Locked plans, and what events show.
        self.history = PlanHistory(bridge, self.issues_of, reports)
        #: The planning call, and what is decided in it.
        self.calls = Calls(bridge, self.milestone, self.capacity, reports)
        self._opening = opening
        self._engine: Engine | None = None
        self._watchers: list[Callable[[], None]] = []
        self._capacities: dict[tuple[str, object], Capacity] = {}
        #: What keeps them up to date: a change costs what it changes, not what the milestone holds.
        self._tallies: dict[tuple[str, object], CapacityTally] = {}
        #: The triage reasons of each issue, with the issue they were computed for.
        self._reasons: dict[IssueId, tuple[Issue, tuple[str, ...]]] = {}
        self._reasons_for: object = None

    # The team

    @property
    def team(self) -> Team | None:
        """The team, or None if there is no file or it has an error."""
        return self.team_store.team

    # Changes

    def _team_changed(self) -> None:
        if (team := self.team_store.written) is not None:
            self.bridge.know_team(member.username for member in team.people)
        self._tell()

    def watch(self, changed: Callable[[], None]) -> Callable[[], None]:
        """Call ``changed`` whenever figures may have changed. Returns a function that stops that."""
        self._attach()
        self._watchers.append(changed)

        def unwatch() -> None:
            if changed in self._watchers:
                self._watchers.remove(changed)

        return unwatch

    def _attach(self) -> Engine | None:
        engine = self.bridge.engine
        if engine is not None and engine is not self._engine:
            self._engine = engine
            self._capacities.clear()
            self._tallies.clear()
            engine.listen(self._hear)
        return engine

    def _hear(self, event: Event) -> None:
        if isinstance(event, CatalogChanged):
            self._tallies.clear()
            self._tell()
        elif isinstance(event, IssuesChanged):
            for before, after in event.changes:
                for tally in self._tallies.values():
                    if after is not None:
                        tally.put(after)
                    elif before is not None:
                        tally.drop(before.id)
            self._tell()

    def tell(self) -> None:
        """Tell those who watch the figures that they look different now."""
        for changed in list(self._watchers):
            changed()

    def _tell(self) -> None:
        self._capacities.clear()
        self.tell()

    # What there is

    def issues_of(self, *titles: str) -> Iterable[Issue]:
        """The issues of these milestones as shown ("" for issues without a milestone)."""
        if (engine := self._attach()) is not None:
            for title in titles:
                yield from engine.shown.matching(title)

    @property
    def figures(self) -> Figures | None:
        """The planning rules for now; None before the catalog is loaded."""
        catalog, today = self.bridge.whole_catalog, self.bridge.today
        if catalog is None or today is None:
            return None
        return Figures(settings=self.bridge.settings, catalog=catalog, today=today)

    def milestone(self) -> Milestone | None:
        """The version milestone of the current board; on a board without one, the next milestone."""
        catalog, today = self.bridge.whole_catalog, self.bridge.today
        if catalog is None or today is None:
            return None
        return self.board_milestone() or next(
            iter(upcoming(catalog.milestones, today, self.bridge.settings.planning.version)), None
        )

    def board_milestone(self) -> Milestone | None:
        """The version milestone of the current board, or None."""
        board, catalog = self.bridge.board, self.bridge.whole_catalog
        if board is None or not board.milestone or catalog is None:
            return None
        found = catalog.find_milestone(board.milestone)
        version = self.bridge.settings.planning.version
        return found if found is not None and found.is_version(version) else None

    def capacity(self, milestone: Milestone | None) -> Capacity | None:
        """The capacity of a version milestone, or None. Without a team only the sums are meaningful."""
        self._attach()
        figures = self.figures
        if milestone is None or figures is None or milestone.start is None or milestone.due is None:
            return None
        key = (milestone.title, figures.today)
        if key not in self._capacities:
            if (tally := self._tallies.get(key)) is None:
                tally = self._tallies[key] = figures.tally(milestone)
                for issue in self.issues_of(*figures.concerned(milestone)):
                    tally.put(issue)
            self._capacities[key] = tally.capacity(self.team or Team())
        return self._capacities[key]

    # The second figure

    def closed(self, milestone: Milestone) -> Lookback:
        """What earlier milestones closed, as far as known."""
        if (known := self._closed.get(milestone.title)) is None:
            from glboard_core.reports import kept_closed

            engine = self._attach()
            known = Lookback(closed=kept_closed(engine, milestone) if engine is not None else None)
            self._closed[milestone.title] = known
        return known

    async def read_closed(self, milestone: Milestone) -> None:
        """Read what earlier milestones closed, once per session. Notifies watchers."""
        known = self.closed(milestone)
        engine = self._attach()
        if known.read or known.reading or self._reports is None or engine is None:
            return
        self._closed[milestone.title] = structs.replace(known, reading=True, trouble="")
        try:
            async with self._reports(engine) as reports:
                closed = await reports.closed_before(milestone)
            self._closed[milestone.title] = Lookback(closed=closed, read=True)
        except GlboardError as error:
            self._closed[milestone.title] = structs.replace(known, trouble=error.message)
        finally:
            now = self._closed[milestone.title]
            if now.reading:  # cancelled: the next call reads again
                self._closed[milestone.title] = structs.replace(now, reading=False)
        self._tell()

    def people_with_days(self) -> dict[str, PersonCapacity]:
        """Each team member's capacity in the milestone being planned, by username."""
        milestone = self.milestone()
        found = self.capacity(milestone) if milestone is not None and self.team is not None else None
        return {p.username: p for p in found.people if p.budget is not None} if found is not None else {}

    def candidates(self, milestone: Milestone, order: Order = "suggested") -> list[Candidate]:
        """The open issues of the milestone, in suggested order or another (planning rule 12)."""
        figures = self.figures
        if figures is None:
            return []
        return figures.candidates(self.issues_of(milestone.title), milestone, order=order)

    def triage(self) -> list[Finding]:
        """Every open issue that needs fixing, in manual order (rule 9)."""
        from glboard_core.planning.triage import Finding

        engine, figures = self._attach(), self.figures
        if engine is None or figures is None:
            return []
        if self._reasons_for != (figures.catalog, figures.today):
            # The reasons also depend on which milestones exist and which are over.
            self._reasons_for = (figures.catalog, figures.today)
            self._reasons.clear()
        rules = figures.triage_rules()
        found = []
        for issue in engine.shown.values():
            known = self._reasons.get(issue.id)
            if known is None or known[0] != issue:
                known = self._reasons[issue.id] = (issue, rules.reasons(issue))
            if known[1]:
                found.append(Finding(issue, known[1]))
        return sorted(found, key=lambda finding: rank_key(finding.issue))

    def unrefined(self) -> list[tuple[str, list[Issue]]]:
        """Open, unweighted issues of the group in planning breakdown by milestone, the next one first.

        Then those after it, the current and past ones, the milestones without dates, and ""; each in manual
        order (rule 22).
        """
        names, flow = self.bridge.settings.labels, self.bridge.view.flow

        def waits(issue: Issue) -> bool:
            if not issue.is_open or issue.weight is not None or not counts(issue, names):
                return False
            state = flow.of(issue)
            return state is not None and state.name == "planning breakdown"

        engine, catalog = self._attach(), self.bridge.whole_catalog
        if engine is None or catalog is None:
            return []
        by_title: dict[str, list[Issue]] = {}
        for issue in sorted(filter(waits, engine.shown.values()), key=rank_key):
            by_title.setdefault(issue.milestone or "", []).append(issue)
        after = upcoming(catalog.milestones, engine.today(), self.bridge.settings.planning.version)
        line = milestone_line(catalog, self.bridge.settings)
        first = (one.title for one in after)
        order = list(dict.fromkeys([*first, *line, *sorted(by_title.keys() - {""}), ""]))
        return [(title, by_title[title]) for title in order if title in by_title]

    def mine(self) -> list[Issue]:
        """Open issues assigned to me, by workflow state, then in manual order (rule 22)."""
        from glboard_core.planning.candidates import assigned

        engine, catalog = self._attach(), self.bridge.whole_catalog
        if engine is None or catalog is None:
            return []
        return assigned(engine.shown.values(), catalog.me.username, self.bridge.view.flow)

    def _current(self) -> Milestone | None:
        catalog, today = self.bridge.whole_catalog, self.bridge.today
        if catalog is None or today is None:
            return None
        return current(catalog.milestones, today, self.bridge.settings.planning.version)

    def to_pick(self) -> tuple[str | None, list[Issue]]:
        """The current milestone and its ready, unassigned issues, in order (rule 22)."""
        from glboard_core.planning.candidates import to_pick

        if (now := self._current()) is None:
            return None, []
        names, catalog = self.bridge.settings.labels, self.bridge.whole_catalog
        weights = catalog is None or catalog.server.has_weight
        issues, flow = self.issues_of(now.title), self.bridge.view.flow
        return now.title, to_pick(issues, now.title, flow, names, weights=weights)

    def planning_issue(self, milestone: Milestone) -> FoundIssue:
        """The planning issue of the milestone, as far as the mirror has it; it is on no board."""
        from glboard_core.planning.planning_issue import find

        return find(self.issues_of(milestone.title, ""), milestone, self.bridge.settings)

    def setup(self, milestone: Milestone) -> MilestoneSetup:
        """The set-up that opens the milestone in GitLab. Raises GlboardError if this session cannot."""
        if (engine := self._attach()) is None:
            raise NotConnected
        if self._opening is None:
            raise GlboardError(
                "This session cannot open milestones.",
                hint=f"Run glboard milestone open {milestone.title} instead.",
            )
        return self._opening(engine, milestone.title, self.team_store.team)

    def mix(self, milestone: Milestone) -> Mix:
        """The types of the milestone's open issues, with the target (rule 11). Raises NameUnknown."""
        if (figures := self.figures) is None:
            raise NameUnknown("milestone", milestone.title)
        return figures.mix(self.issues_of(milestone.title), milestone)

    def typed(self, milestone: Milestone) -> dict[str, list[Issue]]:
        """The issues behind the mix by type, in manual order; one with several types is under its first."""
        from glboard_core.planning.mix import UNDEFINED

        names = self.bridge.settings.labels
        groups: dict[str, list[Issue]] = {name: [] for name in self.mix(milestone).types}
        there = planned(self.issues_of(milestone.title), milestone.title, names)
        for issue in sorted(there, key=rank_key):
            groups[next(iter(types_of(issue, names)), UNDEFINED)].append(issue)
        return groups


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
            raise ConfigError("no such file.", where=str(file)) from None
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
        from glboard_core.board.rules import missed_labels
        from glboard_core.planning.milestone_end import leftovers

        bridge, locked = self._bridge, self.lock_of(milestone)
        plan = self._followed(locked) if locked is not None else None
        after = [one.title for step in (1, 2) if (one := self.beside(milestone, step)) is not None]
        ids = {*also, *(row.issue for row in plan.issues)} if plan is not None else set(also)
        named = [issue for one in ids if (issue := bridge.whole_issue(one)) is not None]
        return leftovers(
            [*self._issues_of(milestone.title, *after), *named],
            milestone.title,
            window(milestone, ZoneInfo(bridge.settings.ui.time_zone)),
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


# Posting a capacity on the planning issue: a note with a mark


def _mark(milestone: Milestone) -> str:
    return f"capacity {milestone.title}"


async def posted_before(engine: Engine | None, issue: Issue, milestone: Milestone) -> str | None:
    """The text of my existing note, sent or unsent; None if there is none.

    Raises what reading raises.
    """
    return await note_before(engine, issue, _mark(milestone))


async def note_before(engine: Engine | None, issue: Issue, mark: str) -> str | None:
    """The text of my note with a mark, as for ``posted_before``."""
    if engine is None or engine.catalog is None:
        raise NotConnected
    waiting = [op.change for op in engine.outbox.of(issue.id)]
    for change in reversed(waiting):
        if change.note_sought == NoteSought(mark):
            return change.typed[1]
    note = await engine.gateway.marked_note(issue.id, mark, engine.catalog.me.username)
    return note.body if note is not None else None


def post(issue: Issue, milestone: Milestone, text: str, was: str | None) -> EditBatch:
    """The change that posts ``text``; ``was`` is the result of ``posted_before``."""
    change = NoteWrite(mark=_mark(milestone), body=text, was=was)
    title = f"capacity of {milestone.title} on {issue.reference}"
    return EditBatch(changes=((issue.id, change),), title=title)
