"""What lies over the board: a framed box with a title and a line of hints, the board readable around it.

Owns the frame that pickers, prompts and questions share, and that nothing paints a dialog which leaves: its
workers end with it, and its lines are known by name, not looked for among what may be gone.
"""

from __future__ import annotations

from typing import ClassVar, Generic, TypeVar

from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Input, Static

from glboard_tui.widgets.text import clean

T = TypeVar("T")


class Dialog(ModalScreen[T | None], Generic[T]):
    """Dismissed with what was chosen, or with None by ``Esc``."""

    DEFAULT_CSS = """
    Dialog .overlay-title { height: auto; max-height: 3; }
    Dialog .overlay-note { height: auto; max-height: 4; color: $foreground 80%; }
    Dialog Input { border: none; height: 1; padding: 0; background: $surface; margin: 0 0 1 0; }
    Dialog .overlay-hint { height: 1; }
    """

    class Ready(Message):
        """The dialog has its focus and takes keys."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", show=False)]

    def __init__(self, title: str, *, note: str = "", hint: str = "Esc cancel") -> None:
        super().__init__()
        self.heading = title
        self.note = note
        self.hint = hint
        #: Whether it has its focus, so that keys reach the right place.
        self.is_ready = False
        self._title_line = Static(Content(clean(title)), classes="overlay-title")
        self._hint_line = Static(Content(hint), classes="overlay-hint")

    def compose(self) -> ComposeResult:
        """Title, note, the dialog's own, hints."""
        with Vertical(classes="overlay"):
            yield self._title_line
            if self.note:
                yield Static(Content("\n".join(map(clean, self.note.splitlines()))), classes="overlay-note")
            yield from self.inside()
            yield self._hint_line

    def inside(self) -> list[Widget]:
        """What stands between title and hints."""
        return []

    def on_mount(self) -> None:
        """Ready once the focus is where the subclass puts it (that is queued at the app, too)."""
        for field in self.query(Input):
            # A blinking cursor is a repaint twice a second, on a shared screen and over every slow line.
            field.cursor_blink = False
        self.app.call_later(self._get_ready)

    def _get_ready(self) -> None:
        self.is_ready = True
        self.post_message(Dialog.Ready())

    def say(self, hint: str) -> None:
        """Replace the line of hints."""
        self._hint_line.update(Content(clean(hint)))

    def dismiss(self, result: T | None = None) -> AwaitComplete:
        """Leave. What it was reading is given up: a dialog's workers read and paint, and never write."""
        self.workers.cancel_node(self)
        return super().dismiss(result)

    def action_cancel(self) -> None:
        """Change nothing."""
        self.dismiss(None)
