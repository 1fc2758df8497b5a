"""What was renamed in GitLab: noticed when a catalog is stored, and replaced everywhere before it is.

Owns the order of the steps, the configuration with present names, and what a person is told. What the names
are in is in ``local_state.py``, ``board/renamed.py`` and ``model/renames.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date

from glboard_core.board.names_needed import catalog_names
from glboard_core.board.operations import new_id
from glboard_core.board.renamed import OldName, people_now, settings_now
from glboard_core.config import Settings
from glboard_core.errors import StoreFailed
from glboard_core.model.catalog import Catalog, Former
from glboard_core.model.renames import Renames, renames, with_formers
from glboard_core.sync.events import CatalogChanged, EngineNotice, Event
from glboard_core.sync.initial_load import has_scope, keep_scope
from glboard_core.sync.known_names import KnownNames
from glboard_core.sync.local_state import LocalState
from glboard_core.sync.processes import RENAMED
from glboard_core.sync.status import SyncStatus

#: Of more renames at once, the rest is only counted.
MOST_SAID = 3


class PresentNames:
    """Stores catalogs. ``configured`` are the settings as a person wrote them."""

    def __init__(
        self,
        configured: Settings,
        local_state: LocalState,
        names: KnownNames,
        status: SyncStatus,
        *,
        emit: Callable[[Event], None],
        today: Callable[[], date],
    ) -> None:
        self._configured = configured
        #: The configuration with present names.
        self.settings = names.settings
        self._local_state = local_state
        self._store = local_state.store
        self._names = names
        self._status = status
        self._emit = emit
        self._today = today

    def configure(self, settings: Settings) -> bool:
        """Use another configuration; returns whether it names something else in GitLab."""
        before = catalog_names(self.settings, self._today())
        self._configured = settings
        self.settings, _ = settings_now(settings, self._store.catalog())
        self._names.settings = self.settings
        self._emit(CatalogChanged())
        return catalog_names(self.settings, self._today()) != before

    def store(self, catalog: Catalog, *, shared: bool = False) -> None:
        """Store it; what it shows to have been renamed is renamed everywhere, first.

        ``shared``: another process has stored it.
        """
        before = self._store.catalog()
        if catalog is before:
            return
        now = renames(before, catalog) if before is not None else None
        if before is not None and before.group_id == catalog.group_id:
            former = (
                *before.former,
                *catalog.former,
                *(now.formers() if now else ()),
                *self._lost(before, catalog),
            )
            catalog = with_formers(catalog, former)
        if catalog == before:
            return
        if now:
            try:
                self._local_state.rename(now)
            except StoreFailed as error:
                self._status.disk_failed(error)
        self._store.put_catalog(catalog)
        if now and not shared:
            self._store.put_meta(RENAMED, new_id().encode())
        self._configure(catalog)
        self._emit(CatalogChanged())
        if now:
            self._tell(now)

    def adopt(self) -> Renames | None:
        """Another process found something to be renamed; returns what."""
        before, now = self._store.catalog(), self._store.shared_catalog()
        if before is None or now is None:
            return None
        self.store(now, shared=True)
        return renames(before, now)

    def old(self) -> list[OldName]:
        """The names in the configuration and the team's file that nothing has any longer."""
        catalog = self._store.catalog()
        return [*settings_now(self._configured, catalog)[1], *people_now(self._names.people, catalog)]

    def _lost(self, before: Catalog, after: Catalog) -> Iterable[Former]:
        """Labels of the configuration that are not found any longer: perhaps they will be, by their ids."""
        named = catalog_names(self.settings, self._today())
        there = {one.id for one in after.labels}
        return (
            Former("label", one.id, one.title)
            for one in before.labels
            if one.id not in there and named.holds(one.title)
        )

    def _configure(self, catalog: Catalog) -> None:
        group = self.settings.labels.group
        self.settings, _ = settings_now(self._configured, catalog)
        self._names.settings = self.settings
        if self.settings.labels.group != group and has_scope(self._store, group):
            keep_scope(self._store, self.settings.labels.group)

    def _tell(self, now: Renames) -> None:
        found = [one for one in self.old() if one.is_of((*now.names, now.group[0]))]
        old = [str(one) for one in found]
        covered = {
            f"The label {title} is now {new}."
            for title, by_id in now.labels.items()
            for new in by_id.values()
            if any(one.covers(title, new) for one in found)
        }
        said = (line for line in now.said() if line not in covered)
        lines = [*old, *(line for line in said if not any(one.startswith(line[:-1]) for one in old))]
        more = f"{len(lines) - MOST_SAID} more were renamed in GitLab."
        for line in (*lines[:MOST_SAID], *((more,) if len(lines) > MOST_SAID else ())):
            self._emit(EngineNotice(line))
