"""A merge request that closes an issue, as far as a person who plans needs it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from msgspec import Struct

from glboard_core.model.issue import Issue, IssueId

MergeRequestState = Literal["opened", "merged", "closed", "locked"]


class MergeRequest(Struct, frozen=True, kw_only=True):
    """A merge request that closes an issue when it is merged.

    ``pipeline`` is GitLab's word for the status of its last pipeline in lower case, "" if it has none.
    """

    reference: str
    title: str
    state: MergeRequestState
    draft: bool = False
    pipeline: str = ""
    #: How many approvals it needs, and how many of these it lacks; None if that is not known.
    approvals_required: int | None = None
    approvals_left: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether it may still be merged. While GitLab merges it, it is ``locked``."""
        return self.state in ("opened", "locked")

    @property
    def is_failing(self) -> bool:
        """Whether it is open, and its last pipeline failed."""
        return self.is_open and self.pipeline == "failed"

    @property
    def number(self) -> str:
        """Its number without the project: ``!1423``."""
        return "!" + self.reference.rpartition("!")[2]


class KnownRequests(Struct, frozen=True, kw_only=True):
    """The merge requests of an issue as read ``at`` a time by the server's clock; None if they are not told.

    ``updated_at`` and ``count`` are the issue's of then: when they differ, they are read again.
    """

    issue: IssueId
    at: datetime
    updated_at: datetime
    count: int
    requests: tuple[MergeRequest, ...] | None = None

    def fits(self, issue: Issue) -> bool:
        """Whether the issue was not changed since."""
        return (self.updated_at, self.count) == (issue.updated_at, issue.merge_requests)

    @property
    def is_settled(self) -> bool:
        """Whether none of them is open, so that hardly anything will change."""
        return self.requests is not None and not any(one.is_open for one in self.requests)


def foremost(requests: Sequence[MergeRequest]) -> MergeRequest | None:
    """The one that tells most about where the work is: failing before ready, draft, merged and closed."""
    return min(requests, key=_urgency, default=None)


def _urgency(one: MergeRequest) -> tuple[bool, bool, bool, bool]:
    return not one.is_open, not one.is_failing, one.draft, one.state != "merged"
