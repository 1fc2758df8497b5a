"""What others changed since one looked: on the card, in the footer, in the opened issue, as a list."""

from __future__ import annotations

from datetime import timedelta

import pytest
from textual.widgets import Static

from glboard_core.state import Change
from glboard_tui.screens import theirs
from glboard_tui.screens.updates import Updates
from glboard_tui.unseen import MOST, RESPACED, Unseen
from glboard_tui.widgets.facts import Facts
from support.make import WHEN, issue
from tui.app.stage import GROUP, ME, Stage, small_world, staged

LATER = WHEN + timedelta(minutes=2)


async def others(stage: Stage) -> None:
    """What others did is read."""
    await stage.engine.mirror.poll()
    await stage.pilot.pause()


def glows(stage: Stage, name: str) -> bool:
    return stage.issue(name).id in stage.app.bridge.unseen


def lines(stage: Stage) -> list[str]:
    """The list's lines, their cells joined."""
    assert isinstance(stage.app.screen, Updates)
    return [" | ".join(text for text, _ in entry.cells) for entry in stage.app.screen.entries]


async def test_the_footer_says_who_changed_what_while_the_cursor_is_there(stage: Stage) -> None:
    stage.world.edit(f"{GROUP}/platform#3", by="eng_birch", weight=8, remove_labels=["bug::functional"])
    await others(stage)
    assert glows(stage, "platform#3")
    assert stage.screen.header.view.changed == 1
    assert stage.message == ""
    await stage.focus("platform#3")
    assert stage.message == "eng_birch: weight 1 to 8, bug functional to none, just now"
    assert not glows(stage, "platform#3")
    assert stage.screen.header.view.changed == 0
    await stage.press("j")
    assert stage.message == ""
    # It was looked at: coming back it is old.
    await stage.press("k")
    assert stage.message == ""


async def test_a_change_of_the_card_under_the_cursor_glows_until_a_key(stage: Stage) -> None:
    await stage.focus("platform#3")
    stage.world.edit(f"{GROUP}/platform#3", by="pm_oak", milestone="19.8", weight=5)
    await others(stage)
    assert glows(stage, "platform#3")
    assert stage.message.startswith("pm_oak: weight 1 to 5")
    await stage.press("y", "r")
    assert not glows(stage, "platform#3")


async def test_changes_add_up_with_everybody_who_made_them(stage: Stage) -> None:
    stage.world.edit(f"{GROUP}/platform#3", by="eng_birch", weight=8)
    await others(stage)
    stage.world.edit(f"{GROUP}/platform#3", by="pm_oak", weight=5, add_labels=["Deliverable"])
    await others(stage)
    await stage.focus("platform#3")
    assert stage.message == "eng_birch, pm_oak: weight 1 to 5, Deliverable on, just now"


async def test_there_and_back_again_is_no_news(stage: Stage) -> None:
    stage.world.edit(f"{GROUP}/platform#3", by="eng_birch", weight=8)
    await others(stage)
    stage.world.edit(f"{GROUP}/platform#3", by="eng_birch", weight=1)
    await others(stage)
    assert not glows(stage, "platform#3")


async def test_a_comment_and_a_description_are_told_without_a_wrong_name(stage: Stage) -> None:
    stage.world.edit(f"{GROUP}/platform#3", by="pm_oak", weight=8)
    stage.world.edit(f"{GROUP}/platform#1", by="pm_oak", description="Words")
    await others(stage)
    stage.app.bridge.unseen.look_at_all()
    # The comment is eng_birch's, while GitLab goes on naming pm_oak as who updated it last.
    stage.world.comment(f"{GROUP}/platform#3", "Hm", by="eng_birch")
    stage.world.edit(f"{GROUP}/platform#1", by="eng_birch", description="Other words")
    await others(stage)
    await stage.focus("platform#3")
    assert stage.message == "somebody: a comment, just now"
    await stage.focus("platform#1")
    assert stage.message == "eng_birch: description or other details, just now"


