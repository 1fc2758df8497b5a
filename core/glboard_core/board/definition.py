"""A board: its filter and columns as they are on this server today.

``resolve`` builds one from settings, catalog and date; names of milestones are resolved here, too. What the
columns mean is in ``board/columns.py``; ``board/index.py`` puts issues into them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date
from difflib import get_close_matches
from itertools import chain

from msgspec import Struct, structs

from glboard_core.board.columns import (
    CLOSED,
    COLUMN_KINDS,
    REST,
    BoardContext,
    Column,
    ColumnQuery,
    kind_of,
)
from glboard_core.board.edits import MovePlan, plan_of
from glboard_core.board.filters import BoardFilter, board_filter, board_problems, filter_states
from glboard_core.board.operations import Edit
from glboard_core.board.priorities import known_priorities
from glboard_core.config import BoardSettings, LabelSettings, Settings
from glboard_core.errors import NameUnknown
from glboard_core.model.catalog import Catalog
from glboard_core.model.issue import Issue, Placeable
from glboard_core.model.milestone import by_title, current, overlapping, upcoming, versions
from glboard_core.model.query import IssueQuery
from glboard_core.model.workflow import WorkflowScheme


class Board(Struct, frozen=True, kw_only=True):
    """A board: a filter and columns in order.

    ``milestone`` is a title; "" filters for issues without one; None does not filter. ``role`` names
    what the milestone is today (next, current). ``labels`` are all required; ``without`` must be absent.
    ``filter`` is its own filter, in the language of ``/``: what does not fit is not on the board at all.
    """

    id: str
    name: str
    milestone: str | None = None
    role: str = ""
    labels: frozenset[str] = frozenset()
    without: frozenset[str] = frozenset()
    filter: BoardFilter | None = None
    columns: tuple[Column, ...] = ()
    #: What could not be resolved, as texts to show once (planning rule 15).
    warnings: tuple[str, ...] = ()
    #: What to do about a ``milestone`` that does not exist; "" if it does.
    remedy: str = ""

    @property
    def kind(self) -> type[Column]:
        """The kind of its columns."""
        return kind_of(self.columns)

    def matches(self, issue: Placeable) -> bool:
        """Whether the issue matches the board's filter, open or closed.

        Its own filter asks for more than what places an issue in a column, so it only tests whole issues.
        """
        if self.milestone is not None and (issue.milestone or "") != self.milestone:
            return False
        if self.filter is not None and isinstance(issue, Issue) and not self.filter.fits(issue):
            return False
        return self.labels <= issue.labels and self.without.isdisjoint(issue.labels)

    def keys_of(self, issue: Placeable, flow: WorkflowScheme) -> tuple[str, ...]:
        """The keys of the columns the issue is in, in order; empty if it is not on the board."""
        if not self.matches(issue):
            return ()
        return self.kind.keys_of(self.columns, issue, flow) if issue.is_open else (CLOSED,)

    def queries(self, flow: WorkflowScheme) -> list[ColumnQuery]:
        """The queries for its open issues. A column is complete once all queries with its key are read."""
        base = IssueQuery(
            labels=tuple(sorted(self.labels)),
            without=tuple(sorted(self.without)),
            milestone=self.milestone,
            state="opened",
        )
        return self.kind.queries(self.columns, base, flow)

    def move(
        self, issue: Issue, source: Column, target: Column, flow: WorkflowScheme, names: LabelSettings
    ) -> MovePlan | None:
        """Move an issue from one column to another; None if there is nothing to do.

        From (closed): reopen, then move to the target.
        """
        if source.key == target.key:
            return None
        edit = target.enter(issue, source, self.columns, flow)
        if source.is_closed:
            edit = structs.replace(edit, state="opened")
        return None if edit == Edit() else plan_of(issue, edit, names)


_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def flow_scheme(settings: Settings) -> WorkflowScheme:
    """How workflow states are stored, by configuration."""
    return WorkflowScheme(
        prefix=settings.labels.workflow_prefix,
        backend=settings.flow.backend,
        titles=tuple(sorted(settings.flow.labels.items())),
        statuses=tuple(sorted(settings.flow.statuses.items())),
    )


def milestone_title(name: str, settings: Settings, catalog: Catalog, today: date) -> str:
    """The title on the server for ``current``, ``next``, ``after-next``, an alias key or a title.

    A title that is spelled differently on the server resolves through the alias it belongs to.

    Raises NameUnknown with the near matches if there is none.
    """
    if name == "current":
        if (milestone := current(catalog.milestones, today, settings.planning.version)) is None:
            raise NameUnknown("milestone", name, hint=_between(settings, catalog, today))
        return milestone.title
    if name in ("next", "after-next"):
        coming = upcoming(catalog.milestones, today, settings.planning.version)
        index = 0 if name == "next" else 1
        if len(coming) <= index:
            start = f"No version milestone starts after {today.isoformat()}"
            raise NameUnknown("milestone", name, hint=f"{start}. {_remedy(settings, catalog, today)}")
        return coming[index].title
    titles = settings.milestones.get(name) or (name, *_aliases(name, settings))
    known = {milestone.title for milestone in catalog.milestones}
    folded = {title.casefold(): title for title in known}
    exact = (title for title in titles if title in known)
    similar = (folded[title.casefold()] for title in titles if title.casefold() in folded)
    renamed = (now for title in titles if (now := catalog.present("milestone", title)) in known)
    if found := next(chain(exact, renamed, similar), None):
        return found
    if (meant := _spelled(name, settings)) != name:
        return milestone_title(meant, settings, catalog, today)
    close = catalog.near_milestones(titles[0])
    if name in settings.milestones:
        its_title = f"its title for {name} under [milestones] in config.toml."
        similar_ones = f"Similar: {', '.join(close)}. Set {its_title}"
        hint = (
            similar_ones if close else f"Create it as a milestone of the group in GitLab, or set {its_title}"
        )
    else:
        words = get_close_matches(name.casefold(), (*_FROM_DATES, *settings.milestones), 2)
        close = tuple(dict.fromkeys((*words, *close)))
        hint = f"Similar: {', '.join(close)}." if close else f"{_NONE_NEAR} {_WORDS}"
    raise NameUnknown("milestone", titles[0], close, hint=hint)


_WITH_DATES = "Create one with start and due dates in GitLab, or set version under [planning] in config.toml."
#: What a milestone can be called by its dates.
_FROM_DATES = ("current", "next", "after-next")
_NONE_NEAR = "The group has no milestone with a similar name."
_WORDS = "Give its title as in GitLab, or current or next."
_LONGEST = 260
#: As GitLab writes a milestone in a text: %19.8, %"Next up".
_REFERENCE = re.compile(r'%(?:"(?P<quoted>.+)"|(?P<bare>.+))', re.DOTALL)


def _spelled(name: str, settings: Settings) -> str:
    """What a name that is no title means: a word of ours in other letters, or GitLab's way to write one."""
    text = name.strip()
    # Each sign is taken for a reference to what follows, and no title is longer.
    if len(text) <= _LONGEST and (match := _REFERENCE.fullmatch(text)):
        text = match["quoted"] or match["bare"]
    words = {one.casefold(): one for one in (*_FROM_DATES, *settings.milestones)}
    return words.get(text.casefold(), text)


