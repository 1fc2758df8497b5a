"""Say/Do: what was committed at the start of a milestone, and done by its end (planning rule 6).

Owns the five definitions and the lists that go with them. Every figure names its definition; none is "the"
ratio. Moments are in UTC and whole seconds; the cut-off uses the team's time zone (``calendar.window``).

Everything is derived from the issues' past states (``replay``): "now" is the end of their timelines, so a
report as of an earlier moment has timelines that end there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Literal, NamedTuple, get_args

from msgspec import Struct

from glboard_core.config import LabelSettings
from glboard_core.model.issue import Issue, IssueId
from glboard_core.model.milestone import Milestone
from glboard_core.planning import text
from glboard_core.planning.capacity import MilestoneWindow
from glboard_core.planning.plan_lock import PlanSnapshot, lock_words
from glboard_core.planning.readiness import held
from glboard_core.planning.text import counted, day_words, percent_words, plain
from glboard_core.planning.timeline import Timeline

Definition = Literal["group", "committed", "reprioritized", "handbook", "handbook_deliverable"]

#: The first two are always shown; the others on request (rule 6).
DEFINITIONS: tuple[Definition, ...] = get_args(Definition)
TARGETS: Mapping[Definition, int] = {"committed": 80, "reprioritized": 100}
"""The handbook's targets in percent, if it defines one."""

_CLOSED_OTHERWISE = ("duplicate", "won't do", "won’t do")

Outcome = Literal["not done", "apart", "done", "beside"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)


class Track(NamedTuple):
    """An issue and its timeline."""

    issue: Issue
    line: Timeline


class Ratio(Struct, frozen=True):
    """The planned issues and the completed ones among them, as references in order."""

    said: tuple[str, ...]
    done: tuple[str, ...]

    @property
    def missed(self) -> tuple[str, ...]:
        """The issues said but not done."""
        done = set(self.done)
        return tuple(reference for reference in self.said if reference not in done)

    @property
    def percent(self) -> float | None:
        """Done of said in percent with one decimal; None if nothing was said."""
        return round(100 * len(self.done) / len(self.said), 1) if self.said else None


class SayDo(Struct, frozen=True, kw_only=True):
    """The whole report. Lists are references in order of project and number; times are UTC.

    ``source`` says where ``committed`` comes from: a local snapshot, locked by ``locked_by``, or events.
    ``wont_do`` and ``duplicates`` are issues of any definition that were closed without being done;
    ``quiet_slips`` moved to another milestone before the end without a ``missed:`` label.
    """

    milestone: str
    start: datetime
    cut_off: datetime
    locked_at: datetime
    source: Literal["snapshot", "rebuilt"]
    locked_by: str
    definitions: Mapping[Definition, Ratio]
    late_added: tuple[str, ...]
    removed_or_moved_early: tuple[str, ...]
    late_closed: tuple[str, ...]
    unresolved: tuple[str, ...]
    quiet_slips: tuple[str, ...]
    wont_do: tuple[str, ...]
    duplicates: tuple[str, ...]


def _verdicts(
    track: Track, milestone: str, window: MilestoneWindow, names: LabelSettings, missed: frozenset[str]
) -> tuple[str, ...]:
    """Which tests of the definitions the issue passes; only ``ignored`` if it did not exist, was moved to
    another project, where its copy stands for it, or became an epic."""
    now, end, deliverable = track.line.last, track.line.at(window.cut_off), names.deliverable
    if now is None or track.issue.moved or track.issue.promoted:
        return ("ignored",)
    during = track.line.during(window.start, window.cut_off)
    status = "" if now.is_open else (track.issue.status or "").casefold()
    marked = track.issue.duplicate or not now.labels.isdisjoint(names.duplicate)
    duplicate = not now.is_open and (marked or status == _CLOSED_OTHERWISE[0])
    wont = not now.labels.isdisjoint(names.wont_do) or status in _CLOSED_OTHERWISE[1:]
    return held(
        {
            "ignored": names.ignore in now.labels,
            "planned_once": any(moment.planned_in(milestone, deliverable) for moment in during),
            "planned_at_end": end is not None and end.planned_in(milestone, deliverable),
            "done_at_end": end is not None and not end.is_open and end.milestone == milestone,
            "done_now": not now.is_open and now.planned_in(milestone, deliverable),
            "open_now_in_it": now.is_open and now.milestone == milestone,
            "missed": not missed.isdisjoint(now.labels),
            "deliverable_now": deliverable in now.labels,
            "went_elsewhere": end is not None and end.milestone not in (None, milestone),
            "duplicate": duplicate,
            "wont_do": not now.is_open and wont and not duplicate,
        }
    )


