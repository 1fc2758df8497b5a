"""Share mode on screen: on, off, what the header says, filters, one issue shown for a moment."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from msgspec import structs
from textual.color import Color
from textual.theme import Theme

from glboard_core.config import ShareSettings
from glboard_core.store.sqlite import SqliteStore
from glboard_styles.themes import THEMES
from glboard_tui.share import MARKED, SHARE, SHOWN
from glboard_tui.widgets.colors import contrast, shared_theme, truecolor_palette
from glboard_tui.widgets.footer import WhichKey
from support.leaks import HIDDEN, SECRET, SETTINGS, TEAM, WORDY, secret_world
from tui.app.stage import GROUP, GROUP_LABEL, ME, Stage, staged


class Clock:
    """Seconds that a test moves on."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest_asyncio.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    team = tmp_path / "team.toml"
    team.write_text(TEAM)
    async with staged(secret_world(), settings=SETTINGS, team_file=team) as found:
        found.app.share.clock = Clock()
        await found.focus(HIDDEN)
        yield found


def screen_text(stage: Stage) -> str:
    app = stage.app
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips(app.size))


def forward(stage: Stage, seconds: float) -> None:
    clock = stage.app.share.clock
    assert isinstance(clock, Clock)
    clock.now += seconds
    stage.screen.share_tick()


async def test_p_hides_and_pp_shows_again(stage: Stage) -> None:
    assert SECRET in screen_text(stage)
    await stage.press("p")
    shown = screen_text(stage)
    assert SECRET not in shown.lower()
    assert "SHARED SCREEN · 1 masked" in shown
    assert "▒ confidential" in shown
    assert "platform#1" in shown
    assert "Wrong total for ▒▒▒" in shown
    await stage.press("p", "p")
    assert SECRET in screen_text(stage)
    assert "SHARED" not in screen_text(stage)


@pytest.mark.slow
async def test_it_works_in_every_list_and_pane(stage: Stage) -> None:
    for keys in (("g", "c"), ("g", "h"), ("g", "r"), ("enter",)):
        await stage.press(*keys, "p")
        assert stage.app.share.is_on
        assert SECRET not in screen_text(stage).lower()
        await stage.press("p", "p")
        assert not stage.app.share.is_on
        await stage.press("escape", "escape")


@pytest.mark.slow
async def test_a_draft_is_told_as_one_without_figures(stage: Stage) -> None:
    await stage.press("p", "g", "d")
    await stage.focus("platform#5")
    await stage.press("space", "j", "space", "M")
    assert "» draft: 2 issues to 19.9" in screen_text(stage).splitlines()[2]
    await stage.press("9")
    assert "draft: locked#1: weight none to 9" in screen_text(stage).splitlines()[2]
    assert not [word for word in stage.message.partition(": ")[2].split() if word.strip(",").endswith("w")]
    await stage.press("g", "D", "enter", "y")
    assert "» applied: draft 19.8: 3 issues" in screen_text(stage).splitlines()[2]


async def test_figures_of_capacity_and_people_are_hidden(stage: Stage) -> None:
    assert "planned" in screen_text(stage)
    assert "alder" in screen_text(stage).splitlines()[2]
    await stage.press("p")
    second, third = screen_text(stage).splitlines()[1:3]
    assert "Capacity  ━" in second
    # The words of the bar's parts, and no figure.
    assert "carried over · planned (accepted)" in second
    assert not re.search(r"\dw\b", second)
    assert "alder" not in third
    await stage.press("d")
    strip = dict(stage.app.screen.query_one(WhichKey).entries)
    assert strip["b"] == "eng_birch"


@pytest.mark.slow
async def test_no_filter_and_no_search_finds_what_is_masked(stage: Stage) -> None:
    await stage.press("p", "slash")
    await stage.type("zqone")
    await stage.press("enter")
    assert "0 of" in screen_text(stage).splitlines()[1]
    await stage.press("escape", "slash")
    await stage.type("confidential")
    await stage.press("enter")
    assert "1 of" in screen_text(stage).splitlines()[1]
    assert stage.cards()["bug"] == [HIDDEN]
    for words in ("~zqlabel", "@zqperson", "zqcorp", "~customer::zqbank"):
        stage.screen.filter(words)
        assert stage.app.bridge.index is not None
        assert stage.app.bridge.index.count == 0, words
    await stage.press("p", "p")
    stage.screen.filter("zqone")
    assert stage.cards()["bug"] == [HIDDEN]


@pytest.mark.slow
async def test_pickers_offer_no_name_that_only_a_confidential_issue_has(stage: Stage) -> None:
    await stage.press("p")
    await stage.focus(WORDY)
    for key in ("t", "a"):
        await stage.press(key)
        assert SECRET not in screen_text(stage).lower()
        await stage.found("zq")
        # What was typed is there, and nothing else.
        assert screen_text(stage).lower().count(SECRET) == 1
        await stage.press("escape")


