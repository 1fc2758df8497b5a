"""The configuration file of a running program: whether it has changed, and what it says now.

Owns which of its settings cannot be used without a restart, and the words for
both. It touches no widget; ``live_config.py`` applies what is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, structs

from glboard_core import config
from glboard_core.command_template import with_ids
from glboard_core.config import Settings
from glboard_core.errors import ConfigError
from glboard_core.files import read_text
from glboard_core.planning.text import counted
from glboard_tui.file_watch import FileWatch
from glboard_tui.keymap import Keymap

if TYPE_CHECKING:
    from glboard_core.config_check import CheckedConfig, Mistake

#: What a new file begins with.
FIRST_LINES = (
    "# glboard configuration. docs/configuration.md lists every key. Never put a token in this file.\n"
)
#: What says where to go on.
_KEPT = "The board keeps its current configuration; glboard config check lists every error."


class ReadConfig(Struct, frozen=True, kw_only=True):
    """What a file says now. ``settings`` are what can be used at once; ``restart`` names what cannot."""

    settings: Settings
    changed: tuple[str, ...] = ()
    restart: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """What has changed, in a sentence; "" if nothing has."""
        said = f"Configuration reloaded: {', '.join(self.changed)}." if self.changed else ""
        more = f"Restart glboard to use another {' and '.join(self.restart)}." if self.restart else ""
        return f"{said} {more}".strip()


class ConfigFile:
    """A file, as it was read last. ``settings`` are what the program uses, and was started with."""

    def __init__(self, path: Path, settings: Settings) -> None:
        self.path = path
        self.settings = settings
        #: What needs a restart, as it is in use and as it was told of last: each other value is told once.
        self._used = self._told = _fixed(settings)
        self._watch = FileWatch(path)

    def changed(self, *, settled: bool = True) -> bool:
        """Whether it was written since it was read; see ``FileWatch``."""
        return self._watch.changed(settled=settled)

    def read(self) -> ReadConfig:
        """What it says now, compared with what is in use. Raises ConfigError for the first mistake."""
        self._watch.taken()
        try:
            text = read_text(self.path)
        except FileNotFoundError:
            text = ""
        try:
            found = config.parse(text, str(self.path))
            keymap_of(found, str(self.path))
        except ConfigError as error:
            raise _placed(error, text, self.path) from error
        fixed = _fixed(found)
        other = (name for name, value in fixed.items() if value != self._used[name])
        restart = tuple(name for name in other if fixed[name] != self._told[name])
        self._told = fixed
        before = self.settings
        now = structs.replace(
            found,
            gitlab=before.gitlab,
            labels=structs.replace(found.labels, group=before.labels.group),
        )
        self.settings = now
        return ReadConfig(settings=now, changed=tuple(_changes(before, now)), restart=restart)


def keymap_of(settings: Settings, where: str = "") -> Keymap:
    """The keys of a configuration: those of its boards, then those of ``[keymap]``. Raises ConfigError."""
    boards = {f"board.{board.id}": board.key for board in settings.boards if board.key}
    commands = {identity: command.key for identity, command in with_ids(settings.commands).items()}
    return Keymap(
        {**boards, **commands, **settings.keymap},
        boards={board.id: board.name for board in settings.boards},
        commands=settings.commands,
        where=where,
    )


def screen_mistakes(checked: CheckedConfig) -> Iterator[Mistake]:
    """What only the screen knows to be wrong: keys, and themes."""
    yield from keymap_mistakes(checked)
    if not (wanted := checked.settings.ui.theme):
        return

    from textual.theme import BUILTIN_THEMES

    from glboard_core.config_check import Mistake
    from glboard_core.toml_lines import line_of
    from glboard_styles.themes import THEMES

    ours = [theme.name for theme in THEMES]
    if wanted not in (*ours, *BUILTIN_THEMES):
        near = get_close_matches(wanted, (*ours, *BUILTIN_THEMES), 1, 0.5)
        hint = f"Did you mean “{near[0]}”?" if near else f"Built-in themes: {', '.join(ours)}."
        line = line_of(dict(checked.lines), ("ui", "theme"))
        message = f"unknown theme “{wanted}”."
        yield Mistake(line=line, key="ui.theme", message=message, hint=hint, harmless=True)


def keymap_mistakes(checked: CheckedConfig) -> Iterator[Mistake]:
    """What is wrong with the keys: each line alone, then all of them together."""
    from glboard_core.config_check import Mistake
    from glboard_core.toml_lines import KeyPath, line_of

    settings, lines = checked.settings, dict(checked.lines)
    boards = {board.id: board.name for board in settings.boards}
    given: dict[str, tuple[str, KeyPath]] = {}
    for board in settings.boards:
        if board.key and board.id in checked.boards:
            given[f"board.{board.id}"] = (board.key, ("boards", checked.boards[board.id], "key"))
    for number, (identity, command) in zip(
        checked.commands, with_ids(settings.commands).items(), strict=True
    ):
        given[identity] = (command.key, ("commands", number, "key"))
    given |= {action: (keys, ("keymap", action)) for action, keys in settings.keymap.items()}
    right: dict[str, str] = {}
    for action, (keys, path) in given.items():
        try:
            Keymap({**right, action: keys}, boards=boards, commands=settings.commands)
        except ConfigError as error:
            message = error.message.rpartition(f"{error.key}: ")[2]
            # The screen's own list of actions is not at hand here.
            _, on_screen, rest = error.hint.partition(" ? in glboard to list ")
            hint = f"glboard config schema lists {rest}" if on_screen else error.hint
            key = ".".join(str(part) for part in path if isinstance(part, str))
            yield Mistake(line=line_of(lines, path), key=key, message=message, hint=hint)
        else:
            right[action] = keys


def _placed(error: ConfigError, text: str, path: Path) -> ConfigError:
    """The first mistake with its line, how many more there are, and what becomes of the board."""
    from glboard_core.config_check import check

    checked = check(text)
    wrong = [one for one in (*checked.mistakes, *keymap_mistakes(checked)) if not one.harmless]
    if not wrong:
        return ConfigError(error.message, hint=f"{error.hint} {_KEPT}".strip())
    first = wrong[0]
    more = f" {counted(len(wrong) - 1, 'more error')}." if len(wrong) > 1 else ""
    place = f"{path.name}:{first.line}" if first.line else path.name
    hint = " ".join(filter(None, (first.hint, _KEPT)))
    return ConfigError(f"{first.message}{more}", where=place, key=first.key, hint=hint)


def _fixed(settings: Settings) -> dict[str, object]:
    """What a running program cannot change: its connection, and which issues its mirror has."""
    gitlab = settings.gitlab
    return {
        "server": gitlab.url.rstrip("/"),
        "user": gitlab.user,
        "certificate": (gitlab.ca_cert, gitlab.client_cert, gitlab.client_key, gitlab.skip_tls_verify),
        "group": gitlab.group,
        "group label": settings.labels.group,
    }


#: What a table of the file is called.
_CALLED = {
    "labels": "labels",
    "flow": "workflow states",
    "milestones": "milestones",
    "keymap": "keys",
    "commands": "commands",
    "sync": "sync",
    "walk": "walk",
    "planning": "planning",
    "share": "share mode",
}


def _changes(before: Settings, now: Settings) -> list[str]:
    """What is another, in words: ``theme, 2 boards, keys``."""
    found = []
    for name, word in (("theme", "theme"), ("density", "density"), ("time_zone", "time zone")):
        if getattr(before.ui, name) != getattr(now.ui, name):
            found.append(word)
    was, new = ({board.id: board for board in one.boards} for one in (before, now))
    boards = [board for name, board in {**was, **new}.items() if was.get(name) != new.get(name)]
    if boards:
        found.append(f"board {boards[0].name}" if len(boards) == 1 else f"{len(boards)} boards")
    elif before.boards != now.boards:
        found.append("order of the boards")
    found += [
        word
        for name, word in _CALLED.items()
        if name in Settings.__struct_fields__ and getattr(before, name) != getattr(now, name)
    ]
    said = {"ui", "boards", "gitlab", *_CALLED}
    found += [
        name
        for name in Settings.__struct_fields__
        if name not in said and getattr(before, name) != getattr(now, name)
    ]
    return found
