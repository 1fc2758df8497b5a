"""From a key press to a command: prefixes, the strip of possible next keys, a message for unbound keys.

Owns the keys pressed so far. ``keymap.py`` says what keys mean; the context runs the action.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import structs
from textual import events

from glboard_core.errors import NOT_LOADED, READ_ONLY
from glboard_tui.actions import Action, Scope, key_words
from glboard_tui.commands.context import CommandContext
from glboard_tui.keymap import Match, NoMatch, Prefix, Step
from glboard_tui.widgets.footer import WhichKey


def token_of(event: events.Key) -> str:
    """Return a key as the keymap writes it: the character it prints, or its name."""
    if event.is_printable and event.character and event.character != " ":
        return event.character
    # Terminals disagree on the names of keypad Enter, Ctrl+M and others; Textual normalizes them.
    return event.key


def step_of(context: CommandContext, keys: tuple[str, ...], scope: Scope) -> Step:
    """What these keys mean now in ``scope``."""
    now = structs.replace(context.situation(), scope=scope)
    return context.keymap.step(keys, lambda action: action.applies(now), context.options, scope)


def means(context: CommandContext, token: str, scope: Scope) -> bool:
    """Whether a key is or starts an action that applies in ``scope`` now."""
    return not isinstance(step_of(context, (token,), scope), NoMatch)


class Keys:
    """The keys of one screen."""

    def __init__(self, context: CommandContext, strip: WhichKey) -> None:
        self._context = context
        self._strip = strip
        self._pressed: tuple[str, ...] = ()

    @property
    def pending(self) -> bool:
        """Whether a prefix waits for the next key."""
        return bool(self._pressed)

    def press(self, token: str) -> None:
        """Take one key."""
        if self._pressed and token == "escape":  # noqa: S105  (a key, no secret)
            self.cancel()
            return
        keys, scope = (*self._pressed, token), self._context.scope
        match step_of(self._context, keys, scope):
            case Match(action, argument):
                self.cancel()
                self._context.run(action.id, argument)
            case Prefix(title=words, follow=follow):
                self._pressed = keys
                title = f"{key_words(' '.join(keys))} {words}".rstrip()
                size = self._strip.screen.size
                self._strip.show(title, fitting([(f.key, f.title) for f in follow], size.width, size.height))
            case NoMatch():
                self.cancel()
                self._say_why_not(keys, self._context.keymap.action_at(keys, scope))

    def cancel(self) -> None:
        """Forget a prefix."""
        self._pressed = ()
        self._strip.hide()

    def _say_why_not(self, keys: tuple[str, ...], action: Action | None) -> None:
        if action is not None and (action.slot is None or keys[-1] in self._context.options(action.slot)):
            self._context.say(f"{action.title}: {_reason(self._context, action)}")
        elif len(keys) > 1:
            self._context.say(f"{key_words(' '.join(keys))} is not bound here.")


def fitting(entries: Sequence[tuple[str, str]], width: int, height: int) -> list[tuple[str, str]]:
    """The entries, with texts cut if the terminal has too few lines to list them in one column."""
    rows = max(1, height - 4)
    across = -(-len(entries) // rows)
    if across <= 1:
        return list(entries)
    keys = max(len(key) for key, _ in entries)
    room = max(3, (width - 2) // across - 3 - keys - 1)
    return [(key, words if len(words) <= room else words[: room - 1] + "…") for key, words in entries]


def _reason(context: CommandContext, action: Action) -> str:
    now = context.situation()
    if not now.ready:
        return NOT_LOADED[0].lower() + NOT_LOADED[1:]
    if not now.writable:
        return READ_ONLY[0].lower() + READ_ONLY[1:]
    if not now.weights and action.id.startswith("weight"):
        return "this GitLab has no weights."
    if action.id in ("undo", "redo", "repeat", "mark.again"):
        return "nothing to act on yet."
    return "no card here."
