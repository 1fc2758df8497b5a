"""References to issues as people write them: ``group/project#12``, ``project#12``, an issue's URL."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from glboard_core.errors import NameUnknown, UsageError
from glboard_core.model.catalog import Catalog

_FULL = re.compile(r"(?P<project>[^\s#]+)#(?P<iid>\d+)")
_PATH = re.compile(r"/?(?P<project>.+?)/-/(?:issues|work_items)/(?P<iid>\d+)/?")


class Reference(Struct, frozen=True):
    """An issue by its project's full path and its number there."""

    project: str
    iid: int

    def __str__(self) -> str:
        return f"{self.project}#{self.iid}"


def parse_reference(text: str, catalog: Catalog) -> Reference:
    """What ``text`` refers to. The last parts of a project's path are enough if they are unique.

    Raises UsageError if it is not a reference, NameUnknown if a short path fits no project or several.
    """
    if "://" in text:
        return _from_url(text, catalog)
    match = _FULL.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"“{text}” is not an issue.", hint="Use group/project#12, project#12 or its URL.")
    return Reference(_project(match["project"], catalog), int(match["iid"]))


def _from_url(text: str, catalog: Catalog) -> Reference:
    path = unquote(urlsplit(text).path)
    match = _PATH.fullmatch(path)
    if match is None:
        raise UsageError(f"“{text}” is not an issue URL.", hint="It should end in /-/issues/NUMBER.")
    project = match["project"].lstrip("/")
    # Under a relative URL the path starts with more than the project.
    known = [p.path for p in catalog.projects if project == p.path or project.endswith("/" + p.path)]
    return Reference(max(known, key=len, default=project), int(match["iid"]))


def _project(path: str, catalog: Catalog) -> str:
    known = [project.path for project in catalog.projects]
    if path in known or path.startswith(catalog.group + "/"):
        return path
    fits = [project for project in known if project.endswith("/" + path)]
    if len(fits) == 1:
        return fits[0]
    raise NameUnknown("project", path, tuple(fits or known)[:5])
