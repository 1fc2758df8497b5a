"""Decodes issues and notes from GitLab's JSON into the model.

Owns the JSON format of an issue, the invisible markers in texts we post, and the interning that keeps 100,000
issues small. All text is sanitised here, so nothing above ever sees a control character. It sends nothing.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Hashable, Iterable
from datetime import date, datetime
from typing import Annotated, Generic, TypeVar, get_args

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from glboard_core.gitlab.answers import (
    EARLIEST,
    LATEST,
    MOST_ENTRIES,
    Address,
    Count,
    Digits,
    Identity,
    Name,
    Position,
    Text,
    moment,
)
from glboard_core.gitlab.dialect import PAGE
from glboard_core.model.catalog import Label, Person
from glboard_core.model.issue import HealthStatus, Issue, IssueId, LinkedIssue, LinkKind, Note, State
from glboard_core.model.milestone import Milestone

T = TypeVar("T")
#: An issue, or its row in the reconcile list.

#: Beyond this many interned values, the cache is cleared.
_MOST_KEPT = 50_000

# Patterns are compiled (and cached by ``re``) on first use: the board opens without them.
# First complete terminal sequences, then any remaining control characters.
# Each pattern takes one pass: no part of a match can begin another, so that no one can stop the program by
# writing a comment of a million characters.
_SEQUENCE = (
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI
    r"|(?:\x1b\]|\x9d)[^\x07\x1b\x90\x98\x9b-\x9f\n]*(?:\x07|\x1b\\|\x9c)"  # OSC
    r"|(?:\x1b[PX^_]|[\x90\x98\x9e\x9f])[^\x1b\x90\x98\x9b-\x9f\n]*(?:\x1b\\|\x9c)"  # DCS, SOS, PM, APC
    r"|\x1b[ -/]*[0-Z\\^_`a-~]"  # two-character escapes
)
_BREAK = r"\r\n?|[\x0b\x0c\x85\u2028\u2029]"
# Control characters except tab and newline, the bidi overrides and isolates (which can disguise the order of
# text), the byte order mark, and halves of surrogate pairs, which have no encoding. Right-to-left letters,
# joiners and their marks are kept.
_CONTROL = r"[\x00-\x08\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"

_OP, _NOTE, _END = "<!-- glboard:", "<!-- glboard note: ", " -->"


def line(text: str) -> str:
    """One clean line: a title, a name, a label."""
    if text.isprintable():
        return text
    return re.sub(r"[\t\n]+", " ", clean_body(text))


def clean_body(text: str) -> str:
    r"""Clean text of any number of lines, with ``\n`` between them."""
    if text.isprintable():
        return text
    return re.sub(_CONTROL, "", re.sub(_BREAK, "\n", re.sub(_SEQUENCE, "", text)))


def marked(text: str, op: str) -> str:
    """The text with the marker of the Op that wrote it: an HTML comment, which GitLab does not show."""
    return _followed(text, f"{_OP}{op}{_END}")


def _followed(text: str, mark: str) -> str:
    # Line breaks at the end GitLab takes off; all else is as it was typed.
    return "\n\n".join([*([text.rstrip("\r\n")] if text.strip() else []), mark])


def split_marker(text: str) -> tuple[str, str | None]:
    """A body without our marker, and the Op id from it; None if it does not end with a marker."""
    body, op = _split(text, _OP)
    return (text, None) if op is None or any(map(str.isspace, op)) else (body, op)


def with_mark(text: str, mark: str) -> str:
    """The text with the invisible mark of its kind, by which it is found again to be updated."""
    return _followed(text, f"{_NOTE}{_plain(mark)}{_END}")


def split_mark(text: str) -> tuple[str, str]:
    """A body (without Op marker) split into the text without the mark of its kind, and that mark or ""."""
    body, mark = _split(text, _NOTE)
    return (text, "") if mark is None or "\n" in mark else (body, mark)


def _split(text: str, begin: str) -> tuple[str, str | None]:
    """The text before a comment at its very end that begins like this, and what is in the comment."""
    whole = text.rstrip()
    at = whole.rfind(begin) if whole.endswith(_END) else -1
    inside = whole[at + len(begin) : -len(_END)]
    if at < 0 or not inside or "<" in inside or ">" in inside:
        return text, None
    return whole[:at].rstrip("\n"), inside


def same_mark(mark: str, found: str) -> bool:
    """Whether a mark that was read back is this one."""
    return _plain(mark) == found


def _plain(mark: str) -> str:
    # Remove whatever would end an HTML comment.
    return re.sub(r"(?:[<>\s]|--+)+", " ", mark).strip() or "-"


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


class WireIssue(Struct, frozen=True, kw_only=True, rename="camel"):
    """An issue as requested by ``queries.card``."""

    id: Identity
    iid: Digits
    title: Name
    state: Name
    reference: Address
    created_at: datetime
    updated_at: datetime
    updated_by: User | None = None
    closed_at: datetime | None = None
    confidential: bool = False
    due_date: Name | None = None
    web_url: Address = ""
    relative_position: Position | None = None
    merge_requests_count: Count = 0
    user_notes_count: Count = 0
    closed_as_duplicate_of: HasId | None = None
    moved: bool = False
    moved_to: HasId | None = None
    milestone: WireMilestone | None = None
    assignees: Page[User] | None = None
    labels: Page[WireLabel] | None = None
    weight: Count | None = None
    blocked: bool = False
    health_status: Name | None = None
    status: Named | None = None
    #: Only if it was requested.
    description: Text | None = None


class IssuePart(Struct, frozen=True, kw_only=True, rename="camel"):
    """The fields of an issue requested from a mutation; others are UNSET."""

    id: Identity
    updated_at: datetime
    state: Name | UnsetType = UNSET
    closed_at: datetime | UnsetType | None = UNSET
    title: Name | UnsetType = UNSET
    description: Text | UnsetType | None = UNSET
    relative_position: Position | UnsetType | None = UNSET
    milestone: WireMilestone | UnsetType | None = UNSET
    assignees: Page[User] | UnsetType | None = UNSET
    labels: Page[WireLabel] | UnsetType | None = UNSET
    weight: Count | UnsetType | None = UNSET
    confidential: bool | UnsetType = UNSET
    health_status: Name | UnsetType | None = UNSET
    status: Named | UnsetType | None = UNSET


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


def authors(wire: WireCommented) -> list[str]:
    """Who wrote the comments, in their order; "" for an imported one without an author."""
    rows = wire.notes.items() if wire.notes is not None else []
    return [line(row.author.username) if row.author else "" for row in rows]


class WireBlocker(Struct, frozen=True, kw_only=True):
    """An issue that blocks another, as requested by ``queries.BLOCKED_BY``, or a linked work item."""

    id: Identity
    reference: Address
    title: Name
    state: Name
    confidential: bool = False


# Answers. Requested fields have no default: an answer without them is not GitLab's, and treating it as "not
# found" would send a change twice.


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


class OfProject(Struct, frozen=True):
    """The answer about the issues of a project."""

    project: WithIssues[WireIssue] | None


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


_LINK_KINDS: dict[str, LinkKind] = {name: name for name in get_args(LinkKind)}


def link_kind(value: str) -> LinkKind:
    """How an issue is linked; in a way that we do not know, it is related."""
    return _LINK_KINDS.get(value, "relates_to")


def linked_issue(wire: WireBlocker, kind: LinkKind = "is_blocked_by") -> LinkedIssue:
    """A linked issue from JSON."""
    return LinkedIssue(
        id=issue_id(wire.id),
        reference=line(wire.reference),
        title=line(wire.title),
        kind=kind,
        state=state_of(wire.state),
        confidential=wire.confidential,
    )


def day(value: str | None) -> date | None:
    """The calendar day of a date or time in JSON, or None."""
    if not value:
        return None
    try:
        return min(max(date.fromisoformat(value[:10]), EARLIEST.date()), LATEST.date())
    except ValueError:
        return None


def state_of(value: str) -> State:
    """GitLab's state as ours: a locked issue is open; work items have OPEN and CLOSED."""
    return "closed" if value.lower() == "closed" else "opened"


