"""A changed configuration on the open screen: theme, density, keys, boards, names, without a restart.

Owns the order in which the parts take it up, and what is said about it. What the file says is read by
``config_file.py``; a file with mistakes changes nothing.
"""

from __future__ import annotations

from typing import Protocol

from msgspec import structs

from glboard_core.config import Settings
from glboard_core.errors import ConfigError
from glboard_core.sync.engine import Engine
from glboard_tui.config_file import ConfigFile, ReadConfig
from glboard_tui.keymap import Keymap

#: Seconds between two looks at the file.
LOOK_EVERY = 0.75


class Configurable(Protocol):
    """What is on screen: takes up the settings, or is told what is wrong with the file."""

    def use_settings(self, settings: Settings) -> None: ...
    def tell_config(self, words: str) -> None: ...
    def tell_mistake(self, error: ConfigError) -> None: ...


class LiveConfig:
    """Follows a configuration file. ``keymap`` is the one in use, which is changed in place."""

    def __init__(self, file: ConfigFile | None, keymap: Keymap, shown: Configurable) -> None:
        self.file = file
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
        mended, self.mistake = self.mistake is not None, None
        self._apply(found)
        words = found.words or ("The configuration is right again; nothing else changed." if mended else "")
        if words:
            self._shown.tell_config(words)
        return True

    def _apply(self, found: ReadConfig) -> None:
        if not found.changed:
            return
        self._later = found.settings
        self._keymap.replace_with(found.keymap)
        self._shown.use_settings(found.settings)

    def configure(self, engine: Engine) -> None:
        """An engine was attached that may have been created from the file as it was before."""
        if self._later is not None:
            configure(engine, self._later)


def configure(engine: Engine, settings: Settings) -> None:
    """Give an engine other settings; it keeps its server and group, such as those of the demo."""
    engine.configure(structs.replace(settings, gitlab=engine.settings.gitlab))
