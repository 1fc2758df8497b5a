"""Which line of a TOML file has which key: the standard library's parser does not say.

Owns nothing but that: what the keys mean, and whether they are allowed, is the caller's. The text must be
valid TOML, as the parser has found before.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence

#: The way to a value: names of tables and keys, and the number of an entry of a list.
KeyPath = tuple[str | int, ...]

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_GAP = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_STRING = re.compile(
    r"""
    \"{3}(?:[^\\]|\\.)*?\"{3,5} | '{3}.*?'{3,5}   # over several lines
    | \"(?:[^\"\\\n]|\\.)*\" | '[^'\n]*'
    """,
    re.DOTALL | re.VERBOSE,
)
_PLAIN = re.compile(r"[^,\]}\n#]+")
_ESCAPED = re.compile(r"\\(.)")


def lines_of(text: str) -> dict[KeyPath, int]:
    """The line of each table, key and entry of a list, counted from 1.

    >>> lines_of('[ui]\\ntheme = "x"\\n')
    {('ui',): 1, ('ui', 'theme'): 2}
    """
    return _Scanner(text).run()


def line_of(lines: dict[KeyPath, int], path: Sequence[str | int]) -> int:
    """The line of a key, or of the nearest table around it that is written; 0 for none."""
    whole = tuple(path)
    return next((lines[whole[:size]] for size in range(len(whole), 0, -1) if whole[:size] in lines), 0)


class _Scanner:
    """Walks through a text once."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._ends = [found.start() for found in re.finditer("\n", text)]
        self._found: dict[KeyPath, int] = {}
        #: The number of the last entry of each list of tables.
        self._last: dict[KeyPath, int] = {}

    def run(self) -> dict[KeyPath, int]:
        table: KeyPath = ()
        while self._skip():
            before = self._at
            if self._takes("[["):
                *above, name = self._names()
                place = (*self._resolved(above), name)
                self._last[place] = self._last.get(place, -1) + 1
                table = (*place, self._last[place])
                self._found.setdefault(place, self._line(before))
                self._found[table] = self._line(before)
                self._takes("]]")
            elif self._takes("["):
                table = self._resolved(self._names())
                self._found.setdefault(table, self._line(before))
                self._takes("]")
            else:
                self._pair(table)
            if self._at == before:
                break  # no TOML: whatever follows has no line
        return self._found

    def _line(self, at: int) -> int:
        return bisect_right(self._ends, at - 1) + 1

    def _skip(self) -> str:
        """Go past blanks, ends of lines and comments; returns the next sign, "" at the end."""
        gap = _GAP.match(self._text, self._at)
        self._at = gap.end() if gap else self._at
        return self._text[self._at : self._at + 1]

    def _takes(self, sign: str) -> bool:
        self._skip()
        if not self._text.startswith(sign, self._at):
            return False
        self._at += len(sign)
        return True

    def _names(self) -> list[str]:
        """A dotted key."""
        names = [self._name()]
        while self._takes("."):
            names.append(self._name())
        return names

    def _name(self) -> str:
        self._skip()
        if (quoted := _STRING.match(self._text, self._at)) is not None:
            self._at = quoted.end()
            return _ESCAPED.sub(r"\1", quoted[0][1:-1]) if quoted[0][0] == '"' else quoted[0][1:-1]
        if (bare := _BARE.match(self._text, self._at)) is None:
            return ""
        self._at = bare.end()
        return bare[0]

    def _resolved(self, names: Sequence[str]) -> KeyPath:
        """The path of a table's name: below a list of tables, that is in its last entry."""
        path: KeyPath = ()
        for name in names:
            path = (*path, name)
            if path in self._last:
                path = (*path, self._last[path])
        return path

    def _pair(self, table: KeyPath) -> None:
        self._skip()
        start = self._at
        path = table
        for name in self._names():
            path = (*path, name)
            self._found.setdefault(path, self._line(start))
        if self._takes("="):
            self._value(path)

    def _value(self, path: KeyPath) -> None:
        self._skip()
        if self._takes("{"):
            while not self._takes("}") and (before := self._at) < len(self._text):
                self._pair(path)
                self._takes(",")
                if self._at == before:
                    return
        elif self._takes("["):
            number = 0
            while not self._takes("]") and (before := self._at) < len(self._text):
                self._found[*path, number] = self._line(before)
                self._value((*path, number))
                number += 1
                self._takes(",")
                if self._at == before:
                    return
        elif (found := _STRING.match(self._text, self._at) or _PLAIN.match(self._text, self._at)) is not None:
            self._at = found.end()
