"""``glboard report decisions``: what was decided in a milestone since a moment, by everyone or one person."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self
from zoneinfo import ZoneInfo

from msgspec import structs

from glboard_core.planning.call import Call, PlanFigures, moment_of
from glboard_core.planning.call import since as span_since
from glboard_core.planning.decisions import KINDS, Decision, said_short
from glboard_core.planning.decisions_text import DecisionList, markdown, span_words
from glboard_core.planning.text import counted
from glboard_tui.cli.context import cells, moment, shown_progress
from glboard_tui.cli.edit_names import check_people, present_username
from glboard_tui.cli.report_output import Report, ReportOptions, Shape, Text, TextTable

if TYPE_CHECKING:
    from glboard_core.model.milestone import Milestone
    from glboard_core.reports import Reports


class DecisionsReport(Report, frozen=True):
    """The decisions in a milestone (rule 29), from GitLab's events and the change log of this machine."""

    kind: ClassVar = "decisions"
    about: ClassVar = "what was accepted, deferred, reweighted, dropped, since when and by whom"
    keep: ClassVar = True

    found: DecisionList
    zone: ZoneInfo

    @classmethod
    async def compute(cls, asked: ReportOptions, reports: Reports) -> Self:
        from glboard_core.decision_log import decision_list, log_since, made_here, read_changes

        engine, milestone = reports.engine, reports.milestone(asked.milestone)
        now = engine.now()
        start = moment_of(asked.since, now, reports.zone)
        read = await read_changes(reports, milestone.title, start, progress=shown_progress())
        made = made_here(
            [*engine.log.unsent(), *log_since(engine.store, start)], start, reports.as_of, reports.catalog
        )
        person = present_username(asked.by, reports.catalog) if asked.by else ""
        before, after = await _team(asked, reports, milestone, read.before, read.after)
        found = decision_list(
            _noted(reports, span_since(milestone.title, start)),
            made,
            read,
            engine.shown.get,
            reports.figures.decision_rules(milestone.title),
            me=reports.catalog.me.username,
            before=before,
            after=after,
            until=now,
            person=person,
            whole=False,
        )
        if person and not found.count:
            await _exists(reports, person)
        return cls(found, reports.zone)

    def shape(self) -> Shape:
        """Of a confidential issue only its reference, kind and note."""
        found = self._found()
        return {
            "milestone": found.milestone,
            "since": moment(found.since),
            "until": moment(found.until) if found.until is not None else None,
            "by": found.person or None,
            "decisions": [self._line(one) for one in found.decisions],
            "capacity": {"before": _figures(found.before), "after": _figures(found.after)},
            "open_questions": list(map(self.printed.typed, found.open_questions)),
        }

    def _found(self) -> DecisionList:
        """What is printed: on a shared screen no note on a hidden issue, and not what the team can do."""
        found, printed = self.found, self.printed
        if not printed.is_shared:
            return found
        hidden = {one.issue.id for one in found.decisions if printed.hides_facts(one.issue)}
        before, after = (
            one and structs.replace(one, total=None, carried=None) for one in (found.before, found.after)
        )
        return structs.replace(
            found,
            decisions=tuple(
                structs.replace(one, note=None) if one.issue.id in hidden else one for one in found.decisions
            ),
            notes=tuple(
                note for note in found.notes if note.issue not in hidden and printed.may_tell(note.issue)
            ),
            before=before,
            after=after,
        )

    def _line(self, one: Decision) -> Shape:
        issue, hidden = one.issue, one.issue.confidential
        return {
            "reference": issue.reference,
            "title": self.printed.title(issue),
            "confidential": hidden,
            "kind": one.kind,
            "weight": None if hidden else issue.weight,
            "assignees": [] if hidden else list(issue.assignees),
            "changes": []
            if hidden
            else [
                {"field": change.name, "of": change.of or None, "from": change.was, "to": change.now}
                for change in one.changes
                if change.name not in ("title", "description")
            ],
            "by": [] if hidden else list(one.by),
            "at": moment(one.at),
            "note": one.note.text if one.note is not None else None,
        }

    def text(self) -> Text:
        """A table for each kind, and what is still open."""
        found = self._found()
        heads = ("reference", "what", "by", "at", "title")
        tables = [
            TextTable(f"{title} ({len(some)})", heads, [self._row(one) for one in some])
            for kind, title in KINDS.items()
            if (some := found.of_kind(kind))
        ]
        by = f" by {found.person}" if found.person else ""
        span = span_words(found.since, found.until, self.zone)
        asked = map(self.printed.typed, found.open_questions)
        open_ = [f"Open: {' '.join(question.split())}" for question in asked]
        return Text(
            heading=f"Decisions {found.milestone}",
            lines=(f"{counted(found.count, 'decision')}{by}, {span}.", *open_),
            tables=tuple(tables),
            csv=TextTable(
                "",
                ("kind", *heads, "note"),
                [
                    (one.kind, *self._row(one), one.note.text if one.note is not None else "")
                    for one in found.decisions
                ],
            ),
            markdown=self.printed.text(markdown(found, self.zone, self.printed.title, self.printed.typed)),
        )

    def _row(self, one: Decision) -> tuple[str, ...]:
        hidden = one.issue.confidential
        at = f"{one.at.astimezone(self.zone):%Y-%m-%d %H:%M}"
        what = "" if hidden else said_short(one, self.found.rules)
        return cells(
            one.issue.reference, what, "" if hidden else " ".join(one.by), at, self.printed.title(one.issue)
        )


def _noted(reports: Reports, span: Call) -> Call:
    """The span with the notes and questions of this machine's calls on the milestone since then."""
    from glboard_core.decision_log import kept_calls

    calls = [
        call
        for call in kept_calls(reports.engine.store)
        if reports.catalog.present("milestone", call.milestone) == span.milestone
    ]
    calls.reverse()
    notes = {note.issue: note for call in calls for note in call.notes if note.at >= span.started}
    asked = (one for call in calls if call.started >= span.started for one in call.questions)
    return structs.replace(span, notes=tuple(notes.values()), questions=tuple(dict.fromkeys(asked)))


async def _exists(reports: Reports, username: str) -> None:
    """Raises UsageError if no one is called so: nothing decided would be no answer."""
    from glboard_core.model.catalog_needs import Needs

    engine = reports.engine
    await engine.names.need(Needs(people=frozenset({username})))
    if (catalog := engine.catalog) is not None and catalog.person(username) is None:
        await engine.names.need(Needs(near_people=frozenset({username})))
        check_people(engine.catalog or catalog, (), (username,))


async def _team(
    asked: ReportOptions, reports: Reports, milestone: Milestone, before: PlanFigures, after: PlanFigures
) -> tuple[PlanFigures, PlanFigures]:
    """The figures with what the team can take, where its days are known."""
    team = asked.options.read_team()
    if team is None or milestone.start is None or milestone.due is None:
        return before, after
    figures = reports.figures
    found = figures.capacity(await reports.issues.open(figures.concerned(milestone)), milestone, team)
    known = {"total": found.total, "carried": found.carry_over.likely}
    return structs.replace(before, **known), structs.replace(after, **known)


def _figures(figures: PlanFigures | None) -> Shape | None:
    if figures is None:
        return None
    return {
        "total_weight": figures.total,
        "carry_over_likely": figures.carried,
        "planned": figures.planned,
        "accepted": figures.accepted,
        "unweighted": figures.unweighted,
        "free": figures.free,
    }
