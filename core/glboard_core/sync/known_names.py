"""The catalog of this session: what is asked for when, and what is learned from issues.

Owns what the configuration names, when the token's scope was checked, and which knowledge is still missing.
Nothing waits for more than its own: an edit for the ids that it writes, a board for its own names.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import TypeVar

import msgspec
from msgspec import Struct, structs

from glboard_core.board.names_needed import BY_DATE, catalog_names, needs_of
from glboard_core.board.operations import Op
from glboard_core.config import Settings
from glboard_core.model.catalog import Absent, Catalog, Former
from glboard_core.model.catalog_needs import CatalogNames, Needs, around, titles_of
from glboard_core.model.issue import Issue, IssueId, Reference, short_project
from glboard_core.model.renames import with_formers
from glboard_core.ports import Gateway, Store
from glboard_core.sync.status import TOLERANCE

T = TypeVar("T")

#: Meta keys of when the token's scope was checked, and when the catalog was read.
TOKEN, CATALOGUED = "token", "catalogued"
#: How often the token's scope is checked.
TOKEN_EVERY = timedelta(days=1)
#: How long before a milestone the ones that it is compared with can begin.
LOOK_BACK = timedelta(days=200)
#: Dated milestones are asked for again if the server's clock is that far from this machine's.
CLOCK_OFF = timedelta(days=20)
#: Projects whose permissions are asked for with one poll.
PROJECTS_EACH = 50
#: How many paths of a project are tried: one that is renamed under our hands has two.
MOST_PATHS = 3
#: Labels and families of labels in projects that are asked for with one poll.
LABELS_EACH, FAMILIES_EACH = 50, 16


class _Asked(Struct, frozen=True):
    """When something was asked, and a mark of what it depends on."""

    at: datetime
    mark: str


class KnownNames:
    """Reads the catalog and adds to it. ``keep`` gets every catalog that is to be stored.

    ``people`` are usernames that matter as well as those of the configuration: the team's.
    """

    def __init__(
        self,
        gateway: Gateway,
        store: Store,
        settings: Settings,
        *,
        today: Callable[[], date],
        keep: Callable[[Catalog], None],
    ) -> None:
        self._gateway = gateway
        self._store = store
        #: The configuration, with present names; set by the engine.
        self.settings = settings
        self._today = today
        self._keep = keep
        self.people: frozenset[str] = frozenset()
        self._read = asyncio.Event()
        self._looked: set[str] = set()

    # The whole

    async def read(self, *, anew: bool = False) -> None:
        """Ask for what is named; what else is known stays, unless ``anew``. Raises as the gateway does."""
        names, known = self._names(), self._store.catalog()
        if anew:
            self._looked.clear()
            if known is not None:
                # What is named is asked for by its id, too, since it may have been renamed.
                kept = (one for one in known.labels if names.holds(one.title))
                known = structs.replace(known, labels=tuple(kept), absent=frozenset())
        before = self._store.catalog()
        read = await self._gateway.catalog(names, known)
        if abs(self._names().since - names.since) > CLOCK_OFF:
            # This machine's clock is wrong, and the server's is known only now.
            names = self._names()
            read = await self._gateway.catalog(names, read)
        self._change(before, read)
        if names.token:
            self._remember(TOKEN, self._gateway.token_mark)
        self._remember(CATALOGUED, _mark_of(self._names()))  # by the server's clock, now known
        self._read.set()

    async def read_once(self, within: timedelta) -> bool:
        """Read, unless that was done with the same names and token in the time ``within``.

        Returns whether it was read now.
        """
        names = self._names()
        due = self._due(CATALOGUED, _mark_of(names), within) or names.token
        due = due or self._store.catalog() is None
        if due:
            await self.read()
        return due

    async def checked(self) -> None:
        """Wait until the server confirmed in this session who we are."""
        await self._read.wait()

    def _names(self) -> CatalogNames:
        token = self._due(TOKEN, self._gateway.token_mark, TOKEN_EVERY)
        return catalog_names(self.settings, self._today(), people=self.people, token=token)

    # More, as it is needed

    async def need(self, needs: Needs) -> None:
        """Ask for what is needed and not known. Raises what the gateway raises."""
        if (catalog := self._store.catalog()) is not None and needs.unknown(catalog):
            self._change(catalog, await self._gateway.extend_catalog(catalog, needs))

    async def know_milestones(self, names: Iterable[str]) -> None:
        """Ask for milestones by titles that a person gave, with similar ones if there is none.

        Raises what the gateway raises.
        """
        if (catalog := self._store.catalog()) is None:
            return
        known = {title.casefold() for title in (*BY_DATE, *self.settings.milestones)}
        given = {name for name in names if name.casefold() not in known}
        unknown = {name for name in given if catalog.find_milestone(name) is None}
        if unknown:
            await self.need(Needs(near_milestones=frozenset(unknown)))
        # Reports on an old milestone compare it with those before it.
        catalog = self._store.catalog() or catalog
        found = [one for name in given if (one := catalog.find_milestone(name)) is not None]
        since = around(self._today())[0] + LOOK_BACK
        days = {one.start for one in found if one.start is not None and one.start < since}
        if days:
            await self.need(Needs(days=frozenset(days)))

    async def know_projects(self, references: Iterable[str]) -> None:
        """Ask for projects named by the end of their path (``project#12``). Raises as the gateway does."""
        if (catalog := self._store.catalog()) is not None:
            names = (short_project(text, catalog) for text in references)
            await self.need(Needs(project_names=frozenset(name for name in names if name)))

    async def find_renamed(self, lacking: Sequence[Reference]) -> Mapping[Reference, Issue]:
        """References of the time before their project was renamed: by the issue's id, which stays.

        Raises what the gateway raises.
        """
        if not lacking:
            return {}
        names = {str(one).casefold(): one for one in lacking}
        rows = self._store.issues().values()
        known = {one.id: names[at] for one in rows if (at := one.reference.casefold()) in names}
        now = await self._follow({one: reference.project for one, reference in known.items()})
        return {known[one.id]: one for one in now.values()}

    async def _follow(self, before: Mapping[IssueId, str]) -> Mapping[IssueId, Issue]:
        """Issues by their ids, which stay: their projects have other paths now than ``before``.

        Raises what the gateway raises.
        """
        now = await self._gateway.read(list(before)) if before else {}
        paths = {before[one.id]: one.project for one in now.values() if before[one.id] != one.project}
        there = frozenset(Absent("project", path) for path in paths.values())
        if (catalog := self._store.catalog()) is not None and catalog.absent & there:
            # It has its former path again.
            self._keep(structs.replace(catalog, absent=catalog.absent - there))
        await self.need(Needs(projects=frozenset(paths.values())))
        if (catalog := self._store.catalog()) is not None and paths:
            known = ((old, catalog.project(path)) for old, path in paths.items())
            former = [Former("project", one.id, old) for old, one in known if one is not None]
            self._keep(with_formers(catalog, (*catalog.former, *former)))
        return now

    async def need_for(self, ops: Sequence[Op]) -> Mapping[IssueId, Issue]:
        """Ask for what writing these changes needs; returns issues that were found in a renamed project.

        Raises what the gateway raises.
        """
        found: dict[IssueId, Issue] = {}
        for _ in range(MOST_PATHS):
            await self.need(_needs_of(ops, self._seen(ops, found)))
            # What is not there, or was neither found nor missed now, was asked for at an old path.
            issues, catalog = self._seen(ops, found), self._store.catalog()
            if catalog is None:
                break
            needs = _needs_of(ops, issues)
            places = needs.unknown(catalog).places | {
                one for one in needs.places if Absent("project", one) in catalog.absent
            }
            lost = {one.id: one.project for one in issues.values() if one and one.project in places}
            if not lost:
                break
            found |= await self._follow(lost)
        return found

    def _seen(self, ops: Sequence[Op], found: Mapping[IssueId, Issue]) -> Mapping[IssueId, Issue | None]:
        known = self._store.issues()
        return {op.issue: found.get(op.issue) or known.get(op.issue, op.before) for op in ops}

    def learn(self, wanted: Callable[[IssueId], bool]) -> None:
        """Add the labels, milestones and people of the wanted issues that were read."""
        if (catalog := self._store.catalog()) is not None:
            learned = self._gateway.learned(catalog, wanted)
            if learned is not catalog:
                self._keep(learned)

    async def look_further(self, projects: Collection[str]) -> None:
        """In the background: what may be done in these projects, and where configured names exist at all."""
        if (catalog := self._store.catalog()) is None:
            return
        names = self._names()
        missing = names.missing(catalog)
        rights = Needs(projects=frozenset(projects)).unknown(catalog).projects
        needs = Needs(
            below=missing.below - self._looked,
            near_milestones=missing.near_milestones - self._looked,
            families=missing.families - self._looked,
            people=names.people,
            projects=frozenset(sorted(rights)[:PROJECTS_EACH]),
        )
        self._looked |= needs.below | needs.near_milestones | needs.families
        await self.need(needs)
        await self._look_into(sorted(projects), names)

    async def _look_into(self, projects: Sequence[str], names: CatalogNames) -> None:
        """Ask in projects for labels that the group does not have, but something below it has."""
        if (catalog := self._store.catalog()) is None:
            return
        group = catalog.group
        titles = [
            title
            for title in names.labels & self._looked
            if catalog.label(group, title) is None and Absent("label", title, group) not in catalog.absent
        ]
        needs = Needs(
            labels=titles_of(projects, titles),
            own_families=titles_of(projects, names.families - catalog.families),
        ).unknown(catalog)
        await self.need(
            Needs(
                labels=frozenset(sorted(needs.labels)[:LABELS_EACH]),
                own_families=frozenset(sorted(needs.own_families)[:FAMILIES_EACH]),
            )
        )

    def _change(self, before: Catalog | None, after: Catalog) -> None:
        """Keep what became of ``before``, and what was learned while it was asked for."""
        now = self._store.catalog()
        if before is not None and now is not None and now is not before and now.group_id == after.group_id:
            after = after.learn(
                labels=_added(before.labels, now.labels),
                milestones=_added(before.milestones, now.milestones),
                people=_added(before.people, now.people),
                projects=_added(before.projects, now.projects),
            )
        self._keep(after)

    # When what was asked

    def _due(self, key: str, mark: str, every: timedelta) -> bool:
        try:
            asked = msgspec.json.decode(self._store.meta(key) or b"", type=_Asked)
        except msgspec.DecodeError:
            return True
        # The server's clock is known only to some seconds before its first answer.
        ago = self._gateway.now() - asked.at
        return asked.mark != mark or not -timedelta(seconds=TOLERANCE) <= ago < every

    def _remember(self, key: str, mark: str) -> None:
        self._store.put_meta(key, msgspec.json.encode(_Asked(self._gateway.now(), mark)))


def _needs_of(ops: Iterable[Op], issues: Mapping[IssueId, Issue | None]) -> Needs:
    needs = Needs()
    for op in ops:
        needs |= needs_of(op.change, issues[op.issue])
    return needs


def _added(before: Iterable[T], now: Iterable[T]) -> list[T]:
    known = {*before}
    return [one for one in now if one not in known]


def _mark_of(names: CatalogNames) -> str:
    """A mark by which other names are noticed: another configuration, or with ``--as-of`` another month.

    Not by the people: a screen also names those of the team file.
    """
    named = [sorted(part) for part in (names.labels, names.families, names.milestones)]
    return sha256(msgspec.json.encode((named, f"{names.since:%Y-%m}"))).hexdigest()[:12]
