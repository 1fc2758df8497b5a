"""What GitLab would run in a text, and what it stores."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glboard_core.model.stored_text import literal, stored

#: As typed, and as sent.
RUN = {
    "/label ~x": "\\/label ~x",
    "text\n/LABEL ~x\nmore": "text\n\\/LABEL ~x\nmore",
    "/close": "\\/close",
    "/close  \nmore": "\\/close  \nmore",
    "a\r\n/close\r\nb": "a\n\\/close\nb",
    "~~~\n/close\n~~~\n/close": "~~~\n/close\n~~~\n\\/close",
    "<details>\nfolded\n\n/close": "<details>\nfolded\n\n\\/close",
    "one ` backtick\n/close": "one ` backtick\n\\/close",
    "```never closed` `\n/close": "```never closed` `\n\\/close",
}
#: GitLab runs nothing in these.
LITERAL = [
    " /close",
    "\u00a0/close",
    "/usr/bin/env python",
    "/foo bar",
    "/cc @em",
    "see /close",
    "> /close",
    "\\/close",
    "`/close`",
    "```\n/close\n```\n",
    "````md\n```\n/close\n```\n/close\n````",
    "~~~\n/close\n~~~",
    "~~~~\n~~~\n/close\n~~~~",
    "   ```\n/close\n   ```",
    "    /close",
    "```\n/close",
    "<pre>\n/close\n\n/close\n</pre>",
    "<div>\n/close\n</div>",
    "<!-- a\n/close\n-->",
    ">>>\n/close\n>>>",
    "code `over\n/close\nlines` of text",
]


@pytest.mark.parametrize(("typed", "sent"), RUN.items())
def test_a_quick_action_is_escaped_where_gitlab_would_run_it(typed: str, sent: str) -> None:
    assert literal(typed) == sent
    assert literal(sent) == sent


@pytest.mark.parametrize("typed", LITERAL)
def test_text_that_gitlab_does_not_run_stays_as_typed(typed: str) -> None:
    assert literal(typed) == typed


def test_what_gitlab_stores() -> None:
    assert stored("a\r\nb\rc  \n\n") == "a\nbc"
    assert stored("\n  a\t b\n") == "\n  a\t b"


@given(st.text(st.sampled_from("a/ \n`\\cloe~>")))
def test_escaping_twice_changes_nothing_more(typed: str) -> None:
    once = literal(typed)
    assert literal(once) == once
    assert once.replace("\\/", "/").replace("\\", "") == typed.replace("\\/", "/").replace("\\", "")
