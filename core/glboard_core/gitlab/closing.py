"""Which merge requests close an issue, and their states: asked on demand, for the issues a person acts on.

An issue only has their number, and that counts merged and closed ones too: GitLab keeps the link for good.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from msgspec import Struct

from glboard_core.errors import QueryRefused
from glboard_core.gitlab import queries
from glboard_core.gitlab.answers import Address, Count, Identity, Name
from glboard_core.gitlab.graphql import QueryRunner, chunks, side_by_side
from glboard_core.gitlab.reading import PARALLEL, Numbers, packed
from glboard_core.gitlab.wire import Page
from glboard_core.model.clean_text import line
from glboard_core.model.issue import Issue, IssueId
from glboard_core.model.merge_requests import MergeRequest, MergeRequestState

_STATES: dict[str, MergeRequestState] = {
    "opened": "opened",
    "merged": "merged",
    "closed": "closed",
    "locked": "locked",
}


class _Pipeline(Struct, frozen=True):
    status: Name


class _Request(Struct, frozen=True, kw_only=True, rename="camel"):
    reference: Address
    title: Name
    state: Name
    draft: bool = False
    head_pipeline: _Pipeline | None = None
    approvals_required: Count | None = None
    approvals_left: Count | None = None


class _Closing(Struct, frozen=True, rename="camel"):
    """Null for one that we may not see."""

    merge_request: _Request | None


class _Widget(Struct, frozen=True, rename="camel"):
    closing_merge_requests: Page[_Closing] | None = None


class _WorkItem(Struct, frozen=True):
    id: Identity
    widgets: list[_Widget] | None


class _WithWorkItems(Struct, frozen=True, rename="camel"):
    work_items: Page[_WorkItem] | None


async def read_closing(
    runner: QueryRunner, issues: Sequence[Issue], *, approvals: bool = False
) -> Mapping[IssueId, Sequence[MergeRequest]]:
    """See ``ports.Gateway.merge_requests``."""
    dialect = await runner.dialect()
    if not dialect.modern:
        return {}
    approvals = approvals and dialect.ee
    ids = {issue.id.rpartition("/")[2]: issue.id for issue in issues}
    by_project: dict[str, list[str]] = {}
    for issue in issues:
        if issue.iid:
            by_project.setdefault(issue.project, []).append(str(issue.iid))
    asked = [(path, part) for path, iids in by_project.items() for part in chunks(iids, queries.CLOSING_EACH)]
    documents = packed(asked, queries.closing_cost)
    try:
        found = await side_by_side([partial(_read, runner, one, approvals) for one in documents], PARALLEL)
    except QueryRefused:
        return {}  # a version between, or a token that may not read merge requests
    numbered = {key.rpartition("/")[2]: value for part in found for key, value in part.items()}
    return {ids[number]: requests for number, requests in numbered.items() if number in ids}


async def _read(
    runner: QueryRunner, asked: Sequence[Numbers], approvals: bool
) -> dict[str, tuple[MergeRequest, ...]]:
    variables: dict[str, object] = {}
    for n, (path, iids) in enumerate(asked):
        variables[f"p{n}"], variables[f"n{n}"] = path, iids
    sizes = tuple(queries.size_for(len(iids)) for _, iids in asked)
    document = queries.closing_merge_requests(sizes, approvals=approvals)
    answer = await runner.ask(document, variables, dict[str, _WithWorkItems | None])
    items = [
        item
        for project in answer.values()
        if project is not None and project.work_items is not None
        for item in project.work_items.items()
    ]
    return {item.id: told for item in items if (told := _told(item)) is not None}


def _told(item: _WorkItem) -> tuple[MergeRequest, ...] | None:
    """The merge requests of an issue; None if it has others that are not told."""
    pages = [
        widget.closing_merge_requests
        for widget in item.widgets or ()
        if widget.closing_merge_requests is not None
    ]
    if not pages or any(page.page_info.has_next_page for page in pages):
        return None
    requests = [closing.merge_request for page in pages for closing in page.items()]
    known = [one for one in requests if one is not None and one.state in _STATES]
    if len(known) < len(requests):
        return None
    return tuple(
        MergeRequest(
            reference=line(one.reference),
            title=line(one.title),
            state=_STATES[one.state],
            draft=one.draft,
            pipeline=line(one.head_pipeline.status).lower() if one.head_pipeline else "",
            approvals_required=one.approvals_required,
            approvals_left=one.approvals_left,
        )
        for one in known
    )
