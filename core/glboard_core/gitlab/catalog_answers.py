"""What the documents of a catalog answered: known names, and those that are gone or do not exist.

Owns which owner each label belongs to: GitLab 16.8 does not report the group of a label.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from glboard_core.gitlab import decode
from glboard_core.gitlab.answers import Address, Identity
from glboard_core.gitlab.decode import milestone_owner
from glboard_core.gitlab.graphql import About
from glboard_core.gitlab.name_queries import NamedField
from glboard_core.gitlab.wire import HasId, Licence, Page, Permissions, User, WireLabel, WireMilestone
from glboard_core.model import clean_text
from glboard_core.model.catalog import Absent, Catalog, Label, Project
from glboard_core.model.catalog_needs import Needs

_OF_LABELS = ("label", "family", "label below", "label near", "family below")
OF_MILESTONES = ("milestone", "milestone below", "milestone near", "milestones", "dated")


class Membership(Struct, frozen=True):
    """A membership; an invitation has no user."""

    user: User | None = None


#: Types that no board shows, where GitLab does not tell: they belong to a parent, or have pages of their own.
_NOT_ON_BOARDS = ("task", "epic", "objective", "key result", "test case", "requirement")


class WireKind(Struct, frozen=True, rename="camel"):
    """A type of work items."""

    id: str
    name: str
    is_filterable_board_view: bool | UnsetType | None = UNSET

    @property
    def on_boards(self) -> bool:
        """Whether boards show issues of this type."""
        if self.is_filterable_board_view is UNSET:
            return self.name.casefold() not in _NOT_ON_BOARDS
        return bool(self.is_filterable_board_view)


class WirePlace(Licence, frozen=True, kw_only=True, rename="camel"):
    """A group or project. Fields that were not requested stay empty."""

    full_path: Address = ""
    id: Identity | None = None
    archived: bool | None = None
    user_permissions: Permissions = Permissions()
    boards: Page[HasId] | None = None
    work_item_types: Page[WireKind] | None = None


class Replies:
    """What the documents answered, in order."""

    def __init__(self) -> None:
        self.about = About()
        self.group: WirePlace | None = None
        self.projects: dict[str, WirePlace | None] = {}
        self.rows: list[tuple[NamedField, Page[Any]]] = []

    def of(self, *kinds: str) -> Iterable[tuple[NamedField, Page[Any]]]:
        """The replies to what was asked by one of ``kinds``."""
        return ((asked, page) for asked, page in self.rows if asked.by in kinds)


def page_of(asked: NamedField) -> Any:
    """The type of the answer to this question."""
    if asked.by in ("people", "people ids"):
        return Page[User]
    if asked.by == "people near":
        return Page[Membership]
    if asked.by in ("project", "projects"):
        return Page[WirePlace]
    return Page[WireLabel] if asked.by in _OF_LABELS else Page[WireMilestone]


def project_of(place: WirePlace) -> Project:
    """A project from JSON."""
    return Project(
        id=place.id or "",
        path=clean_text.line(place.full_path),
        archived=bool(place.archived),
        can_edit=place.user_permissions.may_edit,
    )


def with_answers(catalog: Catalog, replies: Replies) -> Catalog:
    """The catalog with all that was answered."""
    group = catalog.group
    labels: list[Label] = []
    for asked, page in replies.of("label", "family", "label near", "label by id"):
        owner = asked.path if asked.of == "project" else group
        found = [decode.label(wire, owner) for wire in page.items()]
        if asked.by == "label":
            found = [one for one in found if one.title == asked.value]
        if asked.by == "family":
            found = [one for one in found if one.title.startswith(str(asked.value))]
        # A project's own label hides one of the same title above it.
        labels += sorted(found, key=lambda one: "/ProjectLabel/" in one.id)
    milestones = [
        decode.milestone(wire, milestone_owner(wire, group))
        for asked, page in replies.of(*OF_MILESTONES)
        for wire in page.items()
    ]
    found_people = replies.of("people", "people ids")
    people = [decode.person(user) for _, page in found_people for user in page.items()]
    members = [one.user for _, page in replies.of("people near") for one in page.items()]
    people += [decode.person(user) for user in members if user is not None]
    projects = [project_of(place) for place in replies.projects.values() if place is not None]
    found_projects = replies.of("project", "projects")
    projects += [project_of(place) for _, page in found_projects for place in page.items()]
    return catalog.learn(labels=labels, milestones=milestones, people=people, projects=projects)


def lost_labels(known: Catalog, replies: Replies) -> list[Label]:
    """The labels of the group that were asked for and not found."""
    asked = replies.of("label", "family", "label by id")
    answered = {label.id for _, page in asked for label in page.items()}
    whole = {str(a.value) for a, page in replies.of("family") if not page.page_info.has_next_page}
    single = {str(a.value) for a, _ in replies.of("label")}
    return [
        one
        for one in known.labels
        if one.owner == known.group
        and one.id not in answered
        and (one.title in single or one.title.startswith(tuple(whole)))
    ]


def gone(known: Catalog, replies: Replies) -> tuple[set[str], set[str]]:
    """The ids of labels and milestones of the group that no longer exist."""
    labels = {one.id for one in lost_labels(known, replies)}
    there = {
        wire.id.rpartition("/")[2]
        for _, page in replies.of("milestone", "milestones", "dated")
        for wire in page.items()
    }
    return labels, {one.id for one in known.milestones} - there


def absent_in(catalog: Catalog, needs: Needs, replies: Replies) -> set[Absent]:
    """What was asked for and does not exist."""
    labels = {Absent("label", t, p) for p, t in needs.labels if catalog.label(p, t) is None}
    found = {str(a.value) for a, page in replies.of("label below") if page.items()}
    labels |= {Absent("label", title, catalog.group) for title in needs.below - found}
    labels |= {Absent("label", prefix, catalog.group) for prefix in needs.families}
    labels |= {Absent("family", prefix, place) for place, prefix in needs.own_families}
    titles = {Absent("milestone", t, p) for p, t in needs.milestones if catalog.milestone(p, t) is None}
    near = (title for title in needs.near_milestones if catalog.find_milestone(title) is None)
    titles |= {Absent("milestone", title, catalog.group) for title in near}
    folded = {person.username.casefold() for person in catalog.people}
    people = {Absent("person", name) for name in needs.people if name.casefold() not in folded}
    projects = {Absent("project", path) for path in needs.projects if catalog.project(path) is None}
    return labels | titles | people | projects


def is_cut(rows: Iterable[tuple[NamedField, Page[Any]]]) -> bool:
    """Whether there are more milestones of these days than an answer holds."""
    return any(asked.by == "dated" and page.page_info.has_next_page for asked, page in rows)
