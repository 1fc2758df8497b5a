"""An open issue, on the right half of the board, or over all of it on narrow screens.

Owns how an issue is shown in full. It loads nothing: it is given the issue at once, and description and notes
when they arrive. All its content is remote: no markup, no HTML, no control characters, only http links.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rich.style import Style
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Static

from glboard_core.model.issue import Issue, IssueDetail, IssueId
from glboard_tui.widgets import markdown
from glboard_tui.widgets.card import INKS, Chip, Fact
from glboard_tui.widgets.colors import Ink, Palette, palette_of
from glboard_tui.widgets.issue_notes import notes_content
from glboard_tui.widgets.text import Line, clean, clean_lines, clip, width_of

if TYPE_CHECKING:
    from textual.widgets import Markdown


Item = str | Fact | Chip
"""A value: plain, with a tone (a minor one is muted), or a label in its colour."""

NamedItems = tuple[str, tuple[Item, ...]]
"""A name, and its items: ``("Slipped", (Fact("once:", "warn"), "19.7"))``."""

_NAME = 16
_GAP = 2


def _text(item: Item) -> str:
    if isinstance(item, str):
        return clean(item)
    return clean(item.text) if isinstance(item, Fact) else f" {clean(item.text)} "


def laid_out(facts: Sequence[NamedItems], width: int) -> list[tuple[str, list[Item]]]:
    """Name (only on the first line) and items of each line; facts without items are omitted."""
    room = max(width - _NAME, 8)
    lines: list[tuple[str, list[Item]]] = []
    for name, items in facts:
        label, taken = name, room + 1
        for item in items:
            if not (text := _text(item)).strip():
                continue
            if taken + _GAP + width_of(text) > room:
                lines.append((label, []))
                label, taken = "", -_GAP
            lines[-1][1].append(item)
            taken += _GAP + width_of(text)
    return lines


class Facts(Widget):
    """Names and values in two columns, values wrapped between items and never inside one."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "Facts { height: auto; width: 1fr; }"

    def __init__(self) -> None:
        super().__init__()
        self._facts: tuple[NamedItems, ...] = ()

    def show(self, facts: Sequence[NamedItems]) -> None:
        """Show these facts."""
        if tuple(facts) != self._facts:
            self._facts = tuple(facts)
            self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """The number of lines needed at that width."""
        return len(laid_out(self._facts, width))

    def render_line(self, y: int) -> Strip:
        """One line."""
        palette = palette_of(self.app)
        line = Line(self.size.width)
        lines = laid_out(self._facts, self.size.width)
        if y < len(lines):
            name, items = lines[y]
            line.add(f"{clip(name, _NAME - 1):<{_NAME}}", palette.style("band", "muted"))
            for place, item in enumerate(items):
                line.add(" " * _GAP if place else "", palette.style("band"))
                line.add(clip(_text(item), line.room), _style(item, palette))
        return line.strip(palette.style("band"))


def _style(item: Item, palette: Palette) -> Style:
    if isinstance(item, Chip):
        return palette.chip(item.color, "band")
    ink: Ink = "text" if isinstance(item, str) else "muted" if item.minor else INKS[item.tone]
    return palette.style("band", ink)


def _update(static: Static, content: Content) -> None:
    """Show another text: the same one again would lay out the whole screen."""
    if not (isinstance(static.content, Content) and static.content.is_same(content)):
        static.update(content)


