"""The planning figures for the issues on screen: capacity, candidates, triage, mix, locked plans, Say/Do.

Owns when a figure is recomputed: when an issue, the catalog, the day or the team file changed, never because
the focus moved. Only the issues of the milestones concerned are read. What goes into a figure is in
``glboard_core.planning.figures``; what needs past events is read by ``glboard_core.reports``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, structs

from glboard_core.board.rules import types_of
from glboard_core.errors import GlboardError, NameUnknown, NotConnected
from glboard_core.model.issue import Issue, IssueId, rank_key
from glboard_core.model.milestone import Milestone, current, upcoming
from glboard_core.planning.capacity import Capacity, CapacityTally, ClosedWeight
from glboard_core.planning.figures import Figures
from glboard_core.planning.readiness import counts, planned
from glboard_core.planning.team import Team
from glboard_core.sync.engine import Engine
from glboard_core.sync.events import CatalogChanged, Event, IssuesChanged, WrittenElsewhere
from glboard_tui.board_view import milestone_line
from glboard_tui.bridge import Bridge
from glboard_tui.calls import Calls
from glboard_tui.plan_history import OpenReports, PlanHistory
from glboard_tui.team_store import TeamStore

if TYPE_CHECKING:
    from glboard_core.milestone_setup import MilestoneSetup
    from glboard_core.planning.candidates import Candidate, Order
    from glboard_core.planning.capacity import PersonCapacity
    from glboard_core.planning.mix import Mix
    from glboard_core.planning.planning_issue import FoundIssue
    from glboard_core.planning.triage import Finding


OpenMilestone = Callable[[Engine, str, "Team | None"], "MilestoneSetup"]
"""Creates the set-up of a milestone in GitLab, with the engine's own account."""


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
        self.calls = Calls(bridge, self.milestone, self.capacity_undrafted, reports)
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
        elif isinstance(event, WrittenElsewhere):
            self.tell()
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

    def issues_undrafted(self, *titles: str) -> list[Issue]:
        """The issues of these milestones without the draft that is on."""
        staged = {one.id: one.before for one in self.bridge.drafts.issues()}
        found = [issue for issue in self.issues_of(*titles) if issue.id not in staged]
        return found + [was for was in staged.values() if was is not None and was.milestone in titles]

    def capacity_undrafted(self, milestone: Milestone | None) -> Capacity | None:
        """``capacity`` without the draft that is on: what is tried out is not decided."""
        found, rules = self.capacity(milestone), self.figures
        if found is None or rules is None or milestone is None or not self.bridge.drafts.is_on:
            return found
        issues = self.issues_undrafted(*rules.concerned(milestone))
        return rules.capacity(issues, milestone, self.team or Team())

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


# Posting a capacity on the planning issue: a note with a mark
