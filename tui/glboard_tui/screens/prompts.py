"""Prompts: dialogs with a text to type: a line, a comment, a title, a hidden number.

Imported where one is opened: text areas would otherwise be loaded before the first frame.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import ClassVar, Literal

from textual import events, on
from textual.binding import BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static, TextArea

from glboard_core.model.clean_text import typed_body
from glboard_tui.keymap import Keymap
from glboard_tui.screens.dialogs import Dialog


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
    too_much = len(text) > len(str(_MOST_WEIGHT)) or (text and int(text) > _MOST_WEIGHT)
    return f"The weight cannot exceed {_MOST_WEIGHT:,}." if too_much else ""


class CommentDialog(Dialog[tuple[str, bool]]):
    """Several lines, sent with Ctrl+S or Ctrl+Enter, kept as a draft with Esc.

    Dismissed with the text and whether to send it. ``keeps``: nothing is sent, and the text can be empty.
    """

    BINDINGS: ClassVar[list[BindingType]] = [("escape", "keep")]

    def __init__(
        self,
        keymap: Keymap,
        title: str,
        *,
        text: str = "",
        note: str = "",
        people: Sequence[str] = (),
        keeps: bool = False,
    ) -> None:
        send = keymap.key("comment.send")
        does, leaves = ("keeps it", "Esc too") if keeps else ("sends", "Esc keeps it as a draft")
        super().__init__(title, note=note, hint=f"{send} {does} · Tab completes @ · {leaves}")
        self._keymap = keymap
        self._keeps = keeps
        self._people = people
        #: The usernames that Tab goes through, and the one it put in last.
        self._offers: list[str] = []
        self._at = 0
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
        elif event.key == "tab" and self._complete():
            event.stop()
            event.prevent_default()

    def _complete(self) -> bool:
        """Complete the username before the cursor, or go on to the next that fits; whether there is one."""
        row, column = self._area.cursor_location
        before = self._area.document.get_line(row)[:column]
        match = _MENTION.search(before)
        if match is None:
            return False
        name = match[1]
        if self._offers and self._offers[self._at] == name:
            self._at = (self._at + 1) % len(self._offers)
        else:
            typed = name.casefold()
            fitting = {one for one in self._people if typed in one.casefold()}
            self._offers = sorted(fitting, key=lambda one: (not one.casefold().startswith(typed), one))
            self._at = 0
        if not self._offers:
            self.say(f"No user @{name} found.")
            return True
        self._area.replace(self._offers[self._at], (row, match.start(1)), (row, column))
        self._area.move_cursor((row, match.start(1) + len(self._offers[self._at])))
        others = " ".join(f"@{one}" for one in self._offers[:6])
        self.say(f"{others} · Tab continues" if len(self._offers) > 1 else others)
        return True

    @property
    def _typed(self) -> str:
        """The text, without NUL that was pasted: no one sees it, and GitLab refuses it."""
        return typed_body(self._area.text)

    def action_send(self) -> None:
        text = self._typed.rstrip()
        if text or self._keeps:
            self.dismiss((text, True))
        else:
            self.say("Nothing to send yet. Esc closes.")

    def action_keep(self) -> None:
        self.dismiss((self._typed, False))


#: A username that begins where a mention can, at the end of a text.
_MENTION = re.compile(r"(?<![\w@.])@([\w.-]*)$")

_EMPTY, _TYPED = "nothing typed yet", "••••"
_MOST = 40


class HiddenInput(Dialog[bool]):
    """A line of input for shared screens: it shows neither the text nor its length.

    Dismissed with True once confirmed. ``check`` applies the text and returns an error or "".
    """

    DEFAULT_CSS = """
    HiddenInput .hidden { height: 1; background: $surface; margin: 0 0 1 0; }
    """

    def __init__(self, title: str, *, note: str, check: Callable[[str], str], most: int = _MOST) -> None:
        super().__init__(title, note=note, hint="Enter confirms · Esc cancels")
        self._check = check
        self._most = most
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
        self._text = text[: self._most]
        self._shown.update(Content(_TYPED if self._text else _EMPTY))


Then = Literal["create", "other", "keep"]
"""Create it; choose another project first; or only keep the typed title as a draft."""


class NewIssue(Dialog[tuple[str, Then]]):
    """Asks for a new issue's title, and shows the labels and milestone it gets from board and column.

    Dismissed with the title and what to do with it.
    """

    BINDINGS: ClassVar[list[BindingType]] = [("escape", "keep")]

    def __init__(self, keymap: Keymap, project: str, facts: str, *, title: str = "") -> None:
        other = " ".join(keymap.hint("new-issue.project"))
        super().__init__(f"New issue in {project}", note=facts, hint=f"Enter creates · {other} · Esc cancels")
        self._keymap = keymap
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
        self.dismiss((self._input.value, "other"))

    def action_keep(self) -> None:
        """Close and keep the typed title for next time."""
        self.dismiss((self._input.value.strip(), "keep"))
