"""Every mistake in a configuration file, with its line and the nearest right key, value or type.

``config.parse`` stops at the first mistake; this goes on, and also gives the settings without what is wrong,
so that what remains can be checked, too. It asks no server: names on it are checked elsewhere.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec
from msgspec import Meta, Struct, structs

from glboard_core.config import SECRETS, Settings, settings_of
from glboard_core.errors import ConfigError
from glboard_core.model.workflow import BY_NAME
from glboard_core.toml_lines import KeyPath, line_of, lines_of

#: Lines that are no TOML, of which each is named; then the file is something else.
MOST_BROKEN = 20

_WRONG: Any = object()
_AT_LINE = re.compile(r" \(at line (\d+), column \d+\)| \(at end of document\)")


class Mistake(Struct, frozen=True, kw_only=True):
    """One mistake. ``line`` is 0 if it is in none; ``harmless``: glboard starts all the same."""

    line: int
    key: str
    message: str
    hint: str = ""
    harmless: bool = False


class CheckedConfig(Struct, frozen=True, kw_only=True):
    """The mistakes in a file, by line, and the settings without what is wrong.

    ``lines`` is where each of its keys is.
    """

    settings: Settings
    mistakes: tuple[Mistake, ...] = ()
    lines: Mapping[KeyPath, int] = {}
    #: The boards of the file by id, with their numbers in it.
    boards: Mapping[str, int] = {}


def check(text: str) -> CheckedConfig:
    """All mistakes in the text of a configuration file. Raises nothing."""
    text = text.replace("\r\n", "\n")
    found: list[Mistake] = []
    try:
        data, text = _parsed(text, found)
        checker = _Checker(lines_of(text), found)
    except RecursionError:
        found.append(Mistake(line=0, key="", message="it is nested too deeply."))
        data, checker = {}, _Checker({}, found)
    settings = checker.settings(data)
    ordered = sorted(found, key=lambda one: (one.line, one.key))
    boards = {board["id"]: number for number, board in _boards_in(data) if isinstance(board.get("id"), str)}
    return CheckedConfig(settings=settings, mistakes=tuple(ordered), lines=checker.lines, boards=boards)


def _parsed(text: str, found: list[Mistake]) -> tuple[dict[str, Any], str]:
    """The data of a file, and its text; of one that is no TOML, both without the lines at fault."""
    lines = text.split("\n")
    for _ in range(MOST_BROKEN):
        try:
            return tomllib.loads("\n".join(lines)), "\n".join(lines)
        except tomllib.TOMLDecodeError as error:
            said = str(error)
            place = _AT_LINE.search(said)
            number = int(place[1]) if place and place[1] else len("\n".join(lines).rstrip().split("\n"))
            message = _AT_LINE.sub("", said)
            hint = "Texts are in quotes, lists in brackets: key = \"text\", key = ['one', 'two']."
            found.append(Mistake(line=number, key="", message=f"invalid TOML: {message}.", hint=hint))
            if not 0 < number <= len(lines) or not lines[number - 1].strip():
                break
            lines[number - 1] = ""
        except ValueError:
            # Python reads no number of thousands of digits.
            number = max(range(1, len(lines) + 1), key=lambda at: sum(map(str.isdigit, lines[at - 1])))
            found.append(
                Mistake(
                    line=number,
                    key="",
                    message="invalid TOML: a number has too many digits.",
                    hint="Shorten it.",
                )
            )
            lines[number - 1] = ""
    return {}, ""


def _boards_in(data: Mapping[str, Any]) -> list[tuple[int, dict[str, Any]]]:
    """The boards that a file has as tables, with their numbers."""
    boards = data.get("boards")
    rows = enumerate(boards) if isinstance(boards, list) else ()
    return [(number, board) for number, board in rows if isinstance(board, dict)]


class _Checker:
    """Checks the data of one file against the settings' definitions."""

    def __init__(self, lines: Mapping[KeyPath, int], found: list[Mistake]) -> None:
        self.lines = dict(lines)
        self._found = found

    def settings(self, data: dict[str, Any]) -> Settings:
        kept = self._table(data, Settings, ())
        self._refused(kept)
        settings = settings_of(kept)
        self._meaning(settings, kept)
        self._boards(_boards_in(data))
        return settings

    def _say(self, path: KeyPath, message: str, hint: str = "", *, harmless: bool = False) -> None:
        key = ".".join(str(part) for part in path if isinstance(part, str))
        line = line_of(self.lines, path)
        one = Mistake(line=line, key=key, message=message, hint=hint, harmless=harmless)
        self._found.append(one)

    # -- the shape

    def _table(self, data: Any, kind: type[Struct], path: KeyPath) -> dict[str, Any]:
        """The keys of a table that are right."""
        if not isinstance(data, dict):
            self._say(
                path, f"must be a table, not {_kind_of(data)}.", f"Write [{path[-1]}] in a line of its own."
            )
            return {}
        fields = {field.encode_name: field for field in structs.fields(kind)}
        kept = {}
        for key, value in data.items():
            here = (*path, key)
            if key in SECRETS and path in ((), ("gitlab",)):
                self._say(here, "tokens are not allowed in this file.", _NO_TOKEN)
            elif key not in fields:
                self._say(here, "unknown key.", _near_key(key, fields))
            elif (right := self._value(value, fields[key].type, here)) is not _WRONG:
                kept[key] = right
        lacking = [name for name, field in fields.items() if field.required and name not in data]
        if lacking:
            self._say(path, f"it lacks {' and '.join(lacking)}.", "Add them to the table.")
        return kept

    def _value(self, value: Any, kind: Any, path: KeyPath) -> Any:
        """The value, without what is wrong in it; _WRONG if nothing of it is right."""
        if path == ("milestones",):
            return self._milestones(value, path)
        inner = _table_kind(kind)
        if inner is not None:
            found = self._table(value, inner, path)
            # A table that lacks what it must have is none.
            return found if _is_whole(found, inner) else _WRONG
        origin, arguments = get_origin(kind), get_args(kind)
        if origin is tuple and _table_kind(arguments[0]) is not None:
            return self._entries(value, arguments[0], path)
        if origin is dict:
            if not isinstance(value, dict):
                self._say(path, f"must be a table, not {_kind_of(value)}.")
                return _WRONG
            pairs = {key: self._value(one, arguments[1], (*path, key)) for key, one in value.items()}
            return {key: one for key, one in pairs.items() if one is not _WRONG}
        if origin is tuple and isinstance(value, list):
            rows = (self._value(one, arguments[0], (*path, number)) for number, one in enumerate(value))
            return [one for one in rows if one is not _WRONG]
        try:
            msgspec.convert(value, kind)
        except msgspec.ValidationError:
            message = f"must be {_expected(kind)}, not {_shown(value)}."
            near = get_close_matches(str(value).lower(), _choices(kind), 1, 0.5)
            self._say(path, message, f"Did you mean “{near[0]}”?" if near else "")
            return _WRONG
        return value

    def _entries(self, value: Any, kind: Any, path: KeyPath) -> Any:
        if not isinstance(value, list):
            self._say(path, f"must be a list of tables, not {_kind_of(value)}.", f"Write [[{path[-1]}]].")
            return _WRONG
        rows = (self._value(one, kind, (*path, number)) for number, one in enumerate(value))
        return [one for one in rows if one is not _WRONG]

    def _milestones(self, value: Any, path: KeyPath) -> Any:
        """``[milestones]``: a title or a list of titles per key."""
        if not isinstance(value, dict):
            self._say(path, "must be a table.", 'Write [milestones], and below it: backlog = "Backlog".')
            return _WRONG
        kept = {}
        for key, titles in value.items():
            several = titles if isinstance(titles, list) else [titles]
            if several and all(isinstance(one, str) and one.strip() for one in several):
                kept[key] = titles
            else:
                message = "must be a milestone title, or a list of titles, best first."
                self._say((*path, key), message, 'Example: ["Backlog", "Some day"].')
        return kept

    # -- the meaning

    def _refused(self, kept: dict[str, Any]) -> None:
        """What is of the right type, and the configuration's own checks refuse: it is left out."""
        for table, key in (("ui", "time_zone"), ("planning", "version")):
            if key not in kept.get(table, {}):
                continue
            try:
                settings_of({table: {key: kept[table][key]}})
            except ConfigError as error:
                self._say((table, key), error.message.partition(f"{key}: ")[2], error.hint)
                del kept[table][key]

    def _meaning(self, settings: Settings, data: dict[str, Any]) -> None:
        """Names of states, boards and columns that do not exist."""
        for key in ("flow.labels", "planning.nearly_done"):
            table, name = key.split(".")
            states = getattr(getattr(settings, table), name)
            for state in states if name in data.get(table, {}) else ():
                if state not in BY_NAME:
                    path = (table, name, state if isinstance(states, dict) else [*states].index(state))
                    self._say(
                        path, f"“{state}” is not a workflow state.", _near(state, BY_NAME), harmless=True
                    )
        ids = [board.id for board in settings.boards]
        for number, board in enumerate(settings.planning.boards):
            if board not in ids:
                path = ("planning", "boards", number)
                self._say(path, f"there is no board “{board}”.", _near(board, ids), harmless=True)

    def _boards(self, own: Sequence[tuple[int, dict[str, Any]]]) -> None:
        often = Counter(str(board.get("id")) for _, board in own)
        for number, board in own:
            if often[str(board.get("id"))] > 1:
                message = f"two boards have the id “{board.get('id')}”."
                self._say(("boards", number, "id"), message, "Give each an id of its own.")
            columns, limits = board.get("columns"), board.get("limits")
            if not isinstance(columns, list) or not isinstance(limits, dict):
                continue
            for name in limits:
                if name not in columns:
                    message = f"the board has no column “{name}”."
                    self._say(
                        ("boards", number, "limits", name), message, _near(name, columns), harmless=True
                    )


