"""Runs the embedded GitLab in a child process, so that it never shares the screen's thread.

Standard library only. The child watches its standard input, so it exits with its parent, even if that
crashes.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import IO

from glboard_core.demo.options import DemoOptions

_PATIENCE = 20.0
_WANTED = ("GITLAB_HOST", "GLBOARD_GROUP", "GITLAB_TOKEN")


class SpawnError(RuntimeError):
    """The child did not start; the message is its output."""


@dataclass(slots=True)
class SpawnedDemo:
    """A running child."""

    url: str
    token: str
    group: str
    _process: subprocess.Popen[bytes] = field(repr=False)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def stop(self) -> None:
        """Stops it; calling it twice does no harm."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> SpawnedDemo:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def spawn(options: DemoOptions | None = None) -> SpawnedDemo:
    """Starts a child and waits until it serves. Raises SpawnError, or OptionsError before that."""
    chosen = replace(options or DemoOptions(), with_parent=True)
    chosen.check()
    command = [sys.executable, "-m", "glboard_core.demo", *chosen.arguments()]
    source = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(filter(None, (source, os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, "PYTHONPATH": path}
    with tempfile.TemporaryFile() as said:
        # In its own session, the child does not receive the Ctrl+C meant for the screen.
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            env=environment,
            start_new_session=True,
        )
        found = _read(process)
        if len(found) < len(_WANTED):
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()
            said.seek(0)
            message = said.read().decode("utf-8", "replace").strip()
            raise SpawnError(message or "the demo did not start")
    return SpawnedDemo(found["GITLAB_HOST"], found["GITLAB_TOKEN"], found["GLBOARD_GROUP"], process)


def _read(process: subprocess.Popen[bytes]) -> dict[str, str]:
    """The lines the child prints when it serves; fewer if it exits or takes too long."""
    output: IO[bytes] | None = process.stdout
    assert output is not None
    watchdog = threading.Timer(_PATIENCE, process.kill)
    watchdog.start()
    found: dict[str, str] = {}
    try:
        for line in output:
            name, _, value = line.decode("utf-8", "replace").strip().partition("=")
            if name in _WANTED:
                found[name] = value
            if len(found) == len(_WANTED):
                break
    finally:
        watchdog.cancel()
    return found
