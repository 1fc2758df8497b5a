"""Parses a document of keys into steps: commands to start, keys to press, words to expect.

The format is readable Markdown. A fenced ``console`` block starts a program, ``$ glboard …``. Table rows
below it are steps: the first cell has keys in backticks, the last one the expected result, where words in
*emphasis* must be on the screen and ~~struck~~ ones must not; **back in the shell** ends it.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field

#: Keys that are written as words, and what a terminal sends for them.
NAMED = {
    "Enter": "\r",
    "Esc": "\x1b",
    "Space": " ",
    "Tab": "\t",
    "Shift+Tab": "\x1b[Z",
    "Backspace": "\x7f",
    "Up": "\x1b[A",
    "Down": "\x1b[B",
    "PgDn": "\x1b[6~",
    "PgUp": "\x1b[5~",
}
_CONTROL = re.compile(r"Ctrl\+([A-Z])")
_TIMES = re.compile(r"(.+?) ×(\d+)")


@dataclass(frozen=True)
class Step:
    """Keys as sent and as written, and words that must be on the screen afterwards, or gone from it."""

    keys: tuple[str, ...]
    written: str
    seen: tuple[str, ...]
    gone: tuple[str, ...]
    ends: bool
    line: int


@dataclass
class Session:
    """A program and the steps within it. ``arguments`` without the program's name."""

    title: str
    arguments: tuple[str, ...]
    steps: list[Step] = field(default_factory=list)


def sessions(text: str) -> list[Session]:
    """All sessions of a document, in order. Raises ValueError for an invalid step or order."""
    found: list[Session] = []
    title, in_console = "", False
    for number, line in enumerate(text.splitlines(), start=1):
        if line.startswith("#"):
            title = line.lstrip("# ")
        elif line.startswith("```"):
            in_console = line == "```console"
        elif in_console and line.startswith("$ "):
            program, *arguments = shlex.split(line[2:])
            if program != "glboard":
                raise ValueError(f"line {number}: {program} is not glboard")
            found.append(Session(title, tuple(arguments)))
        elif line.startswith("|") and (step := _step(line, number)) is not None:
            if not found:
                raise ValueError(f"line {number}: keys before any program")
            found[-1].steps.append(step)
    return found


def _step(line: str, number: int) -> Step | None:
    cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]
    written = re.findall(r"`([^`]+)`", cells[0])
    if not written:
        return None
    seen = tuple(word.replace("\\", "") for word in re.findall(r"(?<![*\w])\*([^*]+)\*", cells[-1]))
    gone = tuple(re.findall(r"~~([^~]+)~~", cells[-1]))
    ends = "**back in the shell**" in cells[-1]
    if not (seen or gone or ends):
        raise ValueError(f"line {number}: a step that promises nothing cannot fail: {line}")
    keys = tuple(key for token in written for key in keys_of(token))
    if "\x1b" in keys[:-1]:
        # A terminal cannot tell Esc and a key at once from Alt and that key.
        raise ValueError(f"line {number}: Esc ends a step, so that what it does is seen: {line}")
    return Step(keys, cells[0], seen, gone, ends, number)


def keys_of(token: str) -> list[str]:
    """The keys of one backticked token: ``gb`` is two keys, ``Space ×3`` three, ``"text"`` is typed."""
    token = token.replace("\\|", "|")
    if (times := _TIMES.fullmatch(token)) is not None:
        return keys_of(times[1]) * int(times[2])
    if len(token) > 1 and token[0] == token[-1] == '"':
        return list(token[1:-1])
    sent: list[str] = []
    for word in token.split(" "):
        if word in NAMED:
            sent.append(NAMED[word])
        elif (control := _CONTROL.fullmatch(word)) is not None:
            sent.append(chr(ord(control[1]) - 64))
        else:
            sent.extend(word)
    return sent
