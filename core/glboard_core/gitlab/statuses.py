"""The statuses that issues of a group can have, by name: their ids change when a group customises them."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from glboard_core.gitlab import name_queries
from glboard_core.gitlab.answers import Identity, Name
from glboard_core.gitlab.clean_text import line
from glboard_core.gitlab.graphql import QueryRunner
from glboard_core.gitlab.wire import Page


class _Status(Struct, frozen=True):
    id: Identity
    name: Name


class _Statuses(Struct, frozen=True):
    statuses: Page[_Status] | None = None


class _Answer(Struct, frozen=True):
    group: _Statuses | None = None
    root: _Statuses | None = None


async def status_ids(runner: QueryRunner, group: str) -> Mapping[str, str]:
    """Case-folded status names to ids. Empty if the server has no statuses to set.

    They belong to the group at the top; a group below it can answer with those of no group at all (18.9), so
    the ones at the top go before its own.
    """
    if not (await runner.dialect()).status:
        return {}
    answer = await runner.ask(
        name_queries.STATUSES, {"group": group, "root": group.partition("/")[0]}, _Answer
    )
    found: dict[str, str] = {}
    for place in (answer.group, answer.root):
        if place is not None and place.statuses is not None:
            found.update((line(one.name).casefold(), one.id) for one in place.statuses.items())
    return found