_HEALTH: dict[str, HealthStatus] = {name: name for name in get_args(HealthStatus)}


def health_of(value: str | None) -> HealthStatus | None:
    """A health status; one that we do not know is none."""
    return _HEALTH.get(value) if value else None


def issue_id(identity: str) -> IssueId:
    """The id of an issue, which GitLab can also name as a work item of the same number."""
    return IssueId(identity.replace("gid://gitlab/WorkItem/", "gid://gitlab/Issue/"))


def note(row: WireNote) -> Note:
    """A note with clean text. The marker of one of our comments becomes ``op``."""
    body, op = split_marker(clean_body(row.body))
    body, mark = split_mark(body)
    return Note(
        id=row.id,
        author=line(row.author.username) if row.author else "",
        body=body,
        created_at=moment(row.created_at),
        system=row.system,
        op=op,
        mark=mark,
        thread=row.discussion.id if row.discussion else "",
        resolved=row.discussion is not None and row.discussion.resolved,
    )


def label(wire: WireLabel, owner: str) -> Label:
    """A label from JSON."""
    color = wire.color if wire.color.startswith("#") else "#6e7681"
    return Label(
        id=wire.id,
        title=line(wire.title),
        owner=owner,
        color=line(color).lower(),
        description=line(wire.description or ""),
    )


