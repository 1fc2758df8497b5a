"""``/`` filters a list like the board, and what is typed there never edits an issue."""

from __future__ import annotations

import pytest

from glboard_tui.screens.issue_list import IssueList
from tui.app.stage import Stage
from tui.screens.lists import on_top


def names(stage: Stage) -> list[str]:
    screen = stage.app.screen
    assert isinstance(screen, IssueList)
    return [stage.name(entry.issue) for entry in screen.entries]


@pytest.mark.slow
async def test_a_list_is_filtered_while_typing(stage: Stage) -> None:
    await stage.press("g", "t")
    whole = names(stage)
    assert len(whole) > 3
    before = {issue.id: issue for issue in stage.engine.shown.values()}
    await stage.press("slash")
    await stage.type("wrong")
    assert names(stage) == ["platform#3"]
    # Letters that are keys on an issue were only typed.
    assert {issue.id: issue for issue in stage.engine.shown.values()} == before
    await stage.press("enter", "5")
    assert stage.issue("platform#3").weight == 5
    await stage.press("u")
    # Escape ends the filter first, then closes the list.
    await stage.press("escape")
    assert names(stage) == whole
    await stage.press("slash")
    await stage.type("w:non")
    said = on_top(stage, IssueList)
    assert "w:non is not a weight" in said.footer.view.message
    await stage.type("e")
    assert said.footer.view.message == ""
    await stage.press("escape")
    assert names(stage) == whole
    await stage.press("escape")
    assert stage.app.screen is stage.screen


async def test_letters_after_a_slash_edit_nothing_where_there_is_no_search(stage: Stage) -> None:
    await stage.focus("platform#3")
    await stage.press("enter")
    before = {issue.id: issue for issue in stage.engine.shown.values()}
    await stage.press("slash")
    await stage.type("s5 Dx1")
    assert "No search here" in stage.message
    assert {issue.id: issue for issue in stage.engine.shown.values()} == before
    await stage.press("enter", "5")
    assert stage.issue("platform#3").weight == 5


async def test_a_list_is_sorted_by_the_same_key_as_columns(stage: Stage) -> None:
    await stage.press("g", "t")
    own = names(stage)
    cursor = own[1]
    await stage.press("j", "O")
    weights = [stage.issue(name).weight for name in names(stage)]
    assert weights == sorted(weights, key=lambda weight: -1 if weight is None else weight, reverse=True)
    assert sorted(names(stage)) == sorted(own)
    screen = stage.app.screen
    assert isinstance(screen, IssueList)
    assert "sorted by weight" in str(screen._title_line.render())
    # The cursor stays with its issue, and keys act on that.
    assert screen.chosen() == stage.issue(cursor)
    seen = set()
    for _ in range(5):
        await stage.press("O")
        seen.add(tuple(names(stage)))
    assert names(stage) == own
    assert "sorted" not in str(screen._title_line.render())
    assert len(seen) > 1


@pytest.mark.slow
async def test_what_a_filter_hides_is_neither_done_nor_gone(stage: Stage) -> None:
    for keys, counts in ((("g", "t"), " fixed"), (("g", "c"), " accepted")):
        await stage.press(*keys)
        screen = stage.app.screen
        assert isinstance(screen, IssueList)

        def heading(part: str = counts, screen: IssueList = screen) -> str:
            return str(screen._title_line.render()).partition(part)[0]

        before, every = heading(), len(names(stage))
        assert every > 0
        await stage.press("slash")
        await stage.type("no such thing")
        await stage.press("enter")
        assert names(stage) == []
        assert heading() == before
        shown = "\n".join(screen.rows.render_line(y).text for y in range(screen.rows.size.height))
        assert "No issues match the filter" in shown
        await stage.press("escape")
        assert len(names(stage)) == every
        await stage.press("escape")
