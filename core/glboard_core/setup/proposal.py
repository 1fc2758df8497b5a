"""The proposed configuration as lines: a value each, how sure it is, and why; and the boards of GitLab.

Values only: how they are found is in ``propose``, how they are written in ``write``. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from glboard_core.setup.found import FoundGroup
from glboard_core.setup.offered import OfferedBoard

Trust = Literal["sure", "likely", "missing", "default", "chosen"]
"""How sure a value is: named so in GitLab, similar or guessed, not found, nothing to find, one's own."""

Kind = Literal["label", "labels", "prefix", "status", "milestones", "pattern", "zone", "backend", "state"]
"""What the value is, so which others there are to choose from."""

Section = Literal["Team", "Types", "Planning", "Priorities", "Workflow", "Milestones", "Time"]

#: Values by key, as a person chose them.
Chosen = Mapping[str, tuple[str, ...]]


class SettingLine(Struct, frozen=True, kw_only=True):
    """One line: ``key`` is its place in the file, ``default`` what applies if the file says nothing.

    ``near`` are other values that fit. ``none`` says what it means to have no value; "" if it must have one.
    """

    key: str
    section: Section
    title: str
    kind: Kind
    value: tuple[str, ...]
    default: tuple[str, ...]
    trust: Trust
    why: str = ""
    near: tuple[str, ...] = ()
    none: str = ""
    #: What to do about it in GitLab, if it is missing there.
    advice: str = ""
    #: A title that fits each pattern, of its own and near ones.
    examples: Mapping[str, str] = {}
    #: Whether it is shown: what the group has nothing for is only written.
    shown: bool = True

    @property
    def words(self) -> str:
        """Its value as people read it: a pattern by a title that fits."""
        if self.kind == "pattern":
            return ", ".join(map(self.pattern_words, self.value))
        return ", ".join(self.value)

    def pattern_words(self, pattern: str) -> str:
        """A pattern by a title that fits, if one is known."""
        example = self.examples.get(pattern)
        return f"titles like {example}" if example else pattern

    @property
    def written(self) -> bool:
        """Whether the file needs it. What is of a state by choice is written with that state."""
        return self.value != self.default and self.kind != "state"


class BoardLine(Struct, frozen=True, kw_only=True):
    """A board of GitLab, and whether it becomes one of our own."""

    offer: OfferedBoard
    taken: bool

    @property
    def key(self) -> str:
        """Its name among the lines."""
        return f"boards.{self.offer.board.id}"


class Proposal(Struct, frozen=True, kw_only=True):
    """The whole configuration, to be looked through and changed."""

    found: FoundGroup
    lines: tuple[SettingLine, ...]
    boards: tuple[BoardLine, ...] = ()

    def line(self, key: str) -> SettingLine:
        """The line with that key. Raises KeyError."""
        for one in self.lines:
            if one.key == key:
                return one
        raise KeyError(key)

    def value(self, key: str) -> str:
        """The first value of a line, or ""."""
        return next(iter(self.line(key).value), "")

    @property
    def missing(self) -> tuple[SettingLine, ...]:
        """What was not found."""
        return tuple(one for one in self.lines if one.trust == "missing")
