"""Commands of one's own while the program runs: which may run, which one does, and what it said.

Owns who wrote the file that they come from: only a file that no one else can write is obeyed, and one that
was named by ``--config`` only after asking. One command runs at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from glboard_core.command_run import CommandRun
from glboard_core.command_template import CommandSettings, Invocation
from glboard_core.errors import GlboardError
from glboard_core.files import who_else_writes
from glboard_core.model.issue import IssueId


class OwnCommands:
    """One per screen. ``file`` is where the commands come from; ``given`` by ``--config``."""

    def __init__(self) -> None:
        self.file: Path | None = None
        self.given = False
        #: The last command that was run, its runs, and what it was about.
        self.last: CommandRun | None = None
        self.command: CommandSettings | None = None
        self.issues: tuple[IssueId, ...] = ()
        #: The pane that shows its output: then nothing else need tell how it ended.
        self.pane: object = None
        self._allowed: set[str] = set()

    @property
    def is_running(self) -> bool:
        """Whether a command runs now."""
        return self.last is not None and not self.last.ended

    def check(self) -> None:
        """Raises GlboardError if somebody else could have written the commands."""
        if self.file is not None and (why := who_else_writes(self.file)):
            raise GlboardError(
                f"Not run: {why}",
                hint="Custom commands only run if no one else can write their file and the folders that it "
                "is in: chmod go-w",
                title="Command",
            )

    def must_ask(self, command: CommandSettings) -> bool:
        """Whether this command of a file that was named by an option has not been allowed yet."""
        return self.given and command.run not in self._allowed

    def begin(
        self, command: CommandSettings, runs: Sequence[Invocation], issues: Sequence[IssueId]
    ) -> CommandRun:
        """The command runs from now on."""
        self._allowed.add(command.run)
        self.last = CommandRun(command.name, runs)
        self.command, self.issues = command, tuple(issues)
        return self.last
