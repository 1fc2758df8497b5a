"""No one stops the program by writing a comment: what is done with remote text takes one pass over it.

The default tests use sizes at which anything that grows with the square does not end within the run; the slow
one measures that twice the text takes about twice the time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import pytest

from glboard_core.board.find import best_of, findable
from glboard_core.board.share import Masking, about_hidden, without_references
from glboard_core.config import ShareSettings
from glboard_core.gitlab import markers
from glboard_core.gitlab.graphql import GraphError
from glboard_core.model import clean_text
from glboard_core.model.issue import IssueId, place_of
from glboard_core.model.stored_text import literal, stored
from glboard_core.planning.milestone_setup import Seen, SeenIssue
from glboard_core.planning.planning_issue import is_owned, merge
from glboard_core.planning.text import plain
from glboard_tui.screens.prompts import wrong_weight
from glboard_tui.widgets import markdown
from glboard_tui.widgets.text import clean, clean_lines
from hostile.values import TEXTS
from support.make import issue

LABELS = Masking(ShareSettings(words=("Acme",), labels=("cust*om?r", "*of-a-customer", "a*b*c")))


def hides(path: str, number: int) -> bool:
    return number == 0


#: Everything that remote text passes through.
PASSES: dict[str, Callable[[str], object]] = {
    "line": clean_text.line,
    "body": clean_text.clean_body,
    "marker": markers.split_marker,
    "mark": markers.split_mark,
    "literal": literal,
    "stored": stored,
    "plain": plain,
    "planning issue": lambda text: is_owned(text, "19.9"),
    "sections": lambda text: merge(text, {"capacity": "x"}),
    "clean": clean,
    "clean lines": clean_lines,
    "description": markdown.description,
    "comment": markdown.comment,
    "references": lambda text: without_references(text, hides, str),
    "typed": lambda text: about_hidden(text, hides, lambda _: False, hides),
    "masked": LABELS.text,
    "error": lambda text: (GraphError(message=text).fine_grained, GraphError(message=text).missing_field),
}
LARGE = 100_000


@pytest.mark.parametrize("name", TEXTS)
def test_a_comment_of_any_size_takes_one_pass(name: str) -> None:
    text = TEXTS[name](LARGE)
    for step in PASSES.values():
        step(text)


@pytest.mark.parametrize("name", TEXTS)
def test_what_is_laid_out_is_bounded(name: str) -> None:
    text = TEXTS[name](LARGE)
    shown = markdown.description(text)
    assert len(shown) < markdown.MOST_CHARACTERS + 200
    blocks = sum(token.nesting == 1 for token in markdown.parser().parse(shown))
    assert blocks <= 4 * markdown.MOST_BLOCKS
    assert markdown.comment(text).count("\n") < markdown.MOST_NOTE_LINES + 3


@pytest.mark.parametrize("title", ["a" * 2_000, "b" * 20 + "a" * 2_000], ids=len)
def test_no_title_holds_up_the_search(title: str) -> None:
    found = best_of("a" * 15 + "b", [findable("issue", "1", title)] * 5, 8)
    assert not found.best


def test_scattered_letters_are_found_where_they_come_first() -> None:
    def places(query: str, text: str) -> Sequence[int]:
        hits = best_of(query, [findable("issue", "1", text)], 8).best
        return hits[0].letters if hits else ()

    assert places("abcd", "xa.b.c.d") == [1, 3, 5, 7]
    # The first letter that leads on, not the first of all; and no letters far from one another.
    assert places("abcd", "a" + "-" * 9 + "a.bc.d") == [10, 12, 13, 15]
    assert places("abcd", "abc" + "-" * 8 + "d") == [0, 1, 2, 11]
    assert not places("abcd", "abc" + "-" * 9 + "d")


@pytest.mark.slow
@pytest.mark.parametrize("step", PASSES)
@pytest.mark.parametrize("name", TEXTS)
def test_twice_the_text_takes_about_twice_the_time(name: str, step: str) -> None:
    def seconds(n: int) -> float:
        text = TEXTS[name](n)
        started = time.process_time()
        PASSES[step](text)
        return time.process_time() - started

    once = min(seconds(4 * LARGE) for _ in range(3))
    twice = min(seconds(8 * LARGE) for _ in range(3))
    assert twice < 3.2 * once + 0.02


def test_no_number_in_a_text_is_too_long() -> None:
    digits = "1" * 5_000
    # Neither is a number of an issue, whatever its first digits are.
    for text in (f"app#{digits}", f"top/app/-/issues/{digits}"):
        assert without_references(text, lambda *_: True, lambda _: "x") == text
    assert without_references("app#12 top/app/-/issues/12", lambda *_: True, lambda _: "x") == "x x"
    assert "cannot exceed" in wrong_weight(digits)
    assert place_of(None, IssueId(f"gid://gitlab/WorkItem/{digits}")) > 0
    assert place_of(None, IssueId("gid://gitlab/WorkItem/²")) > 0
    marked = SeenIssue(issue(1), f"<!-- glboard boards 7 --> <!-- glboard boards {digits} -->")
    assert Seen(issues=(marked,)).ours == {7}
