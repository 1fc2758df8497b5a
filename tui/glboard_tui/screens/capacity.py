"""The capacity pane over the board, if there is no space next to it (planning rule 10)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from glboard_core.errors import GlboardError
from glboard_core.model.issue import Issue
from glboard_core.model.milestone import Milestone
from glboard_core.planning.capacity import Capacity, PersonCapacity, markdown
from glboard_tui.commands.context import CommandContext
from glboard_tui.planning import posted_before
from glboard_tui.screens import capacity_text
from glboard_tui.screens.dialogs import Dialog
from glboard_tui.screens.keys import token_of
from glboard_tui.widgets.table import Rows
from glboard_tui.widgets.text import clean

if TYPE_CHECKING:
    from glboard_tui.commands.context import CommandContext


# The content of the capacity pane, next to the board or over it: people, the team, the sums, the keys.

_END = 1_000_000
_STEPS = {
    "j": 1, "down": 1, "k": -1, "up": -1, "ctrl+d": 5, "pagedown": 5, "ctrl+u": -5, "pageup": -5,
    "G": _END, "end": _END, "home": -_END,
}  # fmt: skip
#: Lines of the pane and its frame that do not list people.
_BESIDE = 18
KEYS = (
    "n net days, hidden · t time off · s support · f factor · o role · h holidays · a add · x remove\n"
    "w days/weight · R reserve · H team holidays · b {blind} · p post · u undo · r reload"
)


class RoomBody(Vertical):
    """``milestone`` returns the current one; ``closing`` is the hint how to close the pane.

    ``lines`` counts the lines of the pane and around it that do not list people.
    """

    DEFAULT_CSS = """
    RoomBody { height: auto; width: 1fr; }
    RoomBody Static { height: auto; }
    RoomBody .room-title { text-style: bold; }
    RoomBody .room-head, RoomBody .room-keys { color: $foreground 80%; }
    RoomBody .room-about { color: $foreground 85%; margin-top: 1; min-height: 1; max-height: 3; }
    RoomBody .room-sums { margin: 1 0; }
    RoomBody .room-words { margin: 1 0; }
    RoomBody .room-team { height: 1; }
    """

    def __init__(
        self,
        context: CommandContext,
        milestone: Callable[[], Milestone | None],
        closing: str,
        *,
        lines: int = _BESIDE,
    ) -> None:
        super().__init__()
        self.context = context
        self.plan = context.screen.plan
        self._milestone = milestone
        self._leave = closing
        self._lines = lines
        self.found: Capacity | None = None
        self._title = Static(classes="room-title")
        self._head = Static(classes="room-head")
        self._rows = Rows(compact=True)
        self._team = Rows(compact=True, has_cursor=False)
        self._about = Static(classes="room-about")
        self._sums = Static(classes="room-sums")
        self._words = Static(classes="room-words")
        self._keys = Static(classes="room-keys")
        self._unwatch: Callable[[], None] = lambda: None
        self._asked = False
        self._said = ""

    def compose(self) -> ComposeResult:
        """Yield from top to bottom."""
        yield self._title
        yield self._words
        yield self._head
        yield self._rows
        yield self._team
        yield self._about
        yield self._sums
        yield self._keys

    def on_mount(self) -> None:
        """Follow changes, and show the pane."""
        self._unwatch = self.plan.watch(self.changed)
        self.show()

    def on_unmount(self) -> None:
        """Stop following changes."""
        self._unwatch()

    def on_resize(self, _: events.Resize) -> None:
        """Adapt the columns, and the number of visible people so that the lines below stay in view."""
        self._rows.styles.max_height = max(3, self.screen.size.height - self._lines)
        self.changed()

    def changed(self) -> None:
        """Refresh it, once for many changes."""
        if not self._asked:
            self._asked = True
            self.call_later(self.show)

    @property
    def milestone(self) -> Milestone | None:
        """The milestone it shows."""
        return self._milestone()

    @property
    def person(self) -> PersonCapacity | None:
        """The person under the cursor."""
        if self.found is None or not self.found.people or self.plan.team is None:
            return None
        return self.found.people[min(self._rows.cursor, len(self.found.people) - 1)]

    def read_past(self) -> None:
        """Read the mean closed weight in the background, if that was not done yet."""
        if (milestone := self.milestone) is not None:
            self.context.screen.work(self.plan.read_closed(milestone), "closed")

    def show(self) -> None:
        """Show the current state."""
        self._asked = False
        if not self.is_mounted:
            return
        milestone = self.milestone
        self.found = self.plan.capacity(milestone)
        words = self._no_figures(milestone)
        blind = " · figures hidden" if self.plan.roster.blind else ""
        title = f"Capacity of {milestone.title}{blind}" if milestone else "Capacity"
        _say(self._title, Content(clean(title)))
        for part in (self._head, self._rows, self._team, self._about, self._sums):
            _show(part, shown=words is None)
        _show(self._words, shown=words is not None)
        if words is not None:
            _say(self._words, words)
        elif self.found is not None and milestone is not None:
            self._show_figures(self.found, milestone)
        self._show_keys()
        # The header shows the changed figures, too.
        self.context.screen.show_header()

    def _show_figures(self, found: Capacity, milestone: Milestone) -> None:
        blind = self.plan.roster.blind
        width = self.size.width or 96
        columns = capacity_text.columns_for(found, width, blind=blind)
        _say(self._head, Content(capacity_text.head(columns)))
        self._rows.show(capacity_text.people_table(found, columns), self._rows.cursor)
        self._team.show(capacity_text.team_table(found, columns), 0)
        team = self.plan.team
        lines = capacity_text.sums(found, self.plan.closed(milestone), blind=blind)
        if team is not None:
            lines.append(
                capacity_text.team_words(team.days_per_weight, team.reserve, team.holidays, found.workdays)
            )
        _say(self._sums, Content("\n".join(map(clean, lines))))
        self._tell()

    def _tell(self) -> None:
        person, team, milestone = self.person, self.plan.team, self.milestone
        if person is None or team is None or milestone is None:
            _say(self._about, Content("No one is in team.toml yet: a adds people."))
            return
        member = team.member(person.username)
        words = capacity_text.about(person, member, milestone.title, blind=self.plan.roster.blind)
        _say(self._about, Content(clean(words)))

    def _no_figures(self, milestone: Milestone | None) -> Content | None:
        trouble = self.plan.trouble
        if milestone is None or self.found is None:
            return Content("This board has no milestone with dates to plan.")
        if trouble is not None:
            text = clean(str(trouble))
            return Content.assemble(("team.toml cannot be used.\n\n", "bold $text-error"), text)
        if self.plan.team is None:
            return self._no_team(milestone)
        return None

    def _no_team(self, milestone: Milestone) -> Content:
        roster, found = self.plan.roster, self.found
        start = ("No capacity without the team's days.\n\n", "bold")
        if roster.path is None:
            return Content.assemble(start, "Start with --config FILE: team.toml is in the same folder.")
        seen = [person.username for person in found.people] if found else []
        who = f" with the {len(seen)} people assigned in {milestone.title} or its carry-over" if seen else ""
        return Content.assemble(
            start,
            (" Enter ", "bold $accent"),
            f" creates {clean(roster.place)}{clean(who)}.\n\n",
            "It stays on this machine. Set time off, support days, roles and the rest with keys here,\n"
            "or edit the file yourself; r reloads it.",
        )

    def _show_keys(self) -> None:
        if self._said:
            _say(self._keys, Content(clean(self._said)))
        elif self.plan.team is None:
            _say(self._keys, Content(self._leave))
        else:
            keys = KEYS.format(blind="show figures" if self.plan.roster.blind else "hide figures")
            _say(self._keys, Content(f"{keys} · {self._leave}"))

    def say(self, text: str) -> None:
        """Show a message in place of the keys, until the next key."""
        self._said = text
        self._show_keys()

    def press(self, token: str) -> bool:
        """Take a key; return whether it was one of the pane's."""
        from glboard_tui.screens.capacity_keys import change

        if self._said:
            self.say("")
        if token in _STEPS:
            self._rows.go(self._rows.cursor + _STEPS[token])
            self._tell()
            return True
        return change(self, token)


