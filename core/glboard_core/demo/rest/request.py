"""A REST request as its handlers see it: parameters from query and body, parsed like Grape.

Raises `Refused`, which carries GitLab's status and body.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode

import msgspec

from glboard_core.demo.world import permissions
from glboard_core.demo.world.boards import boards_of
from glboard_core.demo.world.clock import parse_time
from glboard_core.demo.world.records import Board, Group, Issue, Label, Milestone, Place, Project, User
from glboard_core.demo.world.texts import whole
from glboard_core.demo.world.world import World

_NESTED = re.compile(r"(\w+)\[(\w+)\](\[\])?")
_TRUE, _FALSE = ("true", "1", "t", "yes", "on"), ("false", "0", "f", "no", "off")


class Refused(Exception):
    """An error response of GitLab."""

    def __init__(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body
        self.headers = headers or {}


def bad(name: str, what: str = "is invalid") -> Refused:
    """Grape's error for a parameter."""
    return Refused(400, {"error": f"{name} {what}"})


def missing(what: str) -> Refused:
    """Something that does not exist or is not visible."""
    return Refused(404, {"message": f"404 {what} Not Found" if what else "404 Not found"})


def forbidden() -> Refused:
    """Something visible that is not allowed."""
    return Refused(403, {"message": "403 Forbidden"})


def _put(into: dict[str, Any], key: str, value: Any) -> None:
    nested = _NESTED.fullmatch(key)
    if nested is not None:
        inner = into.setdefault(nested[1], {})
        if not isinstance(inner, dict):
            raise bad(nested[1])
        _put(inner, nested[2] + (nested[3] or ""), value)
    elif key.endswith("[]"):
        rows = into.setdefault(key[:-2], [])
        if not isinstance(rows, list):
            raise bad(key[:-2])
        rows.append(value)
    else:
        into[key] = value


def _body(body: bytes, content_type: str) -> dict[str, Any]:
    if not body:
        return {}
    if content_type.startswith("application/json"):
        try:
            content = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise Refused(400, {"error": "Invalid JSON format"}) from None
        if not isinstance(content, dict):
            raise Refused(400, {"error": "The body must be an object"})
        return content
    found: dict[str, Any] = {}
    for key, value in parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True):
        _put(found, key, value)
    return found


@dataclass(slots=True)
class Asked:
    """A request as received. `path` is below the prefix and still encoded."""

    method: str
    path: str
    query: list[tuple[str, str]]
    body: bytes
    content_type: str
    user: User | None
    scope: str
    base_url: str
    throttle_note: Callable[[User], bool]
    throttle_issue: Callable[[User], bool]
    grant: Callable[[User, str], str]
    """Makes a token of a user with a scope."""
    revoke: Callable[[User], None]
    """Revokes the tokens of a user."""
    expires: date | None = None
    """The last day of the token."""


class Call:
    """A request in a handler; `headers` are sent with the response."""

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
        """The current user."""
        return self.asked.user

    def signed_in(self) -> User:
        """The current user. Raises Refused without a token."""
        if self.asked.user is None:
            raise Refused(401, {"message": "401 Unauthorized"})
        return self.asked.user

    def has(self, name: str) -> bool:
        """Whether a parameter was given, even as null."""
        return name in self.params

    def text(self, name: str, default: str | None = None) -> str | None:
        """A text parameter."""
        value = self.params.get(name)
        return default if value is None else str(value)

    def required(self, name: str) -> str:
        """A required text parameter."""
        value = self.text(name)
        if value is None:
            raise bad(name, "is missing")
        return value

    def number(self, name: str, default: int | None = None) -> int | None:
        """An integer; empty text is None."""
        value = self.params.get(name)
        if value is None or value == "":
            return default
        try:
            return int(str(value))
        except ValueError:
            raise bad(name) from None

    def flag(self, name: str, default: bool | None = None) -> bool | None:
        """A boolean."""
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
        """A date; empty text is None."""
        value = self.text(name)
        if not value:
            return None
        try:
            return date.fromisoformat(value[:10])
        except ValueError:
            raise bad(name) from None

    def choice(self, name: str, choices: Iterable[str]) -> str | None:
        """One of several words."""
        value = self.text(name)
        if value is not None and value not in choices:
            raise bad(name, "does not have a valid value")
        return value

    def texts(self, name: str, among: dict[str, Any] | None = None) -> tuple[str, ...]:
        """A list: an array, or text with commas; commas also split inside arrays."""
        value = (self.params if among is None else among).get(name)
        if value is None:
            return ()
        many = value if isinstance(value, list) else [value]
        return tuple(word.strip() for one in many for word in str(one).split(",") if word.strip())

    def numbers(self, name: str) -> tuple[int, ...]:
        """A list of integers."""
        try:
            return tuple(int(one) for one in self.texts(name))
        except ValueError:
            raise bad(name) from None


# The objects a path names, if they are visible to the current user.


