"""The template of a planning issue: Markdown with placeholders, and what they may be called.

Owns the placeholders and the errors a wrong one gives: file, line, and the nearest known name.
``{milestone}`` stands for a few words, ``{candidates}`` for several lines; a backslash keeps a brace.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches

from glboard_core.errors import ConfigError
from glboard_core.planning.generated import wrapped

#: Placeholders for a few words. They are filled once, when the issue is made.
VALUES = ("milestone", "start", "due", "workdays", "before")
#: Placeholders for a part, which is made anew at every update.
PARTS = ("dates", "boards", "capacity", "candidates", "carry-over")

_PLACEHOLDER = re.compile(r"(?<!\\)\{([A-Za-z][A-Za-z_-]*)\}")


def check(template: str, where: str) -> tuple[str, ...]:
    """The parts the template has, in its order. Raises ConfigError with the line of the first mistake."""
    parts: list[str] = []
    for number, line in enumerate(template.splitlines(), 1):
        for found in _PLACEHOLDER.finditer(line):
            name = found[1]
            place = f"{where}:{number}"
            if name not in (*VALUES, *PARTS):
                raise _unknown(name, place)
            if name in PARTS:
                if line.strip() != found[0]:
                    raise ConfigError(
                        "stands for several lines.",
                        where=place,
                        key=found[0],
                        hint="Put it on a line of its own.",
                    )
                if name in parts:
                    raise ConfigError("stands here twice.", where=place, key=found[0], hint="Once is enough.")
                parts.append(name)
    return tuple(parts)


def fill(template: str, values: Mapping[str, str], parts: Mapping[str, str], where: str) -> str:
    """The text of a new issue: values as they are given (escaped already), parts between their marks.

    Raises ConfigError as ``check`` does.
    """
    check(template, where)

    def replaced(found: re.Match[str]) -> str:
        name = found[1]
        return wrapped(name, parts[name]) if name in PARTS else values[name]

    return _PLACEHOLDER.sub(replaced, template).strip("\n")


def _unknown(name: str, place: str) -> ConfigError:
    folded = name.lower().replace("_", "-")
    near = get_close_matches(folded, (*VALUES, *PARTS), 1, 0.5)
    known = ", ".join(f"{{{one}}}" for one in (*VALUES, *PARTS))
    said = f"Did you mean “{{{near[0]}}}”? " if near else ""
    return ConfigError(
        "this placeholder is not known.",
        where=place,
        key=f"{{{name}}}",
        hint=f"{said}Known: {known}. Write \\{{ for a brace that is to stay.",
    )
