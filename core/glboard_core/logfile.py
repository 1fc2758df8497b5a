"""The log file: requests that failed, how many were sent, and with ``--debug`` every single one.

Owns the file, its place, its size, and what a line may hold. A line has no text of a person or of the server:
no body, header, title or token, and of a query only numbers and times. It is quiet: without ``--debug`` a day
without trouble is a few lines. Several processes write to one file, each line at once; a disk that refuses is
no error of theirs.
"""

from __future__ import annotations

import fcntl
import os
import re
import threading
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from glboard_core.folders import log_folder

#: Bytes after which the file is put aside; one older file is kept.
MOST_BYTES = 1024 * 1024
#: Seconds between two lines that say how many requests were sent.
COUNTED_EVERY = 600.0
#: Characters of a line.
_LONGEST = 400
#: Frames of a traceback.
_MOST_FRAMES = 12

#: Values of a query that cannot be text of a person: numbers, times, and words of the API.
_PLAIN = re.compile(r"[\d:TZ.+-]{1,40}|true|false|asc|desc|all|opened|closed|active|keyset|id|created_at")
#: What follows these in a path can be a title.
_NAMED = re.compile(r"(/(?:labels|search|epics|wikis|repository/\w+)/)(?!\d+(?:/|$))[^/]+")
_COUNTED = re.compile(r"(?P<at>\S+) \d+ info sent (?P<requests>\d+) ")


def default_path() -> Path:
    """Where the log is: in the folder that the system has for logs."""
    return log_folder() / "glboard.log"


def shown_path(path: str) -> str:
    """The path of a request without anything that could be text of a person.

    >>> shown_path("/api/v4/groups/top%2Fapp/issues?labels=Secret&page=2")
    '/api/v4/groups/top%2Fapp/issues?labels=*&page=2'
    """
    place, asked, query = path.partition("?")
    parts = (part.partition("=") for part in query.split("&"))
    kept = (f"{name}{sign}{value if _PLAIN.fullmatch(value) else '*'}" for name, sign, value in parts)
    return _NAMED.sub(r"\1*", place) + (asked and f"?{'&'.join(kept)}")


class LogFile:
    """The log file as one process writes it."""

    def __init__(self, path: Path, *, debug: bool = False, most: int = MOST_BYTES) -> None:
        self.path = path
        self.debug = debug
        self._most = most
        self._file: int | None = None
        self._lock = threading.Lock()
        self._sent: Counter[str] = Counter()
        self._counted = time.monotonic()

    def request(
        self,
        method: str,
        path: str,
        *,
        purpose: str,
        seconds: float,
        status: int = 0,
        error: str = "",
        request_id: str = "",
    ) -> None:
        """A request was answered with a status, or failed with an error, whose type is given."""
        self._sent[purpose] += 1
        failed = bool(error) or status >= 400
        if failed or self.debug:
            said = error or str(status)
            named = f" id={request_id}" if request_id else ""
            text = f"{method} {shown_path(path)} {said} {seconds:.3f}s {purpose}{named}"
            self.write("warning" if failed else "debug", text)
        if time.monotonic() - self._counted >= COUNTED_EVERY:
            self.count()

    def count(self) -> None:
        """Write how many requests were sent since the last such line, if any."""
        sent, self._sent = self._sent, Counter()
        self._counted = time.monotonic()
        if sent:
            parts = ", ".join(f"{purpose} {number}" for purpose, number in sorted(sent.items()))
            self.write("info", f"sent {sent.total()} requests: {parts}")

    def fault(self, error: BaseException) -> None:
        """An error that no one expected: its type, and where. Its text could hold anything."""
        frames = traceback.extract_tb(error.__traceback__)[-_MOST_FRAMES:]
        places = [f"{Path(one.filename).name}:{one.lineno}:{one.name}" for one in frames]
        self.write("error", f"{type(error).__name__} at {' > '.join(places) or 'an unknown place'}")

    def write(self, level: str, text: str) -> None:
        """Append a line, at once and whole."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        clean = "".join(sign if sign.isprintable() else "?" for sign in text[:_LONGEST])
        line = f"{now} {os.getpid()} {level} {clean}\n".encode("ascii", "backslashreplace")
        # A log that cannot be written must stop nothing.
        with self._lock, suppress(OSError):
            file = self._opened()
            os.write(file, line)
            if os.fstat(file).st_size > self._most:
                self._put_aside()

    def close(self) -> None:
        """Write the last count and close the file."""
        self.count()
        with self._lock:
            self._let_go()

    def _opened(self) -> int:
        if self._file is not None:
            with suppress(FileNotFoundError):
                there = self.path.stat()
                if os.path.samestat(there, os.fstat(self._file)):
                    return self._file
            # Another process has put it aside.
            self._let_go()
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # A pipe in its place is not waited for.
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        self._file = os.open(self.path, flags, 0o600)
        os.fchmod(self._file, 0o600)
        return self._file

    def _put_aside(self) -> None:
        """Rename the file, unless another process was faster."""
        lock = os.open(self.path.with_suffix(".lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self.path.stat().st_size > self._most:
                self.path.replace(self.path.with_name(self.path.name + ".1"))
        finally:
            os.close(lock)

    def _let_go(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


_current: list[LogFile] = []


def start(*, debug: bool = False, path: Path | None = None) -> None:
    """Log from now on; ``debug``: every request. Nothing is created before there is something to write."""
    stop()
    _current[:] = [LogFile(path or default_path(), debug=debug)]


def stop() -> None:
    """Write what is left to say, and log no longer."""
    while _current:
        _current.pop().close()


def current() -> LogFile | None:
    """The log of this process; None if it keeps none, such as in a test of a part."""
    return _current[0] if _current else None


def path() -> Path:
    """Where this process logs to, or would."""
    return _current[0].path if _current else default_path()


def shown_place() -> str:
    """The path of the log as it is shown: below the home folder, without naming that."""
    return short(path())


def short(file: Path) -> str:
    """A path below the home folder with ~."""
    try:
        home = Path.home()
    except RuntimeError:
        return str(file)  # this machine tells of no home
    return f"~/{file.relative_to(home)}" if file.is_relative_to(home) else str(file)


def fault(error: BaseException) -> None:
    """Log an error that no one expected."""
    if _current:
        _current[0].fault(error)


def requests_of_last_hour(file: Path, now: datetime) -> int | None:
    """How many requests all processes logged in the hour before ``now``; None if there is no log.

    A process that is still running counts every ten minutes.
    """
    since, found, seen = now - timedelta(hours=1), 0, False
    for one in (file.with_name(file.name + ".1"), file):
        for line in _lines(one):
            seen = True
            if (match := _COUNTED.match(line)) is None:
                continue
            with suppress(ValueError, OverflowError):
                if datetime.fromisoformat(match["at"]) >= since:
                    found += int(match["requests"])
    return found if seen else None


def _lines(file: Path) -> Iterator[str]:
    try:
        # Never more than it can grow to, whoever wrote it.
        with open(os.open(file, os.O_RDONLY | os.O_NONBLOCK), "rb") as opened:
            yield from (opened.read(2 * MOST_BYTES) or b"").decode("ascii", "replace").splitlines()
    except OSError:
        return
