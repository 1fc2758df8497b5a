"""From keys to actions: sequences, prefixes, arguments, and the user's own bindings.

Pure. Owns a tree of key tokens for each scope, built from the registry and the user's overrides. It knows no
screen: it is given the tokens so far and returns what they mean. A key that is both an action and the start
of another is rejected when the tree is built, so no key ever waits for a timeout; unless the action says that
it starts others: then the key is the one or the other, by whether the action applies. It also gives out the
letters of people and labels, which follow a prefix.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, get_args

from msgspec import Struct, field

from glboard_core.command_template import CommandSettings
from glboard_core.errors import ConfigError
from glboard_tui.action import Action, Scope, Slot, chain_of, key_words, slot_of, slot_token
from glboard_tui.actions import ACTIONS, ALIASES, BY_ID, COMMAND, PREFIXES, board_action, command_actions

if TYPE_CHECKING:
    from textual import events

Options = Callable[[Slot], Mapping[str, str]]
"""The letters an argument can be at this moment, with their names."""

_NAMED = frozenset(
    {"enter", "escape", "space", "tab", "backspace", "delete", "insert", "home", "end", "pageup", "pagedown"}
    | {"left", "right", "up", "down"}
    | {f"f{n}" for n in range(1, 25)}
)
_MODIFIED = re.compile(r"((ctrl|shift|alt|super)\+)+(.+)")
_DIGITS = "0123456789"
_ALPHABET = "abcdefghijklmnopqrstuvwxyz"


class Match(Struct, frozen=True):
    """The keys mean this action; ``argument`` is the letter or digit of its slot, or ""."""

    action: Action
    argument: str = ""


class Follow(Struct, frozen=True):
    """One key that can follow a prefix. ``more``: it is a prefix itself."""

    key: str
    title: str
    action: Action | None = None
    more: bool = False


class Prefix(Struct, frozen=True):
    """The keys so far are a prefix."""

    keys: tuple[str, ...]
    title: str
    follow: tuple[Follow, ...]


class NoMatch(Struct, frozen=True):
    """The keys are not bound here."""

    keys: tuple[str, ...]


Step = Match | Prefix | NoMatch


def _layout(typed: str, key: str) -> dict[str, str]:
    return dict(zip(typed + typed.upper(), key + key.upper(), strict=True))


#: What a key prints in other layouts, and in the one that keys are named by.
_SAME_KEY = {
    **_layout("ςερτυθιοπασδφγηξκλζχψωβνμ", "wertyuiopasdfghjklzxcvbnm"),
    **_layout("йцукенгшщзфывапролдячсмить", "qwertyuiopasdfghjklzxcvbnm"),
    **_layout("іў", "so"),
}


def token_of(event: events.Key) -> str:
    """Return a key as the keymap writes it: the character it prints, or its name."""
    if event.is_printable and event.character and event.character != " ":
        return event.character
    # Terminals disagree on the names of keypad Enter, Ctrl+M and others; Textual normalizes them.
    return event.key


class _Node(Struct):
    action: Action | None = None
    slot: tuple[Slot, Action] | None = None
    children: dict[str, _Node] = field(default_factory=dict)


class Keymap:
    """The current keys; ``boards`` are names of boards by id. They and ``commands`` have an action each.

    Raises ConfigError if an override names an unknown action or key, or a taken key.
    """

    def __init__(
        self,
        overrides: Mapping[str, str] | None = None,
        *,
        actions: Sequence[Action] = ACTIONS,
        boards: Mapping[str, str] | None = None,
        commands: Sequence[CommandSettings] = (),
        where: str = "",
    ) -> None:
        own = [board_action(board, name) for board, name in (boards or {}).items()]
        own += command_actions(commands)
        actions = (*actions, *(one for one in own if one.id not in BY_ID))
        self._by_id = {action.id: action for action in actions}
        # Each scope has its own tree, so a key can mean one thing on the board and another in a pane.
        self._roots: dict[Scope, _Node] = {scope: _Node() for scope in get_args(Scope)}
        self._keys = _overridden(actions, overrides or {}, where)
        for action in actions:
            for keys in self._keys[action.id]:
                for scope in action.scopes:
                    _add(self._roots[scope], action, keys, where)
        self._refuse_hiding(actions, where)

    def replace_with(self, other: Keymap) -> None:
        """Mean from now on what another keymap means: everything that shows keys has this one."""
        self._by_id, self._roots, self._keys = other._by_id, other._roots, other._keys

    def _refuse_hiding(self, actions: Sequence[Action], where: str) -> None:
        """A pane's own key goes before shared ones, but a key given to it must not hide one of those."""
        for action in actions:
            for keys in set(self._keys[action.id]) - set(action.keys):
                for shared in (at for scope in action.scopes for at in chain_of(scope)[1:]):
                    if shared not in action.scopes:
                        _add(self._roots[shared], action, keys, where, keep=False)

    @property
    def own_commands(self) -> tuple[Action, ...]:
        """The commands of one's own."""
        return tuple(action for action in self._by_id.values() if action.id.startswith(COMMAND))

    def same_key(self, token: str) -> str:
        """The token of the same key in a Latin layout (``j`` for Cyrillic ``о``), unless it is bound."""
        latin = _SAME_KEY.get(token)
        bound = latin is not None and any(
            token in keys.split(" ") for all_keys in self._keys.values() for keys in all_keys
        )
        return token if latin is None or bound else latin

    def keys_of(self, action: Action) -> tuple[str, ...]:
        """The key sequences of an action; the first one is shown."""
        return self._keys[action.id]

    def key(self, action: str) -> str:
        """The first key sequence of an action as people read it; "" if it has none."""
        keys = self._keys[action]
        return key_words(keys[0]) if keys else ""

    def hint(self, action: str) -> tuple[str, str]:
        """An action's key and its label for a line of hints; the key is "" if it has none."""
        return self.key(action), self._by_id[action].word

    def action(self, name: str) -> Action:
        """An action by its id, those of one's own boards too."""
        return self._by_id[name]

    @property
    def actions(self) -> tuple[Action, ...]:
        """All actions, in the order of the help."""
        return tuple(self._by_id.values())

    def own(self, event: events.Key, scope: Scope) -> str:
        """The name of a dialog's own action that a key means, or ""; a dialog with a text field uses this."""
        step = self.step((token_of(event),), lambda _: True, lambda _: {}, scope)
        return step.action.fixed if isinstance(step, Match) else ""

    def step(
        self,
        keys: tuple[str, ...],
        applies: Callable[[Action], bool],
        options: Options,
        scope: Scope = "board",
    ) -> Step:
        """What the keys pressed so far mean. Actions that do not apply count as unbound.

        A pane's own keys go before those it shares with others.
        """
        key, prefixes = keys[-1], []
        for node in self._nodes(keys[:-1], scope):
            child = node.children.get(key)
            if child is not None and (child.action is None or _only_starts(child, applies)):
                if any(map(applies, _below(child))):
                    prefixes.append(child)
                continue
            found = child.action if child is not None else _slot_action(node, key, options)
            if found is not None and applies(found) and not prefixes:
                return Match(found, "" if child is not None else key)
        # A key that several trees have is one line of the strip, of the nearest.
        follow = {one.key: one for node in reversed(prefixes) for one in self._follow(node, applies, options)}
        if not follow:
            return NoMatch(keys)
        return Prefix(keys, PREFIXES.get(key, ""), tuple(follow.values()))

    def _nodes(self, keys: tuple[str, ...], scope: Scope) -> list[_Node]:
        """The nodes after these keys in the trees of a scope, its own first."""
        nodes = [self._roots[at] for at in chain_of(scope)]
        for key in keys:
            nodes = [node.children[key] for node in nodes if key in node.children]
        return nodes

    def action_at(self, keys: tuple[str, ...], scope: Scope = "board") -> Action | None:
        """The action bound to these keys, even if it does not apply: to say why nothing happened."""
        for node in self._nodes(keys[:-1], scope):
            child = node.children.get(keys[-1])
            found = child.action if child is not None else node.slot[1] if node.slot else None
            if found is not None:
                return found
        return None

    def _follow(self, node: _Node, applies: Callable[[Action], bool], options: Options) -> Iterable[Follow]:
        for key, child in node.children.items():
            if child.action is not None:
                if applies(child.action):
                    yield Follow(key_words(key), child.action.word, child.action)
            elif any(map(applies, _below(child))):
                yield Follow(key_words(key), PREFIXES.get(key, "…"), None, more=True)
        if node.slot is not None and applies(node.slot[1]):
            slot, action = node.slot
            if slot == "digit":
                yield Follow("0-9", action.word, action)
                return
            for letter, name in options(slot).items():
                if letter not in node.children:
                    yield Follow(letter, name, action)