def _between(settings: Settings, catalog: Catalog, today: date) -> str:
    """Why there is no current milestone, and what is before and after."""
    known = versions(catalog.milestones, settings.planning.version)
    words = [f"{one.title} ended {one.due}" for one in known if one.due and one.due < today][-1:]
    words += [f"{one.title} starts {one.start}" for one in known if one.start and one.start > today][:1]
    near = f": {', '.join(words)}" if words else ""
    return f"No version milestone contains {today.isoformat()}{near}. {_remedy(settings, catalog, today)}"


def _remedy(settings: Settings, catalog: Catalog, today: date) -> str:
    """What makes a milestone that is not over a version: a date, a pattern for its title; else a new one."""
    pattern = settings.planning.version
    others = [
        one
        for one in by_title(catalog.milestones).values()
        if one.active and not one.is_version(pattern) and (one.due is None or one.due >= today)
    ]
    if half := [one.title for one in others if re.search(pattern, one.title)]:
        return f"Set a start and a due date for {min(half)} in GitLab."
    dated = [(one.start, one.title) for one in others if one.start is not None and one.due is not None]
    if dated:
        return f"“{min(dated)[1]}” is not a version: set version under [planning] in config.toml."
    return _WITH_DATES


def overlap_notes(name: str, settings: Settings, catalog: Catalog, today: date) -> list[str]:
    """That several milestones run today, for a name that depends on which of them is the current one."""
    others = overlapping(catalog.milestones, today, settings.planning.version)
    if not others or name not in ("current", "next", "after-next"):
        return []
    now = milestone_title("current", settings, catalog, today)
    titles = f"{', '.join(one.title for one in others)} and {now}"
    return [
        f"{titles} overlap on {today.isoformat()}; using {now}, which started last, as the current milestone."
    ]


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


