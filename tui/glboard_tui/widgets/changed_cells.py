"""What the terminal shows, line by line, so that of what is painted only the changed cells are written.

Textual writes whole regions: opening a dialog, or closing it, was the whole screen (60 kB), although most of
it stayed as it was. Owns the lines as they were written last. Whoever hands the terminal to another program,
or cannot know what it shows, calls ``forget``: then everything is written once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain, takewhile
from typing import Any

from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate  # what Textual is about to write
from textual.strip import Strip

#: A line in pieces by the column they start at, without a gap; None for what is not known, or not new.
Pieces = Mapping[int, Strip | None]


class ShownCells:
    """The cells of a terminal. ``written`` counts what was written, for tests and measurements."""

    def __init__(self) -> None:
        self._lines: list[dict[int, Strip | None]] = []
        #: What was painted last.
        self._painted: object = None
        self.written = 0

    def forget(self) -> None:
        """Nothing is known of the terminal: the next update is written whole."""
        self._lines, self._painted = [], None

    def changes(self, painted: object, update: RenderableType | None) -> Any:
        """The same update of a screen, of which only the changed cells are written."""
        if isinstance(update, (LayoutUpdate, ChopsUpdate)):
            return _Changes(self, painted, update)
        return update

    def lines_of(self, painted: object) -> Sequence[Sequence[Strip]]:
        """The lines of a screen, if it was painted last and all of it is known; else none."""
        if painted is not self._painted:
            return ()
        lines = [[piece for piece in line.values() if piece is not None] for line in self._lines]
        return lines if all(map(len, lines)) and list(map(len, lines)) == list(map(len, self._lines)) else ()

    def write(self, painted: object, update: CompositorUpdate, console: Console) -> str:
        """What to send to the terminal for this update; it shows that from now on."""
        self._painted = painted
        out: list[str] = []
        for y, line in _lines_of(update):
            while len(self._lines) <= y:
                self._lines.append({})
            shown = self._lines[y]
            if shown.keys() != line.keys():
                if (before := _whole(shown)) and (after := _whole(line)):
                    if _are_sure(before) and _are_sure(after):
                        _write(out, 0, y, before, after, console)
                    else:
                        out += (_move(0, y), Strip(after).render(console))
                    self._lines[y] = dict(line)
                    continue
                shown = self._lines[y] = _cut_alike(shown, line)
            for x, new in line.items():
                if new is None:
                    continue
                old, shown[x] = shown[x], new
                if old is new:
                    continue
                if (
                    old is None
                    or old.cell_length != new.cell_length
                    or not (_are_sure(old) and _are_sure(new))
                ):
                    out += (_move(x, y), new.render(console))
                else:
                    _write(out, x, y, list(old), list(new), console)
        text = "".join(out)
        self.written += len(text)
        return text


class _Changes(CompositorUpdate):
    """An update that is compared with the terminal only when it is written: not all of them are."""

    def __init__(self, shown: ShownCells, painted: object, update: CompositorUpdate) -> None:
        self._shown, self._painted, self._update = shown, painted, update

    def render_segments(self, console: Console) -> str:
        return self._shown.write(self._painted, self._update, console)


def _lines_of(update: CompositorUpdate) -> Iterator[tuple[int, Pieces]]:
    """The lines to write: number, and pieces."""
    if isinstance(update, LayoutUpdate):
        for y, strips in enumerate(update.strips, update.region.y):
            line, x = dict[int, Strip | None](), update.region.x
            for strip in strips:
                line[x] = strip
                x += strip.cell_length
            yield y, line
    elif isinstance(update, ChopsUpdate):
        by_line: dict[int, list[tuple[int, int]]] = {}
        for y, left, right in update.spans:
            by_line.setdefault(y, []).append((left, right))
        for y, spans in by_line.items():
            yield y, _within(update.chops[y], spans)


def _within(line: Pieces, spans: Sequence[tuple[int, int]]) -> Pieces:
    """Only the pieces that are new: next to them Textual has what is behind the widgets it left out."""
    ends = [*list(line)[1:], 1 << 16]
    return {
        x: piece if any(x < right and end > left for left, right in spans) else None
        for (x, piece), end in zip(line.items(), ends, strict=True)
    }


def _whole(line: Pieces) -> list[Segment]:
    """All of a line; nothing if a part of it is missing."""
    pieces = [piece for piece in line.values() if piece is not None]
    return [*chain.from_iterable(pieces)] if len(pieces) == len(line) else []


def _cut_alike(shown: Pieces, line: Pieces) -> dict[int, Strip | None]:
    """What is shown, in the pieces of the new line; unknown where that would cut a wide letter."""
    unknown: dict[int, Strip | None] = dict.fromkeys(line)
    if not (segments := _whole(shown)):
        return unknown
    starts = [*line]
    whole = Strip(segments)
    ends = [*starts[1:], whole.cell_length]
    if starts[0] != 0 or ends[-1] <= starts[-1]:
        return unknown
    pieces = [*whole.divide(ends)]
    if len(pieces) != len(starts) or "".join(piece.text for piece in pieces) != whole.text:
        return unknown
    return dict(zip(starts, pieces, strict=True))


def _are_sure(segments: Iterable[Segment]) -> bool:
    """Whether all terminals agree where each letter is: not about wide letters, accents and pictures."""
    return all(text.isascii() or _is_plain(text) for text, _, _ in segments)


@lru_cache(maxsize=4096)
def _is_plain(text: str) -> bool:
    return all(cell_len(letter) == 1 for letter in text)


def _move(x: int, y: int) -> str:
    return f"\x1b[{y + 1};{x + 1}H"


def _write(out: list[str], x: int, y: int, old: list[Segment], new: list[Segment], console: Console) -> None:
    """Write what differs between two ends that look alike. Both have the same number of cells."""
    cells, left = _alike(old, new)
    if not left:
        return
    _, changed = _alike([*reversed(old)], [*reversed(left)], from_end=True)
    changed.reverse()
    out += (_move(x + cells, y), Strip(changed).render(console))


def _alike(
    old: Sequence[Segment], new: Sequence[Segment], *, from_end: bool = False
) -> tuple[int, list[Segment]]:
    """How many cells look alike from one end, and what of the new ones is left."""
    cells, before, rest = 0, iter(old), ""
    style: Style | None = None
    for at, segment in enumerate(new):
        text = segment.text
        while text:
            if not rest:
                following = next(before, None)
                if following is None:
                    return cells, [*new[at:]]
                rest, style, _ = following
            n = min(len(text), len(rest))
            one, other = (text[-n:], rest[-n:]) if from_end else (text[:n], rest[:n])
            if segment.control or not _same(style, segment.style):
                n = 0
            elif one != other:
                n = _common(one, other, from_end=from_end)
            cells += n if text.isascii() else cell_len(text[-n:] if from_end else text[:n]) if n else 0
            if n < min(len(text), len(rest)):
                text = text[: len(text) - n] if from_end else text[n:]
                return cells, [Segment(text, segment.style, segment.control), *new[at + 1 :]]
            text, rest = (text[:-n], rest[:-n]) if from_end else (text[n:], rest[n:])
    return cells, []


def _common(one: str, other: str, *, from_end: bool) -> int:
    """How many letters are the same from one end."""
    pairs = zip(reversed(one), reversed(other), strict=True) if from_end else zip(one, other, strict=True)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _same(one: Style | None, other: Style | None) -> bool:
    """Whether two styles look alike; what a click does is not seen."""
    return one is other or (one is not None and other is not None and _look(one) == _look(other))


def _look(style: Style) -> tuple[object, ...]:
    return style.color, style.bgcolor, style._attributes, style._set_attributes, style.link
