"""The links of an issue: read with its description, or on their own.

A fine-grained token may not read linked items; it may read what blocks an issue, if that is open.
"""

from __future__ import annotations

from collections.abc import Sequence

from glboard_core.gitlab import queries
from glboard_core.gitlab.decode import link_kind, linked_issue
from glboard_core.gitlab.graphql import QueryRunner
from glboard_core.gitlab.wire import OfIssue, OfLinked, Page, WireBlocker, WireLink
from glboard_core.model.issue import IssueId, LinkedIssue


async def read_links(
    runner: QueryRunner, issue: IssueId, first: Page[WireLink] | None
) -> tuple[LinkedIssue, ...]:
    """All issues linked to one, each once; ``first`` is their first page, if that was read already."""
    dialect = await runner.dialect()
    if not dialect.rights:
        return await _blockers(runner, issue) if dialect.ee else ()
    if first is None or not first.page_info.has_next_page:
        return _linked(first.items() if first is not None else (), blocking=dialect.ee)
    rows: list[WireLink] = []
    item = f"gid://gitlab/WorkItem/{issue.rpartition('/')[2]}"
    pages = runner.pages(
        queries.linked,
        {"id": item},
        OfLinked,
        lambda answer: answer.work_item.page() if answer.work_item else Page(),
    )
    async for page in pages:
        rows += page
    return _linked(rows, blocking=dialect.ee)


def _linked(rows: Sequence[WireLink], *, blocking: bool) -> tuple[LinkedIssue, ...]:
    """Without a licence a link blocks nothing, also if it did once: then it only relates."""
    found = (
        linked_issue(row.work_item, link_kind(row.link_type) if blocking else "relates_to")
        for row in rows
        if row.work_item is not None
    )
    return tuple({one.id: one for one in found}.values())


async def _blockers(runner: QueryRunner, issue: IssueId) -> tuple[LinkedIssue, ...]:
    def pick(answer: OfIssue) -> Page[WireBlocker]:
        return (answer.issue and answer.issue.blocked_by_issues) or Page()

    found: dict[str, WireBlocker] = {}
    async for page in runner.pages(lambda _: queries.BLOCKED_BY, {"id": issue}, OfIssue, pick):
        found |= {row.id: row for row in page}
    return tuple(map(linked_issue, found.values()))
