"""Keys that arrive together are carried out in order by what they open; only a question takes none."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from textual.widgets import Input

from glboard_tui.screens.dialogs import Ask, Dialog
from tui.app.stage import Stage, staged

#: What opens something, and keys for what has opened.
OPENINGS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "find anything": (("ctrl+p",), ("s", "l", "o", "w")),
    "labels": (("t",), ("d", "o", "c")),
    "assignees": (("a",), ("b", "i")),
    "milestone": (("m", "/"), ("1", "9", ".", "9")),
    "weight": (("w",), ("7",)),
    "comment": (("c",), ("x", "c", "space", "3")),
    "new issue": (("n",), ("x", "x", "L")),
    "filter": (("/",), ("s", "l", "o", "w")),
    "issue": (("enter",), ("N",)),
    "help": (("question_mark",), ("w", "e")),
    "candidates": (("g", "c"), ("j", "space")),
    "refinement": (("g", "q"), ("j", "j")),
    "own work": (("g", "o"), ("j",)),
    "triage": (("g", "t"), ("j", "space", "j")),
    "end of milestone": (("g", "e"), ("j",)),
    "change log": (("g", "h"), ("j",)),
    "decisions": (("g", "D"), ("j",)),
    "walk": (("g", "n"), ("n",)),
    "capacity": (("g", "r"), ("j",)),
    "capacity, then a list": (("g", "r"), ("g", "t", "j")),
    "a list, then another": (("g", "q"), ("g", "t", "j", "space")),
}
#: One of each kind.
FEW = ["labels", "filter", "capacity, then a list"]


@pytest_asyncio.fixture
async def quiet(tmp_path: Path) -> AsyncIterator[Stage]:
    """A board with space for the capacity pane, without a team."""
    async with staged(team_file=tmp_path / "team.toml") as stage:
        yield stage


def state(stage: Stage) -> tuple[object, ...]:
    """What has opened, what is typed in it, where its cursor is, what is marked."""
    top: Any = stage.app.screen
    board = stage.screen
    fields = [one.value if isinstance(one, Input) else one.text for one in top.query("Input, TextArea")]
    listed = getattr(top, "listed", None)
    rows = (listed.cursor, [one for one in listed.ids if one in listed.selection]) if listed else ()
    pane = board.dock.pane
    docked = (pane.has_keys, pane.figures._people.cursor) if pane is not None else ()
    return (
        type(top),
        stage.app.bridge.view.text,
        fields,
        rows,
        docked,
        board.pane.issue,
        board.board.focused[0],
        stage.selected,
    )


@pytest.mark.parametrize("some", [FEW, pytest.param([*OPENINGS], marks=pytest.mark.slow)])
async def test_what_opens_takes_the_keys_that_were_typed_ahead(quiet: Stage, some: list[str]) -> None:
    wrong = [what for what in some if not await same_at_once(quiet, *OPENINGS[what])]
    assert not wrong


async def same_at_once(stage: Stage, opens: tuple[str, ...], then: tuple[str, ...]) -> bool:
    """Whether keys lead to the same, typed one by one and all at once."""
    found = []
    before = dict(stage.engine.shown)
    for at_once in (False, True):
        await stage.focus("platform#2")
        if at_once:
            stage.burst(*opens, *then)
            await stage.press()
        else:
            await stage.press(*opens, *then)
        found.append(state(stage))
        while stage.app.screen is not stage.screen or stage.screen.pane.is_open or stage.app.bridge.view.text:
            # It closes what has the focus, so the stage cannot wait on that.
            stage.burst("escape")
            await stage.pilot.pause()
        if stage.screen.dock.pane is not None:
            stage.screen.dock.close()
        stage.screen.context.drafts.clear()
        stage.screen.board.clear_selection()
    assert stage.engine.shown == before
    return found[0] == found[1] != state(stage)


@pytest.mark.parametrize(
    ("keys", "question"),
    [
        (("g", "r", "enter", "y"), "Create team.toml"),
        (("d", "b", "y"), "Accept platform#2"),
        (("d", "b", "escape", "y"), "Accept platform#2"),
        (("g", "L", "l"), "Lock the current plan"),
    ],
)
async def test_no_question_is_answered_before_it_was_seen(
    quiet: Stage, keys: tuple[str, ...], question: str
) -> None:
    await quiet.focus("platform#2")
    before = dict(quiet.engine.shown)
    quiet.burst(*keys)
    await quiet.press()
    asked = quiet.app.screen
    assert isinstance(asked, Ask)
    assert asked.heading.startswith(question)
    assert "Keys pressed before this was shown do nothing." in str(asked._hint_line.content)
    assert quiet.engine.shown == before
    # Seen, it takes keys.
    await quiet.press("escape")
    assert not isinstance(quiet.app.screen, Dialog)


async def test_a_key_for_a_pane_that_opens_waits_for_it(quiet: Stage) -> None:
    quiet.burst("g", "r", "enter")
    await quiet.press()
    await quiet.press("y")
    pane = quiet.screen.dock.pane
    assert pane is not None
    assert quiet.app._planning.team_store.team is not None
    assert pane.has_keys
