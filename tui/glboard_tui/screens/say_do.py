"""Say/Do of a milestone: a summary in words, and every issue behind the figures (planning rule 6).

Owns the reading, which may take a while, and its progress. ``-`` and ``=`` show other milestones: a
retrospective looks back while the board shows the next one.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from textual.content import Content

from glboard_core.board.batch import short
from glboard_core.errors import GlboardError
from glboard_core.model.milestone import Milestone
from glboard_core.planning import say_do
from glboard_core.planning.say_do import Outcome, Row, rows
from glboard_tui.commands.context import CommandContext
from glboard_tui.plan_history import SaidDone
from glboard_tui.screens.issue_list import Entry, MilestoneList, weight_words
from glboard_tui.widgets.colors import Ink
from glboard_tui.widgets.table import Cell, Col, Head
from glboard_tui.widgets.text import clean

_HEADS: dict[Outcome, str] = {
    "not done": "Said, not done",
    "apart": "Closed as won't do or duplicate",
    "done": "Done",
    "beside": "In neither figure",
}
_BAR = 24


class SayDoPane(MilestoneList):
    """Dismissed by ``Esc``, even while events are still being read."""

    scope = "say-do"
    empty = ""
    hints = (
        "say-do.definitions",
        "say-do.copy",
        "say-do.export",
        "board.previous-milestone",
        "board.next-milestone",
        "say-do.reload",
        "open.browser",
        "escape",
    )
    cols = (
        Col(title="issue", reference=True, least=12),
        Col(title="w", right=True, drop=1),
        Col(title="title", least=24),
        Col(title="group"),
        Col(title="committed"),
        Col(title="notes", least=12),
    )

    def __init__(self, context: CommandContext, milestone: Milestone) -> None:
        super().__init__(context, milestone)
        self._read: SaidDone | None = None
        self._error: GlboardError | None = None
        self._progress = ("", 0, 0)
        self._all = False

    def on_mount(self) -> None:
        super().on_mount()
        self.begin()

    def begin(self) -> None:
        self._read, self._error, self._progress = None, None, ("", 0, 0)
        self.refill()
        self.run_worker(self._reading(), group="say-do", exclusive=True, exit_on_error=False)

    async def _reading(self) -> None:
        try:
            self._read = await self.planning.history.say_do(self.milestone, self._count)
        except GlboardError as error:
            self._error = error
        self.refill()

    def _count(self, what: str, done: int, of: int) -> None:
        before, self._progress = self._progress, (what, done, of)
        # A repaint for each of a thousand issues would take longer than reading them.
        same = before[0] == what and before[2] == of
        if done == of or not same or round(_BAR * done / of) != round(_BAR * before[1] / of):
            self.refill()

    # The lines

    def fill(self) -> Sequence[Entry]:
        """Every issue of the figures and the lists, once."""
        if (read := self._read) is None:
            return []
        entries: list[Entry] = []
        for outcome, group in groupby(rows(read.report), key=lambda row: row.outcome):
            some = list(group)
            heads = [Head(f"{_HEADS[outcome]} ({len(some)})", "warn" if outcome == "not done" else "accent")]
            for row in some:
                if (entry := self._entry(row, read, tuple(heads))) is not None:
                    entries.append(entry)
                    heads.clear()
        return entries

    def _entry(self, row: Row, read: SaidDone, heads: tuple[Head, ...]) -> Entry | None:
        known = read.issues.get(row.reference)
        if known is None:
            return None
        bridge = self.context.bridge
        issue = bridge.issue(known.id) or known
        title, notes = bridge.title_of(issue), " · ".join(row.notes)
        ink: Ink = "warn" if row.outcome == "not done" else "muted"
        return Entry(
            issue,
            (
                (short(issue), "strong"),
                (weight_words(issue.weight), "strong"),
                (title, "text"),
                _mark(row.group),
                _mark(row.committed),
                (notes, ink),
            ),
            f"{title}\n{' · '.join(one for one in (notes, ' '.join(issue.assignees)) if one)}",
            heads,
        )

    def heading_of(self, place: int, count: int) -> str:
        draft = " · from GitLab, without the draft" if self.context.bridge.drafts.is_on else ""
        return f"Say/Do {self.milestone.title}" + (f": {place} of {count}" if count else "") + draft

    def above(self) -> Content:
        """The summary, or the progress while events are read."""
        if self._error is not None:
            hint = f"\n{clean(self._error.hint)}" if self._error.hint else ""
            return Content.assemble((clean(self._error.message), "$text-error"), hint)
        if self._read is None:
            what, done, of = self._progress
            filled = round(_BAR * done / of) if of else 0
            words = f"Loading {what} {done:,} of {of:,}  " if of else "Loading …  "
            return Content(words + "█" * filled + "░" * (_BAR - filled))
        counting = self.context.bridge.settings.planning.count_wont_do
        return words_of(self._read, self.milestone, self._all, counting)

    # Keys

    def action_definitions(self) -> None:
        self._all = not self._all
        self.refill()

    def action_copy(self) -> None:
        self._export(copy=True)

    def action_export(self) -> None:
        self._export(copy=False)

    def action_reload(self) -> None:
        self.begin()

    def _export(self, *, copy: bool) -> None:
        if (read := self._read) is None:
            self.tell("Not loaded yet.")
            return
        text = say_do.markdown(read.report, self.milestone, read.at, read.unread)
        if copy:
            self.app.copy_to_clipboard(text)
            self.tell("Sent to the terminal's clipboard, as Markdown.")
        else:
            name = f"say-do-{self.milestone.title}.md"
            self.export("Export Say/Do as Markdown", name, text.encode())


def _mark(done: bool | None) -> Cell:
    if done is None:
        return "", "muted"
    return ("done", "good") if done else ("not done", "warn")


def words_of(read: SaidDone, milestone: Milestone, everything: bool, counting: bool) -> Content:
    """The group's figure, ``committed`` next to it, the others if requested, and what is unknown."""
    first, second = say_do.said(read.report, milestone, read.at)
    lines = [Content.styled(clean(first), "bold"), Content(clean(second))]
    if everything:
        heads = f"{'definition':22}{'said':>6}{'done':>6}{'percent':>10}{'target':>9}"
        lines.append(Content.styled(heads, "dim"))
        for name, said, done, percent, target in say_do.table(read.report):
            lines.append(Content(f"{name:22}{said:>6}{done:>6}{percent:>10}{target:>9}"))
    if read.report.wont_do or read.report.duplicates:
        how = "count as defined" if counting else "do not count (count_wont_do is off)"
        lines.append(Content(f"Won't do and duplicates are listed separately and {how}."))
    hidden = [row.reference for row in rows(read.report) if row.reference not in read.issues]
    if hidden:
        lines.append(Content(f"Not listed below (gone or hidden): {clean(', '.join(hidden))}"))
    if read.unread:
        lines.append(
            Content(
                f"No history, using the current state of {len(read.unread)}: {clean(', '.join(read.unread))}"
            )
        )
    return Content("\n").join(lines)