def milestone(wire: WireMilestone, owner: str) -> Milestone:
    """A milestone from JSON; its id is the plain number."""
    return Milestone(
        id=wire.id.rpartition("/")[2],
        title=line(wire.title),
        owner=owner,
        start=day(wire.start_date),
        due=day(wire.due_date),
        active=wire.state == "active",
    )


def person(user: User) -> Person:
    """A person from JSON."""
    return Person(id=user.id, username=line(user.username), name=line(user.name))


class SeenNames:
    """The labels, milestones and people seen on issues, each kept until it is taken.

    An issue comes again and again, so what was taken once is not kept a second time.
    """

    def __init__(self) -> None:
        self._taken: set[Hashable] = set()
        self._new: dict[tuple[str, WireLabel | WireMilestone | User], list[IssueId]] = {}

    def add(self, issue: IssueId, project: str, wire: WireIssue) -> None:
        """Keep what the answer says beyond titles and usernames, if it does."""
        found: list[tuple[str, WireLabel | WireMilestone | User]] = []
        if wire.labels is not None:
            found += [(project, one) for one in wire.labels.items() if one.id]
        if wire.assignees is not None:
            found += [("", one) for one in wire.assignees.items() if one.id]
        if wire.milestone is not None and wire.milestone.id:
            found.append(("", wire.milestone))
        for key in found:
            if key not in self._taken:
                self._new.setdefault(key, []).append(issue)

    def take(self, wanted: Callable[[IssueId], bool]) -> list[tuple[str, WireLabel | WireMilestone | User]]:
        """What was seen on one of the wanted issues since the last call, each with its project or ""."""
        new, self._new = self._new, {}
        found = [key for key, issues in new.items() if any(map(wanted, issues))]
        if len(self._taken) > _MOST_KEPT:
            self._taken.clear()
        self._taken.update(found)
        return found

    def forget(self) -> None:
        """Keep everything again: the catalog has forgotten it."""
        self._taken.clear()