_NO_TOKEN = (
    "Remove it and revoke it if the file was shared; sign in with glboard auth login, or set GITLAB_TOKEN."  # noqa: S105
)


def _table_kind(kind: Any) -> type[Struct] | None:
    """The definition of a table; None if it is another kind of value."""
    options = get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)
    return next((one for one in options if isinstance(one, type) and issubclass(one, Struct)), None)


def _is_whole(found: dict[str, Any], kind: type[Struct]) -> bool:
    return all(field.encode_name in found for field in structs.fields(kind) if field.required)


def _near_key(key: str, known: Mapping[str, object]) -> str:
    near = get_close_matches(key, known, 1, 0.5)
    return f"Did you mean “{near[0]}”?" if near else f"Known keys: {', '.join(sorted(known))}."


def _near(name: str, known: Any) -> str:
    near = get_close_matches(name, [str(one) for one in known], 1, 0.4)
    return f"Did you mean “{near[0]}”?" if near else f"Known: {', '.join(map(str, known))}."


def _choices(kind: Any) -> tuple[str, ...]:
    return get_args(kind) if get_origin(kind) is Literal else ()


_NAMES = {str: "a text in quotes", bool: "true or false", int: "a whole number", float: "a number"}


def _expected(kind: Any) -> str:
    """The values that a key can have, in words."""
    origin = get_origin(kind)
    if origin is Literal:
        return f"one of {', '.join(map(str, get_args(kind)))}"
    if origin is Annotated:
        base, *notes = get_args(kind)
        return f"{_NAMES.get(base, 'a value')}{_bounds(notes)}"
    if origin in (Union, UnionType):
        return " or ".join(_expected(one) for one in get_args(kind) if one is not type(None))
    if origin is tuple:
        return "a list of texts in quotes"
    return _NAMES.get(kind, "another value")


def _bounds(notes: list[Any]) -> str:
    limits = next((one for one in notes if isinstance(one, Meta)), None)
    if limits is None or limits.ge is None:
        return ""
    if limits.le is None:
        return f" of at least {limits.ge:g}"
    return f" from {limits.ge:g} to {limits.le:,g}"


def _kind_of(value: Any) -> str:
    if isinstance(value, bool):
        return "true or false"
    names = {str: "a text", int: "a number", float: "a number", list: "a list", dict: "a table"}
    return names.get(type(value), "a date")


def _shown(value: Any) -> str:
    """A value that is wrong, as far as it is short enough to help."""
    if isinstance(value, str):
        return f"“{value}”" if len(value) <= 40 else "a text"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else _kind_of(value)
