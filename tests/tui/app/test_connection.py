"""Offline has a reason, and a time of the next try."""

from __future__ import annotations

from textual.widgets import Static

from tui.app.stage import Stage


async def test_offline_says_why_and_when_it_tries_again(stage: Stage) -> None:
    stage.server.faults.next("reset-before", times=999)
    await stage.press("r")
    await stage.until(lambda: stage.screen.header.view.fresh == "offline")
    await stage.until(lambda: "again in" in stage.screen.header.view.progress)
    reason = stage.app.bridge.last_error
    assert reason is not None
    await stage.press("g", "l")
    said = " ".join(str(part.render()) for part in stage.app.screen.query(Static))
    assert "Connection: offline" in said
    assert reason[1].message in said
    assert "Next retry within" in said
    assert "glboard.log" in said
    assert "Esc closes" in said
    stage.server.faults.clear()
    await stage.press("r")
    await stage.until(lambda: stage.screen.header.view.fresh == "live")
    assert stage.screen.header.view.progress == ""
    # The reason stays readable.
    await stage.press("g", "l")
    said = " ".join(str(part.render()) for part in stage.app.screen.query(Static))
    assert reason[1].message in said


async def test_a_change_that_cannot_be_sent_says_when_it_is_tried_again(stage: Stage) -> None:
    stage.server.stop()
    await stage.focus("platform#1")
    await stage.press("3")
    await stage.until(lambda: stage.screen.header.view.fresh == "offline")
    # Polls are an hour apart here: what is sent is tried by itself.
    assert "again" in stage.screen.header.view.progress
    assert stage.screen.header.view.unsent == 1
    await stage.press("g", "l")
    await stage.pilot.pause()
    note = stage.app.screen.query_one(".overlay-note")
    said = [note.render_line(y).text.strip() for y in range(note.size.height)]
    assert any("Next retry within" in line for line in said), said
    assert any("glboard.log" in line for line in said), "nothing is cut at the bottom"
    assert len({line for line in said if line}) == len([line for line in said if line])
