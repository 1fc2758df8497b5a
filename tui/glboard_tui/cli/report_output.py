"""``glboard report`` as text: lines first, then tables; the same as Markdown, and rows for CSV.

Owns wording and columns. Every Say/Do figure names its definition. Titles of confidential issues are never
included, because reports are meant to be pasted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any

from msgspec import Struct

from glboard_core.model.issue import Issue
from glboard_core.model.milestone import Milestone
from glboard_core.planning import say_do
from glboard_core.planning.candidates import Candidate, fill
from glboard_core.planning.capacity import Capacity, ClosedWeight, Load, mean
from glboard_core.planning.mix import Mix
from glboard_core.planning.plan_lock import Scope, count_words, locked_words
from glboard_core.planning.say_do import DEFINITIONS, Definition, SayDo
from glboard_core.planning.triage import Finding
from glboard_tui.cli import context

# The JSON of ``glboard report``: stable shapes, as the README documents them.

Shape = dict[str, Any]


def moment(at: datetime) -> str:
    """A time as written in JSON, to the second: ``2026-11-13T23:59:59Z``."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def references(issues: Iterable[Issue]) -> list[str]:
    """Full references."""
    return [issue.reference for issue in issues]


def say_do_as_json(report: SayDo) -> Shape:
    """``report say-do``."""
    return {
        "milestone": report.milestone,
        "cut_off": moment(report.cut_off),
        "locked_at": moment(report.locked_at),
        "source": report.source,
        **_locker(report.locked_by),
        "definitions": {name: _ratio(report, name) for name in DEFINITIONS},
        "late_added": report.late_added,
        "removed_or_moved_early": report.removed_or_moved_early,
        "late_closed": report.late_closed,
        "unresolved": report.unresolved,
    }


def _locker(username: str) -> Shape:
    """Who locked the plan; nothing if it was rebuilt from events."""
    return {"locked_by": username} if username else {}


def _ratio(report: SayDo, name: Definition) -> Shape:
    ratio = report.definitions[name]
    if name.startswith("handbook"):
        # The handbook's formula has no list of what was planned, only what was missed and what was done.
        return {"completed": ratio.done, "missed": ratio.missed, "percent": ratio.percent}
    return {"assigned": ratio.said, "completed": ratio.done, "percent": ratio.percent}


def capacity_as_json(report: Capacity) -> Shape:
    """``report capacity``. Nothing is rounded; days and weight are null for people not in the team file."""
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
            "issues": references(report.carry_over.issues),
        },
        "planned": report.planned,
        "unweighted": report.unweighted,
        "room": report.room,
        "room_likely": report.room_likely,
    }


def candidates_as_json(milestone: str, found: Sequence[Candidate]) -> Shape:
    """``report candidates``."""
    return {
        "milestone": milestone,
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
            {"reference": one.issue.reference, "reasons": one.reasons} for one in found if not one.eligible
        ],
    }


def triage_as_json(found: Sequence[Finding], now: datetime) -> Shape:
    """``report triage``."""
    return {
        "as_of": moment(now),
        "findings": [
            {"reference": one.issue.reference, "title": one.issue.title, "reasons": one.reasons}
            for one in found
        ],
    }


def mix_as_json(report: Mix) -> Shape:
    """``report mix``."""
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


def load_as_json(report: Load) -> Shape:
    """``report load``."""
    return {
        "milestone": report.milestone,
        "people": [
            {
                "username": person.username,
                "issues": references(person.issues),
                "weight": person.sums.weight,
                "budget": person.budget,
            }
            for person in report.people
        ],
        "unassigned": {
            "issues": references(report.unassigned),
            "weight": report.unassigned_sums.weight,
        },
    }


def scope_as_json(report: Scope) -> Shape:
    """``report scope``."""
    return {
        "milestone": report.locked.milestone,
        "locked_at": moment(report.locked.locked_at),
        **_locker(report.locked.locked_by),
        "added": [row.reference for row in report.added],
        "removed": [row.reference for row in report.removed],
        "reweighted": [
            {"reference": one.reference, "from": one.before, "to": one.after} for one in report.reweighted
        ],
    }


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# What GitLab turns into a link automatically; anything else is escaped.
_REFERENCE = re.compile(r"[\w./-]+#\d+", re.ASCII)

