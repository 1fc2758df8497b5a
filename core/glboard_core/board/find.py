"""Finding anything by typing: which of many lines fit a few letters, and which of them fit best.

Pure. Owns the ranking: whole text before its start, before starts of words, before parts of words, before
what is only said of the line, before scattered letters. It takes one pass over all lines, and a longer text
is only looked for among what the shorter one found. Letters are compared as in filters.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from heapq import nlargest
from operator import itemgetter
from typing import Literal, get_args

from msgspec import Struct

from glboard_core.board.spelling import folded

FindKind = Literal["action", "board", "milestone", "person", "filter", "issue", "address"]

#: Among lines that fit equally well: there are few of the first, and thousands of issues.
_RANK: dict[str, float] = {"board": 5, "milestone": 5, "person": 5, "filter": 4, "action": 3}
#: One kind alone is searched for with such a letter in front; ``~`` is part of a word, as in filters.
LEADS: dict[str, FindKind] = {">": "action", "@": "person", "%": "milestone"}
#: Scores, from the best.
_ALL, _NUMBER, _START, _WORD, _PART, _WORDS, _PARTS, _SAID, _SCATTERED = 100, 95, 90, 80, 70, 60, 50, 40, 20
#: Scattered letters are looked for if no more lines than this fit by words, and so many are offered.
_FEW, _MOST_SCATTERED = 8, 8
#: The fewest letters that may be scattered, the most, and how far two of them may be apart.
_LEAST, _MOST, _APART = 4, 16, 8
#: Of what was found: score, latest, and place.
_order = itemgetter(slice(3))


class Findable(Struct, frozen=True, kw_only=True, gc=False):
    """One line: ``key`` is what it leads to, ``text`` is shown, ``sought`` is that as it is compared.

    ``also`` is compared as well, though not shown, such as labels; ``latest`` comes first among equals.
    """

    kind: FindKind
    key: str
    text: str
    sought: str
    note: str = ""
    also: str = ""
    latest: float = 0.0


def findable(
    kind: FindKind, key: str, text: str, *, note: str = "", also: str = "", latest: float = 0.0
) -> Findable:
    """A line that is found by its whole text."""
    return Findable(
        kind=kind, key=key, text=text, sought=folded(text), note=note, also=folded(also), latest=latest
    )


class Hit(Struct, frozen=True):
    """A line that fits, and which of its letters do."""

    line: Findable
    score: float
    letters: Sequence[int] = ()


class Hits(Struct, frozen=True):
    """The best lines, how many fit by words in all, and those themselves."""

    best: Sequence[Hit] = ()
    count: int = 0
    fitting: Sequence[Findable] = ()


class _Sought(Struct, frozen=True):
    """A text to find. ``words`` stand in the line, ``labels`` (after ``~``) in what is said of it."""

    text: str
    words: tuple[str, ...]
    labels: tuple[str, ...]
    kinds: frozenset[str]

    @property
    def number(self) -> str:
        """``#12`` if it is the number of an issue."""
        return f"#{self.text.lstrip('#')}" if self.text.lstrip("#").isdecimal() else ""


def _sought(query: str) -> _Sought:
    text = folded(" ".join(query.split()))
    kinds = frozenset(get_args(FindKind))
    if (kind := LEADS.get(text[:1])) is not None:
        kinds, text = frozenset({kind}), text[1:].lstrip()
    words = text.split()
    labels = tuple(word[1:] for word in words if word.startswith("~"))
    plain = tuple(word for word in words if not word.startswith("~"))
    return _Sought(" ".join(plain), plain, labels, kinds if not labels else frozenset({"issue"}))


