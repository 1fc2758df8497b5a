"""Changes by others: on the card, in the footer, in the open issue, as a list."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec import structs
from textual.widgets import Static

from glboard_core.board.operations import IssueDiff
from glboard_tui import texts
from glboard_tui.screens.queues import Updates
from glboard_tui.unseen_changes import MOST, RESPACED, UnseenChanges
from glboard_tui.widgets.facts import Facts
from support.make import WHEN, issue
from tui.app.stage import GROUP, ME, Stage, small_world, staged

LATER = WHEN + timedelta(minutes=2)


async def others(stage: Stage) -> None:
    """Read the changes by others."""
    await stage.engine.poller.poll()
    await stage.pilot.pause()


async def signed(stage: Stage, name: str) -> None:
    """Wait until it is known who wrote the new comments on a card."""
    news = stage.app.bridge.unseen
    await stage.until(lambda: (row := news.of(stage.issue(name).id)) is not None and bool(row.by))


def glows(stage: Stage, name: str) -> bool:
    return stage.issue(name).id in stage.app.bridge.unseen


def lines(stage: Stage) -> list[str]:
    """The list's lines, their cells joined."""
    assert isinstance(stage.app.screen, Updates)
    return [" | ".join(text for text, _ in entry.cells) for entry in stage.app.screen.entries]


async def test_the_footer_shows_who_changed_the_focused_card(stage: Stage) -> None:
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
    # It was seen: it is not shown again.
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


async def test_changes_by_several_people_add_up(stage: Stage) -> None:
    stage.world.edit(f"{GROUP}/platform#3", by="eng_birch", weight=8)
    await others(stage)
    stage.world.edit(f"{GROUP}/platform#3", by="pm_oak", weight=5, add_labels=["Deliverable"])
    await others(stage)
    await stage.focus("platform#3")
    assert stage.message == "eng_birch, pm_oak: weight 1 to 5, Deliverable added, just now"


async def test_a_reverted_change_is_not_shown(stage: Stage) -> None:
    stage.world.edit(f"{GROUP}/platform#3", by="eng_birch", weight=8)
    await others(stage)
    stage.world.edit(f"{GROUP}/platform#3", by="eng_birch", weight=1)
    await others(stage)
    assert not glows(stage, "platform#3")


async def test_comments_and_descriptions_never_name_the_wrong_person(stage: Stage) -> None:
    stage.world.edit(f"{GROUP}/platform#3", by="pm_oak", weight=8)
    stage.world.edit(f"{GROUP}/platform#1", by="pm_oak", description="Words")
    await others(stage)
    for row in list(stage.app.bridge.unseen):
        stage.app.bridge.unseen.look(row.id)
    # The comment is by eng_birch, while GitLab still names pm_oak as the last to update it.
    stage.world.comment(f"{GROUP}/platform#3", "Hm", by="eng_birch")
    stage.world.edit(f"{GROUP}/platform#1", by="eng_birch", description="Other words")
    await others(stage)
    await signed(stage, "platform#3")
    await stage.focus("platform#3")
    assert stage.message == "eng_birch: 1 comment, just now"
    await stage.focus("platform#1")
    assert stage.message == "eng_birch: description or other details, just now"


@pytest.mark.slow
async def test_own_changes_never_glow(stage: Stage) -> None:
    for keys in (("5",), ("S",), ("A",), ("m", "f"), ("x", "x")):
        await stage.focus("platform#4" if "m" in keys else "platform#3" if "x" in keys else "platform#1")
        await stage.press(*keys)
        await stage.settle()
        await others(stage)
    await stage.focus("platform#2")
    # GitLab moves the time of an issue for a comment, too, but for a minute after another change.
    stage.world.clock.advance(120)
    await stage.press("c")
    await stage.type("Mine")
    await stage.press("ctrl+s")
    await stage.settle()
    await others(stage)
    assert not glows(stage, "platform#2")
    await stage.press("K")
    await stage.settle()
    await others(stage)
    await stage.engine.poller.reconcile()
    await stage.pilot.pause()
    assert [row.what for row in stage.app.bridge.unseen] == []


async def test_own_changes_in_the_browser_glow(stage: Stage) -> None:
    stage.world.edit(f"{GROUP}/platform#3", by=ME, weight=8)
    await others(stage)
    await stage.focus("platform#3")
    assert stage.message == "you, elsewhere: weight 1 to 8, just now"


