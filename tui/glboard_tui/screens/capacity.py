"""The capacity pane: next to the board, or over it where there is no space (planning rule 10).

``CapacityPane`` shows people, the team, the sums and the keys; ``DockedCapacity`` and ``CapacityDialog`` are
the two places for it. What its keys do is in ``capacity_keys.py``.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import structs
from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from glboard_core.model.milestone import Milestone
from glboard_core.planning.capacity import Capacity, PersonCapacity
from glboard_tui.action import Action, Scope
from glboard_tui.commands.context import CommandContext, Pane
from glboard_tui.screens import capacity_text
from glboard_tui.screens.capacity_keys import CapacityActions
from glboard_tui.screens.keys import PaneDialog, hint_line
from glboard_tui.widgets.table import Rows
from glboard_tui.widgets.text import clean

#: Lines of the pane and around it that do not list people: over the board, and narrow next to it.
_OVER, _DOCKED = 19, 27
#: Lines that half a page is.
_HALF = 5


class CapacityPane(Vertical):
    """The figures of one milestone, which ``milestone`` returns.

    ``closing`` is the hint how to close it; ``lines`` counts the lines that do not list people. ``leave``
    closes it, ``escape`` gives the keys back.
    """

    scope: Scope = "capacity"
    DEFAULT_CSS = """
    CapacityPane { height: auto; width: 1fr; }
    CapacityPane Static { height: auto; }
    CapacityPane .title { text-style: bold; }
    CapacityPane .head, CapacityPane .keys { color: $foreground 80%; }
    CapacityPane .person { color: $foreground 85%; margin-top: 1; min-height: 1; max-height: 3; }
    CapacityPane .sums { margin: 1 0; }
    CapacityPane .no-figures { margin: 1 0; }
    """

    def __init__(
        self,
        context: CommandContext,
        milestone: Callable[[], Milestone | None],
        closing: str,
        lines: int,
        leave: Callable[[], object],
        escape: Callable[[], object],
    ) -> None:
        super().__init__()
        self.context = context
        self._planning = context.planning
        self._milestone = milestone
        self._hint = closing
        self._lines = lines
        self._leave, self._escape = leave, escape
        #: Does what the pane's own keys mean.
        self.own = CapacityActions(context, self)
        self.found: Capacity | None = None
        self._title = Static(classes="title")
        self._head = Static(classes="head")
        self._people = Rows(compact=True)
        self._team = Rows(compact=True, has_cursor=False)
        self._person = Static(classes="person")
        self._sums = Static(classes="sums")
        self._no_figures = Static(classes="no-figures")
        self._keys = Static(classes="keys")
        self._unwatch: Callable[[], None] = lambda: None
        self._asked = False
        self._said = ""

    def compose(self) -> ComposeResult:
        yield self._title
        yield self._no_figures
        yield self._head
        yield self._people
        yield self._team
        yield self._person
        yield self._sums
        yield self._keys

    def on_mount(self) -> None:
        """Follow changes, and show the pane."""
        self._unwatch = self._planning.watch(self.changed)
        self.show()

    def on_unmount(self) -> None:
        self._unwatch()

    def on_resize(self, _: events.Resize) -> None:
        """Adapt the columns, and the number of visible people so that the lines below stay in view."""
        self._people.styles.max_height = max(3, self.screen.size.height - self._lines)
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
    def about(self) -> str:
        """Whom its keys are about."""
        person = self.person
        return self._named(person).username if person is not None else "capacity"

    @property
    def person(self) -> PersonCapacity | None:
        """The person under the cursor."""
        if self.found is None or not self.found.people or self._planning.team is None:
            return None
        return self.found.people[min(self._people.cursor, len(self.found.people) - 1)]

    def read_past(self) -> None:
        """Read the mean closed weight in the background, if that was not done yet."""
        if (milestone := self.milestone) is not None:
            self.context.shell.work(self._planning.read_closed(milestone), "closed")

    def show(self) -> None:
        """Show the current state."""
        self._asked = False
        if not self.is_mounted:
            return
        milestone = self.milestone
        self.found = self._planning.capacity(milestone)
        words = self._why_no_figures(milestone)
        hidden = " · figures hidden on the shared screen" if self._is_shared else ""
        title = f"Capacity of {milestone.title}{hidden}" if milestone else "Capacity"
        _say(self._title, Content(clean(title)))
        for part in (self._head, self._people, self._team, self._person, self._sums):
            _show(part, shown=words is None)
        _show(self._no_figures, shown=words is not None)
        if words is not None:
            _say(self._no_figures, words)
        elif self.found is not None and milestone is not None:
            self._show_figures(self.found, milestone)
        self._show_keys()
        # The header shows the changed figures, too, and the footer whom the keys are about.
        self.context.shell.show_header()
        self.context.shell.show_footer()

    @property
    def _is_shared(self) -> bool:
        return self.context.bridge.share.is_on

    @property
    def _width(self) -> int:
        """Cells of a line of the list, without the scrollbar it may have."""
        return (self.size.width or 96) - self._people.styles.scrollbar_size_vertical

    def _show_figures(self, found: Capacity, milestone: Milestone) -> None:
        hidden, team = self._is_shared, self._planning.team
        named = structs.replace(found, people=tuple(map(self._named, found.people)))
        columns = capacity_text.columns_for(named, self._width, hidden=hidden)
        _say(self._head, Content(capacity_text.head(columns)))
        self._people.show(
            capacity_text.people_table(named, columns, said=self.context.bridge.share.names_people),
            self._people.cursor,
        )
        self._team.show(capacity_text.team_table(found, columns), 0)
        lines = capacity_text.sums(found, self._planning.closed(milestone), hidden=hidden)
        if hidden:
            lines.insert(0, capacity_text.team_bar(found, self._width))
        elif team is not None:
            lines.append(
                capacity_text.team_words(team.days_per_weight, team.reserve, team.holidays, found.workdays)
            )
        if not hidden and (former := self._planning.team_store.former):
            lines.append(capacity_text.former_words(former, self.context.keymap.key("capacity.names")))
        _say(self._sums, Content("\n".join(map(clean, lines))))
        self._show_person()

    def _named(self, person: PersonCapacity) -> PersonCapacity:
        """The person, called as on the cards."""
        return structs.replace(person, username=self.context.bridge.people_words.short(person.username))

    def _show_person(self) -> None:
        person, team, milestone = self.person, self._planning.team, self.milestone
        add = self.context.keymap.key("capacity.add")
        if person is None or team is None or milestone is None:
            words = f"team.toml has no people yet: {add} adds them."
        elif (member := team.member(person.username)) is None:
            words = f"{self._named(person).username} is not in team.toml: {add} adds them"
        else:
            words = capacity_text.about(self._named(person), member, milestone.title, hidden=self._is_shared)
        _say(self._person, Content(clean(words)))

    def _why_no_figures(self, milestone: Milestone | None) -> Content | None:
        store, found = self._planning.team_store, self.found
        if milestone is None or found is None:
            return Content("This board has no milestone with a start and due date.")
        if store.trouble is not None:
            text = clean(str(store.trouble))
            return Content.assemble(("Cannot use team.toml.\n\n", "bold $text-error"), text)
        if store.team is not None:
            return None
        start = ("Capacity needs the team's days.\n\n", "bold")
        if store.path is None:
            return Content.assemble(start, "Start with --config FILE: team.toml is in the same folder.")
        people = len(found.people)
        who = (
            f" with the {people} people who have issues in {milestone.title} or carry some over"
            if people
            else ""
        )
        create, reload = (self.context.keymap.key(f"capacity.{name}") for name in ("create", "reload"))
        return Content.assemble(
            start,
            (f" {create} ", "bold $accent"),
            f" creates {clean(store.place)}{clean(who)}.\n\n",
            f"It stays on this computer. You can then set time off, support days and roles here. Or write "
            f"the file yourself: {reload} reloads it.",
        )

    def _show_keys(self) -> None:
        # The footer has the keys; what one of them did is said here, and how to get out.
        _say(self._keys, Content(clean(self._said or self._hint)))

    # Keys

    @property
    def modes(self) -> frozenset[str]:
        """Whether there is no team yet, or it has former names."""
        store = self._planning.team_store
        return frozenset(
            {*(["no-team"] if store.can_create else ()), *(["former-names"] if store.former else ())}
        )

    def go(self, step: int) -> None:
        """Move the cursor."""
        self._people.go(self._people.cursor + step)
        self._show_person()
        self.context.shell.show_footer()

    def half(self, direction: int) -> None:
        """Move the cursor by some lines."""
        self.go(direction * _HALF)

    def tell(self, text: str) -> None:
        """Show a message in place of the keys, until the next key."""
        if text != self._said:
            self._said = text
            self._show_keys()

    def escape(self) -> None:
        """Give the keys back to the board."""
        self._escape()

    def leave(self) -> None:
        """Close it."""
        self._leave()


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


class CapacityDialog(PaneDialog[None]):
    """The pane over the board. A key that leads elsewhere closes it first."""

    scope = "capacity"

    def __init__(self, context: CommandContext, milestone: Milestone) -> None:
        super().__init__(context, "")
        closing = hint_line(context.keymap, "escape")
        leave = self.action_cancel
        self._figures = CapacityPane(context, lambda: milestone, closing, _OVER, leave, leave)

    @property
    def pane(self) -> Pane:
        return self._figures

    def inside(self) -> list[Widget]:
        return [self._figures]

    def on_mount(self) -> None:
        """Hide the dialog's title and hints: the pane has its own."""
        self._title_line.display = self._hint_line.display = False
        self._figures.read_past()
        super().on_mount()
        self.context.shell.show_footer()

    def on_unmount(self) -> None:
        super().on_unmount()
        self.context.shell.show_footer()

    def before(self, action: Action) -> None:
        if action.scopes != (self.scope,) and "pane" not in action.scopes:
            self.leave()