def best_of(query: str, lines: Iterable[Findable], most: int) -> Hits:
    """The lines that fit best, at most ``most``; none for a text without letters."""
    sought = _sought(query)
    if not sought.words and not sought.labels and len(sought.kinds) > 1:
        return Hits()
    rows = [line for line in lines if line.kind in sought.kinds]
    found = [(score, line.latest, -at, line) for at, (score, line) in enumerate(_scored(sought, rows))]
    top = [
        Hit(line, score, _letters(sought, line.sought))
        for score, _, _, line in nlargest(most, found, key=_order)
    ]
    fitting = [line for _, _, _, line in found]
    if len(found) <= _FEW:
        shown = {id(line) for line in fitting}
        rest = (line for line in rows if id(line) not in shown)
        top += _scattered(sought.text.replace(" ", ""), rest, min(_MOST_SCATTERED, most - len(top)))
    return Hits(top, len(found), fitting)


def narrows(before: str, query: str) -> bool:
    """Whether what fits ``query`` by words is among what fits ``before``."""
    one, other = " ".join(before.split()), " ".join(query.split())
    return bool(one) and one not in (*LEADS, "~") and other.startswith(one)


def _scored(sought: _Sought, lines: Sequence[Findable]) -> Iterator[tuple[float, Findable]]:
    """The lines that fit, with their scores. A letter fits nearly all of thousands of lines, at each key."""
    text, number = sought.text, sought.number
    for word in sought.words:
        lines = [line for line in lines if word in line.sought or word in line.also]
    for label in sought.labels:
        lines = [line for line in lines if label in line.also]
    for line in lines:
        here = line.sought
        at = here.find(text) if text else -1
        if at < 0:
            score = _of_words(sought, here)
        elif len(here) == len(text):
            score = _ALL
        elif number and line.kind == "issue" and f"{number} " in f"{here} ":
            score = _NUMBER
        else:
            score = _START if at == 0 else _PART if here[at - 1].isalnum() else _WORD
        yield score + _RANK.get(line.kind, 0), line


def _of_words(sought: _Sought, here: str) -> float:
    """The score of a line that has all words, in it or in what is said of it, but not next to one another."""
    words = sought.words
    if len(words) > 1 and all(word in here for word in words):
        return _WORDS if all(f" {word}" in here or here.startswith(word) for word in words) else _PARTS
    return _SAID


def _letters(sought: _Sought, here: str) -> Sequence[int]:
    at = here.find(sought.text)
    if sought.text and at >= 0:
        return range(at, at + len(sought.text))
    return [n for word in sought.words if (at := here.find(word)) >= 0 for n in range(at, at + len(word))]


def _scattered(letters: str, lines: Iterable[Findable], most: int) -> list[Hit]:
    """Lines that have the letters in this order, near one another; the nearest first."""
    if not _LEAST <= len(letters) <= _MOST or most <= 0:
        return []
    found: list[tuple[float, float, int, Findable, Sequence[int]]] = []
    for number, line in enumerate(lines):
        if not (places := _places(letters, line.sought)):
            continue
        first, last = places[0], places[-1]
        inside = first > 0 and line.sought[first - 1].isalnum()
        score = _SCATTERED - (last + 1 - first - len(letters)) / 10 - inside
        found.append((score + _RANK.get(line.kind, 0), line.latest, -number, line, places))
    return [Hit(line, score, places) for score, _, _, line, places in nlargest(most, found, key=_order)]


def _places(letters: str, here: str) -> Sequence[int]:
    """Where the letters are first in this order, each near the one before; nothing if they are not.

    For each letter at once all places from which the rest can be found, the last letter first: a title can be
    made so that trying one place after the other would never end.
    """
    at = -1
    for letter in letters:
        # Most lines end here.
        if (at := here.find(letter, at + 1)) < 0:
            return ()
    fits = [_all(letters[-1], here)]
    for letter in reversed(letters[:-1]):
        near = 0
        for apart in range(1, _APART + 2):
            near |= fits[-1] >> apart
        fits.append(_all(letter, here) & near)
    found: list[int] = []
    start = 0
    for fit in reversed(fits):
        if not (rest := fit >> start):
            return ()
        found.append(start + (rest & -rest).bit_length() - 1)
        start = found[-1] + 1
    return found


def _all(letter: str, here: str) -> int:
    """Where a letter is in a text, each place as a bit."""
    bits, at = 0, here.find(letter)
    while at >= 0:
        bits |= 1 << at
        at = here.find(letter, at + 1)
    return bits
