"""What the body and headers of a refused request say, as clean short text: all of it is remote."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

import msgspec

from glboard_core.model.clean_text import line

#: Characters of remote text that are looked at, before it is shortened further: cleaning takes time.
LOOKED_AT = 4_000


def words(value: object, most: int) -> str:
    """Remote words of any shape as one clean line: a text, a list of texts, or texts by field."""
    if isinstance(value, dict):
        parts = [f"{key} {_flat(what)}" for key, what in islice(value.items(), 20)]
    elif isinstance(value, list):
        parts = [_flat(what) for what in value[:20]]
    else:
        parts = [_flat(value)]
    return line("; ".join(part for part in parts if part)[:LOOKED_AT])[:most]


def _flat(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(part for one in value[:20] if (part := _flat_text(one)))
    return _flat_text(value)


def _flat_text(value: object) -> str:
    if isinstance(value, str):
        return value[:LOOKED_AT]
    # What is nested deeper says nothing to a person.
    return "" if value is None or isinstance(value, dict | list) else str(value)


def is_json(kind: str) -> bool:
    """Whether a media type is JSON."""
    return kind == "application/json" or kind.endswith("+json")


def media_type(headers: Mapping[str, str]) -> str:
    """The media type, which is remote text too."""
    return line(headers.get("content-type", "").partition(";")[0].strip().lower()[:80])


def fields_of(raw: bytes) -> dict[str, Any]:
    """The fields of a JSON error body; empty if it is something else."""
    try:
        found = msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return {}
    return found if isinstance(found, dict) else {}


def message_of(fields: Mapping[str, Any]) -> str:
    """The message of a JSON error body, as one clean line of at most 300 characters."""
    errors = fields.get("errors")
    if isinstance(errors, list):
        found: object = [one.get("message") if isinstance(one, dict) else one for one in errors[:20]]
    else:
        found = fields.get("error_description") or fields.get("message") or fields.get("error")
    return words(found, 300) or "no reason given"
