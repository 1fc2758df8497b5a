"""The reports of ``glboard report``: what each reads and computes, its JSON and its texts.

One class for each kind, listed in ``REPORTS``; nothing else knows which there are. The rules are in
``glboard_core.planning``. The JSON is stable, as docs/command-line.md documents it; every Say/Do figure names
its definition.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Self

from msgspec import structs

from glboard_core.errors import ConfigError
from glboard_core.model.issue import Issue
from glboard_core.model.milestone import Milestone
from glboard_core.planning import capacity as capacities
from glboard_core.planning import plan_lock, say_do
from glboard_core.planning.candidates import Candidate, fill
from glboard_core.planning.capacity import ClosedWeight, mean
from glboard_core.planning.mix import Mix
from glboard_core.planning.plan_lock import PlannedIssue, count_words, locked_words
from glboard_core.planning.say_do import DEFINITIONS, Definition
from glboard_core.planning.text import number, percent_words, signed, with_sign
from glboard_core.planning.triage import Finding, triage
from glboard_tui.cli.context import cells, moment, shown_progress
from glboard_tui.cli.report_decisions import DecisionsReport
from glboard_tui.cli.report_output import Report, ReportOptions, Shape, Text, TextTable

if TYPE_CHECKING:
    from glboard_core.reports import Reports


def _references(issues: Iterable[Issue | PlannedIssue]) -> list[str]:
    return [issue.reference for issue in issues]


def _locker(username: str) -> Shape:
    """Who locked the plan; nothing if it was rebuilt from events."""
    return {"locked_by": username} if username else {}


class SayDoReport(Report, frozen=True):
    """Said and done of a milestone by every definition (rule 6). ``at`` is the time it is as of."""

    kind: ClassVar = "say-do"
    about: ClassVar = "what was planned and what was done, by every definition"
    keep: ClassVar = True

    found: say_do.SayDo
    milestone: Milestone
    at: datetime

    @classmethod
    async def compute(cls, asked: ReportOptions, reports: Reports) -> Self:
        milestone = reports.milestone(asked.milestone)
        plan = asked.plan(reports, milestone)
        found = await reports.say_do(
            milestone, locked_at=asked.options.locked_at, plan=plan, progress=shown_progress()
        )
        return cls(found, milestone, reports.engine.now())

    def shape(self) -> Shape:
        report = self.found
        return {
            "milestone": report.milestone,
            "cut_off": moment(report.cut_off),
            "locked_at": moment(report.locked_at),
            "source": report.source,
            **_locker(report.locked_by),
            "definitions": {name: self._ratio(name) for name in DEFINITIONS},
            "late_added": report.late_added,
            "removed_or_moved_early": report.removed_or_moved_early,
            "late_closed": report.late_closed,
            "unresolved": report.unresolved,
        }

    def _ratio(self, name: Definition) -> Shape:
        ratio = self.found.definitions[name]
        if name.startswith("handbook"):
            # The handbook's formula has no list of what was planned, only what was missed and what was done.
            return {"completed": ratio.done, "missed": ratio.missed, "percent": ratio.percent}
        return {"assigned": ratio.said, "completed": ratio.done, "percent": ratio.percent}

    def text(self) -> Text:
        """The group's figure in words, with ``committed``, then every definition and list."""
        report, definitions, beside = self.found, self.found.definitions, say_do.beside(self.found)
        missed = [(f"{name}: not done", definitions[name].missed) for name in DEFINITIONS]
        of_definitions = [
            (name, "done" if reference in ratio.done else "not done", reference)
            for name, ratio in definitions.items()
            for reference in ratio.said
        ]
        of_lists = [("", title, reference) for title, references in beside for reference in references]
        heads = ("definition", "said", "done", "percent", "target")
        return Text(
            heading=f"Say/Do {report.milestone}",
            lines=tuple(f"{line}." for line in say_do.said(report, self.milestone, self.at)),
            tables=(TextTable("", heads, say_do.table(report), frozenset({1, 2, 3, 4})),),
            lists=[*missed, *beside],
            csv=TextTable("", ("definition", "list", "reference"), [*of_definitions, *of_lists]),
        )


