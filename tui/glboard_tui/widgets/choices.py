"""A list to choose from, as data: what matches the typed text, and what is ticked.

Pure. Owns fuzzy order, the three states of a tick (on all issues, on some, on none) and scoped labels, which
exclude each other. Untouched choices stay as they are on every issue, so "on some" is its own state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal

from msgspec import Struct
from textual.fuzzy import Matcher

from glboard_core.model.issue import same_scope

Tick = Literal["off", "some", "on"]
Matching = Callable[[str, str], tuple[float, Sequence[int]]]

#: Longer texts are only searched for whole words: fuzzy matching tries every combination.
_FUZZY_LENGTH = 48
_FUZZY_QUERY = 12


class Choice(Struct, frozen=True, kw_only=True):
    """One line: ``value`` is chosen, ``text`` is shown and searched, ``note`` is shown next to it."""

    value: str
    text: str
    note: str = ""
    color: str | None = None


class Result(Struct, frozen=True, kw_only=True):
    """The result: values to add to all and to remove from all; the rest stays."""

    add: tuple[str, ...] = ()
    remove: frozenset[str] = frozenset()


def matching(query: str, choices: Sequence[Choice]) -> list[tuple[Choice, Sequence[int]]]:
    """The matching choices, best first, with the matching positions; all, in order, for ""."""
    query = query.strip()
    if not query:
        return [(choice, ()) for choice in choices]
    wanted = query.casefold().replace(" ", "")
    search = Matcher(query).fuzzy_search
    found: list[tuple[float, int, Choice, Sequence[int]]] = []
    for place, choice in enumerate(choices):
        text = choice.text.casefold()
        if not _within(wanted, text):
            continue
        score, offsets = _score(query, text, search.match)
        if score > 0:
            found.append((-score, place, choice, offsets))
    found.sort(key=lambda hit: (hit[0], hit[1]))
    return [(choice, offsets) for _, _, choice, offsets in found]


def _within(letters: str, text: str) -> bool:
    """Whether the letters occur in that order: rules out most choices before the costly part."""
    at = -1
    for letter in letters:
        at = text.find(letter, at + 1)
        if at < 0:
            return False
    return True


def _score(query: str, text: str, match: Matching) -> tuple[float, Sequence[int]]:
    query = query.casefold()
    at = text.find(query)
    if at >= 0:
        # Whole words rank before scattered letters; the start of the text or of a word before its middle.
        start = 2.0 if at == 0 else 1.0 if not text[at - 1].isalnum() else 0.0
        return 1000.0 + 100 * start - at, range(at, at + len(query))
    words = query.split()
    if len(words) > 1 and all(word in text for word in words):
        return 500.0, [n for word in words for n in range(text.find(word), text.find(word) + len(word))]
    letters = query.replace(" ", "")
    if len(text) > _FUZZY_LENGTH or len(letters) > _FUZZY_QUERY:
        return 0.0, ()
    return match(letters, text)


class Ticks:
    """Which choices are on, with what they were at the start."""

    def __init__(self, start: Mapping[str, Tick] | None = None, *, scoped: bool = False) -> None:
        self._start = dict(start or {})
        self._now = dict(self._start)
        self._scoped = scoped

    def of(self, value: str) -> Tick:
        """The state of a choice."""
        return self._now.get(value, "off")

    @property
    def touched(self) -> bool:
        """Whether anything differs from the start."""
        return any(self.of(value) != self._start.get(value, "off") for value in {*self._now, *self._start})

    def toggle(self, value: str) -> None:
        """On, then off, then back to "some" if it started so. Ticking turns scoped siblings off."""
        was, began = self.of(value), self._start.get(value, "off")
        if was == "on":
            self._now[value] = "off"
        else:
            self._now[value] = "some" if was == "off" and began == "some" else "on"
        if self._scoped and self._now[value] == "on":
            for sibling in same_scope(value, tuple(self._now)):
                self._now[sibling] = "off"

    def result(self, order: Iterable[str]) -> Result:
        """The changes to make. ``order`` decides the order of added values."""
        add = tuple(
            value for value in order if self.of(value) == "on" and self._start.get(value, "off") != "on"
        )
        remove = frozenset(
            value for value, began in self._start.items() if began != "off" and self.of(value) == "off"
        )
        return Result(add=add, remove=remove)


def ticks_of(sets: Sequence[Iterable[str]]) -> dict[str, Tick]:
    """The common and mixed values of several issues: on all of them, or on some."""
    counts: dict[str, int] = {}
    for values in sets:
        for value in set(values):
            counts[value] = counts.get(value, 0) + 1
    return {value: "on" if count == len(sets) else "some" for value, count in counts.items()}
