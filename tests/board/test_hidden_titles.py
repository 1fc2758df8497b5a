"""Titles of confidential issues in what people typed."""

from __future__ import annotations

import pytest

from glboard_core.board.hidden_titles import HiddenTitles
from glboard_core.board.share import about_hidden
from glboard_core.model.issue import IssueId

ONE, TWO = IssueId("gid://gitlab/WorkItem/1"), IssueId("gid://gitlab/WorkItem/2")


@pytest.fixture
def titles() -> HiddenTitles:
    found = HiddenTitles()
    found.add(ONE, "Leak of tokens at the second customer")
    found.add(TWO, "Layoffs")
    found.add(TWO, "Bug")
    found.add(TWO, "Fire drill")
    return found


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Who takes “leak of  TOKENS at the second customer”?", "Who takes “▒”?"),
        # One word could be any text of the program, such as the name of a board.
        ("Layoffs: when?", "Layoffs: when?"),
        # A short word is a word like any other, and so is a part of a longer one.
        ("Bug in layoffs2", "Bug in layoffs2"),
        ("fire-drill and fire", "▒ and fire"),
        ("Leak of tokens at the first customer", "Leak of tokens at the first customer"),
        ("", ""),
    ],
)
def test_whole_titles_are_hidden(titles: HiddenTitles, text: str, shown: str) -> None:
    assert titles.text(text, lambda _: "▒") == shown


def test_the_one_that_is_shown_may_be_named(titles: HiddenTitles) -> None:
    assert titles.text("Fire drill", lambda _: "▒", TWO) == "Fire drill"
    titles.add(ONE, "Fire drill")
    assert titles.text("Fire drill", lambda _: "▒", TWO) == "▒"
    titles.remove(ONE)
    titles.remove(TWO)
    assert not titles
    assert titles.text("Fire drill", lambda _: "▒") == "Fire drill"
    assert not titles.tells("Layoffs")


def test_some_words_in_a_row_tell_of_an_issue(titles: HiddenTitles) -> None:
    assert titles.tells("is the tokens at the second one known?")
    assert titles.tells("a fire drill")
    assert titles.tells("Layoffs: when?")
    assert not titles.tells("a bug")
    assert not titles.tells("tokens of the second")
    assert not titles.tells("Leak of tokens at the second customer", ONE)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("Nothing here", "Nothing here"),
        ("- Is org/platform#7 a leak?", "- org/platform#7: confidential"),
        ("  * see https://git.example/org/platform/-/issues/7 first", "  - PLACE: confidential"),
        ("platform#8 is open", "platform#8 is open"),
        (r"| org/platform#7 | x \| y | 3 | note |", "| org/platform#7 | (confidential) |  |  |"),
        ("About layoffs and more", "confidential"),
    ],
)
def test_of_a_line_about_a_hidden_issue_its_reference_stays(
    titles: HiddenTitles, line: str, shown: str
) -> None:
    def hides(path: str, iid: int) -> bool:
        return iid == 7 and "platform".startswith(path)

    shown = shown.replace("PLACE", "https://git.example/org/platform/-/issues/7")
    assert about_hidden(f"a\n{line}", hides, titles.tells, lambda *_: False) == f"a\n{shown}"
    without = about_hidden(line, hides, titles.tells, hides)
    assert "#7" not in without
    assert "issues/7" not in without
