"""Candidates: a milestone's issues in suggested order, accepted line by line (DOMAIN.md 7.4, 7.12).

Owns the running weight beside the room and the proposal that fills it. Nothing is written before somebody
accepts a line or confirms the proposal.
"""

from __future__ import annotations

from collections.abc import Sequence

from glboard_core.model.issue import Issue
from glboard_core.model.milestone import Milestone
from glboard_core.planning.candidates import Candidate, fill
from glboard_tui.edits import short
from glboard_tui.screens.desk import Desk
from glboard_tui.screens.plan_words import number, signed
from glboard_tui.screens.words import warning_words
from glboard_tui.screens.worklist import Entry, WorkList
from glboard_tui.widgets.palette import Ink
from glboard_tui.widgets.table import Col

_REASONS = {
    "not-ready": "not ready",
    "no-weight": "no weight",
    "missing-type": "no type",
    "several-types": "several types",
    "other-milestone": "neither current nor next milestone",
}


class Candidates(WorkList):
    """The list of one milestone."""

    empty = "No open issues in this milestone."
    hints = (
        ("Enter", "accept"),
        ("accept.with", "for somebody"),
        ("accept.back", "take back"),
        ("F", "fill to room"),
        ("weight.ready", "weight, ready"),
        ("milestone.defer", "defer"),
        ("escape", "close"),
    )
    cols = (
        Col(title="slipped", right=True),
        Col(title="#", right=True),
        Col(title="pr"),
        Col(title="w", right=True),
        Col(title="sum", right=True),
        Col(title="issue", least=12),
        Col(title="title", least=24),
        Col(title="", least=14),
    )

    def __init__(self, desk: Desk, milestone: Milestone) -> None:
        super().__init__(desk)
        self._milestone = milestone
        self._found: list[Candidate] = []

    @property
    def _space(self) -> float | None:
        """What may still be accepted, beside likely carry-over; none without a team."""
        found = self.plan.capacity(self._milestone) if self.plan.team is not None else None
        return found.space() if found is not None else None

    def fill(self) -> Sequence[Entry]:
        """One line a candidate; the weight adds up over what is or can be accepted."""
        self._found = self.plan.candidates(self._milestone)
        capacity = self.plan.capacity(self._milestone) if self.plan.team is not None else None
        # What is accepted is in the running weight here, so the line to keep below is that before accepting.
        whole = capacity.space() + capacity.accepted if capacity is not None else None
        sums, entries = 0, []
        for one in self._found:
            if one.accepted or one.eligible:
                sums += one.issue.weight or 0
            entries.append(self._entry(one, sums, whole))
        return entries

    def _entry(self, one: Candidate, sums: int, whole: float | None) -> Entry:
        title = self.desk.bridge.title_of(one.issue)
        counts = one.accepted or one.eligible
        over = counts and whole is not None and sums > whole
        total = f"{'!' if over else ''}{sums}" if counts else ""
        # A card's reasons and warnings overlap; what keeps it out comes first.
        against = [_REASONS.get(code, code) for code in one.reasons]
        warned = warning_words([c for c in one.warnings if c not in ("missing-type", "several-types")])
        severe = [f"severity {one.severity}"] if one.severe else []
        who = " ".join(one.issue.assignees)
        state = "accepted" if one.accepted else "not yet: " + ", ".join(against) if against else "can be"
        ink: Ink = "good" if one.accepted else "muted" if against else "text"
        notes = " · ".join([state, *(w for w in warned if not against or w == "break down"), *severe])
        return Entry(
            one.issue,
            (
                (f"{one.slipped}" if one.slipped else "", "warn"),
                (f"{one.rank}", "muted"),
                (f"P{one.priority}" if one.priority else "", "muted"),
                ("?" if one.issue.weight is None else str(one.issue.weight), "strong"),
                (total, "bad" if over else "muted"),
                (short(one.issue), "strong"),
                (title, ink),
                (notes, ink),
            ),
            f"{title}\n{notes}" + (f" · {who}" if who else " · nobody is assigned"),
        )

    def heading_of(self, place: int, count: int) -> str:
        """Milestone, place, and what may still be accepted."""
        space = self._space
        room = f" · still {signed(space)} beside likely carry-over" if space is not None else ""
        accepted = sum(one.accepted for one in self._found)
        return f"Candidates {self._milestone.title}: {place} of {count} · {accepted} accepted{room}"

    def own_key(self, token: str) -> bool:
        """``Enter`` accepts, ``F`` proposes."""
        from glboard_tui.screens.commands import COMMANDS

        if token == "enter":  # noqa: S105  (a key, no secret)
            if (issue := self.chosen()) is not None and self.desk.bridge.writable:
                COMMANDS["accept.present" if issue.assignees else "accept.search"](self.desk, "")
            return True
        if token == "F":  # noqa: S105  (a key, no secret)
            self._propose()
            return True
        return False

    def _propose(self) -> None:
        space = self._space
        if space is None:
            self.tell("There is no team.toml to know the room from; g r says how to write one.")
            return
        if not self.desk.bridge.writable:
            self.tell("This session may only read.")
            return
        lines = fill(self._found, space)
        chosen = [line.candidate.issue for line in lines if line.chosen]
        having = [issue for issue in chosen if issue.assignees]
        if not having:
            why = "nobody is assigned to what fits; d and a letter does both" if chosen else "nothing fits"
            self.tell(f"Nothing to propose: {why}.")
            return
        weight = sum(issue.weight or 0 for issue in having)
        note = "\n".join(f"{short(i)}  {i.weight}  {' '.join(i.assignees)}" for i in having[:3])
        if len(having) > 3:
            note += f"   … and {len(having) - 3} more"
        if left := len(chosen) - len(having):
            note += f"\n{left} that would fit have no assignee: d and a letter accepts them."
        self.desk.ask(
            f"Accept {len(having)} issues, weight {weight}, into room for {number(space)}?",
            {"y": "accept them, each for whoever is assigned", "n": "change nothing"},
            lambda answer: self._accept(having) if answer == "y" else None,
            note=note,
        )

    def _accept(self, issues: Sequence[Issue]) -> None:
        self.desk.do(lambda planner, on: planner.accept(on, None), on=issues, again=False)
