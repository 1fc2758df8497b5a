"""What an intent means for one issue: an issue in, an Edit out.

Owns the meaning of setting a milestone, a workflow state, labels, assignees and Deliverable, and of the
compound actions (planning rule 14); what moving a card means is the column's (``columns.py``). Pure. It
forbids nothing; what needs confirmation comes back as a question. Several issues are in ``use_cases.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from msgspec import UNSET, Struct, structs

from glboard_core.board.fields import missing_people
from glboard_core.board.operations import Edit
from glboard_core.config import VERSION, LabelSettings
from glboard_core.model.catalog import Catalog
from glboard_core.model.issue import Issue, doubled, same_scope
from glboard_core.model.milestone import Milestone, following
from glboard_core.model.workflow import ADVANCE, BY_NAME, WorkflowScheme, WorkflowState

#: The statuses of issues that are closed but not completed (planning rule 16).
WONT_DO, DUPLICATE = "Won't do", "Duplicate"


class MovePlan(Struct, frozen=True, kw_only=True):
    """An edit; ``asks``: whether to ask first, since it changes the type. ``if_asked`` is the edit for the
    answer that changes more."""

    edit: Edit
    asks: bool = False
    if_asked: Edit | None = None


class CompoundEdit(Struct, frozen=True, kw_only=True):
    """An edit, and the labels that belong to it but do not exist in the issue's project."""

    edit: Edit
    lacks: tuple[str, ...] = ()


def plan_of(issue: Issue, edit: Edit, names: LabelSettings) -> MovePlan:
    """The plan for an edit; one that replaces the type asks about the subtypes, which no longer apply."""
    old = [label for label in edit.remove if label.startswith(names.type_prefix)]
    new = [label for label in edit.add if label.startswith(names.type_prefix)]
    if not old or not new:
        return MovePlan(edit=edit)
    # ``type::bug`` has subtypes ``bug::…``.
    prefixes = tuple(label[len(names.type_prefix) :] + "::" for label in old)
    subtypes = frozenset(label for label in issue.labels if label.startswith(prefixes))
    further = structs.replace(edit, remove=edit.remove | subtypes) if subtypes else None
    return MovePlan(edit=edit, asks=True, if_asked=further)


def set_flow(issue: Issue, state: WorkflowState | None, flow: WorkflowScheme) -> Edit:
    """Set a workflow state by label, status or both; None clears it (planning rule 2)."""
    status = UNSET if flow.backend == "label" else flow.status(state) if state else None
    if flow.backend == "status":
        return Edit(status=status)
    add = frozenset({flow.label(state)}) if state else frozenset()
    gone = flow.workflow_labels(issue) - add
    return Edit(add=chosen(issue, add, gone), remove=gone, status=status)


def chosen(issue: Issue, add: frozenset[str], gone: frozenset[str]) -> frozenset[str]:
    """What of ``add`` an edit names: what the issue lacks, and what it keeps instead of one that is ``gone``.

    Undo can then put back the other label of the scope; both together GitLab would refuse.
    """
    return frozenset(label for label in add if label not in issue.labels or same_scope(label, gone))


def one_each(issue: Issue, shown: str | None, flow: WorkflowScheme) -> Edit:
    """Keep one label of each scope that has several: the one of the column where the issue is shown.

    That is the label ``shown``, or of the workflow the state farthest from completion; else the first.
    """
    state = flow.by_label(issue)
    kept = {shown, flow.label(state) if state is not None else None}
    keep: set[str] = set()
    gone: set[str] = set()
    for labels in doubled(issue.labels).values():
        one = next((label for label in labels if label in kept), labels[0])
        keep.add(one)
        gone |= {*labels} - {one}
    return Edit(add=frozenset(keep), remove=frozenset(gone))


def advance(issue: Issue, flow: WorkflowScheme) -> WorkflowState | None:
    """The state after the issue's own; the first one for an issue without a state; None at the end.

    A state outside the sequence (blocked, refinement) advances to the next one in it.
    """
    state = flow.of(issue)
    line = [BY_NAME[name] for name in ADVANCE]
    if state is None:
        return line[0]
    if state.name == "blocked":
        return BY_NAME["in dev"]  # rule 16: block resolved -> in dev
    return next((s for s in line if s.order > state.order), None)


def unplan(title: str, names: LabelSettings, issue: Issue) -> Edit:
    """Move it to another milestone and remove Deliverable, as deferring and dropping do."""
    return structs.replace(take_back(issue, names), milestone=title)


def accept(issue: Issue, assignee: str | None, names: LabelSettings) -> Edit:
    """Add Deliverable, with that assignee or the current ones (planning rule 4)."""
    add = frozenset({names.deliverable}) - issue.labels
    if assignee is None:
        return Edit(add=add)
    return Edit(
        add=add,
        assign=missing_people((assignee,), issue.assignees),
        unassign=missing_people(issue.assignees, (assignee,)),
    )