Rows = Sequence[Sequence[str]]


class Table(Struct, frozen=True):
    """A table with its heading; ``right`` are the number columns."""

    title: str
    heads: tuple[str, ...]
    rows: Rows
    right: frozenset[int] = frozenset()


class Listing(Struct, frozen=True):
    """A named list of references."""

    title: str
    references: tuple[str, ...]


class Text(Struct, frozen=True, kw_only=True):
    """A report for reading: a heading, sentences, tables, lists; and the rows of its CSV."""

    heading: str
    lines: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    lists: tuple[Listing, ...] = ()
    csv_heads: tuple[str, ...]
    csv_rows: Rows
    #: The report as Markdown, if it is not built from the parts above.
    markdown: str = ""


class Printed(Struct, frozen=True):
    """A report in every format."""

    shape: dict[str, Any]
    text: Text

    def as_(self, style: str) -> str:
        """The report as ``table``, ``json``, ``markdown`` or ``csv``."""
        if style == "json":
            return context.as_json(self.shape)
        if style == "csv":
            return context.as_csv(self.text.csv_heads, self.text.csv_rows)
        if style == "markdown":
            return self.text.markdown or _markdown(self.text)
        return _plain(self.text)


def _plain(text: Text) -> str:
    parts = ["\n".join((text.heading, *text.lines))]
    for table in text.tables:
        if table.rows:
            body = context.as_table(table.heads, table.rows, right=table.right)
            parts.append((f"{table.title}\n" if table.title else "") + body)
    parts += [
        f"{listing.title} ({len(listing.references)}): {', '.join(listing.references)}"
        for listing in text.lists
        if listing.references
    ]
    return "\n\n".join(parts)


def _markdown(text: Text) -> str:
    parts = ["## " + context.escape_markdown(text.heading)]
    parts += [context.escape_markdown(line) for line in text.lines]
    for table in text.tables:
        if table.rows:
            if table.title:
                parts.append("### " + context.escape_markdown(table.title))
            parts.append(_markdown_table(table))
    for listing in text.lists:
        if listing.references:
            parts.append(
                f"**{context.escape_markdown(listing.title)}** ({len(listing.references)})\n\n"
                + "\n".join(f"- {_linked(reference)}" for reference in listing.references)
            )
    return "\n\n".join(parts)


def _markdown_table(table: Table) -> str:
    lines = ["| " + " | ".join(table.heads) + " |"]
    lines.append("|" + "".join(" ---: |" if n in table.right else " --- |" for n in range(len(table.heads))))
    lines += ["| " + " | ".join(map(_linked, row)) + " |" for row in table.rows]
    return "\n".join(lines)


def _linked(text: str) -> str:
    """A reference unescaped, so that GitLab links it; everything else as plain text."""
    return text if _REFERENCE.fullmatch(text) else context.escape_markdown(text)


def _number(value: float | None) -> str:
    """At most two decimals, without trailing zeros; ? if unknown."""
    return "?" if value is None else f"{value:.2f}".rstrip("0").rstrip(".")


def _signed(value: float) -> str:
    """With a sign, and ! if negative: colour alone is not enough."""
    return f"!{_number(value)}" if value < 0 else f"+{_number(value)}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} %"


def _day(day: date | None) -> str:
    return "?" if day is None else f"{day.day} {_MONTHS[day.month - 1]}"


def _title(issue: Issue) -> str:
    return "(confidential)" if issue.confidential else issue.title


def say_do_as_text(report: SayDo, milestone: Milestone, now: datetime) -> Text:
    """Say/Do: the group's figure in words, with ``committed``, then every definition and list.

    ``now`` is the time the report is as of: before the cut-off nothing is settled.
    """
    lists = [
        *(
            Listing(f"{name}: not done", report.definitions[name].missed)
            for name in DEFINITIONS
            if report.definitions[name].said
        ),
        *(Listing(title, references) for title, references in say_do.beside(report)),
    ]
    return Text(
        heading=f"Say/Do {report.milestone}",
        lines=tuple(f"{line}." for line in say_do.said(report, milestone, now)),
        tables=(
            Table(
                "",
                ("definition", "said", "done", "percent", "target"),
                say_do.table(report),
                frozenset({1, 2, 3, 4}),
            ),
        ),
        lists=tuple(lists),
        csv_heads=("definition", "list", "reference"),
        csv_rows=[
            *(
                (name, "done" if reference in set(ratio.done) else "not done", reference)
                for name, ratio in report.definitions.items()
                for reference in ratio.said
            ),
            *(
                ("", listing.title, reference)
                for listing in lists
                if ": " not in listing.title
                for reference in listing.references
            ),
        ],
    )


