"""What is kept of a call: notes, questions, the edited text; and how a moment is typed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from msgspec import structs

from glboard_core.errors import UsageError
from glboard_core.planning.call import Call, PlanFigures, moment_of, new_call, newest_first, since
from support import make

NOW = datetime(2026, 12, 7, 15, 0, 1, 500, tzinfo=UTC)
UTC_ZONE, KOLKATA = ZoneInfo("UTC"), ZoneInfo("Asia/Kolkata")


def test_a_note_replaces_the_earlier_one_and_an_empty_one_removes_it() -> None:
    call = new_call("19.8", NOW).noted([make.issue(1), make.issue(2)], " Cheap. \n", NOW)
    assert [(note.reference, note.text) for note in call.notes] == [
        ("demo-org/platform#1", "Cheap."),
        ("demo-org/platform#2", "Cheap."),
    ]
    call = call.noted([make.issue(1)], "Who?", NOW)
    found = call.note_on(make.issue_id(1))
    assert found is not None
    assert found.asks
    assert call.noted([make.issue(1)], "  ", NOW).note_on(make.issue_id(1)) is None
    # What is noted on several at once replaces nothing.
    both = call.noted([make.issue(1), make.issue(2)], "Later.", NOW, add=True)
    assert {note.text for note in both.notes} == {"Who?\nLater.", "Cheap.\nLater."}
    assert call.noted([make.issue(1)], " ", NOW, add=True).notes == (*call.notes[:-1], found)


def test_a_note_follows_a_new_issue_to_its_id() -> None:
    new = make.issue(0, id="new:1", iid=0)
    call = new_call("19.8", NOW).noted([new], "Later.", NOW)
    created = call.renamed(new.id, make.issue_id(7), "demo-org/platform#7")
    found = created.note_on(make.issue_id(7))
    assert found is not None
    assert found.reference == "demo-org/platform#7"
    assert call.renamed(make.issue_id(3), make.issue_id(4), "x") is call


def test_questions_are_lines_each_once() -> None:
    call = new_call("19.8", NOW).asking("Who leads?\n\n  When   then?\nWho leads?\n")
    assert call.questions == ("Who leads?", "When then?")
    assert call.asking("").questions == ()


def test_the_text_is_edited_until_it_is_the_generated_one_again() -> None:
    call = new_call("19.8", NOW).edited("Mine\n", "Generated")
    assert (call.text, call.text_from) == ("Mine", "Generated")
    for text in ("", "Generated\n"):
        assert call.edited(text, "Generated").text == ""


def test_each_call_and_each_span_has_a_comment_of_its_own() -> None:
    call, span = new_call("19.8", NOW), since("19.8", NOW)
    later = structs.replace(span, started=NOW + timedelta(days=1))
    assert len({call.mark, new_call("19.8", NOW + timedelta(seconds=1)).mark, span.mark, later.mark}) == 4
    # Also when the milestone is renamed.
    assert structs.replace(call, milestone="19.8 GA").mark == call.mark
    assert structs.replace(span, milestone="19.8 GA").mark == span.mark
    assert call.goes_on
    assert not span.goes_on


def test_a_call_is_kept_whole() -> None:
    call = new_call("19.8", NOW, before=PlanFigures(planned=3, accepted=1, unweighted=0, total=9.5))
    call = call.noted([make.issue(1)], "Who?\nWhen?", NOW).asking("What?")
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(call), type=Call) == call
    older = new_call("19.8", NOW - timedelta(days=1))
    assert newest_first([older, call]) == [call, older]


@pytest.mark.parametrize(
    ("typed", "zone", "moment"),
    [
        ("7d", UTC_ZONE, NOW - timedelta(days=7)),
        (" 36H ", UTC_ZONE, NOW - timedelta(hours=36)),
        ("2026-12-01", UTC_ZONE, datetime(2026, 12, 1, tzinfo=UTC)),
        ("2026-12-01", KOLKATA, datetime(2026, 11, 30, 18, 30, tzinfo=UTC)),
        ("12-01", UTC_ZONE, datetime(2026, 12, 1, tzinfo=UTC)),
        ("2026-12-07T14:00", KOLKATA, datetime(2026, 12, 7, 8, 30, tzinfo=UTC)),
        ("2026-12-07T14:00Z", KOLKATA, datetime(2026, 12, 7, 14, 0, tzinfo=UTC)),
    ],
)
def test_a_moment_can_be_typed_in_several_ways(typed: str, zone: ZoneInfo, moment: datetime) -> None:
    assert moment_of(typed, NOW, zone) == moment


@pytest.mark.parametrize("typed", ["", "soon", "7", "12-01, 12-02", "2027-01-01", "2026-13-01", "25:00"])
def test_a_moment_that_is_none_or_to_come_is_an_error(typed: str) -> None:
    with pytest.raises(UsageError, match=r"is not a date or time|is in the future"):
        moment_of(typed, NOW, UTC_ZONE)
