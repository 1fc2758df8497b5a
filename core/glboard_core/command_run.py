"""One command that runs as a child process: its output as lines, its end, and how it is stopped.

Owns what its output may be here: text that acts on no terminal, bounded however much comes. It runs without a
terminal, without input and without our tokens, in a session of its own, so that all it starts is stopped with
it.
"""

from __future__ import annotations

import asyncio
import codecs
import os
import re
import signal
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress

from glboard_core.command_template import Invocation
from glboard_core.environment import for_child
from glboard_core.model.printable import printable

#: The last lines are kept, so many, of so many characters at most.
MOST_LINES, LONGEST = 2_000, 1_000
#: Seconds that a stopped command has to end by itself, and that output is read after a command has ended.
_PATIENCE, _REST = 2.0, 0.5
#: Bytes that are read at once, and seconds until more are: a flood must not hold up the keys.
_CHUNK, _PAUSE = 64 * 1024, 0.005
#: Commands of terminals: colours and the cursor; titles and links; the rest.
_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]?|.\x08"
)
#: For programs that look: no colours, no pager, no questions.
_PLAIN = {
    "TERM": "dumb",
    "NO_COLOR": "1",
    "PAGER": "cat",
    "GIT_PAGER": "cat",
    "GLAB_PAGER": "cat",
    "GIT_TERMINAL_PROMPT": "0",
    "GLAB_NO_PROMPT": "1",
    "NO_PROMPT": "1",
}


class OutputLines:
    """The output of a command as lines of plain text, the last ones."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=MOST_LINES)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._open = ""
        #: How many lines there were in all.
        self.count = 0

    def feed(self, data: bytes, *, last: bool = False) -> None:
        """More of the output."""
        *whole, rest = (self._open + self._decoder.decode(data, last)).split("\n")
        self.count += max(0, len(whole) - MOST_LINES)
        for line in whole[-MOST_LINES:]:
            self._add(line)
        # A line without an end is cut, before it fills the memory.
        self._open = rest if len(rest) <= 4 * LONGEST else rest[-LONGEST:]
        if last and self._open:
            self._add(self._open)
            self._open = ""

    def add(self, line: str) -> None:
        """A line of our own."""
        self._add(line)

    @property
    def lines(self) -> list[str]:
        """The lines, and the one that is being written."""
        return [*self._lines, *([_plain(self._open)] if self._open else [])]

    @property
    def dropped(self) -> int:
        """How many of the first lines are not kept."""
        return self.count - len(self._lines)

    def _add(self, line: str) -> None:
        self._lines.append(_plain(line))
        self.count += 1


def _plain(line: str) -> str:
    """A line as a terminal would show it at last, without what acts on a terminal."""
    line = _ESCAPES.sub("", line)
    line = next((part for part in reversed(line.split("\r")) if part), "")
    line = printable(line).expandtabs(8)
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


class CommandRun:
    """The runs of one command, one after another; a run that fails ends them."""

    def __init__(self, name: str, runs: Sequence[Invocation]) -> None:
        self.name = name
        self.runs = tuple(runs)
        self.output = OutputLines()
        #: Which of the runs it is at, from 1 on; 0 before the first.
        self.at = 0
        #: The exit status of the last one that ended; negative for a signal, None before.
        self.status: int | None = None
        #: Why it could not be run at all, in a sentence.
        self.error = ""
        self.stopped = False
        self.ended = False
        self._process: asyncio.subprocess.Process | None = None
        self._began = time.monotonic()
        self._took = 0.0

    @property
    def seconds(self) -> float:
        """How long it has run."""
        return self._took if self.ended else time.monotonic() - self._began

    @property
    def worked(self) -> bool:
        """Whether all of it ran, and ended well."""
        return self.ended and self.status == 0 and not self.error and not self.stopped

    @property
    def words(self) -> str:
        """How it stands, in a few words."""
        of = f" ({self.at} of {len(self.runs)})" if len(self.runs) > 1 else ""
        if not self.ended:
            return f"Stopping …{of}" if self.stopped else f"Running{of}"
        if self.error:
            return f"{self.error.removesuffix('.')}{of}"
        if self.stopped:
            return f"Stopped{of}"
        if self.status is not None and self.status < 0:
            return f"Ended by signal {-self.status}{of}"
        return "Done" if not self.status else f"Failed with exit status {self.status}{of}"

    async def run(self) -> None:
        """Run until the end, or until it is stopped. Cancelled, it stops what runs."""
        try:
            for number, invocation in enumerate(self.runs, 1):
                self.at = number
                if len(self.runs) > 1:
                    self.output.add(f"{invocation.about}: {invocation.shown}")
                await self._run(invocation)
                if self.stopped or self.error or self.status != 0:
                    return
        finally:
            self._took = time.monotonic() - self._began
            self.ended = True

    async def _run(self, invocation: Invocation) -> None:
        self.status = None
        # A pipe of our own: with one of asyncio's, what runs on in the background would hold up the end.
        reader, writer = os.pipe()
        os.set_blocking(reader, False)
        try:
            self._process = process = await asyncio.create_subprocess_exec(
                *invocation.arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=writer,
                stderr=writer,
                env={**for_child(), **_PLAIN, **invocation.variables},
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            os.close(reader)
            self.error = _why(invocation.arguments[0], error)
            return
        finally:
            os.close(writer)
        reading = asyncio.ensure_future(self._read(reader))
        try:
            self.status = await process.wait()
            await asyncio.wait({reading}, timeout=_REST)
        finally:
            reading.cancel()
            await asyncio.wait({reading})
            os.close(reader)
            _signal(process, signal.SIGKILL, only_if_running=True)
            self.output.feed(b"", last=True)
            self._process = None

    async def _read(self, reader: int) -> None:
        """Read until the end, no faster than the screen can follow."""
        loop, ready = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(reader, ready.set)
        try:
            while True:
                await ready.wait()
                ready.clear()
                with suppress(BlockingIOError):
                    if not (data := os.read(reader, _CHUNK)):
                        return
                    self.output.feed(data)
                await asyncio.sleep(_PAUSE)
        finally:
            loop.remove_reader(reader)

    async def stop(self) -> None:
        """Stop it: it may end by itself, and is killed otherwise. Does nothing once it has ended."""
        if self.ended:
            return
        self.stopped = True
        if (process := self._process) is None:
            return
        _signal(process, signal.SIGTERM)
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                await process.wait()
        _signal(process, signal.SIGKILL)


def _signal(process: asyncio.subprocess.Process, number: int, *, only_if_running: bool = False) -> None:
    """Send a signal to all that a command started, as far as it still runs."""
    if only_if_running and process.returncode is not None:
        return
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _why(program: str, error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return f"{program}: not found. Install it, or use its full path."
    if isinstance(error, PermissionError):
        return f"{program}: not an executable program."
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return f"{program}: {reason}."
