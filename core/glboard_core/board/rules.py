"""The rules for one issue: readiness, warnings, slippage (planning rules 3, 5 and 7).

Owns the reason codes that belong to a card. Codes only: their texts belong to the screen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from glboard_core.config import LabelSettings
from glboard_core.model.issue import Issue, doubled
from glboard_core.model.milestone import Milestone
from glboard_core.model.workflow import WorkflowScheme

#: Issues above this weight should be broken down (rule 5).
MAX_WEIGHT = 3


def types_of(issue: Issue, names: LabelSettings) -> tuple[str, ...]:
    """The type labels, sorted."""
    return issue.scoped(names.type_prefix)


def ready(issue: Issue, flow: WorkflowScheme, names: LabelSettings, *, weights: bool = True) -> bool:
    """ready(i) of rule 3: open, state ready for development, exactly one type, weight set.

    ``weights`` is whether the server has weights at all: otherwise no issue can have one.
    """
    state = flow.of(issue)
    return (
        issue.is_open
        and state is not None
        and state.name == "ready for development"
        and len(types_of(issue, names)) == 1
        and (issue.weight is not None or not weights)
    )


def missed_labels(milestone: Milestone, names: LabelSettings) -> frozenset[str]:
    """The labels that say an issue missed this milestone: a label keeps the title that it had then."""
    return frozenset(names.missed_prefix + title for title in (milestone.title, *milestone.was))


def missed_titles(labels: Iterable[str], prefix: str, renamed: Mapping[str, str]) -> tuple[str, ...]:
    """The milestones that an issue with these labels missed, sorted, by their present titles (rule 7).

    ``renamed`` has former titles of milestones (``present_titles``): the label keeps the one that it had, so
    an issue can have the label of both titles of one milestone.
    """
    titles = (label[len(prefix) :] for label in labels if label.startswith(prefix))
    return tuple(sorted({renamed.get(title, title) for title in titles}))


def missed(issue: Issue, names: LabelSettings, renamed: Mapping[str, str]) -> int:
    """How many different milestones the issue missed (rule 7); ``renamed`` as in ``missed_titles``."""
    return len(missed_titles(issue.labels, names.missed_prefix, renamed))


def slipped(issue: Issue, names: LabelSettings, milestones: Mapping[str, Milestone], today: date) -> bool:
    """slipped(i) of rule 7: open, and its milestone is over or it missed an earlier one."""
    if not issue.is_open:
        return False
    milestone = milestones.get(issue.milestone or "")
    over = milestone is not None and milestone.due is not None and milestone.due < today
    return over or bool(issue.scoped(names.missed_prefix))


def warnings(
    issue: Issue, flow: WorkflowScheme, names: LabelSettings, *, weights: bool = True
) -> tuple[str, ...]:
    """The warning codes of a card, in the order of planning rule 26; ``weights`` as in ``ready``."""
    codes: list[str] = []
    types = types_of(issue, names)
    if not types:
        codes.append("missing-type")
    elif len(types) > 1:
        codes.append("several-types")
    state = flow.of(issue)
    unweighted = weights and issue.weight is None
    if state is not None and state.name == "ready for development" and unweighted:
        codes.append("ready-without-weight")
    if issue.weight is not None and issue.weight > MAX_WEIGHT:
        codes.append("over-weight")
    if flow.conflict(issue):
        codes.append("label-status-conflict")
    scopes = doubled(issue.labels).keys() - {names.type_prefix.removesuffix("::")}
    if len(flow.labelled(issue)) > 1:
        codes.append("several-states")
        scopes -= {flow.prefix.removesuffix("::")}
    if scopes:
        codes.append("several-of-scope")
    return tuple(codes)
