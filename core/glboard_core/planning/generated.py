"""The parts of an issue's description that are made by us, and everything else, which is not.

Owns the invisible marks around a part, and the rule that nothing a person wrote is lost: a part is replaced
only where its marks are whole and what stands between them is what was put there. Everything else is left
alone and told.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping

from msgspec import Struct

_MARK = re.compile(r"<!--\s*glboard:(?P<kind>begin|end) (?P<name>[a-z-]+)(?: (?P<sum>[0-9a-f]{8}))?\s*-->")
_OWNER = re.compile(r"<!--\s*glboard planning (?P<milestone>[^<>]*?)\s*-->")
_DASHES = re.compile(r"-{2,}")


class Kept(Struct, frozen=True):
    """A part that was left alone, and why."""

    name: str
    why: str


class Merged(Struct, frozen=True, kw_only=True):
    """A description with its parts made anew. ``changed`` names those that differ from before."""

    text: str
    changed: tuple[str, ...] = ()
    kept: tuple[Kept, ...] = ()


def owner_mark(milestone: str) -> str:
    """The mark that tells whose planning issue it is: invisible, and what a lost one is found by."""
    return f"<!-- glboard planning {_harmless(milestone)} -->"


def is_owned(description: str, milestone: str) -> bool:
    """Whether the description carries that mark."""
    return any(found["milestone"] == _harmless(milestone) for found in _OWNER.finditer(description))


def wrapped(name: str, text: str) -> str:
    """A part between its marks."""
    inside = text.strip("\n")
    return f"<!-- glboard:begin {name} {_sum(inside)} -->\n\n{inside}\n\n<!-- glboard:end {name} -->"


def merge(description: str, parts: Mapping[str, str]) -> Merged:
    """The description with these parts replaced where they stand; whatever else is in it stays as it is."""
    marks = list(_MARK.finditer(description))
    spans: dict[tuple[int, int], str] = {}
    kept: list[Kept] = []
    changed: list[str] = []
    for name, text in parts.items():
        found = [at for at, mark in enumerate(marks) if mark["name"] == name]
        if not found:
            kept.append(Kept(name, "its marks were taken out"))
            continue
        # A pair: two marks, one after the other, with no other part's mark between them.
        if (
            len(found) != 2
            or found[1] != found[0] + 1
            or [marks[at]["kind"] for at in found] != ["begin", "end"]
        ):
            kept.append(Kept(name, "its marks are no pair any more"))
            continue
        begin, end = marks[found[0]], marks[found[1]]
        inside = description[begin.end() : end.start()]
        if _sum(inside) == _sum(text):
            continue
        if inside.strip() and begin["sum"] != _sum(inside):
            kept.append(Kept(name, "it was edited by hand; empty it between its marks to have it made anew"))
            continue
        spans[begin.start(), end.end()] = wrapped(name, text)
        changed.append(name)
    pieces: list[str] = []
    at = 0
    for (start, stop), replacement in sorted(spans.items()):
        pieces += [description[at:start], replacement]
        at = stop
    return Merged(text="".join([*pieces, description[at:]]), changed=tuple(changed), kept=tuple(kept))


def appended(description: str, parts: Mapping[str, str], milestone: str) -> Merged:
    """The description of an issue that is not ours yet, as it is, with the parts and our mark at its end."""
    blocks = [f"## {name.capitalize()}\n\n{wrapped(name, text)}" for name, text in parts.items()]
    pieces = [*([description.rstrip()] if description.strip() else []), *blocks, owner_mark(milestone)]
    return Merged(text="\n\n".join(pieces), changed=tuple(parts))


def same(one: str, other: str) -> bool:
    """Whether two descriptions are the same text; line ends and blanks at the end do not count."""
    return _lines(one) == _lines(other)


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.replace("\r\n", "\n").rstrip().split("\n")]


def _sum(text: str) -> str:
    """A short sum that is blind to blanks and to the length of a table's rules, which editors rewrite."""
    return f"{zlib.crc32(''.join(_DASHES.sub('-', text).split()).encode()):08x}"


def _harmless(milestone: str) -> str:
    return re.sub(r"[<>\s-]+", " ", milestone).strip()
