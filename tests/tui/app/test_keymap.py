"""Keys to actions, and rebinding."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from importlib import import_module
from inspect import getmembers, isfunction, signature
from pathlib import Path
from pkgutil import iter_modules
from typing import get_args

import pytest

import glboard_tui.commands
from glboard_core.errors import ConfigError
from glboard_tui.action import Action, Scope, Slot, chain_of, key_words
from glboard_tui.actions import ACTIONS, ALIASES, BY_ID, groups_for, markdown_table
from glboard_tui.keymap import Keymap, Match, NoMatch, Prefix
from glboard_tui.screens import (
    capacity_keys,
    capacity_post,
    change_log,
    decisions,
    decisions_post,
    failed_changes,
    issue_list,
    prompts,
)
from glboard_tui.screens.candidates import Candidates
from glboard_tui.screens.command_output import CommandOutput
from glboard_tui.screens.drafts import DraftList, DraftNames
from glboard_tui.screens.milestone_end import Ending
from glboard_tui.screens.milestone_setup import MilestoneSetupDialog
from glboard_tui.screens.plan_lock import LockedPlan
from glboard_tui.screens.queues import Updates
from glboard_tui.screens.say_do import SayDoPane
from glboard_tui.screens.setup_page import SetupPage
from glboard_tui.screens.walk import WalkPane

PEOPLE = {"a": "eng_alder", "b": "eng_birch"}


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


def test_a_key_that_starts_others_is_the_one_or_the_other() -> None:
    keymap = Keymap()
    assert step(keymap, "p") == Match(BY_ID["share.on"])

    def shared(action: Action) -> bool:
        return action.id != "share.on"

    found = keymap.step(("p",), shared, options)
    assert isinstance(found, Prefix)
    assert [one.key for one in found.follow] == ["p", "v"]
    assert keymap.step(("p", "p"), shared, options) == Match(BY_ID["share.off"])
    # It cannot take the start of what it has nothing to do with.
    with pytest.raises(ConfigError, match=re.escape("(share.on)")):
        Keymap({"share.on": "g"})
    with pytest.raises(ConfigError, match=re.escape("(share.on)")):
        Keymap({"labels.edit": "p t"})


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
    assert keymap.key("view.closed") == ""


def test_a_board_of_ones_own_can_have_a_key() -> None:
    keymap = Keymap({"board.support": "g5", "board.planning": "g P"}, boards={"support": "Support"})
    found = step(keymap, "g 5")
    assert isinstance(found, Match)
    assert (found.action.id, found.action.fixed) == ("board.support", "support")
    assert step(keymap, "g P") == Match(BY_ID["board.planning"])
    assert keymap.key("board.support") == "g5"
    with pytest.raises(ConfigError, match="no such action"):
        Keymap({"board.other": "g5"}, boards={"support": "Support"})


def test_the_argument_need_not_be_written() -> None:
    keymap = Keymap({"flow.set": "F"})
    assert step(keymap, "F a") == Match(BY_ID["flow.set"], "a")


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"wieght.set": "q"}, ["keymap.wieght.set", "no such action", "weight.set"]),
        ({"process.room": "sapce"}, ["keymap.process.room", "“sapce” is not a key"]),
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


# Panes

#: What has the methods of a pane's own actions.
OWNERS: dict[str, type] = {
    "described-list": issue_list.IssueList,
    "candidates": Candidates,
    "updates": Updates,
    "say-do": SayDoPane,
    "decisions": decisions.DecisionsPane,
    "decisions-post": decisions_post.PostDecisions,
    "milestone-end": Ending,
    "plan-lock": LockedPlan,
    "draft": DraftList,
    "drafts": DraftNames,
    "capacity": capacity_keys.CapacityActions,
    "capacity-post": capacity_post.PostCapacity,
    "failed": failed_changes.FailedList,
    "log": change_log.ChangeLog,
    "milestone-setup": MilestoneSetupDialog,
    "walk": WalkPane,
    "comment": prompts.CommentDialog,
    "new-issue": prompts.NewIssue,
    "setup": SetupPage,
    "command-output": CommandOutput,
}
OWN = [action for action in ACTIONS if action.does.startswith("panes.own ")]
#: Shared keys that mean something else in a pane: the pane's own key, what it means there, and elsewhere.
HIDDEN = {
    ("q", "pane.close", "quit"),
    ("j", "walk.skip", "focus.down"),
    ("k", "walk.back", "focus.up"),
    ("J", "description.down", "issue.next"),
    ("K", "description.up", "issue.previous"),
    ("pagedown", "description.half-down", "focus.half-down"),
    ("pageup", "description.half-up", "focus.half-up"),
    ("enter", "candidates.accept", "description.toggle"),
    ("escape", "candidates.stop", "escape"),
    ("enter", "draft.apply", "description.toggle"),
    ("O", "candidates.order", "view.sort"),
}


@pytest.mark.parametrize("action", OWN, ids=[action.id for action in OWN])
def test_a_panes_own_action_is_a_method_of_it(action: object) -> None:
    assert isinstance(action, type(BY_ID["help"]))
    [scope] = action.scopes
    assert callable(getattr(OWNERS[scope], f"action_{action.fixed}"))


def test_a_panes_own_keys_go_before_shared_ones() -> None:
    found = {
        (keys, action.id, other.id)
        for action in ACTIONS
        for keys in action.keys
        for scope in action.scopes
        for shared in chain_of(scope)[1:]
        for other in ACTIONS
        if shared in other.scopes and keys in other.keys
    }
    assert found == HIDDEN
    assert step(Keymap(), "enter", "candidates") == Match(BY_ID["candidates.accept"])
    assert step(Keymap(), "enter", "triage") == Match(BY_ID["description.toggle"])
    assert step(Keymap(), "d a", "candidates") == Match(BY_ID["accept.with"], "a")
    keymap = Keymap()
    closed = keymap.step(("J",), lambda a: a.id != "description.down", options, "triage")
    assert closed == Match(BY_ID["issue.next"])


def test_every_scope_has_keys_and_help_shows_its_own_first() -> None:
    for scope in get_args(Scope):
        assert any(at in action.scopes for at in chain_of(scope) for action in ACTIONS), scope
    assert groups_for("candidates")[:2] == ("Candidates", "Lists")
    assert groups_for("board")[0] == "Focus"
    assert groups_for("capacity")[0] == "Capacity"


def test_keys_of_a_pane_can_be_rebound() -> None:
    keymap = Keymap({"capacity.factor": "F", "candidates.fill": "Q f", "candidates.order": "Q o"})
    assert step(keymap, "F", "capacity") == Match(BY_ID["capacity.factor"])
    assert step(keymap, "f", "capacity") == NoMatch(("f",))
    assert isinstance(step(keymap, "Q", "candidates"), Prefix)
    assert step(keymap, "Q o", "candidates") == Match(BY_ID["candidates.order"])
    # A key that is free on the board can be given away, though one pane has it for itself.
    keymap = Keymap({"labels.edit": "F"})
    assert step(keymap, "F") == Match(BY_ID["labels.edit"])
    assert step(keymap, "F", "candidates") == Match(BY_ID["candidates.fill"])


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"candidates.fill": "O"}, ["(candidates.fill)", "(candidates.order)"]),
        ({"candidates.fill": "d"}, ["(candidates.fill)", "(accept.with)"]),
        ({"candidates.fill": "d x"}, ["(candidates.fill)", "(accept.with)"]),
        ({"capacity.factor": "h"}, ["(capacity.factor)", "(capacity.holidays)"]),
        ({"capacity.factor": "g c"}, ["(capacity.factor)", "(pane.candidates)"]),
        ({"failed.retry": "k"}, ["(failed.retry)", "(focus.up)"]),
        ({"updates.seen": "v", "updates.go": "v"}, ["(updates.seen)", "(updates.go)"]),
    ],
)
def test_a_key_that_hides_another_of_its_pane_is_an_error(
    overrides: dict[str, str], words: list[str]
) -> None:
    with pytest.raises(ConfigError) as caught:
        Keymap(overrides)
    assert all(word in str(caught.value) for word in words), caught.value


def test_earlier_ids_are_accepted() -> None:
    assert set(ALIASES.values()) <= BY_ID.keys()
    assert not ALIASES.keys() & BY_ID.keys()
    for earlier, now in ALIASES.items():
        assert Keymap({earlier: "f12"}).keys_of(BY_ID[now]) == ("f12",)


#: Where keys are looked at outside the keymap: typed text, letters of a question, a drag that Esc ends.
HANDLERS = {"Ask", "HiddenInput", "Find", "Finder", "Picker", "BoardWidget"}
#: Where keys go to the keymap.
TO_THE_KEYMAP = {"PaneDialog", "CommentDialog", "NewIssue", "SetupPage"}


def test_no_key_that_prints_is_handled_outside_the_registry() -> None:
    handlers, printable = set(), []
    for file in Path(glboard_tui.__path__[0]).rglob("*.py"):
        tree = ast.parse(file.read_text("utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                functions = (ast.FunctionDef, ast.AsyncFunctionDef)
                names = {part.name for part in node.body if isinstance(part, functions)}
                if names & {"on_key", "_on_key"}:
                    handlers.add(node.name)
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Binding":
                keys = ast.literal_eval(node.args[0]).split(",")
                printable += [(file.name, key) for key in keys if len(key) == 1 or key == "space"]
            if isinstance(node, ast.Compare | ast.Match):
                asked = ast.unparse(node.left if isinstance(node, ast.Compare) else node.subject)
                if asked in ("event.key", "event.character", "token"):
                    texts = [n.value for n in ast.walk(node) if isinstance(n, ast.Constant)]
                    printable += [(file.name, key) for key in texts if isinstance(key, str) and len(key) == 1]
    assert handlers == HANDLERS | TO_THE_KEYMAP
    assert [(file, key) for file, key in printable if (file, key) != ("keymap.py", " ")] == []
