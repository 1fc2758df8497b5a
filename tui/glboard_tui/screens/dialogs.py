"""Dialogs: a framed box over the board with a title and a line of hints; questions and prompts.

Owns the frame that all dialogs share. Nothing paints a dialog that is closing: its workers
end with it, and its lines are attributes, not queried from widgets that may be gone.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import ClassVar, Generic, TypeVar

from textual import events
from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.await_remove import AwaitRemove
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.reactive import Reactive
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Input, Static

from glboard_tui.widgets.backdrop import Backdrop, stay_painted
from glboard_tui.widgets.changed_cells import ShownCells
from glboard_tui.widgets.first_frame import FirstFrame, take_waiting
from glboard_tui.widgets.text import clean

T = TypeVar("T")


class Dialog(ModalScreen[T | None], Generic[T]):
    """Dismissed with the choice, or with None by ``Esc``."""

    VERTICAL_BREAKPOINTS = [(0, "-tiny"), (20, "-low"), (30, "-high")]  # noqa: RUF012  (Textual declares it so)
    DEFAULT_CSS = """
    Dialog .overlay-title { height: auto; max-height: 3; }
    Dialog .overlay-note { height: auto; max-height: 7; color: $foreground 80%; }
    Dialog Input { border: none; height: 1; padding: 0; background: $surface; margin: 0 0 1 0; }
    Dialog .overlay-hint { height: 1; }
    """

    class Ready(Message):
        """The dialog has its focus and takes keys."""

    #: Whether it asks something: then no key answers that was pressed before it could be seen.
    asks: ClassVar[bool] = False

    BINDINGS: ClassVar[list[BindingType]] = [("escape", "cancel")]
    #: What has the focus repaints itself: Textual would paint the whole screen each time.
    focused: Reactive[Widget | None] = Reactive(None, repaint=False)

    def __init__(self, title: str, *, note: str = "", hint: str = "Esc cancels") -> None:
        super().__init__()
        self._styles_cache = self._backdrop = Backdrop()
        self._first_frame = FirstFrame(self, self._painted)
        self.heading = title
        self.note = note
        self.hint = hint
        #: Whether it has its focus, so that keys reach the right place.
        self.is_ready = False
        self._has_focus = self._is_painted = False
        #: When it could be seen, on the clock of events.
        self._seen_at = 0.0
        self._title_line = Static(Content(clean(title)), classes="overlay-title")
        self._hint_line = Static(Content(hint), classes="overlay-hint")

    def compose(self) -> ComposeResult:
        self._first_frame.fit()
        yield from self.parts()

    def parts(self) -> ComposeResult:
        """All of it: the box, and what is next to that."""
        with Vertical(classes="overlay"):
            yield self._title_line
            if self.note:
                yield Static(Content("\n".join(map(clean, self.note.splitlines()))), classes="overlay-note")
            yield from self.inside()
            yield self._hint_line

    def inside(self) -> list[Widget]:
        """The widgets between title and hints."""
        return []

    def on_mount(self) -> None:
        """Become ready once the focus is where the subclass puts it (that is also queued at the app)."""
        for field in self.query(Input):
            # A blinking cursor repaints twice a second, also on a shared screen or a slow connection.
            field.cursor_blink = False
        self.app.call_later(self._get_ready)

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        """It is shown, or shown again."""
        self._first_frame.begin(event)
        shown = getattr(self.app, "shown", None)
        if isinstance(shown, ShownCells) and self.app.screen is self:
            self._backdrop.take(shown, self.app.screen_stack[-2], self.app.size)

    def _screen_resized(self, size: Size) -> None:
        """Lay out for another size only: Textual asks for it again once the screen has the size it has."""
        if size != self.outer_size:
            super()._screen_resized(size)

    def on_screen_suspend(self) -> None:
        """Another dialog opens over it."""
        stay_painted(self)

    def _compositor_refresh(self) -> None:
        """Paint what has changed, once there is something to see."""
        if self._first_frame.may_paint():
            take_waiting(self)
            super()._compositor_refresh()

    def _get_ready(self) -> None:
        self._has_focus = True
        self._take_keys()

    def _painted(self) -> None:
        self._is_painted = True
        # Events and messages have one clock.
        self._seen_at = Dialog.Ready().time
        self._take_keys()

    def _take_keys(self) -> None:
        if not self.is_ready and self._has_focus and (self._is_painted or not self.asks):
            self.is_ready = True
            self.post_message(Dialog.Ready())

    def is_too_early(self, key: events.Key) -> bool:
        """Whether a key was pressed before anybody had seen this question; it says so then."""
        early = self.asks and key.time < self._seen_at
        if early:
            self.say(f"Keys pressed before this was shown do nothing. {self.hint}")
        return early

    def say(self, hint: str) -> None:
        """Replace the line of hints."""
        self._hint_line.update(Content(clean(hint)))

    def dismiss(self, result: T | None = None) -> AwaitComplete:
        """Close and cancel reads: a dialog's workers only read and paint, and never write.

        A second key may come before it is gone: that must not close what is below.
        """
        if self not in self.app.screen_stack:
            return AwaitComplete()
        self.workers.cancel_node(self)
        return super().dismiss(result)

    def remove(self) -> AwaitRemove:
        """Leave the app without painting the screen below, which is painted already."""
        return self.app._prune(self)

    def action_cancel(self) -> None:
        self.dismiss(None)


class Waiting(Dialog[T]):
    """A question that needs an answer of the server before it can be asked: modal from the first moment.

    Dismissed with what ``read`` returns. Keys typed meanwhile go nowhere; Esc ends it, as ``hint`` says.
    """

    asks = True

    def __init__(
        self, question: str, read: Callable[[], Awaitable[T]], *, note: str = "", hint: str = "Esc cancels"
    ) -> None:
        super().__init__(question, note=note, hint=hint)
        self._read = read

    def on_mount(self) -> None:
        super().on_mount()
        self.run_worker(self._wait(), exit_on_error=False)

    async def _wait(self) -> None:
        found = await self._read()
        # Not from within: closing ends the dialog's workers.
        self.call_later(self._answered, found)

    def _answered(self, found: T) -> None:
        self.dismiss(found)


class Ask(Dialog[str]):
    """A question with a letter for each answer: dismissed with the letter. Other keys are ignored.

    ``answers`` maps letters to texts, in order.
    """

    DEFAULT_CSS = """
    Ask .answers { height: auto; margin: 1 0; }
    """
    asks = True

    def __init__(
        self, question: str, answers: Mapping[str, str], *, note: str = "", hint: str = "Esc cancels"
    ) -> None:
        super().__init__(question, note=note, hint=hint)
        self._answers = dict(answers)

    def inside(self) -> list[Widget]:
        lines = [
            Content.assemble((f" {key} ", "bold $accent"), f" {clean(words)}")
            for key, words in self._answers.items()
        ]
        return [Static(Content("\n").join(lines), classes="answers")]

    def on_key(self, event: events.Key) -> None:
        answer = (event.character or "") if event.is_printable else ""
        if answer in self._answers or answer.lower() in self._answers:
            event.stop()
            event.prevent_default()
            self.dismiss(answer if answer in self._answers else answer.lower())
