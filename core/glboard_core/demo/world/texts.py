"""What GitLab does to a text: line breaks become plain, quick actions are taken out.

A quick action is a line that begins with `/` and a known name, outside code, quotes in `>>>`, HTML and HTML
comments. Anything before the `/`, be it a blank, makes it ordinary text.
"""

from __future__ import annotations

import re

KNOWN = frozenset(
    {
        "weight", "clear_weight", "label", "labels", "unlabel", "relabel", "milestone", "remove_milestone",
        "assign", "unassign", "close", "reopen", "confidential", "status", "duplicate",
        "shrug", "tableflip",
    }
)  # fmt: skip
#: Only a space divides the name from what follows.
_COMMAND = re.compile(r"/([A-Za-z_]+)(?: +(.*?))?[ \t\f\v]*$")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_RAW = re.compile(r" {0,3}<(pre|script|style|textarea)\b", re.IGNORECASE)
_TAG = re.compile(r" {0,3}</?[A-Za-z]")


#: More digits than any id or number here has.
_WHOLE = re.compile(r"[0-9]{1,18}")


def whole(text: object) -> int | None:
    """The number that a text is; None if it is none, be it that its digits are others or too many."""
    return int(str(text)) if _WHOLE.fullmatch(str(text)) else None


def normalised(text: str) -> str:
    """A text as it is stored: LF line breaks, no lone CR, none at the end."""
    return text.replace("\r\n", "\n").replace("\r", "").rstrip("\n")


class _Block:
    """Whether a line lies in something whose content is no text of its own."""

    def __init__(self) -> None:
        self._end: re.Pattern[str] | None = None

    def holds(self, line: str) -> bool:
        """Take the next line."""
        if self._end is not None:
            if self._end.search(line):
                self._end = None
            return True
        self._end = self._begins(line)
        return self._end is not None

    @staticmethod
    def _begins(line: str) -> re.Pattern[str] | None:
        fence = _FENCE.match(line)
        if fence is not None:
            mark = fence.group(1)
            return re.compile(rf"^ {{0,3}}{re.escape(mark[0])}{{{len(mark)},}}[ \t]*$")
        if line.startswith(">>>"):
            return re.compile(r"^>>>[ \t]*$")
        if line.startswith("<!--"):
            return None if "-->" in line else re.compile("-->")
        raw = _RAW.match(line)
        if raw is not None:
            end = f"</{raw.group(1)}>"
            return None if end in line.lower() else re.compile(end, re.IGNORECASE)
        return re.compile(r"^[ \t]*$") if _TAG.match(line) else None


def split(body: str) -> tuple[str, list[tuple[str, str]]]:
    """A text without its quick actions, and those: name and argument."""
    kept: list[str] = []
    commands: list[tuple[str, str]] = []
    block = _Block()
    for line in body.split("\n"):
        found = None if block.holds(line) else _COMMAND.match(line)
        if found is not None and found.group(1).lower() in KNOWN:
            commands.append((found.group(1).lower(), found.group(2) or ""))
        else:
            kept.append(line)
    return "\n".join(kept).rstrip("\n"), commands
