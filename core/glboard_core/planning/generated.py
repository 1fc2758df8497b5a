"""The generated parts of an issue's description, kept apart from everything people wrote.

Owns the invisible markers around a part, and the rule that nothing a person wrote is lost: a part is replaced
only if its markers are intact and the text between them is what glboard wrote. Everything else is left
unchanged and reported.
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
    """A part that was left unchanged, and why."""

    name: str
    why: str


class Merged(Struct, frozen=True, kw_only=True):
    """A description with its parts regenerated. ``changed`` names those that differ from before."""

    text: str
    changed: tuple[str, ...] = ()
    kept: tuple[Kept, ...] = ()


def owner_mark(milestone: str) -> str:
    """The invisible marker of a milestone's planning issue, by which it is found again."""
    return f"<!-- glboard planning {_harmless(milestone)} -->"


def is_owned(description: str, milestone: str) -> bool:
    """Whether the description has that marker."""
    return any(found["milestone"] == _harmless(milestone) for found in _OWNER.finditer(description))


def wrapped(name: str, text: str) -> str:
    """A part between its markers."""
    inside = text.strip("\n")
    return f"<!-- glboard:begin {name} {_sum(inside)} -->\n\n{inside}\n\n<!-- glboard:end {name} -->"


def merge(description: str, parts: Mapping[str, str]) -> Merged:
    """The description with these parts replaced in place; everything else in it stays unchanged."""
    marks = list(_MARK.finditer(description))
    spans: dict[tuple[int, int], str] = {}
    kept: list[Kept] = []
    changed: list[str] = []
    for name, text in parts.items():
        found = [at for at, mark in enumerate(marks) if mark["name"] == name]
        if not found:
            kept.append(Kept(name, "its markers were removed"))
            continue
        # A pair: a begin and an end marker, with no other part's marker between them.
        if (
            len(found) != 2
            or found[1] != found[0] + 1
            or [marks[at]["kind"] for at in found] != ["begin", "end"]
        ):
            kept.append(Kept(name, "its markers do not form a pair"))
            continue
        begin, end = marks[found[0]], marks[found[1]]
        inside = description[begin.end() : end.start()]
        if _sum(inside) == _sum(text):
            continue
        if inside.strip() and begin["sum"] != _sum(inside):
            kept.append(Kept(name, "edited by hand; delete the text between its markers to regenerate it"))
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
    """The unchanged description of an issue that is not ours yet, with the parts and our marker appended."""
    blocks = [f"## {name.capitalize()}\n\n{wrapped(name, text)}" for name, text in parts.items()]
    pieces = [*([description.rstrip()] if description.strip() else []), *blocks, owner_mark(milestone)]
    return Merged(text="\n\n".join(pieces), changed=tuple(parts))


def same(one: str, other: str) -> bool:
    """Whether two descriptions are the same text, ignoring line endings and trailing blanks."""
    return _lines(one) == _lines(other)


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.replace("\r\n", "\n").rstrip().split("\n")]


def _sum(text: str) -> str:
    """A short checksum that ignores blanks and the length of table rules, which editors rewrite."""
    return f"{zlib.crc32(''.join(_DASHES.sub('-', text).split()).encode()):08x}"


def _harmless(milestone: str) -> str:
    return re.sub(r"[<>\s-]+", " ", milestone).strip()
