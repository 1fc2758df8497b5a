"""Text as GitLab stores it, and how to keep it from running what a person only wrote down.

Owns GitLab's rules for quick actions and line breaks in descriptions and comments (API note 4). Every
function takes one pass over the text: anybody can write a comment of a million characters.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

#: A line that GitLab may run: a slash in the first column, a name, and a blank or the end of the line.
_COMMAND = re.compile(r"/(?P<name>[a-z_]+)(?: .*|[ \t\f\v]*)", re.IGNORECASE)
_FENCE = re.compile(r" {0,3}(?P<fence>`{3,}|~{3,})(?P<info>.*)")
_LITERAL_TAG = re.compile(r" {0,3}<(?P<tag>pre|script|style|textarea)(?=[\s>]|$)", re.IGNORECASE)
_HTML = re.compile(r" {0,3}</?[a-z][\w-]*(?=[\s/>]|$)", re.IGNORECASE)

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
    GitLab runs nothing there, and would show the backslash.
    """
    if "/" not in text:
        return text
    # GitLab removes carriage returns before it looks for commands.
    lines = _unix(text).split("\n")
    paragraph: list[int] = []
    block: _Block | None = None
    for n, line in enumerate(lines):
        if block is not None:
            block = None if block.ends(line) else block
        elif (block := _opened(line)) is not None:
            _escape(lines, paragraph)
            block = None if block.one_line else block
        elif line.strip():
            paragraph.append(n)
        else:
            _escape(lines, paragraph)
    _escape(lines, paragraph)
    return "\n".join(lines)


def _escape(lines: list[str], paragraph: list[int]) -> None:
    """Escape the quick actions of one paragraph, and empty it. Those within inline code never run."""
    left = sum(lines[n].count("`") for n in paragraph)
    in_code = False
    for n in paragraph:
        line = lines[n]
        if not in_code or not left:
            found = _COMMAND.fullmatch(line)
            if found is not None and found["name"].lower() in _ACTIONS:
                lines[n] = f"\\{line}"
        left -= line.count("`")
        in_code ^= bool(line.count("`") % 2)
    paragraph.clear()


class _Block(NamedTuple):
    """A block of code, quote or HTML, and how its last line is found."""

    ends: Callable[[str], bool]
    #: Whether it ends in the line that opens it.
    one_line: bool = False


def _opened(line: str) -> _Block | None:
    """The block that this line opens."""
    if (found := _FENCE.match(line)) is not None and not ("`" in found["info"] and found["fence"][0] == "`"):
        return _Block(partial(_ends_fence, found["fence"]))
    if line.rstrip() == ">>>":
        return _Block(lambda later: later.rstrip() == ">>>")
    if line.lstrip(" ").startswith("<!--"):
        return _Block(lambda later: "-->" in later, "-->" in line)
    if (found := _LITERAL_TAG.match(line)) is not None:
        end = f"</{found['tag']}>".lower()
        return _Block(lambda later: end in later.lower(), end in line.lower())
    if _HTML.match(line):
        return _Block(lambda later: not later.strip())
    return None


def _ends_fence(fence: str, line: str) -> bool:
    # By at least as many of the same character, and nothing else.
    bare = line.strip(" \n")
    return len(bare) >= len(fence) and not bare.strip(fence[0]) and len(line) - len(line.lstrip(" ")) < 4
