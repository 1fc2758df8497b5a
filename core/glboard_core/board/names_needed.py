"""What the configuration names, and what a change needs: the labels, milestones and people to ask for."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from glboard_core.board.definition import flow_scheme
from glboard_core.board.operations import Change, Create, Edit, labels_after
from glboard_core.board.priorities import priority_label
from glboard_core.config import BoardSettings, Settings
from glboard_core.model.catalog_needs import CatalogNames, Needs, around, titles_of
from glboard_core.model.issue import Issue
from glboard_core.model.workflow import STATES

#: Names of milestones that are found by their dates, and names of none.
BY_DATE = ("", "current", "next", "after-next", "any", "none")


def catalog_names(
    settings: Settings, today: date, *, people: Iterable[str] = (), token: bool = True
) -> CatalogNames:
    """All that the configuration names; ``people`` are the team's usernames."""
    names, planning = settings.labels, settings.planning
    families = (
        names.type_prefix,
        names.workflow_prefix,
        names.priority_prefix,
        names.severity_prefix,
        names.missed_prefix,
    )
    single = [
        *(names.group, names.devops, names.section, names.deliverable, names.spike, names.ignore),
        *names.categories,
        *names.duplicate,
        *names.wont_do,
        *names.priorities,
        names.missed_deliverable,
        *planning.issue.labels,
        *(label.strip() for mix in planning.mix for label in mix.split(" + ")),
    ]
    for board in settings.boards:
        single += _labels_of(board, settings)
    milestones = [title for titles in settings.milestones.values() for title in titles]
    milestones += [title for board in settings.boards for title in _milestones_of(board, settings)]
    since, until = around(today)
    return CatalogNames(
        labels=frozenset(label for label in single if label),
        families=frozenset(prefix for prefix in families if prefix),
        milestones=frozenset(milestones),
        people=frozenset(people),
        since=since,
        until=until,
        token=token,
    )


def _labels_of(board: BoardSettings, settings: Settings) -> list[str]:
    columns = board.columns if board.by == "label" else ()
    if board.by == "priority":
        columns = tuple(priority_label(name, settings.labels) for name in board.columns)
    states = (
        map(flow_scheme(settings).label, STATES)
        if board.by == "flow" and settings.flow.backend != "status"
        else ()
    )
    return [*board.labels, *columns, *states]


def _milestones_of(board: BoardSettings, settings: Settings) -> list[str]:
    named = (board.milestone, *(board.columns if board.by == "milestone" else ()))
    return [name for name in named if name not in BY_DATE and name not in settings.milestones]


def needs_of(change: Change, issue: Issue | None) -> Needs:
    """What must be known to write ``change``; ``issue`` is the one it changes, if it exists already."""
    match change:
        case Create():
            titles = [change.milestone] if change.milestone is not None else []
            return Needs(
                labels=titles_of([change.project], change.labels),
                milestones=titles_of([change.project], titles),
                people=frozenset(change.assignees),
            )
        case Edit() if issue is not None:
            # On some tiers GitLab does not remove the other labels of a scope by itself.
            pushed_out = issue.labels - labels_after(issue.labels, change.add, change.remove)
            labels = (change.add - issue.labels) | change.remove | (pushed_out if change.add else frozenset())
            titles = [change.milestone] if isinstance(change.milestone, str) else []
            return Needs(
                labels=titles_of([issue.project], labels),
                milestones=titles_of([issue.project], titles),
                people=change.assigned - frozenset(issue.assignees),
            )
    return Needs()