async def test_no_search_finds_a_name_with_a_masked_word() -> None:
    world = secret_world()
    world.group(GROUP).members[world.add_user("zqcorp-bot", "Zqcorp Bot").id] = 40
    world.add_project(f"{GROUP}/zqcorp-portal")
    world.add_milestone(world.group(GROUP), "Zqcorp launch")
    world.edit(f"{GROUP}/{WORDY}", by=ME, assignees=["zqcorp-bot"])
    world.create(f"{GROUP}/zqcorp-portal", "Slow", by=ME, add_labels=[GROUP_LABEL], milestone="19.8")
    async with staged(world, settings=SETTINGS, share=True) as stage:
        await stage.focus("platform#5")
        bridge = stage.app.bridge
        assert bridge.index is not None
        for words in ("zqcorp", "@zqcorp", "%zqcorp"):
            stage.screen.filter(words)
            assert bridge.index.count == 0, words
            assert bridge.completions(words) == ()
        stage.screen.filter("")
        await stage.press("a")
        assert "▒▒▒-bot" in screen_text(stage)
        await stage.found("zqcorp")
        assert "no matches" in screen_text(stage)
        await stage.press("escape", "ctrl+p")
        await stage.found("zqcorp")
        assert "Nothing found" in screen_text(stage)
        # Nor is its page shown, whose address has the word.
        await stage.press("escape")
        await stage.focus("zqcorp-portal#1")
        await stage.press("o")
        assert "Not opened" in stage.message


async def test_a_label_masked_from_now_on_is_not_offered(stage: Stage) -> None:
    await stage.press("p")
    catalog = stage.app.bridge.catalog
    assert catalog is not None
    assert "bug::functional" in {label.title for label in catalog.labels}
    share = structs.replace(SETTINGS.share, labels=(*SETTINGS.share.labels, "*functional"))
    stage.app.use_settings(structs.replace(SETTINGS, share=share))
    catalog = stage.app.bridge.catalog
    assert catalog is not None
    assert "bug::functional" not in {label.title for label in catalog.labels}


async def test_what_would_show_a_hidden_issue_is_refused(stage: Stage) -> None:
    await stage.press("p")
    for keys in (("t",), ("a",), ("e",), ("o",), ("T",)):
        await stage.press(*keys)
        assert stage.app.screen is stage.screen
        assert "hidden on the shared screen" in stage.message
    # By number everything goes on.
    await stage.press("3")
    assert stage.issue(HIDDEN).weight == 3


@pytest.mark.slow
async def test_one_issue_is_shown_for_a_moment_after_asking(stage: Stage) -> None:
    await stage.press("p", "p", "v")
    assert "to everyone watching" in screen_text(stage)
    assert SECRET not in screen_text(stage).lower()
    await stage.press("y")
    assert "zqone" in screen_text(stage)
    assert "platform#1 is shown for 20 s" in screen_text(stage)
    forward(stage, SHOWN - 1)
    await stage.pilot.pause()
    assert "shown for 1 s" in screen_text(stage)
    assert "zqone" in screen_text(stage)
    forward(stage, 1)
    await stage.pilot.pause()
    assert SECRET not in screen_text(stage).lower()
    # p hides it before.
    await stage.press("p", "v", "y")
    assert "zqone" in screen_text(stage)
    await stage.press("p")
    assert SECRET not in screen_text(stage).lower()
    assert stage.app.share.is_on


@pytest.mark.slow
async def test_a_filter_keeps_an_issue_that_is_shown_for_a_moment(stage: Stage) -> None:
    await stage.press("p", "slash")
    await stage.type("confidential")
    await stage.press("enter", "p", "v", "y")
    assert stage.cards()["bug"] == [HIDDEN]
    assert "zqone" in screen_text(stage)


async def test_the_last_change_is_told_and_marked_for_some_seconds(stage: Stage) -> None:
    await stage.press("p")
    await stage.focus("platform#5")
    await stage.press("d", "b")
    assert "» @eng_birch accepts platform#5, weight 1" in screen_text(stage).splitlines()[2]
    # Undone: no one must believe it any longer.
    await stage.press("u")
    assert "» undone: platform#5 accepted for @eng_birch" in screen_text(stage).splitlines()[2]
    await stage.press("U")
    assert "» redone: platform#5 accepted" in screen_text(stage).splitlines()[2]
    forward(stage, MARKED)
    await stage.pilot.pause()
    assert "accepted" not in screen_text(stage).splitlines()[2]
    await stage.focus(HIDDEN)
    await stage.press("d", "b")
    if stage.app.screen is not stage.screen:
        assert "not ready" not in screen_text(stage)
        await stage.press("y")
    assert "birch" not in screen_text(stage).splitlines()[2]
    assert "birch" not in stage.app.bridge.undoing.words


@pytest.mark.slow
async def test_a_draft_on_a_confidential_issue_is_not_shown(stage: Stage) -> None:
    await stage.press("c")
    await stage.type("zqdraft")
    await stage.press("escape", "p", "c")
    assert "You have a draft here" in stage.message
    assert SECRET not in screen_text(stage).lower()
    await stage.press("p", "p", "c")
    assert "zqdraft" in screen_text(stage)


