"""Lists for engineers: issues that need a weight, and own work by workflow state (rule 22)."""

from __future__ import annotations

from collections.abc import Sequence

from glboard_core.board.batch import short
from glboard_core.board.rules import types_of
from glboard_core.model.issue import Issue, IssueId
from glboard_core.planning.candidates import priority_of
from glboard_core.planning.reasons import words_of
from glboard_tui import texts
from glboard_tui.commands.context import CommandContext
from glboard_tui.screens.issue_list import Entry, IssueList, weight_words
from glboard_tui.texts import what_to_press
from glboard_tui.unseen_changes import ExternalChange
from glboard_tui.widgets.colors import Ink
from glboard_tui.widgets.table import Col, Head


class Refinement(IssueList):
    """Issues in planning breakdown without a weight by milestone, with the description next to the list."""

    scope = "refinement"
    empty = "No issues in planning breakdown need a weight."
    reads = True
    cols = (
        Col(title="issue", reference=True, least=12),
        Col(title="pr", drop=2),
        Col(title="type", drop=3),
        Col(title="title", least=24),
    )
    hints = (
        "weight.ready",
        "plan.spike",
        ("text.comment", "ask"),
        "description.down",
        "plan.breakdown",
        "description.toggle",
        "open.browser",
    )

    def fill(self) -> Sequence[Entry]:
        groups = self.planning.unrefined()
        return [
            self._entry(issue, Head(f"{title or 'no milestone'} · {len(issues)}") if not row else None)
            for title, issues in groups
            for row, issue in enumerate(issues)
        ]

    def heading_of(self, place: int, count: int) -> str:
        return f"Refinement queue: {place} of {count}" if count else "Refinement queue"

    def _entry(self, issue: Issue, head: Head | None) -> Entry:
        names = self.context.bridge.settings.labels
        priority = priority_of(issue, names)
        return Entry(
            issue,
            (
                (short(issue), "strong"),
                (f"P{priority}" if priority else "", "muted"),
                (" ".join(kind.removeprefix(names.type_prefix) for kind in types_of(issue, names)), "muted"),
                (self.context.bridge.title_of(issue), "text"),
            ),
            heads=(head,) if head else (),
        )


