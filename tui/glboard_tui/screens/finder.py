"""Find anything: one field for actions, boards, milestones, people, filters and issues, here or in GitLab.

Owns the keys of the field and when GitLab is asked: never while somebody types, only when an issue that is
not on this machine was named by its reference or its URL, and ``Enter`` opens it. What a line leads to is
done by ``commands/find.py``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import ClassVar

import msgspec
from msgspec import Struct
from textual import events, on
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Input, Static

from glboard_core.board.find import Findable, FindKind, Hit, Hits, best_of, findable, narrows
from glboard_core.errors import GlboardError
from glboard_core.model.address import IssueAddress
from glboard_core.model.issue import IssueId
from glboard_core.model.milestone import Milestone
from glboard_tui import head
from glboard_tui.action import key_words
from glboard_tui.commands.context import CommandContext
from glboard_tui.keymap import Keymap
from glboard_tui.screens.dialogs import Dialog
from glboard_tui.widgets.colors import Ground, Ink, palette_of
from glboard_tui.widgets.table import LineList
from glboard_tui.widgets.text import Line, clean, clip, fit, width_of

#: How many lines are found at most, and seen at once on a large screen.
_MOST, _LINES = 60, 16
#: The store key for what was found lately, and how much of it is kept.
_RECENT, _KEPT = "recent_finds", 6
#: Seconds in which the field appears: the issues are read after that.
_FRAME = 0.03
_KINDS: dict[FindKind, str] = {"address": "in GitLab"}
#: Cells for the kind of a line.
_KIND = 11
_PLACEHOLDER = "an issue, #123, a URL, an action, a board, a milestone, a person, a filter"
_HINT = "Enter opens · > actions · @ people · % milestones · ~ labels · Esc closes"


class _Recent(Struct, frozen=True):
    kind: str
    key: str


class FindList(LineList):
    """The lines that were found, each with its kind in front. ``note_of`` says more about a line.

    It scrolls by itself: another virtual size would lay out the whole screen at each letter.
    """

    DEFAULT_CSS = """
    FindList { height: auto; overflow: hidden hidden; }
    """

    def __init__(self, note_of: Callable[[Findable], str]) -> None:
        super().__init__()
        self._note_of = note_of
        self.hits: Sequence[Hit] = ()
        self._top = 0
        #: Shown if there are no lines.
        self.empty = ""

    @property
    def current(self) -> Findable | None:
        """The line under the cursor."""
        return self.hits[self.cursor].line if self.cursor < len(self.hits) else None

    def show(self, hits: Sequence[Hit], at: int = 0) -> None:
        """Show these lines, with the cursor on one of them."""
        self.hits = hits
        self.go(at)

    def go(self, row: int) -> None:
        """Move the cursor to an existing line."""
        self.cursor = max(min(row, len(self.hits) - 1), 0)
        self._scroll(min(max(self._top, self.cursor - self.seen + 1), self.cursor))

    def line_at(self, y: int) -> int | None:
        """The line painted at ``y``, if there is one."""
        return y + self._top if y + self._top < len(self.hits) else None

    def _scroll(self, top: int) -> None:
        self._top = max(0, min(top, len(self.hits) - self.seen))
        self.refresh()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll by some lines."""
        event.stop()
        self._scroll(self._top + 3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll back."""
        event.stop()
        self._scroll(self._top - 3)

    def on_resize(self) -> None:
        """Keep the cursor in view."""
        self.go(self.cursor)

    def move(self, step: int) -> None:
        """Move the cursor; a single step wraps around."""
        if count := len(self.hits):
            self.go((self.cursor + step) % count if abs(step) == 1 else self.cursor + step)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Always the same, whatever is found, so that nothing moves while somebody types."""
        # What surrounds it has nine lines.
        return max(3, min(_LINES, self.app.size.height - 10))

    def render_line(self, y: int) -> Strip:
        """One line."""
        palette = palette_of(self.app)
        line = Line(self.size.width)
        row = self.line_at(y)
        if row is None:
            if y == 0 and not self.hits:
                line.add(f"  {self.empty}", palette.style("overlay", "muted"))
            return line.strip(palette.style("overlay"))
        hit = self.hits[row]
        ground: Ground = "focus" if row == self.cursor else "overlay"
        line.add("▌" if row == self.cursor else " ", palette.style(ground, "accent"))
        # The kind is said once for all lines that follow one another.
        first = y == 0 or self.hits[row - 1].line.kind != hit.line.kind
        kind = _KINDS.get(hit.line.kind, hit.line.kind) if first or row == self.cursor else ""
        line.add(fit(kind, _KIND), palette.style(ground, _ink_of(hit.line.kind)))
        text, note = clean(hit.line.text), clean(self._note_of(hit.line))
        # A note has what the text leaves, and a third of the line if the text is long.
        note = clip(note, max(line.room // 3, line.room - width_of(text) - 3, 0))
        text = clip(text, line.room - (width_of(note) + 2 if note else 1))
        found = set(hit.letters)
        before = text.find(" ") if hit.line.kind == "issue" else -1
        for (is_found, is_reference), letters in groupby(
            range(len(text)), key=lambda at: (at in found, at < before)
        ):
            ink: Ink = "accent" if is_found else "muted" if is_reference else "text"
            line.add("".join(text[at] for at in letters), palette.style(ground, ink))
        if note:
            line.pad(width_of(note) + 1, palette.style(ground))
            line.add(note, palette.style(ground, "strong" if hit.line.kind == "action" else "muted"))
        return line.strip(palette.style(ground))


def _ink_of(kind: FindKind) -> Ink:
    inks: dict[FindKind, Ink] = {"action": "teal", "issue": "muted", "address": "warn", "filter": "violet"}
    return inks.get(kind, "good")


class Finder(Dialog[Findable]):
    """Dismissed with the line to go to. It is made once and shown again and again, to be there at once."""

    DEFAULT_CSS = """
    Finder .finder-state { height: 1; color: $foreground 70%; }
    Finder .finder-state.-failed { height: auto; max-height: 3; color: $text-error; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,ctrl+k,ctrl+p", "move(-1)", show=False, priority=True),
        Binding("down,ctrl+j,ctrl+n", "move(1)", show=False, priority=True),
        Binding("pageup", "move(-10)", show=False),
        Binding("pagedown", "move(10)", show=False),
    ]

    def __init__(self, context: CommandContext) -> None:
        super().__init__("Find", hint=_HINT)
        self.context = context
        self._bridge = context.bridge
        self._finding = context.bridge.finding
        self._input = Input(placeholder=_PLACEHOLDER, compact=True)
        self._list = FindList(self._note_of)
        self._state_line = Static(classes="finder-state")
        self._text = ""
        self._known: list[Findable] = []
        #: The last text, and what fitted it: a longer one is looked for only there.
        self._before: tuple[str, int, Hits] = ("", -1, Hits())
        #: The issues that GitLab had under a bare number, and what is asked of GitLab now.
        self._read: list[Findable] = []
        self._asking = ""
        self._error = ""
        #: Enter was pressed before all issues were there.
        self._waits = False

    def inside(self) -> list[Widget]:
        return [self._input, self._list, self._state_line]

    def on_mount(self) -> None:
        super().on_mount()
        self._input.focus()

    def lay_out(self) -> None:
        """Give everything its place before it is shown for the first time."""
        if not self.is_current:
            self._known = [*_actions(self.context), *_places(self.context)]
            self._show()
            self._refresh_layout(self.app.size)

    def begin(self, text: str = "", *, go: bool = False) -> None:
        """Start a new search, before it is shown; with ``go`` what ``text`` names is opened at once."""
        self._text = self._input.value = text
        self._waits = go
        self._asking = self._error = ""
        self._read, self._before = [], ("", -1, Hits())
        self._known = [*_actions(self.context), *_places(self.context)]
        self._show()
        self.run_worker(self._fill(), group="issues")

    def dismiss(self, result: Findable | None = None) -> AwaitComplete:
        self._finding.forget()
        return super().dismiss(result)

    async def _fill(self) -> None:
        if not self._finding.complete:
            await asyncio.sleep(_FRAME)
            await self._finding.fill()
            self._show(at=self._list.cursor)
        if self._waits:
            self._waits = False
            self._apply()

    @property
    def is_busy(self) -> bool:
        """Whether issues are still being read, here or from GitLab."""
        return bool(self._asking) or not self._finding.complete

    # What is shown

    @on(Input.Changed)
    def _typed(self) -> None:
        if self._input.value == self._text:
            return
        self._text = self._input.value
        self.workers.cancel_group(self, "asking")
        self._asking = self._error = ""
        self._read = []
        self._waits = False
        self._show()

    def _show(self, *, at: int = 0) -> None:
        """Show what fits the text."""
        text, address = self._text.strip(), self._finding.address(self._text)
        if not text:
            count, hits = 0, [Hit(line, 0) for line in self._first()]
        elif address is not None:
            count, hits = self._named(address)
        else:
            found = self._best(text)
            count, hits = found.count, list(found.best)
        self._list.empty = "" if self._asking else "Nothing found."
        self._list.show(hits, at)
        self._tell(len(hits) if len(hits) < _MOST else count)

    def _best(self, text: str) -> Hits:
        issues = self._finding
        before, version, found = self._before
        mark = issues.version if issues.complete else -1
        if mark >= 0 and mark == version and narrows(before, text) and found.count > _MOST:
            hits = best_of(text, found.fitting, _MOST)
        else:
            hits = best_of(text, [*self._known, *issues], _MOST)
        self._before = (text, mark, hits)
        return hits

    def _first(self) -> list[Findable]:
        """Without a text: what was found lately, then boards, then the actions that apply."""
        by_key: dict[tuple[str, str], Findable] = {(line.kind, line.key): line for line in self._known}
        recent: list[Findable] = []
        for one in self._recent():
            line = by_key.get((one.kind, one.key))
            if one.kind == "issue":
                line = self._finding.line_of(IssueId(one.key))
            recent += [] if line is None else [line]
        rest = [one for kind in ("board", "action") for one in self._known if one.kind == kind]
        return [*recent, *(one for one in rest if one not in recent)]

    def _named(self, address: IssueAddress) -> tuple[int, list[Hit]]:
        """The issues of that name here, then the way to GitLab, then what else fits."""
        name = self._finding.name_of(address)
        if self._read:
            return len(self._read), [Hit(line, 0) for line in self._read]
        if why := self._finding.elsewhere(address):
            self._error = why
            return 0, []
        found = self._best(name)
        same = [hit for hit in found.best if self._finding.is_named(hit.line, address)]
        rest = [hit for hit in found.best if hit not in same]
        whole = bool(address.host) or "/" in address.project
        if whole and same:
            return len(same), same
        verb = "Open" if address.project else "Look for"
        line = findable("address", str(address), f"{verb} {name} in GitLab", note="load it from GitLab")
        return found.count, [*same, Hit(line, 0), *([] if address.host else rest)]

    def _note_of(self, line: Findable) -> str:
        if line.kind != "issue" or (issue := self._bridge.issue(IssueId(line.key))) is None:
            return line.note
        if self._bridge.mask(issue) is not None:
            return "hidden"
        state = "" if issue.is_open else "closed"
        who = f"@{issue.assignees[0]}" if issue.assignees else ""
        return " · ".join(filter(None, (state, issue.milestone or "", who)))

    def _tell(self, count: int) -> None:
        # Only an error can take more than a line.
        layout = bool(self._error) or self._state_line.has_class("-failed")
        self._state_line.set_class(bool(self._error), "-failed")
        if self._error:
            words = self._error
        elif self._asking:
            words = f"Loading {self._asking} from GitLab …"
        elif not self._text.strip():
            words = "type to search" if self._finding.complete else "loading issues …"
        else:
            words = f"{count:,} found" + ("" if self._finding.complete else " · loading issues …")
        self._state_line.update(Content(clean(self._bridge.text(words))), layout=layout)

    # Choosing

    def on_key(self, event: events.Key) -> None:
        """Tell that a key means nothing here."""
        if event.key not in self.active_bindings:
            self._state_line.update(Content(f"{key_words(event.key)} does nothing here: type to search."))

    def action_move(self, step: int) -> None:
        """Move the cursor."""
        self._list.move(step)

    @on(FindList.Chosen)
    def _clicked(self, event: FindList.Chosen) -> None:
        self._list.go(event.row)
        self._apply()

    @on(Input.Submitted)
    def _apply(self) -> None:
        """Go to the line under the cursor; an issue that is not here is read first."""
        if self._asking:
            return
        if not self._finding.complete and self._text.strip():
            self._waits = True  # the best line may not be there yet
            return
        line = self._list.current
        if line is None:
            return
        if line.kind == "address":
            address = self._finding.address(self._text)
            if address is not None:
                self._asking, self._error = self._finding.name_of(address), ""
                self._tell(0)
                self.run_worker(self._ask(address), group="asking", exclusive=True)
            return
        self._take(line)

    def _take(self, line: Findable) -> None:
        self._remember(line)
        self.dismiss(line)

    async def _ask(self, address: IssueAddress) -> None:
        try:
            lines = await self._finding.read(address)
        except GlboardError as error:
            self._asking, self._error = "", f"{error.message} {error.hint}".strip()
            self._tell(0)
            return
        self._asking = ""
        if len(lines) == 1:
            # Not from within: closing ends the dialog's workers.
            self.call_later(self._take, lines[0])
            return
        self._read = lines
        self._show()

    # What was found lately

    def _recent(self) -> list[_Recent]:
        try:
            return msgspec.json.decode(self._bridge.kept(_RECENT) or b"[]", type=list[_Recent])
        except msgspec.DecodeError:
            return []  # of another version

    def _remember(self, line: Findable) -> None:
        one = _Recent(line.kind, line.key)
        kept = [one, *(other for other in self._recent() if other != one)][:_KEPT]
        self._bridge.keep(_RECENT, msgspec.json.encode(kept))


def _actions(context: CommandContext) -> Iterator[Findable]:
    """The actions that apply now, with their keys. One that needs an argument has a prefix that offers it."""
    now, text = context.situation(), context.bridge.text
    for action in context.keymap.actions:
        if action.palette and action.slot is None and action.applies(now):
            keys = context.keymap.key(action.id) or action.group
            yield findable(
                "action", action.id, text(action.title), note=keys, also=f"{text(action.id)} {keys}"
            )


def _places(context: CommandContext) -> Iterator[Findable]:
    """Boards, milestones, people and saved filters, as everybody may see them."""
    bridge, keymap = context.bridge, context.keymap
    text, catalog = bridge.text, bridge.catalog
    for board in bridge.settings.boards:
        yield findable("board", board.id, text(board.name), note=_key(keymap, f"board.{board.id}"))
    if catalog is not None:
        titles: dict[str, Milestone] = {}
        for milestone in catalog.milestones:
            titles.setdefault(milestone.title, milestone)
        for title, milestone in titles.items():
            dates, phase = head.dates_words(milestone, bridge.today)
            note = " · ".join(filter(None, (dates, phase)))
            latest = float(milestone.due.toordinal()) if milestone.due else 0.0
            yield findable("milestone", title, text(title), note=note, latest=latest)
        for person in catalog.people:
            name = text(person.name)
            yield findable("person", person.username, text(f"@{person.username}"), note=name, also=name)
    for letter, saved in bridge.filters.saved.items():
        yield findable("filter", letter, text(saved.name), note=text(saved.text), also=text(saved.text))


def _key(keymap: Keymap, action: str) -> str:
    try:
        return keymap.key(action)
    except KeyError:
        return ""
