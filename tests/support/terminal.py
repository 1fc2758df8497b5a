"""A program in a real pseudo-terminal: its output, the resulting screen, and keys sent to it.

Owns the pty, the replies to a program's terminal queries, and a pyte screen. Waits for conditions with a
deadline, never for a fixed time. Keeps a transcript (time and bytes of every read) for measuring.
"""

from __future__ import annotations

import os
import re
import signal
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import pexpect
import pyte
from pyte import modes

#: Timeout of waiting for a condition, in seconds. Generous: a slow machine is no failure.
PATIENCE = 20.0

#: Questions of a program to its terminal, and what a usual one answers: synchronised output can be had,
#: resize reports in band cannot; plain device attributes.
_ANSWERS = {
    b"\x1b[?2026$p": b"\x1b[?2026;2$y",
    b"\x1b[?2048$p": b"\x1b[?2048;0$y",
    b"\x1b[c": b"\x1b[?62;22c",
    b"\x1b[6n": b"\x1b[1;1R",
}
_QUESTIONS = re.compile(b"|".join(re.escape(question) for question in _ANSWERS))
#: What pyte does not know and would print: the keyboard protocol's pop, mode queries.
_FOREIGN = re.compile(rb"\x1b\[[<>=][0-9;]*u|\x1b\[\?[0-9;]*\$p")
#: An escape sequence whose end has not been read yet.
_BEGUN = re.compile(rb"\x1b(\[[<>=?0-9;$]*)?\Z")

#: The program's own entry point, run by this interpreter.
GLBOARD = (sys.executable, "-c", "from glboard_tui.cli.main import main; main()")

#: The mode between the begin and the end of an update that a terminal shows at once.
_SYNCHRONIZED = 2026

#: Modes (DEC private) that must be off once a program has left, by what they do.
_LEFT_ON = {
    1000: "mouse clicks",
    1002: "mouse drags",
    1003: "mouse moves",
    1004: "focus reports",
    1006: "mouse coordinates",
    1015: "mouse coordinates",
    1049: "the alternate screen",
    2004: "bracketed paste",
    2048: "resize reports",
}


class Screen:
    """A terminal's screen, fed with bytes as they come."""

    def __init__(self, columns: int, rows: int) -> None:
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._rest = b""

    def feed(self, data: bytes) -> None:
        """Take what a program wrote."""
        data = self._rest + data
        begun = _BEGUN.search(data)
        self._rest = data[begun.start() :] if begun else b""
        self._stream.feed(_FOREIGN.sub(b"", data[: len(data) - len(self._rest)]))

    @property
    def lines(self) -> list[str]:
        """The rows without trailing blanks."""
        return [line.rstrip() for line in self._screen.display]

    @property
    def text(self) -> str:
        """All rows."""
        return "\n".join(self.lines)

    @property
    def is_whole(self) -> bool:
        """Whether no synchronized update is under way: until it ends, a terminal shows the old screen."""
        return not self.has(_SYNCHRONIZED)

    def has(self, mode: int) -> bool:
        """Whether a DEC private mode is set."""
        return mode << 5 in self._screen.mode

    def left_on(self) -> list[str]:
        """Modes that an ended program left changed; empty if everything was restored."""
        wrong = [what for mode, what in _LEFT_ON.items() if self.has(mode)]
        if modes.DECTCEM not in self._screen.mode:
            wrong.append("a hidden cursor")
        if modes.DECAWM not in self._screen.mode:
            wrong.append("no line wrap")
        return wrong


