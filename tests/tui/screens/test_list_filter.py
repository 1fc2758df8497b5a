"""``/`` filters a list; letters typed there are words, never commands on an issue."""

from __future__ import annotations

from glboard_tui.screens.issue_list import Entry, having
from glboard_tui.screens.queues import Triage
from glboard_tui.widgets.table import Head
from support.make import issue
from tui.app.stage import Stage
from tui.screens.lists import lines, names, on_top, text


async def test_letters_after_a_slash_filter_the_list_and_edit_nothing(stage: Stage) -> None:
    await stage.press("g", "t")
    every = names(stage)
    assert len(every) > 3
    before = dict(stage.engine.shown)
    await stage.press("slash", *"crash")
    assert names(stage) == ["platform#1", "platform#6"]
    assert f"filter crash: 2 of {len(every)}" in text(stage)
    # These would set a state, accept, weigh, and close on the issue under the cursor.
    await stage.press("ctrl+u", *"sddx5xc", "f5", "backspace")
    assert names(stage) == []
    assert f"Triage: 0 of {len(every)} fixed" in text(stage)
    assert "No line has these words" in lines(stage)[0]
    await stage.press("ctrl+u", *"crash", "down", "enter")
    assert on_top(stage, Triage).chosen() == stage.issue("platform#6")
    assert dict(stage.engine.shown) == before
    # Afterwards keys are commands again; Esc ends the filter first, then closes the list.
    await stage.press("5")
    assert stage.issue("platform#6").weight == 5
    await stage.press("escape")
    assert len(names(stage)) >= len(every) - 1
    await stage.press("slash", *"nothing", "escape")
    assert len(names(stage)) >= len(every) - 1
    await stage.press("escape")
    assert stage.app.screen is stage.screen


def test_a_heading_stays_above_the_first_line_of_its_group() -> None:
    def entry(number: int, title: str, *heads: str) -> Entry:
        return Entry(issue(number), ((title, "text"),), heads=tuple(Head(one) for one in heads))

    given = [entry(1, "one", "A"), entry(2, "two"), entry(3, "three", "B"), entry(4, "two again", "C")]
    shown = having("TWO", given)
    assert [(one.issue.iid, [head.text for head in one.heads]) for one in shown] == [(2, ["A"]), (4, ["C"])]
    assert having("", given) == given
