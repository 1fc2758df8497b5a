"""What GitLab would run in a text, and what it stores."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glboard_core.demo.world.texts import split
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
    "```\ncode\n```\t\n/close": "```\ncode\n```\t\n\\/close",
    "a ``` b\n/close\n` c": "a ``` b\n\\/close\n` c",
    "a `\n# b\n/close\nc `": "a `\n# b\n\\/close\nc `",
    "<kbd>Ctrl</kbd>+<kbd>P</kbd>\n/close": "<kbd>Ctrl</kbd>+<kbd>P</kbd>\n\\/close",
    "<https://example.com>\n/close": "<https://example.com>\n\\/close",
    "see\n<br/>\n/close": "see\n<br/>\n\\/close",
    "text\n    <!-- a\n/close": "text\n    <!-- a\n\\/close",
    "<pre>\n</style>\n/close": "<pre>\n</style>\n\\/close",
    "- a\n  ```\n  code\n/close": "- a\n  ```\n  code\n\\/close",
    "1. a\n   <!-- b\n/close": "1. a\n   <!-- b\n\\/close",
    ">>>\n/close": ">>>\n\\/close",
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
    "text\n<DIV class='a'>\n/close",
    '<a href="b" c=d e>\n/close\n</a>',
    "</span>\n/close",
    "- a\n\n<br />\n/close",
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


#: Lines that begin, end or only resemble blocks in which GitLab runs nothing.
LINES = [
    "/close", "/label ~x", "text", "- item", "1. one", "  ```", "```", "   ```", "    ```", "```\t", "```a`b",
    "~~~", "<kbd>x</kbd> y", "<div>", "</div>", "<b>", "</b>", "<https://x.y>", "<!-- a", "-->", "    <!-- q",
    "<pre>", "</pre>", "</style>", "> quote", "> ```", "# h", "", "a ``` b", "` c", "a `b` c", "  text",
    "  <!-- z", "  <div>", "| a | b |", "|--|--|", "===", "---", "<br/>", "<a href=x>", "<?php", "/close `",
    "`/close", " ", "- ```", "  /close", "[a]: /u", "<input disabled>", "\t```",
]  # fmt: skip


@settings(max_examples=500)
@given(st.lists(st.sampled_from(LINES), min_size=2, max_size=8))
def test_nothing_that_was_typed_runs(lines: list[str]) -> None:
    """As told by a Markdown parser, which GitLab asks, too."""
    assert split(literal("\n".join(lines)))[1] == []


@pytest.mark.parametrize("typed", RUN)
def test_it_would_run_without_the_backslash(typed: str) -> None:
    assert split(typed.replace("\r", ""))[1]


@given(st.text(st.sampled_from("a/ \n`\\cloe~>")))
def test_escaping_twice_changes_nothing_more(typed: str) -> None:
    once = literal(typed)
    assert literal(once) == once
    assert once.replace("\\/", "/").replace("\\", "") == typed.replace("\\/", "/").replace("\\", "")
