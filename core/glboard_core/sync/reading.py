"""Reads single issues: for commands, which name the issues they change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from glboard_core.errors import NameUnknown
from glboard_core.model.issue import Issue, IssueId
from glboard_core.model.reference import parse_reference

if TYPE_CHECKING:
    from glboard_core.sync.engine import Engine


async def by_reference(engine: Engine, references: Sequence[str]) -> list[Issue]:
    """These issues, and what their projects offer. Raises NameUnknown for the first one not found."""
    if (catalog := engine.catalog) is None:
        raise NameUnknown("issue", references[0], hint="Nothing loaded from GitLab yet.")
    wanted = [parse_reference(text, catalog) for text in references]
    found = await engine.gateway.find(wanted)
    for reference in wanted:
        if reference not in found:
            raise NameUnknown("issue", str(reference), hint="It does not exist, or you have no access.")
    issues = list({found[reference].id: found[reference] for reference in wanted}.values())
    engine.keep_catalog(await engine.gateway.extend_catalog(catalog, {issue.project for issue in issues}))
    engine.confirm(issues, "load")
    return issues


async def again(engine: Engine, issues: Sequence[IssueId]) -> None:
    """These issues as they are now, and what their projects offer."""
    now = await engine.gateway.read(issues)
    catalog = engine.catalog
    if catalog is not None:
        projects = {issue.project for issue in now.values()}
        engine.keep_catalog(await engine.gateway.extend_catalog(catalog, projects))
    engine.confirm(now.values(), "load")