def _slot_action(node: _Node, key: str, options: Options) -> Action | None:
    return node.slot[1] if node.slot is not None and key in options(node.slot[0]) else None


def _add(node: _Node, action: Action, keys: str, where: str, *, keep: bool = True) -> None:
    """Add a sequence to a tree, or only check that it could be. Raises ConfigError if a key is taken."""
    *before, last = keys.split(" ")
    for token in before:
        if node.slot is not None and _slot_takes(node.slot[0], token):
            raise _clash(action, node.slot[1], keys, where)
        child = node.children.get(token)
        if child is None:
            child = _Node()
            if keep:
                node.children[token] = child
        elif child.action is not None and not _starts(child.action, action):
            raise _clash(action, child.action, keys, where)
        node = child
    slot = slot_of(keys)
    if slot is not None:
        taken = [child for token, child in node.children.items() if _slot_takes(slot, token)]
        other = node.slot[1] if node.slot is not None else None
    else:
        taken = [node.children[last]] if last in node.children else []
        if taken and taken[0].action is None and all(_starts(action, one) for one in _below(taken[0])):
            if keep:
                taken[0].action = action
            return
        other = node.slot[1] if node.slot is not None and _slot_takes(node.slot[0], last) else None
    if other is None and taken:
        other = next(iter(_below(taken[0])))
    if other is not None:
        raise _clash(action, other, keys, where)
    if keep:
        if slot is not None:
            node.slot = (slot, action)
        else:
            node.children[last] = _Node(action)


