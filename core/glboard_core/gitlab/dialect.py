"""What a server can be asked, and how much at once: its dialect of the API, and the limits of a document."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from glboard_core.model.catalog import Server

#: GitLab's limits are 250 (signed in) and 10,000; the margin covers what our estimate misses.
MOST_COMPLEXITY = 200
MOST_CHARACTERS = 9_000
#: Rows of a page: GitLab gives no more at once.
PAGE = 100


class Dialect(Struct, frozen=True, kw_only=True):
    """Which fields a server has: ``ee`` weight and blocked, ``status`` work item statuses, ``modern`` 18+.

    ``titles``: labels can be asked for by their exact title. ``licence``: the field of a group that only a
    licence answers, since without one GitLab has the fields of ``ee`` and ``status``, and all are null; "" in
    the Community Edition. ``kinds``: how the types of work items that boards show are found (19.0 and later,
    which have types of one's own); ``by_kind``: issues are asked by the ids of these. ``rights``: what one
    may do in a project can be asked.
    """

    ee: bool = True
    status: bool = False
    modern: bool = False
    titles: bool = False
    licence: Literal["", "epicsEnabled", "lifecycles"] = ""
    kinds: Literal["", "named", "board"] = ""
    by_kind: bool = False
    rights: bool = True


def dialect_of(server: Server) -> Dialect:
    """The dialect for a server's version and edition."""
    ee = server.enterprise
    modern, statuses = server.release >= (18, 0), server.release >= (18, 5)
    return Dialect(
        ee=ee,
        status=ee and statuses and not server.fine_grained,
        modern=modern,
        titles=modern,
        licence="" if not ee else "lifecycles" if statuses else "epicsEnabled",
        # A fine-grained token may not read types; nor rights, which would take the project along.
        kinds="board" if server.release >= (19, 0) and not server.fine_grained else "",
        rights=not server.fine_grained,
    )


#: What is assumed of a server before it has answered; a refusal tells better.
NEWEST = Dialect(ee=True, status=True, modern=True, titles=True, licence="lifecycles")

#: How a group is asked for its licence: both need the one that weights, blocked issues and statuses need.
LICENCE = {
    "": "",
    "epicsEnabled": " epicsEnabled",
    "lifecycles": " lifecycles(first: 1) { nodes { id } }",
}


def widgets(kind: str, dialect: Dialect) -> str:
    """The widgets of one kind of a work item; all of them before 18.0."""
    return f"widgets(onlyTypes: [{kind}])" if dialect.modern else "widgets"


def rights(dialect: Dialect) -> str:
    """What we may do in a project, as a field of it."""
    permission = "adminIssue" if dialect.modern else "createLabel"
    return f" userPermissions {{ mayEdit: {permission} }}" if dialect.rights else ""
