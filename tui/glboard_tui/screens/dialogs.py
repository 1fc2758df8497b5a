"""Dialogs: a framed box over the board with a title and a line of hints; questions and prompts.

Owns the frame that all dialogs share. Nothing paints a dialog that is closing: its workers
end with it, and its lines are attributes, not queried from widgets that may be gone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar, Generic, Literal, TypeVar

from textual import events, on
from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Input, Static, TextArea

from glboard_tui.keymap import Keymap
from glboard_tui.widgets.text import clean

T = TypeVar("T")


class Dialog(ModalScreen[T | None], Generic[T]):
    """Dismissed with the choice, or with None by ``Esc``."""

    DEFAULT_CSS = """
    Dialog .overlay-title { height: auto; max-height: 3; }
    Dialog .overlay-note { height: auto; max-height: 4; color: $foreground 80%; }
    Dialog Input { border: none; height: 1; padding: 0; background: $surface; margin: 0 0 1 0; }
    Dialog .overlay-hint { height: 1; }
    """

    class Ready(Message):
        """The dialog has its focus and takes keys."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape", "cancel")]

    def __init__(self, title: str, *, note: str = "", hint: str = "Esc cancels") -> None:
        super().__init__()
        self.heading = title
        self.note = note
        self.hint = hint
        #: Whether it has its focus, so that keys reach the right place.
        self.is_ready = False
        self._title_line = Static(Content(clean(title)), classes="overlay-title")
        self._hint_line = Static(Content(hint), classes="overlay-hint")

    def compose(self) -> ComposeResult:
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

    def _get_ready(self) -> None:
        self.is_ready = True
        self.post_message(Dialog.Ready())

    def say(self, hint: str) -> None:
        """Replace the line of hints."""
        self._hint_line.update(Content(clean(hint)))

    def dismiss(self, result: T | None = None) -> AwaitComplete:
        """Close and cancel reads: a dialog's workers only read and paint, and never write."""
        self.workers.cancel_node(self)
        return super().dismiss(result)

    def action_cancel(self) -> None:
        self.dismiss(None)


class Ask(Dialog[str]):
    """A question with a letter for each answer: dismissed with the letter. Other keys are ignored.

    ``answers`` maps letters to texts, in order.
    """

    DEFAULT_CSS = """
    Ask .answers { height: auto; margin: 1 0; }
    """

    def __init__(self, question: str, answers: Mapping[str, str], *, note: str = "") -> None:
        super().__init__(question, note=note, hint="Esc cancels")
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


class Prompt(Dialog[str]):
    """A line of input, such as a weight or a file name: dismissed with the text.

    ``check`` returns what is wrong with it, or "" if it is valid."""

    def __init__(
        self,
        title: str,
        *,
        value: str = "",
        note: str = "",
        placeholder: str = "",
        hint: str = "Enter confirms · Esc cancels",
        check: Callable[[str], str] = lambda _: "",
    ) -> None:
        super().__init__(title, note=note, hint=hint)
        self._check = check
        self._input = Input(value, placeholder=placeholder, compact=True)

    def inside(self) -> list[Widget]:
        return [self._input]

    def on_mount(self) -> None:
        self._input.focus()

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if wrong := self._check(event.value):
            self.say(wrong)
        else:
            self.dismiss(event.value)


#: The highest weight GitLab is asked for.
_MOST_WEIGHT = 1_000_000


def wrong_weight(text: str) -> str:
    """Return what is wrong with a typed weight, or ""; empty input is valid and clears it."""
    text = text.strip()
    if text and not (text.isascii() and text.isdigit()):
        return "The weight must be a whole number, 0 or more."
    return f"The weight must be at most {_MOST_WEIGHT:,}." if text and int(text) > _MOST_WEIGHT else ""


