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

from glboard_core.board.columns import EVERY
from glboard_core.board.filters import board_problems
from glboard_core.board.names_needed import BY_DATE
from glboard_core.command_template import problems
from glboard_core.config import SECRETS, Settings, settings_of
from glboard_core.errors import ConfigError
from glboard_core.model.workflow import BY_NAME
from glboard_core.model.workflow import near as near_state
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
    #: The numbers in the file of the commands of one's own, in their order.
    commands: tuple[int, ...] = ()


def check(text: str) -> CheckedConfig:
    """All mistakes in the text of a configuration file. Raises nothing."""
    text = text.replace("\r\n", "\n")
    found: list[Mistake] = []
    try:
        data, text = _parsed(text, found)
        checker = _Checker(lines_of(text), found)
    except RecursionError:
        found.append(Mistake(line=0, key="", message="too deeply nested.", hint="Remove brackets."))
        data, checker = {}, _Checker({}, found)
    settings = checker.settings(data)
    ordered = sorted(found, key=lambda one: (one.line, one.key))
    boards = {board["id"]: number for number, board in _boards_in(data) if isinstance(board.get("id"), str)}
    return CheckedConfig(
        settings=settings,
        mistakes=tuple(ordered),
        lines=checker.lines,
        boards=boards,
        commands=numbers_of(data),
    )


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
            hint = _toml_hint(said, text)
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


def numbers_of(data: Mapping[str, Any]) -> tuple[int, ...]:
    """Which of the commands of a file have all that they must have: their numbers in it."""
    commands = data.get("commands")
    return tuple(
        number
        for number, row in enumerate(commands if isinstance(commands, list) else ())
        if isinstance(row, dict) and all(isinstance(row.get(key), str) for key in ("key", "name", "run"))
    )


