"""Texts as they are compared, however they are written. Pure.

Owns which spellings are the same for what people search for (``folded``) and for what share mode hides
(``skeleton``), and where in the original a part of a skeleton is. In some scripts a word without its marks is
another word: a search would find too much, but what is hidden must be found.
"""

from __future__ import annotations

import unicodedata

#: Accents and other marks over letters, and signs without a width.
_WITHOUT_WIDTH = ("Mn", "Me", "Cf")


def folded(text: str) -> str:
    """A text as it is searched: ignoring case, and whether letter and accent are one character or two."""
    if text.isascii():
        return text.casefold()
    # The dot that casefold leaves over an "i" of "İ" is no letter that anybody types.
    plain = unicodedata.normalize("NFD", text).casefold().replace("i\u0307", "i")
    return unicodedata.normalize("NFC", plain)


class _Letters(dict[int, str]):
    """What each character becomes in a skeleton, found when it is seen first."""

    def __missing__(self, code: int) -> str:
        self[code] = found = _bare(chr(code))
        return found


def _bare(character: str) -> str:
    # Of a sign such as "™", the letters in it are none of the word before.
    form = unicodedata.normalize("NFKD" if character.isalpha() else "NFD", character)
    kept = (one for one in form.casefold() if unicodedata.category(one) not in _WITHOUT_WIDTH)
    return "".join(kept)


_LETTERS = _Letters()


def skeleton(text: str) -> str:
    """A text without case, accents, full-width forms and what no one sees. It can be shorter or longer."""
    return text.lower() if text.isascii() else text.translate(_LETTERS)


def in_original(text: str, start: int, end: int) -> tuple[int, int]:
    """Where in ``text`` the part of its skeleton from ``start`` to before ``end`` is, with its marks."""
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
