"""Where a text tells of hidden issues in words: their titles, or enough words of one in a row.

Pure. A title is compared word by word, so that spelling, spaces and punctuation do not matter, and only where
its first word is: a line costs the same however many titles there are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from glboard_core.board.spelling import replaced, skeleton
from glboard_core.model.issue import IssueId

#: So many words of a title in a row tell of it.
RUN = 4
#: A title of one word that is shorter is a word like any other.
_SHORT = 6
#: Of fewer words or letters, a title could be any text of the program: it is only searched for in what people
#: typed.
_WORDS, _LETTERS = 2, 9
_WORD = re.compile(r"\w+")


class HiddenTitles:
    """The titles of confidential issues, also those they had before."""

    def __init__(self) -> None:
        #: The words of each title, by issue; and by their first word, which issues have them.
        self._of: dict[IssueId, set[tuple[str, ...]]] = {}
        self._starts: dict[str, dict[tuple[str, ...], set[IssueId]]] = {}
        self._runs: dict[tuple[str, ...], set[IssueId]] | None = None

    def __bool__(self) -> bool:
        return bool(self._of)

    def add(self, issue: IssueId, title: str) -> None:
        """This issue is, or was, called so."""
        words = tuple(word for word, _, _ in _words(title))
        known = self._of.setdefault(issue, set())
        if words in known or not words or (len(words) == 1 and len(words[0]) < _SHORT):
            return
        known.add(words)
        self._runs = None
        if len(words) >= _WORDS and sum(map(len, words)) >= _LETTERS:
            self._starts.setdefault(words[0], {}).setdefault(words, set()).add(issue)

    def remove(self, issue: IssueId) -> None:
        """Everybody may see this issue."""
        self._runs = None
        for words in self._of.pop(issue, ()):
            if words not in (titles := self._starts.get(words[0], {})):
                continue
            titles[words].discard(issue)
            if not titles[words]:
                del titles[words]
            if not titles:
                del self._starts[words[0]]

    def text(self, text: str, instead: Callable[[str], str], shown: IssueId | None = None) -> str:
        """The text without whole titles; ``instead`` is called with each. ``shown`` may be named."""
        if not self._starts:
            return text
        return replaced(text, self._spans(list(_words(text)), shown), instead)

    def _spans(
        self, words: Sequence[tuple[str, int, int]], shown: IssueId | None
    ) -> Iterator[tuple[int, int]]:
        at = 0
        while at < len(words):
            if count := self._title_at(words, at, shown):
                yield words[at][1], words[at + count - 1][2]
            at += max(count, 1)

    def _title_at(self, words: Sequence[tuple[str, int, int]], at: int, shown: IssueId | None) -> int:
        """How many words the longest title that starts here has; 0 if none does."""
        longest = 0
        for title, issues in self._starts.get(words[at][0], {}).items():
            if longest < len(title) <= len(words) - at and issues != {shown}:
                found = zip(words[at : at + len(title)], title, strict=True)
                longest = len(title) if all(word[0] == wanted for word, wanted in found) else longest
        return longest

    def tells(self, text: str, shown: IssueId | None = None) -> bool:
        """Whether a text has a title, or ``RUN`` words of one in a row."""
        if not self._of:
            return False
        if self._runs is None:
            self._runs = {}
            for issue, titles in self._of.items():
                for title in titles:
                    for at in range(max(1, len(title) - RUN + 1)):
                        self._runs.setdefault(title[at : at + RUN], set()).add(issue)
        words = [word for word, _, _ in _words(text)]
        for at in range(len(words)):
            for count in range(1, RUN + 1):
                if self._runs.get(tuple(words[at : at + count]), {shown}) != {shown}:
                    return True
        return False


def _words(text: str) -> Iterator[tuple[str, int, int]]:
    """The words of a text, and where they are in its skeleton."""
    for found in _WORD.finditer(skeleton(text)):
        yield found.group(), found.start(), found.end()
