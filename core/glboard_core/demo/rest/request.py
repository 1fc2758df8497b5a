"""A REST request as its handlers see it: parameters from query and body, read as Grape reads them.

Raises `Refused`, which carries GitLab's status and body.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from glboard_core.demo.world.clock import parse_time
from glboard_core.demo.world.records import User
from glboard_core.demo.world.world import World

_NESTED = re.compile(r"(\w+)\[(\w+)\](\[\])?")
_TRUE, _FALSE = ("true", "1", "t", "yes", "on"), ("false", "0", "f", "no", "off")


class Refused(Exception):
    """GitLab's refusal."""

    def __init__(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body
        self.headers = headers or {}


def bad(name: str, what: str = "is invalid") -> Refused:
    """Grape's refusal of a parameter."""
    return Refused(400, {"error": f"{name} {what}"})


def missing(what: str) -> Refused:
    """Something that is not there, or not for you."""
    return Refused(404, {"message": f"404 {what} Not Found" if what else "404 Not found"})


def forbidden() -> Refused:
    """Something that is there and not allowed."""
    return Refused(403, {"message": "403 Forbidden"})


def _put(into: dict[str, Any], key: str, value: Any) -> None:
    nested = _NESTED.fullmatch(key)
    if nested is not None:
        _put(into.setdefault(nested[1], {}), nested[2] + (nested[3] or ""), value)
    elif key.endswith("[]"):
        into.setdefault(key[:-2], []).append(value)
    else:
        into[key] = value


def _body(body: bytes, content_type: str) -> dict[str, Any]:
    if not body:
        return {}
    if content_type.startswith("application/json"):
        try:
            content = msgspec.json.decode(body)
        except msgspec.DecodeError:
            raise Refused(400, {"error": "There was a problem in the JSON you submitted"}) from None
        if not isinstance(content, dict):
            raise Refused(400, {"error": "The body must be an object"})
        return content
    found: dict[str, Any] = {}
    for key, value in parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True):
        _put(found, key, value)
    return found


@dataclass(slots=True)
class Asked:
    """What came over the wire. `path` is below the prefix and still encoded."""

    method: str
    path: str
    query: list[tuple[str, str]]
    body: bytes
    content_type: str
    user: User | None
    scope: str
    base_url: str
    throttle_note: Callable[[User], bool]


class Call:
    """A request on its way through a handler; `headers` go out with the answer."""

    def __init__(self, world: World, asked: Asked) -> None:
        self.world = world
        self.asked = asked
        self.headers: dict[str, str] = {}
        self.params: dict[str, Any] = {}
        for key, value in asked.query:
            _put(self.params, key, value)
        self.params.update(_body(asked.body, asked.content_type))

    @property
    def user(self) -> User | None:
        """Whoever asks."""
        return self.asked.user

    def signed_in(self) -> User:
        """Whoever asks, who must have a token."""
        if self.asked.user is None:
            raise Refused(401, {"message": "401 Unauthorized"})
        return self.asked.user

    def has(self, name: str) -> bool:
        """Whether a parameter was given, null included."""
        return name in self.params

    def text(self, name: str, default: str | None = None) -> str | None:
        """A text parameter."""
        value = self.params.get(name)
        return default if value is None else str(value)

    def required(self, name: str) -> str:
        """A text parameter that must be there."""
        value = self.text(name)
        if value is None:
            raise bad(name, "is missing")
        return value

    def number(self, name: str, default: int | None = None) -> int | None:
        """A whole number; empty text is none."""
        value = self.params.get(name)
        if value is None or value == "":
            return default
        try:
            return int(str(value))
        except ValueError:
            raise bad(name) from None

    def flag(self, name: str, default: bool | None = None) -> bool | None:
        """A yes or no."""
        value = self.params.get(name)
        if value is None or value == "":
            return default
        word = str(value).lower()
        if word not in (*_TRUE, *_FALSE):
            raise bad(name)
        return word in _TRUE

    def time(self, name: str) -> int | None:
        """A time, as a stamp."""
        value = self.text(name)
        if not value:
            return None
        try:
            return parse_time(value)
        except ValueError:
            raise bad(name) from None

    def day(self, name: str) -> date | None:
        """A day; empty text is none."""
        value = self.text(name)
        if not value:
            return None
        try:
            return date.fromisoformat(value[:10])
        except ValueError:
            raise bad(name) from None

    def choice(self, name: str, choices: Iterable[str]) -> str | None:
        """One of some words."""
        value = self.text(name)
        if value is not None and value not in choices:
            raise bad(name, "does not have a valid value")
        return value

    def texts(self, name: str, among: dict[str, Any] | None = None) -> tuple[str, ...]:
        """A list: an array or text with commas; commas split inside arrays too."""
        value = (self.params if among is None else among).get(name)
        if value is None:
            return ()
        many = value if isinstance(value, list) else [value]
        return tuple(word.strip() for one in many for word in str(one).split(",") if word.strip())

    def numbers(self, name: str) -> tuple[int, ...]:
        """A list of whole numbers."""
        try:
            return tuple(int(one) for one in self.texts(name))
        except ValueError:
            raise bad(name) from None
