"""GitLab's JSON of notes, links, lists and names, as types. That of an issue is in ``decode.py``.

Requested fields of an answer have no default: an answer without them is not GitLab's, and treating it as "not
found" would send a change twice.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Generic, TypeVar

from msgspec import UNSET, Meta, Struct, UnsetType

from glboard_core.gitlab.answers import MOST_ENTRIES, Address, Count, Identity, Name, Text
from glboard_core.gitlab.dialect import PAGE

T = TypeVar("T")


class PageInfo(Struct, frozen=True, rename="camel"):
    """Whether there is another page, and its cursor."""

    has_next_page: bool = False
    end_cursor: Address | None = None
    has_previous_page: bool = False
    start_cursor: Address | None = None


class Page(Struct, Generic[T], frozen=True, rename="camel"):
    """A connection: its nodes, some of which GitLab may return as null."""

    nodes: Annotated[list[T | None], Meta(max_length=MOST_ENTRIES)] | None = None
    page_info: PageInfo = PageInfo()

    def items(self) -> list[T]:
        """The nodes that are not null."""
        return [node for node in self.nodes or () if node is not None]

    @property
    def is_full(self) -> bool:
        """Whether there may be more than these nodes: of a list within an issue a whole page is asked for."""
        return self.nodes is not None and len(self.nodes) >= PAGE


class Titled(Struct, frozen=True, gc=False):
    """A milestone by its title only."""

    title: Name


class WireLabel(Struct, frozen=True, gc=False):
    """A label by its title; the rest only if it was requested."""

    title: Name
    id: Identity = ""
    color: Name = ""
    description: Text | None = None


class WireMilestone(Struct, frozen=True, gc=False, rename="camel"):
    """A milestone by its title; the rest only if it was requested."""

    title: Name
    id: Identity = ""
    state: Name = "active"
    start_date: Name | None = None
    due_date: Name | None = None
    web_path: Address = ""


class Named(Struct, frozen=True, gc=False):
    """A status by its name."""

    name: Name | None = None


class User(Struct, frozen=True, gc=False):
    """A user by name; ``id`` only if it was requested."""

    username: Name
    id: Identity = ""
    name: Name = ""


class HasId(Struct, frozen=True, gc=False):
    """An object of which only the id matters."""

    id: Identity | None = None


class WireLists(Struct, frozen=True, kw_only=True):
    """The lists of an issue, a page of each; the answer to a mutation may have none."""

    id: str
    assignees: Page[User] | None = None
    labels: Page[WireLabel] | None = None


class OfLists(Struct, frozen=True):
    """The answer about the lists of an issue; None if it does not exist, or we have no access."""

    issue: WireLists | None


class WireDiscussion(Struct, frozen=True):
    """The thread of a note; a fine-grained token may not read it."""

    id: Address
    resolved: bool = False


class WireNote(Struct, frozen=True, kw_only=True, rename="camel"):
    """A note as requested by ``queries.detail``; an imported note may have no author."""

    id: Identity
    body: Text
    created_at: datetime
    system: bool = False
    author: User | None = None
    discussion: WireDiscussion | None = None


class WireAuthored(Struct, frozen=True):
    """A comment of which only the author was asked for."""

    author: User | None = None


class WireCommented(Struct, frozen=True):
    """An issue with the authors of its last comments."""

    notes: Page[WireAuthored] | None = None


class WireBlocker(Struct, frozen=True, kw_only=True):
    """An issue that blocks another, as requested by ``queries.BLOCKED_BY``, or a linked work item."""

    id: Identity
    reference: Address
    title: Name
    state: Name
    confidential: bool = False


class Licence(Struct, frozen=True, kw_only=True, rename="camel"):
    """The fields of a group that only a licence answers, if they were requested."""

    lifecycles: Page[HasId] | UnsetType | None = UNSET
    epics_enabled: bool | UnsetType | None = UNSET

    @property
    def licensed(self) -> bool | None:
        """Whether the licence covers weights, blocked issues and statuses; None if that was not asked."""
        if self.lifecycles is UNSET and self.epics_enabled is UNSET:
            return None
        return self.lifecycles is not None and self.epics_enabled not in (False, None)


class WithIssues(Licence, Generic[T], frozen=True):
    """A group or project with a page of its issues."""

    issues: Page[T] | None


class OfGroup(Struct, Generic[T], frozen=True):
    """The answer about a group; None if it does not exist, or we have no access."""

    group: T | None


class WirePromotion(Struct, frozen=True, rename="camel"):
    """Whether an issue was promoted to an epic."""

    promoted_to_epic_url: Address | None = None


class IssueCount(Struct, frozen=True):
    """A number of issues."""

    count: Count


class WireDetail(Struct, frozen=True, rename="camel"):
    """What is read only of the open issue. Fields that were not requested stay empty."""

    id: Identity
    description: Text | None = None
    notes: Page[WireNote] | None = None
    blocked_by_issues: Page[WireBlocker] | None = None


class WireLink(Struct, frozen=True, rename="camel"):
    """A linked work item, null if we may not see it."""

    link_type: Name
    work_item: WireBlocker | None


class WireLinksWidget(Struct, frozen=True, rename="camel"):
    """The links of a work item; other widgets are empty."""

    linked_items: Page[WireLink] | None = None


class WireLinked(Struct, frozen=True):
    """A work item with its links."""

    id: Identity
    widgets: Annotated[list[WireLinksWidget | None], Meta(max_length=MOST_ENTRIES)] | None

    def page(self) -> Page[WireLink]:
        """The page of links that was asked for; empty if this kind of work item has none."""
        pages = [one.linked_items for one in self.widgets or () if one is not None and one.linked_items]
        return pages[0] if pages else Page()


class OfIssue(Struct, frozen=True, rename="camel"):
    """The answer about one issue; with its links if they were asked for."""

    issue: WireDetail | None
    work_item: WireLinked | None = None


class OfLinked(Struct, frozen=True, rename="camel"):
    """The answer about the links of one issue."""

    work_item: WireLinked | None


class Permissions(Struct, frozen=True, rename="camel"):
    """Whether we can change issues of a project."""

    may_edit: bool | None = None
