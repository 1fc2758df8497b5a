"""A small world in the embedded GitLab, and gateways to it.

top (group)                 labels type::*, workflow::*, Deliverable; milestones 19.7, 19.8, an old closed one
top/app, top/sub/lib        projects; lib has a label and a milestone of its own, sub a label
top/locked                  a project that em_willow can only read
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

from msgspec import structs

from glboard_core.board.operations import Change, GroupId, Op, OpId
from glboard_core.demo.http.server import DemoServer
from glboard_core.demo.world.world import World
from glboard_core.errors import GlboardError
from glboard_core.gitlab.account import Account, Secret
from glboard_core.gitlab.gateway import GitLabGateway
from glboard_core.gitlab.http import Limits
from glboard_core.model.catalog import Catalog
from glboard_core.model.catalog_needs import CatalogNames, Needs, titles_of
from glboard_core.model.issue import Issue, IssueId
from glboard_core.model.query import IssueQuery
from glboard_core.ports import Done, Failed, Outcome

ME = "em_willow"
AT = datetime(2026, 12, 1, tzinfo=UTC)
LABELS = ("type::bug", "type::feature", "workflow::in dev", "workflow::in review", "Deliverable")
PROJECTS = ("top/app", "top/sub/lib", "top/locked")
NAMES = CatalogNames(
    labels=frozenset(LABELS),
    people=frozenset({"eng_1", "eng_2"}),
    since=date(2026, 1, 1),
    until=date(2027, 6, 1),
)
#: What tests write that the configuration does not name.
NEEDS = Needs(
    labels=titles_of(PROJECTS, ("sub-only", "lib-only")),
    milestones=titles_of(PROJECTS, ["lib-1"]),
    projects=frozenset(PROJECTS),
)
#: Short timeouts, so that tests of faults are fast.
QUICK = Limits(first_wait=0.01, longest_wait=0.05, total=5.0, patience=5.0)


def make(issues: int = 6, **kinds: Any) -> World:
    """The world, with ``issues`` in top/app and one in each other project."""
    world = World(**kinds)
    owner = world.add_user(ME, "Willow")
    world.owner_username = ME
    top = world.add_group("top")
    top.members[owner.id] = 50
    for n in (1, 2):
        member = world.add_user(f"eng_{n}", f"Engineer {n}")
        top.members[member.id] = 30
    for path in PROJECTS:
        world.add_project(path)
    world.projects["top/locked"].overrides[owner.id] = 10
    for title in LABELS:
        world.add_label(top, title, "#AA0000")
    world.add_label(world.groups["top/sub"], "sub-only")
    world.add_label(world.projects["top/sub/lib"], "lib-only")
    world.add_milestone(top, "19.7", date(2026, 11, 14), date(2026, 12, 11))
    world.add_milestone(top, "19.8", date(2026, 12, 12), date(2027, 1, 15))
    world.add_milestone(top, "19.1", date(2026, 5, 1), date(2026, 5, 30)).closed = True
    world.add_milestone(world.projects["top/sub/lib"], "lib-1")
    world.add_board(top, "Development")
    for n in range(1, issues + 1):
        weight = n % 4 if world.edition == "ee" and world.licensed("premium") else None
        wishes: dict[str, Any] = {"add_labels": ["type::bug"], "milestone": "19.7"}
        if weight is not None:
            wishes["weight"] = weight
        world.create("top/app", f"Issue {n}", by=ME, **wishes)
        if n > 1:
            world.move(f"top/app#{n}", after=f"top/app#{n - 1}")
    world.create("top/sub/lib", "Library issue", by=ME, add_labels=["lib-only"])
    world.create("top/locked", "Locked issue", by="eng_1")
    return world


def gateway(at: DemoServer, group: str = "top", limits: Limits = QUICK, **more: Any) -> GitLabGateway:
    """A gateway to the server, as its owner unless another ``token`` is given."""
    token = Secret(more.pop("token", at.token))
    return GitLabGateway(Account(url=at.url, token=token), group, limits=limits, **more)


async def everything(one: GitLabGateway, **query: Any) -> list[Issue]:
    """All issues of a query."""
    return [issue async for page in one.pages(IssueQuery(**query)) for issue in page]


class LoadedGateway:
    """A gateway with its catalog and all issues read: the start of tests that send."""

    def __init__(self, server: DemoServer, **more: Any) -> None:
        self.server = server
        self.world = server.world
        self.gateway = gateway(server, **more)
        self.catalog: Catalog
        self.shown: dict[IssueId, Issue] = {}
        self._count = 0

    async def open(self) -> LoadedGateway:
        """Read the catalog with all projects, and all issues."""
        catalog = await self.gateway.catalog(NAMES)
        self.catalog = await self.gateway.extend_catalog(catalog, NEEDS)
        self.shown = {issue.id: issue for issue in await everything(self.gateway)}
        self.server.requests.clear()
        return self

    def issue(self, reference: str) -> Issue:
        """The issue as shown."""
        return next(issue for issue in self.shown.values() if issue.reference == reference)

    def op(self, reference: str, change: Change) -> Op:
        """An Op on a shown issue, or on a new one."""
        self._count += 1
        issue = None if reference.startswith("new:") else self.issue(reference)
        return Op(
            id=OpId(f"op-{self._count}"),
            group=GroupId("g"),
            issue=issue.id if issue else IssueId(reference),
            change=change,
            at=AT,
            before=issue,
        )

    async def send(self, *ops: Op) -> list[Outcome]:
        """Send, and store the returned issues as shown."""
        outcomes = await self.gateway.send(ops, self.shown, self.catalog)
        assert [outcome.op for outcome in outcomes] == [op.id for op in ops]
        for outcome in outcomes:
            if outcome.issue is not None:
                self.shown[outcome.issue.id] = outcome.issue
        return outcomes

    async def do(self, reference: str, change: Change) -> Issue:
        """Make one change that must succeed."""
        [outcome] = await self.send(self.op(reference, change))
        assert isinstance(outcome, Done), outcome
        assert outcome.issue is not None
        return outcome.issue

    async def fail(self, reference: str, change: Change) -> GlboardError:
        """Make one change that must fail; returns the error."""
        [outcome] = await self.send(self.op(reference, change))
        assert isinstance(outcome, Failed), outcome
        return outcome.error

    def sent(self) -> int:
        """How many documents with mutations were sent."""
        return sum(1 for record in self.server.requests if record.mutations)


def errors(outcomes: Iterable[Outcome]) -> list[type[GlboardError] | None]:
    """The error types, in order."""
    return [type(one.error) if isinstance(one, Failed) else None for one in outcomes]


def untimed(issue: Issue) -> Issue:
    """The issue without the fields that only the server changes."""
    return structs.replace(issue, updated_at=AT, updated_by=None, closed_at=None, notes=0)
