"""The URLs by which GitLab's pages name an issue: its own page, and the drawer over a list or a board.

Owns their forms. Of a URL only host, path, number and what the drawer shows count: nothing is read from the
page itself, and anchors and other queries say nothing about which issue it is.
"""

from __future__ import annotations

import re
from base64 import b64decode
from contextlib import suppress
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

import msgspec
from msgspec import Struct

_PATH = re.compile(
    r"/(?P<project>[^\s]+?)(?:/-)?/(?:issues(?:/incident)?|work_items)/(?P<iid>[0-9]{1,18})"
    r"(?:/designs(?:/.*)?)?/?",
    re.IGNORECASE,
)
#: A work item of a group, such as an epic: no issue.
_OF_GROUP = re.compile(r"(?:.*/)?groups/.+", re.IGNORECASE)
_PROJECT = re.compile(r"[^\s#@:!/]+(?:/[^\s#@:!/]+)+")
#: What follows a relative root in the address of a page with a drawer, besides the project's own path.
_PAGES = ("/groups/", "/dashboard/")
#: The usual ports of what GitLab is served by.
PORTS = {"https": 443, "http": 80}


class IssueUrl(Struct, frozen=True):
    """``host`` has the port if it is not the usual one; ``project`` is its whole path, perhaps with a
    relative root in front."""

    host: str
    project: str
    iid: int


class _Shown(Struct, frozen=True):
    """What a drawer shows."""

    iid: str
    full_path: str


def issue_url(text: str) -> IssueUrl | None:
    """The issue that a URL names; None if it names none."""
    try:
        parts = urlsplit(text)
        port, name = parts.port, parts.hostname
    except ValueError:
        return None
    if parts.scheme not in PORTS or not name:
        return None
    host = (name if port in (None, PORTS[parts.scheme]) else f"{name}:{port}").lower()
    match = _PATH.fullmatch(unquote(parts.path))
    if match is not None and not _OF_GROUP.fullmatch(match["project"]):
        return IssueUrl(host, match["project"].strip("/"), int(match["iid"]))
    shown = _in_drawer(parts)
    if shown is None:
        return None
    before = (f"/{shown.full_path}/", *_PAGES)
    root = next((parts.path.partition(one)[0] for one in before if one in parts.path), "")
    return IssueUrl(host, f"{root}/{shown.full_path}".strip("/"), int(shown.iid))


def is_of_group(text: str) -> bool:
    """Whether a URL names a work item of a group: an epic, or another that is no issue."""
    try:
        path = urlsplit(text.strip()).path
    except ValueError:
        return False
    match = _PATH.fullmatch(unquote(path))
    return match is not None and _OF_GROUP.fullmatch(match["project"]) is not None


def _in_drawer(parts: SplitResult) -> _Shown | None:
    """The issue in the drawer: its path and number are in the query, as JSON in base64."""
    for code in parse_qs(parts.query).get("show", ())[:1]:
        with suppress(ValueError, msgspec.MsgspecError):
            padded = code.replace(" ", "+") + "=" * (-len(code) % 4)
            shown = msgspec.json.decode(b64decode(padded, validate=True), type=_Shown)
            if _PROJECT.fullmatch(shown.full_path) and shown.iid.isascii() and shown.iid.isdecimal():
                return shown if len(shown.iid) <= 18 else None
    return None
