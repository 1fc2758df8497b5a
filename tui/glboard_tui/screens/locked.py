"""A locked plan and what became of it: added, removed, re-weighted since (EM-10), every issue key at hand.

Owns the list, and the ways out of it and in: locking anew, a file for a colleague, a colleague's file. A plan
that is replaced is kept (``glboard plan show M --list``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from textual.content import Content

from glboard_core.errors import GlboardError
from glboard_core.model.issue import IssueId
from glboard_core.model.milestone import Milestone
from glboard_core.planning.scope import Scope
from glboard_core.planning.snapshot import PlannedIssue, PlanSnapshot
from glboard_core.planning.snapshot_text import count_words, locked_words
from glboard_tui.edits import short
from glboard_tui.screens.desk import Desk
from glboard_tui.screens.prompt import Prompt
from glboard_tui.screens.worklist import Entry, WorkList
from glboard_tui.widgets.palette import Ink
from glboard_tui.widgets.table import Col, Head
from glboard_tui.widgets.text import clean


class LockedPlan(WorkList):
    """The plan of one milestone."""

    empty = "Nothing was in the plan, and nothing is now."
    hints = (
        ("accept.back", "take back"),
        ("milestone.defer", "defer"),
        ("weight.set", "weight"),
        ("L", "lock anew"),
        ("E", "export"),
        ("R", "read in a colleague's"),
        ("escape", "close"),
    )
    cols = (
        Col(title="issue", reference=True, least=12),
        Col(title="w", right=True),
        Col(title="title", least=28),
        Col(title="who", least=6, drop=2),
        Col(title="since the lock", least=10),
    )

    def __init__(self, desk: Desk, milestone: Milestone, changed: Scope) -> None:
        super().__init__(desk)
        self._milestone = milestone
        self._scope = changed
        #: References of what left the plan and stands on no board here.
        self._gone: tuple[str, ...] = ()

    # The lines

    def fill(self) -> Sequence[Entry]:
        """What was added, removed, re-weighted; then what stayed as it was."""
        try:
            self._scope = self.plan.past.scope(self._milestone) or self._scope
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
            "As it was locked": [],
        }
        for row in now.values():
            if row.issue in removed or row.issue in added:
                continue
            if (one := weights.get(row.reference)) is not None:
                groups["Re-weighted"].append((row, f"weight {_w(one.before)} → {_w(one.after)}"))
            else:
                groups["As it was locked"].append((row, ""))
        gone: list[str] = []
        entries: list[Entry] = []
        for name, rows in groups.items():
            shown = [(row, said) for row, said in rows if self.desk.bridge.issue(row.issue) is not None]
            gone += [row.reference for row, _ in rows if self.desk.bridge.issue(row.issue) is None]
            weight = sum(row.weight or 0 for row, _ in rows)
            head = Head(f"{name} ({len(rows)}, weight {weight})")
            ink: Ink = "muted" if name == "As it was locked" else "warn"
            for at, (row, said) in enumerate(shown):
                if (entry := self._entry(row.issue, said, ink, () if at else (head,))) is not None:
                    entries.append(entry)
        self._gone = tuple(gone)
        return entries

    def _entry(self, identity: IssueId, said: str, ink: Ink, heads: tuple[Head, ...]) -> Entry | None:
        bridge = self.desk.bridge
        if (issue := bridge.issue(identity)) is None:
            return None
        if not said and ink == "warn":
            where = issue.milestone or "no milestone"
            moved = issue.milestone != self._milestone.title
            said = f"now in {where}" if moved else f"no {bridge.settings.labels.deliverable} any more"
        if not issue.is_open:
            said = f"{said} · closed" if said else "closed"
        title, who = bridge.title_of(issue), " ".join(issue.assignees)
        return Entry(
            issue,
            (
                (short(issue), "strong"),
                (_w(issue.weight), "strong"),
                (title, "text"),
                (who, "muted"),
                (said, ink),
            ),
            f"{title}\n{said}" + (f" · {who}" if who else ""),
            heads,
        )

    def heading_of(self, place: int, count: int) -> str:
        """``Plan of 19.8: 3 of 12 · 2 added, 1 removed, 0 re-weighted``."""
        now = self._scope
        changes = f"{len(now.added)} added, {len(now.removed)} removed, {len(now.reweighted)} re-weighted"
        return f"Plan of {self._milestone.title}: {place} of {count} · {changes}"

    def above(self) -> Content:
        """When it was locked and by whom, and what no board holds any more."""
        plan = self._scope.locked
        words = locked_words(plan)
        lines = [f"{words[0].upper()}{words[1:]}: {count_words(plan)}. Say/Do and scope go by it."]
        if self._gone:
            lines.append(f"On no board any more: {', '.join(self._gone)}")
        return Content("\n".join(map(clean, lines)))

    # Keys

    def own_key(self, token: str) -> bool:
        """``L`` locks anew, ``E`` writes a file, ``R`` reads one."""
        match token:
            case "L":
                self._lock()
            case "E":
                ask_export(self.desk, self._scope.locked)
            case "R":
                ask_import(self.desk, self._milestone, self.refill)
            case _:
                return False
        return True

    def _lock(self) -> None:
        def answered(_: str) -> None:
            lock_now(self.desk, self._milestone)
            self.refill()

        self.desk.ask(
            f"Lock the plan of {self._milestone.title} anew, as it is now?",
            {"l": "lock it"},
            answered,
            note=f"The one before is kept: it was {locked_words(self._scope.locked)}.",
        )


def _w(weight: int | None) -> str:
    return "?" if weight is None else str(weight)


def lock_now(desk: Desk, milestone: Milestone) -> None:
    """Lock, and say so."""
    try:
        taken = desk.screen.plan.past.lock(milestone)
    except GlboardError as error:
        desk.tell(error)
        return
    kept = "" if desk.bridge.keeps else ", until glboard is left"
    desk.say(f"Locked {milestone.title}: {count_words(taken)}{kept}.")


def ask_export(desk: Desk, plan: PlanSnapshot) -> None:
    """Ask for a file and write the plan there."""

    def answered(text: str | None) -> None:
        if not text:
            return
        file = Path(text).expanduser()
        try:
            desk.screen.plan.past.export(plan, file)
        except GlboardError as error:
            desk.tell(error)
        else:
            desk.say(f"Wrote {file}: references, weights and assignees, no titles.")

    name = f"plan-{plan.milestone.replace('/', '-')}.json"
    prompt = Prompt("Write the plan to a file", value=name, hint="Enter writes it · Esc cancels")
    desk.screen.app.push_screen(prompt, answered)


def ask_import(desk: Desk, milestone: Milestone, then: Callable[[], None] = lambda: None) -> None:
    """Ask for a colleague's file and, where a plan is locked already, whether to put it in its place."""
    past = desk.screen.plan.past

    def use(plan: PlanSnapshot) -> None:
        try:
            past.use(plan)
        except GlboardError as error:
            desk.tell(error)
            return
        desk.say(f"The plan of {milestone.title} is now the one {locked_words(plan)}: {count_words(plan)}.")
        then()

    def answered(text: str | None) -> None:
        if not text:
            return
        try:
            plan = past.read(Path(text).expanduser(), milestone)
            before = past.locked(milestone)
        except GlboardError as error:
            desk.tell(error)
            return
        if before is None:
            use(plan)
            return
        desk.ask(
            f"Use this plan of {milestone.title}, {locked_words(plan)}: {count_words(plan)}?",
            {"y": "use it"},
            lambda _: use(plan),
            note=f"It replaces the one {locked_words(before)}: {count_words(before)}. That one is kept.",
        )

    prompt = Prompt(
        f"A colleague's plan of {milestone.title}",
        placeholder="path of the file",
        note="A file that E here, or glboard plan export, wrote.",
        hint="Enter reads it · Esc cancels",
    )
    desk.screen.app.push_screen(prompt, answered)
