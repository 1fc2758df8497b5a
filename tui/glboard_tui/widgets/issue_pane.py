"""An open issue, on the right half of the board, or over all of it on narrow screens.

Owns how an issue is shown in full. It loads nothing: it is given the issue at once, and description and notes
when they arrive. All its content is remote: no markup, no HTML, no control characters, only http links.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from glboard_core.model.issue import Issue, IssueDetail, IssueId
from glboard_tui.widgets import markdown
from glboard_tui.widgets.facts import Facts, HeadLine, NamedItems
from glboard_tui.widgets.issue_notes import IssueNotes, NotesView, notes_content, show_text
from glboard_tui.widgets.text import clean, clean_lines

if TYPE_CHECKING:
    from textual.widgets import Markdown


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
    DetailPane MarkdownHeader { margin: 0 0 1 0; content-align: left middle; background: $surface; }
    DetailPane MarkdownFence { margin: 0 0 1 0; }
    DetailPane MarkdownFence > Label { padding: 0 1; }
    DetailPane MarkdownBlockQuote { margin: 0 0 1 0; }
    DetailPane MarkdownTable, DetailPane MarkdownTable:light { background: $surface; }
    DetailPane MarkdownTableContent { keyline: none; grid-gutter: 0 1; }
    DetailPane MarkdownTableContent > .header { text-style: underline; }
    DetailPane Markdown > MarkdownBlock:last-child { margin: 0; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.issue: IssueId | None = None
        #: How comments and activity are shown.
        self.notes_view: Callable[[], NotesView] = NotesView
        # Kept as attributes: late content finds them even while the pane is being removed.
        self._head, self._title = HeadLine(classes="detail-head"), Static(classes="detail-title")
        self._facts, self._about = Facts(), HeadLine()
        self._state, self._notes = Static(classes="detail-state"), IssueNotes(classes="detail-notes")
        self._document: Markdown | None = None
        #: The text that is in it.
        self._described = ""

    def compose(self) -> ComposeResult:
        """Title, facts, notes; the description is inserted between when there is one."""
        yield self._head
        yield self._title
        yield self._facts
        yield self._about
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

    def show_issue(
        self, issue: Issue, title: str, facts: Sequence[NamedItems], head: Sequence[str] = ()
    ) -> None:
        """Show what is known at once. Description and notes of another issue are removed.

        ``head``: its reference, and what is said next to it.
        """
        fresh = issue.id != self.issue
        self.issue = issue.id
        self._head.display = bool(head)
        if head:
            self._head.show(head[0], head[1:])
        show_text(self._title, Content(clean(title)))
        self._facts.show(facts)
        self.display = True
        if fresh:
            self.scroll_to(y=0, animate=False)
            self.say("Loading description and comments …")
            self._notes.show(lambda _: Content(""))

    def say(self, text: str) -> None:
        """Show a line in place of the description; "" removes it."""
        self._about.show("Description")
        show_text(self._state, Content(clean_lines(text)))
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
        if detail.without_notes:
            kept_back = Content.styled(clean(detail.without_notes), "dim")
            self._notes.show(lambda _: kept_back)
            return
        view = self.notes_view()
        self._notes.show(lambda width: notes_content(detail.notes, width, view, older=detail.older))

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
        self._notes.show(lambda _: Content(""))
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
