"""Text that fits: remote text made safe for a line of the screen, and measured in cells.

Owns the last check before a character reaches a strip. Titles are cleaned when they are decoded; here,
characters whose width differs between terminals are removed, since one extra cell shifts everything to its
right. It knows no colours and no widgets.
"""

from __future__ import annotations

import re
from functools import lru_cache

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from glboard_core.model.printable import limit_marks

ELLIPSIS = "…"
#: The filled and the empty part of a bar.
BAR, TRACK = "━", "─"

# Control characters and line separators would move the cursor; lone surrogates cannot be encoded at all.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_SURROGATE = re.compile("[\ud800-\udfff]")
# Joiners, fillers, signs around numbers, variation selectors, skin tones and tags: drawn as one glyph by one
# terminal and as several by the next. Without them a family of emoji is its members, and as wide everywhere.
# The non-joiner (200c) stays: Persian needs it and it has no width in any terminal. Direction overrides are
# removed because they reorder the text around them.
_UNSTABLE = re.compile(
    "[\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b"
    "\u200d-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000110bd\U000110cd"
    "\U00013430-\U0001345f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U0001f3fb-\U0001f3ff\U000e0000-\U000e0fff]"
)
# A flag is two letters that some terminals draw in two cells and some in four.
_FLAGS = {0x1F1E6 + n: chr(ord("A") + n) for n in range(26)}


#: Texts longer than this are no titles or names, and are not kept.
_LONGEST_KEPT = 500


def clean(text: str) -> str:
    """The text on one line, without anything a terminal would interpret or measure differently."""
    if text.isascii() and text.isprintable():
        return text
    return _cleaned(text) if len(text) <= _LONGEST_KEPT else _cleaned.__wrapped__(text)


@lru_cache(maxsize=8192)
def _cleaned(text: str) -> str:
    text = _CONTROL.sub(" ", text)
    text = _SURROGATE.sub("\ufffd", text)
    return limit_marks(_UNSTABLE.sub("", text)).translate(_FLAGS)


def clean_lines(text: str) -> str:
    """The text with each of its lines cleaned."""
    return "\n".join(map(clean, text.splitlines()))


def width_of(text: str) -> int:
    """The number of cells a cleaned text takes."""
    return cell_len(text)


def clip(text: str, width: int) -> str:
    """The text in at most ``width`` cells, with an ellipsis if it was cut."""
    if cell_len(text) <= width:
        return text
    if width <= 1:
        return ELLIPSIS[: max(width, 0)]
    return set_cell_size(text, width - 1).rstrip() + ELLIPSIS


def clip_reference(reference: str, width: int) -> str:
    """A reference in at most ``width`` cells: the project's name is cut, never the number."""
    project, mark, number = reference.rpartition("#")
    if not mark or cell_len(reference) <= width:
        return clip(reference, width)
    left = width - len(number) - 1
    return f"{clip(project, left)}#{number}" if left > 2 else clip(f"#{number}", width)


@lru_cache(maxsize=8192)
def wrapped(text: str, first: int, width: int, most: int) -> tuple[str, ...]:
    """``wrap``, kept: for titles, which are wrapped again and again."""
    return wrap(text, first, width, most)


def wrap(text: str, first: int, width: int, most: int) -> tuple[str, ...]:
    """A cleaned text on at most ``most`` lines, the first of ``first`` cells and the others of ``width``.

    Broken at spaces where there are any; the last line ends with an ellipsis if something was cut. There is
    always at least one line. The text is measured once, however long it is.
    """
    lines: list[str] = []
    rest, room = text.strip(), first
    while len(lines) < most - 1:
        end = _break(rest, room)
        if end >= len(rest):
            break
        lines.append(rest[:end].rstrip())
        rest, room = rest[end:].lstrip(), width
    return (*lines, clip(rest, room))


def _break(text: str, width: int) -> int:
    """Where a first line of ``width`` cells ends: before a word, or within one longer than a line.

    Not before the end of a text that fits. A widget without a size yet has less than no width.
    """
    if width < 1:
        return 1
    if text.isascii():
        # A cell each: no letter has to be measured.
        if len(text) <= width:
            return len(text)
        if text[width] == " ":
            return width
        spaces, others = text.rfind(" ", 1, width), (text.rfind(sign, 1, width) for sign in "-/")
        found = max(spaces, *(at + 1 for at in others if at > 0), 0)
        return found or width
    end = cells = space = 0
    for at, letter in enumerate(text):
        wide = cell_len(letter)
        if cells + wide > width:
            # A word that just ends here fits as well.
            space = at if letter == " " else space
            break
        cells += wide
        end = at + 1
        if letter in " -/" and at:
            space = at if letter == " " else end
    else:
        return len(text)
    return space or max(end, 1)


def fit(text: str, width: int) -> str:
    """The text in exactly ``width`` cells, left-aligned."""
    text = clip(text, width)
    return text + " " * (width - cell_len(text))


def fit_right(text: str, width: int) -> str:
    """The text in exactly ``width`` cells, right-aligned."""
    text = clip(text, width)
    return " " * (width - cell_len(text)) + text


def upright(text: str, height: int) -> tuple[str, ...]:
    """One character per line, at most ``height`` lines, for a name written vertically."""
    letters = [letter for letter in text if cell_len(letter) > 0]
    if len(letters) > height:
        letters = [*letters[: max(height - 1, 0)], ELLIPSIS][:height]
    return tuple(letters)


class Line:
    """Pieces from left to right. Text must already be cleaned; it is never parsed as markup."""

    def __init__(self, width: int) -> None:
        self.room = max(width, 0)
        self.width = self.room
        self._pieces: list[tuple[str, Style]] = []

    def add(self, text: str, style: Style) -> None:
        """Append text, clipped to the remaining cells."""
        if not text or self.room <= 0:
            return
        cells = width_of(text)
        if cells > self.room:
            text = clip(text, self.room)
            cells = width_of(text)
        self.room -= cells
        # A space only shows the background of its style, so it can join the piece before it.
        if self._pieces:
            before, last = self._pieces[-1]
            if last is style or (text.isspace() and _same_ground(last, style)):
                self._pieces[-1] = (before + text, last)
                return
            if before.isspace() and _same_ground(last, style):
                self._pieces[-1] = (before + text, style)
                return
        self._pieces.append((text, style))

    def pad(self, until: int, style: Style) -> None:
        """Spaces until only ``until`` cells are left."""
        if self.room > until:
            self.add(" " * (self.room - until), style)

    def strip(self, style: Style) -> Strip:
        """The line, padded with ``style``."""
        self.pad(0, style)
        return Strip([Segment(text, piece) for text, piece in self._pieces], self.width)


def _same_ground(one: Style, other: Style) -> bool:
    return one.bgcolor == other.bgcolor and one.reverse == other.reverse and one.underline == other.underline
