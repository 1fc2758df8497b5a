"""Text for a terminal or a pipe: without characters that act on it, or that no one sees.

Owns which characters those are. Line breaks and tabs stay. It knows no terminal and prints nothing.
"""

from __future__ import annotations

import re
import unicodedata

# Control characters but tab and line break; soft hyphens; joiners, fillers and other signs without a width,
# marks and overrides of direction; line separators; variation selectors; tags; what has no character.
# Compiled on first use, and kept by ``re``.
_UNSEEN = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U00013430-\U0001343f\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_SURROGATES = "\ud800-\udfff"
#: Marks on one letter: no script stacks more. A terminal paints hundreds over the lines above and below.
_MOST_MARKS = 8
#: A run that can hold more: no mark is a word character.
_MANY = rf"[^\w\x00-\x7f]{{{_MOST_MARKS + 1},}}"


def printable(text: str) -> str:
    """The text without them; half of a surrogate pair, which has no encoding, is replaced."""
    if text.isprintable() and text.isascii():
        return text
    return limit_marks(re.sub(f"[{_SURROGATES}]", "\ufffd", re.sub(f"[{_UNSEEN}]+", "", text)))


def limit_marks(text: str) -> str:
    """The text with at most a few marks on each letter."""
    return re.sub(_MANY, _few_marks, text)


def _few_marks(found: re.Match[str]) -> str:
    marks, kept = 0, []
    for letter in found[0]:
        marks = marks + 1 if unicodedata.category(letter) in ("Mn", "Me") else 0
        if marks <= _MOST_MARKS:
            kept.append(letter)
    return "".join(kept)


def escaped(json: str) -> str:
    r"""JSON with ``\u`` escapes for them: nothing is lost."""
    if json.isascii() and "\x7f" not in json:
        return json
    return re.sub(f"[{_UNSEEN}{_SURROGATES}]", _escape, json)


def _escape(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[n : n + 2].hex()}" for n in range(0, len(units), 2))
