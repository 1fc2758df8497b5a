"""A list of issues to work through, in which every key of an open issue works.

Owns that the list follows changes at once: a finished issue leaves it, and the cursor moves to the next one.
It has focus and selection while it is on top, so edits work as on the board. The subclass provides the
issues and their texts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct, structs
from textual import on
from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.content import Content
from textual.widgets import Static

from glboard_core.board.batch import EditBatch
from glboard_core.board.filters import parse, problems
from glboard_core.board.share import CONFIDENTIAL
from glboard_core.config import SortBy
from glboard_core.files import path_of
from glboard_core.model.issue import Issue, IssueId
from glboard_core.model.milestone import Milestone
from glboard_tui.actions import BY_ID
from glboard_tui.board_view import FILTER_STATES, next_sort
from glboard_tui.commands.context import CommandContext
from glboard_tui.screens.issue_pane import DescriptionPane
from glboard_tui.screens.keys import PaneDialog
from glboard_tui.texts import target_words
from glboard_tui.widgets.footer import FilterBar, FooterBar, FooterView
from glboard_tui.widgets.selection import Listed
from glboard_tui.widgets.table import Cell, Col, Head, Rows, Table
from glboard_tui.widgets.text import clean

#: What lists are about, if their scope's name does not say it.
_SUBJECTS = {"own-work": "my work", "say-do": "Say/Do", "updates": "changes by others"}
#: Lines of the description that a key scrolls.
_SCROLL = 3
#: The first columns of lists of a milestone's issues.
ISSUE_COLS = (
    Col(title="issue", reference=True, least=12),
    Col(title="w", right=True),
    Col(title="title", least=28),
    Col(title="who", least=6, drop=2),
)


class Entry(Struct, frozen=True):
    """A line: its issue, the cells, the text below while the cursor is on it, and headings above.

    ``about`` can be a function, called when needed: a list is long, and only one line shows it. ``done``: the
    line stays visible, but nothing is left to do; the cursor does not follow an issue that becomes done.
    """

    issue: Issue
    cells: tuple[Cell, ...]
    about: str | Callable[[], str] = ""
    heads: tuple[Head, ...] = ()
    done: bool = False

    @property
    def words(self) -> str:
        """The text below the list."""
        return self.about if isinstance(self.about, str) else self.about()


def _matching(entries: Sequence[Entry], fits: Callable[[Issue], bool] | None) -> list[Entry]:
    """The entries that fit; the headings above one that does not are above the next one that does."""
    if fits is None:
        return list(entries)
    found: list[Entry] = []
    heads: tuple[Head, ...] = ()
    for entry in entries:
        heads = (*heads, *entry.heads)
        if fits(entry.issue):
            found.append(structs.replace(entry, heads=heads))
            heads = ()
    return found


def _unchanged(entry: Entry) -> Entry:
    return entry


def weight_words(weight: int | None) -> str:
    """A weight in a cell: ``?`` for none."""
    return "?" if weight is None else str(weight)


#: Shown in place of lines that the filter hides.
_NOTHING_FITS = "No issues match the filter; Esc clears it."

Hint = str | tuple[str, str]
"""An action's id, with its text in the footer if that is not the registry's."""


class IssueList(PaneDialog[None]):
    """Fills the screen from below the header to the footer."""

    DEFAULT_CSS = """
    IssueList .about { height: auto; min-height: 2; max-height: 4; color: $foreground 85%; }
    IssueList .above { height: auto; max-height: 14; margin-bottom: 1; }
    """
    #: The description is next to the list if both fit, otherwise below it.
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (140, "-wide")]  # noqa: RUF012  (Textual declares it so)
    #: Nothing but the filter could have the focus, and that only while it is open.
    AUTO_FOCUS = ""
    cols: Sequence[Col] = ()
    #: Whether the description is shown from the start.
    reads = False
    empty = "Nothing left to do."
    hints: Sequence[Hint] = ()

    def __init__(self, context: CommandContext) -> None:
        super().__init__(context, "")
        self.planning = context.planning
        self.entries: list[Entry] = []
        #: How many lines there are, with those that the filter hides.
        self.total = 0
        #: Lines, cursor and selection.
        self.listed = Listed()
        self.rows = Rows(empty=self.empty)
        self.reading = DescriptionPane(context.bridge, self)
        self.reading.on = self.reads
        self._above, self._about = Static(classes="above"), Static(classes="about")
        self.footer = FooterBar()
        self._query = ""
        self._by: SortBy = "rank"
        bridge = context.bridge
        self._filter = FilterBar(bridge.completions, lambda: bridge.filters.history)
        self._unwatch: Callable[[], None] = lambda: None
        self._asked = False
        self._said = ""
        #: What was said of the last filter that is none.
        self._wrong = ""

    # Provided by the subclass

    def fill(self) -> Sequence[Entry]:
        """The current lines."""
        return ()

    def above(self) -> Content | None:
        """The text between title and lines, which does not scroll; None if there is none."""
        return None

    def after(self) -> Sequence[Head]:
        """The headings below the last line."""
        return ()

    def heading_of(self, place: int, count: int) -> str:
        """The title, with the cursor's place."""
        return f"{place} of {count}"

    # The list

    def parts(self) -> ComposeResult:
        with Vertical(classes="overlay"):
            yield self._title_line
            yield self._above
            with Container(classes="body"):
                yield self.rows
                yield self.reading.pane
            yield self._about
        yield self.footer
        yield Container(self._strip, id="strip")
        yield Container(self._filter, id="filter")

    def on_mount(self) -> None:
        """Take over focus and selection, and follow changes."""
        super().on_mount()
        self.context.top = self
        self._unwatch = self.planning.watch(self._changed)
        self.refill()

    def give_back(self) -> None:
        super().give_back()
        self._unwatch()
        self._asked = False
        if self.context.top is self:
            self.context.top = None
            self.context.shell.tell_view()

    def _changed(self) -> None:
        if not self._asked:
            # Many changes come at once; the list is rebuilt once for all of them.
            self._asked = True
            self.call_later(self._refill_asked)

    def _refill_asked(self) -> None:
        if self._asked:
            self.refill()

    def refill(self) -> None:
        """Rebuild the list; the cursor stays with its issue, or moves to the next remaining one."""
        self._asked = False
        shown = self._shown if self.context.bridge.share.is_on else _unchanged
        every = self.fill()
        self.total = len(every)
        found = _matching(every, self.context.bridge.test_of(self._query))
        # What is only hidden by the filter is not done.
        self.rows.empty = _NOTHING_FITS if every else self.empty
        self.entries = [shown(one) for one in self._in_order(found)]
        done = frozenset(entry.issue.id for entry in self.entries if entry.done)
        self.listed.replace([entry.issue.id for entry in self.entries], done)
        heads = {row: entry.heads for row, entry in enumerate(self.entries) if entry.heads}
        # What stands below is about lines that are shown.
        if (self.entries or not self._query) and (below := self.after()):
            heads[len(self.entries)] = tuple(below)
        table = Table(cols=self.cols, rows=[entry.cells for entry in self.entries], heads=heads)
        self.rows.show(table, self.listed.cursor, self._selected_rows())
        self.context.shell.tell_view()
        above = self.above()
        self._above.display = above is not None
        self._above.update(above or "")
        self.told()

    def sort(self) -> None:
        """Sort by the next value; at the end in the list's own order again."""
        self._by = next_sort(self._by)
        self.refill()

    def _in_order(self, entries: list[Entry]) -> list[Entry]:
        """The entries as sorted, with no headings: they would stand above others than their own."""
        bridge = self.context.bridge
        if self._by == "rank" or (catalog := bridge.catalog) is None:
            return entries
        sorting = bridge.view.sorting(catalog, self._by)

        def place(entry: Entry) -> tuple[bool, float]:
            issue = bridge.share.matched(entry.issue)  # what is hidden has no place by what it is
            return not issue.is_open, sorting.lead(issue, issue.weight, issue.created_at.timestamp())

        return [structs.replace(one, heads=()) for one in sorted(entries, key=place)]

    def _shown(self, entry: Entry) -> Entry:
        """A line as everybody may see it, whatever the subclass says: of a hidden issue its weight."""
        bridge = self.context.bridge
        heads = tuple(structs.replace(head, text=bridge.text(head.text)) for head in entry.heads)
        if bridge.mask(entry.issue) is None:
            cells = tuple((bridge.text(text), ink) for text, ink in entry.cells)
            return structs.replace(entry, cells=cells, about=lambda: bridge.text(entry.words), heads=heads)
        said = {"title": CONFIDENTIAL, "w": weight_words(entry.issue.weight)}
        reference = bridge.reference_of(entry.issue)
        cells = tuple((reference if col.reference else said.get(col.title, ""), "muted") for col in self.cols)
        return structs.replace(entry, cells=cells, about="Hidden on the shared screen.", heads=heads)

    def _selected_rows(self) -> frozenset[int]:
        selection = self.listed.selection
        if not len(selection):
            return frozenset()
        return frozenset(row for row, issue in enumerate(self.listed.ids) if issue in selection)

    def told(self) -> None:
        """Update title, text below and footer after any change."""
        count = len(self.entries)
        words = self.heading_of(self.listed.cursor + 1 if count else 0, count)
        shown = f" · filter {self._query}: {count}" if self._query else ""
        if by := self.context.bridge.view.sorted_words(self._by):
            shown += f" · {by}"
        self._title_line.update(Content(clean(f"{words}{shown}")))
        entry = self.entry
        about = entry.words if entry else ""
        self._about.update(Content("\n".join(map(clean, about.splitlines()))))
        self._about.display = bool(about)
        self.reading.show(entry.issue if entry else None)
        self._show_footer()

    def _show_footer(self) -> None:
        now, keymap = self.context.situation(), self.context.keymap
        hints = []
        for hint in (*self.hints, "filter.edit", "help"):
            name, words = hint if isinstance(hint, tuple) else (hint, "")
            keys, word = keymap.hint(name)
            if keys and BY_ID[name].applies(now):
                hints.append((keys, words or word))
        undo = self.context.bridge.undoing.words
        undo = undo.partition(":")[0] if now.draft else undo
        self.footer.show(
            FooterView(
                target=target_words(now, self.context.targets()),
                hints=tuple(hints),
                last=f"{keymap.key('undo')} {undo}" if undo else "",
                message=self._said,
                selected=now.selected > 0,
            )
        )

    def state_of(self, issue: Issue) -> str:
        """The workflow state in a cell."""
        state = self.context.bridge.view.flow.of(issue)
        return state.name if state else "no state"

    @property
    def entry(self) -> Entry | None:
        """The line the cursor is on."""
        return self.entries[self.listed.cursor] if self.entries else None

    def in_view(self) -> Sequence[IssueId]:
        """The issue under the cursor and those that are visible: their changes arrive at once."""
        rows = self.rows.in_view()
        here = [self.entry.issue] if self.entry is not None else []
        return [issue.id for issue in (*here, *(one.issue for one in self.entries[rows.start : rows.stop]))]

    def chosen(self) -> Issue | None:
        """The issue under the cursor."""
        entry = self.entry
        return entry.issue if entry else None

    # Called by commands

    def go(self, step: int) -> None:
        """Move the cursor."""
        self.listed.go(self.listed.cursor + step)
        self.painted_anew()

    def half(self, direction: int) -> None:
        """Move the cursor by half the visible lines."""
        self.go(direction * max(1, self.rows.seen // 2))

    def painted_anew(self) -> None:
        """Repaint after cursor or selection changed."""
        if self.is_mounted:
            self.rows.go(self.listed.cursor, self._selected_rows())
            self.told()

    def renew(self) -> None:
        """Show again what is listed, after something changed besides issues."""
        self.refill()

    def escape(self) -> None:
        """End the range, then the selection, then the filter, then close the list."""
        ended = self.listed.escape()
        self.painted_anew()
        if not ended and self._query:
            self._narrow("")
            return
        if ended == "range":
            self.context.say("Range selected.")
        elif not ended:
            self.leave()

    def propose_for(self, username: str) -> bool:
        """Put a person into a proposal instead of editing; whether there was one to change."""
        return False

    def performed(self, work: EditBatch) -> None:
        """A key changed issues: clear the selection."""
        self.listed.selection.clear()
        self.painted_anew()

    def came_back(self, issues: Sequence[IssueId]) -> None:
        """A change of these issues was undone or redone; the cursor stays where it is."""

    @property
    def subject(self) -> str:
        """What the list is about, in words that stay the same while it is worked through."""
        of = _SUBJECTS.get(self.scope, self.scope.replace("-", " "))
        return f"{of} {self._query}".rstrip()

    def step_milestone(self, step: int) -> None:
        """Go to the next (1) or previous (-1) milestone, in a list about one."""

    def tell(self, text: str) -> None:
        """Show a message until the next key."""
        if text != self._said:
            self._said = text
            self._show_footer()

    def export(self, title: str, name: str, data: bytes, what: str = "") -> None:
        """Ask for a file and write it, unless it exists; ``what`` says what it holds.

        What share mode hides is not in the file, either.
        """
        data = self.context.bridge.text(data.decode()).encode()

        def answered(text: str) -> None:
            if not text:
                return
            file = path_of(text)
            try:
                with file.open("xb") as out:
                    out.write(data)
            except FileExistsError:
                self.tell(f"{file} already exists.")
            except OSError as error:
                self.tell(f"Cannot save {file}: {error.strerror}.")
            else:
                self.tell(f"Saved {file}{what}.")

        self.context.prompt(title, answered, value=name, hint="Enter exports it · Esc cancels")

    # The filter

    @property
    def takes_keys(self) -> bool:
        return not self._filter.is_open

    def edit_filter(self) -> None:
        """Type a filter; what is typed never edits an issue."""
        self._filter.edit(self._query)

    def _narrow(self, text: str) -> None:
        self._query = text.strip()
        self.refill()
        if wrong := problems(parse(self._query), FILTER_STATES):
            self.tell(wrong[0])
        elif self._wrong and self._said == self._wrong:
            self.tell("")
        self._wrong = wrong[0] if wrong else ""

    @on(FilterBar.Typed)
    def _filter_typed(self, event: FilterBar.Typed) -> None:
        self._narrow(event.text)

    @on(FilterBar.Closed)
    def _filter_closed(self, event: FilterBar.Closed) -> None:
        self.set_focus(None)
        self._narrow(event.text)

    # Keys

    @property
    def modes(self) -> frozenset[str]:
        return frozenset({"description"} if self.reading.on else ())

    def take_key(self, token: str) -> None:
        if self._asked:
            self.refill()  # keys that arrive together act on the result of the previous one
        super().take_key(token)

    def action_description_toggle(self) -> None:
        self.reading.on = not self.reading.on
        self.told()

    def action_description_down(self) -> None:
        """Scroll the description; the next three likewise."""
        self.reading.pane.scroll_by(_SCROLL)

    def action_description_up(self) -> None:
        self.reading.pane.scroll_by(-_SCROLL)

    def action_description_half_down(self) -> None:
        self.reading.pane.scroll_half(1)

    def action_description_half_up(self) -> None:
        self.reading.pane.scroll_half(-1)

    @on(Rows.Scrolled)
    def _scrolled(self) -> None:
        self.context.shell.tell_view()

    @on(Rows.Chosen)
    def _clicked(self, event: Rows.Chosen) -> None:
        self.listed.go(event.row)
        self.painted_anew()


class MilestoneList(IssueList):
    """A list about one milestone."""

    def __init__(self, context: CommandContext, milestone: Milestone) -> None:
        super().__init__(context)
        self.milestone = milestone

    def step_milestone(self, step: int) -> None:
        other = self.planning.history.beside(self.milestone, step)
        if other is None:
            self.tell("No milestone with dates in that direction.")
        else:
            self.milestone = other
            self.begin()

    @property
    def subject(self) -> str:
        return f"{super().subject} {self.milestone.title}"

    def begin(self) -> None:
        """Show the milestone from the start."""
        self.refill()
