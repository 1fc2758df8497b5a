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
from glboard_core.planning.text import counted
from glboard_tui.action import Action, Scope
from glboard_tui.commands.context import CommandContext, Pane
from glboard_tui.screens import capacity_text
from glboard_tui.screens.capacity_keys import CapacityActions
from glboard_tui.screens.keys import PaneDialog, hint_line
from glboard_tui.widgets.facts import Facts, HeadLine, NamedItems
from glboard_tui.widgets.table import Rows
from glboard_tui.widgets.text import clean

#: Lines around the pane: header and footer, and those with the border of a dialog.
_DOCKED, _OVER = 4, 6
#: The lines below which nothing is set apart, and a person has one line.
_HIGH = 28
#: The lines below which facts are brief.
_LOW = 18
#: Lines kept for the facts of a person, so that moving the cursor changes no other line.
_MOST_ABOUT = 6
#: Lines that half a page is.
_HALF = 5


class CapacityPane(Vertical):
    """The figures of one milestone, which ``milestone`` returns.

    ``closing`` is the hint how to close it; ``around`` counts the lines of the screen that it does not have.
    ``leave`` closes it, ``escape`` gives the keys back.
    """

    scope: Scope = "capacity"
    DEFAULT_CSS = """
    CapacityPane { height: auto; width: 1fr; }
    CapacityPane Static { height: auto; }
    CapacityPane .keys, CapacityPane .former { color: $foreground 80%; }
    CapacityPane .person { color: $foreground 85%; max-height: 3; }
    CapacityPane .no-figures { margin: 1 0; }
    CapacityPane.-high .sums, CapacityPane.-high .keys { margin-top: 1; }
    CapacityPane.-high .name { margin-top: 1; }
    """

    def __init__(
        self,
        context: CommandContext,
        milestone: Callable[[], Milestone | None],
        closing: str,
        around: int,
        leave: Callable[[], object],
        escape: Callable[[], object],
    ) -> None:
        super().__init__()
        self.context = context
        self._planning = context.planning
        self._milestone = milestone
        self._hint = closing
        self._around = around
        self._leave, self._escape = leave, escape
        #: Does what the pane's own keys mean.
        self.own = CapacityActions(context, self)
        self.found: Capacity | None = None
        self._title = HeadLine(ground="overlay")
        self._head = Rows(compact=True, has_cursor=False)
        self._people = Rows(compact=True)
        self._team = Rows(compact=True, has_cursor=False)
        self._bar = Static()
        self._sums = Facts(names=capacity_text.FACT_NAMES, ground="overlay", classes="sums")
        self._former = Static(classes="former")
        self._who = HeadLine(ground="overlay", classes="name")
        self._person = Static(classes="person")
        self._about = Facts(names=capacity_text.FACT_NAMES, ground="overlay")
        self._no_figures = Static(classes="no-figures")
        self._keys = Static(classes="keys")
        self._unwatch: Callable[[], None] = lambda: None
        self._asked = False
        self._said = ""

    def compose(self) -> ComposeResult:
        yield self._title
        yield self._no_figures
        yield from self._figures
        yield self._keys

    @property
    def _figures(self) -> tuple[Widget, ...]:
        """What is shown of a team, from top to bottom."""
        team = (self._head, self._people, self._team, self._bar)
        return (*team, self._sums, self._former, self._who, self._person, self._about)

    def on_mount(self) -> None:
        """Follow changes, and show the pane."""
        self._unwatch = self._planning.watch(self.changed)
        self.show()

    def on_unmount(self) -> None:
        self._unwatch()

    def on_resize(self, _: events.Resize) -> None:
        """Adapt the columns and the number of visible people."""
        self.changed()

    @property
    def _height(self) -> int:
        """The lines that it can take without scrolling."""
        return self.screen.size.height - self._around

    @property
    def _is_high(self) -> bool:
        return self._height >= _HIGH

    def _fit_people(self) -> None:
        """Show as many people as leave the lines below in view."""
        high, width = self._is_high, self.size.width or 96
        # The title, the columns' words and the keys; the person's name, and what sets the parts apart.
        below = self._team.virtual_size.height + self._sums.lines_in(width) + 3
        most = max(3, self._height - below - (_MOST_ABOUT + 4 if high else 2))
        now = self._people.styles.max_height
        if now is None or now.value != most:
            self._people.styles.max_height = most

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
        self.set_class(self._is_high, "-high")
        aside = []
        if self._is_shared:
            aside = ["figures hidden on the shared screen"]
        elif words is None and self.found is not None:
            aside = [counted(self.found.workdays, "working day")]
        self._title.show(f"Capacity of {milestone.title}" if milestone else "Capacity", aside)
        for part in self._figures:
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
        _show(self._head, shown=not hidden)
        self._head.show(capacity_text.head_table(columns), 0)
        self._people.show(
            capacity_text.people_table(named, columns, said=self.context.bridge.share.names_people),
            self._people.cursor,
        )
        self._team.show(capacity_text.team_table(found, columns, rule=self._is_high), 0)
        _show(self._bar, shown=hidden)
        _say(self._bar, Content(capacity_text.team_bar(found, self._width) if hidden else ""))
        closed = self._planning.closed(milestone)
        brief = self._height < _LOW
        self._sums.show(capacity_text.sums(found, closed, team, milestone, hidden=hidden, brief=brief))
        former = None if hidden else self._planning.team_store.former
        _show(self._former, shown=bool(former))
        if former:
            key = self.context.keymap.key("capacity.names")
            _say(self._former, Content(clean(capacity_text.former_words(former, key))))
        self._fit_people()
        self._show_person()

    def _named(self, person: PersonCapacity) -> PersonCapacity:
        """The person, called as on the cards."""
        return structs.replace(person, username=self.context.bridge.people_words.short(person.username))

    def _show_person(self) -> None:
        person, team, milestone = self.person, self._planning.team, self.milestone
        add = self.context.keymap.key("capacity.add")
        name, aside, words = "", "", ""
        facts: list[NamedItems] = []
        if person is None or team is None or milestone is None or self.found is None:
            words = f"team.toml has no people yet: {add} adds them."
        elif (member := team.member(person.username)) is None:
            words = f"{self._named(person).username} is not in team.toml: {add} adds them"
        else:
            named = self._named(person)
            name, aside = capacity_text.person_name(named, hidden=self._is_shared)
            if not self._is_shared:
                facts = capacity_text.person_facts(named, person.username, member, milestone, self.found)
                if not self._is_high:
                    # Of a low screen, the issues that come along would take most.
                    said = facts[:-1] if self._height < _LOW else facts
                    name, words, facts = "", capacity_text.person_line(named, said), []
        for part, shown in ((self._who, name), (self._person, words), (self._about, facts)):
            _show(part, shown=bool(shown))
        self._who.show(name, (aside,) if aside else ())
        _say(self._person, Content(clean(words)))
        self._about.show(facts)

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
