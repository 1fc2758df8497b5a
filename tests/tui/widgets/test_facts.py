"""Names and values in two columns, and lines with words at both ends."""

from __future__ import annotations

import pytest
from textual.app import App, ComposeResult

from glboard_tui.widgets.card import Chip, Fact
from glboard_tui.widgets.facts import Facts, HeadLine, laid_out
from glboard_tui.widgets.text import width_of


def test_values_are_wrapped_between_items() -> None:
    assert laid_out([("Labels", ("a b", "c d")), ("Due", ("",))], 24) == [("Labels", ["a b", "c d"])]
    assert laid_out([("Labels", ("aaaaa", "bbbbb"))], 24) == [("Labels", ["aaaaa"]), ("", ["bbbbb"])]


def test_a_value_longer_than_a_line_is_wrapped_and_not_cut() -> None:
    title = "Prepare: Lost setting in the evaluation runner with a trailing slash"
    lines = laid_out([("Merge requests", ("!7", Fact(title, "good")))], 46)
    assert [name for name, _ in lines] == ["Merge requests", "", "", ""]
    parts = [item for _, items in lines for item in items[-1:] if isinstance(item, Fact)]
    assert " ".join(part.text for part in parts) == title
    assert {part.tone for part in parts} == {"good"}
    assert all(width_of(part.text) <= 30 for part in parts)
    label = "Category:Model personalization"
    lines = laid_out([("Labels", (Chip(label, "#ff0000"),))], 46)
    assert [item for _, items in lines for item in items] == [
        Chip("Category:Model", "#ff0000"), Chip("personalization", "#ff0000"),
    ]  # fmt: skip


class _Lines(App[None]):
    def compose(self) -> ComposeResult:
        yield HeadLine()
        yield Facts(names=8)


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        (40, "platform#77      1 of 4 in bug · n next"),
        (26, "platform#77  1 of 4 in bug"),
        (12, "platform#77"),
    ],
)
async def test_words_aside_are_left_out_whole(width: int, shown: str) -> None:
    app = _Lines()
    async with app.run_test(size=(width, 5)) as pilot:
        line = app.query_one(HeadLine)
        line.show("platform#77", ("1 of 4 in bug", "n next"))
        await pilot.pause()
        assert line.render_line(0).text.split() == shown.split()
        assert width_of(line.render_line(0).text) == width


async def test_facts_are_as_high_as_their_lines() -> None:
    app = _Lines()
    async with app.run_test(size=(24, 8)) as pilot:
        facts = app.query_one(Facts)
        facts.show([("Due", ("13 Nov",))])
        await pilot.pause()
        assert facts.size.height == 1
        facts.show([("Due", ("13 Nov",)), ("Labels", ("eleven cells", "and more"))])
        await pilot.pause()
        assert facts.size.height == 3
        assert facts.render_line(1).text.rstrip() == "Labels  eleven cells"
