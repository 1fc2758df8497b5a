"""Makes docs/configuration.md from the settings and their words: ``python docs/make_configuration.py``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

from msgspec import NODEFAULT, Struct, structs

from glboard_core.command_template import CommandSettings
from glboard_core.config import DEFAULT_BOARDS, BoardSettings, Limit, Settings
from glboard_core.config_check import expected, table_kind
from glboard_core.config_words import KEYS, TABLES

PAGE = Path(__file__).parent / "configuration.md"

_LISTED: dict[str, type[Struct]] = {"boards": BoardSettings, "commands": CommandSettings}

BEGIN = """\
<!-- Made by docs/make_configuration.py from the definitions of the settings. -->

# Configuration

All settings are optional; the defaults are below. `glboard config path` prints the path of the file
(`config.toml` in your configuration folder, or the file of `--config FILE` or `--profile NAME`). `glboard
config init` creates it; `glboard config edit`, or `g,` on the board, opens it in `$EDITOR`.

When you save the file, an open board applies the changes within two seconds. A changed server, group or
group label needs a restart. If the file has errors, the board keeps its current configuration and reports
the first error; `glboard config check` lists all of them, with `--online` also names that do not exist in
GitLab. `glboard config show` prints the settings in effect and their source.

For completion and checks in your editor, run `glboard config schema > config.schema.json`, and add
`#:schema ./config.schema.json` as the first line of `config.toml` (for editors with Taplo).
"""


def page() -> str:
    """The whole page."""
    parts = [BEGIN]
    for field in structs.fields(Settings):
        parts += _table(field.name, field)
    return "\n".join(parts)


def _table(path: str, field: Any) -> Iterator[str]:
    kind = _LISTED.get(path) or table_kind(field.type)
    words = TABLES[path]
    head = f"[[{path}]]" if path in _LISTED else f"[{path}]"
    yield f"## `{head}`\n"
    yield f"{words.about}\n"
    if kind is not None:
        yield from _keys(path, kind)
    elif path == "milestones":
        yield from _milestones(field)
    yield f"```toml\n{words.example}```\n"
    if path == "boards":
        yield from _built_in()
        yield from _inner("boards.limits", Limit, "`[boards.limits]`")
    for one in structs.fields(kind) if kind is not None else ():
        if (inner := table_kind(one.type)) is not None:
            yield from _inner(f"{path}.{one.name}", inner, f"`[{path}.{one.name}]`")


def _inner(path: str, kind: type[Struct], head: str) -> Iterator[str]:
    words = TABLES[path]
    yield f"### {head}\n"
    yield f"{words.about}\n"
    yield from _keys(path, kind)
    yield f"```toml\n{words.example}```\n"


def _keys(path: str, kind: type[Struct]) -> Iterator[str]:
    lines = ["| key | value | default | meaning |", "|---|---|---|---|"]
    for field in structs.fields(kind):
        if table_kind(field.type) is not None:
            continue
        meaning = KEYS[f"{path}.{field.name}"].replace("|", "\\|")
        lines.append(f"| `{field.name}` | {_value(field.type)} | {_default(field)} | {meaning} |")
    yield "\n".join(lines) + "\n"


def _value(kind: Any) -> str:
    if get_origin(kind) is dict:
        inner = get_args(kind)[1]
        if table_kind(inner) is not None:
            return "a table of tables"
        return f"a table: a name, and {expected(inner)}"
    return expected(kind).replace("one of , ", "one of ").replace("one of ", "")


def _default(field: Any) -> str:
    value = field.default if field.default is not NODEFAULT else None
    if field.default is NODEFAULT and field.default_factory is not NODEFAULT:
        value = field.default_factory()
    if field.required:
        return "required"
    if value is None or value in ("", (), {}):
        return "none" if value is None else "empty"
    return f"`{_literal(value)}`"


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, tuple):
        return f"[{', '.join(map(_literal, value))}]"
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{_literal(key)} = {_literal(one)}' for key, one in value.items())} }}"
    if isinstance(value, str) and "\\" in value:
        return f"'{value}'"
    return json.dumps(value, ensure_ascii=False)


def _milestones(field: Any) -> Iterator[str]:
    lines = ["| key | default |", "|---|---|"]
    lines += [f"| `{key}` | `{_literal(titles)}` |" for key, titles in field.default_factory().items()]
    yield "\n".join(lines) + "\n"


def _built_in() -> Iterator[str]:
    yield "The built-in boards:\n"
    lines = ["| id | name | by | milestone | columns |", "|---|---|---|---|---|"]
    for board in DEFAULT_BOARDS:
        columns = ", ".join(f"`{one}`" for one in board.columns)
        lines.append(f"| `{board.id}` | {board.name} | {board.by} | `{board.milestone}` | {columns} |")
    yield "\n".join(lines) + "\n"


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
