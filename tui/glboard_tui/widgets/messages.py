"""A full-width panel instead of the board: why there is none, and what to do."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from glboard_tui.widgets.text import clean


class Panel(VerticalScroll, can_focus=False):
    """Title, message, hint, keys. Hidden until there is something to say."""

    DEFAULT_CSS = """
    Panel { display: none; height: 1fr; width: 1fr; padding: 1 2; background: $background; }
    Panel Static { max-width: 100; height: auto; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._words = Static()

    def compose(self) -> ComposeResult:
        """The text."""
        yield self._words

    def say(
        self, title: str, message: str = "", hint: str = "", keys: str = "", *, bad: bool = False
    ) -> None:
        """Show this text."""
        parts = [Content.styled(_lines(title), "bold $text-error" if bad else "bold")]
        parts.extend(Content(_lines(text)) for text in (message, hint) if text)
        if keys:
            parts.append(Content.styled(keys, "$accent"))
        self._words.update(Content("\n\n").join(parts))
        self.display = True

    def hide(self) -> None:
        """Make room for the board."""
        self.display = False


def _lines(text: str) -> str:
    return "\n".join(map(clean, text.splitlines()))
