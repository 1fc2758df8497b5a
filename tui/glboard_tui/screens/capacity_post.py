"""The preview before a capacity is posted: the exact text, totals or names, and whether it changed."""

from __future__ import annotations

from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from glboard_core.errors import GlboardError
from glboard_core.model.issue import Issue
from glboard_core.model.milestone import Milestone
from glboard_core.planning.capacity import markdown
from glboard_tui.commands.context import CommandContext
from glboard_tui.own_note import posted_before
from glboard_tui.screens.keys import PaneDialog
from glboard_tui.widgets.text import clean


class PostCapacity(PaneDialog[tuple[str, str | None]]):
    """Dismissed with the text to post and the one it replaces, if any."""

    scope = "capacity-post"
    DEFAULT_CSS = """
    PostCapacity .preview { height: auto; max-height: 45vh; margin: 1 0; background: $surface; padding: 0 1; }
    PostCapacity .preview Static { height: auto; }
    PostCapacity .overlay-note { height: auto; }
    PostCapacity.-low .preview { max-height: 25vh; margin: 0; }
    PostCapacity.-tiny .preview { max-height: 4; margin: 0; }
    """

    def __init__(self, context: CommandContext, milestone: Milestone, issue: Issue) -> None:
        title = clean(context.bridge.title_of(issue))
        super().__init__(context, f"Post the capacity of {milestone.title} on {issue.reference}", note=title)
        self._milestone = milestone
        self._issue = issue
        self._names = False
        self._text = ""
        self._was: str | None = None
        #: Whether the earlier comment was looked up.
        self._looked = False
        self._shown = Static()
        self._scroll = VerticalScroll(self._shown, classes="preview", can_focus=False)
        self._state = Static("Looking for your earlier comment …", classes="state")

    def inside(self) -> list[Widget]:
        """The text, and what posting it will do."""
        return [self._scroll, self._state]

    def on_mount(self) -> None:
        """Show the text at once, and look for the earlier comment in the background."""
        self._show()
        self.run_worker(self._look(), group="post", exit_on_error=False)
        super().on_mount()

    async def _look(self) -> None:
        try:
            self._was = await posted_before(self.context.bridge.engine, self._issue, self._milestone)
        except GlboardError as error:
            words = f"Cannot load your earlier comment: {clean(str(error))}"
            self._state.update(Content.styled(words, "$text-error"))
            return
        self._looked = True
        self._show()

    def _show(self) -> None:
        planning = self.context.planning
        found = planning.capacity(self._milestone)
        if found is not None:
            closed = planning.closed(self._milestone).closed or ()
            self._text = markdown(found, self._milestone, closed, names=self._names)
        self._shown.update(Content("\n".join(map(clean, self._text.splitlines()))))
        if self._looked:
            if self._was is None:
                words = "A new comment will be posted."
            elif self._was == self._text:
                words = "Your earlier comment is up to date."
            else:
                words = "Your earlier comment will be updated."
            self._state.update(Content(words))
        self.say(self.hint)

    def go(self, step: int) -> None:
        self._scroll.scroll_relative(y=2 * step, animate=False)

    def half(self, direction: int) -> None:
        self._scroll.scroll_relative(y=direction * self._scroll.size.height // 2, animate=False)

    def action_send(self) -> None:
        if not self._looked:
            self.say("Still looking for your earlier comment …")
        elif self._was == self._text:
            self.say("Nothing to post: your earlier comment is up to date.")
        else:
            self.dismiss((self._text, self._was))

    def action_names(self) -> None:
        self._names = not self._names
        self._show()

    def action_copy(self) -> None:
        self.app.copy_to_clipboard(self._text)
        self.say("Sent to the terminal's clipboard.")
