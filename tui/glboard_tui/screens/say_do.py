"""Say/Do of a milestone: a summary in words, and every issue behind the figures (planning rule 6).

Owns the reading, which may take a while, and its progress. ``-`` and ``=`` show other milestones: a
retrospective looks back while the board shows the next one.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from textual.content import Content

from glboard_core.board.batch import short
from glboard_core.errors import GlboardError
from glboard_core.model.milestone import Milestone
from glboard_core.planning import say_do
from glboard_core.planning.say_do import Outcome, Row, rows
from glboard_tui.commands.context import CommandContext
from glboard_tui.planning import SaidDone
from glboard_tui.screens.dialogs import Prompt
from glboard_tui.screens.issue_list import Entry, IssueList
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


class SayDoPane(IssueList):
    """Dismissed by ``Esc``, even while events are still being read."""

    empty = ""
    hints = (
        ("%", "other definitions"),
        ("C", "copy as Markdown"),
        ("E", "export"),
        ("- =", "milestone"),
        ("R", "refresh"),
        ("open.browser", "browser"),
        ("escape", "close"),
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
        super().__init__(context)
        self._milestone = milestone
        self._read: SaidDone | None = None
        self._error: GlboardError | None = None
        self._progress = (0, 0)
        self._all = False

    def on_mount(self) -> None:
        """Read the events."""
        super().on_mount()
        self._begin()

    def _begin(self) -> None:
        self._read, self._error, self._progress = None, None, (0, 0)
        self.refill()
        self.run_worker(self._reading(), group="say-do", exclusive=True, exit_on_error=False)

    async def _reading(self) -> None:
        try:
            self._read = await self.plan.past.say_do(self._milestone, self._count)
        except GlboardError as error:
            self._error = error
        self.refill()

    def _count(self, done: int, of: int) -> None:
        before, self._progress = self._progress, (done, of)
        # A repaint for each of a thousand issues would take longer than reading them.
        if done == of or before[1] != of or round(_BAR * done / of) != round(_BAR * before[0] / of):
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
                ("?" if issue.weight is None else str(issue.weight), "strong"),
                (title, "text"),
                _mark(row.group),
                _mark(row.committed),
                (notes, ink),
            ),
            f"{title}\n{' · '.join(one for one in (notes, ' '.join(issue.assignees)) if one)}",
            heads,
        )

    def heading_of(self, place: int, count: int) -> str:
        """``Say/Do 19.7: 3 of 12``."""
        return f"Say/Do {self._milestone.title}" + (f": {place} of {count}" if count else "")

    def above(self) -> Content:
        """The summary, or the progress while events are read."""
        if self._error is not None:
            hint = f"\n{clean(self._error.hint)}" if self._error.hint else ""
            return Content.assemble((clean(self._error.message), "$text-error"), hint)
        if self._read is None:
            done, of = self._progress
            filled = round(_BAR * done / of) if of else 0
            words = f"Reading events {done} of {of}  " if of else "Reading …  "
            return Content(words + "█" * filled + "░" * (_BAR - filled))
        return words_of(self._read, self._milestone, self._all, self._counting())

    def _counting(self) -> bool:
        return self.context.bridge.settings.planning.count_wont_do

    # Keys

    def own_key(self, token: str) -> bool:
        """Definitions, copy, export, milestone, refresh; ``o`` also for issues on no board."""
        match token:
            case "%":
                self._all = not self._all
                self.refill()
            case "C":
                self._copy()
            case "E":
                self._ask_file()
            case "R":
                self._begin()
            case "-" | "[":
                self._walk(-1)
            case "=" | "]":
                self._walk(1)
            case "o":
                return self._browse()
            case _:
                return False
        return True

    def _walk(self, step: int) -> None:
        other = self.plan.past.beside(self._milestone, step)
        if other is None:
            self.tell("No milestone with dates in that direction.")
            return
        self._milestone = other
        self._begin()

    def _browse(self) -> bool:
        issue = self.chosen()
        if issue is None or self.context.bridge.issue(issue.id) is not None:
            return False
        if issue.web_url.startswith(("https://", "http://")):
            self.app.open_url(issue.web_url)
        return True

    @property
    def _markdown(self) -> str:
        read = self._read
        if read is None:
            return ""
        return say_do.markdown(read.report, self._milestone, read.at, read.unread)

    def _copy(self) -> None:
        if not self._markdown:
            self.tell("Not loaded yet.")
            return
        self.app.copy_to_clipboard(self._markdown)
        self.tell("Copied as Markdown.")

    def _ask_file(self) -> None:
        text = self._markdown
        if not text:
            self.tell("Not loaded yet.")
            return

        def answered(name: str | None) -> None:
            if not name:
                return
            file = Path(name).expanduser()
            try:
                with file.open("x", encoding="utf-8") as out:
                    out.write(text)
            except FileExistsError:
                self.tell(f"{file} already exists.")
            except OSError as error:
                self.tell(f"Cannot write {file}: {error.strerror}.")
            else:
                self.tell(f"Wrote {file}.")

        name = f"say-do-{self._milestone.title}.md"
        prompt = Prompt("Export Say/Do as Markdown", value=name, hint="Enter exports it · Esc cancels")
        self.app.push_screen(prompt, answered)


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
