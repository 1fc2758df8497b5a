"""The template of a planning issue: Markdown with placeholders, and their names.

Owns the placeholders and the errors for a wrong one: file, line, and the nearest known name.
``{milestone}`` expands to a few words, ``{candidates}`` to several lines; a backslash escapes a brace.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches

from glboard_core.errors import ConfigError
from glboard_core.planning.generated import wrapped

#: Placeholders for a few words, filled once when the issue is created.
VALUES = ("milestone", "start", "due", "workdays", "before")
#: Placeholders for a part, which is regenerated at every update.
PARTS = ("dates", "boards", "capacity", "candidates", "carry-over")

_FIELD = re.compile(r"(?<!\\)\{([A-Za-z][A-Za-z_-]*)\}")


def check(template: str, where: str) -> tuple[str, ...]:
    """The parts the template has, in its order. Raises ConfigError with the line of the first mistake."""
    parts: list[str] = []
    for number, line in enumerate(template.splitlines(), 1):
        for found in _FIELD.finditer(line):
            name = found[1]
            place = f"{where}:{number}"
            if name not in (*VALUES, *PARTS):
                raise _unknown(name, place)
            if name in PARTS:
                if line.strip() != found[0]:
                    raise ConfigError(
                        "placeholder expands to several lines.",
                        where=place,
                        key=found[0],
                        hint="Put it on its own line.",
                    )
                if name in parts:
                    raise ConfigError("used twice.", where=place, key=found[0], hint="Use it only once.")
                parts.append(name)
    return tuple(parts)


def fill(template: str, values: Mapping[str, str], parts: Mapping[str, str], where: str) -> str:
    """The text of a new issue: values as given (already escaped), parts between their markers.

    Raises ConfigError as ``check`` does.
    """
    check(template, where)

    def replaced(found: re.Match[str]) -> str:
        name = found[1]
        return wrapped(name, parts[name]) if name in PARTS else values[name]

    return _FIELD.sub(replaced, template).strip("\n")


def _unknown(name: str, place: str) -> ConfigError:
    folded = name.lower().replace("_", "-")
    near = get_close_matches(folded, (*VALUES, *PARTS), 1, 0.5)
    known = ", ".join(f"{{{one}}}" for one in (*VALUES, *PARTS))
    said = f"Did you mean “{{{near[0]}}}”? " if near else ""
    return ConfigError(
        "unknown placeholder.",
        where=place,
        key=f"{{{name}}}",
        hint=f"{said}Known: {known}. Write \\{{ for a literal brace.",
    )