def _starts(first: Action, other: Action) -> bool:
    """Whether the key of one may start those of the other: only within what they share."""
    return first.starts and first.group == other.group


def _only_starts(node: _Node, applies: Callable[[Action], bool]) -> bool:
    """Whether a node's own action does not apply, so that its key only starts others."""
    return node.action is not None and bool(node.children) and not applies(node.action)


def _below(node: _Node) -> Iterable[Action]:
    if node.action is not None:
        yield node.action
    if node.slot is not None:
        yield node.slot[1]
    for child in node.children.values():
        yield from _below(child)


def _slot_takes(slot: Slot, token: str) -> bool:
    if slot == "filter":
        return False  # a letter that is a key of its own goes first, and is not offered for saving
    return token in _DIGITS if slot == "digit" else len(token) == 1 and token.isalnum()


def _clash(action: Action, other: Action, keys: str, where: str) -> ConfigError:
    return ConfigError(
        f"“{key_words(keys)}” is bound to both “{action.title}” ({action.id}) and “{other.title}” "
        f"({other.id}).",
        where=where,
        key=f"keymap.{action.id}",
        hint=f"Bind one of them to another key, or to none: {other.id} = “”.",
    )


def _overridden(
    actions: Sequence[Action], overrides: Mapping[str, str], where: str
) -> dict[str, tuple[str, ...]]:
    known = {action.id: action for action in actions}
    keys = {action.id: action.keys for action in actions}
    for given, text in overrides.items():
        name = ALIASES.get(given, given)
        if name not in known:
            near = get_close_matches(name, known, 1, 0.4)
            raise ConfigError(
                "no such action.",
                where=where,
                key=f"keymap.{given}",
                hint=f"Did you mean “{near[0]}”?" if near else "Press ? in glboard to list all actions.",
            )
        keys[name] = tuple(
            _parsed(known[name], part, where, given) for part in text.split(",") if part.strip()
        )
    return keys