async def test_comments_have_authors(stage: Stage) -> None:
    for name, by in (("platform#3", ME), ("platform#4", "pm_oak")):
        await stage.focus("platform#1")
        stage.world.comment(f"{GROUP}/{name}", "One thing more", by=by)
        await others(stage)
        await signed(stage, name)
    await stage.focus("platform#3")
    assert stage.message == "you, elsewhere: 1 comment, just now"
    await stage.focus("platform#4")
    assert stage.message == "pm_oak: 1 comment, just now"


async def test_a_change_by_others_after_an_own_edit_is_shown(stage: Stage) -> None:
    await stage.focus("platform#3")
    await stage.press("3")
    await stage.settle()
    stage.world.edit(f"{GROUP}/platform#3", by="pm_oak", add_labels=["Deliverable"])
    await others(stage)
    assert stage.message == "pm_oak: Deliverable added, just now"


async def test_changes_found_by_a_refresh_glow_too(stage: Stage) -> None:
    stage.world.edit(f"{GROUP}/platform#3", by="pm_oak", weight=8)
    await stage.press("r")
    await stage.settle()
    assert glows(stage, "platform#3")
    assert len(stage.app.bridge.unseen) == 1


async def test_changes_are_shown_on_the_community_edition_too() -> None:
    async with staged(small_world(edition="ce")) as stage:
        stage.world.edit(f"{GROUP}/platform#3", by="pm_oak", milestone="19.8", add_labels=["Deliverable"])
        await others(stage)
        await stage.focus("platform#3")
        assert stage.message == "pm_oak: Deliverable added, just now"


async def test_an_open_issue_shows_changes_by_others(stage: Stage) -> None:
    stage.world.edit(f"{GROUP}/platform#3", by="pm_oak", weight=8)
    await others(stage)
    stage.screen.context.open_issue.open(stage.issue("platform#3").id)
    await stage.pilot.pause()
    facts = dict(stage.screen.pane.query_one(Facts)._facts)
    assert facts["Changed"] == ("pm_oak, just now:", "weight 1 to 8")
    assert not glows(stage, "platform#3")


async def test_cards_that_left_the_board_are_one_line(stage: Stage) -> None:
    stage.world.edit(f"{GROUP}/platform#1", by="pm_oak", milestone="19.9")
    stage.world.edit(f"{GROUP}/platform#2", by="eng_birch", close=True)
    await others(stage)
    assert len(stage.toasts) == 1
    assert stage.toasts[0].startswith(": 2 left the board: ")
    assert "platform#1 to 19.9 by pm_oak" in stage.toasts[0]
    assert "platform#2 closed by eng_birch" in stage.toasts[0]
    assert stage.screen.header.view.changed == 2


@pytest.mark.slow
async def test_the_list_shows_all_changes_and_every_key_works_in_it(stage: Stage) -> None:
    stage.world.edit(f"{GROUP}/platform#1", by="pm_oak", milestone="19.9")
    stage.world.edit(f"{GROUP}/platform#3", by="eng_birch", weight=8)
    stage.world.edit(f"{GROUP}/platform#10", by="eng_birch", weight=2)
    stage.world.delete(f"{GROUP}/platform#7")
    await others(stage)
    await stage.engine.poller.reconcile()
    await stage.press("g", "u")
    found = lines(stage)
    assert {line.partition(" | ")[0] for line in found[:3]} == {"platform#1", "platform#3", "platform#7"}
    assert found[3].startswith("platform#10 | eng_birch | weight none to 2 | ")
    assert any(
        line.startswith("platform#1 | pm_oak | left Planning 19.8: milestone 19.8 to 19.9") for line in found
    )
    assert any("no longer in the group" in line for line in found)
    heading = str(stage.app.screen.query_one(".overlay-title", Static).render())
    assert heading == "Changes by others: 1 of 4 · 3 on this board"
    await stage.press("G", "4")
    await stage.settle()
    assert stage.world.issue(f"{GROUP}/platform#10").weight == 4
    # An edit counts as seen: the line is gone.
    assert len(lines(stage)) == 3
    await stage.press("*", "v")
    assert lines(stage) == []
    assert stage.screen.header.view.changed == 0
    await stage.press("escape", "g", "u")
    assert "No new changes" in stage.message


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


