"""What a person types or pastes to name one issue: ``#12``, ``project#12``, ``group/project#12``, or its URL.

Owns the forms but those of URLs, and which issues such a name can mean among the known projects.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec import Struct

from glboard_core.model.catalog import Catalog
from glboard_core.model.issue import Reference
from glboard_core.model.issue_url import PORTS, issue_url

_REFERENCE = re.compile(r"(?P<project>[^\s#@:!]*)#(?P<iid>[0-9]{1,18})")
#: No URL of an issue is longer: what else is pasted is none.
_LONGEST = 2_000


class IssueAddress(Struct, frozen=True):
    """One issue as a person named it. ``host`` is set for a URL: name, port if it is not the usual one.

    ``project`` is the path of a URL, whole or with a relative root in front; else as much of the path as was
    typed, perhaps none.
    """

    project: str
    iid: int
    host: str = ""

    def __str__(self) -> str:
        return f"{self.project}#{self.iid}"


def issue_address(text: str) -> IssueAddress | None:
    """The issue that a text names; None if it names none.

    >>> issue_address("https://gitlab.example.com/top/app/-/issues/12?show=1#note_3")
    IssueAddress(project='top/app', iid=12, host='gitlab.example.com')
    >>> issue_address("app#12"), issue_address("#12"), issue_address("a crash")
    (IssueAddress(project='app', iid=12, host=''), IssueAddress(project='', iid=12, host=''), None)
    """
    text = text.strip().removeprefix("<").removesuffix(">")
    if len(text) > _LONGEST or not text:
        return None
    if "://" in text:
        return _of_url(text)
    match = _REFERENCE.fullmatch(text)
    if match is None:
        return None
    return IssueAddress(match["project"].strip("/"), int(match["iid"]))


def _of_url(text: str) -> IssueAddress | None:
    found = issue_url(text)
    return IssueAddress(found.project, found.iid, found.host) if found is not None else None


def server_of(web_url: str, project: str) -> str:
    """The server of an issue's page, with port and relative root; "" if that cannot be told.

    It can be another than the one that is asked, behind a tunnel or under another name.
    """
    before, scheme, rest = web_url.partition("/-/")[0].partition("://")
    if not scheme or before not in PORTS or not rest.lower().endswith(f"/{project.lower()}"):
        return ""
    return rest[: -len(project) - 1]


def on_server(address: IssueAddress, *servers: str) -> IssueAddress | None:
    """The address on one of these servers, with the project's whole path; None if it is on another host.

    Each is a host, with port and relative root, as in ``gitlab.example.com:8443/gitlab``.
    """
    return next((found for one in servers if (found := _on(address, one)) is not None), None)


def _on(address: IssueAddress, server: str) -> IssueAddress | None:
    if not address.host:
        return address
    host, _, root = server.lower().strip("/").partition("/")
    for port in PORTS.values():
        host = host.removesuffix(f":{port}")
    if address.host != host:
        return None
    if not root:
        return address
    if not address.project.lower().startswith(f"{root}/"):
        return None
    return IssueAddress(address.project[len(root) + 1 :], address.iid, address.host)


def could_mean(address: IssueAddress, catalog: Catalog, projects: Iterable[str]) -> list[Reference]:
    """The issues that the address can mean, as far as projects are known: paths are compared without case.

    ``projects`` are those of the mirror. Empty if it only names the end of a path that is not known.
    """
    path = address.project
    former = [one.name for one in catalog.former if one.kind == "project"]
    ours = list(dict.fromkeys(projects))
    known = list(dict.fromkeys([*ours, *(one.path for one in catalog.projects), *former]))
    if address.host or _is_whole(path, catalog):
        same = next((one for one in known if one.lower() == path.lower()), path)
        return [Reference(catalog.present("project", same), address.iid)]
    if not path:
        found = ours
    else:
        found = [one for one in known if f"/{one}".lower().endswith(f"/{path}".lower())]
        if not found and "/" in path:
            # Of a subgroup of ours, or of another group.
            found = [f"{catalog.group}/{path}", path]
    return [
        Reference(one, address.iid) for one in dict.fromkeys(catalog.present("project", p) for p in found)
    ]


def is_below(project: str, group: str) -> bool:
    """Whether a project is in the group or one of its subgroups."""
    return project.lower().startswith(f"{group}/".lower())


def _is_whole(path: str, catalog: Catalog) -> bool:
    return is_below(path, catalog.group) or catalog.project(path) is not None
