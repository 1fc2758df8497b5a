"""Writes a proposal as a configuration file: with comments, and with what is default commented out.

Pure: it makes texts. What an existing file says stays, if the two are merged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import msgspec
from msgspec import Struct

from glboard_core.config import BoardSettings
from glboard_core.errors import ConfigError
from glboard_core.setup.built_in import changed_boards
from glboard_core.setup.matching import TYPE_WORDS, plain
from glboard_core.setup.proposal import Proposal, SettingLine

_HEAD = """\
# glboard's configuration, written by setup on {day} for {group}.
# A line with # before its key shows the default. Never put a token in this file.
# glboard config check lists errors, glboard config edit opens it, glboard config show prints all settings.
"""
_SECTIONS: Mapping[str, str] = {
    "labels": "Labels that planning uses.",
    "flow": "Where workflow states are stored: label, status or both.",
    "flow.statuses": "States whose GitLab status has another name.",
    "flow.labels": "States whose label is not the prefix followed by the name.",
    "milestones": "Milestone titles by their role in planning, preferred first.",
    "planning": "A regular expression that matches the titles of version milestones.",
    "planning.mix": "Target share of each type, in percent of the weight.",
    "planning.issue": "The planning issue of a milestone.",
    "ui": "Time zone of the team's days.",
}
#: Keys with several values; the others have one.
_LISTS = ("labels.categories", "labels.wont_do", "labels.duplicate", "planning.issue.labels")


#: Comments behind keys line up to this column.
_ALIGNED = 64


class _Entry(Struct, frozen=True):
    """A key with its value; ``active`` if it is not commented out; ``says`` stands behind or above it."""

    key: str
    value: Any
    active: bool
    says: str = ""
    above: bool = False


def config_text(proposal: Proposal, today: date, *, more: Mapping[str, object] | None = None) -> str:
    """The whole file. ``more`` goes into [gitlab]: how the server is reached."""
    found = proposal.found
    parts = [
        _HEAD.format(day=today.isoformat(), group=_one_line(found.path)),
        f"[gitlab]\nurl = {literal(found.url)}\ngroup = {literal(found.path)}\n"
        + "".join(f"{key} = {literal(value)}\n" for key, value in (more or {}).items()),
    ]
    entries = _entries(proposal)
    for table, says in _SECTIONS.items():
        rows = entries.get(table, [])
        if not rows:
            continue
        lines = [f"# {says}", f"[{table}]"]
        written = [f"{'' if one.active else '# '}{key_of(one.key)} = {literal(one.value)}" for one in rows]
        width = min(max(map(len, written)), _ALIGNED)
        for text, one in zip(written, rows, strict=True):
            behind = "" if plain(one.says) == plain(one.key) else f"  # {one.says}"
            lines += [f"# {one.says}", text] if one.above else [f"{text:{width}}{behind}".rstrip()]
        parts.append("\n".join(lines) + "\n")
    return "\n".join([*parts, *map(board_text, _boards(proposal))])


def merged_text(existing: str, proposal: Proposal, *, more: Mapping[str, object] | None = None) -> str:
    """An existing file with server, group and ``more`` set, and with what it does not say yet.

    Raises ConfigError if it is not TOML.
    """
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        document = tomlkit.parse(existing)
    except TOMLKitError as error:
        raise ConfigError(f"invalid TOML: {error}.", hint="Fix or replace the file.") from None
    wanted: dict[str, object] = {"url": proposal.found.url, "group": proposal.found.path, **(more or {})}
    changed = False
    gitlab = document.setdefault("gitlab", tomlkit.table())
    for key, value in wanted.items():
        if gitlab.get(key) != value:
            gitlab[key], changed = value, True
    for table, rows in _entries(proposal).items():
        for row in (one for one in rows if one.active):
            at: Any = document
            for name in table.split("."):
                at = at.setdefault(name, tomlkit.table())
            if row.key not in at:
                at[row.key], changed = list(row.value) if isinstance(row.value, tuple) else row.value, True
    text = tomlkit.dumps(document) if changed else existing
    has = {str(one.get("id")) for one in document.get("boards", ()) if isinstance(one, dict)}
    added = [board_text(board) for board in _boards(proposal) if board.id not in has]
    return "\n".join([text.rstrip("\n") + "\n", *added])


def _entries(proposal: Proposal) -> dict[str, list[_Entry]]:
    """What goes into each table, in order."""
    entries: dict[str, list[_Entry]] = {}
    for line in proposal.lines:
        if line.key == "types":
            entries.setdefault("labels", []).append(_type_prefix(line))
            if (mix := _mix(line)) is not None:
                entries["planning.mix"] = mix
            continue
        table, _, key = line.key.rpartition(".")
        if line.kind == "state" or (is_state(line) and not line.written):
            continue
        active = line.written
        value: Any = line.value
        if line.key not in _LISTS and table != "milestones":
            value = next(iter(line.value), "")
        missing = line.trust == "missing"
        says = f"{line.title}: {line.why}. {line.advice}".strip() if missing else line.title
        entries.setdefault(table, []).append(_Entry(key, value, active, _one_line(says), above=missing))
    return entries


def is_state(line: SettingLine) -> bool:
    """Whether it is the label or the status of one state: without one it needs no line."""
    return line.key.startswith(("flow.labels.", "flow.statuses."))


def _type_prefix(types: SettingLine) -> _Entry:
    prefix = prefix_of(types.value) or "type::"
    return _Entry("type_prefix", prefix, prefix != "type::", "Types start with")


def prefix_of(titles: Sequence[str]) -> str:
    """The scope that all titles share; "" if they share none."""
    scopes = {title.rpartition("::")[0] for title in titles}
    scope = next(iter(scopes)) if len(scopes) == 1 else ""
    return f"{scope}::" if scope else ""


def _mix(types: SettingLine) -> list[_Entry] | None:
    """The mix by these types; None if it is the usual one."""
    if not types.written:
        return None
    features = [one for one in types.value if _is_feature(one)]
    rest = [one for one in types.value if one not in features]
    shares = [(" + ".join(part), share) for part, share in ((features, 60.0), (rest, 40.0)) if part]
    if len(shares) < 2:
        return None
    return [_Entry(name, share, active=True) for name, share in shares]


def _is_feature(title: str) -> bool:
    return plain(title) in ("feature", *TYPE_WORDS["feature"])


def _boards(proposal: Proposal) -> list[BoardSettings]:
    """The boards to write: the built-in ones that must differ, and those of GitLab that were taken."""
    return [*changed_boards(proposal), *(one.offer.board for one in proposal.boards if one.taken)]


def board_text(board: BoardSettings) -> str:
    """A board as it stands in the file."""
    lines = ["[[boards]]", f"id = {literal(board.id)}", f"name = {literal(board.name)}"]
    lines.append(f"by = {literal(board.by)}")
    if board.columns:
        lines.append(f"columns = {literal(board.columns)}")
    lines.append(f"milestone = {literal(board.milestone)}")
    if board.labels:
        lines.append(f"labels = {literal(board.labels)}")
    if board.filter:
        lines.append(f"filter = {literal(board.filter)}")
    if board.limits:
        lines.append(f"limits = {literal(board.limits)}")
    return "\n".join(lines) + "\n"


def literal(value: Any) -> str:
    """A value in TOML; a pattern with backslashes stays readable, in single quotes."""
    if isinstance(value, Struct):
        value = {key: one for key, one in msgspec.to_builtins(value).items() if one is not None}
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        if "\\" in value and "'" not in value and value.isprintable():
            return f"'{value}'"
        return _quoted(value)
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{key_of(key)} = {literal(one)}" for key, one in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(literal, value))}]"
    return str(value)


def key_of(key: str) -> str:
    """A key in TOML, in quotes where it needs them."""
    return (
        key if key and all(one.isascii() and (one.isalnum() or one in "-_") for one in key) else _quoted(key)
    )


def _quoted(text: str) -> str:
    # A text of JSON is one of TOML; a person sees what is otherwise invisible, or turns the line around.
    json = msgspec.json.encode(text).decode()
    return "".join(one if one.isprintable() else _escaped(ord(one)) for one in json)


def _escaped(code: int) -> str:
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _one_line(text: str) -> str:
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())
