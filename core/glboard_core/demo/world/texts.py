"""What GitLab does to a text: line breaks become plain, quick actions are taken out.

A quick action is a line that begins with `/` and a known name, in a paragraph that is not part of a list, a
quote or HTML, and outside inline code. As in GitLab, a Markdown parser tells what is a paragraph. Anything
before the `/`, be it a blank, makes it ordinary text.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

KNOWN = frozenset(
    {
        "weight", "clear_weight", "label", "labels", "unlabel", "relabel", "milestone", "remove_milestone",
        "assign", "unassign", "close", "reopen", "confidential", "status", "duplicate",
        "shrug", "tableflip",
    }
)  # fmt: skip
#: Only a space divides the name from what follows. Inline code goes first, however it is paired in Markdown.
_COMMAND = re.compile(
    rf"`.+?`|^<[^>]+?>\n.+?\n</[^>]+?>$|^/(?P<name>{'|'.join(sorted(KNOWN))})"
    r"(?: (?P<argument>[^\n]*?))?[ \t\f\v]*(?:\n+|\Z)",
    re.DOTALL | re.MULTILINE | re.IGNORECASE,
)
_QUOTE = re.compile(r">>>[ \t]*")


#: More digits than any id or number here has.
_WHOLE = re.compile(r"[0-9]{1,18}")


def whole(text: object) -> int | None:
    """The number that a text is; None if it is none, be it that its digits are others or too many."""
    return int(str(text)) if _WHOLE.fullmatch(str(text)) else None


def normalised(text: str) -> str:
    """A text as it is stored: LF line breaks, no lone CR, none at the end."""
    return text.replace("\r\n", "\n").replace("\r", "").rstrip("\n")


@cache
def _markdown() -> MarkdownIt:
    # Rarely needed: keep it out of the start.
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark").enable("table").disable("inline")


def _paragraphs(lines: list[str]) -> list[tuple[int, int]]:
    """The first line of each paragraph at the top level, and the one after its last."""
    tokens = [one for one in _markdown().parse("\n".join(lines)) if one.level == 0 and one.map is not None]
    marks = [
        one.map[0]
        for one in tokens
        if one.type == "blockquote_open" and one.map and _QUOTE.fullmatch(lines[one.map[0]])
    ]
    quoted = list(zip(marks[::2], marks[1::2], strict=False))
    found = [(one.map[0], one.map[1]) for one in tokens if one.type == "paragraph_open" and one.map]
    return [one for one in found if not any(first < one[0] < last for first, last in quoted)]


def split(body: str) -> tuple[str, list[tuple[str, str]]]:
    """A text without its quick actions, and those: name and argument."""
    lines = body.split("\n")
    commands: list[tuple[str, str]] = []
    if not any(line.startswith("/") for line in lines):
        return body.rstrip("\n"), commands

    def taken(found: re.Match[str]) -> str:
        if found["name"] is None:
            return found[0]
        commands.append((found["name"].lower(), found["argument"] or ""))
        return ""

    kept: list[str] = []
    done = 0
    for first, last in _paragraphs(lines):
        # With the blank line after it, which goes along with a command at its end.
        end = last + 1 if lines[last : last + 1] == [""] else last
        kept += [f"{line}\n" for line in lines[done:first]]
        kept.append(_COMMAND.sub(taken, "".join(f"{line}\n" for line in lines[first:end])))
        done = end
    kept += [f"{line}\n" for line in lines[done:]]
    return "".join(kept).rstrip("\n"), commands
