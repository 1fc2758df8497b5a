"""The open issue, and its text in an editor."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from textual.widgets import Markdown, Static

from glboard_core.demo.world.records import MergeRequest
from glboard_core.model.issue import IssueDetail, IssueId, Note
from glboard_tui.screens import editor
from glboard_tui.widgets.facts import Facts, HeadLine
from glboard_tui.widgets.issue_notes import NotesView, notes_content
from glboard_tui.widgets.markdown import description
from support.make import WHEN
from tui.app.stage import GROUP, Stage, staged


def notes_of(stage: Stage) -> str:
    return str(stage.screen.pane.query_one(".detail-notes", Static).render())


def facts_of(stage: Stage) -> str:
    facts = stage.screen.pane.query_one(Facts)
    return "\n".join(facts.render_line(y).text.rstrip() for y in range(facts.size.height))


def screen_text(stage: Stage) -> str:
    strips = stage.app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)


@pytest.mark.slow
async def test_an_issue_is_opened_read_and_edited(stage: Stage) -> None:
    stage.world.edit(f"{GROUP}/platform#6", by="pm_oak", description="# Why\n\n<b>bold</b> [/x] \x1b[31mred")
    stage.world.comment(f"{GROUP}/platform#6", "I saw [/this] too", by="eng_alder")
    await stage.focus("platform#6")
    await stage.press("enter")
    pane = stage.screen.pane
    assert pane.is_open
    await stage.until(lambda: "I saw [/this] too" in notes_of(stage))
    source = pane.query_one(Markdown).source
    assert "\x1b" not in source
    assert stage.screen.footer.view.target == "platform#6"
    await stage.press("3", "m", "f")
    assert (stage.issue("platform#6").weight, stage.issue("platform#6").milestone) == (3, "19.9")
    await stage.press("c")
    await stage.type("me too")
    await stage.press("ctrl+s")
    await stage.settle()
    await stage.until(lambda: "me too" in notes_of(stage))
    assert "<!--" not in notes_of(stage)
    await stage.press("escape")
    assert not pane.is_open


async def test_next_and_previous_card(stage: Stage) -> None:
    await stage.press("enter", "n")
    assert stage.screen.pane.issue == stage.issue("platform#2").id
    await stage.press("J", "N")
    assert stage.screen.pane.issue == stage.issue("platform#2").id
    await stage.press("tab", "j", "3")
    assert stage.issue("platform#3").weight == 3
    assert stage.issue("platform#2").weight is None


async def test_a_late_reply_shows_nothing_of_another_issue(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = stage.issue("platform#1").id
    gate = asyncio.Event()

    async def slow(issue: IssueId) -> IssueDetail:
        if issue == first:
            await gate.wait()
        words = "of the first" if issue == first else "of the second"
        note = Note(id="1", author="a", body=words, created_at=WHEN)
        return IssueDetail(id=issue, description="", notes=(note,))

    monkeypatch.setattr(stage.engine.gateway, "detail", slow)
    await stage.press("enter")
    await stage.press("n")
    await stage.until(lambda: "of the second" in notes_of(stage))
    gate.set()
    await stage.pilot.pause()
    assert "of the second" in notes_of(stage)


@pytest.mark.slow
async def test_an_open_issue_shows_its_blockers(stage: Stage) -> None:
    world = stage.world
    waits = stage.issue("platform#1")
    by = world.issue("demo-org/platform#2")
    world.block(world.issue(waits.reference), by)
    await stage.press("enter")
    said = f"Blocked by      platform#2 (open)  {by.title}"
    await stage.until(lambda: said in facts_of(stage))
    # In share mode its title is hidden here too.
    await stage.press("escape")
    world.edit(by.reference, by="eng_birch", confidential=True)
    await stage.press("r")
    await stage.until(lambda: stage.issue("platform#2").confidential)
    stage.app.share.start()
    await stage.press("enter")
    await stage.until(lambda: "platform#2 (open)  confidential" in facts_of(stage))
    assert by.title not in facts_of(stage)
    # The next issue does not show this one's blockers.
    await stage.press("n")
    assert "Blocked by" not in facts_of(stage)


async def test_an_open_issue_takes_the_right_half_or_the_whole_screen(stage: Stage) -> None:
    await stage.press("enter")
    assert stage.screen.pane.size.width in range(76, 81)
    await stage.pilot.resize_terminal(80, 30)
    await stage.pilot.pause()
    assert stage.screen.pane.size.width >= 77
    await stage.press("escape")
    assert stage.screen.board.size.width == 80


def test_remote_text_is_made_readable() -> None:
    text = description("a\tb\r\n\x07<!-- glboard:1 -->\n" + "x" * 30_000)
    assert "\t" not in text
    assert "\x07" not in text
    assert "glboard:1" not in text
    assert "more characters" in text
    many = [Note(id=str(n), author="a", body=f"[/{n}]", created_at=WHEN) for n in range(60)]
    assert "more than " in notes_content(many, older=True).plain
    shown = notes_content(many).plain
    assert shown.startswith("Comments 60\n… 10 earlier comments")
    assert "[/59]" in shown


# The editor


class Editor:
    """Replaces $EDITOR: reads the file and writes a given text."""

    def __init__(self, change: Callable[[str], str], status: int = 0) -> None:
        self.change = change
        self.status = status
        self.seen = ""
        self.mode = 0
        self.path = Path()

    def __call__(self, command: list[str]) -> int:
        self.path = Path(command[-1])
        self.seen = self.path.read_text()
        self.mode = stat.S_IMODE(self.path.stat().st_mode)
        self.path.write_text(self.change(self.seen))
        return self.status


@pytest.fixture
def edit_with(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[str], str], int], Editor]:
    def install(change: Callable[[str], str], status: int = 0) -> Editor:
        one = Editor(change, status)
        monkeypatch.setenv("VISUAL", "true")
        monkeypatch.setattr(editor, "run", one)
        monkeypatch.setattr(stage.app, "suspend", nullcontext)
        return one

    return install


async def test_title_and_description_in_the_editor(stage: Stage, edit_with: Callable[..., Editor]) -> None:
    stage.world.edit(f"{GROUP}/platform#1", by="pm_oak", description="Old words")
    one = edit_with(lambda _: "New title\n\nNew words\n")
    await stage.press("e")
    await stage.until(lambda: stage.issue("platform#1").title == "New title")
    await stage.settle()
    record = stage.world.issue(f"{GROUP}/platform#1")
    assert (record.title, record.description) == ("New title", "New words")
    assert (one.seen, one.mode) == ("Crash on start\n\nOld words\n", 0o600)
    assert not one.path.exists()
    await stage.press("u")
    await stage.settle()
    assert (record.title, record.description) == ("Crash on start", "Old words")


AWKWARD = (
    "\n  first\n~~~\n/close\n~~~\n<pre>\n/close\n</pre>\n\\\\/label ~x\n\x1b[31mred\u202e\n/usr/bin  \nlast"
)


async def test_what_was_not_touched_in_a_description_stays_byte_for_byte(
    stage: Stage, edit_with: Callable[..., Editor]
) -> None:
    stage.world.edit(f"{GROUP}/platform#1", by="pm_oak", description=AWKWARD)
    record = stage.world.issue(f"{GROUP}/platform#1")
    edit_with(lambda text: text.replace("Crash on start", "New title", 1))
    await stage.press("e")
    await stage.until(lambda: stage.issue("platform#1").title == "New title")
    await stage.settle()
    assert (record.title, record.description) == ("New title", AWKWARD)
    edit_with(lambda text: text.replace("last", "changed\n/label ~x"))
    await stage.press("e")
    await stage.until(lambda: record.description != AWKWARD)
    await stage.settle()
    assert record.description == AWKWARD.replace("last", "changed\n\\/label ~x")
    await stage.press("u")
    await stage.settle()
    assert record.description == AWKWARD
    assert not stage.engine.failed
    assert not any(stage.engine.outbox.conflicting(issue) for issue in stage.engine.outbox.issues())


async def test_editor_results_that_change_nothing(stage: Stage, edit_with: Callable[..., Editor]) -> None:
    for change, status, words in (
        (lambda text: text, 0, "No changes."),
        (lambda _: "gone", 1, "No changes."),
        (lambda _: "\n\nbody", 0, "cannot be empty"),
    ):
        one = edit_with(change, status)
        await stage.press("e")
        await stage.until(lambda words=words: words in stage.message)  # type: ignore[misc]
        assert not one.path.exists()
        assert not len(stage.engine.outbox)


async def test_no_editor_and_no_terminal(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISUAL", "no-such-editor-here")
    await stage.press("e")
    await stage.until(lambda: bool(stage.toasts))
    assert "no-such-editor-here" in stage.toasts[0]
    monkeypatch.setenv("VISUAL", "true")
    await stage.press("e")
    await stage.until(lambda: len(stage.toasts) > 1)
    assert "Cannot open an editor here" in stage.toasts[1]


async def test_several_issues_are_not_edited_at_once() -> None:
    async with staged() as stage:
        await stage.mark("platform#1", "platform#2")
        await stage.press("e")
        assert "one issue at a time" in stage.message


async def test_merge_requests_have_a_state(stage: Stage) -> None:
    issue = stage.world.issue(f"{GROUP}/platform#1")
    issue.merge_requests = [
        MergeRequest(iid=7, project=issue.project, title="Prepare", state="merged", pipeline="SUCCESS"),
        MergeRequest(iid=8, project=issue.project, title="Trim the slash", draft=True, pipeline="FAILED"),
    ]
    await stage.press("r")
    await stage.settle()
    await stage.focus("platform#1")
    await stage.press("enter")
    await stage.until(lambda: "!8" in facts_of(stage))
    said = facts_of(stage)
    assert "!8  draft  pipeline failed  Trim the slash" in said
    assert "!7  merged  Prepare" in said
    assert said.index("!8") < said.index("!7"), "what is open comes first"


def test_tasks_have_boxes_but_not_in_code() -> None:
    text = "- [x] done\n  * [ ] open\n1. [ ] third\n```\n- [ ] code\n```\n[ ] no task"
    assert description(text) == "- ☑ done\n  * ☐ open\n1. ☐ third\n```\n- [ ] code\n```\n[ ] no task"


def test_activity_comes_after_the_comments_and_is_folded() -> None:
    notes = [note(n, system=n % 2 == 0) for n in range(40)]
    shown = notes_content(notes).plain
    assert shown.startswith("Comments 20\n")
    comments, _, activity = shown.partition("Activity\n")
    assert comments.count("@") == 20
    assert activity.endswith("… 12 earlier")


def test_comments_are_wrapped_below_their_author_and_activity_below_its_day() -> None:
    now = WHEN + timedelta(days=3)
    view = NotesView(now=now, short_name=lambda name: name.removeprefix("eng_"))
    long = "This text is longer than a line of the pane is wide."
    notes = [
        Note(id="1", author="eng_a", body=f"{long}\n    indented", created_at=WHEN, thread="t"),
        Note(id="2", author="eng_b", body=long, created_at=now - timedelta(hours=3), thread="t"),
        Note(id="4", author="eng_c", body="closed", created_at=WHEN - timedelta(days=400), system=True),
        Note(id="3", author="eng_c", body=f"{long}\n\n<ul>", created_at=WHEN, system=True),
    ]
    assert notes_content(notes, 40, view).plain.splitlines() == [
        "Comments 2",
        "@a  3 days ago",
        "  This text is longer than a line of the",
        "  pane is wide.",
        "      indented",
        "  │ @b  3 hours ago",
        "  │ This text is longer than a line of",
        "  │ the pane is wide.",
        "",
        "Activity",
        "7 Dec       @c This text is longer than",
        "            a line of the pane is wide.",
        "            …",
        "2 Nov 2025  @c closed",
    ]


async def test_notes_are_wrapped_again_when_the_pane_has_another_width(stage: Stage) -> None:
    long = "This text is longer than half of the terminal: it takes several lines in there. " * 2
    stage.world.comment(f"{GROUP}/platform#1", long, by="eng_alder")
    await stage.press("enter")
    await stage.until(lambda: "This text" in notes_of(stage))

    def widest() -> int:
        return max(map(len, notes_of(stage).splitlines()))

    assert widest() <= stage.screen.pane.size.width
    await stage.pilot.resize_terminal(110, 45)
    await stage.until(lambda: widest() <= stage.screen.pane.size.width < 60)
    assert "several lines in there." in " ".join(notes_of(stage).split())


async def test_the_reference_is_above_the_title_with_the_keys_to_its_neighbours(stage: Stage) -> None:
    await stage.press("enter")
    head = stage.screen.pane.query_one(".detail-head", HeadLine)
    assert head.name_text == f"{GROUP}/platform#1"
    assert list(head.aside) == ["1 of 4 in bug", "n next", "N previous"]
    await stage.press("n")
    assert next(iter(head.aside)) == "2 of 4 in bug"


async def test_a_description_takes_no_empty_line_more_than_it_has(stage: Stage) -> None:
    text = "# Why\n\nWords.\n\n- [ ] task\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"
    stage.world.edit(f"{GROUP}/platform#1", by="pm_oak", description=text)
    await stage.press("enter")
    await stage.until(lambda: bool(stage.screen.pane.query("MarkdownTableContent")))
    await stage.pilot.pause()
    lines = screen_text(stage).splitlines()
    pane = [line[stage.screen.pane.region.x + 2 :].rstrip() for line in lines]
    start = pane.index("Description")
    shown = ["Description", "Why", "", "Words.", "", "☐ task", "", "a b", "1 2", "", "Comments"]
    assert [" ".join(line.split()) for line in pane[start : start + len(shown)]] == shown


def note(number: int, *, system: bool) -> Note:
    at = datetime(2026, 12, 1, tzinfo=UTC) + timedelta(hours=number)
    return Note(id=str(number), author="eng_birch", body="text", created_at=at, system=system)
