"""Texts as they are compared, however they are written. Pure.

Owns which spellings are the same for what people search for (``folded``) and for what share mode hides
(``skeleton``), and which part of a text a part of its skeleton is. In some scripts a word without its marks
is another word: a search would find too much, but what is hidden must be found.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator

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


def replaced(text: str, spans: Iterable[tuple[int, int]], instead: Callable[[str], str]) -> str:
    """The text with parts replaced: ``instead`` is called with each, with its marks.

    ``spans`` are the starts and ends of these parts in the text's skeleton, in order and apart. It takes one
    pass over the text, however many there are.
    """
    parts: list[str] = []
    done = 0
    for start, end in spans if text.isascii() else _in_original(text, spans):
        parts += [text[done:start], instead(text[start:end])]
        done = end
    return "".join([*parts, text[done:]]) if parts else text


def _in_original(text: str, spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    lengths = [len(_LETTERS[ord(character)]) for character in text]
    place = at = 0
    for start, end in spans:
        while place < len(lengths) and at + lengths[place] <= start:
            at += lengths[place]
            place += 1
        first = place
        while place < len(lengths) and (at < end or not lengths[place]):
            at += lengths[place]
            place += 1
        if place > first:
            yield first, place
