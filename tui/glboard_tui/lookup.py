"""What pickers ask of the engine: searches on the server, what was chosen lately, and what to keep of it.

Owns the list of recent choices, which is stored with the mirror and so survives a restart.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Literal

import msgspec

from glboard_core.errors import NotConnected
from glboard_core.model.catalog import Label, Person, Project
from glboard_core.model.issue import LinkedIssue
from glboard_core.model.milestone import Milestone
from glboard_core.model.query import Found
from glboard_core.ports import Gateway
from glboard_core.sync.engine import Engine

Kind = Literal["label", "milestone", "person", "project", "issue"]

#: The store key for recent choices.
RECENT = "recent_choices"
#: How many of each kind are kept: as many as one can overlook above everything else.
_MOST = 6


class Lookup:
    """Lookups of one session; ``engine`` returns None as long as there is none.

    ``may_name`` says whether a label or a person that was found may be shown (share mode).
    """

    def __init__(
        self,
        engine: Callable[[], Engine | None],
        may_name: Callable[[Kind, str], bool] = lambda _kind, _name: True,
    ) -> None:
        self._engine = engine
        self._may_name = may_name

    @property
    def _gateway(self) -> Gateway:
        if (engine := self._engine()) is None:
            raise NotConnected
        return engine.gateway

    def why_not(self) -> str:
        """Why the server cannot be asked, in a few words; "" if it can, as far as is known."""
        engine = self._engine()
        if engine is None:
            return "not connected yet"
        return {"offline": "offline", "signed-out": "signed out"}.get(engine.status.freshness, "")

    async def labels(self, text: str, projects: Collection[str]) -> Found[Label]:
        """Labels by title. This and the following raise what the gateway raises, and NotConnected."""
        found = await self._gateway.search_labels(text, projects)
        return Found(tuple(one for one in found.items if self._may_name("label", one.title)), found.more)

    async def milestones(self, text: str, projects: Collection[str]) -> Found[Milestone]:
        """Active milestones by title."""
        return await self._gateway.search_milestones(text, projects)

    async def people(self, text: str, project: str | None) -> Found[Person]:
        """People by name or username."""
        found = await self._gateway.search_people(text, project)
        return Found(tuple(one for one in found.items if self._may_name("person", one.username)), found.more)

    async def issues(self, text: str) -> Found[LinkedIssue]:
        """Issues by title."""
        return await self._gateway.search_issues(text)

    async def projects(self, text: str) -> Found[Project]:
        """Projects by path or name."""
        return await self._gateway.search_projects(text)

    def keep(
        self,
        *,
        labels: Iterable[Label] = (),
        milestones: Iterable[Milestone] = (),
        people: Iterable[Person] = (),
        projects: Iterable[Project] = (),
    ) -> None:
        """Keep what was found and chosen in the catalog: it is written by its id, and known from then on."""
        if (engine := self._engine()) is not None:
            engine.learn(labels=labels, milestones=milestones, people=people, projects=projects)

    # Recent choices

    def recent(self, kind: Kind) -> list[str]:
        """The values chosen last, the latest first."""
        return [name for name in self._stored().get(kind, []) if self._may_name(kind, name)]

    def chosen(self, kind: Kind, values: Collection[str]) -> None:
        """These were chosen now, the first of them as the latest."""
        if (engine := self._engine()) is None or not values:
            return
        stored = self._stored()
        stored[kind] = list(dict.fromkeys([*values, *stored.get(kind, [])]))[:_MOST]
        engine.store.put_meta(RECENT, msgspec.json.encode(stored))

    def _stored(self) -> dict[str, list[str]]:
        engine = self._engine()
        try:
            return msgspec.json.decode(
                (engine.store.meta(RECENT) if engine else None) or b"{}", type=dict[str, list[str]]
            )
        except msgspec.DecodeError:
            return {}  # of another version: only the order of choices is lost