class OwnWork(IssueList):
    """Issues assigned to me, by workflow state, then ready ones of the current milestone to pick next."""

    scope = "own-work"
    empty = "No open issues assigned to you, and none ready to pick up in the current milestone."
    hints = (
        "flow.take",
        "flow.advance",
        "flow.blocked",
        "text.comment",
        "description.toggle",
        "flow.set",
        ("close.complete", "complete"),
        "open.browser",
    )
    cols = (
        Col(title="issue", reference=True, least=12),
        Col(title="pr", drop=2),
        Col(title="w", right=True),
        Col(title="title", least=24),
        Col(title="milestone", least=10, drop=1),
        Col(title="", least=8),
    )

    def __init__(self, context: CommandContext) -> None:
        super().__init__(context)
        self._mine = 0

    def fill(self) -> Sequence[Entry]:
        mine = self.planning.mine()
        names = ("flow.advance", "flow.blocked", "flow.take")
        advance, block, take = (self.context.keymap.key(name) for name in names)
        going = f"{advance} advances it, {block} sets it to blocked."
        taking = f"Unassigned: {take} assigns it to you and sets it to in dev."
        self._mine = len(mine)
        states = [self.state_of(issue) for issue in mine]
        entries = []
        for row, (issue, state) in enumerate(zip(mine, states, strict=True)):
            first = row == 0 or states[row - 1] != state
            head = Head(f"{state} · {states.count(state)}", "warn" if state == "blocked" else "accent")
            entries.append(self._line(issue, head if first else None, going))
        milestone, free = self.planning.to_pick()
        for row, issue in enumerate(free):
            head = Head(f"next to pick up in {milestone} · {len(free)}", "good")
            entries.append(self._line(issue, None if row else head, taking))
        return entries

    def _line(self, issue: Issue, head: Head | None, does: str) -> Entry:
        names = self.context.bridge.settings.labels
        title, priority = self.context.bridge.title_of(issue), priority_of(issue, names)
        blocked = issue.blocked or self.state_of(issue) == "blocked"
        why = " Blocked: v shows the description and comments."
        heavy: Ink = "warn" if issue.weight is None else "strong"
        return Entry(
            issue,
            (
                (short(issue), "strong"),
                (f"P{priority}" if priority else "", "muted"),
                (weight_words(issue.weight), heavy),
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
        at = f" · line {place} of {count}" if count else ""
        return f"My work: {self._mine} open · {self.total - self._mine} to pick up{at}"


# Triage: open issues that need fixing, one after another (planning rule 9).


class Triage(IssueList):
    """The list. Its keys are the board's; a fixed issue leaves it."""

    scope = "triage"
    empty = "All fixed."
    hints = (
        ("milestone.next", "next milestone"),
        "labels.missing",
        "labels.priority",
        "labels.severity",
        "issue.next",
        "close.plain",
        "labels.edit",
        "flow.set",
    )
    cols = (
        Col(title="issue", reference=True, least=12),
        Col(title="title", least=28),
        Col(title="to fix", least=24),
    )

    def __init__(self, context: CommandContext) -> None:
        super().__init__(context)
        #: All issues listed since it was opened: the base of the progress.
        self._found: set[IssueId] = set()
        self._differing = 0

    def fill(self) -> Sequence[Entry]:
        """One line per issue, with its reasons in words."""
        found = self.planning.triage()
        self._found |= {one.issue.id for one in found}
        self._differing = sum("label-status-conflict" in one.reasons for one in found)
        title_of, keymap = self.context.bridge.title_of, self.context.keymap
        return [
            Entry(
                one.issue,
                (
                    (short(one.issue), "strong"),
                    (title_of(one.issue), "text"),
                    (" · ".join(map(words_of, one.reasons)), "warn"),
                ),
                lambda one=one: f"{title_of(one.issue)}\n{what_to_press(one.reasons, keymap)}",  # type: ignore[misc]
            )
            for one in found
        ]

    def heading_of(self, place: int, count: int) -> str:
        """``Triage: 12 of 47 fixed``, of all found since the list was opened."""
        total = len(self._found)
        if not total:
            return "Triage"
        at = f" · line {place} of {count}" if count else ""
        differing = f" · label and status differ: {self._differing}" if self._differing else ""
        return f"Triage: {total - self.total} of {total} fixed{differing}{at}"


# Changes by others as a list: on this board first, then elsewhere, the latest first.


class Updates(IssueList):
    """The list."""

    scope = "updates"
    empty = "No new changes by others."
    cols = (
        Col(title="issue", reference=True, least=12),
        Col(title="who", least=9),
        Col(title="what", least=30),
        Col(title="title", least=16, drop=1),
        Col(title="when", least=8, right=True),
    )
    hints = (
        "updates.go",
        "updates.seen",
        "selection.all",
        "milestone.defer",
        "text.comment",
        "open.browser",
        "escape",
    )
    _here = 0

    def fill(self) -> Sequence[Entry]:
        """Changes on this board, or of cards that left it, before those elsewhere."""
        rows = list(self.context.bridge.unseen)[::-1]
        here = [row for row in rows if self.context.bridge.is_here(row)]
        others = [row for row in rows if not self.context.bridge.is_here(row)]
        self._here = len(here)
        entries = [self._entry(row) for row in here]
        for at, row in enumerate(others):
            heads = (Head("Not on this board", rule=True),) if at == 0 and here else ()
            entries.append(self._entry(row, heads=heads))
        return entries

    def _entry(self, row: ExternalChange, *, heads: tuple[Head, ...] = ()) -> Entry:
        bridge = self.context.bridge
        what, title = texts.what(row, bridge.mask), bridge.title_of(row.issue)
        words = ", ".join(what)
        if row.left:
            words = f"left {row.left}: {words}"
        by = texts.who(row, bridge.me)
        now = bridge.server_now()
        return Entry(
            row.issue,
            (
                (short(row.issue), "strong"),
                (by, "accent" if row.by else "muted"),
                (words, "text" if row.now is not None else "warn"),
                (title, "muted"),
                (texts.when(row, now), "muted"),
            ),
            f"{title}\n{by}: {words}",
            heads,
        )

    def heading_of(self, place: int, count: int) -> str:
        """``Changes by others: 2 of 9 · 4 on this board``."""
        return f"Changes by others: {place} of {count} · {self._here} on this board"

    def action_go(self) -> None:
        issue = self.chosen()
        if issue is None:
            return
        context = self.context
        if context.bridge.issue(issue.id) is None:
            self.tell("No longer in the group: o opens it in the browser.")
            return
        self.dismiss(None)
        context.board.focus_card(issue.id)
        if context.board.focused[0] != issue.id:
            context.board.screen.call_after_refresh(context.open_issue.open, issue.id)

    def action_seen(self) -> None:
        for identity in list(self.listed.targets):
            self.context.bridge.unseen.look(identity)
            self.context.board.changed(set(), {identity})
        self.listed.selection.clear()
        self.refill()
        self.context.shell.show_header()
