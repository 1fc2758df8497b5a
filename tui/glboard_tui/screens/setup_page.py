"""A page of the set-up: where one is, what is asked, lines to choose from, what is said of one, the keys.

Owns the frame that all pages share, and moving in the lines. What a key means on a page is a method of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Generic, TypeVar

from msgspec import Struct
from textual import events, on
from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.containers import Vertical
from textual.content import Content
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Static

from glboard_core.errors import GlboardError
from glboard_tui.keymap import Keymap, token_of
from glboard_tui.widgets.colors import palette_of
from glboard_tui.widgets.footer import FooterBar, FooterView
from glboard_tui.widgets.table import Cell, Col, Rows, Table
from glboard_tui.widgets.text import Line, clean, clip

T = TypeVar("T")

STEPS = ("Server", "Sign-in", "Group", "Configuration")
"""The steps of a set-up, in order."""


class SetupHead(Widget):
    """Two lines: the steps with the present one marked, and what is known so far."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "SetupHead { height: 2; width: 1fr; }"

    def __init__(self, step: int, known: str) -> None:
        super().__init__()
        self._step = step
        self._known = known

    def show(self, step: int, known: str) -> None:
        """Show another step."""
        self._step, self._known = step, known
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One of the lines."""
        palette = palette_of(self.app)
        line = Line(self.size.width)
        if y:
            line.add(f" {clip(clean(self._known), max(line.room - 2, 0))}", palette.style("band", "muted"))
            return line.strip(palette.style("band"))
        line.add(" glboard ", palette.style("band", "strong"))
        narrow = self.size.width < sum(map(len, STEPS)) + 32
        for number, name in enumerate(STEPS):
            here, done = number == self._step, number < self._step
            sign = "✓" if done else str(number + 1)
            ground = palette.style(
                "tab" if here else "band", "strong" if here else "good" if done else "muted"
            )
            line.add("  ", palette.style("band"))
            line.add(f" {sign} {name} " if here or not narrow else f" {sign} ", ground)
        return line.strip(palette.style("band"))


class Option(Struct, frozen=True, kw_only=True):
    """A line to choose: its value, its text, and more about it; ``key`` chooses it as well."""

    value: str
    text: str
    note: str = ""
    more: str = ""
    key: str = ""


class SetupPage(Screen[T | None], Generic[T]):
    """Dismissed with what was chosen, with None to go back. ``trouble`` is what went wrong before."""

    VERTICAL_BREAKPOINTS = [(0, "-low"), (30, "-high")]  # noqa: RUF012  (Textual declares it so)
    DEFAULT_CSS = """
    SetupPage .setup-body { height: 1fr; background: $panel; padding: 1 2 0 2; }
    SetupPage.-low .setup-body { padding: 0 1; }
    SetupPage .setup-title { text-style: bold; height: auto; max-height: 2; }
    SetupPage .setup-lead { height: auto; max-height: 6; color: $foreground 80%; margin-bottom: 1; }
    SetupPage.-low .setup-lead { margin-bottom: 0; }
    SetupPage .setup-trouble { height: auto; max-height: 5; margin-bottom: 1; display: none; }
    SetupPage .setup-trouble.-shown { display: block; }
    SetupPage .setup-said { height: auto; min-height: 2; max-height: 9; margin: 1 0 0 0; }
    SetupPage.-low .setup-said { margin: 0; }
    """

    #: The number of the step among ``STEPS``; -1 before the first.
    step: ClassVar[int] = -1
    title_text: str = ""

    def __init__(
        self,
        keymap: Keymap,
        *,
        known: str = "",
        lead: str = "",
        trouble: GlboardError | None = None,
    ) -> None:
        super().__init__()
        self.keymap = keymap
        self.rows = Rows()
        self.footer = FooterBar()
        self._head = SetupHead(self.step, known)
        self._lead = lead
        self._trouble_line = Static(classes="setup-trouble")
        self._said_line = Static(classes="setup-said")
        self._trouble = trouble

    def compose(self) -> ComposeResult:
        yield self._head
        with Vertical(classes="setup-body"):
            yield Static(Content(clean(self.title_text)), classes="setup-title")
            if self._lead:
                yield Static(Content("\n".join(map(clean, self._lead.splitlines()))), classes="setup-lead")
            yield self._trouble_line
            yield self.rows
            yield self._said_line
        yield self.footer

    def on_mount(self) -> None:
        """Show the lines, and what went wrong before."""
        # The first page comes before the terminal's size is told to screens.
        high = self.app.size.height >= self.VERTICAL_BREAKPOINTS[1][0]
        self.set_class(high, "-high").set_class(not high, "-low")
        if self._trouble is not None:
            self.warn(self._trouble)
        self.fill()
        self.tell()

    # What a page shows

    def table(self) -> Table:
        """Its lines."""
        return Table()

    def said(self) -> Content:
        """What is said of the line under the cursor."""
        return Content("")

    def hints(self) -> Sequence[str]:
        """The names of the actions whose keys are shown, most important first."""
        return ("open", "back", "leave")

    @property
    def target(self) -> str:
        """What the next key is about, for the footer."""
        return ""

    def fill(self, cursor: int | None = None) -> None:
        """Show the lines again; the cursor stays."""
        self.rows.show(self.table(), self.rows.cursor if cursor is None else cursor)
        self._tell_line()

    def tell(self, message: str = "", *, bad: bool = False) -> None:
        """Show the keys, or a message in their place."""
        hints = tuple(self.keymap.hint(f"setup.{name}") for name in self.hints())
        self.footer.show(FooterView(target=self.target, hints=hints, message=clean(message), bad=bad))

    def warn(self, error: GlboardError) -> None:
        """Show an error above the lines, with what to do."""
        text = Content.assemble(
            (clean(error.message), "$text-error"), f"\n{clean(error.hint)}" if error.hint else ""
        )
        self._trouble_line.update(text)
        self._trouble_line.set_class(True, "-shown")

    def _tell_line(self) -> None:
        self._said_line.update(self.said())
        self.tell()

    def dismiss(self, result: T | None = None) -> AwaitComplete:
        """Close, once: a second key may come before the page is gone."""
        if self not in self.app.screen_stack:
            return AwaitComplete()
        return super().dismiss(result)

    # Keys

    def on_key(self, event: events.Key) -> None:
        """Every key is an action of the registry."""
        name = self.keymap.own(event, "setup")
        event.stop()
        event.prevent_default()
        if name:
            getattr(self, f"action_{name}")()
        else:
            self.tell(f"{token_of(event)} does nothing here.")

    @on(Rows.Chosen)
    def _clicked(self, event: Rows.Chosen) -> None:
        self.go(event.row)
        self.action_open()

    def go(self, row: int) -> None:
        """Move the cursor to a line, or the nearest one."""
        self.rows.go(row)
        self._tell_line()

    def action_down(self) -> None:
        self.go(self.rows.cursor + 1)

    def action_up(self) -> None:
        self.go(self.rows.cursor - 1)

    def action_page_down(self) -> None:
        self.go(self.rows.cursor + max(1, self.rows.seen - 2))

    def action_page_up(self) -> None:
        self.go(self.rows.cursor - max(1, self.rows.seen - 2))

    def action_top(self) -> None:
        self.go(0)

    def action_bottom(self) -> None:
        self.go(1 << 30)

    def action_open(self) -> None:
        """Choose the line under the cursor."""

    def action_back(self) -> None:
        """One step back."""
        self.dismiss(None)

    def action_leave(self) -> None:
        """Quit: what was answered is kept."""
        self.app.exit()

    def _nothing(self) -> None:
        self.tell("This key does nothing here.")

    action_type = action_none = action_reset = action_preview = action_write = _nothing
    action_connect = action_demo = _nothing


class OptionPage(SetupPage[str]):
    """A page of a few lines, one of which is chosen: dismissed with its value."""

    DEFAULT_CSS = """
    OptionPage .setup-body { align-horizontal: center; }
    OptionPage .setup-body > * { max-width: 100; }
    OptionPage Rows { max-height: 60%; }
    OptionPage.-high .setup-body { padding: 3 2 0 2; }
    """

    def options(self) -> Sequence[Option]:
        """The lines."""
        return ()

    def fill(self, cursor: int | None = None) -> None:
        # What is said of a line follows the lines.
        self.rows.styles.height = len(self.options()) + 1
        super().fill(cursor)

    def table(self) -> Table:
        cols = (Col(least=16), Col(least=12), Col(least=10, drop=1))
        rows: list[Sequence[Cell]] = [
            ((f"{one.text} ", "strong"), (one.note, "text"), (one.more, "muted")) for one in self.options()
        ]
        return Table(cols=cols, rows=rows)

    def action_open(self) -> None:
        options = self.options()
        if self.rows.cursor < len(options):
            self.dismiss(options[self.rows.cursor].value)

    def choose(self, value: str) -> None:
        """Choose a line by its value, by a key of its own."""
        if any(one.value == value for one in self.options()):
            self.dismiss(value)
        else:
            self._nothing()
