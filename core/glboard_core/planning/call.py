"""A planning call, or a span without one: what is kept of it besides the changes themselves.

What was decided is never stored here: it follows from the change log and from GitLab's events
(``planning/decisions.py``). Kept is what neither of them has: when it was, the capacity at its start and end,
notes, open questions, the text as a person edited it. Pure; times are in UTC.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct, structs

from glboard_core.errors import UsageError
from glboard_core.model.issue import Issue, IssueId
from glboard_core.planning import text as texts
from glboard_core.planning.capacity import Capacity
from glboard_core.planning.team import Span
from glboard_core.planning.timeline import cut

_AGO = re.compile(r"(\d{1,3})\s*([dh])")
_HINT = "Use 7d or 36h (that long ago), a date such as 2026-12-01, or a time such as 2026-12-01T14:00."


class PlanFigures(Struct, frozen=True, kw_only=True):
    """The team's figures of a milestone at a moment, likely ones as the header has them (rule 10).

    ``total`` and ``carried`` are None if the team's days were not known.
    """

    planned: int
    accepted: int
    unweighted: int
    total: float | None = None
    carried: float | None = None

    @property
    def free(self) -> float | None:
        """What is free; negative is over. None without the team's days."""
        return None if self.total is None else self.total - (self.carried or 0.0) - self.planned


def figures_of(found: Capacity) -> PlanFigures:
    """The figures to keep of a capacity: nothing about single people."""
    known = any(person.budget is not None for person in found.people)
    return PlanFigures(
        planned=found.planned,
        accepted=found.accepted,
        unweighted=found.unweighted,
        total=found.total if known else None,
        carried=found.carry_over.likely if known else None,
    )


class CallNote(Struct, frozen=True, kw_only=True):
    """What was noted about one issue. ``reference`` names it if it is no longer known."""

    issue: IssueId
    reference: str
    text: str
    at: datetime

    @property
    def asks(self) -> bool:
        """Whether it is an open question."""
        return self.text.rstrip().endswith("?")


class Call(Struct, frozen=True, kw_only=True):
    """One call, from ``started`` to ``ended`` (None: it goes on); a span without a call never ends.

    ``text`` is the message as a person edited it, and ``text_from`` the generated one that was edited.
    """

    id: str
    milestone: str
    started: datetime
    ended: datetime | None = None
    #: False for what was decided since a moment, without a call.
    is_call: bool = True
    group: str = ""
    before: PlanFigures | None = None
    after: PlanFigures | None = None
    notes: tuple[CallNote, ...] = ()
    questions: tuple[str, ...] = ()
    text: str = ""
    text_from: str = ""
    #: The edited messages with one person's decisions only, and the generated ones, by username.
    texts: dict[str, tuple[str, str]] = {}

    @property
    def goes_on(self) -> bool:
        """Whether it is a call that has not ended."""
        return self.is_call and self.ended is None

    @property
    def mark(self) -> str:
        """The mark of its comment: posted again, it updates that one, also if the milestone was renamed."""
        return f"decisions {self.id}" if self.is_call else f"decisions {self.id} {self.started:%Y-%m-%d %H%M}"

    def mark_of(self, person: str) -> str:
        """The mark of the comment with one person's decisions; of everyone's without a name.

        So one person's never replace the whole call's.
        """
        return f"{self.mark} by {person}" if person else self.mark

    def text_of(self, person: str) -> tuple[str, str]:
        """The edited message of everyone's or one person's decisions, and the generated one; or "" twice."""
        return self.texts.get(person, ("", "")) if person else (self.text, self.text_from)

    def note_on(self, issue: IssueId) -> CallNote | None:
        """The note about an issue."""
        return next((note for note in self.notes if note.issue == issue), None)

    def noted(self, issues: Iterable[Issue], text: str, at: datetime, *, add: bool = False) -> Call:
        """With this note about each of the issues, in place of an earlier one, or (``add``) below it.

        Without a note if the text is empty.
        """
        notes = {note.issue: note for note in self.notes}
        for one in issues:
            earlier = notes.pop(one.id, None)
            words = [earlier.text] if add and earlier is not None else []
            whole = "\n".join([*words, *([text.strip()] if text.strip() else [])])
            if whole:
                notes[one.id] = CallNote(issue=one.id, reference=one.reference, text=whole, at=at)
        return structs.replace(self, notes=tuple(notes.values()))

    def renamed(self, old: IssueId, new: IssueId, reference: str) -> Call:
        """With the id that GitLab gave to a new issue."""
        if self.note_on(old) is None:
            return self
        notes = (
            structs.replace(note, issue=new, reference=reference) if note.issue == old else note
            for note in self.notes
        )
        return structs.replace(self, notes=tuple(notes))

    def asking(self, text: str) -> Call:
        """With these open questions, one on each line, instead of the earlier ones."""
        lines = (" ".join(line.split()) for line in text.splitlines())
        return structs.replace(self, questions=tuple(dict.fromkeys(filter(None, lines))))

    def edited(self, text: str, generated: str, person: str = "") -> Call:
        """With the text as a person edited it; the generated one again, if it is that or empty."""
        same = not text.strip() or text.strip() == generated.strip()
        now, source = ("", "") if same else (text.strip(), generated)
        if not person:
            return structs.replace(self, text=now, text_from=source)
        others = {name: kept for name, kept in self.texts.items() if name != person}
        return structs.replace(self, texts=others | ({person: (now, source)} if now else {}))


def new_call(milestone: str, at: datetime, *, group: str = "", before: PlanFigures | None = None) -> Call:
    """A call that starts now."""
    # Not cut to the second: what was done just before is not part of it.
    return Call(
        id=f"call {at:%Y-%m-%dT%H:%M:%S.%fZ}", milestone=milestone, started=at, group=group, before=before
    )


def since(milestone: str, at: datetime, *, group: str = "") -> Call:
    """What is decided from a moment on, without a call: one for each milestone."""
    return Call(id=f"since {milestone}", milestone=milestone, started=cut(at), group=group, is_call=False)


def newest_first(calls: Iterable[Call]) -> Sequence[Call]:
    """Calls in the order in which they are offered."""
    return sorted(calls, key=lambda call: (call.started, call.id), reverse=True)


def moment_of(typed: str, now: datetime, zone: ZoneInfo) -> datetime:
    """The moment that a person means by ``7d``, ``36h``, a day (its start in the team's zone) or a time.

    A time without a zone is in the team's. Raises UsageError, also for one that is still to come.
    """
    word = typed.strip()
    if ago := _AGO.fullmatch(word.lower()):
        count = int(ago[1])
        return now - (timedelta(days=count) if ago[2] == "d" else timedelta(hours=count))
    try:
        if "T" in word or ":" in word:
            found = datetime.fromisoformat(word)
        else:
            [day] = texts.read(word, now.astimezone(zone).date())
            found = datetime.combine(day if not isinstance(day, Span) else day.first, time.min)
        found = (found if found.tzinfo is not None else found.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError, UsageError):
        raise UsageError(f"“{word}” is not a date or time.", hint=_HINT) from None
    if found > now:
        raise UsageError(f"“{word}” is in the future.", hint=_HINT)
    return found
