"""Focus, selection, boards, milestones, filters: keys that change nothing in GitLab."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from textual._compositor import Compositor

from glboard_tui import terminal
from glboard_tui.screens.help import Help
from tui.app.stage import GROUP, STILL, Stage, staged
from tui.screens.lists import on_top


async def test_focus_keys(stage: Stage) -> None:
    for keys, where in (
        (("j",), "platform#2"),
        (("down",), "platform#3"),
        (("k",), "platform#2"),
        (("G",), "ai-gateway#1"),
        (("g", "g"), "platform#1"),
        (("l",), "platform#4"),
        (("right",), "platform#5"),
        (("h", "left"), "platform#1"),
        (("ctrl+d",), "ai-gateway#1"),
        (("pageup",), "platform#1"),
        (("tab",), "platform#4"),
        (("tab", "tab", "tab"), "platform#1"),
        (("shift+tab",), "platform#7"),
    ):
        await stage.press(*keys)
        assert stage.focused == where, keys


async def test_mark_keys(stage: Stage) -> None:
    await stage.press("space", "j", "j", "space")
    assert stage.selected == ["platform#1", "platform#3"]
    await stage.press("escape")
    assert stage.selected == []
    await stage.press("g", "v")
    assert stage.selected == ["platform#1", "platform#3"]
    await stage.press("escape", "asterisk")
    assert stage.selected == ["platform#1", "platform#2", "platform#3", "ai-gateway#1"]
    await stage.press("asterisk", "g", "g", "V", "j", "V", "j")
    assert stage.selected == ["platform#1", "platform#2"]


@pytest.mark.slow
async def test_escape_closes_one_thing_at_a_time(stage: Stage) -> None:
    await stage.press("space", "slash")
    await stage.type("crash")
    await stage.press("enter")
    await stage.press("enter")
    assert stage.screen.pane.is_open
    await stage.press("m")
    assert stage.screen.keys.pending
    await stage.press("escape")
    assert (stage.screen.keys.pending, stage.screen.pane.is_open) == (False, True)
    await stage.press("escape")
    assert (stage.screen.pane.is_open, stage.app.bridge.view.text) == (False, "crash")
    await stage.press("escape")
    assert (stage.app.bridge.view.text, stage.selected) == ("", ["platform#1"])
    await stage.press("escape")
    assert stage.selected == []


@pytest.mark.slow
async def test_switching_boards_sends_no_request(stage: Stage) -> None:
    stage.server.requests.clear()
    for key, name in (
        ("b", "Build 19.7"),
        ("1", "Next 1-3 Next 1-3 releases"),
        ("4", "Next 4-6 Next 4-6 releases"),
        ("k", "Backlog Backlog"),
        ("m", "Milestones"),
        ("w", "People 19.8"),
        ("p", "Planning 19.8"),
    ):
        await stage.press("g", key)
        assert stage.screen.header.view.board == name
    await stage.press("t", "escape", "a", "escape", "m", "slash", "escape", "equals_sign", "minus")
    assert len(list(stage.server.requests)) == 0


@pytest.mark.slow
async def test_milestones_and_people_as_columns(stage: Stage) -> None:
    await stage.press("g", "m")
    await stage.focus("platform#10")
    assert "platform#10" in stage.cards()["Backlog"]
    await stage.press("greater_than_sign", "n")
    await stage.settle()
    assert stage.issue("platform#10").milestone == "19.8"
    await stage.press("g", "w")
    assert stage.cards()["eng_birch"] == ["platform#1"]
    await stage.focus("platform#2")
    await stage.press("greater_than_sign", "b" if "eng_birch" in stage.cards() else "e", "escape")
    await stage.press("d", "b", "y")
    assert "platform#2" in stage.cards()["eng_birch"]


@pytest.mark.slow
async def test_previous_and_next_milestone(stage: Stage) -> None:
    seen = []
    for key in ("equals_sign", "right_square_bracket", "minus", "left_square_bracket", "minus"):
        await stage.press(key)
        seen.append(stage.screen.header.view.board)
    assert seen == ["Planning 19.9", "Planning 19.10", "Planning 19.9", "Planning 19.8", "Planning 19.7"]
    await stage.press("g", "b", "g", "p")
    assert stage.screen.header.view.board == "Planning 19.7"
    await stage.press("g", "p")
    assert stage.screen.header.view.board == "Planning 19.8"
    await stage.press("g", "m", "equals_sign")
    assert "all milestones" in stage.message


@pytest.mark.slow
async def test_the_filter_narrows_while_typing_and_stays_across_boards(stage: Stage) -> None:
    await stage.press("slash")
    await stage.type("is:unw")
    await stage.type("eighted")
    assert stage.cards()["bug"] == ["platform#2"]
    await stage.press("enter", "g", "b", "g", "p")
    assert stage.screen.header.view.filter == "is:unweighted: 4 of 9"
    assert stage.screen.header.view.sums[0].text == "planned 0w"
    await stage.press("slash")
    await stage.type("xyz")
    assert not any(stage.cards().values())
    await stage.press("escape")
    assert stage.app.bridge.view.text == "is:unweighted"
    await stage.press("escape")
    assert stage.app.bridge.view.text == ""


async def test_filter_keys_toggle(stage: Stage) -> None:
    for key, text in (("u", "is:unweighted"), ("r", "is:unready"), ("s", "is:slipped"), ("m", "is:mine")):
        await stage.press("f", key)
        assert stage.app.bridge.view.text == text
        await stage.press("f", key)
        assert stage.app.bridge.view.text == ""
    await stage.press("f", "a")
    await stage.type("alder")
    await stage.press("enter")
    assert stage.app.bridge.view.text == "@eng_alder"
    assert stage.cards()["feature"] == ["platform#5"]


@pytest.mark.slow
async def test_an_unknown_is_filter_is_reported(stage: Stage) -> None:
    await stage.press("slash")
    await stage.type("is:unwighted")
    await stage.press("enter")
    assert "is:unwighted" in stage.message


async def test_closed_cards_are_shown_on_demand(stage: Stage) -> None:
    await stage.press("Z")
    assert stage.cards()["(closed)"] == ["platform#11"]
    await stage.press("Z")
    assert "(closed)" not in stage.cards()


async def test_menus_show_values(stage: Stage) -> None:
    await stage.press("m")
    strip = dict(stage.screen.strip.entries)
    assert (strip["c"], strip["n"], strip["f"], strip["k"]) == ("19.7", "19.8", "19.9", "Backlog")
    await stage.press("escape")


async def test_a_key_without_a_meaning_says_so(stage: Stage) -> None:
    await stage.press("Q")
    assert stage.message == "Q does nothing here."


async def test_density_cycles(stage: Stage) -> None:
    seen = []
    for _ in range(3):
        await stage.press("z")
        seen.append(stage.screen.board.density)
    assert seen == ["roomy", "normal", "wrapped"]


@pytest.mark.slow
async def test_copying_and_the_browser(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[str] = []
    opened: list[str] = []
    monkeypatch.setattr(stage.app, "copy_to_clipboard", copied.append)
    monkeypatch.setattr(stage.app, "open_url", opened.append)
    monkeypatch.setenv("BROWSER", "true")
    await stage.focus("platform#6")
    await stage.press("y", "r", "y", "t", "y", "m", "y", "u", "o")
    url = stage.issue("platform#6").web_url
    assert copied == [
        f"{GROUP}/platform#6",
        "fix [/api] crash",
        f"[fix \\[/api\\] crash]({url}) ({GROUP}/platform#6)",
        url,
    ]
    assert opened == [url]
    await stage.mark("platform#1", "platform#2")
    await stage.press("y", "r")
    assert copied[-1] == f"{GROUP}/platform#1\n{GROUP}/platform#2"
    # Without a desktop there is no browser: the address is shown and copied.
    for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    await stage.press("escape")
    await stage.focus("platform#6")
    await stage.press("o")
    assert opened == [url]
    assert copied[-1] == url
    assert stage.message.endswith(url)


def test_tmux_gets_the_text_in_its_own_buffer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "tmux"
    script = f'echo "$@" >> {tmp_path}/args\n[ "$2" = -w ] && exit 1\ncat > {tmp_path}/text\n'
    fake.write_text(f"#!/bin/sh\n{script}")
    fake.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.delenv("TMUX", raising=False)
    assert not terminal.to_tmux("some text")
    monkeypatch.setenv("TMUX", "socket,1,0")
    # An older tmux has no -w.
    assert terminal.to_tmux("some text")
    assert (tmp_path / "text").read_text() == "some text"
    assert (tmp_path / "args").read_text() == "load-buffer -w -\nload-buffer -\n"


async def test_keys_of_another_layout_and_suspending(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    await stage.focus("platform#1")
    await stage.press("о")
    assert stage.focused == "platform#2"
    stopped: list[str] = []
    monkeypatch.setattr(stage.app, "action_suspend_process", lambda: stopped.append("stopped"))
    await stage.press("ctrl+z")
    assert stopped == ["stopped"]


@pytest.mark.slow
async def test_a_comment_completes_people(stage: Stage) -> None:
    await stage.focus("platform#1")
    await stage.press("c")
    await stage.type("Hi @eng")
    await stage.press("tab", "tab")
    await stage.type(" and mail@eng")
    await stage.press("ctrl+enter")
    await stage.settle()
    notes = stage.world.issue(f"{GROUP}/platform#1").notes
    assert notes is not None
    assert notes[-1].body.startswith("Hi @eng_birch and mail@eng")


async def test_a_prefix_shows_the_next_keys_and_an_unknown_key_cancels(stage: Stage) -> None:
    height = stage.screen.board.size.height
    await stage.press("m")
    assert stage.screen.strip.display
    assert stage.screen.board.size.height == height
    await stage.press("q")
    assert not stage.screen.strip.display
    assert stage.message == "mq does nothing here."
    await stage.press("j")
    assert stage.message == ""


async def test_an_action_that_does_not_apply_says_why(stage: Stage) -> None:
    await stage.press("u")
    assert stage.message == "Nothing to undo."
    await stage.press("g", "4", "3")
    assert "weight" in stage.message or stage.message == ""
    await stage.press("enter")
    assert stage.message == "Open the issue: no issue here."


async def test_focus_and_marks_stick_to_the_issue_when_others_change_the_board(stage: Stage) -> None:
    await stage.mark("platform#3")
    await stage.focus("platform#2")
    stage.world.edit(f"{GROUP}/platform#1", by="pm_oak", milestone="19.9")
    stage.world.move(f"{GROUP}/platform#2", after=f"{GROUP}/ai-gateway#1")
    await stage.press("r")
    await stage.settle()
    assert "platform#1" not in stage.cards()["bug"]
    assert stage.focused == "platform#2"
    assert stage.selected == ["platform#3"]


async def test_changes_by_others_glow_until_seen(stage: Stage) -> None:
    stage.world.edit(f"{GROUP}/platform#3", by="pm_oak", weight=8)
    await stage.engine.poller.poll()
    await stage.pilot.pause()
    assert stage.issue("platform#3").weight == 8
    assert stage.issue("platform#3").id in stage.app.bridge.unseen
    await stage.focus("platform#3")
    assert stage.issue("platform#3").id not in stage.app.bridge.unseen


@pytest.mark.slow
async def test_is_changed_finds_unsent_changes(stage: Stage) -> None:
    stage.server.stop()
    await stage.focus("platform#3")
    await stage.press("5")
    await stage.press("slash")
    await stage.type("is:changed")
    await stage.press("enter")
    assert stage.cards()["bug"] == ["platform#3"]
    await stage.press("u")
    assert stage.cards()["bug"] == []
    stage.server.start()


@pytest.mark.slow
async def test_the_palette_runs_actions_and_goes_to_issues(stage: Stage) -> None:
    await stage.press("ctrl+p")
    await stage.type("upgrade the runner")
    await stage.press("enter")
    await stage.until(lambda: stage.app.screen is stage.screen)
    await stage.pilot.pause()
    assert stage.focused == "platform#4"


@pytest.mark.slow
async def test_help_is_filtered_by_typing(stage: Stage) -> None:
    await stage.press("question_mark")
    await stage.type("defer")
    text = on_top(stage, Help).text
    assert "Defer" in text
    assert "Rank" not in text
    await stage.press("escape")
    assert stage.app.screen is stage.screen


async def test_keys_can_be_rebound() -> None:
    async with staged(settings=replace(STILL, keymap={"focus.down": "comma", "weight.ready": "Q"})) as stage:
        await stage.press("comma")
        assert stage.focused == "platform#2"
        await stage.press("j", "Q", "3")
        assert stage.focused == "platform#2"
        assert stage.issue("platform#2").weight == 3


@pytest.mark.slow
async def test_the_mouse_opens_and_drags(stage: Stage) -> None:
    board = stage.screen.board
    await stage.pilot.click(board, offset=(10, 4), times=2)
    await stage.settle()
    assert stage.screen.pane.is_open
    await stage.press("escape")
    await stage.pilot.mouse_down(board, offset=(140, 3))
    await stage.pilot.hover(board, offset=(60, 4))
    await stage.pilot.mouse_up(board, offset=(60, 4))
    await stage.pilot.pause()
    assert "platform#7" in stage.cards()["maintenance"]


@pytest.mark.slow
async def test_the_last_board_is_remembered() -> None:
    told: list[tuple[str, str | None]] = []
    async with staged(remember=lambda board, milestone: told.append((board, milestone))) as stage:
        await stage.press("g", "b", "equals_sign")
    assert told == [("build", None), ("build", "19.8")]
    async with staged(board="build", milestone="19.8") as stage:
        assert stage.screen.header.view.board == "Build 19.8"


@pytest.mark.slow
async def test_columns_are_sorted_by_a_key_and_say_so(stage: Stage) -> None:
    before = stage.cards()["bug"]
    await stage.press("O")
    assert stage.cards()["bug"] == ["platform#1", "ai-gateway#1", "platform#3", "platform#2"]
    assert stage.screen.header.view.sorted_by == "sorted by weight, not GitLab's order"
    await stage.press("K")
    assert "Cannot rank" in stage.message
    await stage.press("8")
    assert stage.focused == stage.cards()["bug"][0]
    await stage.press("u", "O", "O", "O")
    assert stage.screen.header.view.sorted_by == "sorted by slips, not GitLab's order"
    await stage.press("O", "O")
    assert stage.cards()["bug"] == before
    assert not stage.screen.header.view.sorted_by


async def test_a_menu_is_laid_out_once_whatever_was_shown_before(monkeypatch: pytest.MonkeyPatch) -> None:
    async with staged() as stage:
        laid_out: list[None] = []
        reflow = Compositor.reflow

        def counted(self: Compositor, *given: Any) -> Any:
            if self is stage.screen._compositor:  # what is prepared for later is laid out meanwhile
                laid_out.append(None)
            return reflow(self, *given)

        monkeypatch.setattr(Compositor, "reflow", counted)
        # Each is higher or lower than the one before, which once took a second layout, a frame later.
        counts: dict[str, list[int]] = {"m": [], "g": []}
        screen = stage.screen
        for key in "mgmgmg":
            laid_out.clear()
            await stage.press(key)
            await stage.until(lambda: not (screen._layout_required or screen._dirty_widgets))
            assert screen.strip.display
            counts[key].append(len(laid_out))
            await stage.press("escape")
            await stage.until(lambda: not screen._layout_required)
        # On a busy machine, what the app does by itself may fall into one of them.
        assert [min(each) for each in counts.values()] == [1, 1]