class CommentDialog(Dialog[tuple[str, bool]]):
    """Several lines, sent with Ctrl+S or Ctrl+Enter, kept as a draft with Esc.

    Dismissed with the text and whether to send it.
    """

    BINDINGS: ClassVar[list[BindingType]] = [("escape", "keep")]

    def __init__(self, keymap: Keymap, title: str, *, text: str = "", note: str = "") -> None:
        super().__init__(
            title, note=note, hint=f"{keymap.key('comment.send')} sends · Esc keeps it as a draft"
        )
        self._keymap = keymap
        self._area = TextArea(text, soft_wrap=True, show_line_numbers=False, tab_behavior="focus")

    def inside(self) -> list[Widget]:
        return [self._area]

    def on_mount(self) -> None:
        self._area.cursor_blink = False
        self._area.move_cursor(self._area.document.end)
        self._area.focus()

    def on_key(self, event: events.Key) -> None:
        if self._keymap.own(event, "comment"):
            event.stop()
            self.action_send()

    def action_send(self) -> None:
        if self._area.text.strip():
            self.dismiss((self._area.text.rstrip(), True))
        else:
            self.say("Nothing to send yet. Esc closes.")

    def action_keep(self) -> None:
        self.dismiss((self._area.text, False))


_EMPTY, _TYPED = "nothing typed yet", "••••"
_MOST = 40


class HiddenInput(Dialog[bool]):
    """A line of input for shared screens: it shows neither the text nor its length.

    Dismissed with True once confirmed. ``check`` applies the text and returns an error or "".
    """

    DEFAULT_CSS = """
    HiddenInput .hidden { height: 1; background: $surface; margin: 0 0 1 0; }
    """

    def __init__(self, title: str, *, note: str, check: Callable[[str], str]) -> None:
        super().__init__(title, note=note, hint="Enter confirms · Esc cancels")
        self._check = check
        self._text = ""
        self._shown = Static(_EMPTY, classes="hidden")

    def inside(self) -> list[Widget]:
        return [self._shown]

    def on_key(self, event: events.Key) -> None:
        if event.key == "escape":
            return
        event.stop()
        event.prevent_default()
        if event.key == "enter":
            if wrong := self._check(self._text):
                self._put("")
                self.say(f"{wrong} Type it again.")
            else:
                self.dismiss(True)
        elif event.key in ("backspace", "delete"):
            self._put(self._text[:-1])
        elif event.key == "ctrl+u":
            self._put("")
        elif event.is_printable and event.character:
            self._put(self._text + event.character)

    def on_paste(self, event: events.Paste) -> None:
        """Take pasted text, hidden as well."""
        event.stop()
        self._put(self._text + event.text.strip())

    def _put(self, text: str) -> None:
        self._text = text[:_MOST]
        self._shown.update(Content(_TYPED if self._text else _EMPTY))


Then = Literal["create", "other", "keep"]
"""Create it; choose another project first; or only keep the typed title as a draft."""


class NewIssue(Dialog[tuple[str, Then]]):
    """Asks for a new issue's title, and shows the labels and milestone it gets from board and column.

    Dismissed with the title and what to do with it.
    """

    BINDINGS: ClassVar[list[BindingType]] = [("escape", "keep")]

    def __init__(
        self, keymap: Keymap, project: str, facts: str, *, title: str = "", several: bool = False
    ) -> None:
        other = " ".join(keymap.hint("new-issue.project")) + " · " if several else ""
        super().__init__(f"New issue in {project}", note=facts, hint=f"Enter creates · {other}Esc cancels")
        self._keymap = keymap
        self._several = several
        # The draft is continued; if selected, it would be lost with the next letter.
        self._input = Input(title, placeholder="title", compact=True, max_length=255, select_on_focus=False)
        self._input.cursor_position = len(title)

    def inside(self) -> list[Widget]:
        return [self._input]

    def on_mount(self) -> None:
        self._input.focus()

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if event.value.strip():
            self.dismiss((event.value.strip(), "create"))
        else:
            self.say("An issue needs a title.")

    def on_key(self, event: events.Key) -> None:
        if self._keymap.own(event, "new-issue"):
            event.stop()
            self.action_project()

    def action_project(self) -> None:
        """Keep the typed title and choose another project."""
        if self._several:
            self.dismiss((self._input.value, "other"))

    def action_keep(self) -> None:
        """Close and keep the typed title for next time."""
        self.dismiss((self._input.value.strip(), "keep"))