class Decoder:
    """Creates issues. Equal label sets, assignees, paths and milestone titles share one object each."""

    def __init__(self) -> None:
        self.seen = SeenNames()
        self._lines: dict[str, str] = {}
        self._labels: dict[frozenset[str], frozenset[str]] = {}
        self._people: dict[tuple[str, ...], tuple[str, ...]] = {}

    def issue(self, wire: WireIssue) -> Issue:
        """The model's issue, with clean text."""
        identity, project = issue_id(wire.id), sys.intern(self.line(wire.reference.rpartition("#")[0]))
        self.seen.add(identity, project, wire)
        return Issue(
            id=identity,
            project=project,
            iid=int(wire.iid) if wire.iid.isdecimal() else 0,
            title=line(wire.title),
            state=state_of(wire.state),
            labels=self.labels(wire.labels),
            milestone=self.title(wire.milestone),
            weight=wire.weight,
            assignees=self.people(wire.assignees),
            confidential=wire.confidential,
            position=wire.relative_position,
            status=self.line(wire.status.name) if wire.status and wire.status.name else None,
            blocked=wire.blocked,
            due=day(wire.due_date),
            health_status=health_of(wire.health_status),
            created_at=moment(wire.created_at),
            updated_at=moment(wire.updated_at),
            updated_by=self.line(wire.updated_by.username) if wire.updated_by else None,
            closed_at=wire.closed_at and moment(wire.closed_at),
            duplicate=wire.closed_as_duplicate_of is not None,
            moved=wire.moved,
            moved_to=issue_id(wire.moved_to.id) if wire.moved_to and wire.moved_to.id else None,
            merge_requests=wire.merge_requests_count,
            notes=wire.user_notes_count,
            web_url=line(wire.web_url),
        )

    def changed(self, issue: Issue, part: IssuePart) -> Issue:
        """The issue updated with the returned fields."""
        new = {
            "updated_at": moment(part.updated_at),
            "state": part.state and state_of(part.state),
            "closed_at": part.closed_at and moment(part.closed_at),
            "title": part.title and line(part.title),
            "position": part.relative_position,
            "milestone": part.milestone and self.title(part.milestone),
            "assignees": UNSET if part.assignees is UNSET else self.people(part.assignees),
            "labels": UNSET if part.labels is UNSET else self.labels(part.labels),
            "weight": part.weight,
            "confidential": part.confidential,
            "health_status": UNSET if part.health_status is UNSET else health_of(part.health_status),
            "status": part.status and part.status.name and self.line(part.status.name),
        }
        changes = {name: value for name, value in new.items() if value is not UNSET}
        if changes.get("state") == "opened":
            # Reopening ends both.
            changes |= {"duplicate": False, "moved": False, "moved_to": None}
        return msgspec.structs.replace(issue, **changes)

    def title(self, wire: WireMilestone | None) -> str | None:
        """The title of a milestone, or None."""
        return self.line(wire.title) if wire else None

    def labels(self, page: Page[WireLabel] | None) -> frozenset[str]:
        """A set of label titles."""
        found = frozenset(self.line(label.title) for label in page.items()) if page else frozenset()
        if len(self._labels) > _MOST_KEPT:
            self._labels.clear()
        return self._labels.setdefault(found, found)

    def people(self, page: Page[User] | None) -> tuple[str, ...]:
        """Usernames in the server's order."""
        found = tuple(self.line(user.username) for user in page.items()) if page else ()
        if len(self._people) > _MOST_KEPT:
            self._people.clear()
        return self._people.setdefault(found, found)

    def line(self, value: str) -> str:
        """A clean line, interned."""
        kept = self._lines.get(value)
        if kept is None:
            if len(self._lines) > _MOST_KEPT:
                self._lines.clear()
            kept = self._lines[value] = line(value)
        return kept


def unique(issues: Iterable[Issue], seen: set[IssueId]) -> list[Issue]:
    """The issues not seen before: pages may overlap while others make changes."""
    fresh = []
    for issue in issues:
        if issue.id not in seen:
            seen.add(issue.id)
            fresh.append(issue)
    return fresh
