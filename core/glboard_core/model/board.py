"""A board, resolved: its milestone and columns as they are on this server today.

Owns the types only. Making one from settings, catalog and date is ``board/resolve.py``; putting issues into
its columns is ``board/placement.py`` and ``board/index.py``.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

ColumnKind = Literal["label", "flow", "milestone", "assignee", "all", "unlisted", "closed"]

UNLISTED = "(unlisted)"
CLOSED = "(closed)"
UNASSIGNED = "(unassigned)"


class Column(Struct, frozen=True, kw_only=True):
    """One column. ``key`` is unique on the board and what JSON calls its name; ``title`` is for the screen.

    ``value`` is what membership means: a label title, a flow state's name, a milestone title, a username;
    None for unassigned, no milestone, (unlisted) and (closed).
    """

    key: str
    title: str
    kind: ColumnKind
    value: str | None = None
    color: str | None = None
    letter: str = ""
    limit_issues: int | None = None
    limit_weight: int | None = None


class Board(Struct, frozen=True, kw_only=True):
    """A board: a filter and columns in order.

    ``milestone`` is a title; "" filters for issues without one; None does not filter. ``role`` says in words
    what the milestone is today (next, current). ``labels`` are all required; ``without`` must be absent.
    """

    id: str
    name: str
    milestone: str | None = None
    role: str = ""
    labels: frozenset[str] = frozenset()
    without: frozenset[str] = frozenset()
    columns: tuple[Column, ...] = ()
    #: What could not be resolved, in words, to be said once (DOMAIN.md section 1).
    warnings: tuple[str, ...] = ()
