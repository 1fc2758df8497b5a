"""The content of the capacity pane, next to the board or over it: people, the team, the sums, the keys.

Owns what is shown and when it is refreshed. ``capacity_keys.py`` handles its keys, ``capacity_text.py`` writes its
lines. It updates with every change on the board, before anything is sent.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from glboard_core.model.milestone import Milestone
from glboard_core.planning.capacity import Capacity, PersonCapacity
from glboard_tui.screens import capacity_text
from glboard_tui.widgets.roll import Roll
from glboard_tui.widgets.text import clean

if TYPE_CHECKING:
    from glboard_tui.commands.context import CommandContext

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
        desk: CommandContext,
        milestone: Callable[[], Milestone | None],
        closing: str,
        *,
        lines: int = _BESIDE,
    ) -> None:
        super().__init__()
        self.desk = desk
        self.plan = desk.screen.plan
        self._milestone = milestone
        self._leave = closing
        self._lines = lines
        self.found: Capacity | None = None
        self._title = Static(classes="room-title")
        self._head = Static(classes="room-head")
        self._rows = Roll()
        self._team = Roll()
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
        self._team.shows_cursor = False
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
            self.desk.screen.work(self.plan.read_closed(milestone), "closed")

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
        self.desk.screen.show_header()

    def _show_figures(self, found: Capacity, milestone: Milestone) -> None:
        blind = self.plan.roster.blind
        width = self.size.width or 96
        columns = capacity_text.columns_for(found, width, blind=blind)
        people = [capacity_text.person_cells(person, columns) for person in found.people]
        chosen = self._rows.cursor
        _say(self._head, Content(capacity_text.head(columns)))
        self._rows.show(people, chosen)
        self._team.show([capacity_text.team_cells(found, columns)], 0)
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
        from glboard_tui.screens.capacity_keys import act

        if self._said:
            self.say("")
        if token in _STEPS:
            self._rows.go(self._rows.cursor + _STEPS[token])
            self._tell()
            return True
        return act(self, token)


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
