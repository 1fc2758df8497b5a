"""Cursor and marks of a list: they stick to issues, and issues that left the list do not act."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from glboard_core.model.issue import IssueId
from glboard_tui.widgets.selection import Listed


def ids(text: str) -> list[IssueId]:
    return [IssueId(letter) for letter in text]


def listed(text: str, at: int = 0) -> Listed:
    made = Listed()
    made.replace(ids(text))
    made.go(at)
    return made


def test_cursor_stays_on_its_issue() -> None:
    lines = listed("abc", 1)
    lines.replace(ids("xyabc"))
    assert lines.here == "b"


def test_cursor_moves_to_the_next_issue_when_its_issue_leaves() -> None:
    lines = listed("abcde", 2)
    lines.replace(ids("ade"))  # b and c left at once
    assert lines.here == "d"
    lines.replace(ids("xa"))
    assert lines.here == "a"
    lines.replace([])
    assert lines.here is None
    assert lines.targets == []


def test_only_listed_marks_act_in_list_order() -> None:
    lines = listed("abcd", 2)
    lines.toggle()
    lines.go(0)
    lines.toggle()
    lines.go(3)
    assert lines.targets == ["a", "c"]
    lines.replace(ids("bcd"))
    assert lines.targets == ["c"]
    lines.replace(ids("bd"))
    assert lines.targets == [lines.here]


def test_range_follows_the_cursor_and_keeps_earlier_marks() -> None:
    lines = listed("abcde")
    lines.toggle()
    lines.go(2)
    assert lines.range()
    lines.go(4)
    assert lines.selected == ["a", "c", "d", "e"]
    lines.go(3)
    assert lines.selected == ["a", "c", "d"]
    assert not lines.range()
    lines.go(0)
    assert lines.selected == ["a", "c", "d"]


def test_escape_ends_the_range_then_clears_marks_then_does_nothing() -> None:
    lines = listed("abc")
    lines.range()
    lines.go(1)
    assert [lines.escape(), lines.escape(), lines.escape()] == ["range", "selection", ""]
    lines.selection.restore()
    assert lines.selected == ["a", "b"]


def test_mark_all_and_none() -> None:
    lines = listed("abc")
    lines.all()
    assert lines.selected == ["a", "b", "c"]
    lines.all()
    assert lines.selected == []


@given(
    st.lists(st.text("abcdefgh", max_size=8).map(lambda t: "".join(dict.fromkeys(t))), min_size=2), st.data()
)
def test_cursor_is_always_on_a_line(steps: list[str], data: st.DataObject) -> None:
    lines = Listed()
    for text in steps:
        lines.replace(ids(text))
        lines.go(data.draw(st.integers(-1, 9)))
        if data.draw(st.booleans()):
            lines.toggle()
        assert (lines.here in lines.ids) == bool(lines.ids)
        assert set(lines.targets) <= set(lines.ids)