def capacity_as_text(report: Capacity, closed: Sequence[ClosedWeight], markdown: str) -> Text:
    """The team's line, the comparison, then a line per person. ``markdown`` is what is posted."""
    carried = report.carry_over
    unweighted = f" + {report.unweighted} unweighted" if report.unweighted else ""
    lines = [
        (
            f"Planned {report.planned}{unweighted} / capacity {_number(report.total)}, "
            f"carry-over {_number(carried.likely)} likely, {carried.weight} all, "
            f"free {_signed(report.room_likely)} likely, {_signed(report.room)} all."
        ),
        f"{report.workdays} workdays; planned weight {report.unassigned} is unassigned.",
    ]
    roles = {role: weight for role, weight in report.by_role().items() if role}
    if roles:
        lines.append("By role: " + ", ".join(f"{role} {_number(w)}" for role, w in roles.items()) + ".")
    if (average := mean(closed)) is not None:
        each = ", ".join(f"{one.milestone}: {one.weight}" for one in closed)
        lines.append(f"For comparison, closed Deliverable weight: {_number(average)} on average ({each}).")
    heads = ("username", "role", "net days", "budget", "committed", "carry-over", "free")
    rows = [
        (
            person.username,
            person.role,
            _number(person.budget.net_days) if person.budget else "no days",
            _number(person.budget.weight) if person.budget else "",
            str(person.committed),
            str(person.carry_over),
            "" if person.room is None else _signed(person.room),
        )
        for person in report.people
    ]
    return Text(
        heading=f"Capacity {report.milestone}",
        lines=tuple(lines),
        tables=(Table("", heads, rows, frozenset({2, 3, 4, 5, 6})),),
        lists=(Listing(f"carry-over of {carried.milestone}", tuple(i.reference for i in carried.issues)),),
        csv_heads=heads,
        csv_rows=rows,
        markdown=markdown,
    )


def candidates_as_text(milestone: str, found: Sequence[Candidate], space: float | None) -> Text:
    """Candidates: eligible issues with the running weight, then the others and why not."""
    lines = [f"{sum(one.eligible for one in found)} of {len(found)} open issues can become a Deliverable."]
    proposal = {line.candidate.issue.id: line for line in fill(found, space)} if space is not None else {}
    if space is not None:
        chosen = sum(line.chosen for line in proposal.values())
        lines.append(
            f"Free weight {_signed(space)} after likely carry-over and accepted issues; "
            f"in this order, {chosen} would fit (marked *)."
        )

    def mark(one: Candidate) -> str:
        if one.accepted:
            return "accepted"
        line = proposal.get(one.issue.id)
        return f"* {line.cumulative}" if line is not None and line.chosen else ""

    def notes(one: Candidate) -> str:
        severe = (f"severity {one.severity} bug",) if one.severe else ()
        return " ".join((*one.warnings, *severe))

    heads = ("rank", "slipped", "priority", "weight", "reference", "proposal", "notes", "title")
    eligible = [
        (
            str(one.rank),
            str(one.slipped or ""),
            one.priority or "",
            _number(one.issue.weight),
            one.issue.reference,
            mark(one),
            notes(one),
            _title(one.issue),
        )
        for one in found
        if one.eligible
    ]
    not_eligible = [
        (str(one.rank), one.issue.reference, " ".join(one.reasons), mark(one), _title(one.issue))
        for one in found
        if not one.eligible
    ]
    return Text(
        heading=f"Candidates {milestone}",
        lines=tuple(lines),
        tables=(
            Table("Eligible", heads, eligible, frozenset({0, 1, 2, 3})),
            Table(
                "Not eligible",
                ("rank", "reference", "reasons", "state", "title"),
                not_eligible,
                frozenset({0}),
            ),
        ),
        csv_heads=("reference", "eligible", "reasons", "weight", "slipped", "rank", "priority", "warnings"),
        csv_rows=[
            (
                one.issue.reference,
                "yes" if one.eligible else "no",
                " ".join(one.reasons),
                "" if one.issue.weight is None else str(one.issue.weight),
                str(one.slipped),
                str(one.rank),
                one.priority or "",
                " ".join(one.warnings),
            )
            for one in found
        ],
    )


