"""Every document the gateway can send, by name and dialect: what the contract tests check.

Mutations are not listed by hand but written by the gateway's own scribe from one Op of every kind.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from msgspec import Struct

from glboard_core.board.operations import (
    Change,
    Comment,
    Create,
    DeleteNote,
    Edit,
    GroupId,
    NoteWrite,
    Op,
    OpId,
    Rank,
)
from glboard_core.gitlab import queries
from glboard_core.gitlab.encode import MutationEncoder
from glboard_core.gitlab.queries import Dialect, Mutation
from glboard_core.model.catalog import Catalog, Label, Person, Project, Server
from glboard_core.model.issue import Issue, IssueId
from glboard_core.model.milestone import Milestone

WHEN = datetime(2026, 12, 1, tzinfo=UTC)
ME = Person(id="gid://gitlab/User/1", username="em_willow")
ISSUE = Issue(
    id=IssueId("gid://gitlab/Issue/42"),
    project="top/app",
    iid=7,
    title="A title",
    labels=frozenset({"type::bug", "workflow::in dev"}),
    created_at=WHEN,
    updated_at=WHEN,
)
TITLES = ("type::bug", "type::feature", "workflow::in dev", "workflow::in review", "Deliverable")
CATALOG = Catalog(
    group="top",
    me=ME,
    server=Server(version="18.9.0-ee"),
    labels=tuple(
        Label(id=f"gid://gitlab/GroupLabel/{n}", title=title, owner="top")
        for n, title in enumerate(TITLES, 1)
    ),
    milestones=(Milestone(id="9", title="19.8", owner="top"),),
    people=(ME,),
    projects=(Project(id="gid://gitlab/Project/1", path="top/app"),),
    ranking_board="gid://gitlab/Board/5",
)
STATUSES = {"in dev": "gid://gitlab/WorkItems::Statuses::Custom::Status/3"}

DIALECTS = {
    "16.8": Dialect(ee=True, status=False, modern=False),
    "18.9": Dialect(ee=True, status=True, modern=True),
    "18.5-ce": Dialect(ee=False, status=False, modern=True),
}

ACTS: dict[str, Change] = {
    "labels": Edit(add=frozenset({"type::feature", "Deliverable"}), remove=frozenset({"workflow::in dev"})),
    "weight": Edit(weight=3),
    "no weight": Edit(weight=None),
    "milestone": Edit(milestone="19.8"),
    "no milestone": Edit(milestone=None),
    "assignees": Edit(assignees=("em_willow",)),
    "close": Edit(state="closed"),
    "reopen": Edit(state="opened"),
    "words": Edit(title="New", description="Text", description_was=""),
    "status": Edit(status="In dev"),
    "everything": Edit(
        add=frozenset({"workflow::in review"}),
        weight=1,
        milestone="19.8",
        assignees=("em_willow",),
        state="closed",
        title="New",
        description="Text",
    ),
    "rank": Rank(above=IssueId("gid://gitlab/Issue/1"), below=IssueId("gid://gitlab/Issue/2")),
    "comment": Comment(body="Hello"),
    "note": NoteWrite(mark="capacity 19.8", body="Hello"),
    "note anew": NoteWrite(mark="capacity 19.8", body="Hello", was="", note="gid://gitlab/Note/8"),
    "delete note": DeleteNote(of=OpId("c1"), note="gid://gitlab/Note/8"),
    "create": Create(
        project="top/app",
        title="New",
        labels=frozenset({"type::bug"}),
        milestone="19.8",
        weight=2,
        assignees=("em_willow",),
        confidential=True,
    ),
}
_EE_ONLY = {"weight", "no weight", "everything", "status"}


def op(change: Change, n: int = 1, issue: Issue = ISSUE) -> Op:
    """An Op on the example issue."""
    return Op(id=OpId(f"op{n}"), group=GroupId("g"), issue=issue.id, change=change, at=WHEN, before=issue)


def changes(dialect: Dialect) -> dict[str, Change]:
    """The acts that this dialect can make."""
    made = {name: change for name, change in ACTS.items() if dialect.ee or name not in _EE_ONLY}
    if not dialect.ee:
        made["create"] = Create(project="top/app", title="New", labels=frozenset({"type::bug"}))
    if not dialect.status:
        made.pop("status", None)
    return made


def calls(change: Change, dialect: Dialect) -> tuple[Mutation, ...]:
    """The mutations for an act."""
    return MutationEncoder(catalog=CATALOG, dialect=dialect, statuses=STATUSES).calls(op(change), ISSUE)


class Document(Struct, frozen=True):
    """A document with its name, and the variables where it is a mutation."""

    name: str
    text: str
    variables: dict[str, object] = {}


def documents(dialect: Dialect) -> Iterator[Document]:
    """Everything that may be sent to a server of this dialect."""
    yield Document("about", queries.ABOUT)
    yield Document("meta", queries.CATALOG)
    yield Document("issues", queries.issues(dialect))
    yield Document("counts", queries.counts(2))
    yield Document("placements", queries.PLACEMENTS)
    for count in (1, queries.READ_EACH):
        yield Document(f"read {count}", queries.read(dialect, count))
    for count in (1, queries.FIND_PROJECTS):
        yield Document(f"find {count}", queries.find(dialect, count))
    if dialect.status:
        for count in (1, queries.PROMOTED_EACH):
            yield Document(f"promoted {count}", queries.promoted(count))
    yield Document("recent", queries.recent(dialect))
    yield Document("last notes", queries.LAST_NOTES)
    yield Document("detail", queries.detail(dialect))
    yield Document("group milestones", queries.GROUP_MILESTONES)
    yield Document("group labels", queries.GROUP_LABELS)
    yield Document("members", queries.MEMBERS)
    yield Document("projects", queries.PROJECTS)
    most = queries.OWNERS_EACH
    for groups, projects in ((1, 0), (0, 1), (2, most - 2), (0, most), (most, 0)):
        yield Document(f"owners {groups} {projects}", queries.owners(dialect, groups, projects))
    for kind in ("group", "project"):
        yield Document(f"{kind} owner labels", queries.owned(kind, "labels"))
        yield Document(f"{kind} owner milestones", queries.owned(kind, "milestones"))
    if dialect.status:
        yield Document("statuses", queries.STATUSES)
    for name, change in changes(dialect).items():
        made = calls(change, dialect)
        yield Document(name, *queries.mutation(made, dialect))
        fit = max(1, min(20 // len(made), queries.MOST_COMPLEXITY // sum(call.cost for call in made)))
        yield Document(f"{fit} x {name}", *queries.mutation(made * fit, dialect))
    mixed = tuple(call for change in changes(dialect).values() for call in calls(change, dialect))
    yield Document("mixed", *queries.mutation(mixed[:10], dialect))