@pytest.mark.slow
async def test_an_open_issue_that_becomes_confidential_is_hidden_at_once(stage: Stage) -> None:
    stage.world.edit(f"{GROUP}/platform#2", by="eng_birch", description="Open so far")
    await stage.focus("platform#2")
    await stage.press("p", "enter")
    await stage.until(lambda: "Open so far" in screen_text(stage))
    stage.world.edit(f"{GROUP}/platform#2", by="eng_birch", confidential=True)
    stage.app.bridge.refresh()
    await stage.until(lambda: "2 masked" in screen_text(stage))
    await stage.pilot.pause()
    assert "Open so far" not in screen_text(stage)
    assert "Slow answers" not in screen_text(stage)


@pytest.mark.slow
async def test_toasts_and_messages_of_before_are_gone(stage: Stage) -> None:
    stage.app.notify("zqtoast", markup=False)
    stage.screen.say("zqmessage")
    await stage.press("p")
    assert stage.app._notifications._notifications == {}
    assert SECRET not in screen_text(stage).lower()


@pytest.mark.slow
async def test_references_can_be_hidden_too(tmp_path: Path) -> None:
    settings = structs.replace(SETTINGS, share=structs.replace(SETTINGS.share, hide_references=True))
    async with staged(secret_world(), settings=settings, share=True) as stage:
        await stage.focus(HIDDEN)
        await stage.press("1")
        shown = screen_text(stage)
        assert "platform#1 " not in shown
        assert "platform#3" in shown
        await stage.press("g", "h")
        assert "confidential" in screen_text(stage)
        assert "platform#1 " not in screen_text(stage)
        assert stage.app.bridge.text("see demo-org/platform#1") == "see confidential"


async def test_it_stays_on_over_a_restart(tmp_path: Path) -> None:
    store = SqliteStore(":memory:")
    async with staged(secret_world(), settings=SETTINGS) as stage:
        await stage.press("p")
        assert stage.engine.store.meta(SHARE) == b"on"
        store.put_meta(SHARE, stage.engine.store.meta(SHARE) or b"")
        # What an app finds when it is attached to that store.
        stage.app.share.stop()
        assert stage.engine.store.meta(SHARE) == b""
        stage.engine.store.put_meta(SHARE, b"on")
        assert not stage.screen.board.shared
        before = stage.app.get_css_variables()
        stage.app.bridge.attach(stage.engine)
        assert stage.app.share.is_on
        # As after the key: whole titles, and colours that everybody can read.
        assert stage.screen.board.shared
        await stage.pilot.pause()
        assert stage.app.get_css_variables() != before
        assert "Wrong total for ▒▒▒, and for all the" in screen_text(stage)


@pytest.mark.slow
async def test_it_can_be_on_from_the_first_frame() -> None:
    always = structs.replace(SETTINGS, share=structs.replace(SETTINGS.share, always=True))
    async with staged(secret_world(), settings=always, loaded=False) as stage:
        assert stage.app.share.is_on
    async with staged(secret_world(), settings=SETTINGS, share=True) as stage:
        assert SECRET not in screen_text(stage).lower()


@pytest.mark.slow
async def test_copying_a_confidential_title_asks_once(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[str] = []
    monkeypatch.setattr(stage.app, "copy_to_clipboard", copied.append)
    await stage.press("y", "r")
    await stage.press("y", "t", "n")
    assert copied == ["demo-org/platform#1", "confidential"]
    await stage.press("y", "t", "y")
    assert copied[-1].startswith("zqone")
    await stage.press("y", "t")
    assert copied[-1].startswith("zqone")
    await stage.press("p", "y", "t")
    assert copied[-1] == "confidential"
    await stage.press("y", "m", "y", "u", "y", "r")
    assert copied[-3:] == ["platform#1", "confidential", "demo-org/platform#1"]


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: str(theme.name))
def test_every_text_has_a_contrast_of_seven(theme: Theme) -> None:
    shown = shared_theme(theme)
    names = (
        "background",
        "surface",
        "panel",
        "foreground",
        "primary",
        "accent",
        "success",
        "warning",
        "error",
    )
    colors = {name: getattr(shown, name) for name in names}
    palette = truecolor_palette({**colors, **shown.variables}, dark=shown.dark)
    for (ground, ink), style in palette._styles.items():
        if ink in ("line", "thumb") or ground in ("dragged", "target"):
            continue
        assert style.color is not None
        assert style.bgcolor is not None
        text, under = (Color.from_rich_color(color) for color in (style.color, style.bgcolor))
        assert contrast(text, under) >= 6.99, (ground, ink)
    for name in names[3:]:
        for back in names[:3]:
            assert contrast(Color.parse(colors[name]), Color.parse(colors[back])) >= 6.9


def test_the_default_settings_mask_no_words() -> None:
    assert ShareSettings().words == ()


async def test_the_way_out_is_said_on_a_narrow_screen() -> None:
    async with staged(size=(80, 24)) as stage:
        await stage.press("p")
        assert "pp stops sharing" in stage.screen.footer.render_line(0).text
