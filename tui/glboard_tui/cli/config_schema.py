"""A JSON schema of config.toml, made from the definitions by which the file is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, get_args

import msgspec
from msgspec import Struct, structs

from glboard_core.config import Settings
from glboard_core.config_check import table_kind
from glboard_core.config_words import KEYS
from glboard_core.model.workflow import BY_NAME

_TITLES = {
    "description": "Possible milestone titles on your server, preferred first.",
    "type": "object",
    "additionalProperties": {
        "anyOf": [
            {"type": "string", "minLength": 1},
            {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1},
        ]
    },
}


def _tables(kind: type[Struct], path: str) -> Iterator[tuple[str, type[Struct]]]:
    """Each table of the file, with the beginning of its keys' paths."""
    for field in structs.fields(kind):
        inner = table_kind(field.type) or _entries(field.type)
        if inner is not None:
            yield f"{path}{field.name}.", inner
            yield from _tables(inner, f"{path}{field.name}.")


def _entries(kind: Any) -> type[Struct] | None:
    """What the entries of a list, or of a table of tables, are."""
    return next((found for one in get_args(kind) if (found := table_kind(one)) is not None), None)


def schema_of(actions: Mapping[str, str]) -> dict[str, Any]:
    """The schema; ``actions`` are the ids that can have keys, with their titles."""
    found: dict[str, Any] = msgspec.json.schema(Settings, ref_template="#/$defs/{name}")
    definitions: dict[str, Any] = found["$defs"]
    settings = definitions["Settings"]["properties"]
    # The file may give one title as a text, and boards of its own alone.
    settings["milestones"] = _TITLES
    settings["boards"].pop("default", None)
    settings["keymap"] = {
        "description": "An action and its keys.",
        "type": "object",
        "properties": {action: {"type": "string", "description": title} for action, title in actions.items()},
        "additionalProperties": {"type": "string"},
    }
    flow = definitions["FlowSettings"]["properties"]["labels"]
    flow["properties"] = {state: {"type": "string"} for state in BY_NAME}
    for path, kind in _tables(Settings, ""):
        for name, found_key in definitions[kind.__name__]["properties"].items():
            if words := KEYS.get(f"{path}{name}"):
                found_key["description"] = words
    for definition in definitions.values():
        definition.pop("title", None)
        if "description" in definition:
            definition["description"] = (
                definition["description"].replace("``", "").partition(" (planning rule")[0]
            )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration of glboard (config.toml)",
        **found,
    }