async def test_what_one_changes_here_never_glows(stage: Stage) -> None:
    for keys in (("5",), ("S",), ("A",), ("m", "f"), ("x", "x")):
        await stage.focus("platform#4" if "m" in keys else "platform#3" if "x" in keys else "platform#1")
        await stage.press(*keys)
        await stage.settle()
        await others(stage)
    await stage.focus("platform#2")
    await stage.press("c")
    await stage.type("Mine")
    await stage.press("ctrl+s")
    await stage.settle()
    await others(stage)
    await stage.press("K")
    await stage.settle()
    await others(stage)
    await stage.engine.mirror.reconcile()
    await stage.pilot.pause()
    assert [row.what for row in stage.app.bridge.unseen] == []


async def test_what_one_changes_on_the_web_glows(stage: Stage) -> None:
    stage.world.edit(f"{GROUP}/platform#3", by=ME, weight=8)
    await others(stage)
    await stage.focus("platform#3")
    assert stage.message == "you, elsewhere: weight 1 to 8, just now"


async def test_after_an_own_edit_another_persons_one_is_news(stage: Stage) -> None:
    await stage.focus("platform#3")
    await stage.press("5")
    await stage.settle()
    stage.world.edit(f"{GROUP}/platform#3", by="pm_oak", add_labels=["Deliverable"])
    await others(stage)
    assert stage.message == "pm_oak: Deliverable on, just now"


async def test_what_a_refresh_finds_glows_too(stage: Stage) -> None:
    stage.world.edit(f"{GROUP}/platform#3", by="pm_oak", weight=8)
    await stage.press("r")
    await stage.settle()
    assert glows(stage, "platform#3")
    assert len(stage.app.bridge.unseen) == 1


async def test_on_the_community_edition_it_is_said_too() -> None:
    async with staged(small_world(edition="ce")) as stage:
        stage.world.edit(f"{GROUP}/platform#3", by="pm_oak", milestone="19.8", add_labels=["Deliverable"])
        await others(stage)
        await stage.focus("platform#3")
        assert stage.message == "pm_oak: Deliverable on, just now"


async def test_the_opened_issue_says_it(stage: Stage) -> None:
    stage.world.edit(f"{GROUP}/platform#3", by="pm_oak", weight=8)
    await others(stage)
    stage.screen.open_detail(stage.issue("platform#3").id)
    await stage.pilot.pause()
    facts = dict(stage.screen.pane.query_one(Facts)._facts)
    assert facts["Changed"] == ("pm_oak, just now:", "weight 1 to 8")
    assert not glows(stage, "platform#3")


async def test_what_left_the_board_is_one_line(stage: Stage) -> None:
    stage.world.edit(f"{GROUP}/platform#1", by="pm_oak", milestone="19.9")
    stage.world.edit(f"{GROUP}/platform#2", by="eng_birch", close=True)
    await others(stage)
    assert len(stage.toasts) == 1
    assert stage.toasts[0].startswith(": 2 left the board: ")
    assert "platform#1 to 19.9 by pm_oak" in stage.toasts[0]
    assert "platform#2 closed by eng_birch" in stage.toasts[0]
    assert stage.screen.header.view.changed == 2


async def test_the_list_says_all_and_every_key_works_in_it(stage: Stage) -> None:
    stage.world.edit(f"{GROUP}/platform#1", by="pm_oak", milestone="19.9")
    stage.world.edit(f"{GROUP}/platform#3", by="eng_birch", weight=8)
    stage.world.edit(f"{GROUP}/platform#10", by="eng_birch", weight=2)
    stage.world.delete(f"{GROUP}/platform#7")
    await others(stage)
    await stage.engine.mirror.reconcile()
    await stage.press("g", "u")
    found = lines(stage)
    assert {line.partition(" | ")[0] for line in found[:3]} == {"platform#1", "platform#3", "platform#7"}
    assert found[3].startswith("platform#10 | eng_birch | weight none to 2 | ")
    assert any(
        line.startswith("platform#1 | pm_oak | left Planning 19.8: milestone 19.8 to 19.9") for line in found
    )
    assert any("no longer in the group" in line for line in found)
    heading = str(stage.app.screen.query_one(".overlay-title", Static).render())
    assert heading == "Changed by others since you looked: 1 of 4 · 3 on this board"
    await stage.press("G", "4")
    await stage.settle()
    assert stage.world.issue(f"{GROUP}/platform#10").weight == 4
    # An edit is a look: the line has gone.
    assert len(lines(stage)) == 3
    await stage.press("*", "v")
    assert lines(stage) == []
    assert stage.screen.header.view.changed == 0
    await stage.press("escape", "g", "u")
    assert "seen all" in stage.message