class DockedCapacity(VerticalScroll, can_focus=True):
    """The pane next to the board: it stays open while the board is edited, and updates with it."""

    DEFAULT_CSS = """
    DockedCapacity { width: 60; height: 100%; background: $panel; padding: 0 1; }
    DockedCapacity { border-left: outer $primary 40%; }
    DockedCapacity:focus { border-left: outer $primary; }
    """

    class Ready(Message):
        """The pane has its focus and takes keys."""

    def __init__(self, context: CommandContext) -> None:
        super().__init__()
        self.context = context
        self._shown: Milestone | None = None
        #: Whether it takes keys.
        self.is_ready = False
        closes = context.keymap.key("pane.capacity")
        self.figures = CapacityPane(
            context,
            context.planning.milestone,
            f"Esc goes to the board, {closes} closes",
            _DOCKED,
            leave=context.dock.close,
            escape=lambda: self.screen.set_focus(context.board),
        )

    def compose(self) -> ComposeResult:
        yield self.figures

    def on_mount(self) -> None:
        """Take the focus, and then keys."""
        self.screen.set_focus(self)
        self.is_ready = True
        self.post_message(self.Ready())

    @property
    def is_open(self) -> bool:
        """Whether it is visible."""
        return bool(self.display)

    @property
    def has_keys(self) -> bool:
        """Whether keys go to it."""
        return not self.is_ready or (self.is_open and self.screen.focused is self)

    def follow(self) -> None:
        """Update if the board shows another milestone."""
        milestone = self.figures.milestone
        if milestone != self._shown:
            self._shown = milestone
            self.figures.read_past()
            self.figures.changed()