async def test_nothing_of_a_masked_issue_is_shown(stage: Stage) -> None:
    stage.world.edit(f"{GROUP}/platform#3", by="eng_birch", milestone="19.9")
    stage.world.edit(f"{GROUP}/platform#3", by="eng_birch", confidential=True)
    stage.app.share.start()
    await others(stage)
    assert stage.toasts == [": 1 left the board: a masked issue"]
    await stage.press("g", "u")
    assert "19.9" not in lines(stage)[0].replace("Planning 19.8", "")
    assert "platform#3 |  |  | confidential" in lines(stage)[0]


# The memory


def test_renumbered_ranks_are_not_shown() -> None:
    before = [issue(n) for n in range(RESPACED + 1)]
    changes = [IssueDiff((one, issue(one.iid, position=one.iid + 500.0))) for one in before]
    unseen = UnseenChanges()
    unseen.heard(changes, None, me="me", now=WHEN)
    assert len(unseen) == 0
    unseen.heard(changes[:3], None, me="me", now=WHEN)
    assert len(unseen) == 3


def test_the_memory_of_changes_is_limited() -> None:
    unseen = UnseenChanges()
    for n in range(MOST + 10):
        unseen.heard([IssueDiff((issue(n), issue(n, weight=1, updated_at=LATER)))], None, me="me", now=LATER)
    assert len(unseen) == MOST
    assert issue(0).id not in unseen


@pytest.mark.parametrize(("seconds", "words"), [(0, "just now"), (120, "2m ago"), (7200, "2h ago")])
def test_how_long_ago(seconds: int, words: str) -> None:
    unseen = UnseenChanges()
    unseen.heard([IssueDiff((issue(1), issue(1, weight=1, updated_at=LATER)))], None, me="me", now=LATER)
    assert texts.when(next(iter(unseen)), LATER + timedelta(seconds=seconds)) == words


def test_unseen_changes_are_kept_for_the_next_session() -> None:
    unseen, later = UnseenChanges(), UnseenChanges()
    changes = [
        IssueDiff((issue(1), issue(1, weight=1, updated_at=LATER, updated_by="pm_oak"))),
        IssueDiff((issue(2), None)),
    ]
    unseen.heard(changes, None, me="me", now=LATER)
    later.take_up(unseen.kept())
    assert list(later) == list(unseen)
    # The same card changes again: it is still compared with what was seen.
    later.heard(
        [IssueDiff((issue(1, weight=1), issue(1, weight=3, updated_at=LATER, updated_by="eng_birch")))],
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
    assert UnseenChanges().kept() == b""


def test_what_was_changed_here_at_the_end_is_no_news_at_the_next_start() -> None:
    unseen, later = UnseenChanges(), UnseenChanges()
    unseen.answered([issue(1).id])
    later.take_up(unseen.kept())
    touched = [IssueDiff((issue(n), issue(n, updated_at=LATER))) for n in (1, 2)]
    later.heard(touched, None, me="me", now=LATER)
    assert [row.id for row in later] == [issue(2).id]


async def test_unseen_changes_are_stored_when_the_program_quits() -> None:
    async with staged() as stage:
        stage.world.edit(f"{GROUP}/platform#3", by="pm_oak", weight=8)
        await others(stage)
        store, row = stage.engine.store, list(stage.app.bridge.unseen)
    found = UnseenChanges()
    found.take_up(store.meta("unseen"))
    assert list(found) == row


def test_what_makes_way_for_a_card_is_not_said_to_have_moved() -> None:
    """GitLab shifts others where there is no room between two, and tells of neither."""
    unseen = UnseenChanges()
    before = [issue(n, position=float(n)) for n in range(1, 7)]
    places = {1: 1.0, 6: 129.0, 2: 258.0, 3: 259.0, 4: 260.0, 5: 261.0}
    after = [structs.replace(one, position=places[one.iid]) for one in before]
    moved = [IssueDiff(pair) for pair in zip(before, after, strict=True) if pair[0] != pair[1]]
    unseen.heard(moved, None, me="em_willow", now=WHEN)
    assert [row.issue.iid for row in unseen] == [6]
    # An edit of one of them is still told.
    weighty = structs.replace(after[1], weight=9, position=300.0)
    unseen.heard([IssueDiff((after[1], weighty)), *moved[2:]], None, me="em_willow", now=WHEN)
    assert {row.issue.iid for row in unseen} == {2, 6}
