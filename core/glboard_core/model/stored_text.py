"""Text as GitLab stores it, and how to keep it from running what a person only wrote down.

Owns GitLab's rules for quick actions and line breaks in descriptions and comments (API note 4). Every
function takes one pass over the text: anybody can write a comment of a million characters.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from functools import partial
from itertools import product
from typing import NamedTuple

#: A line that GitLab may run: a slash in the first column, a name, and a blank or the end of the line.
_COMMAND = re.compile(r"/(?P<name>[a-z_]+)(?: .*|[ \t\f\v]*)", re.IGNORECASE)
_FENCE = re.compile(r" {0,3}(?P<fence>`{3,}|~{3,})(?P<info>.*)")
_QUOTE = re.compile(r">>>[ \t]*")
_COMMENT = re.compile(r" {0,3}<!--")
_LITERAL_TAG = re.compile(r" {0,3}<(?:pre|script|style|textarea)(?=[ \t>]|$)", re.IGNORECASE)
_LITERAL_END = re.compile(r"</(?:pre|script|style|textarea)>", re.IGNORECASE)
#: Tags that begin a block of HTML wherever they begin a line (CommonMark's sixth kind).
_BLOCK_TAGS = """
    address article aside base basefont blockquote body caption center col colgroup dd details dialog dir div
    dl dt fieldset figcaption figure footer form frame frameset h1 h2 h3 h4 h5 h6 head header hr html iframe
    legend li link main menu menuitem nav noframes ol optgroup option p param search section summary table
    tbody td tfoot th thead title tr track ul