class _Checker:
    """Checks the data of one file against the settings' definitions."""

    def __init__(self, lines: Mapping[KeyPath, int], found: list[Mistake]) -> None:
        self.lines = dict(lines)
        self._found = found
        self._milestone_keys: tuple[str, ...] = ()
        self._milestone_names: frozenset[str] = frozenset()

    def settings(self, data: dict[str, Any]) -> Settings:
        kept = self._table(data, Settings, ())
        self._refused(kept)
        settings = settings_of(kept)
        self._milestone_keys = tuple(settings.milestones)
        titles = (title for several in settings.milestones.values() for title in several)
        self._milestone_names = frozenset((*settings.milestones, *titles))
        self._meaning(settings, kept)
        self._boards(_boards_in(data))
        self._commands(settings, numbers_of(data))
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
            hint = f"Write [{path[-1]}] on a separate line."
            if len(path) > 1:
                names = (field.encode_name for field in structs.fields(kind))
                hint = f"Write {_quoted(str(path[-1]))} = {{ {' = …, '.join(names)} = … }}."
            self._say(path, f"must be a table, not {_kind_of(data)}.", hint)
            return {}
        fields = {field.encode_name: field for field in structs.fields(kind)}
        kept = {}
        for key, value in data.items():
            here = (*path, key)
            if key in SECRETS and path in ((), ("gitlab",)):
                self._say(here, "tokens are not allowed in this file.", _NO_TOKEN)
            elif key not in fields:
                self._say(here, "unknown key.", _elsewhere(key, path) or _near_key(key, fields))
            elif (right := self._value(value, fields[key].type, here)) is not _WRONG:
                kept[key] = right
        lacking = [name for name, field in fields.items() if field.required and name not in data]
        if lacking:
            self._say(
                path,
                f"missing {' and '.join(lacking)}.",
                f"Add {'them' if lacking[1:] else 'it'} to the table.",
            )
        return kept

    def _value(self, value: Any, kind: Any, path: KeyPath) -> Any:
        """The value, without what is wrong in it; _WRONG if nothing of it is right."""
        if path == ("milestones",):
            return self._milestones(value, path)
        inner = table_kind(kind)
        if inner is not None:
            found = self._table(value, inner, path)
            # A table that lacks what it must have is none.
            return found if _is_whole(found, inner) else _WRONG
        origin, arguments = get_origin(kind), get_args(kind)
        if origin is tuple and table_kind(arguments[0]) is not None:
            return self._entries(value, arguments[0], path)
        if origin is dict:
            if not isinstance(value, dict):
                self._say(
                    path,
                    f"must be a table, not {_kind_of(value)}.",
                    f"Write [{'.'.join(map(str, path))}] on a separate line.",
                )
                return _WRONG
            pairs = {key: self._value(one, arguments[1], (*path, key)) for key, one in value.items()}
            return {key: one for key, one in pairs.items() if one is not _WRONG}
        if origin is tuple and isinstance(value, list):
            rows = (self._value(one, arguments[0], (*path, number)) for number, one in enumerate(value))
            return [one for one in rows if one is not _WRONG]
        try:
            msgspec.convert(value, kind)
        except msgspec.ValidationError:
            message = f"must be {expected(kind)}, not {_shown(value)}."
            near = get_close_matches(str(value).lower(), _choices(kind), 1, 0.5)
            hint = f"Did you mean “{near[0]}”?" if near else ""
            if origin is tuple and isinstance(value, str):
                hint = f"Write {path[-1]} = [{_quoted(value, always=True)}]."
            elif path[0] == "keymap" and isinstance(value, dict) and value:
                inner, keys = next(iter(value.items()))
                hint = f'Write the id in quotes: "{path[-1]}.{inner}" = {_quoted(str(keys), always=True)}.'
            self._say(path, message, hint)
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
            self._say(
                path, "must be a table.", 'Write [milestones], followed by lines such as backlog = "Backlog".'
            )
            return _WRONG
        kept = {}
        for key, titles in value.items():
            several = titles if isinstance(titles, list) else [titles]
            if several and all(isinstance(one, str) and one.strip() for one in several):
                kept[key] = titles
                if key in BY_DATE:
                    message = f"{key} is reserved for a milestone by its dates, so this is ignored."
                    self._say((*path, key), message, "Choose another key.", harmless=True)
            else:
                message = "must be a milestone title, or a list of titles, preferred first."
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
        for key in ("flow.labels", "flow.statuses", "planning.nearly_done"):
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
                self._say(path, f"unknown board “{board}”.", _near(board, ids), harmless=True)

    def _boards(self, own: Sequence[tuple[int, dict[str, Any]]]) -> None:
        often = Counter(str(board.get("id")) for _, board in own)
        for number, board in own:
            if often[str(board.get("id"))] > 1:
                message = f"two boards have the id “{board.get('id')}”."
                self._say(("boards", number, "id"), message, "Use a unique id for each.")
            self._names(number, board)
            self._columns(number, board)
            filtered = board.get("filter")
            for problem in board_problems(filtered) if isinstance(filtered, str) else ():
                self._say(("boards", number, "filter"), problem, harmless=True)

    def _commands(self, settings: Settings, numbers: Sequence[int]) -> None:
        """Commands of one's own that cannot be run. Their keys are checked by the screen."""
        for number, command in zip(numbers, settings.commands, strict=True):
            for problem in problems(command):
                self._say(("commands", number, problem.key), problem.message, problem.hint)

    def _names(self, number: int, board: dict[str, Any]) -> None:
        """An id that is hard to type, a name that is empty, and a milestone that nearly means something."""
        identity, name, milestone = (board.get(key) for key in ("id", "name", "milestone"))
        if isinstance(identity, str) and not _ID.fullmatch(identity):
            message = f"“{identity}” is not a valid board id."
            self._say(("boards", number, "id"), message, "Use letters, digits, - and _.", harmless=True)
        if isinstance(name, str) and not name.strip():
            self._say(("boards", number, "name"), "it is empty.", "Name the board.", harmless=True)
        if isinstance(milestone, str) and milestone not in (*_MILESTONES, *self._milestone_names):
            near = get_close_matches(milestone.lower(), (*_MILESTONES, *self._milestone_keys), 1, 0.8)
            if near:
                message = f"“{milestone}” is used as a milestone title."
                path = ("boards", number, "milestone")
                self._say(path, message, f"Did you mean “{near[0]}”?", harmless=True)

    def _columns(self, number: int, board: dict[str, Any]) -> None:
        """Columns and limits that the board cannot have."""
        by, columns, limits = board.get("by", "label"), board.get("columns", []), board.get("limits")
        if not isinstance(columns, list):
            return
        if columns and by in _NO_COLUMNS:
            message = f"a board by {by} cannot have columns." if by != "none" else "it cannot have columns."
            self._say(("boards", number, "columns"), message, _NO_COLUMNS[by], harmless=True)
        for place, name in enumerate(columns):
            if by == "flow" and isinstance(name, str) and near_state(name) is None:
                message = f"“{name}” is not a workflow state."
                self._say(("boards", number, "columns", place), message, _near(name, BY_NAME), harmless=True)
        # The columns of the others are known on the server only.
        if isinstance(limits, dict) and columns:
            for name in limits:
                if name not in (*columns, EVERY):
                    message = f"the board has no column “{name}”."
                    self._say(
                        ("boards", number, "limits", name), message, _near(name, columns), harmless=True
                    )


