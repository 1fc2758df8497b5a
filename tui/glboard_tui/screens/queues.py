"""Lists for engineers: issues that need a weight, and own work by workflow state (EN-1, EN-2)."""

from __future__ import annotations

from collections.abc import Sequence

from glboard_core.board.rules import types_of
from glboard_core.board.use_cases import short
from glboard_core.model.issue import Issue
from glboard_core.planning.candidates import highest
from glboard_tui.actions import BY_ID
from glboard_tui.commands.context import CommandContext
from glboard_tui.screens.issue_list import Entry, IssueList
from glboard_tui.widgets.colors import Ink
from glboard_tui.widgets.table import Col, Head


class Refinement(IssueList):
    """Issues in planning breakdown without a weight, with the description next to the list."""

    empty = "No issues in planning breakdown need a weight."
    reads = True
    cols = (
        Col(title="issue", reference=True, least=12),
        Col(title="pr", drop=2),
        Col(title="type", drop=3),
        Col(title="title", least=24),
        Col(title="milestone", drop=1),
    )
    hints = (
        ("weight.ready", "weight, ready"),
        ("plan.spike", "spike"),
        ("text.comment", "ask"),
        ("J K", "scroll"),
        ("plan.breakdown", "break down"),
        ("v", "description on/off"),
        ("open.browser", "browser"),
    )

    def fill(self) -> Sequence[Entry]:
        """In manual order."""
        return [self._entry(issue) for issue in self.plan.unrefined()]

    def heading_of(self, place: int, count: int) -> str:
        """``Refinement queue: 3 of 9``."""
        return f"Refinement queue: {place} of {count}"

    def _entry(self, issue: Issue) -> Entry:
        names = self.desk.bridge.settings.labels
        priority = highest(issue, names.priority_prefix)
        return Entry(
            issue,
            (
                (short(issue), "strong"),
                (f"P{priority}" if priority else "", "muted"),
                (" ".join(kind.removeprefix(names.type_prefix) for kind in types_of(issue, names)), "muted"),
                (self.desk.bridge.title_of(issue), "text"),
                (issue.milestone or "", "muted"),
            ),
        )


class OwnWork(IssueList):
    """Issues assigned to me, by workflow state, then ready ones of the current milestone to pick next."""

    empty = "No open issues assigned to you, none ready to pick in the current milestone."
    hints = (
        ("flow.take", "take it: mine, in dev"),
        ("flow.advance", "next state"),
        ("flow.blocked", "blocked by"),
        ("text.comment", "comment"),
        ("v", "description"),
        ("flow.set", "state"),
        ("close.complete", "complete"),
        ("open.browser", "browser"),
    )
    cols = (
        Col(title="issue", reference=True, least=12),
        Col(title="pr", drop=2),
        Col(title="w", right=True),
        Col(title="title", least=24),
        Col(title="milestone", least=10, drop=1),
        Col(title="", least=8),
    )

    def __init__(self, desk: CommandContext) -> None:
        super().__init__(desk)
        self._mine = 0

    def fill(self) -> Sequence[Entry]:
        """The groups, one after another."""
        mine = self.plan.mine()
        keys = {name: self.desk.screen.keymap.shown(BY_ID[name]) for name, _ in self.hints if name in BY_ID}
        going = f"{keys['flow.advance']} advances it, {keys['flow.blocked']} marks it as blocked."
        taking = f"Unassigned: {keys['flow.take']} assigns it to you and sets in dev."
        self._mine = len(mine)
        states = [self._state(issue) for issue in mine]
        entries = []
        for row, (issue, state) in enumerate(zip(mine, states, strict=True)):
            first = row == 0 or states[row - 1] != state
            head = Head(f"{state} · {states.count(state)}", "warn" if state == "blocked" else "accent")
            entries.append(self._line(issue, head if first else None, going))
        milestone, free = self.plan.to_pick()
        for row, issue in enumerate(free):
            head = Head(f"next to pick in {milestone} · {len(free)}", "good")
            entries.append(self._line(issue, None if row else head, taking))
        return entries

    def _state(self, issue: Issue) -> str:
        state = self.desk.bridge.view.flow.of(issue)
        return state.name if state else "no state"

    def _line(self, issue: Issue, head: Head | None, does: str) -> Entry:
        names = self.desk.bridge.settings.labels
        title, priority = self.desk.bridge.title_of(issue), highest(issue, names.priority_prefix)
        blocked = issue.blocked or self._state(issue) == "blocked"
        why = " Blocked: v shows the description and the comments that say why."
        heavy: Ink = "warn" if issue.weight is None else "strong"
        return Entry(
            issue,
            (
                (short(issue), "strong"),
                (f"P{priority}" if priority else "", "muted"),
                ("?" if issue.weight is None else str(issue.weight), heavy),
                (title, "text"),
                (issue.milestone or "no milestone", "muted"),
                (
                    "blocked" if blocked else "Deliverable" if names.deliverable in issue.labels else "",
                    "warn" if blocked else "muted",
                ),
            ),
            f"{title}\n{does}{why if blocked else ''}",
            (head,) if head else (),
        )

    def heading_of(self, place: int, count: int) -> str:
        """``My work: 3 open · 2 to pick``."""
        at = f" · line {place} of {count}" if count else ""
        return f"My work: {self._mine} open · {count - self._mine} to pick{at}"
