"""The questions a change raises, once per issue and rule (DOMAIN.md 7.13).

Owns the rules, not the asking: nothing is forbidden, GitLab's roles decide. Pure: the issue before and after.
"""

from __future__ import annotations

from glboard_core.board.rules import ready, types_of
from glboard_core.config import LabelSettings
from glboard_core.model.issue import Issue
from glboard_core.model.workflow import WorkflowScheme
from glboard_core.planning.counting import over_weight
from glboard_core.planning.readiness import READY


def questions(
    before: Issue, after: Issue, flow: WorkflowScheme, names: LabelSettings, *, commented: bool = False
) -> tuple[str, ...]:
    """The codes of what to ask before ``before`` becomes ``after`` (7.13, 7.4 for ``over-weight``).

    ``ready-without-weight``, ``ready-without-type``, ``deliverable-not-ready``, ``over-weight`` (both when
    marking as Deliverable), ``in-dev-without-assignee``, ``complete-with-merge-requests``,
    ``unblocked-without-comment``.
    """
    codes: list[str] = []
    was, now = flow.of(before), flow.of(after)
    came = now.name if now is not None and now != was else None
    if came == READY:
        if after.weight is None:
            codes.append("ready-without-weight")
        if len(types_of(after, names)) != 1:
            codes.append("ready-without-type")
    if names.deliverable in after.labels - before.labels:
        if not ready(after, flow, names):
            codes.append("deliverable-not-ready")
        if over_weight(after):
            codes.append("over-weight")
    if came == "in dev" and not after.assignees:
        codes.append("in-dev-without-assignee")
    # GitLab counts the merge requests that will close the issue.
    if came == "complete" and after.merge_requests:
        codes.append("complete-with-merge-requests")
    if was is not None and was.name == "blocked" and now != was and not commented:
        codes.append("unblocked-without-comment")
    return tuple(codes)