#: What ``milestone`` of a board can be besides keys and titles.
_MILESTONES = ("current", "next", "after-next", "none", "any")
_ID = re.compile(r"[\w.-]+")
#: What the columns of these boards follow from.
_NO_COLUMNS = {
    "assignee": "Its columns are the team and all assignees.",
    "none": "For columns, set by = 'label', 'flow', 'milestone' or 'priority'.",
}
_NO_TOKEN = (
    "Remove it, and revoke it if the file was shared. "  # noqa: S105  (words about a token)
    "Then sign in with glboard auth login, or set GITLAB_TOKEN."
)


def table_kind(kind: Any) -> type[Struct] | None:
    """The definition of a table; None if it is another kind of value."""
    options = get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)
    return next((one for one in options if isinstance(one, type) and issubclass(one, Struct)), None)


def _is_whole(found: dict[str, Any], kind: type[Struct]) -> bool:
    return all(field.encode_name in found for field in structs.fields(kind) if field.required)


def _elsewhere(key: str, path: KeyPath) -> str:
    """That a key of no table, or of the wrong one, is one of another table."""
    if len(path) > 1:
        return ""
    for field in structs.fields(Settings):
        table = table_kind(field.type)
        if table is not None and key in {one.encode_name for one in structs.fields(table)}:
            return f"Move it below [{field.name}]."
    return ""


def _quoted(text: str, *, always: bool = False) -> str:
    bare = re.fullmatch(r"[\w-]+", text, re.ASCII) is not None and not always
    return text if bare else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _toml_hint(said: str, text: str) -> str:
    if "\r" in text:
        return "A line ends with only a carriage return. Save the file with Unix or Windows line endings."
    if "twice" in said:
        return "Use each table name, and each key in a table, only once."
    return "Use quotes for text and brackets for lists: key = \"text\", key = ['one', 'two']."


def _near_key(key: str, known: Mapping[str, object]) -> str:
    near = get_close_matches(key.lower(), known, 1, 0.5)
    return f"Did you mean “{near[0]}”?" if near else f"Known keys: {', '.join(sorted(known))}."


def _near(name: str, known: Any) -> str:
    near = get_close_matches(name, [str(one) for one in known], 1, 0.4)
    return f"Did you mean “{near[0]}”?" if near else f"Known: {', '.join(map(str, known))}."


def _choices(kind: Any) -> tuple[str, ...]:
    return get_args(kind) if get_origin(kind) is Literal else ()


_NAMES = {str: "a string in quotes", bool: "true or false", int: "a whole number", float: "a number"}


def expected(kind: Any) -> str:
    """The values that a key can have, in words."""
    origin = get_origin(kind)
    if origin is Literal:
        return f"one of {', '.join(map(str, get_args(kind)))}"
    if origin is Annotated:
        base, *notes = get_args(kind)
        return f"{_NAMES.get(base, 'a value')}{_bounds(notes)}"
    if origin in (Union, UnionType):
        some = [one for one in get_args(kind) if one is not type(None) and get_args(one) != ("",)]
        return " or ".join(map(expected, some))
    if origin is tuple:
        return "a list of strings in quotes"
    return _NAMES.get(kind, "another value")


def _bounds(notes: list[Any]) -> str:
    limits = next((one for one in notes if isinstance(one, Meta)), None)
    if limits is not None and limits.min_length:
        return f" of at least {limits.min_length} characters"
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
