"""Every document the gateway can send, by name and dialect: what the contract tests check.

Mutations are not listed by hand but written by the gateway's own scribe from one Op of every kind.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from msgspec import Struct, structs

from glboard_core.board.operations import (
    Change,
    Comment,
    Create,
    DeleteNote,
    Edit,
    GroupId,
    Link,
    NoteWrite,
    Op,
    OpId,
    Rank,
)
from glboard_core.gitlab import mutations, name_queries, queries, status_lists
from glboard_core.gitlab.admin import CREATE_BOARD
from glboard_core.gitlab.dialect import MOST_COMPLEXITY, Dialect
from glboard_core.gitlab.encode import MutationEncoder
from glboard_core.gitlab.mutations import Mutation
from glboard_core.model.catalog import Catalog, Label, Person, Project, Server
from glboard_core.model.issue import Issue, IssueId
from glboard_core.model.milestone import Milestone
from glboard_core.setup import documents as setup_documents

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
    "16.8": Dialect(ee=True, status=False, modern=False, licence="epicsEnabled"),
    "18.9": Dialect(ee=True, status=True, modern=True, titles=True, licence="lifecycles"),
    "18.5-ce": Dialect(ee=False, status=False, modern=True, titles=True),
}
#: What 19.0 added, which no schema at hand has: the arguments and fields, by name.
NEWER = structs.replace(DIALECTS["18.9"], kinds="board", by_kind=True)
ONLY_NEWER = {"workItemTypeIds", "isFilterableBoardView"}

ACTS: dict[str, Change] = {
    "labels": Edit(add=frozenset({"type::feature", "Deliverable"}), remove=frozenset({"workflow::in dev"})),
    "weight": Edit(weight=3),
    "no weight": Edit(weight=None),
    "milestone": Edit(milestone="19.8"),
    "no milestone": Edit(milestone=None),
    "assignees": Edit(assign=frozenset({"em_willow"}), unassign=frozenset({"eng_oak"})),
    "close": Edit(state="closed"),
    "reopen": Edit(state="opened"),
    "words": Edit(title="New", description="Text", description_was=""),
    "status": Edit(status="In dev"),
    "everything": Edit(
        add=frozenset({"workflow::in review"}),
        weight=1,
        milestone="19.8",
        assign=frozenset({"em_willow"}),
        state="closed",
        title="New",
        description="Text",
    ),
    "confidential": Edit(confidential=True),
    "health": Edit(health_status="atRisk"),
    "no health": Edit(health_status=None),
    "blocked by": Link(other=IssueId("gid://gitlab/Issue/43"), reference="top/app#8"),
    "related": Link(other=IssueId("gid://gitlab/Issue/43"), reference="top/app#8", kind="relates_to"),
    "not linked": Link(other=IssueId("gid://gitlab/Issue/43"), reference="top/app#8", add=False),
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
_EE_ONLY = {"weight", "no weight", "everything", "status", "health", "no health", "blocked by"}


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


#: Values of the fields asked by name that are no plain text.
VALUES: dict[str, object] = {
    "milestones": ["gid://gitlab/Milestone/1"],
    "dated": {"start": "2026-01-01", "end": "2026-12-31"},
    "people": ["em_willow"],
}


class Document(Struct, frozen=True):
    """A document with its name, and the variables where it is a mutation."""

    name: str
    text: str
    variables: dict[str, object] = {}


def documents(dialect: Dialect) -> Iterator[Document]:
    """Everything that may be sent to a server of this dialect."""
    yield Document("about", name_queries.ABOUT)
    yield Document("issues", queries.issues(dialect))
    for count in (2, queries.COUNTS_EACH):
        yield Document(f"counts {count}", queries.counts(dialect, count))
    for count in (1, queries.READ_EACH):
        yield Document(f"read {count}", queries.read(dialect, count))
    for sizes in ((1,), (1,) * 3, (5,) * 3, (20,) * 3, (50, 50), (100,)):
        yield Document(f"find {sizes}", queries.find(dialect, sizes))
    yield Document("place", queries.place(dialect))
    yield Document("milestone", queries.MILESTONE)
    yield Document("people", queries.PEOPLE)
    yield Document("instead", name_queries.INSTEAD)
    if dialect.kinds:
        yield Document("kinds", name_queries.kinds(dialect))
    if dialect.status:
        for count in (1, queries.PROMOTED_EACH):
            yield Document(f"promoted {count}", queries.promoted(count))
    if dialect.modern:
        for closing in ((1,), (1,) * 4, (20, 20), (100,)):
            yield Document(f"closing {closing}", queries.closing_merge_requests(closing))
        if dialect.ee:
            yield Document("closing with approvals", queries.closing_merge_requests((5,), approvals=True))
    for count in (1, queries.COMMENTERS_EACH):
        yield Document(f"commenters {count}", queries.commenters(count))
    yield Document("recent", queries.recent(dialect))
    yield Document("last notes", queries.LAST_NOTES)
    for name in ("labels", "assignees"):
        yield Document(f"all {name}", queries.listed(name))
    yield Document("detail", queries.detail(dialect))
    yield Document("linked", queries.linked(dialect))
    yield Document("widgets", queries.WIDGETS)
    if dialect.ee:
        yield Document("blocked by", queries.BLOCKED_BY)
    for of, by in name_queries.NAMED:
        path = {"": "", "group": "top", "project": "top/app"}[of]
        one = name_queries.NamedField(of=of, by=by, value=VALUES.get(by, "a"), path=path)
        cost = name_queries.named(of, by, dialect).cost
        for count in (
            1,
            (MOST_COMPLEXITY - name_queries.PLACE_COST - name_queries.ABOUT_COST) // cost,
        ):
            text, variables = name_queries.names([one] * count, dialect, "top", about=of != "project")
            yield Document(f"names: {count} {of} {by}", text, variables)
    several = [
        name_queries.NamedField(of="project", by="label", value="a", path=f"top/p{n}") for n in range(8)
    ]
    if dialect.titles:
        yield Document("names: 8 projects", *name_queries.names(several, dialect, "top"))
    yield Document("projects", name_queries.projects(dialect))
    for named in (True, False):
        yield Document(f"roles, named: {named}", name_queries.roles(dialect, named=named))
    for kind in ("group", "project"):
        yield Document(f"search labels of a {kind}", name_queries.search_labels(dialect, kind))
        yield Document(f"search milestones of a {kind}", name_queries.search_milestones(kind))
        yield Document(f"search people of a {kind}", name_queries.search_people(kind))
    yield Document("search issues", name_queries.search_issues("group"))
    yield Document("search projects", name_queries.search_projects(dialect))
    if dialect.status:
        yield Document("statuses", name_queries.STATUSES)
        yield Document("status lists", status_lists.LISTS)
        made_list: dict[str, object] = {"boardId": "gid://gitlab/Board/1", "statusId": STATUSES["in dev"]}
        yield Document("create a status list", status_lists.CREATE, {"input": made_list})
        moved: dict[str, object] = {"listId": "gid://gitlab/List/1", "position": 2}
        yield Document("move a status list", status_lists.MOVE, {"input": moved})
    for exact in (True, False):
        yield Document(f"set-up: groups, by path: {exact}", setup_documents.groups(dialect, path=exact))
    yield Document("set-up: group", setup_documents.group(dialect))
    yield Document("set-up: boards", setup_documents.boards(dialect))
    yield Document("set-up: used", setup_documents.used(dialect))
    for words in ((16, 0), (8, 8), (0, 8), (1, 1)):
        yield Document(f"set-up: searches {words}", setup_documents.searches(dialect, *words))
    yield Document("create board", CREATE_BOARD, {"input": {"groupPath": "top", "name": "x"}})
    yield Document("places", queries.PLACES)
    yield Document("first placed", queries.FIRST_PLACED)
    for name, change in changes(dialect).items():
        made = calls(change, dialect)
        yield Document(name, *mutations.mutation(made, dialect))
        fit = max(1, min(20 // len(made), MOST_COMPLEXITY // sum(call.cost for call in made)))
        yield Document(f"{fit} x {name}", *mutations.mutation(made * fit, dialect))
    mixed = tuple(call for change in changes(dialect).values() for call in calls(change, dialect))
    yield Document("mixed", *mutations.mutation(mixed[:10], dialect))
