"""Keys to actions, and rebinding."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from inspect import getmembers, isfunction, signature
from pkgutil import iter_modules

import pytest

import glboard_tui.commands
from glboard_core.errors import ConfigError
from glboard_tui.actions import ACTIONS, BY_ID, Slot, key_words, markdown_table
from glboard_tui.keymap import Keymap, Match, NoMatch, Prefix

PEOPLE = {"a": "eng_alder", "b": "eng_birch"}
#: Actions that have no keys yet.
LATER = [("g", key) for key in "dxn"] + [("p",)]


def options(slot: Slot) -> dict[str, str]:
    return dict.fromkeys("0123456789", "") if slot == "digit" else PEOPLE


def step(keymap: Keymap, keys: str, scope: str = "board") -> object:
    return keymap.step(tuple(keys.split()), lambda _: True, options, scope)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("keys", "action", "argument"),
    [
        ("j", "focus.down", ""),
        ("g g", "focus.top", ""),
        ("3", "weight.set", "3"),
        ("W 0", "weight.ready", "0"),
        ("m n", "milestone.next", ""),
        ("d b", "accept.with", "b"),
        ("d enter", "accept.keep", ""),
        ("x x", "close.complete", ""),
        ("g p", "board.planning", ""),
        ("U", "redo", ""),
        ("ctrl+r", "redo", ""),
        ("[", "board.previous-milestone", ""),
    ],
)
def test_default_keys(keys: str, action: str, argument: str) -> None:
    assert step(Keymap(), keys) == Match(BY_ID[action], argument)


def test_a_prefix_waits_and_lists_the_next_keys() -> None:
    found = step(Keymap(), "d")
    assert isinstance(found, Prefix)
    assert found.title == "accept"
    assert [(f.key, f.title) for f in found.follow] == [
        ("Enter", "keep assignee"),
        ("/", "search"),
        ("a", "eng_alder"),
        ("b", "eng_birch"),
    ]


def test_digits_are_one_line_of_the_strip() -> None:
    found = step(Keymap(), "W")
    assert isinstance(found, Prefix)
    assert [f.key for f in found.follow] == ["s", "0-9"]


def test_an_action_that_does_not_apply_is_neither_run_nor_offered() -> None:
    keymap = Keymap()
    assert keymap.step(("u",), lambda a: a.id != "undo", options) == NoMatch(("u",))
    found = keymap.step(("m",), lambda a: a.id == "milestone.none", options)
    assert isinstance(found, Prefix)
    assert [f.key for f in found.follow] == ["x"]
    assert keymap.step(("m",), lambda _: False, options) == NoMatch(("m",))


def test_letters_without_a_person_are_unknown() -> None:
    assert step(Keymap(), "d q") == NoMatch(("d", "q"))


def test_a_key_can_have_another_meaning_in_an_open_issue() -> None:
    assert step(Keymap(), "n") == Match(BY_ID["text.new"])
    assert step(Keymap(), "n", "detail") == Match(BY_ID["issue.next"])


@pytest.mark.parametrize("keys", LATER)
def test_keys_of_later_issues_are_free(keys: tuple[str, ...]) -> None:
    assert Keymap().step(keys, lambda _: True, options) == NoMatch(keys)


def commands() -> Iterator[Callable[..., None]]:
    """The public functions in ``commands`` that take a context and an argument."""
    for part in iter_modules(glboard_tui.commands.__path__):
        module = import_module(f"glboard_tui.commands.{part.name}")
        for name, function in getmembers(module, isfunction):
            needed = [p for p in signature(function).parameters.values() if p.default is p.empty]
            own = function.__module__ == module.__name__ and not name.startswith("_")
            if own and [p.annotation for p in needed] == ["CommandContext", "str"]:
                yield function


def test_every_action_has_a_command_and_every_command_an_action() -> None:
    assert {action.command for action in ACTIONS} == set(commands())
    assert [action.id for action in ACTIONS if action.fixed and action.slot] == []


def test_ids_are_unique_and_shown_keys_too() -> None:
    assert len(BY_ID) == len(ACTIONS)


# Rebinding


def test_rebinding_replaces_all_keys_of_an_action() -> None:
    keymap = Keymap({"view.refresh": "f5, ctrl+l", "undo": "Z", "view.closed": ""})
    assert step(keymap, "f5") == Match(BY_ID["view.refresh"])
    assert step(keymap, "ctrl+l") == Match(BY_ID["view.refresh"])
    assert step(keymap, "r") == NoMatch(("r",))
    assert step(keymap, "Z") == Match(BY_ID["undo"])
    assert keymap.shown(BY_ID["view.closed"]) == ""


def test_the_argument_need_not_be_written() -> None:
    keymap = Keymap({"flow.set": "F"})
    assert step(keymap, "F a") == Match(BY_ID["flow.set"], "a")


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"wieght.set": "q"}, ["keymap.wieght.set", "no such action", "weight.set"]),
        ({"help": "sapce"}, ["keymap.help", "“sapce” is not a key", "space"]),
        ({"quit": "m"}, ["keymap.", "(quit)", "(milestone.current)"]),
        ({"labels.edit": "l"}, ["(labels.edit)", "(focus.right)"]),
        ({"labels.edit": "3"}, ["(labels.edit)", "(weight.set)"]),
        ({"flow.set": "g"}, ["(flow.set)"]),
    ],
)
def test_an_invalid_keymap_reports_what_is_wrong(overrides: dict[str, str], words: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        Keymap(overrides, where="config.toml")
    text = str(caught.value)
    assert text.startswith("config.toml: ")
    assert all(word in text for word in words), text


def test_keys_are_shown_as_people_read_them() -> None:
    shown = ["g g", "ctrl+d", "d enter", "m n", "W <digit>", "shift+tab", "y r"]
    assert [key_words(k) for k in shown] == ["gg", "Ctrl+D", "d Enter", "mn", "W 0-9", "Shift+Tab", "yr"]


def test_the_table_for_the_documentation_holds_every_action() -> None:
    table = markdown_table()
    assert all(f"`{action.id}`" in table for action in ACTIONS)
