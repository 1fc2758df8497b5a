"""The planning rules with settings, catalog and day filled in: what screen, reports and set-up compute.

Owns which labels, milestones and settings go into which rule, by their present names; the rules are in the
other modules here. The issues come from the caller: the screen has them, a command reads them.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct

from glboard_core.board.definition import flow_scheme, milestone_title
from glboard_core.config import Settings
from glboard_core.errors import NameUnknown
from glboard_core.model.catalog import Catalog
from glboard_core.model.issue import Issue
from glboard_core.model.milestone import Milestone, by_title, preceding, present_titles
from glboard_core.model.workflow import WorkflowScheme
from glboard_core.planning import capacity as capacities
from glboard_core.planning.capacity import Capacity, CapacityTally, CarryOver, Load
from glboard_core.planning.readiness import open_for_deliverables
from glboard_core.planning.team import Team, former_names

if TYPE_CHECKING:
    # What only a pane or a report shows is not loaded before the first frame.
    from glboard_core.planning.candidates import Candidate, Order
    from glboard_core.planning.decisions import DecisionRules
    from glboard_core.planning.mix import Mix
    from glboard_core.planning.triage import Rules


class Figures(Struct, frozen=True, kw_only=True, dict=True):
    """The figures of one group. ``today`` is a day in the team's time zone."""

    settings: Settings
    catalog: Catalog
    today: date

    @cached_property
    def flow(self) -> WorkflowScheme:
        """How workflow states are stored."""
        return flow_scheme(self.settings)

    def before(self, milestone: Milestone) -> Milestone | None:
        """The version milestone whose open Deliverables are carried over (rule 10)."""
        return preceding(self.catalog.milestones, milestone.title, self.settings.planning.version)

    def concerned(self, milestone: Milestone) -> list[str]:
        """The titles of the milestones whose open issues ``capacity`` and ``carry_over`` need."""
        before = self.before(milestone)
        return [milestone.title, *([before.title] if before else [])]

    def past(self, milestone: Milestone) -> list[Milestone]:
        """The milestones a capacity of ``milestone`` is compared with (rule 10)."""
        known, planning = self.catalog.milestones, self.settings.planning
        return capacities.past_milestones(known, milestone, self.today, planning)

    def capacity(self, issues: Iterable[Issue], milestone: Milestone, team: Team) -> Capacity:
        """The capacity of a milestone (rule 10). Raises UsageError if it has no dates."""
        settings, team = self.settings, former_names(team, self.catalog).replaced(team)
        return capacities.capacity(
            issues, milestone, team, self.catalog.milestones, self.flow, settings.labels, settings.planning
        )

    def tally(self, milestone: Milestone) -> CapacityTally:
        """What keeps that capacity up to date one issue at a time; without any issue yet."""
        settings = self.settings
        before = self.before(milestone)
        return CapacityTally(milestone, before, self.flow, settings.labels, settings.planning)

    def carry_over(self, issues: Iterable[Issue], milestone: Milestone) -> CarryOver:
        """What is left of the milestone before (rule 10)."""
        before, settings = self.before(milestone), self.settings
        return capacities.carry_over(issues, before, self.flow, settings.labels, settings.planning)

    def load(self, issues: Iterable[Issue], milestone: Milestone, team: Team | None) -> Load:
        """The accepted weight of each person (rule 21)."""
        if team is not None:
            team = former_names(team, self.catalog).replaced(team)
        return capacities.load_of(issues, milestone, team, self.settings.labels)

    def candidates(
        self, issues: Iterable[Issue], milestone: Milestone, *, order: Order = "suggested"
    ) -> list[Candidate]:
        """What can become a Deliverable of a milestone, in order (rule 12)."""
        from glboard_core.planning.candidates import candidates

        allowed = open_for_deliverables(self.catalog.milestones, self.today, self.settings.planning.version)
        names, weights = self.settings.labels, self.catalog.server.has_weight
        renamed = present_titles(self.catalog.milestones)
        return candidates(
            issues, milestone.title, allowed, self.flow, names, order=order, weights=weights, renamed=renamed
        )

    def mix(self, issues: Iterable[Issue], milestone: Milestone) -> Mix:
        """The types of a milestone's open issues, with the target (rule 11)."""
        from glboard_core.planning.mix import mix

        return mix(issues, milestone.title, self.settings.labels, self.settings.planning.mix)

    def decision_rules(self, milestone: str) -> DecisionRules:
        """What the kinds of decisions about a milestone depend on (rule 29)."""
        from glboard_core.planning.decisions import POSTPONED, rules_for

        later = []
        for key in POSTPONED:
            with suppress(NameUnknown):  # it is reported when a board that needs it is opened
                later.append(milestone_title(key, self.settings, self.catalog, self.today))
        return rules_for(
            self.settings.labels,
            self.flow,
            self.catalog.milestones,
            self.settings.planning.version,
            later,
            planned=milestone,
            weights=self.catalog.server.has_weight,
        )

    def triage_rules(self) -> Rules:
        """What the reasons of the triage list depend on (rule 9)."""
        from glboard_core.planning.triage import Rules

        return Rules(
            names=self.settings.labels,
            flow=self.flow,
            milestones=by_title(self.catalog.milestones),
            today=self.today,
            version=self.settings.planning.version,
            weights=self.catalog.server.has_weight,
        )
