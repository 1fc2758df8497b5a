"""Say/Do: what was committed at the start of a milestone, and what was done by its end (DOMAIN.md 7.6).

Owns the five definitions and the lists that go with them. Every figure names its definition; none is "the"
ratio. Moments are in UTC and whole seconds; the cut-off uses the team's time zone (``calendar.window``).

Everything is derived from the issues' past states (``replay``): "now" is the end of their timelines, so a
report as of an earlier moment has timelines that end there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Literal

from msgspec import Struct

from glboard_core.config import LabelSettings
from glboard_core.model.issue import Issue, IssueId
from glboard_core.planning.calendar import Window
from glboard_core.planning.plan_lock import PlanSnapshot
from glboard_core.planning.timeline import Timeline

Definition = Literal["group", "committed", "reprioritized", "handbook", "handbook_deliverable"]

#: The first two are always shown; the others on request (7.6 caveats).
DEFINITIONS: tuple[Definition, ...] = (
    "group",
    "committed",
    "reprioritized",
    "handbook",
    "handbook_deliverable",
)
TARGETS: Mapping[Definition, int] = {"committed": 80, "reprioritized": 100}
"""The handbook's targets in percent, if it defines one."""

_CLOSED_OTHERWISE = ("duplicate", "won't do", "won’t do")


class Track(Struct, frozen=True):
    """An issue and its timeline."""

    issue: Issue
    line: Timeline


class Ratio(Struct, frozen=True):
    """The issues said and those of them done, as references in order. ``done`` is a part of ``said``."""

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


class _Judge:
    """The tests that the definitions apply to one issue. All are false for an issue that did not exist."""

    def __init__(self, track: Track, milestone: str, window: Window, names: LabelSettings) -> None:
        self.issue = track.issue
        self._milestone = milestone
        self._names = names
        now = track.line.last
        end = track.line.at(window.cut_off)
        deliverable = names.deliverable
        self.ignored = now is None or names.ignore in now.labels
        self.planned_once = any(
            moment.planned_in(milestone, deliverable)
            for moment in track.line.during(window.start, window.cut_off)
        )
        self.planned_at_end = end is not None and end.planned_in(milestone, deliverable)
        self.done_at_end = end is not None and not end.is_open and end.milestone == milestone
        self.done_now = now is not None and not now.is_open and now.planned_in(milestone, deliverable)
        self.open_now_in_it = now is not None and now.is_open and now.milestone == milestone
        labels = now.labels if now is not None else frozenset()
        self.missed = names.missed_prefix + milestone in labels
        self.deliverable_now = deliverable in labels
        self.went_elsewhere = end is not None and end.milestone not in (None, milestone)
        closed = now is not None and not now.is_open
        status = (track.issue.status or "").casefold() if closed else ""
        duplicate = track.issue.duplicate or not labels.isdisjoint(names.duplicate)
        self.duplicate = closed and (duplicate or status == _CLOSED_OTHERWISE[0])
        wont = not labels.isdisjoint(names.wont_do) or status in _CLOSED_OTHERWISE[1:]
        self.wont_do = closed and wont and not self.duplicate


def say_do(
    tracks: Iterable[Track],
    milestone: str,
    window: Window,
    names: LabelSettings,
    plan: PlanSnapshot,
    *,
    count_wont_do: bool = True,
) -> SayDo:
    """The report on ``milestone`` from the issues of the group and their timelines (7.6).

    ``tracks`` must hold every issue that was in the milestone at some time, is in it, carries its ``missed:``
    label, or is in ``plan``; others are ignored. ``plan`` is the lock snapshot, or ``snapshot.rebuild``. An
    issue of the plan without a track (deleted, hidden) counts as said and not done. ``type::ignore`` issues
    never count. With ``count_wont_do`` false, duplicates and won't-dos are neither said nor done.
    """
    ordered = sorted(tracks, key=lambda track: (track.issue.project, track.issue.iid))
    judges = [_Judge(track, milestone, window, names) for track in ordered]
    references = {judge.issue.id: judge.issue.reference for judge in judges}
    for row in plan.issues:
        references.setdefault(row.issue, row.reference)
    ignored = {judge.issue.id for judge in judges if judge.ignored}
    dropped = {judge.issue.id for judge in judges if judge.wont_do or judge.duplicate} - ignored
    uncounted = ignored if count_wont_do else ignored | dropped

    def all_those(test: str) -> set[IssueId]:
        return {judge.issue.id for judge in judges if getattr(judge, test)} - ignored

    def those(test: str) -> set[IssueId]:
        return all_those(test) - uncounted

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
