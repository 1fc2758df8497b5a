"""What the compound keys mean: slip, drop, won't do, duplicate, spike, breakdown, blocked (DOMAIN.md 7.14).

Owns which fields change together. Pure. A label the project does not have is left out of the edit and named
in ``lacks``, so that the caller can ask before editing without it; the caller also adds comments.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from msgspec import UNSET, Struct, structs

from glboard_core.board.edits import set_flow
from glboard_core.board.operations import Edit
from glboard_core.config import LabelSettings
from glboard_core.model.catalog import Catalog
from glboard_core.model.issue import Issue
from glboard_core.model.milestone import Milestone, following
from glboard_core.model.workflow import BY_NAME, WorkflowScheme

#: The statuses of issues that are closed but not completed (DOMAIN.md section 2).
WONT_DO, DUPLICATE = "Won't do", "Duplicate"


class Wanted(Struct, frozen=True, kw_only=True):
    """An edit, and the labels that belong to it but do not exist in the issue's project."""

    edit: Edit
    lacks: tuple[str, ...] = ()


def ask_breakdown(issue: Issue, flow: WorkflowScheme) -> Edit:
    """Back to planning breakdown; the comment says who is asked."""
    return set_flow(issue, BY_NAME["planning breakdown"], flow)


def block(issue: Issue, flow: WorkflowScheme) -> Edit:
    """Blocked; the comment says by what."""
    return set_flow(issue, BY_NAME["blocked"], flow)


def own_version(issue: Issue, catalog: Catalog) -> Milestone | None:
    """The version milestone the issue is in, or None; its project's own comes first."""
    title = issue.milestone or ""
    found = catalog.milestone(issue.project, title) or catalog.find_milestone(title)
    return found if found is not None and found.is_version else None


def later(issue: Issue, catalog: Catalog, today: date) -> Milestone | None:
    """Where the issue goes when it is deferred (7.1), among its project's milestones; or None."""
    return following(catalog.milestones_for(issue.project), issue.milestone, today)


def slip(issue: Issue, catalog: Catalog, names: LabelSettings, today: date) -> Wanted | None:
    """Mark its milestone as missed and move it to the next version milestone, as the bot does (section 3).

    None if it is closed, in no version milestone, or if its project has no later one.
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
    """Drop it from the plan into ``bucket``, without Deliverable; the comment says why. None if closed.

    It missed its milestone only if that is a version that has begun: nothing can miss an unfinished plan.
    """
    if not issue.is_open:
        return None
    own = own_version(issue, catalog)
    begun = own is not None and own.start is not None and own.start <= today
    labels = [names.missed_prefix + own.title] if own is not None and begun else []
    off = frozenset({names.deliverable}) & issue.labels
    return _with_labels(issue, Edit(milestone=bucket, remove=off), labels, catalog)


def wont_do_edit(issue: Issue, catalog: Catalog, flow: WorkflowScheme, names: LabelSettings) -> Wanted | None:
    """Closed but not done: by the configured label, and by the status if statuses are used."""
    return _closed(issue, WONT_DO, names.wont_do, catalog, flow)


def duplicate_edit(
    issue: Issue, catalog: Catalog, flow: WorkflowScheme, names: LabelSettings
) -> Wanted | None:
    """Closed as a duplicate of another issue, which the comment names."""
    return _closed(issue, DUPLICATE, names.duplicate, catalog, flow)


def spike(issue: Issue, catalog: Catalog, names: LabelSettings, weight: int | None = None) -> Wanted:
    """A time-boxed spike; ``weight`` is set if the issue has none (7.4)."""
    edit = Edit(weight=weight) if weight is not None and issue.weight is None else Edit()
    return _with_labels(issue, edit, [names.spike], catalog)


def _closed(
    issue: Issue, status: str, labels: tuple[str, ...], catalog: Catalog, flow: WorkflowScheme
) -> Wanted | None:
    if not issue.is_open:
        return None
    edit = Edit(state="closed", status=UNSET if flow.backend == "label" else status)
    # One of several labels is enough: the first that exists in this project.
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
