"""The end of a milestone: one list of what is left, each line handled by a key (planning rules 6 and 20)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import groupby

from textual.content import Content

from glboard_core.board.batch import short
from glboard_core.model.issue import Issue, IssueId
from glboard_core.model.milestone import Milestone
from glboard_core.planning.milestone_end import KINDS, OPEN, Kind, Leftover
from glboard_core.planning.text import day_words
from glboard_core.zones import zone_named
from glboard_tui.commands.context import CommandContext
from glboard_tui.screens.issue_list import ISSUE_COLS, Entry, MilestoneList, weight_words
from glboard_tui.widgets.colors import Ink
from glboard_tui.widgets.table import Col, Head
from glboard_tui.widgets.text import clean

_INKS: dict[Kind, Ink] = {"confidential": "warn", "quiet": "warn", "late-closed": "muted", "handled": "muted"}


class Ending(MilestoneList):
    """What is left of one milestone. ``-`` and ``=`` show the previous and next one."""

    scope = "milestone-end"
    empty = "No open issues left in this milestone."
    hints = (
        "plan.slip",
        ("plan.drop", "drop"),
        ("close.complete", "complete"),
        "text.comment",
        "milestone-end.label",
        "board.previous-milestone",
        "board.next-milestone",
        "escape",
    )
    cols = (
        *ISSUE_COLS,
        Col(title="state", least=8, drop=1),
    )

    def __init__(self, context: CommandContext, milestone: Milestone) -> None:
        super().__init__(context, milestone)
        self._found: list[Leftover] = []
        #: Issues listed in this session, so that one dropped to a milestone without dates stays visible.
        self._seen: dict[IssueId, None] = {}

    @property
    def _missed(self) -> str:
        return self.context.bridge.settings.labels.missed_prefix + self.milestone.title

    # The lines

    def fill(self) -> Sequence[Entry]:
        """One line per issue, below a heading for each kind that says what happens to it."""
        self._found = self.planning.history.leftovers(self.milestone, self._seen)
        self._seen |= dict.fromkeys(left.issue.id for left in self._found)
        entries: list[Entry] = []
        for kind, group in groupby(self._found, key=lambda left: left.kind):
            issues = [left.issue for left in group]
            head = Head(self._head(kind, issues), "warn" if kind in ("confidential", "quiet") else "accent")
            entries += [self._entry(issue, kind, () if n else (head,)) for n, issue in enumerate(issues)]
        return entries

    def _head(self, kind: Kind, issues: Sequence[Issue]) -> str:
        count, weight = len(issues), sum(issue.weight or 0 for issue in issues)
        sums = f"{count}, weight {weight}"
        match kind:
            case "confidential":
                return f"Confidential, still open ({sums}): the bot skips these"
            case "deliverable":
                return f"Deliverable, still open ({sums})"
            case "open":
                return f"Other open issues ({sums})"
            case "late-closed":
                return f"Closed after the end ({sums}): counted by handbook only"
            case "quiet":
                return f"In the locked plan, moved without {self._missed} ({sums}): + adds it"
            case "handled":
                return f"{self._missed}, moved on ({sums})"

    def _entry(self, issue: Issue, kind: Kind, heads: tuple[Head, ...]) -> Entry:
        bridge = self.context.bridge
        title = bridge.title_of(issue)
        where = issue.milestone or "no milestone"
        if kind == "late-closed":
            zone = zone_named(self.context.bridge.settings.ui.time_zone)
            at = issue.closed_at.astimezone(zone).date() if issue.closed_at else None
            said = f"closed {day_words(at)}" if at else "closed"
        elif kind in ("quiet", "handled"):
            said = f"now in {where}" if issue.milestone else where
        else:
            marks = ["blocked"] if issue.blocked else []
            marks += [self._missed] if self._missed in issue.labels else []
            said = " · ".join([self.state_of(issue), *marks])
        who = " ".join(map(self.context.bridge.people_words.name, issue.assignees))
        return Entry(
            issue,
            (
                (short(issue), "strong"),
                (weight_words(issue.weight), "strong"),
                (title, "text" if kind in OPEN else "muted"),
                (who, "muted"),
                (said, _INKS.get(kind, "text")),
            ),
            f"{title}\n{said}" + (f" · {who}" if who else " · unassigned"),
            heads,
            done=kind in ("late-closed", "handled"),
        )

    def heading_of(self, place: int, count: int) -> str:
        still = sum(left.kind in OPEN for left in self._found)
        return f"End of {self.milestone.title}: {place} of {count} · {still} still open in it"

    def above(self) -> Content:
        """When it ends, and what the bot does or has done."""
        today, after = self.context.bridge.today, self.planning.history.beside(self.milestone, 1)
        lines: list[Content] = []
        if today is not None:
            words = bot_words(self.milestone, self._found, today, after.title if after else "")
            lines.append(Content(clean(words)))
        if self.planning.history.lock_of(self.milestone) is None:
            key = self.context.keymap.key("pane.say-do")
            lines.append(
                Content(f"Plan not locked here; see Say/Do ({key}) for issues moved without the label.")
            )
        catalog = self.context.bridge.catalog
        if catalog is not None and catalog.color(self._missed) is None:
            warning = f"No label {self._missed} yet: a slip asks whether to continue without it."
            lines.append(Content.styled(clean(warning), "$text-warning"))
        return Content("\n").join(lines)

    # Keys

    def begin(self) -> None:
        self._seen.clear()
        super().begin()

    def action_label(self) -> None:
        quiet = {left.issue.id for left in self._found if left.kind == "quiet"}
        issues = [issue for issue in self.context.targets() if issue.id in quiet]
        if not issues:
            label, slip, drop = (
                self.context.keymap.key(name) for name in ("milestone-end.label", "plan.slip", "plan.drop")
            )
            self.tell(
                f"{label} is for issues moved without {self._missed}; {slip} slips, {drop} drops the others."
            )
            return
        catalog = self.context.bridge.catalog
        lacking = {i.project for i in issues if catalog and catalog.lacks(i.project, self._missed)}
        if lacking:
            self.tell(f"No label {self._missed} in {', '.join(sorted(lacking))}.")
            return
        labels = frozenset({self._missed})
        self.context.do(lambda edits, on: edits.relabel(on, labels, frozenset()), on=issues, again=False)


def bot_words(milestone: Milestone, found: Sequence[Leftover], today: date, after: str) -> str:
    """When it ends, what the slippage bot will do or has done, and what it leaves to people (rule 17).

    ``after`` is the milestone it moves issues to.
    """
    if milestone.due is None:
        return ""
    count = {kind: sum(left.kind == kind for left in found) for kind in KINDS}
    still = sum(count[kind] for kind in OPEN)
    due = day_words(milestone.due)
    skipped = f", but not the {count['confidential']} confidential" if count["confidential"] else ""
    to = f"{after or 'the next milestone'}{skipped}"
    will = f"the slippage bot moves open issues to {to}"
    if today <= milestone.due:
        days = (milestone.due - today).days
        when = "today" if not days else "tomorrow" if days == 1 else f"in {days} days"
        return f"Ends {due}, {when}. Afterwards {will}."
    ended = f"Ended {due}"
    if not still:
        return f"{ended}; no open issues are left."
    if still == count["confidential"]:
        return f"{ended}. Only confidential issues are left; the bot skips those."
    if count["handled"]:
        moved = f"{count['handled']} moved with the label"
        return f"{ended}. {moved}; {still} did not; the bot skipped them or has not run yet."
    return f"{ended}. If the slippage bot covers these projects, it will move open issues to {to}."