class CapacityReport(Report, frozen=True):
    """Days and weight per person (rule 10); ``posted`` is the Markdown that is posted."""

    kind: ClassVar = "capacity"
    about: ClassVar = "days and weight per person; carry-over, planned, free"
    private: ClassVar = True
    keep: ClassVar = True

    found: capacities.Capacity
    closed: Sequence[ClosedWeight]
    posted: str

    @classmethod
    async def compute(cls, asked: ReportOptions, reports: Reports) -> Self:
        milestone = reports.milestone(asked.milestone)
        team = asked.options.read_team()
        if team is None:
            raise ConfigError(
                "no such file; capacity needs the team's days.",
                where=str(asked.options.team_file),
                hint="Create one in the capacity pane, or set another with --team.",
            )
        figures = reports.figures
        issues = await reports.issues.open(figures.concerned(milestone))
        found = figures.capacity(issues, milestone, team)
        closed = await reports.closed_before(milestone)
        return cls(found, closed, capacities.markdown(found, milestone, closed, names=asked.names))

    def shape(self) -> Shape:
        """Nothing is rounded; days and weight are null for people not in the team file."""
        report = self.found
        return {
            "milestone": report.milestone,
            "workdays": report.workdays,
            "people": [
                {
                    "username": person.username,
                    "net_days": person.budget.net_days if person.budget else None,
                    "weight": person.budget.weight if person.budget else None,
                    "committed": person.committed,
                }
                for person in report.people
            ],
            "total_weight": report.total,
            "carry_over": {
                "weight": report.carry_over.weight,
                "likely_weight": report.carry_over.likely,
                "issues": _references(report.carry_over.issues),
            },
            "planned": report.planned,
            "unweighted": report.unweighted,
            "room": report.free,
            "room_likely": report.free_likely,
        }

    def text(self) -> Text:
        """The team's line, the comparison, then a line per person."""
        report = self.found
        carried = report.carry_over
        unweighted = f" + {report.unweighted} unweighted" if report.unweighted else ""
        lines = [
            (
                f"Planned {report.planned}{unweighted} / capacity {number(report.total)}, "
                f"carry-over {number(carried.likely)} likely, {carried.weight} all, "
                f"free {signed(report.free_likely)} likely, {signed(report.free)} all."
            ),
            f"{report.workdays} workdays; planned weight {report.unassigned} is unassigned.",
        ]
        roles = {role: weight for role, weight in report.by_role().items() if role}
        if roles:
            lines.append("By role: " + ", ".join(f"{role} {number(w)}" for role, w in roles.items()) + ".")
        if (average := mean(self.closed)) is not None:
            each = ", ".join(f"{one.milestone}: {one.weight}" for one in self.closed)
            lines.append(f"For comparison, closed Deliverable weight: {number(average)} on average ({each}).")
        heads = ("username", "role", "net days", "budget", "committed", "carry-over", "free")
        rows = [
            (
                person.username,
                person.role,
                number(person.budget.net_days) if person.budget else "no days",
                number(person.budget.weight) if person.budget else "",
                str(person.committed),
                number(person.likely),
                "" if person.free is None else signed(person.free),
            )
            for person in report.people
        ]
        return Text(
            heading=f"Capacity {report.milestone}",
            lines=tuple(lines),
            tables=(TextTable("", heads, rows, frozenset({2, 3, 4, 5, 6})),),
            lists=[(f"carry-over of {carried.milestone}", _references(carried.issues))],
            csv=TextTable("", heads, [(*row[:-1], row[-1].removeprefix("!")) for row in rows]),
            markdown=self.posted,
        )


