"""What is painted on a shared screen can be read from the back of the room."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec import structs

from support.leaks import SETTINGS, TEAM, secret_world
from support.painted import painted, too_faint
from tui.app.stage import GROUP, Stage, staged

#: Keys to what a call shows; each is left by Esc.
SHOWN = (
    (),
    ("/", "p", "l"),
    ("v", "j"),
    ("m",),
    ("d",),
    ("d", "enter"),
    ("enter",),
    ("g", "n"),
    ("g", "x"),
    ("g", "c"),
    ("g", "k"),
    ("g", "t"),
    ("g", "r"),
    ("g", "h"),
    ("g", "l"),
    ("question_mark",),
    ("t",),
    ("c",),
    ("ctrl+p",),
    ("g", "d"),
)
#: Rounding of a colour to whole numbers.
SEVEN = 6.95


async def seen(stage: Stage, keys: tuple[str, ...], least: float = SEVEN) -> list[str]:
    await stage.press(*keys)
    await stage.pilot.pause()
    found = [f"{' '.join(keys)}: {one}" for one in too_faint(stage.app, least)]
    assert len(list(painted(stage.app))) > 20
    for _ in range(4):
        await stage.press("escape")
    return found


@pytest.mark.parametrize(
    ("theme", "shown"),
    [
        ("glboard-light", SHOWN[:6]),
        *(
            pytest.param(f"glboard-{name}", SHOWN, marks=pytest.mark.slow)
            for name in ("dark", "light", "contrast")
        ),
    ],
    ids=["few", "dark", "light", "contrast"],
)
async def test_every_painted_text_has_a_contrast_of_seven(
    theme: str, shown: tuple[tuple[str, ...], ...], tmp_path: Path
) -> None:
    team = tmp_path / "team.toml"
    team.write_text(TEAM)
    world = secret_world()
    # Labels in colours that are hard to read on anything.
    for number, color in enumerate(("#777777", "#ffff00", "#0000ff", "#f0f0f0", "#101010", "#d9534f")):
        world.add_label(world.group(GROUP), f"area::{number}", color)
        world.edit(f"{GROUP}/platform#{number + 2}", by="em_maple", add_labels=[f"area::{number}"])
    settings = structs.replace(SETTINGS, ui=structs.replace(SETTINGS.ui, theme=theme))
    async with staged(world, settings=settings, team_file=team, size=(160, 45)) as stage:
        # What is not shared is readable too; it has more colours.
        faint = [one for keys in shown if len(shown) > 6 or not keys for one in await seen(stage, keys, 4.45)]
        assert faint == [], "\n".join(faint)
        await stage.press("g", "p")
        await stage.focus("platform#3")
        await stage.press("g", "x", "plus", "escape", "p", "3")
        assert stage.app.share.last is not None
        # Titles are bold, so that they survive a picture of a quarter of the size.
        titles = [
            segment.style is not None and segment.style.bold
            for strip in stage.app.screen._compositor.render_strips(stage.app.size)
            for segment in strip
            if any(title in segment.text for title in ("Slow answers", "Upgrade the runner", "Guided setup"))
        ]
        assert titles == [True] * 3
        found = [one for keys in shown for one in await seen(stage, keys)]
        assert found == [], "\n".join(found)
