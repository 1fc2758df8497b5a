"""What is shown where there are no cards: a panel instead of the board, a hint on an empty board."""

from __future__ import annotations

from rich.segment import Segment
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Static

from glboard_tui.widgets.colors import palette_of
from glboard_tui.widgets.text import clean, clean_lines, width_of, wrapped


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
        parts = [Content.styled(clean_lines(title), "bold $text-error" if bad else "bold")]
        parts.extend(Content(clean_lines(text)) for text in (message, hint) if text)
        if keys:
            parts.append(Content.styled(keys, "$accent"))
        self._words.update(Content("\n\n").join(parts))
        self.display = True

    def hide(self) -> None:
        """Make room for the board."""
        self.display = False


#: Cells next to the text of an empty board, and lines of one of its sentences.
_MARGIN, _MOST = 2, 5


class EmptyMessage(Widget):
    """Says what to do when there are no cards. Hidden until there is something to say."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "EmptyMessage { height: 1fr; width: 1fr; display: none; }"

    def __init__(self) -> None:
        super().__init__()
        self._lines: tuple[str, ...] = ()

    def say(self, text: str, *, shown: bool) -> None:
        """Show the text; its first line is bold."""
        lines = tuple(clean(line) for line in text.splitlines())
        if self.display != shown:
            self.display = shown
        if lines != self._lines:
            self._lines = lines
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """One line, centred, a third down."""
        palette = palette_of(self.app)
        width, height = self.size
        room = max(width - 2 * _MARGIN, 1)
        lines = [
            (part, at == 0)
            for at, line in enumerate(self._lines)
            for part in wrapped(line, room, room, _MOST)
        ]
        place = y - max(0, height // 3 - len(lines) // 2)
        if not 0 <= place < len(lines):
            return Strip.blank(width, palette.style("rest"))
        text, is_reason = lines[place]
        left = (width - width_of(text)) // 2
        style = palette.style("rest", "strong" if is_reason else "muted")
        segments = [Segment(" " * left + text, style)]
        return Strip(segments).adjust_cell_length(width, palette.style("rest"))
