"""What a person wrote in an issue survives every update; parts between intact markers are regenerated."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glboard_core.planning.planning_issue import (
    appended,
    is_owned,
    merge,
    owner_mark,
    same,
    wrapped,
)

OLD = wrapped("dates", "from then\n\nto then")


def test_only_text_between_the_markers_is_replaced() -> None:
    before = f"Hello\n\n{OLD}\n\n- [x] done\n"
    found = merge(before, {"dates": "other days"})
    assert found.changed == ("dates",)
    assert found.text == f"Hello\n\n{wrapped('dates', 'other days')}\n\n- [x] done\n"
    assert merge(found.text, {"dates": "other days"}).text == found.text
    assert merge(found.text, {"dates": "other days"}).changed == ()


@pytest.mark.parametrize(
    ("before", "why"),
    [
        ("nothing of ours", "its markers were removed"),
        (OLD.replace("to then", "to then, I say"), "edited by hand"),
        (OLD.split("to then")[0], "do not form a pair"),
        (OLD + "\n" + OLD, "do not form a pair"),
        (OLD.replace("from then", wrapped("boards", "x")), "do not form a pair"),
        ("<!-- glboard:end dates -->\n<!-- glboard:begin dates 00000000 -->", "do not form a pair"),
    ],
)
def test_part_edited_by_a_person_is_left_unchanged_and_reported(before: str, why: str) -> None:
    found = merge(before, {"dates": "other days"})
    assert found.text == before
    assert found.changed == ()
    assert [*found.kept] == ["dates"]
    assert why in found.kept["dates"]


def test_emptied_part_is_regenerated() -> None:
    begin, end = OLD.splitlines()[0], OLD.splitlines()[-1]
    found = merge(f"{begin}\n{end}", {"dates": "other days"})
    assert found.text == wrapped("dates", "other days")


def test_blanks_and_longer_table_rules_are_no_edit() -> None:
    table = wrapped("dates", "| a | b |\n| --- | ---: |\n| 1 | 2 |")
    padded = table.replace("| --- | ---: |", "| ------ | ----: |").replace("\n", "\r\n")
    assert merge(padded, {"dates": "| a | b |\n| --- | ---: |\n| 1 | 2 |"}).changed == ()
    assert merge(padded, {"dates": "new"}).changed == ("dates",)


def test_foreign_issue_keeps_its_text_and_gets_the_parts_appended() -> None:
    found = appended("What a person wrote\n", {"dates": "days", "boards": "links"}, "19.8")
    assert found.text.startswith("What a person wrote\n\n## Dates\n\n<!-- glboard:begin dates")
    assert is_owned(found.text, "19.8")
    assert not is_owned(found.text, "19.9")
    assert merge(found.text, {"dates": "days", "boards": "links"}).changed == ()
    assert merge("", {"dates": "x"}).kept == {"dates": "its markers were removed"}


def test_marker_of_an_odd_title_does_not_end_the_comment() -> None:
    mark = owner_mark("19.8 --> <b>")
    assert mark.count("-->") == 1
    assert is_owned(mark, "19.8 --> <b>")


def test_line_endings_make_no_difference() -> None:
    assert same("a \r\nb\n\n", "a\nb")
    assert not same("a\nb", "a\n\nb")


written = st.text(alphabet="ab \n|<!->[]xglboard:beginend ", max_size=60)


@given(before=written, after=written, parts=st.lists(written, min_size=2, max_size=2))
def test_text_around_the_parts_is_never_lost(before: str, after: str, parts: list[str]) -> None:
    first, second = ({"dates": part} for part in parts)
    text = f"{before}\n{wrapped('dates', first['dates'])}\n{after}"
    found = merge(text, second)
    if found.changed:
        assert found.text == f"{before}\n{wrapped('dates', second['dates'])}\n{after}"
    else:
        assert found.text == text
    assert merge(found.text, second).text == found.text
