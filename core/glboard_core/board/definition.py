"""A board, resolved: its milestone and columns as they are on this server today.

Owns the types only. ``board/definition.py`` builds one from settings, catalog and date; ``board/columns.py``
and ``board/index.py`` put issues into its columns.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Literal

from msgspec import Struct

from glboard_core.config import BoardSettings, Settings
from glboard_core.errors import NameUnknown
from glboard_core.model.catalog import Catalog
from glboard_core.model.issue import Issue
from glboard_core.model.milestone import current, upcoming
from glboard_core.model.workflow import WorkflowScheme, near

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
    #: What could not be resolved, as texts to show once (planning rule 15).
    warnings: tuple[str, ...] = ()


# Build today's board from settings: milestones by date and alias, columns without duplicates.

_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def flow_scheme(settings: Settings) -> WorkflowScheme:
    """How workflow states are stored, by configuration."""
    return WorkflowScheme(prefix=settings.labels.workflow_prefix, backend=settings.flow.backend)


def milestone_title(name: str, settings: Settings, catalog: Catalog, today: date) -> str:
    """The title on the server for ``current``, ``next``, ``after-next``, an alias key or a title.

    A title that is spelled differently on the server resolves through the alias it belongs to.

    Raises NameUnknown with the near matches if there is none.
    """
    if name == "current":
        if (milestone := current(catalog.milestones, today)) is None:
            raise NameUnknown("milestone", name, hint=f"No version milestone contains {today.isoformat()}.")
        return milestone.title
    if name in ("next", "after-next"):
        coming = upcoming(catalog.milestones, today)
        index = 0 if name == "next" else 1
        if len(coming) <= index:
            raise NameUnknown(
                "milestone", name, hint=f"No further version milestone starts after {today.isoformat()}."
            )
        return coming[index].title
    titles = settings.milestones.get(name) or (name, *_aliases(name, settings))
    known = {milestone.title: milestone.title for milestone in catalog.milestones}
    folded = {title.casefold(): title for title in known}
    for title in titles:
        if title in known:
            return title
    for title in titles:
        if title.casefold() in folded:
            return folded[title.casefold()]
    close = catalog.near_milestones(titles[0])
    hint = (
        f"Near matches: {', '.join(close)}." if close else "The group has no milestone with a similar name."
    )
    raise NameUnknown(
        "milestone", titles[0], close, hint=f"{hint} Set the right title under [milestones] in config.toml."
    )


def _aliases(name: str, settings: Settings) -> tuple[str, ...]:
    """The titles of the alias that ``name`` belongs to, as a key or a title, ignoring case; or none."""
    wanted = name.casefold()
    for key, titles in settings.milestones.items():
        if wanted in (key.casefold(), *(title.casefold() for title in titles)):
            return titles
    return ()


def milestone_for(name: str, project: str, settings: Settings, catalog: Catalog, today: date) -> str | None:
    """The same for an issue of ``project``: the first of the aliases that project can see, or None.

    Subgroups may name their buckets differently. Raises NameUnknown if no alias exists.
    """
    title = milestone_title(name, settings, catalog, today)
    titles = (title, *_aliases(name, settings))
    return next((known for known in titles if catalog.milestone(project, known) is not None), None)


def role_of(title: str | None, catalog: Catalog, today: date) -> str:
    """``current``, ``next``, ``after next`` or "" for a milestone title, as of today."""
    if title is None:
        return ""
    if (now := current(catalog.milestones, today)) and now.title == title:
        return "current"
    coming = upcoming(catalog.milestones, today)
    for milestone, role in zip(coming, ("next", "after next"), strict=False):
        if milestone.title == title:
            return role
    return ""


def resolve(
    board: BoardSettings,
    settings: Settings,
    catalog: Catalog,
    today: date,
    *,
    milestone: str | None = None,
    issues: Iterable[Issue] = (),
) -> Board:
    """Today's board. ``milestone`` replaces its own; ``issues`` supply the people of a people board.

    A milestone that does not resolve gives a board without issues, with the reason in ``warnings``.
    """
    warnings: list[str] = []
    title = _board_milestone(board, settings, catalog, today, milestone, warnings)
    columns = _columns(board, settings, catalog, today, warnings)
    labels = frozenset((*board.labels, settings.labels.group) if settings.labels.group else board.labels)
    if board.by == "assignee":
        # The people on the board come from its issues; the index adds anyone assigned later.
        names = sorted({name for issue in issues for name in issue.assignees})
        columns = [_assignee_column(None), *(_assignee_column(name) for name in names)]
    return Board(
        id=board.id,
        name=board.name,
        milestone=title,
        role=role_of(title, catalog, today),
        labels=labels,
        without=frozenset({settings.labels.ignore}),
        columns=tuple(_lettered(columns)),
        warnings=tuple(warnings),
    )


def _board_milestone(
    board: BoardSettings,
    settings: Settings,
    catalog: Catalog,
    today: date,
    wanted: str | None,
    warnings: list[str],
) -> str | None:
    name = wanted or board.milestone
    if name == "any":
        return None
    if name == "none":
        return ""
    try:
        return milestone_title(name, settings, catalog, today)
    except NameUnknown as error:
        warnings.append(str(error))
        # A title that no milestone has: the board shows nothing rather than everything.
        return settings.milestones.get(name, (name,))[0]


def _columns(
    board: BoardSettings, settings: Settings, catalog: Catalog, today: date, warnings: list[str]
) -> list[Column]:
    columns: dict[str, Column] = {}
    scheme = flow_scheme(settings)
    for name in board.columns:
        column = _column(board, name, settings, catalog, today, scheme, warnings)
        if column is not None:
            columns.setdefault(column.key, column)
    if board.by == "none":
        columns["(all)"] = Column(key="(all)", title=board.name, kind="all")
    return list(columns.values())


def _column(
    board: BoardSettings,
    name: str,
    settings: Settings,
    catalog: Catalog,
    today: date,
    scheme: WorkflowScheme,
    warnings: list[str],
) -> Column | None:
    limit = board.limits.get(name)
    issues = limit.issues if limit else None
    weight = limit.weight if limit else None
    if board.by == "flow":
        state = near(name)
        if state is None:
            warnings.append(f"“{name}” is not a workflow state, so board “{board.name}” has no such column.")
            return None
        label = scheme.label(state)
        key = label if scheme.backend != "status" else state.status
        return Column(
            key=key,
            title=state.name,
            kind="flow",
            value=state.name,
            color=catalog.color(label),
            letter=state.letter,
            limit_issues=issues,
            limit_weight=weight,
        )
    if board.by == "milestone":
        try:
            title = milestone_title(name, settings, catalog, today)
        except NameUnknown as error:
            warnings.append(str(error))
            return None
        return Column(
            key=title,
            title=title,
            kind="milestone",
            value=title,
            letter=_milestone_letter(name),
            limit_issues=issues,
            limit_weight=weight,
        )
    if board.by == "label":
        if catalog.labels and catalog.color(name) is None:
            warnings.append(f"The label “{name}” does not exist in {catalog.group}.")
        return Column(
            key=name,
            title=name.rpartition("::")[2],
            kind="label",
            value=name,
            color=catalog.color(name),
            limit_issues=issues,
            limit_weight=weight,
        )
    return None


def _milestone_letter(name: str) -> str:
    # The letters of the ``m`` keys.
    keys = {"next": "n", "after-next": "f", "next-1-3": "1", "next-4-6": "4", "backlog": "k", "awaiting": "a"}
    return keys.get(name, "")


def _assignee_column(username: str | None) -> Column:
    if username is None:
        return Column(key=UNASSIGNED, title="unassigned", kind="assignee")
    return Column(key=username, title=username, kind="assignee", value=username)


def assignee_column(username: str) -> Column:
    """The column of a person who was not on the board when it was resolved."""
    return _assignee_column(username)


def _lettered(columns: list[Column]) -> list[Column]:
    """Give every column a unique letter: its fixed one, else the first unused letter of its title."""
    taken = {column.letter for column in columns if column.letter} | {"u", "c"}  # (unlisted), (closed)
    lettered: list[Column] = []
    for column in columns:
        letter = column.letter
        if not letter:
            wanted = [c for c in column.title.casefold() if c in _LETTERS] + list(_LETTERS)
            letter = next((c for c in wanted if c not in taken), "")
            taken.add(letter)
        lettered.append(
            Column(
                key=column.key,
                title=column.title,
                kind=column.kind,
                value=column.value,
                color=column.color,
                letter=letter,
                limit_issues=column.limit_issues,
                limit_weight=column.limit_weight,
            )
        )
    return lettered
