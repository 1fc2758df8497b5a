"""Invented merge requests of the sample's issues, the same at each start: nothing here is drawn by lot."""

from __future__ import annotations

from glboard_core.demo.world.records import Issue, MergeRequest

#: States after which the last merge request is merged, and in which it is no longer a draft.
_MERGED, _REVIEWED = ("verification", "complete"), ("in review",)
_PIPELINES = ("SUCCESS", "RUNNING", "SUCCESS", "FAILED", "SUCCESS")


def _approvals(issue: Issue, needed: int) -> int:
    """How many approvals an open one has."""
    return (0, needed, 1, 0)[issue.iid % 4]


def merge_requests_of(issue: Issue, count: int) -> list[MergeRequest]:
    """As many merge requests as an issue has, the last one as far as its issue, the ones before it merged."""
    needed = 1 + issue.iid % 2
    state = next((label.title.rpartition("::")[2] for label in issue.labels if "workflow" in label.title), "")
    over = not issue.open or state in _MERGED
    found = []
    for n in range(count):
        last = n == count - 1
        found.append(
            MergeRequest(
                iid=2 * issue.iid + n + 1,
                project=issue.project,
                title=issue.title if last else f"Prepare: {issue.title}",
                state="opened" if last and not over else "merged",
                draft=last and not over and state not in _REVIEWED,
                approvals_required=needed,
                approvals=_approvals(issue, needed) if last and not over else needed,
                pipeline=_PIPELINES[(issue.iid + n) % len(_PIPELINES)] if last and not over else "SUCCESS",
            )
        )
    return found
