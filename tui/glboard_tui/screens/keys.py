"""From a key press to a command: prefixes, the strip of possible next keys, a message for unbound keys.

Owns the keys pressed so far. ``keymap.py`` says what keys mean; ``commands`` runs them.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import structs
from textual import events

from glboard_tui.actions import Action, Scope, key_words
from glboard_tui.commands.context import CommandContext
from glboard_tui.keymap import Keymap, Match, NoMatch, Prefix
from glboard_tui.widgets.footer import WhichKey


def token_of(event: events.Key) -> str:
    """Return a key as the keymap writes it: the character it prints, or its name."""
    if event.is_printable and event.character and event.character != " ":
        return event.character
    # Terminals disagree on the names of keypad Enter, Ctrl+M and others; Textual normalizes them.
    return event.key


class Keys:
    """The keys of one screen."""

    def __init__(self, keymap: Keymap, context: CommandContext, strip: WhichKey) -> None:
        self.keymap = keymap
        self._command_context = context
        self._strip = strip
        self._pressed: tuple[str, ...] = ()

    @property
    def pending(self) -> bool:
        """Whether a prefix waits for the next key."""
        return bool(self._pressed)

    def means(self, token: str, scope: Scope) -> bool:
        """Whether a key is or starts an action that applies in ``scope`` now."""
        now = structs.replace(self._command_context.situation(), scope=scope)
        step = self.keymap.step(
            (token,), lambda action: action.applies(now), self._command_context.options, scope
        )
        return not isinstance(step, NoMatch)

    def press(self, token: str) -> None:
        """Take one key."""
        now = self._command_context.situation()
        if self._pressed and token == "escape":  # noqa: S105  (a key, no secret)
            self.cancel()
            return
        keys = (*self._pressed, token)
        step = self.keymap.step(
            keys, lambda action: action.applies(now), self._command_context.options, now.scope
        )
        match step:
            case Match():
                self.cancel()
                from glboard_tui.commands import COMMANDS

                COMMANDS[step.action.id](self._command_context, step.argument)
            case Prefix():
                self._pressed = keys
                title = f"{key_words(' '.join(keys))} {step.title}".rstrip()
                size = self._command_context.screen.size
                entries = [(follow.key, follow.title) for follow in step.follow]
                self._strip.show(title, fitting(entries, size.width, size.height))
            case NoMatch():
                self.cancel()
                self._say_why_not(keys, self.keymap.action_at(keys, now.scope))

    def cancel(self) -> None:
        """Forget a prefix."""
        self._pressed = ()
        self._strip.hide()

    def _say_why_not(self, keys: tuple[str, ...], action: Action | None) -> None:
        if action is not None and (
            action.slot is None or keys[-1] in self._command_context.options(action.slot)
        ):
            self._command_context.say(f"{action.title}: {_reason(self._command_context, action)}")
        elif len(keys) > 1:
            self._command_context.say(f"{key_words(' '.join(keys))} is not bound here.")


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
        return "nothing loaded from GitLab yet."
    if not now.writable:
        return "read-only session."
    if not now.weights and action.id.startswith("weight"):
        return "this GitLab has no weights."
    if action.id in ("undo", "redo", "repeat", "mark.again"):
        return "nothing to act on yet."
    return "no card here."
