"""A changed configuration on the open screen: theme, density, keys, boards, names, without a restart.

Owns the order in which the parts take it up, and what is said about it. What the file says is read by
``config_file.py``; a file with mistakes changes nothing.
"""

from __future__ import annotations

from typing import Protocol

from msgspec import structs

from glboard_core.config import BoardSettings, Settings
from glboard_core.errors import ConfigError
from glboard_core.sync.engine import Engine
from glboard_tui.config_file import ConfigFile, ReadConfig, keymap_of
from glboard_tui.keymap import Keymap


class Configurable(Protocol):
    """What is on screen: takes up the settings, or is told what is wrong with the file."""

    def use_settings(self, settings: Settings) -> None: ...
    def tell_config(self, words: str) -> None: ...
    def tell_mistake(self, error: ConfigError) -> None: ...


class LiveConfig:
    """Follows a configuration file. ``keymap`` is the one in use, which is changed in place."""

    def __init__(
        self, file: ConfigFile | None, settings: Settings, keymap: Keymap, shown: Configurable
    ) -> None:
        self.file = file
        self._settings = settings
        #: Boards that are open for this session only.
        self._boards: tuple[BoardSettings, ...] = ()
        self._keymap = keymap
        self._shown = shown
        #: What an engine that is attached later has to take up; None as long as nothing has changed.
        self._later: Settings | None = None
        #: Why the last reading failed, until the file is right again.
        self.mistake: ConfigError | None = None

    def look(self, *, settled: bool = True) -> None:
        """Read the file if it has changed."""
        if self.file is not None and self.file.changed(settled=settled):
            self.reload()

    def reload(self) -> bool:
        """Read the file now; returns whether it is without mistakes."""
        if self.file is None:
            return True
        try:
            found = self.file.read()
        except ConfigError as error:
            self.mistake = error
            self._shown.tell_mistake(error)
            return False
        was_wrong, self.mistake = self.mistake is not None, None
        self._apply(found)
        words = found.words or (
            "The configuration is valid again; nothing else changed." if was_wrong else ""
        )
        if words:
            self._shown.tell_config(words)
        return True

    def _apply(self, found: ReadConfig) -> None:
        if not found.changed:
            return
        self._settings = found.settings
        self._use()

    def add_board(self, board: BoardSettings) -> BoardSettings:
        """Have a board for this session, with another id if that is taken by another one; returns it."""
        number, found = 2, board
        while (other := self._with_boards().board(found.id)) is not None and other != found:
            found, number = structs.replace(board, id=f"{board.id}-{number}"), number + 1
        if self._with_boards().board(found.id) is None:
            self._boards = (*self._boards, found)
            self._use()
        return found

    def _with_boards(self) -> Settings:
        """The settings with this session's boards; the file's own go before them."""
        known = {board.id for board in self._settings.boards}
        more = tuple(board for board in self._boards if board.id not in known)
        return structs.replace(self._settings, boards=(*self._settings.boards, *more))

    def _use(self) -> None:
        self._later = self._with_boards()
        self._keymap.replace_with(keymap_of(self._later))
        self._shown.use_settings(self._later)

    def configure(self, engine: Engine) -> None:
        """An engine was attached that may have been created from the file as it was before."""
        if self._later is not None:
            configure(engine, self._later)


def configure(engine: Engine, settings: Settings) -> None:
    """Give an engine other settings; it keeps its server and group, such as those of the demo."""
    engine.configure(structs.replace(settings, gitlab=engine.settings.gitlab))