class CandidatesReport(Report, frozen=True):
    """What can be accepted (rule 12); ``space`` is the weight that still can, if known."""

    kind: ClassVar = "candidates"
    about: ClassVar = "what can become a Deliverable, in suggested order, and what cannot and why"

    milestone: str
    found: Sequence[Candidate]
    space: float | None

    @classmethod
    async def compute(cls, asked: ReportOptions, reports: Reports) -> Self:
        milestone = reports.milestone(asked.milestone)
        team = asked.options.read_team()
        figures = reports.figures
        issues = await reports.issues.open(figures.concerned(milestone))
        dated = milestone.start is not None and milestone.due is not None
        space = figures.capacity(issues, milestone, team).space() if team and dated else None
        return cls(milestone.title, figures.candidates(issues, milestone), space)

    def _found(self) -> Sequence[Candidate]:
        """The candidates as they are printed: of a hidden one only its place and weight."""
        return [
            structs.replace(
                one,
                reasons=one.reasons and ("confidential",),
                warnings=(),
                slipped=0,
                priority=None,
                severity=None,
                severe=False,
                accepted=False,
            )
            if self.printed.hides_facts(one.issue)
            else one
            for one in self.found
        ]

    def shape(self) -> Shape:
        found = self._found()
        return {
            "milestone": self.milestone,
            "eligible": [
                {
                    "reference": one.issue.reference,
                    "weight": one.issue.weight,
                    "slipped": one.slipped,
                    "rank": one.rank,
                    "priority": one.priority,
                    "warnings": one.warnings,
                }
                for one in found
                if one.eligible
            ],
            "not_eligible": [
                {"reference": one.issue.reference, "reasons": one.reasons}
                for one in found
                if not one.eligible
            ],
        }

    def text(self) -> Text:
        """Eligible issues with the running weight, then the others and why not."""
        found, space = self._found(), None if self.printed.is_shared else self.space
        lines = [
            f"{sum(one.eligible for one in found)} of {len(found)} open issues can become a Deliverable."
        ]
        proposal = {line.candidate.issue.id: line for line in fill(found, space)} if space is not None else {}
        if space is not None:
            chosen = sum(line.chosen for line in proposal.values())
            lines.append(
                f"Free weight {with_sign(space)} after likely carry-over and accepted issues; "
                f"in this order, {chosen} would fit (marked *)."
            )

        def mark(one: Candidate) -> str:
            if one.accepted:
                return "accepted"
            line = proposal.get(one.issue.id)
            return f"* {line.cumulative}" if line is not None and line.chosen else ""

        def named(one: Candidate) -> tuple[str, ...]:
            severe = (f"severity {one.severity} bug",) if one.severe else ()
            notes = " ".join((*one.warnings, *severe))
            return one.issue.reference, mark(one), notes, self.printed.title(one.issue)

        heads = ("rank", "slipped", "priority", "weight", "reference", "proposal", "notes", "title")
        eligible = [
            cells(one.rank, one.slipped or None, one.priority, number(one.issue.weight)) + named(one)
            for one in found
            if one.eligible
        ]
        not_eligible = [
            (
                str(one.rank),
                one.issue.reference,
                " ".join(one.reasons),
                mark(one),
                self.printed.title(one.issue),
            )
            for one in found
            if not one.eligible
        ]
        why_heads = ("rank", "reference", "reasons", "state", "title")
        csv_heads = ("reference", "eligible", "reasons", "weight", "slipped", "rank", "priority", "warnings")
        csv_rows = [
            cells(one.issue.reference, "yes" if one.eligible else "no", " ".join(one.reasons))
            + cells(one.issue.weight, one.slipped, one.rank, one.priority, " ".join(one.warnings))
            for one in found
        ]
        return Text(
            heading=f"Candidates {self.milestone}",
            lines=tuple(lines),
            tables=(
                TextTable("Eligible", heads, eligible, frozenset({0, 1, 2, 3})),
                TextTable("Not eligible", why_heads, not_eligible, frozenset({0})),
            ),
            csv=TextTable("", csv_heads, csv_rows),
        )


class MixReport(Report, frozen=True):
    """The shares of the types (rule 11)."""

    kind: ClassVar = "mix"
    about: ClassVar = "bugs, maintenance and features compared with the target"

    found: Mix

    @classmethod
    async def compute(cls, asked: ReportOptions, reports: Reports) -> Self:
        milestone = reports.milestone(asked.milestone)
        return cls(reports.figures.mix(await reports.issues.open([milestone.title]), milestone))

    def shape(self) -> Shape:
        report = self.found
        return {
            "milestone": report.milestone,
            "types": {
                name: {
                    "count": share.sums.count,
                    "weight": share.sums.weight,
                    "percent_count": share.percent_count,
                    "percent_weight": share.percent_weight,
                }
                for name, share in report.types.items()
            },
            "target": dict(report.target),
        }

    def text(self) -> Text:
        """A line per type, then the target compared with the current shares."""
        report = self.found
        heads = ("type", "count", "weight", "unweighted", "% of count", "% of weight")
        rows = [
            cells(name, share.sums.count, share.sums.weight, share.sums.unweighted)
            + cells(percent_words(share.percent_count), percent_words(share.percent_weight))
            for name, share in report.types.items()
        ]
        targets = []
        for name, wanted in report.target.items():
            count, weight = report.reached(name)
            targets.append((name, f"{number(wanted)} %", percent_words(count), percent_words(weight)))
        target_heads, whole = ("types", "target", "by count", "by weight"), report.whole
        return Text(
            heading=f"Mix {report.milestone}",
            lines=(f"{whole.count} open issues, weight {whole.weight}, {whole.unweighted} unweighted.",),
            tables=(
                TextTable("", heads, rows, frozenset({1, 2, 3, 4, 5})),
                TextTable("Target", target_heads, targets, frozenset({1, 2, 3})),
            ),
        )


