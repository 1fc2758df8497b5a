"""What a picker offers, and where more of it comes from.

The seam between pickers and what they choose from: a source has what is known here at once, and can search
elsewhere for more while a person types. A picker knows nothing else of it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from msgspec import Struct, structs

from glboard_core.model.query import Found


class Choice(Struct, frozen=True, kw_only=True):
    """One line: ``value`` is chosen, ``text`` is shown and searched, ``note`` is shown next to it.

    ``also`` is searched as well, such as a person's name.
    """

    value: str
    text: str
    note: str = ""
    also: str = ""
    color: str | None = None


class Source(Protocol):
    """Where choices come from."""

    @property
    def searches(self) -> bool:
        """Whether there may be more than what is known: then ``search`` finds it."""

    def known(self) -> Sequence[Choice]:
        """What is known here, the best first: at once, without any request."""

    def why_not(self) -> str:
        """Why nothing can be searched now, in a few words; "" if it can."""

    async def search(self, text: str) -> Found[Choice]:
        """What matches ``text`` elsewhere, in one request. Raises GlboardError."""

    def chosen(self, values: Collection[str]) -> None:
        """These were chosen: remember them."""


class FixedChoices:
    """A fixed list: everything there is to choose from."""

    searches = False

    def __init__(self, choices: Sequence[Choice]) -> None:
        self._choices = choices

    def known(self) -> Sequence[Choice]:
        return self._choices

    def why_not(self) -> str:
        return ""

    async def search(self, text: str) -> Found[Choice]:
        return Found()

    def chosen(self, values: Collection[str]) -> None:
        pass


class MaskedChoices:
    """Another source while others watch: no search finds what is masked, here or on the server."""

    def __init__(self, source: Source, text: Callable[[str], str]) -> None:
        self._source, self._text = source, text

    @property
    def searches(self) -> bool:
        return self._source.searches

    def known(self) -> Sequence[Choice]:
        return [self._masked(one) for one in self._source.known()]

    def why_not(self) -> str:
        return self._source.why_not()

    async def search(self, text: str) -> Found[Choice]:
        found = await self._source.search(text)
        named = (one for one in found.items if self._text(one.text) == one.text)
        return Found(tuple(map(self._masked, named)), found.more)

    def chosen(self, values: Collection[str]) -> None:
        self._source.chosen(values)

    def _masked(self, choice: Choice) -> Choice:
        text = self._text
        return structs.replace(choice, text=text(choice.text), note=text(choice.note), also=text(choice.also))
