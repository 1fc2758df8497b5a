"""A list of issues to work through, in which every key of an open issue works.

Owns that the list follows changes at once: a finished issue leaves it, and the cursor moves to the next one.
It is the desk's target while it is on top, so selection and edits work as on the board. The subclass provides
the issues and their texts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct
from textual import events, on
from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.containers import Container, Vertical
from textual.content import Content
from textual.widgets import Static

from glboard_core.model.issue import Issue
from glboard_tui.actions import BY_ID
from glboard_tui.commands.context import CommandContext
from glboard_tui.screens.dialogs import Dialog
from glboard_tui.screens.issue_pane import Reading
from glboard_tui.screens.keys import Keys, token_of
from glboard_tui.texts import target_words
from glboard_tui.widgets.footer import FooterBar, FooterView, WhichKey
from glboard_tui.widgets.selection import Listed
from glboard_tui.widgets.table import Cell, Col, Head, Rows, Table
from glboard_tui.widgets.text import clean


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


Hint = tuple[str, str]
"""An action's id, or one of the list's own keys, and its text in the footer."""


class IssueList(Dialog[None]):
    """Fills the screen from below the header to the footer. Dismissed by ``Esc`` or ``q``."""

    DEFAULT_CSS = """
    IssueList .about { height: auto; min-height: 2; max-height: 4; color: $foreground 85%; }
    IssueList .above { height: auto; max-height: 14; margin-bottom: 1; }
    """
    #: The description is next to the list if both fit, otherwise below it.
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (140, "-wide")]  # noqa: RUF012  (Textual declares it so)
    cols: Sequence[Col] = ()
    #: Whether the description is shown from the start.
    reads = False
    empty = "Nothing left here."
    hints: Sequence[Hint] = ()

    def __init__(self, context: CommandContext) -> None:
        super().__init__("")
        self.context = context
        self.plan = context.screen.plan
        self.entries: list[Entry] = []
        #: Lines, cursor and selection.
        self.listed = Listed()
        self.rows = Rows(empty=self.empty)
        self.reading = Reading(context, self)
        self.reading.on = self.reads
        self._above, self._about = Static(classes="above"), Static(classes="about")
        self._strip, self.footer = WhichKey(), FooterBar()
        self._keys = Keys(context.screen.keymap, context, self._strip)
        self._unwatch: Callable[[], None] = lambda: None
        self._asked = False
        self._said = ""

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

    def own_key(self, token: str) -> bool:
        """Handle one of the list's own keys; return whether it was one."""
        return False

    # The list

    def compose(self) -> ComposeResult:
        """Yield title, lines and the text below; the strip of possible next keys; the footer."""
        with Vertical(classes="overlay"):
            yield self._title_line
            yield self._above
            with Container(classes="body"):
                yield self.rows
                yield self.reading.pane
            yield self._about
        yield self.footer
        yield Container(self._strip, id="strip")

    def on_mount(self) -> None:
        """Take over the desk, and follow changes."""
        self.context.top = self
        self._unwatch = self.plan.watch(self._changed)
        self.refill()
        super().on_mount()

    def dismiss(self, result: None = None) -> AwaitComplete:
        """Give the desk back at once: the next key goes to the board or another list."""
        self._give_back()
        return super().dismiss(result)

    def on_unmount(self) -> None:
        """Do the same when the program quits."""
        self._give_back()

    def _give_back(self) -> None:
        self._unwatch()
        self._asked = False
        if self.context.top is self:
            self.context.top = None

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
        self.entries = list(self.fill())
        done = frozenset(entry.issue.id for entry in self.entries if entry.done)
        self.listed.replace([entry.issue.id for entry in self.entries], done)
        heads = {row: entry.heads for row, entry in enumerate(self.entries) if entry.heads}
        if below := self.after():
            heads[len(self.entries)] = tuple(below)
        table = Table(cols=self.cols, rows=[entry.cells for entry in self.entries], heads=heads)
        self.rows.show(table, self.listed.cursor, self._selected_rows())
        above = self.above()
        self._above.display = above is not None
        self._above.update(above or "")
        self.told()

    def _selected_rows(self) -> frozenset[int]:
        selection = self.listed.selection
        if not len(selection):
            return frozenset()
        return frozenset(row for row, issue in enumerate(self.listed.ids) if issue in selection)

    def told(self) -> None:
        """Update title, text below and footer after any change."""
        count = len(self.entries)
        words = self.heading_of(self.listed.cursor + 1 if count else 0, count)
        self._title_line.update(Content(clean(words)))
        entry = self.entry
        about = entry.words if entry else ""
        self._about.update(Content("\n".join(map(clean, about.splitlines()))))
        self._about.display = bool(about)
        self.reading.show(entry.issue if entry else None)
        self._show_footer()

    def _show_footer(self) -> None:
        now, keymap = self.context.situation(), self.context.screen.keymap
        hints = []
        for name, words in self.hints:
            action = BY_ID.get(name)
            if action is None:
                hints.append((name, words))
            elif action.applies(now) and (keys := keymap.shown(action)):
                hints.append((keys, words))
        if help_key := keymap.shown(BY_ID["help"]):
            hints.append((help_key, "keys"))
        undo = self.context.bridge.undo_title
        self.footer.show(
            FooterView(
                target=target_words(now, self.context.targets()),
                hints=tuple(hints),
                last=f"{keymap.shown(BY_ID['undo'])} undo: {undo}" if undo else "",
                message=self._said,
                selected=now.selected > 0,
            )
        )

    @property
    def entry(self) -> Entry | None:
        """The line the cursor is on."""
        return self.entries[self.listed.cursor] if self.entries else None

    def chosen(self) -> Issue | None:
        """The issue under the cursor."""
        entry = self.entry
        return entry.issue if entry else None

    # Called by the desk

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

    def leave(self) -> None:
        """Return to the board."""
        self.dismiss(None)

    def tell(self, text: str) -> None:
        """Show a message until the next key."""
        self._said = text
        self._show_footer()

    # Keys

    def on_key(self, event: events.Key) -> None:
        """Handle the list's own keys, then those of the registry."""
        event.stop()
        event.prevent_default()
        self.context.bridge.touch()
        if self._asked:
            self.refill()  # keys that arrive together act on the result of the previous one
        if self._said:
            self.tell("")
        token = token_of(event)
        if self._keys.pending:
            self._keys.press(token)
        elif token == "q":  # noqa: S105  (a key, no secret)
            self.leave()
        elif self.own_key(token):
            pass
        elif self.reading.key(token):
            self.told()
        else:
            self._keys.press(token)

    @on(Rows.Chosen)
    def _clicked(self, event: Rows.Chosen) -> None:
        self.listed.go(event.row)
        self.painted_anew()
