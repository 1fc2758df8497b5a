"""Descriptions and comments of others, bounded before they are laid out.

Anybody can write a comment of a million characters, and each paragraph, list entry and table cell becomes a
widget. So text is cut to what a person reads in a terminal, by counting what each line can become, in one
pass and before anything parses it; the rest is one key away in the browser.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from glboard_tui.widgets.text import clean_lines

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_core import StateCore

#: What is shown of a description: characters, and widgets (a line, a table cell, a list entry).
MOST_CHARACTERS, MOST_BLOCKS = 20_000, 400
#: What is shown of one comment.
MOST_OF_NOTE, MOST_NOTE_LINES = 4_000, 60

# The signs in front of a line's text: each can open a quote or a list within the one before.
_OPENERS = re.compile(r"[\s>*+.)\d-]*")
#: A task: the sign of its list entry, and its box.
_TASK = re.compile(r"^(\s{0,12}(?:[-*+]|\d{1,9}[.)])\s+)\[([ xX~])\]\s")
_COMMENT, _COMMENT_END = "<!--", "-->"

#: The box of a task that is open, done, or no longer needed.
_BOXES = ("☐", "☑", "☒")
#: In front of the task that has the focus.
FOCUSED = "▸"


def description(text: str, task: int | None = None) -> str:
    """A description as Markdown, cut to what can be laid out; says how much is left out.

    ``task``: the number of the task that has the focus.
    """
    return _with_boxes(_cut(text, MOST_CHARACTERS, MOST_BLOCKS), task)


def comment(text: str) -> str:
    """A comment as plain text, cut in the same way."""
    return _cut(text, MOST_OF_NOTE, MOST_NOTE_LINES).rstrip()


def _with_boxes(text: str, task: int | None) -> str:
    """The tasks of a list with a box, ticked or not, except in code."""
    lines, fence = text.split("\n"), ""
    number = 0
    for at, line in enumerate(lines):
        mark = line.lstrip()[:3]
        if mark in ("```", "~~~"):
            fence = "" if fence == mark else fence or mark
        elif not fence:
            found = _TASK.match(line)
            if found is None:
                continue
            box = _BOXES[0 if found[2] == " " else 1 if found[2] in "xX" else 2]
            sign = f"{FOCUSED} {box} " if number == task else f"{box} "
            lines[at] = found[1] + sign + line[found.end() :]
            number += 1
    return "\n".join(lines)


def _cut(text: str, characters: int, blocks: int) -> str:
    lines: list[str] = []
    left = blocks
    visible = _without_comments(text[: 4 * characters])
    rest = max(len(text) - 4 * characters, 0)
    for line in visible.splitlines():
        left -= _cost(line)
        characters -= len(line) + 1
        if left < 0 or characters < 0:
            break
        lines.append(line.replace("\t", "    "))
    shown = clean_lines("\n".join(lines))
    rest += len(visible) - sum(len(line) + 1 for line in lines)
    if rest > 1:
        shown += f"\n\n… and {rest:,} more characters; press o to open the issue in the browser."
    return shown


def _cost(line: str) -> int:
    opened = _OPENERS.match(line)
    signs = 0 if opened is None else sum(not one.isspace() and not one.isdigit() for one in opened[0])
    # A ruler of dashes is one widget.
    return 1 + line.count("|") + (signs if line.strip(" -*_") else 0)


def _without_comments(text: str) -> str:
    """HTML comments are invisible in GitLab, so they are here; one that never ends hides the rest there."""
    parts: list[str] = []
    at = 0
    while (begin := text.find(_COMMENT, at)) >= 0:
        parts.append(text[at:begin])
        end = text.find(_COMMENT_END, begin)
        if end < 0:
            return "".join(parts)
        at = end + len(_COMMENT_END)
    return "".join([*parts, text[at:]])


def parser() -> MarkdownIt:
    """The parser for descriptions: no HTML, and no syntax highlighting, which is not linear for all input."""
    # The parser and Textual's Markdown take longer to import than a board to paint: only with an issue open.
    from markdown_it import MarkdownIt

    found = MarkdownIt("gfm-like", {"html": False})
    found.core.ruler.push("plain code", _plain_code)
    found.core.ruler.push("boxes alone", _boxes_alone)
    return found


def _plain_code(state: StateCore) -> None:
    for token in state.tokens:
        if token.type == "fence":
            token.info = ""


def _boxes_alone(state: StateCore) -> None:
    """A task has its box in place of a bullet."""
    tokens = state.tokens
    for at, token in enumerate(tokens):
        if token.type == "list_item_open" and not token.info and at + 2 < len(tokens):
            text = tokens[at + 2].content if tokens[at + 2].type == "inline" else ""
            if text.startswith((*_BOXES, FOCUSED)):
                token.info = " "
