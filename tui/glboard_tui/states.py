"""The ``is:`` names of a filter: tests on an issue, for this server, these settings and this day.

Pure; the filter language itself is ``glboard_core.board.filters``.
"""

from __future__ import annotations

from collections.abc import Container
from datetime import date

from glboard_core.board import rules
from glboard_core.board.filters import Test
from glboard_core.config import LabelSettings
from glboard_core.model.catalog import Catalog
from glboard_core.model.issue import IssueId
from glboard_core.model.milestone import by_title
from glboard_core.model.workflow import WorkflowScheme


def filter_states(
    catalog: Catalog,
    flow: WorkflowScheme,
    names: LabelSettings,
    today: date,
    changed: Container[IssueId] = frozenset(),
) -> dict[str, Test]:
    """The tests by name. ``changed`` holds issues with unsent, failed or others' changes; it is asked
    on every test.
    """
    me = catalog.me.username
    milestones = by_title(catalog.milestones)
    return {
        "unweighted": lambda issue: issue.weight is None,
        "weighted": lambda issue: issue.weight is not None,
        "ready": lambda issue: rules.ready(issue, flow, names),
        "unready": lambda issue: issue.is_open and not rules.ready(issue, flow, names),
        "slipped": lambda issue: rules.slipped(issue, names, milestones, today),
        "mine": lambda issue: me in issue.assignees,
        "unassigned": lambda issue: not issue.assignees,
        "blocked": lambda issue: (
            issue.blocked or any(state.name == "blocked" for state in flow.all_of(issue))
        ),
        "confidential": lambda issue: issue.confidential,
        "closed": lambda issue: not issue.is_open,
        "deliverable": lambda issue: names.deliverable in issue.labels,
        "changed": lambda issue: issue.id in changed,
        "over": lambda issue: issue.weight is not None and issue.weight > rules.MAX_WEIGHT,
    }