def group(call: Call, name: str) -> Group:
    """A group by number or path."""
    world = call.world
    found = world.group_at(name)
    if found is None and (number := whole(name)) is not None:
        found = next((one for one in world.groups.values() if one.id == number), None)
    if found is None or not permissions.can_read_place(call.user, found):
        raise missing("Group")
    return found


def _redirect(call: Call, name: str) -> None:
    """Raise Refused with the address by id if this is the former path of a project."""
    moved = call.world.moved_paths.get(name.lower())
    if moved is None or not permissions.can_read_place(call.user, moved):
        return
    if call.asked.method not in ("GET", "HEAD"):
        raise Refused(405, {"message": "Non GET methods are not allowed for moved projects"})
    rest = call.asked.path.split("/")[5:]
    where = "/".join([f"{call.asked.base_url}/api/v4/projects/{moved.id}", *rest])
    text = f"This resource has been moved permanently to {where}"
    raise Refused(301, {"message": text}, {"location": where})


def project(call: Call, name: str) -> Project:
    """A project by number or path."""
    world = call.world
    found = world.project_at(name)
    if found is None and (number := whole(name)) is not None:
        found = next((one for one in world.projects.values() if one.id == number), None)
    if found is None:
        _redirect(call, name)
    if found is None or not permissions.can_read_place(call.user, found):
        raise missing("Project")
    return found


def issue(call: Call, name: str, iid: str) -> Issue:
    """An issue of a project by its iid."""
    here = project(call, name)
    if (number := whole(iid)) is None:
        raise Refused(400, {"error": "issue_iid is invalid"})
    found = call.world.issue_of(here, number)
    if found is None or not permissions.can_read(call.user, found):
        raise missing("")
    return found


def label(call: Call, owner: Place, name: str) -> Label:
    """A label of a place by number or title."""
    found = call.world.label_of(owner, name)
    if found is None:
        found = call.world.labels.get(whole(name) or 0)
    if found is None or found.owner is not owner:
        raise missing("Label")
    return found


def milestone(call: Call, owner: Place, ident: str) -> Milestone:
    """A milestone of exactly this place."""
    found = call.world.milestones.get(whole(ident) or 0)
    if found is None or found.owner is not owner:
        raise missing("")
    return found


def board(call: Call, owner: Group, ident: str) -> Board:
    """A board of exactly this group."""
    for found in boards_of(call.world, owner):
        if ident == str(found.id):
            return found
    raise missing("Board")


def plannable(call: Call, place: Place) -> None:
    """Raise Refused if the user cannot plan here."""
    if not permissions.can_plan(call.signed_in(), place):
        raise forbidden()


# Offset pages, 20 by default and 100 at most, with GitLab's headers; totals are left out above 10,000.

MAX_PAGE = 100
MAX_TOTAL = 10_000
T = TypeVar("T")


def window(call: Call) -> tuple[int, int]:
    """The requested page and its size."""
    page = call.number("page", 1) or 1
    size = call.number("per_page", 20) or 20
    if page < 1:
        raise bad("page", "does not have a valid value")
    if size < 1:
        raise bad("per_page", "does not have a valid value")
    return page, min(size, MAX_PAGE)


def _link(call: Call, relation: str, **changed: str | int) -> str:
    kept = [(key, value) for key, value in call.asked.query if key not in changed]
    query = urlencode([*kept, *((key, str(value)) for key, value in changed.items())])
    return f'<{call.asked.base_url}{call.asked.path}?{query}>; rel="{relation}"'


def put_headers(call: Call, page: int, size: int, *, more: bool, total: int | None) -> None:
    """The headers of a page; `total` is None if it was not counted that far."""
    links = []
    if page > 1:
        links.append(_link(call, "prev", page=page - 1, per_page=size))
    if more:
        links.append(_link(call, "next", page=page + 1, per_page=size))
    links.append(_link(call, "first", page=1, per_page=size))
    headers = call.headers
    headers["x-page"] = str(page)
    headers["x-per-page"] = str(size)
    headers["x-next-page"] = str(page + 1) if more else ""
    headers["x-prev-page"] = str(page - 1) if page > 1 else ""
    if total is not None:
        pages = max(1, -(-total // size))
        links.append(_link(call, "last", page=pages, per_page=size))
        headers["x-total"] = str(total)
        headers["x-total-pages"] = str(pages)
    headers["link"] = ", ".join(links)


def put_keyset_headers(call: Call, size: int, cursor: str | None) -> None:
    """The headers of a keyset page: only a link to the next one."""
    if cursor is not None:
        call.headers["link"] = _link(call, "next", cursor=cursor, per_page=size)


def paged(call: Call, items: Sequence[T]) -> Sequence[T]:
    """The page of a list."""
    page, size = window(call)
    start = (page - 1) * size
    put_headers(call, page, size, more=start + size < len(items), total=len(items))
    return items[start : start + size]