def role_of(title: str | None, settings: Settings, catalog: Catalog, today: date) -> str:
    """``current``, ``next``, ``after next`` or "" for a milestone title, as of today."""
    return roles(settings, catalog, today).get(title, "") if title else ""


def roles(settings: Settings, catalog: Catalog, today: date) -> dict[str, str]:
    """The milestone titles that have a role today, with it (see ``role_of``)."""
    version = settings.planning.version
    coming = zip(upcoming(catalog.milestones, today, version), ("next", "after next"), strict=False)
    found = {milestone.title: role for milestone, role in coming}
    if now := current(catalog.milestones, today, version):
        found[now.title] = "current"
    return found


def resolve(
    board: BoardSettings,
    settings: Settings,
    catalog: Catalog,
    today: date,
    *,
    milestone: str | None = None,
    issues: Callable[[str | None], Iterable[Issue]] = lambda _: (),
    team: frozenset[str] = frozenset(),
) -> Board:
    """Today's board. ``milestone`` replaces its own; ``issues`` gives the open issues of a milestone, for
    columns that follow from the issues, and ``team`` the usernames that have a column without one.

    A milestone that does not resolve gives a board without issues, with the reason in ``warnings``.
    """
    warnings: list[str] = []
    title, remedy = _board_milestone(board, settings, catalog, today, milestone, warnings)
    own = _own_filter(board, settings, catalog, today, warnings)
    context = BoardContext(
        settings=board,
        catalog=catalog,
        flow=flow_scheme(settings),
        milestone=lambda name: milestone_title(name, settings, catalog, today),
        issues=lambda: (one for one in issues(title) if own is None or own.fits(one)),
        warnings=warnings,
        team=team,
        priorities=known_priorities((label.title for label in catalog.labels), settings.labels),
        names=settings.labels,
    )
    columns = COLUMN_KINDS[board.by].of_board(context)
    return Board(
        id=board.id,
        name=board.name,
        milestone=title,
        role=role_of(title, settings, catalog, today),
        labels=frozenset((*board.labels, settings.labels.group) if settings.labels.group else board.labels),
        without=frozenset({settings.labels.ignore}),
        filter=own,
        columns=tuple(_lettered(columns)),
        warnings=tuple(warnings),
        remedy=remedy,
    )


def _own_filter(
    board: BoardSettings, settings: Settings, catalog: Catalog, today: date, warnings: list[str]
) -> BoardFilter | None:
    if not board.filter.strip():
        return None
    warnings += [f"Board “{board.name}”: {one}" for one in board_problems(board.filter)]
    return board_filter(board.filter, filter_states(catalog, flow_scheme(settings), settings.labels, today))


def _board_milestone(
    board: BoardSettings,
    settings: Settings,
    catalog: Catalog,
    today: date,
    wanted: str | None,
    warnings: list[str],
) -> tuple[str | None, str]:
    """The title, and what to do if no milestone has it."""
    name = wanted or board.milestone
    if name == "any":
        return None, ""
    if name == "none":
        return "", ""
    try:
        warnings += overlap_notes(name, settings, catalog, today)
        return milestone_title(name, settings, catalog, today), ""
    except NameUnknown as error:
        warnings.append(str(error))
        # A title that no milestone has: the board shows nothing rather than everything.
        return settings.milestones.get(name, (name,))[0], error.what_to_do


def _lettered(columns: list[Column]) -> list[Column]:
    """Give every column a unique letter: its fixed one, else the first unused letter of its title."""
    taken = {column.letter for column in (*columns, *REST) if column.letter}
    lettered: list[Column] = []
    for column in columns:
        letter = column.letter
        if not letter:
            wanted = [c for c in column.title.casefold() if c in _LETTERS] + list(_LETTERS)
            letter = next((c for c in wanted if c not in taken), "")
            taken.add(letter)
        lettered.append(structs.replace(column, letter=letter))
    return lettered