class Terminal:
    """A program in a terminal of its own. A context manager: the program never outlives it."""

    def __init__(
        self,
        arguments: Sequence[str],
        home: Path,
        *,
        columns: int = 160,
        rows: int = 45,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.screen = Screen(columns, rows)
        #: Every read: seconds (perf_counter), bytes.
        self.transcript: list[tuple[float, bytes]] = []
        #: Whether what is read is painted at once; a measurement paints it afterwards.
        self.paints = True
        self.started = time.perf_counter()
        # Its stubs know half of what it has.
        self.process: Any = pexpect.spawn(
            arguments[0],
            list(arguments[1:]),
            dimensions=(rows, columns),
            env={**clean_environment(home), **(environment or {})},
            cwd=str(home),
            timeout=None,
            maxread=1 << 16,
            echo=True,
            preexec_fn=_heed_interrupts,
        )
        self.process.delayafterclose = self.process.delayafterterminate = 0.05
        # pexpect would wait before each send, for the sake of password prompts.
        self.process.delaybeforesend = None
        self._tail = b""

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.close(force=True)

    # Reading

    def read(self, seconds: float) -> bytes:
        """One piece of output written within that time, or nothing. Raises EOFError."""
        try:
            data: bytes = self.process.read_nonblocking(1 << 16, timeout=seconds)
        except pexpect.TIMEOUT:
            return b""
        except pexpect.EOF:
            raise EOFError from None
        self.transcript.append((time.perf_counter(), data))
        self._answer(data)
        if self.paints:
            self.screen.feed(data)
        return data

    def _answer(self, data: bytes) -> None:
        data = self._tail + data
        end = 0
        for question in _QUESTIONS.finditer(data):
            os.write(self.process.child_fd, _ANSWERS[question.group()])
            end = question.end()
        rest = data[end:]
        begun = _BEGUN.search(rest)
        self._tail = rest[begun.start() :] if begun else b""

    def wait(self, condition: Callable[[str], object], what: str, seconds: float = PATIENCE) -> str:
        """Read until the screen's text fulfils the condition; returns the text. Raises AssertionError.

        Half an update counts as little as it does for a person: a key would come before all was to be seen.
        """
        deadline = time.monotonic() + seconds
        while True:
            if self.screen.is_whole and condition(text := self.screen.text):
                return text
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {seconds:g} s: {what}\n{self.screen.text}")
            try:
                self.read(0.05)
            except EOFError:
                if condition(self.screen.text):
                    return self.screen.text
                raise AssertionError(f"the program ended before: {what}\n{self.screen.text}") from None

    def see(self, *words: str, seconds: float = PATIENCE) -> str:
        """Wait until all these words are on the screen."""
        return self.wait(lambda text: all(word in text for word in words), f"see {words}", seconds)

    def lose(self, *words: str, seconds: float = PATIENCE) -> str:
        """Wait until none of these words is on the screen."""
        return self.wait(lambda text: not any(word in text for word in words), f"lose {words}", seconds)

    # Writing

    def press(self, *keys: str) -> None:
        """Send keys, as the terminal would."""
        for key in keys:
            self.process.send(key)

    # Ending

    @property
    def pid(self) -> int:
        """The program's process id."""
        return int(self.process.pid)

    def finish(self, seconds: float = PATIENCE) -> int:
        """Read to the end; returns the exit status, negative for a signal. Raises AssertionError if it does
        not end."""
        deadline = time.monotonic() + seconds
        try:
            while time.monotonic() < deadline:
                self.read(0.05)
        except EOFError:
            self.process.wait()
            if self.process.exitstatus is not None:
                return int(self.process.exitstatus)
            return -int(self.process.signalstatus or 0)
        raise AssertionError(f"the program did not end\n{self.screen.text}")

    def hang_up(self, seconds: float = PATIENCE) -> None:
        """Close the program's terminal and wait for its end. Raises AssertionError if it does not end."""
        self.process.ptyproc.fileobj.close()
        self.process.ptyproc.closed = self.process.closed = True
        deadline = time.monotonic() + seconds
        while self.process.ptyproc.isalive():
            if time.monotonic() > deadline:
                self.process.kill(signal.SIGKILL)
                raise AssertionError("the program lives on without its terminal")
            time.sleep(0.02)

    def echoes(self) -> bool:
        """Whether the line discipline is a shell's: echo and line mode."""
        local = termios.tcgetattr(self.process.child_fd)[3]
        return bool(local & termios.ECHO) and bool(local & termios.ICANON)


def _heed_interrupts() -> None:
    """Start as a shell starts a program: where tests run in the background, Ctrl+C is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def clean_environment(home: Path) -> dict[str, str]:
    """An environment without settings of this machine's user."""
    kept = ("PATH", "SYSTEMROOT", "TMPDIR", "PYTHONPATH", "VIRTUAL_ENV")
    return {
        **{name: os.environ[name] for name in kept if name in os.environ},
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_STATE_HOME": str(home / "state"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "XDG_DATA_HOME": str(home / "data"),
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "LANG": "C.UTF-8",
        "TZ": "UTC",
    }
