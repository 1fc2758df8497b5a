"""What the compound keys mean: slip, drop, won't do, duplicate, spike, breakdown, blocked (DOMAIN.md 7.14).

Owns which fields change together. Pure. A label the project does not have is left out of the edit and named
in ``lacks``, so that somebody can be asked before it is done without; comments are added by the caller.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from msgspec import UNSET, Struct, structs

from glboard_core.board.op import Edit
from glboard_core.board.plans import set_flow
from glboard_core.config import LabelSettings
from glboard_core.model.catalog import Catalog
from glboard_core.model.flow import BY_NAME, FlowScheme
from glboard_core.model.issue import Issue
from glboard_core.model.milestone import Milestone, following

#: The statuses of issues that are closed and not completed (DOMAIN.md section 2).
WONT_DO, DUPLICATE = "Won't do", "Duplicate"


class Wanted(Struct, frozen=True, kw_only=True):
    """An edit, and the labels that belong to it but do not exist for the issue's project."""

    edit: Edit
    lacks: tuple[str, ...] = ()


def ask_breakdown(issue: Issue, flow: FlowScheme) -> Edit:
    """Back to planning breakdown; who is asked stands in the comment."""
    return set_flow(issue, BY_NAME["planning breakdown"], flow)


def block(issue: Issue, flow: FlowScheme) -> Edit:
    """Blocked; by what stands in the comment."""
    return set_flow(issue, BY_NAME["blocked"], flow)


def own_version(issue: Issue, catalog: Catalog) -> Milestone | None:
    """The version milestone the issue is in, or none: its project's own where that has one."""
    title = issue.milestone or ""
    found = catalog.milestone(issue.project, title) or catalog.find_milestone(title)
    return found if found is not None and found.is_version else None


def later(issue: Issue, catalog: Catalog, today: date) -> Milestone | None:
    """Where the issue goes when it is deferred (7.1), among the milestones its project can have; or none."""
    return following(catalog.milestones_for(issue.project), issue.milestone, today)


def slip(issue: Issue, catalog: Catalog, names: LabelSettings, today: date) -> Wanted | None:
    """Missed its own milestone, and into the version milestone after it, as the bot does (section 3).

    None where it is closed, in no version milestone, or where its project has no later one.
    """
    own = own_version(issue, catalog)
    after = later(issue, catalog, today)
    if own is None or after is None or not issue.is_open:
        return None
    labels = [names.missed_prefix + own.title]
    if names.deliverable in issue.labels:
        labels.append(names.missed_deliverable)
    return _with_labels(issue, Edit(milestone=after.title), labels, catalog)


def drop(issue: Issue, bucket: str, catalog: Catalog, names: LabelSettings, today: date) -> Wanted | None:
    """Out of the plan, into ``bucket``, Deliverable off; why stands in the comment. None where it is closed.

    It missed its milestone only if that is a version that has begun: nothing misses a plan still being made.
    """
    if not issue.is_open:
        return None
    own = own_version(issue, catalog)
    begun = own is not None and own.start is not None and own.start <= today
    labels = [names.missed_prefix + own.title] if own is not None and begun else []
    off = frozenset({names.deliverable}) & issue.labels
    return _with_labels(issue, Edit(milestone=bucket, remove=off), labels, catalog)


def wont_do(issue: Issue, catalog: Catalog, flow: FlowScheme, names: LabelSettings) -> Wanted | None:
    """Closed, and not done: by the configured label, and by the status where statuses count."""
    return _closed(issue, WONT_DO, names.wont_do, catalog, flow)


def duplicate(issue: Issue, catalog: Catalog, flow: FlowScheme, names: LabelSettings) -> Wanted | None:
    """Closed as the duplicate of another, which the comment names."""
    return _closed(issue, DUPLICATE, names.duplicate, catalog, flow)


def spike(issue: Issue, catalog: Catalog, names: LabelSettings, weight: int | None = None) -> Wanted:
    """A time-boxed spike; ``weight`` is set where the issue has none (7.4)."""
    edit = Edit(weight=weight) if weight is not None and issue.weight is None else Edit()
    return _with_labels(issue, edit, [names.spike], catalog)


def _closed(
    issue: Issue, status: str, labels: tuple[str, ...], catalog: Catalog, flow: FlowScheme
) -> Wanted | None:
    if not issue.is_open:
        return None
    edit = Edit(state="closed", status=UNSET if flow.backend == "label" else status)
    # One of several names is enough: the first that this project knows.
    known = [title for title in labels if _exists(issue, title, catalog)]
    return _with_labels(issue, edit, (known or list(labels))[:1], catalog)


def _with_labels(issue: Issue, edit: Edit, labels: Iterable[str], catalog: Catalog) -> Wanted:
    there: set[str] = set()
    lacks: list[str] = []
    for title in labels:
        if _exists(issue, title, catalog):
            there.add(title)
        else:
            lacks.append(title)
    return Wanted(edit=structs.replace(edit, add=frozenset(there) - issue.labels), lacks=tuple(lacks))


def _exists(issue: Issue, title: str, catalog: Catalog) -> bool:
    return title in issue.labels or catalog.label(issue.project, title) is not None