class DetailPane(VerticalScroll, can_focus=True):
    """Hidden until ``show_issue``."""

    DEFAULT_CSS = """
    DetailPane {
        display: none; background: $surface; padding: 0 1;
    }
    DetailPane .detail-title { text-style: bold; height: auto; }
    DetailPane Facts { margin-bottom: 1; }
    DetailPane .detail-state { height: auto; color: $foreground 80%; }
    DetailPane .detail-notes { height: auto; margin-top: 1; }
    DetailPane Markdown { background: $surface; padding: 0; margin: 0; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.issue: IssueId | None = None
        #: A person as on the cards.
        self.short_name: Callable[[str], str] = lambda username: username
        # Kept as attributes: late content finds them even while the pane is being removed.
        self._title, self._facts = Static(classes="detail-title"), Facts()
        self._state, self._notes = Static(classes="detail-state"), Static(classes="detail-notes")
        self._document: Markdown | None = None
        #: The text that is in it.
        self._described = ""

    def compose(self) -> ComposeResult:
        """Title, facts, notes; the description is inserted between when there is one."""
        yield self._title
        yield self._facts
        yield self._state
        yield self._notes

    def watch_has_focus(self, _has_focus: bool) -> None:
        """No style depends on it: Textual would style every part of a description again."""

    @property
    def is_open(self) -> bool:
        """Whether an issue is shown."""
        return self.issue is not None

    @property
    def has_keys(self) -> bool:
        """Whether it has the keys."""
        return self.is_open and self.screen.focused is self

    def show_issue(self, issue: Issue, title: str, facts: Sequence[NamedItems]) -> None:
        """Show what is known at once. Description and notes of another issue are removed."""
        fresh = issue.id != self.issue
        self.issue = issue.id
        _update(self._title, Content(clean(title)))
        self._facts.show(facts)
        self.display = True
        if fresh:
            self.scroll_to(y=0, animate=False)
            self.say("Loading description and comments …")
            _update(self._notes, Content(""))

    def say(self, text: str) -> None:
        """Show a line in place of the description; "" removes it."""
        _update(self._state, Content(clean_lines(text)))
        self._state.display = bool(text)
        if text and self._document is not None:
            self._document.display = False

    async def show_detail(self, detail: IssueDetail, task: int | None = None) -> None:
        """Show description and notes. Those of an issue that is no longer shown are ignored.

        ``task``: the number of the task in the description that has the focus.
        """
        if detail.id != self.issue:
            return
        text = markdown.description(detail.description, task)
        self.say("" if text.strip() else "No description.")
        if text.strip():
            document = await self._mounted_document()
            document.display = True
            if text != self._described:
                self._described = ""  # until all of it is there: this may be cancelled
                await document.update(text)
                self._described = text if document.source == text else ""
        kept_back = Content.styled(clean(detail.without_notes), "dim") if detail.without_notes else None
        _update(
            self._notes,
            kept_back or notes_content(detail.notes, older=detail.older, short_name=self.short_name),
        )

    def reveal_task(self) -> None:
        """Scroll to the task that has the focus."""
        if self._document is None:
            return
        from textual.widgets.markdown import MarkdownBlock

        for block in self._document.query(MarkdownBlock):
            if not block.children and str(block.render()).lstrip().startswith(markdown.FOCUSED):
                self.scroll_to_widget(block, animate=False)
                return

    async def _mounted_document(self) -> Markdown:
        from textual.widgets import Markdown

        if self._document is None:
            self._document = Markdown(parser_factory=markdown.parser, open_links=False)
            await self.mount(self._document, before=self._notes)
        return self._document

    def forget(self) -> None:
        """Keep nothing of what was read."""
        self.say("")
        self._notes.update(Content(""))
        if self._document is not None:
            self._document.remove()
            self._document, self._described = None, ""

    def close(self) -> None:
        """Show nothing."""
        self.issue = None
        self.display = False

    def scroll_by(self, lines: int) -> None:
        """Scroll by lines."""
        self.scroll_relative(y=lines, animate=False)

    def scroll_half(self, direction: int) -> None:
        """Scroll by half its height."""
        self.scroll_relative(y=direction * max(1, self.size.height // 2), animate=False)

    def on_markdown_link_clicked(self, event: Markdown.LinkClicked) -> None:
        """Only web addresses are opened."""
        event.stop()
        if event.href.startswith(("https://", "http://")):
            self.app.open_url(event.href)