def take_back(issue: Issue, names: LabelSettings) -> Edit:
    """Remove Deliverable."""
    return Edit(remove=frozenset({names.deliverable}) & issue.labels)


def complete(issue: Issue, flow: WorkflowScheme) -> Edit:
    """Set the state complete and close: two acts in label mode, one in status mode (planning rule 16)."""
    return structs.replace(set_flow(issue, BY_NAME["complete"], flow), state="closed")


def toggle_assignee(issue: Issue, username: str) -> Edit:
    """Assign the person, or unassign them if already assigned."""
    names = frozenset({username})
    return Edit(unassign=names) if username in issue.assignees else Edit(assign=names)


def reassign(issue: Issue, assign: Iterable[str], unassign: frozenset[str]) -> Edit:
    """Assign and unassign people; only those that the issue lacks and has."""
    return Edit(
        assign=missing_people(assign, issue.assignees),
        unassign=frozenset(name for name in issue.assignees if name in unassign),
    )


def relabel(issue: Issue, add: frozenset[str], remove: frozenset[str]) -> Edit:
    """Add and remove labels; siblings of a newly added scoped label are removed too."""
    fresh = add - issue.labels
    siblings = frozenset(s for label in fresh for s in same_scope(label, issue.labels)) - add
    gone = (remove & issue.labels) | siblings
    return Edit(add=chosen(issue, add, gone - add), remove=gone)


# The compound actions of planning rule 14


def own_version(issue: Issue, catalog: Catalog, version: str = VERSION) -> Milestone | None:
    """The version milestone the issue is in, or None; its project's own comes first."""
    title = issue.milestone or ""
    found = catalog.milestone(issue.project, title) or catalog.find_milestone(title)
    return found if found is not None and found.is_version(version) else None


def later(issue: Issue, catalog: Catalog, today: date, version: str = VERSION) -> Milestone | None:
    """Where the issue goes when it is deferred (rule 1), among its project's milestones; or None."""
    return following(catalog.milestones_for(issue.project), issue.milestone, today, version)


def slip(
    issue: Issue, catalog: Catalog, names: LabelSettings, today: date, version: str = VERSION
) -> CompoundEdit | None:
    """Mark its milestone as missed and move it to the next version milestone, as the bot does (rule 17).

    None if it is closed, in no version milestone, or if its project has no later one.
    """
    own = own_version(issue, catalog, version)
    after = later(issue, catalog, today, version)
    if own is None or after is None or not issue.is_open:
        return None
    labels = [names.missed_prefix + own.title]
    if names.deliverable in issue.labels:
        labels.append(names.missed_deliverable)
    return _with_labels(issue, Edit(milestone=after.title), labels, catalog)


def drop(
    issue: Issue,
    bucket: str,
    catalog: Catalog,
    names: LabelSettings,
    today: date,
    version: str = VERSION,
) -> CompoundEdit | None:
    """Drop it from the plan into ``bucket``, without Deliverable; the comment says why. None if closed.

    It missed its milestone only if that is a version that has begun: nothing can miss an unfinished plan.
    """
    if not issue.is_open:
        return None
    own = own_version(issue, catalog, version)
    begun = own is not None and own.start is not None and own.start <= today
    labels = [names.missed_prefix + own.title] if own is not None and begun else []
    return _with_labels(issue, unplan(bucket, names, issue), labels, catalog)


def spike(issue: Issue, catalog: Catalog, names: LabelSettings, weight: int | None = None) -> CompoundEdit:
    """A time-boxed spike; ``weight`` is set if the issue has none (rule 4)."""
    edit = Edit(weight=weight) if weight is not None and issue.weight is None else Edit()
    return _with_labels(issue, edit, [names.spike], catalog)


def close_as(
    issue: Issue, status: str, labels: Sequence[str], catalog: Catalog, flow: WorkflowScheme
) -> CompoundEdit | None:
    """Closed but not done: by one of the configured labels, and by ``status`` if statuses are used."""
    if not issue.is_open:
        return None
    edit = Edit(state="closed", status=UNSET if flow.backend == "label" else status)
    # One of several labels is enough: the first that exists in this project.
    known = [title for title in labels if catalog.label(issue.project, title) is not None]
    perhaps = [title for title in labels if _exists(issue, title, catalog)]
    return _with_labels(issue, edit, (known or perhaps or labels)[:1], catalog)


def _with_labels(issue: Issue, edit: Edit, labels: Sequence[str], catalog: Catalog) -> CompoundEdit:
    lacks = tuple(title for title in labels if not _exists(issue, title, catalog))
    return CompoundEdit(
        edit=structs.replace(edit, add=frozenset(labels) - issue.labels - {*lacks}), lacks=lacks
    )


def _exists(issue: Issue, title: str, catalog: Catalog) -> bool:
    # One that is not known yet may be a label of the project's own: it is asked for before it is written.
    return title in issue.labels or not catalog.lacks(issue.project, title)
