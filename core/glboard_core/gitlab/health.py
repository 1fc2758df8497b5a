"""Whether this GitLab's license covers health statuses: asked only when somebody wants to set one.

Only Ultimate has them; elsewhere the field is null and setting it is dropped without an error. An issue's
widgets tell, since GitLab leaves out those that are not licensed.
"""

from __future__ import annotations

from msgspec import Struct

from glboard_core.gitlab import queries
from glboard_core.gitlab.graphql import QueryRunner
from glboard_core.model.issue import IssueId


class _Widget(Struct, frozen=True):
    type: str | None = None


class _Type(Struct, frozen=True):
    name: str = ""


class _Item(Struct, frozen=True, rename="camel"):
    work_item_type: _Type | None = None
    widgets: list[_Widget | None] | None = None


class _OfItem(Struct, frozen=True, rename="camel"):
    work_item: _Item | None = None


async def has_health(runner: QueryRunner, issue: IssueId) -> bool | None:
    """None if it is not told: an incident has none on any tier. Raises what reading raises."""
    item = f"gid://gitlab/WorkItem/{issue.rpartition('/')[2]}"
    answer = await runner.ask(queries.WIDGETS, {"id": item}, _OfItem)
    found = answer.work_item
    if found is None or not found.widgets:
        return None
    if any(widget is not None and widget.type == "HEALTH_STATUS" for widget in found.widgets):
        return True
    # Only of an issue it says something of the licence.
    return False if found.work_item_type is not None and found.work_item_type.name == "Issue" else None