async def test_enter_goes_to_the_card_or_opens_the_issue(stage: Stage) -> None:
    stage.world.edit(f"{GROUP}/platform#3", by="eng_birch", weight=8)
    await others(stage)
    await stage.press("g", "u", "enter")
    assert stage.app.screen is stage.screen
    assert stage.focused == "platform#3"
    assert stage.message.startswith("eng_birch: ")
    stage.world.edit(f"{GROUP}/platform#10", by="eng_birch", weight=2)
    await others(stage)
    await stage.press("g", "u", "enter")
    await stage.until(lambda: stage.screen.pane.issue == stage.issue("platform#10").id)
    assert len(stage.app.bridge.unseen) == 0


async def test_of_a_masked_issue_nothing_is_told(stage: Stage) -> None:
    stage.world.edit(f"{GROUP}/platform#3", by="eng_birch", milestone="19.9")
    stage.app.bridge.mask = lambda issue: "Masked" if issue.iid == 3 else None
    await others(stage)
    assert stage.toasts == [": 1 left the board: a masked one"]
    await stage.press("g", "u")
    assert "19.9" not in lines(stage)[0].replace("Planning 19.8", "")
    assert "eng_birch | left Planning 19.8: changed | Masked" in lines(stage)[0]


# The memory


def test_a_respaced_order_is_no_news() -> None:
    before = [issue(n) for n in range(RESPACED + 1)]
    changes = [Change((one, issue(one.iid, position=one.iid + 500.0))) for one in before]
    unseen = Unseen()
    unseen.heard(changes, None, me="me", now=WHEN)
    assert len(unseen) == 0
    unseen.heard(changes[:3], None, me="me", now=WHEN)
    assert len(unseen) == 3


def test_it_does_not_grow_without_end() -> None:
    unseen = Unseen()
    for n in range(MOST + 10):
        unseen.heard([Change((issue(n), issue(n, weight=1, updated_at=LATER)))], None, me="me", now=LATER)
    assert len(unseen) == MOST
    assert issue(0).id not in unseen


@pytest.mark.parametrize(("seconds", "words"), [(0, "just now"), (120, "2m ago"), (7200, "2h ago")])
def test_how_long_ago(seconds: int, words: str) -> None:
    unseen = Unseen()
    unseen.heard([Change((issue(1), issue(1, weight=1, updated_at=LATER)))], None, me="me", now=LATER)
    assert theirs.when(next(iter(unseen)), LATER + timedelta(seconds=seconds)) == words


def test_it_goes_on_in_the_next_session() -> None:
    unseen, later = Unseen(), Unseen()
    changes = [
        Change((issue(1), issue(1, weight=1, updated_at=LATER, updated_by="pm_oak"))),
        Change((issue(2), None)),
    ]
    unseen.heard(changes, None, me="me", now=LATER)
    later.take_up(unseen.kept())
    assert list(later) == list(unseen)
    # The same card changes again: it is still told against what was seen.
    later.heard(
        [Change((issue(1, weight=1), issue(1, weight=3, updated_at=LATER, updated_by="eng_birch")))],
        None,
        me="me",
        now=LATER,
    )
    row = later.of(issue(1).id)
    assert row is not None
    assert (row.by, row.what) == (("pm_oak", "eng_birch"), ("weight none to 3",))
    later.take_up(b"\xc1 of another version")
    later.take_up(None)
    assert len(later) == 2
    assert Unseen().kept() == b""


async def test_what_was_not_looked_at_is_kept_when_the_program_ends() -> None:
    async with staged() as stage:
        stage.world.edit(f"{GROUP}/platform#3", by="pm_oak", weight=8)
        await others(stage)
        store, row = stage.engine.store, list(stage.app.bridge.unseen)
    found = Unseen()
    found.take_up(store.meta("unseen"))
    assert list(found) == row
