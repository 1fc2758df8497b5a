"""The mix: bars with the target, and a list whose edits update them."""

from __future__ import annotations

import pytest

from glboard_core.config import Settings
from glboard_core.planning.mix import mix
from glboard_tui.screens.mix import MixList, bar, figures, plain
from support import make
from tui.app.stage import GROUP, GROUP_LABEL, ME, Stage, small_world, staged
from tui.screens.lists import names, on_top, text

LABELS = Settings().labels


@pytest.mark.parametrize(
    ("share", "wanted", "shown"),
    [
        (50.0, None, "█████░░░░░"),
        (None, None, "░░░░░░░░░░"),
        (0.0, 100.0, "░░░░░░░░░│"),
        (100.0, 60.0, "█████│████"),
        (150.0, 0.0, "│█████████"),
        (3.0, 40.0, "░░░│░░░░░░"),
    ],
)
def test_a_bar_shows_the_target(share: float | None, wanted: float | None, shown: str) -> None:
    assert bar(share, wanted, 10).plain == shown


def test_type_names_are_shortened() -> None:
    assert plain("type::maintenance + type::bug", "type::") == "maintenance + bug"
    assert plain("undefined", "type::") == "no type"


def test_each_type_and_each_target_has_a_line() -> None:
    issues = [
        make.issue(1, "type::bug", milestone="19.8", weight=2),
        make.issue(2, "type::feature", milestone="19.8", weight=6),
        make.issue(3, milestone="19.8"),
    ]
    found = mix(issues, "19.8", LABELS, Settings().planning.mix)
    lines = [line.plain for line in figures(found, "type::", 150).split("\n")]
    assert [line.split()[0] for line in lines[1:]] == ["feature", "maintenance", "bug", "no", "maintenance"]
    feature = lines[1].split()
    assert feature[1:4] == ["1", "33.3", "%"]
    assert lines[1].endswith("60 %  +15 by weight")
    assert lines[-1].endswith("40 %  −15 by weight")
    for width in (150, 100, 76, 60, 52):
        shown = [line.plain for line in figures(found, "type::", width).split("\n")]
        assert len(shown) == 6, "a line each"
        assert all(len(line.rstrip()) <= width for line in shown), (width, shown)
        assert "60 %  +15" in shown[1]
    # An empty milestone has no shares and no deviation.
    empty = figures(mix([], "19.8", LABELS, {"type::bug": 10.0}), "type::", 100)
    assert "no type" not in empty.plain
    assert empty.plain.splitlines()[-1].endswith("10 %")
    assert all(len(line) <= 100 for line in empty.plain.splitlines())


@pytest.mark.slow
async def test_the_mix_updates_with_edits(stage: Stage) -> None:
    await stage.press("g", "M")
    screen = on_top(stage, MixList)
    assert "9 issues, weight 9 + 4 unweighted" in text(stage)
    before = text(stage)
    assert "feature" in before
    place = names(stage).index("platform#4")
    assert [h.text for e in screen.entries for h in e.heads] == ["feature", "maintenance", "bug", "no type"]
    await stage.press(*["j"] * place, "7")
    assert "9 issues, weight 13 + 4 unweighted" in text(stage)
    await stage.press("M")
    assert "platform#4" not in names(stage)
    assert "8 issues, weight 6 + 4 unweighted" in text(stage)
    await stage.press("u", "u")
    assert text(stage).splitlines()[1:7] == before.splitlines()[1:7]
    await stage.press("escape")
    assert stage.app.screen is stage.screen


@pytest.mark.slow
async def test_after_setting_a_type_the_cursor_is_on_the_next_untyped_issue() -> None:
    world = small_world()
    world.create(f"{GROUP}/platform", "Untold", by=ME, add_labels=[GROUP_LABEL], milestone="19.8")
    async with staged(world) as stage:
        await stage.press("g", "M")
        screen = on_top(stage, MixList)
        first, second = names(stage)[-2:]
        await stage.press("G", "k")
        assert stage.name(screen.chosen()) == first
        await stage.press("t", *"type::bug", "enter")
        assert "type::bug" in stage.issue(first).labels
        assert stage.name(screen.chosen()) == second
        await stage.press("t", *"type::bug", "enter")
        # None is left: the cursor follows the issue to its new type.
        assert stage.name(screen.chosen()) == second
