"""What the filter line offers and remembers: completions, earlier filters, filters saved under a letter.

Pure, but for ``FilterMemory``, which is kept in the store: one for each server, group and user.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from contextlib import suppress

import msgspec
from msgspec import Struct

from glboard_core.board.filters import quoted
from glboard_core.board.spelling import folded
from glboard_core.model.catalog import Catalog

#: The key in the store.
FILTERS = "filters"
#: How many earlier filters are kept, and how many completions are offered.
_KEPT, _OFFERED = 50, 20
#: The term at the end of a line: its sign, and what is typed of its name, with or without a quote.
_LAST = re.compile(r"""(?P<lead>[~@%]|(?<![^\s|!-])is:)(?:"(?P<quoted>[^"]*)|(?P<bare>[^\s|"]*))$""")


def completions(text: str, catalog: Catalog | None, states: Iterable[str]) -> tuple[str, ...]:
    """The lines that ``text`` could become: its last term completed, names that begin so before others."""
    match = _LAST.search(text)
    if match is None:
        return ()
    names: Iterable[str] = ()
    match match["lead"]:
        case "is:":
            names = states
        case "~" if catalog is not None:
            names = (label.title for label in catalog.labels)
        case "@" if catalog is not None:
            names = (person.username for person in catalog.people)
        case "%" if catalog is not None:
            names = (milestone.title for milestone in catalog.milestones)
    typed = folded(match["quoted"] if match["quoted"] is not None else match["bare"])
    fitting = {name for name in names if typed in folded(name)}
    order = sorted(fitting, key=lambda name: (not folded(name).startswith(typed), folded(name)))
    start = text[: match.end("lead")]
    return tuple(start + quoted(name) for name in order[:_OFFERED])


class SavedFilter(Struct, frozen=True):
    """A filter under a letter."""

    name: str
    text: str


class _Kept(Struct, frozen=True):
    current: str = ""
    history: tuple[str, ...] = ()
    saved: dict[str, SavedFilter] = {}


class FilterMemory:
    """The filter in use, the earlier ones and the saved ones; ``write`` stores them."""

    def __init__(self) -> None:
        self._kept = _Kept()
        self._write: Callable[[bytes], object] = lambda _: None

    def take_up(self, kept: bytes | None, write: Callable[[bytes], object]) -> None:
        """Continue with what an earlier session stored. Data of another version is ignored."""
        self._write = write
        with suppress(msgspec.DecodeError, msgspec.ValidationError):
            if kept:
                self._kept = msgspec.msgpack.decode(kept, type=_Kept)

    @property
    def current(self) -> str:
        """The filter that was last in use."""
        return self._kept.current

    @property
    def history(self) -> tuple[str, ...]:
        """Earlier filters, the latest first."""
        return self._kept.history

    @property
    def saved(self) -> dict[str, SavedFilter]:
        """The saved filters by letter."""
        return dict(self._kept.saved)

    def use(self, text: str) -> None:
        """A filter is in use now."""
        history = self.history
        if text:
            history = (text, *(one for one in history if one != text))[:_KEPT]
        if (text, history) != (self.current, self.history):
            self._keep(msgspec.structs.replace(self._kept, current=text, history=history))

    def save(self, letter: str, name: str, text: str) -> None:
        """Save a filter; one that the letter had before is replaced."""
        saved = {**self._kept.saved, letter: SavedFilter(name, text)}
        self._keep(msgspec.structs.replace(self._kept, saved=saved))

    def _keep(self, kept: _Kept) -> None:
        self._kept = kept
        self._write(msgspec.msgpack.encode(kept))
