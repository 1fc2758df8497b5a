"""What to ask the server by name: what the configuration names, and what is about to be written.

A group has more labels, milestones, people and projects than anybody reads; these are the ones that matter.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, timedelta

from msgspec import Struct, structs

from glboard_core.model.catalog import Absent, Catalog

#: Days of dated milestones around today: for reports on the past ones, and for where issues are deferred to.
BEFORE, AFTER = timedelta(days=400), timedelta(days=370)


class CatalogNames(Struct, frozen=True, kw_only=True):
    """What every start asks for: titles, prefixes of label titles, usernames, and days of milestones.

    ``families`` are label prefixes of which all labels matter (``type::``). ``token`` tells whether the
    token's scope is asked for as well.
    """

    labels: frozenset[str] = frozenset()
    families: frozenset[str] = frozenset()
    milestones: frozenset[str] = frozenset()
    people: frozenset[str] = frozenset()
    since: date
    until: date
    token: bool = True

    def holds(self, label: str) -> bool:
        """Whether a label is named, or is of a family that is."""
        return label in self.labels or label.startswith(tuple(self.families))

    def missing(self, catalog: Catalog) -> Needs:
        """What has one of these names in a subgroup or project only, or a similar name: to say so."""
        group = catalog.group
        labels = frozenset(title for title in self.labels if catalog.label(group, title) is None)
        milestones = frozenset(title for title in self.milestones if catalog.find_milestone(title) is None)
        known = {(one.kind, one.name) for one in catalog.absent if one.place == group}
        return Needs(
            below=frozenset(title for title in labels if ("label", title) not in known),
            near_milestones=frozenset(title for title in milestones if ("milestone", title) not in known),
            families=frozenset(prefix for prefix in self.families if ("label", prefix) not in known),
        )


def around(day: date) -> tuple[date, date]:
    """The first and last day of milestones that matter around ``day``."""
    return day - BEFORE, day + AFTER


class Needs(Struct, frozen=True, kw_only=True):
    """What is to be known before something is written or said; labels and milestones as (place, title).

    A place is the full path of a project or of the board's group. ``project_names`` are last parts of paths.
    ``below`` are label titles sought in the subgroups and projects, too, with similar ones;
    ``near_milestones`` the same for milestones, and ``near_people`` usernames with similar ones.
    """

    labels: frozenset[tuple[str, str]] = frozenset()
    milestones: frozenset[tuple[str, str]] = frozenset()
    people: frozenset[str] = frozenset()
    projects: frozenset[str] = frozenset()
    project_names: frozenset[str] = frozenset()
    below: frozenset[str] = frozenset()
    near_milestones: frozenset[str] = frozenset()
    near_people: frozenset[str] = frozenset()
    #: Prefixes of label titles that subgroups and projects may have more labels of.
    families: frozenset[str] = frozenset()
    #: The same in projects, as (place, prefix): where some have their own.
    own_families: frozenset[tuple[str, str]] = frozenset()
    #: Days around which milestones matter as well.
    days: frozenset[date] = frozenset()

    def __or__(self, other: Needs) -> Needs:
        return Needs(**{name: value | getattr(other, name) for name, value in structs.asdict(self).items()})

    def __bool__(self) -> bool:
        return any(structs.astuple(self))

    def outside(self, places: Collection[str]) -> Needs:
        """Those of them that are not in one of these places."""
        return structs.replace(
            self,
            labels=frozenset(one for one in self.labels if one[0] not in places),
            milestones=frozenset(one for one in self.milestones if one[0] not in places),
            own_families=frozenset(one for one in self.own_families if one[0] not in places),
        )

    @property
    def places(self) -> frozenset[str]:
        """The projects and groups in which labels or milestones are sought."""
        return frozenset(place for place, _ in (*self.labels, *self.milestones))

    def unknown(self, catalog: Catalog) -> Needs:
        """Those of them that the catalog says nothing about: what is absent is known, too.

        Of what is in a project that is not there, nothing more can be asked.
        """
        absent = catalog.absent
        gone = {one.name for one in absent if one.kind == "project"}
        labels = frozenset(
            (place, title)
            for place, title in self.labels
            if catalog.label(place, title) is None
            and place not in gone
            and Absent("label", title, place) not in absent
        )
        milestones = frozenset(
            (place, title)
            for place, title in self.milestones
            if catalog.milestone(place, title) is None
            and place not in gone
            and Absent("milestone", title, place) not in absent
        )
        return structs.replace(
            self,
            own_families=frozenset(
                (place, prefix)
                for place, prefix in self.own_families
                if Absent("family", prefix, place) not in absent
            ),
            labels=labels,
            milestones=milestones,
            people=frozenset(
                name
                for name in self.people
                if catalog.person(name) is None and Absent("person", name) not in absent
            ),
            projects=frozenset(
                path
                for path in self.projects
                if ((found := catalog.project(path)) is None or found.can_edit is None)
                and Absent("project", path) not in absent
            ),
        )


def titles_of(projects: Iterable[str], titles: Iterable[str]) -> frozenset[tuple[str, str]]:
    """Each title in each project, as (place, title)."""
    wanted = list(titles)
    return frozenset((project, title) for project in projects for title in wanted)