def _show(part: Widget, *, shown: bool) -> None:
    # Only if it differs: every assignment triggers a layout.
    if part.display != shown:
        part.display = shown


def _say(part: Static, words: Content) -> None:
    """Update the text, with a layout only if its number of lines changes."""
    before = part.visual
    if before == words:
        return
    width = part.size.width
    same = isinstance(before, Content) and width > 0 and _height(before, width) == _height(words, width)
    part.update(words, layout=not same)


def _height(words: Content, width: int) -> int:
    return len(words.wrap(width)) if words.plain else 0


class Room(Dialog[None]):
    """Dismissed by ``Esc`` or ``q``. It updates with every change."""

    def __init__(self, context: CommandContext, milestone: Milestone) -> None:
        super().__init__("", hint="")
        self._command_context = context
        self.body = RoomBody(context, lambda: milestone, "Esc closes")

    def inside(self) -> list[Widget]:
        """The pane."""
        return [self.body]

    def on_mount(self) -> None:
        """Hide the dialog's title and hints: the pane has its own."""
        self._title_line.display = self._hint_line.display = False
        self.body.read_past()
        super().on_mount()

    def on_key(self, event: events.Key) -> None:
        """Handle the pane's keys."""
        event.stop()
        event.prevent_default()
        token = token_of(event)
        if token in ("escape", "q"):
            self.dismiss(None)
        elif not self.body.press(token) and self._command_context.screen.keys.means(token, "room"):
            # The key leads elsewhere: to a list, another board or the palette.
            self.dismiss(None)
            self._command_context.screen.press(token)


