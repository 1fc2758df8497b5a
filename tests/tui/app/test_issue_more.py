"""What belongs to an issue besides its place in the plan: merge requests, links, health, tasks, threads."""

from __future__ import annotations

import pytest
from textual.widgets import Markdown, Static

from glboard_core.demo.world.records import MergeRequest
from glboard_tui.commands.issue import NO_HEALTH
from glboard_tui.screens.dialogs import Ask
from glboard_tui.screens.picker import Picker
from glboard_tui.widgets.card_view import presenter
from glboard_tui.widgets.facts import Facts
from glboard_tui.widgets.footer import WhichKey
from tui.app.stage import GROUP, Stage, small_world, staged


def facts_of(stage: Stage) -> str:
    facts = stage.screen.pane.query_one(Facts)
    return "\n".join(facts.render_line(y).text.rstrip() for y in range(facts.size.height))


def notes_of(stage: Stage) -> str:
    return str(stage.screen.pane.query_one(".detail-notes", Static).render())


def screen_text(stage: Stage) -> str:
    app = stage.app
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips(app.size))


def words_on(stage: Stage, name: str) -> list[str]:
    """The words on a card."""
    index = stage.app.bridge.index
    assert index is not None
    issue = stage.issue(name)
    [key, *_] = index.keys_of(issue)
    column = index.column(key)
    assert column is not None
    return [fact.text for fact in presenter(stage.app.bridge, index)(issue, column.column).facts]


def request(stage: Stage, iid: int, **fields: object) -> MergeRequest:
    project = stage.world.project(f"{GROUP}/platform")
    return MergeRequest(iid=iid, project=project, title=f"Trim zq{iid}", **fields)  # type: ignore[arg-type]


async def counted(stage: Stage, name: str, *requests: MergeRequest) -> None:
    """Give an issue merge requests, as the next poll tells."""
    stage.world.issue(f"{GROUP}/{name}").merge_requests = list(requests)
    stage.world.edit(f"{GROUP}/{name}", by="eng_birch", title="With merge requests")
    await stage.press("r")
    await stage.until(lambda: stage.issue(name).merge_requests == len(requests))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"draft": True}, "!5 draft"),
        ({}, "!5 open"),
        ({"state": "merged"}, "!5 merged"),
        ({"pipeline": "FAILED"}, "!5 pipeline failed"),
    ],
)
async def test_a_card_shows_its_merge_request_in_a_word(
    stage: Stage, fields: dict[str, object], word: str
) -> None:
    await counted(stage, "platform#1", request(stage, 5, **fields))
    await stage.until(lambda: word in words_on(stage, "platform#1"))
    # Confidential on a shared screen: nothing of it is shown.
    stage.world.edit(f"{GROUP}/platform#1", by="eng_birch", confidential=True)
    await stage.press("r")
    await stage.until(lambda: stage.issue("platform#1").confidential)
    stage.app.share.start()
    assert words_on(stage, "platform#1") == []


async def test_the_pane_shows_approvals_and_who_accepted(stage: Stage) -> None:
    waits = request(stage, 5, approvals_required=3, approvals=2, pipeline="SUCCESS")
    stage.world.edit(f"{GROUP}/platform#1", by="pm_oak", add_labels=["Deliverable"])
    await counted(stage, "platform#1", waits, request(stage, 4, state="merged"))
    await stage.focus("platform#1")
    await stage.press("enter")
    await stage.until(lambda: "!5  open  2 of 3 approvals  pipeline passed" in facts_of(stage))
    assert "!4  merged" in facts_of(stage)
    await stage.until(lambda: "by @pm_oak" in facts_of(stage))


@pytest.mark.slow
async def test_an_issue_is_linked_by_typing_and_unlinked(stage: Stage) -> None:
    other = stage.issue("platform#3")
    await stage.focus("platform#1")
    await stage.press("i", "b")
    await stage.found(other.title.lower())
    await stage.press("enter")
    await stage.settle()
    assert stage.issue("platform#1").blocked
    there = stage.world.issue(f"{GROUP}/platform#1").blocked_by
    assert [one.reference for one in there] == [other.reference]
    assert "undo: platform#1 blocked by platform#3" in stage.screen.footer.view.last
    await stage.press("enter")
    await stage.until(lambda: f"platform#3 (open)  {other.title}" in facts_of(stage))
    await stage.press("i", "x")
    await stage.until(lambda: isinstance(stage.app.screen, Picker))
    await stage.press("enter")
    await stage.settle()
    assert not stage.issue("platform#1").blocked
    assert stage.world.issue(f"{GROUP}/platform#1").blocked_by == ()
    await stage.press("u")
    await stage.settle()
    assert stage.issue("platform#1").blocked


@pytest.mark.slow
async def test_blocked_by_an_issue_is_one_change(stage: Stage) -> None:
    before = stage.issue("platform#1")
    await stage.focus("platform#1")
    await stage.press("b")
    await stage.found("platform#3")
    await stage.press("enter")
    await stage.settle()
    now = stage.issue("platform#1")
    assert (now.scoped("workflow::"), now.blocked) == (("workflow::blocked",), True)
    await stage.press("u")
    await stage.settle()
    now = stage.issue("platform#1")
    assert (now.labels, now.blocked) == (before.labels, False)