def say_do(
    tracks: Iterable[Track],
    milestone: str,
    window: MilestoneWindow,
    names: LabelSettings,
    plan: PlanSnapshot,
    *,
    count_wont_do: bool = True,
    missed_labels: frozenset[str] = frozenset(),
) -> SayDo:
    """The report on ``milestone`` from the issues of the group and their timelines (rule 6).

    ``tracks`` must hold every issue that was in the milestone at some time, is in it, carries its
    ``missed:`` label (``missed_labels``, if it has several), or is in ``plan``; others are ignored.
    ``plan`` is the lock snapshot, or ``snapshot.rebuild``. An issue of the plan without a track (deleted,
    hidden) counts as said and not done. ``type::ignore`` issues never count. With ``count_wont_do`` false,
    duplicates and won't-dos are neither said nor done.
    """
    ordered = sorted(tracks, key=lambda track: (track.issue.project, track.issue.iid))
    labels = missed_labels or frozenset({names.missed_prefix + milestone})
    verdicts = {track.issue.id: _verdicts(track, milestone, window, names, labels) for track in ordered}
    references = {track.issue.id: track.issue.reference for track in ordered}
    for row in plan.issues:
        references.setdefault(row.issue, row.reference)
    ignored = {issue for issue, passed in verdicts.items() if "ignored" in passed}

    def all_those(test: str) -> set[IssueId]:
        return {issue for issue, passed in verdicts.items() if test in passed} - ignored

    def those(test: str) -> set[IssueId]:
        return all_those(test) - uncounted

    dropped = all_those("wont_do") | all_those("duplicate")
    uncounted = ignored if count_wont_do else ignored | dropped

    in_plan = {row.issue for row in plan.issues}
    done_at_end, done_now, missed = those("done_at_end"), those("done_now"), those("missed")
    group = those("planned_once")
    committed = in_plan - uncounted
    kept = committed & those("planned_at_end")

    def listed(issues: set[IssueId]) -> tuple[str, ...]:
        return tuple(reference for issue, reference in references.items() if issue in issues)

    def ratio(said: set[IssueId], done: set[IssueId]) -> Ratio:
        return Ratio(listed(said), listed(said & done))

    apart = dropped & (in_plan | all_those("planned_once") | all_those("done_now") | all_those("missed"))
    definitions: dict[Definition, Ratio] = {
        "group": ratio(group, done_at_end),
        "committed": ratio(committed, done_at_end),
        "reprioritized": ratio(kept, done_at_end),
        "handbook": ratio(done_now | missed, done_now),
        "handbook_deliverable": ratio(done_now | (missed & those("deliverable_now")), done_now),
    }
    return SayDo(
        milestone=milestone,
        start=window.start,
        cut_off=window.cut_off,
        locked_at=plan.locked_at,
        source="rebuilt" if plan.rebuilt else "snapshot",
        locked_by=plan.locked_by,
        definitions=definitions,
        late_added=listed(group - committed),
        removed_or_moved_early=listed(committed - kept),
        late_closed=listed(done_now - done_at_end),
        unresolved=listed(those("open_now_in_it")),
        quiet_slips=listed(((group | committed) & those("went_elsewhere")) - missed),
        wont_do=listed(apart & all_those("wont_do")),
        duplicates=listed(apart & all_those("duplicate")),
    )