def mix_as_text(report: Mix) -> Text:
    """Mix: a line per type, then the target compared with the current shares."""
    heads = ("type", "count", "weight", "unweighted", "% of count", "% of weight")
    rows = [
        (
            name,
            str(share.sums.count),
            str(share.sums.weight),
            str(share.sums.unweighted),
            _percent(share.percent_count),
            _percent(share.percent_weight),
        )
        for name, share in report.types.items()
    ]
    targets = []
    for name, wanted in report.target.items():
        count, weight = report.reached(name)
        targets.append((name, f"{_number(wanted)} %", _percent(count), _percent(weight)))
    whole = report.whole
    return Text(
        heading=f"Mix {report.milestone}",
        lines=(f"{whole.count} open issues, weight {whole.weight}, {whole.unweighted} unweighted.",),
        tables=(
            Table("", heads, rows, frozenset({1, 2, 3, 4, 5})),
            Table("Target", ("types", "target", "by count", "by weight"), targets, frozenset({1, 2, 3})),
        ),
        csv_heads=heads,
        csv_rows=rows,
    )


def load_as_text(report: Load) -> Text:
    """Load: Deliverable weight per person compared with the budget."""
    heads = ("username", "weight", "unweighted", "budget", "state", "issues")
    rows = [
        (
            person.username,
            str(person.sums.weight),
            str(person.sums.unweighted or ""),
            _number(person.budget),
            "!over" if person.over else "",
            " ".join(issue.reference for issue in person.issues),
        )
        for person in report.people
    ]
    if report.unassigned:
        sums = report.unassigned_sums
        free = " ".join(issue.reference for issue in report.unassigned)
        rows.append(("(unassigned)", str(sums.weight), str(sums.unweighted or ""), "", "", free))
    return Text(
        heading=f"Load {report.milestone}",
        lines=("Weight of open Deliverables; an issue with several assignees counts for each.",),
        tables=(Table("", heads, rows, frozenset({1, 2, 3})),),
        csv_heads=heads,
        csv_rows=rows,
    )


def scope_as_text(report: Scope) -> Text:
    """Scope: what was added, removed and reweighted since the lock."""
    added = tuple(row.reference for row in report.added)
    removed = tuple(row.reference for row in report.removed)
    how = locked_words(report.locked)
    return Text(
        heading=f"Scope {report.locked.milestone}",
        lines=(
            (
                f"Since the plan, {how} ({count_words(report.locked)}): "
                f"{len(added)} added, {len(removed)} removed, {len(report.reweighted)} reweighted."
            ),
        ),
        tables=(
            Table(
                "Reweighted",
                ("reference", "from", "to"),
                [(one.reference, _number(one.before), _number(one.after)) for one in report.reweighted],
                frozenset({1, 2}),
            ),
        ),
        lists=(Listing("added", added), Listing("removed", removed)),
        csv_heads=("change", "reference", "from", "to"),
        csv_rows=[
            *(("added", reference, "", "") for reference in added),
            *(("removed", reference, "", "") for reference in removed),
            *(
                ("reweighted", one.reference, _number(one.before), _number(one.after))
                for one in report.reweighted
            ),
        ],
    )


def triage_as_text(found: Sequence[Finding], now: datetime) -> Text:
    """Triage: one line per issue."""
    rows = [(one.issue.reference, " ".join(one.reasons), _title(one.issue)) for one in found]
    heads = ("reference", "reasons", "title")
    return Text(
        heading=f"Triage as of {moment(now)}",
        lines=(f"{len(found)} open issues need fixing.",),
        tables=(Table("", heads, rows),),
        csv_heads=heads,
        csv_rows=rows,
    )
