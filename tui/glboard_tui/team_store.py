"""The team file as the screen sees it: its people, its errors, changes to it and their undo.

Owns what was read last, so that a file changed by someone else is noticed. What the file can contain and how
it is written belongs to the core.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from glboard_core.errors import ConfigError, FileChanged, UsageError
from glboard_core.logfile import short
from glboard_core.planning import team as teams
from glboard_core.planning.team import Team
from glboard_core.store import team_file

if TYPE_CHECKING:
    from glboard_core.model.catalog import Catalog
    from glboard_core.planning.team_edit import Change


class _Step(Struct, frozen=True):
    """One change of the file: the text before (None: no file), the text after, and a description."""

    before: str | None
    after: str
    words: str


class TeamStore:
    """One per app. ``path`` is where the file is or would be; ``changed`` is called after it was reread.

    ``catalog`` knows what was renamed: the file goes on counting with the names it has.
    """

    def __init__(
        self,
        path: Path | None,
        changed: Callable[[], None],
        catalog: Callable[[], Catalog | None] = lambda: None,
    ) -> None:
        self.path = path
        #: As it is in the file.
        self.written: Team | None = None
        self._catalog = catalog
        self._present: tuple[Team | None, Catalog | None, Team | None] = (None, None, None)
        #: What is wrong with the file.
        self.trouble: ConfigError | None = None
        self._text: str | None = None
        self._steps: list[_Step] = []
        # The first reading is not a change.
        self._changed: Callable[[], None] = lambda: None
        self.reload()
        self._changed = changed

    @property
    def team(self) -> Team | None:
        """The team with present names; None if there is no file or it has an error."""
        written, catalog = self.written, self._catalog()
        if written is not self._present[0] or catalog is not self._present[1]:
            self._present = written, catalog, written and self.former.replaced(written)
        return self._present[2]

    @property
    def former(self) -> teams.FormerNames:
        """The former names in the file."""
        return teams.former_names(self.written or Team(), self._catalog())

    @property
    def place(self) -> str:
        """The file's path for messages."""
        return short(self.path) if self.path else "team.toml"

    @property
    def can_create(self) -> bool:
        """Whether there is a place for the file but no file yet."""
        return self.path is not None and self.written is None and self.trouble is None

    def reload(self, *, anew: bool = False) -> bool:
        """Read the file and return whether it changed; its error, if any, is kept in ``trouble``."""
        if self.path is None:
            return False
        try:
            text = team_file.read(self.path)
        except ConfigError as error:
            self.written, self.trouble, self._text = None, error, None
            self._changed()
            return True
        if text == self._text and self.trouble is None and not anew:
            return False
        self._take(text)
        return True

    def _take(self, text: str | None) -> None:
        self._text, self.written, self.trouble = text, None, None
        if text is not None:
            try:
                self.written = teams.parse_team(text, self.place)
            except ConfigError as error:
                self.trouble = error
        self._changed()

    def make(self, usernames: Sequence[str]) -> None:
        """Create the file with these people. Raises FileChanged, ConfigError, UsageError."""
        from glboard_core.planning.team_edit import fresh

        self._write(fresh(usernames), "a new team.toml")

    def change(self, change: Change) -> bool:
        """Change the file and return whether anything changed.

        Raises FileChanged (after reloading the file), ConfigError and UsageError: then the file is unchanged.
        """
        from glboard_core.planning.team_edit import as_written, edited

        if self.trouble is not None:
            raise self.trouble
        if self._text is None:
            raise UsageError("No team.toml yet.", hint="Press Enter to create it.")
        change = as_written(change, self.written or Team(), self.former)
        made = edited(self._text, change, self.place)
        if made == self._text:
            return False
        self._write(made, change.words)
        return True

    def _write(self, text: str, words: str) -> None:
        path = self._must()
        try:
            team_file.write(path, text, seen=self._text)
        except FileChanged:
            self._forget()
            raise
        self._steps.append(_Step(self._text, text, words))
        self._take(text)

    def undo(self) -> str:
        """Undo the last change of this session and return its description, or "" if there is none.

        Raises FileChanged if someone else changed the file since, and ConfigError.
        """
        if not self._steps:
            return ""
        step, path = self._steps[-1], self._must()
        try:
            if step.before is None:
                team_file.remove(path, seen=step.after)
            else:
                team_file.write(path, step.before, seen=step.after)
        except FileChanged:
            self._forget()
            raise
        self._steps.pop()
        self._take(step.before)
        return step.words

    def _forget(self) -> None:
        """Someone else changed the file: show it, and undo nothing over it."""
        self._steps.clear()
        self.reload(anew=True)

    def _must(self) -> Path:
        if self.path is None:
            raise UsageError(
                "No folder for team.toml.",
                hint="Start with --config FILE; team.toml goes in the same folder.",
            )
        return self.path