# The capacity pane next to the board: it stays open while the board is edited, and updates with it.

#: Lines of the narrow pane that do not list people.
_LINES = 29


class Beside(VerticalScroll, can_focus=True):
    """The pane with a frame to its left."""

    DEFAULT_CSS = """
    Beside { width: 57; height: 100%; background: $panel; padding: 0 1; border-left: outer $primary 40%; }
    Beside:focus { border-left: outer $primary; }
    """

    def __init__(self, context: CommandContext) -> None:
        super().__init__()
        self._command_context = context
        self._shown: Milestone | None = None
        #: Keys pressed before the pane was mounted; None once it is.
        self._early: list[str] | None = []
        self.body = RoomBody(
            context, context.screen.plan.milestone, "Esc goes to the board, g r closes", lines=_LINES
        )

    def compose(self) -> ComposeResult:
        """Yield the pane."""
        yield self.body

    def on_mount(self) -> None:
        """Take the focus, then the keys pressed before the pane was mounted, in order."""
        self.screen.set_focus(self)
        early, self._early = self._early or [], None
        for token in early:
            self._command_context.screen.press(token)

    @property
    def is_open(self) -> bool:
        """Whether it is visible."""
        return bool(self.display)

    @property
    def has_keys(self) -> bool:
        """Whether keys go to it."""
        return self._early is not None or (self.is_open and self.screen.focused is self)

    def follow(self) -> None:
        """Update if the board shows another milestone."""
        milestone = self.body.milestone
        if milestone != self._shown:
            self._shown = milestone
            self.body.read_past()
            self.body.changed()

    def take(self, token: str) -> bool:
        """Take a key, the pane's own first. Return whether it was taken; no key reaches a card."""
        if self._early is not None:
            self._early.append(token)
            return True
        if token == "escape":  # noqa: S105  (a key, no secret)
            self.screen.set_focus(self._command_context.screen.board)
        elif token == "q":  # noqa: S105
            self._command_context.screen.docking.close()
        elif not self.body.press(token):
            if self._command_context.screen.keys.means(token, "room"):
                return False
            if len(token) == 1:
                self.body.say(f"{token} is not bound in this pane. Esc or Tab goes to the board.")
        return True


# The preview before a capacity is posted: the exact text, totals or names, and whether it changed.

_HINT = "Enter posts it · n {other} · j k scroll · y copies · Esc cancels"


class Post(Dialog[tuple[str, str | None]]):
    """Dismissed with the text to post and the one it replaces, if any."""

    DEFAULT_CSS = """
    Post .preview { height: auto; max-height: 24; margin: 1 0; background: $surface; padding: 0 1; }
    Post .preview Static { height: auto; }
    Post .overlay-note { height: auto; }
    """

    def __init__(self, context: CommandContext, milestone: Milestone, issue: Issue) -> None:
        title = clean(context.bridge.title_of(issue))
        super().__init__(f"Post the capacity of {milestone.title} on {issue.reference}", note=title, hint="")
        self._command_context = context
        self._milestone = milestone
        self._issue = issue
        self._names = False
        self._text = ""
        self._was: str | None = None
        #: Whether the earlier comment was looked up.
        self._looked = False
        self._shown = Static()
        self._scroll = VerticalScroll(self._shown, classes="preview", can_focus=False)
        self._state = Static("Looking for an earlier comment …", classes="state")

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
            self._was = await posted_before(self._command_context.bridge.engine, self._issue, self._milestone)
        except GlboardError as error:
            words = f"Cannot look for an earlier comment: {clean(str(error))}"
            self._state.update(Content.styled(words, "$text-error"))
            return
        self._looked = True
        self._show()

    def _show(self) -> None:
        plan = self._command_context.screen.plan
        found = plan.capacity(self._milestone)
        if found is not None:
            closed = plan.closed(self._milestone).closed or ()
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
        self.say(_HINT.format(other="totals only" if self._names else "names too"))

    def on_key(self, event: events.Key) -> None:
        """Handle Enter, n, y and scrolling."""
        if event.key == "escape":
            return
        event.stop()
        event.prevent_default()
        match event.key:
            case "enter":
                self._post()
            case "n":
                self._other()
            case "y":
                self.app.copy_to_clipboard(self._text)
                self.say("Copied.")
            case "j" | "down" | "k" | "up":
                self._scroll.scroll_relative(y=2 if event.key in ("j", "down") else -2, animate=False)
            case "q":
                self.dismiss(None)

    def _post(self) -> None:
        if not self._looked:
            self.say("Still looking for an earlier comment …")
        elif self._was == self._text:
            self.say("Nothing to post: your earlier comment is up to date.")
        else:
            self.dismiss((self._text, self._was))

    def _other(self) -> None:
        if self._command_context.screen.plan.roster.blind:
            self.say("Individual figures hidden; b in the capacity pane shows them.")
            return
        self._names = not self._names
        self._show()
