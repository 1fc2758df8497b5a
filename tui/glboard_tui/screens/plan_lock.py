"""A locked plan and its changes: added, removed, reweighted since (rule 19); every issue key works in it.

Owns the list, locking again, export to a file and import of a colleague's file. A replaced plan is kept
(``glboard plan show M --list``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.content import Content

from glboard_core.board.batch import short
from glboard_core.errors import GlboardError
from glboard_core.files import path_of
from glboard_core.model.issue import IssueId
from glboard_core.model.milestone import Milestone
from glboard_core.planning.plan_lock import (
    PlanChanges,
    PlannedIssue,
    PlanSnapshot,
    count_words,
    exported,
    locked_words,
)
from glboard_tui.commands.context import CommandContext
from glboard_tui.screens.issue_list import ISSUE_COLS, Entry, MilestoneList, weight_words
from glboard_tui.widgets.colors import Ink
from glboard_tui.widgets.table import Col, Head
from glboard_tui.widgets.text import clean


class LockedPlan(MilestoneList):
    """The locked plan of one milestone."""

    scope = "plan-lock"
    empty = "The plan was empty, and still is."
    hints = (
        "accept.remove",
        "milestone.defer",
        "weight.set",
        "plan-lock.lock",
        "plan-lock.export",
        "plan-lock.import",
        "escape",
    )
    cols = (
        *ISSUE_COLS,
        Col(title="since the lock", least=10),
    )

    def __init__(self, context: CommandContext, milestone: Milestone, changed: PlanChanges) -> None:
        super().__init__(context, milestone)
        self._scope = changed
        #: References of issues that left the plan and are on no board here.
        self._gone: tuple[str, ...] = ()

    # The lines

    def fill(self) -> Sequence[Entry]:
        """What was added, removed or reweighted; then what is unchanged."""
        try:
            self._scope = self.planning.history.scope(self.milestone) or self._scope
        except GlboardError as error:
            self.tell(error.message)
        changed = self._scope
        weights = {one.reference: one for one in changed.reweighted}
        added = {row.issue for row in changed.added}
        removed = {row.issue for row in changed.removed}
        now = {row.issue: row for row in changed.locked.issues}
        groups: dict[str, list[tuple[PlannedIssue, str]]] = {
            "Added": [(row, "added") for row in changed.added],
            "Removed": [(row, "") for row in changed.removed],
            "Re-weighted": [],
            "Unchanged": [],
        }
        for row in now.values():
            if row.issue in removed or row.issue in added:
                continue
            if (one := weights.get(row.reference)) is not None:
                groups["Re-weighted"].append(
                    (row, f"weight {weight_words(one.before)} → {weight_words(one.after)}")
                )
            else:
                groups["Unchanged"].append((row, ""))
        gone: list[str] = []
        entries: list[Entry] = []
        for name, rows in groups.items():
            shown = [(row, said) for row, said in rows if self.context.bridge.issue(row.issue) is not None]
            gone += [row.reference for row, _ in rows if self.context.bridge.issue(row.issue) is None]
            weight = sum(row.weight or 0 for row, _ in rows)
            head = Head(f"{name} ({len(rows)}, weight {weight})")
            ink: Ink = "muted" if name == "Unchanged" else "warn"
            for at, (row, said) in enumerate(shown):
                if (entry := self._entry(row.issue, said, ink, () if at else (head,))) is not None:
                    entries.append(entry)
        self._gone = tuple(gone)
        return entries

    def _entry(self, identity: IssueId, said: str, ink: Ink, heads: tuple[Head, ...]) -> Entry | None:
        bridge = self.context.bridge
        if (issue := bridge.issue(identity)) is None:
            return None
        if not said and ink == "warn":
            where = issue.milestone or "no milestone"
            moved = issue.milestone != self.milestone.title
            said = f"now in {where}" if moved else f"{bridge.settings.labels.deliverable} removed"
        if not issue.is_open:
            said = f"{said} · closed" if said else "closed"
        title, who = bridge.title_of(issue), " ".join(issue.assignees)
        return Entry(
            issue,
            (
                (short(issue), "strong"),
                (weight_words(issue.weight), "strong"),
                (title, "text"),
                (who, "muted"),
                (said, ink),
            ),
            f"{title}\n{said}" + (f" · {who}" if who else ""),
            heads,
        )

    def heading_of(self, place: int, count: int) -> str:
        """``Plan of 19.8: 3 of 12 · 2 added, 1 removed, 0 reweighted``."""
        now = self._scope
        changes = f"{len(now.added)} added, {len(now.removed)} removed, {len(now.reweighted)} reweighted"
        return f"Plan of {self.milestone.title}: {place} of {count} · {changes}"

    def above(self) -> Content:
        """When it was locked and by whom, and which issues are on no board."""
        plan = self._scope.locked
        words = locked_words(plan)
        lines = [f"{words[0].upper()}{words[1:]}: {count_words(plan)}. Say/Do and scope use it."]
        if self._gone:
            lines.append(f"No longer on any board: {', '.join(self._gone)}")
        return Content("\n".join(map(clean, lines)))

    # Keys

    def action_export(self) -> None:
        if self.context.bridge.share.is_on:
            # It has the assignees of confidential issues, and would be of no use without.
            self.tell("Not on a shared screen: a plan names the assignees of confidential issues.")
            return
        plan = self._scope.locked
        name = f"plan-{plan.milestone.replace('/', '-')}.json"
        what = ": references, weights and assignees, no titles"
        self.export("Export the plan to a file", name, exported(plan), what)

    def action_import(self) -> None:
        ask_import(self.context, self.milestone, self.refill)

    def action_lock(self) -> None:

        def answered(_: str) -> None:
            lock_now(self.context, self.milestone)
            self.refill()

        self.context.ask(
            f"Lock the current plan of {self.milestone.title} again?",
            {"l": "lock it"},
            answered,
            note=f"The previous plan is kept: {locked_words(self._scope.locked)}.",
        )


def lock_now(context: CommandContext, milestone: Milestone) -> None:
    """Lock the plan and report it."""
    try:
        taken = context.planning.history.lock(milestone)
    except GlboardError as error:
        context.tell(error)
        return
    key = context.keymap.key("plan-lock.lock")
    context.bridge.undoing.no_undo = (
        f"Locking {milestone.title} cannot be undone, but you can lock again ({key} in the locked plan); "
        "earlier plans are kept."
    )
    kept = "" if context.bridge.keeps else ", until you quit glboard"
    context.say(f"Locked {milestone.title}: {count_words(taken)}{kept}.")


def ask_import(
    context: CommandContext, milestone: Milestone, then: Callable[[], None] = lambda: None
) -> None:
    """Ask for a colleague's file and, if a plan is already locked, whether to replace it."""
    history = context.planning.history

    def use(plan: PlanSnapshot) -> None:
        try:
            history.use(plan)
        except GlboardError as error:
            context.tell(error)
            return
        context.say(f"Using the plan of {milestone.title} {locked_words(plan)}: {count_words(plan)}.")
        then()

    def answered(text: str) -> None:
        if not text:
            return
        try:
            plan = history.read(path_of(text), milestone)
            before = history.locked(milestone)
        except GlboardError as error:
            context.tell(error)
            return
        if before is None:
            use(plan)
            return
        context.ask(
            f"Use this plan of {milestone.title}, {locked_words(plan)}: {count_words(plan)}?",
            {"y": "use it"},
            lambda _: use(plan),
            note=f"It replaces the plan {locked_words(before)}: {count_words(before)}. That plan is kept.",
        )

    context.prompt(
        f"A colleague's plan of {milestone.title}",
        answered,
        placeholder="file path",
        note="A file from E here or from glboard plan export.",
        hint="Enter imports it · Esc cancels",
    )
