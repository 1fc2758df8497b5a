"""The tasks of a description: the lines of its lists with a box, and ticking one of them.

Pure. Ticking changes one character; everything else stays as it is, byte for byte. What GitLab does not show
as a task is none here either: in code, and in an HTML comment.
"""

from __future__ import annotations

import re

from msgspec import Struct

#: The sign of a list entry, in quotes perhaps, and its box.
_TASK = re.compile(r"^(?P<lead>[ \t>]{0,40}(?:[-*+]|\d{1,9}[.)])[ \t]+\[)(?P<box>[ xX~])\](?=[ \t])")
_FENCE = re.compile(r"^[ \t>]*(?P<mark>`{3,}|~{3,})")
_COMMENT, _COMMENT_END = "<!--", "-->"


class Task(Struct, frozen=True):
    """A task: where the character in its box is, and its text. ``~`` marks one that does not apply."""

    at: int
    box: str
    text: str

    @property
    def done(self) -> bool:
        """Whether it is ticked."""
        return self.box in "xX"

    @property
    def applies(self) -> bool:
        """Whether it can be ticked: one that was marked as not applicable is left alone."""
        return self.box != "~"


def tasks(source: str) -> tuple[Task, ...]:
    """The tasks of a description, in order."""
    found: list[Task] = []
    fence = ""
    hidden = False
    start = 0
    for line in source.splitlines(keepends=True):
        at, start = start, start + len(line)
        if hidden:
            hidden = _COMMENT_END not in line
            continue
        if (mark := _FENCE.match(line)) is not None:
            sign = mark["mark"]
            if not fence:
                fence = sign
            elif sign[0] == fence[0] and len(sign) >= len(fence):
                fence = ""
            continue
        if fence:
            continue
        opened = line.rfind(_COMMENT)
        if (task := _TASK.match(line)) is not None and not -1 < line.find(_COMMENT) < task.end():
            found.append(Task(at + task.end("lead"), task["box"], line[task.end() :].strip()))
        hidden = opened >= 0 and _COMMENT_END not in line[opened:]
    return tuple(found)


def toggled(source: str, task: Task) -> str:
    """The description with this task ticked, or no longer ticked."""
    return source[: task.at] + (" " if task.done else "x") + source[task.at + 1 :]


def same_task(source: str, wanted: Task, number: int) -> Task | None:
    """The task in a description that may have changed: at its place, or else the only one of its text."""
    there = tasks(source)
    if number < len(there) and there[number].text == wanted.text:
        return there[number]
    alike = [task for task in there if task.text == wanted.text]
    return alike[0] if len(alike) == 1 else None
