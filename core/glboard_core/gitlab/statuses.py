"""The statuses that issues of a group can have, by name: their ids change when a group customises them."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from glboard_core.errors import AuthError, ConnectionFailed, GroupNotFound, NotGitLab, QueryRefused
from glboard_core.gitlab import name_queries
from glboard_core.gitlab.answers import Identity, Name
from glboard_core.gitlab.graphql import QueryRunner, group_missing
from glboard_core.gitlab.wire import Page
from glboard_core.model.clean_text import line


class _Status(Struct, frozen=True):
    id: Identity
    name: Name


class _Statuses(Struct, frozen=True):
    statuses: Page[_Status] | None = None


class _Answer(Struct, frozen=True):
    group: _Statuses | None = None
    root: _Statuses | None = None


async def status_ids(runner: QueryRunner, group: str) -> Mapping[str, str]:
    """Case-folded status names to ids. Empty if the server has no statuses to set. Raises GroupNotFound.

    They belong to the group at the top; a group below it can answer with those of no group at all (18.9), so
    the ones at the top go before its own.
    """
    if not (await runner.dialect()).status:
        return {}
    answer = await runner.ask(
        name_queries.STATUSES, {"group": group, "root": group.partition("/")[0]}, _Answer
    )
    if answer.group is None and answer.root is None:
        raise group_missing(group, runner.host)
    found: dict[str, str] = {}
    for place in (answer.group, answer.root):
        if place is not None and place.statuses is not None:
            found.update((line(one.name).casefold(), one.id) for one in place.statuses.items())
    return found


class KnownStatuses:
    """The ids of statuses, asked for once, until one of them is not taken."""

    def __init__(self, runner: QueryRunner) -> None:
        self._runner = runner
        self._ids: Mapping[str, str] = {}

    async def ids(self, group: str) -> Mapping[str, str]:
        """Case-folded status names to ids. Empty if the server has no statuses to set."""
        self._ids = self._ids or await status_ids(self._runner, group)
        return self._ids

    async def again(self, group: str) -> Mapping[str, str]:
        """The same as they are now; empty if that cannot be told."""
        self.forget()
        try:
            return await self.ids(group)
        except (NotGitLab, QueryRefused, ConnectionFailed, AuthError, GroupNotFound):
            return {}

    def forget(self) -> None:
        """Ask for them again next time."""
        self._ids = {}
