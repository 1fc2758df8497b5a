"""A text however it is written: case, accents, composed or full-width letters, characters that no one sees.

Pure. Owns which spellings are the same when something hidden is searched for, and where in the original a
part of the folded text is. Rather too much is the same than too little.
"""

from __future__ import annotations

import unicodedata

#: Accents and other marks over letters, and signs without a width.
_WITHOUT_WIDTH = ("Mn", "Me", "Cf")


class _Letters(dict[int, str]):
    """What each character becomes, found when it is seen first."""

    def __missing__(self, code: int) -> str:
        self[code] = found = _folded(chr(code))
        return found


def _folded(character: str) -> str:
    # Of a sign such as "™", the letters in it are none of the word before.
    form = unicodedata.normalize("NFKD" if character.isalpha() else "NFD", character)
    kept = (one for one in form.casefold() if unicodedata.category(one) not in _WITHOUT_WIDTH)
    return "".join(kept)


_LETTERS = _Letters()


def fold(text: str) -> str:
    """The text as it is compared. It can be shorter or longer."""
    return text.lower() if text.isascii() else text.translate(_LETTERS)


def in_original(text: str, start: int, end: int) -> tuple[int, int]:
    """Where in ``text`` the part of its folded form from ``start`` to before ``end`` is, with its marks."""
    if text.isascii():
        return start, end
    at, first = 0, len(text)
    for place, character in enumerate(text):
        if at >= end and _LETTERS[ord(character)]:
            return first, place
        at += len(_LETTERS[ord(character)])
        if at > start:
            first = min(first, place)
    return first, len(text)