def _parsed(action: Action, text: str, where: str, given: str) -> str:
    """One sequence as written under the id ``given``, with the argument added if the action needs one."""
    tokens = ["," if name == "comma" else name for name in text.split()]
    if len(tokens) == 1 and len(tokens[0]) == 2 and tokens[0].isalnum() and not _is_key(tokens[0]):
        tokens = [*tokens[0]]  # "g5" as the documents write it
    slot = action.slot
    if slot is not None and tokens[-1] != slot_token(slot):
        tokens.append(slot_token(slot))
    for token in tokens[:-1] if slot else tokens:
        if not _is_key(token):
            near = get_close_matches(token, _NAMED, 1, 0.5)
            raise ConfigError(
                f"“{token}” is not a key.",
                where=where,
                key=f"keymap.{given}",
                hint=f"Did you mean “{near[0]}”?"
                if near
                else "Use one character, a name (enter, space, tab), or ctrl+ and a letter; "
                "separate the keys of a sequence with spaces, alternatives with commas.",
            )
    return " ".join(tokens)


def _is_key(token: str) -> bool:
    if len(token) == 1 or token in _NAMED:
        return True
    match = _MODIFIED.fullmatch(token)
    return match is not None and (len(match[3]) == 1 or match[3] in _NAMED)


def letters_for(usernames: Iterable[str]) -> dict[str, str]:
    """Usernames by letter, one letter each: from the distinctive part of the name, then any unused letter.

    >>> letters_for(["eng_alder", "eng_birch", "pm_ash"])
    {'a': 'eng_alder', 's': 'pm_ash', 'b': 'eng_birch'}
    """
    names = sorted(set(usernames))
    # Names often share a prefix ("eng_"), so the last part tells who it is.
    telling = {name: _telling(name) for name in names}
    given: dict[str, str] = {}
    left: list[str] = []
    for name in names:
        first = telling[name][:1]
        if first and first not in given:
            given[first] = name
        else:
            left.append(name)
    rest: list[str] = []
    for name in left:
        letter = next((c for c in telling[name] if c not in given), None)
        if letter is None:
            rest.append(name)
        else:
            given[letter] = name
    free = [c for c in (*_ALPHABET, *_ALPHABET.upper()) if c not in given]
    given.update(zip(free, rest, strict=False))
    return dict(sorted(given.items(), key=lambda pair: telling[pair[1]]))


def _telling(name: str) -> str:
    parts = [p for p in name.casefold().replace("-", "_").replace(".", "_").split("_") if p]
    return "".join(c for c in (parts[-1] if parts else "") if c in _ALPHABET)


def keys_for_labels(titles: Iterable[str], prefix: str) -> dict[str, str]:
    """Labels of a scope by key: the text after the prefix if it is one character, else a free letter of it.

    >>> keys_for_labels(["priority::1", "priority::2", "priority::later"], "priority::")
    {'1': 'priority::1', '2': 'priority::2', 'l': 'priority::later'}
    """
    given: dict[str, str] = {}
    for title in sorted({title for title in titles if title.startswith(prefix) and title != prefix}):
        rest = title.removeprefix(prefix).casefold()
        wanted = [c for c in (rest if len(rest) > 1 else rest + _ALPHABET) if c.isalnum()]
        key = next((c for c in (*wanted, *_ALPHABET) if c not in given), "")
        if key:
            given[key] = title
    return given