@pytest.mark.slow
async def test_public_asks_and_confidential_does_not(stage: Stage) -> None:
    await stage.focus("platform#1")
    await stage.press("i", "c")
    assert stage.issue("platform#1").confidential
    await stage.press("i", "c")
    assert isinstance(stage.app.screen, Ask)
    await stage.press("escape")
    assert stage.issue("platform#1").confidential
    await stage.press("i", "c", "y")
    assert not stage.issue("platform#1").confidential
    await stage.settle()


async def test_confidential_is_masked_at_once_on_a_shared_screen(stage: Stage) -> None:
    title = stage.issue("platform#1").title
    stage.app.share.start()
    await stage.focus("platform#1")
    assert title[:12] in screen_text(stage)
    await stage.press("i", "c")
    assert title[:12] not in screen_text(stage)
    # Making it public would show it: that is refused while others watch.
    await stage.press("i", "c")
    assert stage.issue("platform#1").confidential


async def test_what_the_licence_lacks_is_said_once_and_no_more_offered() -> None:
    async with staged(small_world(tier="premium")) as stage:
        await stage.focus("platform#1")
        await stage.press("i", "h")
        await stage.until(lambda: stage.message == NO_HEALTH)
        assert stage.app.screen is stage.screen
        await stage.press("i")
        assert "health" not in dict(stage.screen.query_one(WhichKey).entries).values()
        await stage.press("h")
        assert stage.message == "Set health status: only with an Ultimate license."
        assert stage.world.issue(f"{GROUP}/platform#1").health is None
        assert stage.screen.header.view.failed == 0


@pytest.mark.slow
async def test_a_health_status_is_chosen_shown_and_undone(stage: Stage) -> None:
    await stage.focus("platform#1")
    await stage.press("i", "h")
    await stage.until(lambda: isinstance(stage.app.screen, Picker))
    await stage.press("down", "down", "enter")
    assert stage.issue("platform#1").health_status == "atRisk"
    await stage.settle()
    assert stage.world.issue(f"{GROUP}/platform#1").health == "atRisk"
    assert "at risk" in words_on(stage, "platform#1")
    await stage.press("u")
    await stage.settle()
    assert stage.issue("platform#1").health_status is None


@pytest.mark.slow
async def test_a_task_is_ticked_in_the_text_as_it_is_now(stage: Stage) -> None:
    reference = f"{GROUP}/platform#1"
    stage.world.edit(reference, by="pm_oak", description="Why\n\n- [ ] one\n- [ ] two")
    await stage.focus("platform#1")
    await stage.press("enter")
    pane = stage.screen.pane
    await stage.until(lambda: bool(pane.query(Markdown)) and "☐ two" in pane.query_one(Markdown).source)
    await stage.press("]", "]")
    await stage.until(lambda: "▸ ☐ two" in pane.query_one(Markdown).source)
    # Somebody adds a line above meanwhile.
    stage.world.edit(reference, by="pm_oak", description="Why\n\n- [ ] zero\n- [ ] one\n- [ ] two")
    await stage.press("x")
    await stage.until(lambda: "☑ two" in pane.query_one(Markdown).source)
    await stage.settle()
    assert stage.world.issue(reference).description == "Why\n\n- [ ] zero\n- [ ] one\n- [x] two"
    await stage.press("u")
    await stage.settle()
    assert stage.world.issue(reference).description == "Why\n\n- [ ] zero\n- [ ] one\n- [ ] two"
    await stage.press("escape")
    assert pane.is_open
    await stage.press("escape")
    assert not pane.is_open


async def test_replies_are_below_what_they_answer(stage: Stage) -> None:
    world, reference = stage.world, f"{GROUP}/platform#1"
    first = world.comment(reference, "Is it the proxy?", by="eng_birch")
    world.comment(reference, "Alone", by="pm_oak")
    world.comment(reference, "It is.", by="eng_alder", answers=first)
    first.resolved = True
    await stage.focus("platform#1")
    await stage.press("enter")
    await stage.until(lambda: "It is." in notes_of(stage))
    lines = notes_of(stage).splitlines()
    at = next(n for n, line in enumerate(lines) if "Is it the proxy?" in line)
    assert lines[at - 1].endswith("resolved")
    assert lines[at + 1].startswith("  │ @eng_alder")
    assert lines[at + 2] == "  │ It is."
    assert "Comments 3" in lines[0]


@pytest.mark.slow
async def test_days_in_a_state_are_known_once_it_was_opened(stage: Stage) -> None:
    await stage.press("g", "b")
    name = "platform#8"
    await stage.focus(name)
    label = next(one for one in stage.issue(name).labels if one.startswith("workflow::"))
    stage.world.edit(f"{GROUP}/{name}", by="eng_birch", remove_labels=[label])
    stage.world.edit(f"{GROUP}/{name}", by="eng_birch", add_labels=[label])
    stage.world.clock.advance(3 * 86_400)
    await stage.press("r")
    await stage.settle()
    await stage.press("enter")
    await stage.until(lambda: "for 3 days" in facts_of(stage))
    await stage.press("escape")
    await stage.until(lambda: "3d" in words_on(stage, name))