"""
_HTML = re.compile(rf" {{0,3}}</?(?:{'|'.join(_BLOCK_TAGS.split())})(?=[ \t>]|/>|$)", re.IGNORECASE)
_ATTRIBUTE = r"""[ \t]+[a-z_:][\w:.-]*(?:[ \t]*=[ \t]*(?:[^\s"'=<>`]+|'[^']*'|"[^"]*"))?"""
#: Any other tag begins one only if it is complete, alone on its line, and not within a paragraph.
_LONE_TAG = re.compile(
    rf" {{0,3}}<(?:/[a-z][a-z0-9-]*[ \t]*|[a-z][a-z0-9-]*(?:{_ATTRIBUTE})*[ \t]*/?)>[ \t]*", re.IGNORECASE
)
_LIST_ITEM = re.compile(r" {0,3}(?:[-*+]|[0-9]{1,9}[.)])(?:[ \t]|$)")
#: How a line begins that may not continue the paragraph before it.
_MAY_BEGIN = re.compile(r"[\s#>|=<~*+_-]|[0-9]+[.)]")

#: The quick actions of GitLab 16 to 19, with their aliases. Another name after a slash is only text.
_NAMES = """
    add_child add_contacts add_email approve assign assign_reviewer award blocked_by blocks board_move
    checkin_reminder child_epic clear_health_status clear_weight clone close confidential convert_to_ticket
    copy_metadata create_merge_request done draft due duplicate epic estimate estimate_time health_status
    invite_email iteration label labels link lock merge milestone move page parent_epic promote promote_to
    promote_to_incident publish react ready reassign reassign_reviewer rebase relabel relate remove_child
    remove_child_epic remove_contacts remove_due_date remove_email remove_epic remove_estimate
    remove_iteration remove_label remove_milestone remove_parent remove_parent_epic remove_reviewer
    remove_time_estimate remove_time_spent remove_zoom reopen open request_changes request_review set_parent
    severity ship shrug spend spend_time spent status submit_review subscribe tableflip tag target_branch
    task timeline title todo type unapprove unassign unassign_reviewer unlabel unlink unlock unrelate
    unsubscribe weight wip zoom
"""
_ACTIONS = frozenset(_NAMES.split())


def stored(text: str) -> str:
    r"""The text as GitLab stores it: ``\n`` between lines, no lone ``\r``, nothing blank at the end."""
    return _unix(text).rstrip()


def _unix(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "")


def literal(text: str) -> str:
    r"""The text with a backslash before each quick action that GitLab would run.

    Markdown renders ``\/`` as ``/``, so readers see what was typed. Code, quotes and HTML stay as they are:
    GitLab runs nothing there, and would show the backslash. Where that cannot be told, the backslash is the
    lesser evil.
    """
    if "/" not in text:
        return text
    # GitLab removes carriage returns before it looks for commands.
    lines = _unix(text).split("\n")
    lists = (False, True) if any(map(_LIST_ITEM.match, lines)) else (False,)
    tags = (False, True) if any(map(_LONE_TAG.fullmatch, lines)) else (False,)
    for n in set[int]().union(*(_commands(lines, *how) for how in product(lists, tags))):
        lines[n] = f"\\{lines[n]}"
    return "\n".join(lines)


def _commands(lines: list[str], in_lists: bool, lone_tags: bool) -> set[int]:
    """The lines that GitLab would run. ``in_lists`` tells whether an indented block belongs to an item of a
    list, and therefore ends with it; ``lone_tags`` whether a tag on its own line begins HTML after text, too,
    as it does where that is a heading."""
    found: set[int] = set()
    paragraph: list[int] = []
    block: _Block | None = None
    last_quote = max((n for n, line in enumerate(lines) if _QUOTE.fullmatch(line)), default=-1)
    for n, line in enumerate(lines):
        blank = not line.strip(" \t")
        if block is not None and not (block.indented and in_lists and not blank and line[:2].strip()):
            block = None if block.ends(line) else block
        elif (
            block := _opened(line, lone_tags=lone_tags or not paragraph, quotes=n < last_quote)
        ) is not None:
            found |= _in_paragraph(lines, paragraph)
            paragraph = []
            block = None if block.one_line else block
        elif not blank:
            paragraph.append(n)
        else:
            found |= _in_paragraph(lines, paragraph)
            paragraph = []
    return found | _in_paragraph(lines, paragraph)


def _in_paragraph(lines: list[str], paragraph: list[int]) -> set[int]:
    """The commands among the lines of one paragraph: those within inline code never run."""
    found = {
        n
        for n in paragraph
        if (named := _COMMAND.fullmatch(lines[n])) is not None and named["name"].lower() in _ACTIONS
    }
    if not found or any(map(_MAY_BEGIN.match, (lines[n] for n in paragraph))):
        return found  # perhaps several paragraphs: a backtick need not have its pair in the same one
    text = "\n".join(lines[n] for n in paragraph)
    begins: dict[int, int] = {}
    at = 0
    for n in paragraph:
        begins[n] = at
        at += len(lines[n]) + 1
    rest = deque(sorted(found))
    start = text.find("`")
    # As GitLab pairs them: up to the next backtick, with one character between at least.
    while rest and start >= 0 and (end := text.find("`", start + 2)) >= 0:
        while rest and begins[rest[0]] < end:
            n = rest.popleft()
            found -= {n} if start < begins[n] else set()
        start = text.find("`", end + 1)
    return found


class _Block(NamedTuple):
    """A block of code, quote or HTML, and how its last line is found."""

    ends: Callable[[str], bool]
    #: Whether it may be part of a list's item.
    indented: bool
    #: Whether it ends in the line that opens it.
    one_line: bool = False


def _opened(line: str, *, lone_tags: bool, quotes: bool) -> _Block | None:
    """The block that this line opens. ``quotes`` tells whether a quote would end, ``lone_tags`` whether any
    tag on its own line begins HTML."""
    indented = line.startswith("  ")
    if (found := _FENCE.match(line)) is not None and not ("`" in found["info"] and found["fence"][0] == "`"):
        return _Block(partial(_ends_fence, found["fence"]), indented)
    if quotes and _QUOTE.fullmatch(line):
        return _Block(lambda later: bool(_QUOTE.fullmatch(later)), indented)
    if _COMMENT.match(line):
        return _Block(lambda later: "-->" in later, indented, "-->" in line)
    if _LITERAL_TAG.match(line):
        ends = _LITERAL_END.search
        return _Block(lambda later: bool(ends(later)), indented, bool(ends(line)))
    if _HTML.match(line) or (lone_tags and _LONE_TAG.fullmatch(line)):
        return _Block(lambda later: not later.strip(" \t"), indented)
    return None


def _ends_fence(fence: str, line: str) -> bool:
    # By at least as many of the same character, and nothing else.
    bare = line.strip(" \t")
    indent = line[: len(line) - len(line.lstrip(" \t"))]
    return len(bare) >= len(fence) and not bare.strip(fence[0]) and len(indent) < 4 and "\t" not in indent
