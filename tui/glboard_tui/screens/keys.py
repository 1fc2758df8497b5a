"""From a key press to a command: prefixes, the strip of possible next keys, a message for unbound keys.

Owns the keys pressed so far. ``keymap.py`` says what keys mean; the context runs the action. ``PaneDialog``
is a dialog whose keys are actions, ``RowDialog`` one with rows.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar, Literal, TypeVar

from textual import events
from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.containers import Container
from textual.content import Content
from textual.widget import Widget

from glboard_core.board.definition import milestone_title
from glboard_core.errors import NOT_LOADED, READ_ONLY, GlboardError, NameUnknown
from glboard_tui import notices
from glboard_tui.action import Action, ActionContext, Scope, key_words
from glboard_tui.actions import own_actions
from glboard_tui.commands.context import CommandContext, Pane
from glboard_tui.keymap import Follow, Keymap, Match, NoMatch, Prefix, token_of
from glboard_tui.screens.dialogs import Dialog
from glboard_tui.widgets.footer import KeyGroups, WhichKey

T = TypeVar("T")

_NO_SEARCH = "No search here. Press Enter or Esc to use keys as commands."
#: Keys other than letters that are part of a text.
_TYPED = ("space", "backspace", "delete", "left", "right")


def hint_line(keymap: Keymap, *actions: str) -> str:
    """Actions with their keys, for a line of hints; those without a key are left out."""
    hints = (keymap.hint(action) for action in actions)
    return " · ".join(f"{key} {word}" for key, word in hints if key)


class Keys:
    """The keys of one screen. ``before`` is called with an action before it runs."""

    def __init__(
        self, context: CommandContext, strip: WhichKey, before: Callable[[Action], None] = lambda _: None
    ) -> None:
        self._context = context
        self._strip = strip
        self._before = before
        self._pressed: tuple[str, ...] = ()
        self._sought = False

    @property
    def pending(self) -> bool:
        """Whether a prefix waits for the next key."""
        return bool(self._pressed)

    def press(self, token: str) -> None:
        """Take one key."""
        token = self._context.keymap.same_key(token)
        if self._pressed and token == "escape":  # noqa: S105  (a key, no secret)
            self.cancel()
            return
        context, keys = self._context, (*self._pressed, token)
        if (pane := context.pane) is not None:
            pane.tell("")  # a message lasts until the next key
        if self._sought:
            # What is typed after a key that looks like a search is text, never a command.
            self._sought = len(token) == 1 or token in _TYPED
            context.say(_NO_SEARCH if self._sought else "")
            if self._sought or token in ("enter", "escape"):
                return
        now = context.situation()
        match context.keymap.step(keys, lambda action: action.applies(now), context.options, now.scope):
            case Match(action, argument):
                self.cancel()
                self._before(action)
                context.run(action.id, argument)
            case Prefix(title=words, follow=follow):
                self._pressed = keys
                title = f"{key_words(' '.join(keys))} {words}".rstrip()
                size = self._strip.screen.size
                entries = fitting([(f.key, self._value(f)) for f in follow], size.width, size.height)
                self._strip.show(title, grouped(follow, entries))
            case NoMatch():
                self.cancel()
                self._say_why_not(keys, context.keymap.action_at(keys, now.scope), now)

    def _value(self, follow: Follow) -> str:
        """What a key of the strip would set, if that has a name today: ``19.8`` for the next milestone."""
        action, bridge = follow.action, self._context.bridge
        if action is None or action.does.partition(" ")[0] != "edit.to_milestone":
            return follow.title
        if bridge.catalog is None or bridge.today is None:
            return follow.title
        try:
            return milestone_title(action.fixed, bridge.settings, bridge.catalog, bridge.today)
        except NameUnknown:
            return follow.title  # pressing it says what is missing

    def cancel(self) -> None:
        """Forget a prefix."""
        self._pressed = ()
        self._strip.hide()

    def _say_why_not(self, keys: tuple[str, ...], action: Action | None, now: ActionContext) -> None:
        if action is not None and (action.slot is None or keys[-1] in self._context.options(action.slot)):
            self._context.say(_why_not(now, action))
        elif len(keys) > 1:
            self._context.say(f"{key_words(' '.join(keys))} does nothing here.")
        elif now.scope == "capacity" and len(keys[0]) == 1:
            self._context.say(f"{keys[0]} does nothing in this pane. Press Esc or Tab to go to the board.")
        elif keys[0] == "/":
            self._sought = True
            self._context.say(_NO_SEARCH)
        elif keys[0] != "escape":
            self._context.say(f"{key_words(keys[0])} does nothing here.")


#: The groups of the strip, and those of the help that are in each; what is in none is a way to go.
_STRIP_GROUPS: dict[str, tuple[str, ...]] = {
    "boards": ("Boards",),
    "lists": ("Panes", "Undo", "View"),
    "go": (),
}
#: So many keys are found by their group rather than by reading all.
_MANY = 16


def grouped(follow: Sequence[Follow], entries: Sequence[tuple[str, str]]) -> KeyGroups:
    """The entries of the strip in their groups if there are many, else as one without a name."""
    if len(entries) < _MANY or not any(f.action is not None and f.action.group == "Boards" for f in follow):
        return [("", entries)]
    found: dict[str, list[tuple[str, str]]] = {name: [] for name in _STRIP_GROUPS}
    for one, entry in zip(follow, entries, strict=True):
        of = one.action.group if one.action is not None else ""
        found[next((name for name, groups in _STRIP_GROUPS.items() if of in groups), "go")].append(entry)
    return list(found.items())


def fitting(entries: Sequence[tuple[str, str]], width: int, height: int) -> list[tuple[str, str]]:
    """The entries, with texts cut if the terminal has too few lines to list them in one column."""
    rows = max(1, height - 4)
    across = -(-len(entries) // rows)
    if across <= 1:
        return list(entries)
    keys = max(len(key) for key, _ in entries)
    room = max(3, (width - 2) // across - 3 - keys - 1)
    return [(key, words if len(words) <= room else words[: room - 1] + "…") for key, words in entries]


#: Actions that need an earlier one, and what is said while there is none.
_AFTER = {
    "undo": "Nothing to undo.",
    "redo": "Nothing to redo.",
    "repeat": "Nothing to repeat.",
    "selection.restore": "No selection to restore.",
}


def _why_not(now: ActionContext, action: Action) -> str:
    if not now.ready or not now.writable or action.id not in _AFTER:
        return f"{action.title}: {_reason(now, action)}"
    staged = now.draft and action.id in ("undo", "redo")
    return _AFTER[action.id].replace("Nothing", "Nothing staged") if staged else _AFTER[action.id]


def _reason(now: ActionContext, action: Action) -> str:
    if not now.ready:
        return NOT_LOADED[0].lower() + NOT_LOADED[1:]
    if not now.writable:
        return READ_ONLY[0].lower() + READ_ONLY[1:]
    if not now.weights and action.id.startswith("weight"):
        return "this GitLab has no weights."
    if action.id == "health.set" and not (now.weights and now.health):
        return "only with an Ultimate license."
    return "not now." if now.targets else "no issue here."


class PaneDialog(Dialog[T]):
    """A dialog whose keys are actions of the registry, in its own scope; ``own`` are its methods."""

    scope: Scope

    def __init__(self, context: CommandContext, title: str, *, note: str = "", hint: str = "") -> None:
        names = [action.id for action in own_actions(self.scope)]
        super().__init__(title, note=note, hint=hint or hint_line(context.keymap, *names, "escape"))
        self.context = context
        self._strip = WhichKey()
        self._keys = Keys(context, self._strip, self.before)

    @property
    def pane(self) -> Pane:
        """What has the keys."""
        return self

    @property
    def own(self) -> object:
        """What has its own actions as methods."""
        return self

    @property
    def modes(self) -> frozenset[str]:
        """Its states that decide about keys."""
        return frozenset()

    def before(self, action: Action) -> None:
        """Called before an action runs."""

    def parts(self) -> ComposeResult:
        yield from super().parts()
        yield Container(self._strip, id="strip")

    def on_mount(self) -> None:
        """Take the keys."""
        if self.pane not in self.context.panes:
            self.context.panes.append(self.pane)
        super().on_mount()

    def dismiss(self, result: T | None = None) -> AwaitComplete:
        """Give the keys back at once: the next one goes to the board or another pane."""
        self.give_back()
        return super().dismiss(result)

    def on_unmount(self) -> None:
        self.give_back()

    def give_back(self) -> None:
        """Have the keys no longer."""
        if self.pane in self.context.panes:
            self.context.panes.remove(self.pane)

    @property
    def takes_keys(self) -> bool:
        """Whether keys are actions: no field in it is being typed in."""
        return True

    def on_key(self, event: events.Key) -> None:
        if not self.takes_keys:
            return
        event.stop()
        event.prevent_default()
        self.context.bridge.touch()
        self.take_key(token_of(event))

    def take_key(self, token: str) -> None:
        """Take one key."""
        self._keys.press(token)

    def go(self, step: int) -> None:
        """Move the cursor, or scroll, by lines."""

    def half(self, direction: int) -> None:
        """Move the cursor, or scroll, by half the visible lines."""

    def tell(self, text: str) -> None:
        """Show a message in place of the hints."""
        if text:
            self.say(text)

    def leave(self) -> None:
        """Close it without a result."""
        self.action_cancel()

    def escape(self) -> None:
        """Close it, or first end what is going on in it."""
        self.leave()


#: The orders of rows, and what they are called.
RowOrder = Literal["newest", "oldest", "issue"]
_ROW_ORDERS: dict[RowOrder, str] = {"newest": "", "oldest": "oldest first", "issue": "by issue"}
R = TypeVar("R")


class RowDialog(PaneDialog[None]):
    """Rows, such as the failed changes and the change log."""

    #: What the search is called, and what it looks in; "" if there is none.
    search: ClassVar[tuple[str, str]] = ("", "")

    DEFAULT_CSS = """
    RowDialog OptionList { height: auto; max-height: 22; border: none; padding: 0; background: $panel; }
    RowDialog OptionList:focus { border: none; }
    RowDialog OptionList:focus > .option-list--option-highlighted {
        background: $primary 25%; color: $foreground; text-style: none;
    }
    """

    def __init__(self, context: CommandContext, title: str, *, hint: str = "") -> None:
        from textual.widgets import OptionList

        super().__init__(context, title, hint=hint)
        self.list = OptionList(markup=False)
        self.order: RowOrder = "newest"
        #: The words that every row must have; "" if all are shown.
        self.query_text = ""

    @property
    def order_words(self) -> str:
        """The order, where it is not the usual one."""
        return _ROW_ORDERS[self.order]

    def ordered(self, rows: Sequence[R], reference: Callable[[R], str]) -> list[R]:
        """Rows that come newest first, in the order chosen."""
        if self.order == "newest":
            return list(rows)
        oldest = list(reversed(rows))
        if self.order == "oldest":
            return oldest

        def place(row: R) -> tuple[str, int]:
            project, _, iid = reference(row).rpartition("#")
            return project, int(iid) if iid.isdecimal() else 0

        return sorted(oldest, key=place)

    def action_search(self) -> None:
        """Show only the rows with these words."""

        def typed(text: str) -> None:
            self.query_text = text.strip()
            self.fill()

        title, placeholder = self.search
        self.context.prompt(title, typed, value=self.query_text, placeholder=placeholder)

    def end_search(self) -> bool:
        """Show all rows again; False if they are shown."""
        if not self.query_text:
            return False
        self.query_text = ""
        self.fill()
        return True

    def action_order(self) -> None:
        """Another order of the rows."""
        orders = list(_ROW_ORDERS)
        self.order = orders[(orders.index(self.order) + 1) % len(orders)]
        self.list.highlighted = 0
        self.fill()

    def inside(self) -> list[Widget]:
        return [self.list]

    def on_mount(self) -> None:
        self.fill()
        self.list.focus()

    @abstractmethod
    def fill(self) -> None:
        """Show the current rows."""

    def show_rows(self, rows: Iterable[Content], *, empty: str = "") -> None:
        """Replace the rows and keep the cursor's position. ``empty`` is shown if there are none."""
        from textual.widgets.option_list import Option

        at = self.list.highlighted or 0
        options = [Option(row) for row in rows]
        self.list.clear_options()
        self.list.add_options(options or [Option(Content(empty), disabled=True)])
        if options:
            self.list.highlighted = min(at, len(options) - 1)

    def attempt(self, change: Callable[[], object]) -> bool:
        """Do something that a full disk or a read-only session can refuse; return whether it was done."""
        try:
            change()
        except GlboardError as error:
            notices.tell(self.app, notices.notice_of(error))
            return False
        return True

    def go(self, step: int) -> None:
        if abs(step) == 1:
            self.list.action_cursor_down() if step > 0 else self.list.action_cursor_up()
        else:
            self.list.action_last() if step > 0 else self.list.action_first()

    def half(self, direction: int) -> None:
        page: Callable[[], object] = self.list.action_page_down if direction > 0 else self.list.action_page_up
        page()
