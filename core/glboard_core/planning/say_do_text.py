"""Say/Do as text: the summary, the lists behind the figures, and Markdown for the retrospective.

Owns the wording, which is the same on screen and in print; every figure names its definition (DOMAIN.md 7.6).
It contains references but no titles, so that confidential titles stay private wherever the text is pasted.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime

from glboard_core.model.milestone import Milestone
from glboard_core.planning.say_do import DEFINITIONS, TARGETS, Definition, SayDo
from glboard_core.planning.snapshot_text import minute

# The names of months must not depend on the machine's locale.
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MARKUP = re.compile(r"([\\`*_{}\[\]()<>#+!|~@-])")


def percent_words(value: float | None) -> str:
    """``58.3 %``; a dash if nothing was said."""
    return "-" if value is None else f"{value:.1f} %"


def day_words(day: date | None) -> str:
    """``13 Nov``."""
    return "?" if day is None else f"{day.day} {_MONTHS[day.month - 1]}"


def source_words(report: SayDo) -> str:
    """The source of ``committed``: when its plan was locked and by whom, or that events were replayed."""
    by = f" by {report.locked_by}" if report.locked_by else ""
    if report.source == "snapshot":
        return f"from the plan locked {minute(report.locked_at)}{by}"
    return f"rebuilt from events as of {minute(report.locked_at)}{', locked' + by if by else ''}"


def said(report: SayDo, milestone: Milestone, now: datetime) -> tuple[str, str]:
    """The group's figure as text, and ``committed`` with its source.

    ``now`` is the moment of the report: before the cut-off the figures can still change.
    """
    group, committed = report.definitions["group"], report.definitions["committed"]
    due = day_words(milestone.due)
    when = f"so far, until {due}" if now < report.cut_off else f"by {due}"
    first = (
        f"{len(group.done)} of {len(group.said)} closed {when} "
        f"({percent_words(group.percent)}), definition group"
    )
    second = (
        f"{len(committed.done)} of {len(committed.said)} ({percent_words(committed.percent)}), "
        f"definition committed, {source_words(report)}"
    )
    return first, second


def table(report: SayDo) -> list[tuple[str, str, str, str, str]]:
    """Definition, said, done, percent, target: one row per definition."""
    return [
        (
            name,
            str(len(ratio.said)),
            str(len(ratio.done)),
            percent_words(ratio.percent),
            f"{TARGETS[name]} %" if name in TARGETS else "",
        )
        for name, ratio in report.definitions.items()
    ]


def beside(report: SayDo) -> list[tuple[str, tuple[str, ...]]]:
    """The additional lists, including empty ones. Duplicates and won't-dos are listed separately."""
    return [
        ("late added", report.late_added),
        ("removed or moved early", report.removed_or_moved_early),
        ("moved to another milestone without a missed label", report.quiet_slips),
        ("late closed", report.late_closed),
        ("unresolved", report.unresolved),
        ("closed as won't do", report.wont_do),
        ("closed as duplicate", report.duplicates),
    ]


def listed(report: SayDo, shown: Sequence[Definition] = DEFINITIONS) -> list[tuple[str, tuple[str, ...]]]:
    """The non-empty lists: those behind the figures of these definitions, and the additional ones."""
    behind = [
        part
        for name in shown
        for part in (
            (f"{name}: done", report.definitions[name].done),
            (f"{name}: not done", report.definitions[name].missed),
        )
    ]
    return [(title, references) for title, references in (*behind, *beside(report)) if references]


def markdown(report: SayDo, milestone: Milestone, now: datetime, unread: Sequence[str] = ()) -> str:
    """The whole report for the retrospective. References stay unescaped, so that GitLab links them."""
    parts = ["## " + _plain(f"Say/Do {report.milestone}")]
    parts += [_plain(line) + "." for line in said(report, milestone, now)]
    rows = ["| definition | said | done | percent | target |", "| --- | ---: | ---: | ---: | ---: |"]
    rows += ["| " + " | ".join(row) + " |" for row in table(report)]
    parts.append("\n".join(rows))
    for title, references in listed(report):
        parts.append(f"**{_plain(title)}** ({len(references)})\n\n" + "\n".join(f"- {r}" for r in references))
    if unread:
        count = _issues(len(unread))
        parts.append(f"No history for {count}; using their current state: {', '.join(unread)}.")
    return "\n\n".join(parts) + "\n"


def _issues(count: int) -> str:
    return "1 issue" if count == 1 else f"{count} issues"


def _plain(text: str) -> str:
    return _MARKUP.sub(r"\\\1", text)