class LoadReport(Report, frozen=True):
    """Accepted weight per person (rule 21)."""

    kind: ClassVar = "load"
    about: ClassVar = "Deliverable weight per person compared with the budget"
    private: ClassVar = True

    found: capacities.Load

    @classmethod
    async def compute(cls, asked: ReportOptions, reports: Reports) -> Self:
        milestone = reports.milestone(asked.milestone)
        issues = await reports.issues.open([milestone.title])
        return cls(reports.figures.load(issues, milestone, asked.options.read_team()))

    def shape(self) -> Shape:
        report = self.found
        return {
            "milestone": report.milestone,
            "people": [
                {
                    "username": person.username,
                    "issues": _references(person.issues),
                    "weight": person.sums.weight,
                    "budget": person.budget,
                }
                for person in report.people
            ],
            "unassigned": {"issues": _references(report.unassigned), "weight": report.unassigned_sums.weight},
        }

    def text(self) -> Text:
        """Deliverable weight per person compared with the budget."""
        report = self.found
        heads = ("username", "weight", "unweighted", "budget", "state", "issues")
        rows = [
            cells(person.username, person.sums.weight, person.sums.unweighted or None, number(person.budget))
            + cells("over" if person.over else None, " ".join(_references(person.issues)))
            for person in report.people
        ]
        if report.unassigned:
            sums = report.unassigned_sums
            free = " ".join(_references(report.unassigned))
            rows.append(cells("(unassigned)", sums.weight, sums.unweighted or None, "", "", free))
        return Text(
            heading=f"Load {report.milestone}",
            lines=("Weight of open Deliverables; an issue with several assignees counts for each.",),
            tables=(TextTable("", heads, rows, frozenset({1, 2, 3})),),
        )


class ScopeReport(Report, frozen=True):
    """What changed since the lock (rule 19)."""

    kind: ClassVar = "scope"
    about: ClassVar = "what was added, removed and reweighted since the plan was locked"
    keep: ClassVar = True

    found: plan_lock.PlanChanges

    @classmethod
    async def compute(cls, asked: ReportOptions, reports: Reports) -> Self:
        milestone = reports.milestone(asked.milestone)
        plan = asked.plan(reports, milestone)
        return cls(
            await reports.scope(
                milestone, locked_at=asked.options.locked_at, plan=plan, progress=shown_progress()
            )
        )

    def shape(self) -> Shape:
        report = self.found
        return {
            "milestone": report.locked.milestone,
            "locked_at": moment(report.locked.locked_at),
            **_locker(report.locked.locked_by),
            "added": _references(report.added),
            "removed": _references(report.removed),
            "reweighted": [
                {"reference": one.reference, "from": one.before, "to": one.after} for one in report.reweighted
            ],
        }

    def text(self) -> Text:
        """What was added, removed and reweighted."""
        report = self.found
        lists = [
            (name, _references(rows)) for name, rows in (("added", report.added), ("removed", report.removed))
        ]
        changed = [(one.reference, number(one.before), number(one.after)) for one in report.reweighted]
        moved = [(name, reference, "", "") for name, references in lists for reference in references]
        how = locked_words(report.locked)
        return Text(
            heading=f"Scope {report.locked.milestone}",
            lines=(
                (
                    f"Since the plan, {how} ({count_words(report.locked)}): "
                    f"{len(report.added)} added, {len(report.removed)} removed, {len(changed)} reweighted."
                ),
            ),
            tables=(TextTable("Reweighted", ("reference", "from", "to"), changed, frozenset({1, 2})),),
            lists=lists,
            csv=TextTable(
                "",
                ("change", "reference", "from", "to"),
                [*moved, *(("reweighted", *row) for row in changed)],
            ),
        )


class TriageReport(Report, frozen=True):
    """Open issues that need fixing (rule 9), as of ``at``."""

    kind: ClassVar = "triage"
    about: ClassVar = "open issues that need fixing"
    keep: ClassVar = True
    takes_milestone: ClassVar = False

    found: Sequence[Finding]
    at: datetime

    @classmethod
    async def compute(cls, asked: ReportOptions, reports: Reports) -> Self:
        issues = await reports.issues.open(progress=shown_progress())
        await reports.extend_for(issues)
        return cls(triage(issues, reports.figures.triage_rules()), reports.engine.now())

    def shape(self) -> Shape:
        return {
            "as_of": moment(self.at),
            "findings": [
                {
                    "reference": one.issue.reference,
                    "title": self.printed.title(one.issue),
                    "reasons": self._reasons(one),
                }
                for one in self.found
            ],
        }

    def _reasons(self, one: Finding) -> Sequence[str]:
        return () if self.printed.hides_facts(one.issue) else one.reasons

    def text(self) -> Text:
        """One line per issue."""
        rows = [
            (one.issue.reference, " ".join(self._reasons(one)), self.printed.title(one.issue))
            for one in self.found
        ]
        return Text(
            heading=f"Triage as of {moment(self.at)}",
            lines=(f"{len(self.found)} open issues need fixing.",),
            tables=(TextTable("", ("reference", "reasons", "title"), rows),),
        )


#: In the order of the help.
REPORTS: tuple[type[Report], ...] = (
    SayDoReport,
    CapacityReport,
    CandidatesReport,
    MixReport,
    LoadReport,
    ScopeReport,
    DecisionsReport,
    TriageReport,
)
