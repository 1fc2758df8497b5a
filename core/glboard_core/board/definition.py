"""A board, resolved: its milestone and columns as they are on this server today.

Owns the types only. ``board/resolve.py`` builds one from settings, catalog and date; ``board/columns.py``
and ``board/index.py`` put issues into its columns.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

ColumnKind = Literal["label", "flow", "milestone", "assignee", "all", "unlisted", "closed"]

UNLISTED = "(unlisted)"
CLOSED = "(closed)"
UNASSIGNED = "(unassigned)"


class Column(Struct, frozen=True, kw_only=True):
    """One column. ``key`` is unique on the board and its name in JSON; ``title`` is for the screen.

    ``value`` decides membership: a label title, a workflow state's name, a milestone title, a username;
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

    ``milestone`` is a title; "" filters for issues without one; None does not filter. ``role`` names
    what the milestone is today (next, current). ``labels`` are all required; ``without`` must be absent.
    """

    id: str
    name: str
    milestone: str | None = None
    role: str = ""
    labels: frozenset[str] = frozenset()
    without: frozenset[str] = frozenset()
    columns: tuple[Column, ...] = ()
    #: What could not be resolved, as texts to show once (DOMAIN.md section 1).
    warnings: tuple[str, ...] = ()