# Issue by issue


class Row(Struct, frozen=True, kw_only=True):
    """An issue. ``group`` and ``committed`` say whether it was done; None if it was not said.

    ``apart`` are won't-dos and duplicates; ``beside`` are in a list but in neither of the two figures.
    """

    reference: str
    outcome: Outcome
    group: bool | None
    committed: bool | None
    notes: tuple[str, ...]


def rows(report: SayDo) -> list[Row]:
    """Every issue of the two figures and the lists, once, those not done first."""
    lists = {
        "late added": report.late_added,
        "removed or moved early": report.removed_or_moved_early,
        "moved without a missed label": report.quiet_slips,
        "closed late": report.late_closed,
        "unresolved": report.unresolved,
        "missed by handbook": report.definitions["handbook"].missed,
        "won't do": report.wont_do,
        "duplicate": report.duplicates,
    }
    group, committed = report.definitions["group"], report.definitions["committed"]
    apart = {*report.wont_do, *report.duplicates}
    everything = dict.fromkeys((*group.said, *committed.said, *(r for one in lists.values() for r in one)))
    found = []
    for reference in everything:
        by_group, by_commitment = _done(group, reference), _done(committed, reference)
        said = [one for one in (by_group, by_commitment) if one is not None]
        outcome: Outcome = (
            "apart" if reference in apart else "beside" if not said else "done" if all(said) else "not done"
        )
        notes = tuple(name for name, references in lists.items() if reference in references)
        found.append(
            Row(reference=reference, outcome=outcome, group=by_group, committed=by_commitment, notes=notes)
        )
    return sorted(found, key=lambda row: OUTCOMES.index(row.outcome))


def _done(ratio: Ratio, reference: str) -> bool | None:
    return reference in ratio.done if reference in ratio.said else None


# As text, and as Markdown for the retrospective


def source_words(report: SayDo) -> str:
    """The source of ``committed``: when its plan was locked and by whom, or that events were replayed."""
    rebuilt = report.source == "rebuilt"
    how = lock_words(report.locked_at, report.locked_by, rebuilt=rebuilt)
    return how if rebuilt else f"from the plan {how}"


def said(report: SayDo, milestone: Milestone, now: datetime) -> tuple[str, str]:
    """The group's figure as text, and ``committed`` with its source.

    ``now`` is the moment of the report: before the cut-off the figures can still change.
    """
    group, committed = report.definitions["group"], report.definitions["committed"]
    due = day_words(milestone.due)
    when = f"so far, until {due}" if now < report.cut_off else f"by {due}"
    first = f"{_share(group)} closed {when} ({percent_words(group.percent)}), definition group"
    by_plan = f"definition committed, {source_words(report)}"
    return first, f"{_share(committed)} ({percent_words(committed.percent)}), {by_plan}"


def _share(ratio: Ratio) -> str:
    return f"{len(ratio.done)} of {len(ratio.said)}"


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
    behind = []
    for name in shown:
        ratio = report.definitions[name]
        behind += [(f"{name}: done", ratio.done), (f"{name}: not done", ratio.missed)]
    return [(title, references) for title, references in (*behind, *beside(report)) if references]


def markdown(report: SayDo, milestone: Milestone, now: datetime, unread: Sequence[str] = ()) -> str:
    """The whole report for the retrospective. References stay unescaped, so that GitLab links them."""
    parts = ["## " + plain(f"Say/Do {report.milestone}")]
    parts += [plain(line) + "." for line in said(report, milestone, now)]
    heads = ("definition", "said", "done", "percent", "target")
    parts.append(text.table(heads, table(report), right=frozenset({1, 2, 3, 4})))
    for title, references in listed(report):
        parts.append(f"**{plain(title)}** ({len(references)})\n\n" + "\n".join(f"- {r}" for r in references))
    if unread:
        count = counted(len(unread), "issue")
        parts.append(f"No history for {count}; using their current state: {', '.join(unread)}.")
    return "\n\n".join(parts) + "\n"
