"""The body of an answer, bounded while it is read and while it is unpacked.

Owns which codings are accepted (gzip, once: it is the only one asked for) and the bounds. A hundred bytes can
unpack to a gigabyte, so what is unpacked is counted piece by piece, never afterwards.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Iterator

from msgspec import Struct

#: What is asked for.
ACCEPTED = "gzip"
#: Bytes unpacked at once: other tasks run in between.
_PIECE = 256 * 1024
_GZIP = zlib.MAX_WBITS | 16


class Corrupt(Exception):
    """The body is damaged, or in a coding that was not asked for. ``why`` is in our words."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Body(Struct, frozen=True):
    """The bytes of a body. ``cut``: it was longer, and the rest was not read."""

    raw: bytes
    cut: bool = False


async def body_of(parts: AsyncIterator[bytes], coding: str, most: int) -> Body:
    """The unpacked body, of at most ``most`` bytes. ``coding`` is the header Content-Encoding.

    Raises Corrupt, and what reading ``parts`` raises.
    """
    steps = [step for each in coding.split(",") if (step := each.strip().lower()) not in ("", "identity")]
    if steps and steps not in (["gzip"], ["x-gzip"]):
        raise Corrupt("unexpected compression")
    found: list[bytes] = []
    size = 0
    unpacking = _Gzip() if steps else None
    async for part in parts:
        for piece in unpacking.pieces(part) if unpacking is not None else (part,):
            size += len(piece)
            if size > most:
                return Body(b"".join(found) + piece[: len(piece) - (size - most)], cut=True)
            found.append(piece)
            if unpacking is not None:
                await asyncio.sleep(0)
    if unpacking is not None and not unpacking.whole:
        raise Corrupt("truncated")
    return Body(b"".join(found))


class _Gzip:
    """Unpacks gzip, which can consist of several members."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_GZIP)
        #: Whether nothing is missing.
        self.whole = True

    def pieces(self, packed: bytes) -> Iterator[bytes]:
        left = packed
        while left:
            if self._member.eof:
                self._member = zlib.decompressobj(_GZIP)
            self.whole = False
            try:
                piece = self._member.decompress(left, _PIECE)
            except zlib.error:
                raise Corrupt("decompression failed") from None
            left = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
            self.whole = self._member.eof
            if piece:
                yield piece
