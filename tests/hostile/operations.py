"""Everything that is ever asked of GitLab, by name, so that hostile values can be put into each answer.

``test_generator.py`` fails when something that asks is not among it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import date
from unittest.mock import patch

import httpx
from gitlab.exceptions import GitlabCreateError
from msgspec import structs

from gateway.worlds import NAMES, NEEDS, QUICK, everything, make
from glboard_core.auth import device, oauth
from glboard_core.auth.credential import OAuthCredential
from glboard_core.auth.device import DeviceSignIn
from glboard_core.auth.loopback import LoopbackSignIn
from glboard_core.auth.token_check import check, find_gitlab
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
    new_issue_id,
)
from glboard_core.demo.http.oauth import CLIENT_ID
from glboard_core.demo.world import boards as rules
from glboard_core.demo.world.boards import unplace
from glboard_core.demo.world.records import MergeRequest
from glboard_core.demo.world.registry import UnknownName
from glboard_core.demo.world.world import World
from glboard_core.errors import GroupNotFound
from glboard_core.gitlab import admin
from glboard_core.gitlab.account import Account, Secret
from glboard_core.gitlab.admin import Admin
from glboard_core.gitlab.gateway import GitLabGateway
from glboard_core.gitlab.graphql import QueryRunner
from glboard_core.gitlab.http import Transport
from glboard_core.gitlab.inspection import Inspection
from glboard_core.gitlab.linking import read_links
from glboard_core.gitlab.pace import Pace
from glboard_core.gitlab.status_lists import StatusLists
from glboard_core.model.catalog import Catalog, Label, Person
from glboard_core.model.issue import Issue, IssueId, Reference
from glboard_core.model.query import IssueQuery
from glboard_core.planning.milestone_setup import IssueText, WantedBoard
from glboard_core.purpose import Purpose
from glboard_core.setup.discover import Discovery, found_boards
from glboard_core.setup.propose import propose
from glboard_core.setup.write import config_text
from glboard_core.store.sqlite import SqliteStore
from hostile.tampering import MaliciousServer
from support.groups import TODAY

Operation = Callable[["Asked"], Awaitable[object]]

#: The pauses after which it is looked again for what may have been created.
admin.LOOKS = (0.001,)
#: The version that is asked most.
NEWEST = "19.3"
NO_NOTE = "gid://gitlab/Note/99999"
#: No waits: an answer that is refused is not asked for again.
LIMITS = structs.replace(QUICK, attempts=1, patience=1.0, total=3.0)


def rich_world(version: str = NEWEST) -> World:
    """A small world in which no field that is ever asked for is empty."""
    world = make(issues=3, version=version)
    many = world.add_group("many")
    many.members[world.user("em_willow").id] = 50
    for n in range(101):
        world.add_label(many, f"priority::{n}")
    world.add_label(world.groups["top"], "Other")
    top, willow = world.groups["top"], world.user("em_willow")
    first, second, library = (world.issue(one) for one in ("top/app#1", "top/app#2", "top/sub/lib#1"))
    found = MergeRequest(
        7, first.project, "Fix it", draft=True, pipeline="FAILED", approvals_required=2, approvals=1
    )
    for issue in (first, second):
        issue.merge_requests = [found]
        issue.due, issue.health, issue.status = date(2026, 12, 4), "onTrack", "In dev"
        issue.description = "Text"
        issue.assignees = (willow,)
        issue.updated_by = willow
    second.epic_url = "https://gitlab.example.com/groups/top/-/epics/1"
    third = world.issue("top/app#3")
    world.comment("top/app#1", "<!-- glboard note: x -->", by="eng_1")
    world.comment("top/app#1", "Hello", by="eng_1")
    world.link("top/app#1", library.reference, "is_blocked_by", by="em_willow")
    world.edit("top/sub/lib#1", by="eng_1", close=True)
    board = next(iter(world.boards.values()))
    board.milestone, board.assignee, board.weight = third.milestone, willow, 2
    board.labels = third.labels
    for title in ("workflow::in dev", "workflow::in review"):
        world.add_list(board, "label").label = world.label_of(top, title)
    world.add_list(world.add_board(top, "By status"), "status").status = world.statuses["In dev"]
    return world


class Unlimited(Pace):
    """As many requests as there are: our own limit would answer in the server's place."""

    async def turn(self, purpose: Purpose, deadline: float) -> float | None:
        return None


def gateway_to(server: MaliciousServer, group: str) -> GitLabGateway:
    """A gateway to the server, without waits and limits."""
    gateway = GitLabGateway(Account(url=server.url, token=Secret(server.token)), group, limits=LIMITS)
    gateway._transport.pace = Unlimited()
    return gateway


class Asked:
    """A gateway to a malicious server, and what was truly read over it."""

    def __init__(self, server: MaliciousServer) -> None:
        self.server = server
        self.version = server.world.version.partition("-")[0]
        self.account = Account(url=server.url, token=Secret(server.token))
        self.nobody = Account(url=server.url, token=Secret(""))
        self.gateway = gateway_to(server, "top")
        self.left_out: list[str] = []
        self.gateway.tell_left_out(self.left_out.append)
        self.catalog: Catalog
        self.issues: dict[IssueId, Issue] = {}
        self.store = SqliteStore(":memory:")

    async def open(self) -> Asked:
        """Read everything once as it is."""
        self.catalog = await self.gateway.extend_catalog(await self.gateway.catalog(NAMES), NEEDS)
        self.issues = {issue.id: issue for issue in await everything(self.gateway)}
        return self

    def issue(self, reference: str) -> Issue:
        """The issue as it was read."""
        return next(issue for issue in self.issues.values() if issue.reference == reference)

    async def send(self, reference: str, change: Change, catalog: Catalog | None = None) -> object:
        """Send one change, by another catalog than was read."""
        return await self.gateway.send([self.op(reference, change)], self.issues, catalog or self.catalog)

    def op(self, reference: str, change: Change) -> Op:
        """A change of an issue, or of a new one."""
        issue = self.issue(reference) if reference else None
        identity = issue.id if issue else new_issue_id()
        at = self.gateway.now()
        return Op(id=OpId("o"), group=GroupId("g"), issue=identity, change=change, at=at, before=issue)

    def pair(self) -> OAuthCredential:
        """A fresh pair of tokens."""
        world = self.server.world
        given = self.server.demo.oauth.grant(CLIENT_ID, world.owner, "api")
        return OAuthCredential(
            access=Secret(given["access_token"]), refresh=Secret(given["refresh_token"]), client_id=CLIENT_ID
        )

    def lists(self) -> StatusLists:
        """What reads and makes lists of statuses."""
        return StatusLists(self.gateway.transport, self.catalog.server)

    def without(self, board: str = "", label: str = "") -> None:
        """Make the world as it was before these were made."""
        world = self.server.world
        self.server.forget()
        with world.lock:
            for one in [one for one in world.boards.values() if one.name == board]:
                rules.drop_board(world, one)
            for title in [one for one in world.labels.values() if one.title == label]:
                world.drop_label(title)


def operations(version: str = NEWEST) -> dict[str, Operation]:
    """All of them that a server of a version can answer, by name."""
    found = {**reading(), **changing(), **setting_up(), **signing_in()}
    if tuple(map(int, version.split("."))) < (18, 5):
        for name in ("device", "status", "lists", "finish board of statuses"):
            del found[name]
    return found


def reading() -> dict[str, Operation]:
    """What is read for boards, panes, pickers and reports."""
    first, references = IssueQuery(), [Reference("top/app", 1), Reference("top/sub/lib", 1)]

    async def histories(it: Asked) -> object:
        return await it.gateway.events([it.issue("top/app#1")], ("label", "milestone", "state", "weight"))

    async def renamed(it: Asked) -> object:
        """The group has another path than ours, and a label another title."""
        found = next(one for one in it.server.world.labels.values() if one.title == "Other")
        lost = Label(id=f"gid://gitlab/GroupLabel/{found.id}", title="Deliverable", owner="before")
        known = structs.replace(it.catalog, labels=(*it.catalog.labels, lost), group="before")
        async with gateway_to(it.server, "before") as gateway:
            return await gateway.catalog(NAMES, known)

    async def blockers(it: Asked) -> object:
        """As a fine-grained token may ask for them."""
        server = structs.replace(it.catalog.server, fine_grained=True)
        runner = QueryRunner(it.gateway.transport, server)
        return await read_links(runner, it.issue("top/app#1").id, None)

    async def no_group(it: Asked) -> object:
        async with gateway_to(it.server, "top/app") as gateway:
            with suppress(GroupNotFound):
                await gateway.catalog(NAMES)
        return None

    async def sign_in(it: Asked) -> object:
        # It keeps what it read for the next look at the catalog.
        async with gateway_to(it.server, "top") as gateway:
            return await gateway.sign_in(NAMES)

    async def created(it: Asked) -> object:
        op = it.op("", Create(project="top/app", title="Issue 1"))
        return await it.gateway.created_by(structs.replace(op, at=it.issue("top/app#1").created_at))

    return {
        "catalog": lambda it: it.gateway.catalog(NAMES),
        "health": lambda it: it.gateway.has_health(it.issue("top/app#1").id),
        "sign in": sign_in,
        "no group": no_group,
        "renamed": renamed,
        "extend": lambda it: it.gateway.extend_catalog(
            structs.replace(it.catalog, labels=(), milestones=(), projects=()), NEEDS
        ),
        "pages": lambda it: everything(it.gateway),
        "page": lambda it: it.gateway.page(first, None),
        "read": lambda it: it.gateway.read(list(it.issues)[:2], it.issues),
        "read unknown": lambda it: it.gateway.read(list(it.issues)[:2]),
        "find": lambda it: it.gateway.find(references),
        "count": lambda it: it.gateway.count([first]),
        "detail": lambda it: it.gateway.detail(it.issue("top/app#1").id),
        "note": lambda it: it.gateway.note_of(it.issue("top/app#1").id, OpId("x")),
        "marked note": lambda it: it.gateway.marked_note(it.issue("top/app#1").id, "m", "em_willow"),
        "created": created,
        "search issues": lambda it: it.gateway.search_issues("Issue"),
        "merge requests with approvals": lambda it: it.gateway.merge_requests(
            list(it.issues.values())[:1], approvals=True
        ),
        "promoted": lambda it: it.gateway.promoted(list(it.issues)[:2]),
        "merge requests": lambda it: it.gateway.merge_requests(list(it.issues.values())[:2]),
        "commenters": lambda it: it.gateway.commenters(dict.fromkeys(list(it.issues)[:2], 3)),
        "events": histories,
        "search labels": lambda it: it.gateway.search_labels("bug", ["top/app"]),
        "search milestones": lambda it: it.gateway.search_milestones("19", ["top/app"]),
        "search people": lambda it: it.gateway.search_people("e", "top/app"),
        "search projects": lambda it: it.gateway.search_projects("app"),
        "own token": lambda it: Inspection(it.gateway.transport).token(),
        "own roles": lambda it: Inspection(it.gateway.transport, it.catalog.server).roles("top"),
        "own roles by name": lambda it: Inspection(it.gateway.transport, it.catalog.server).roles(
            "top", ["top/app", "top/locked"]
        ),
        "blockers": blockers,
        "server": lambda it: Inspection(it.gateway.transport).about(),
        "boards for oneself": lambda it: found_boards(
            QueryRunner(it.gateway.transport, it.catalog.server), "top"
        ),
    }


def changing() -> dict[str, Operation]:
    """Every kind of change, and what is asked after one that failed."""

    async def linked(it: Asked) -> object:
        link = Link(other=it.issue("top/app#3").id, reference="top/app#3")
        return [
            await it.send("top/app#2", link),
            await it.send("top/app#2", structs.replace(link, add=False)),
        ]

    async def written(it: Asked) -> object:
        return await it.send("top/app#3", NoteWrite(mark="capacity 19.7", body="Room"))

    async def rank(it: Asked) -> object:
        return await it.send("top/app#1", Rank(above=it.issue("top/app#2").id))

    async def rank_unplaced(it: Asked) -> object:
        """Next to a card without a place: on a board, and where there is neither a board nor any place."""
        known, above = it.issues, it.issue("top/app#2").id
        found: list[object] = []
        world, boards = it.server.world, dict(it.server.world.boards)
        for catalog in (it.catalog, structs.replace(it.catalog, ranking_board=None)):
            it.server.forget()
            with world.lock:
                unplace(world, list(world.index.issues.values()))
                if catalog.ranking_board is None:
                    world.boards.clear()
            it.issues = {one.id: structs.replace(one, position=None) for one in known.values()}
            try:
                found.append(await it.send("top/app#1", Rank(above=above, unplaced=(above,)), catalog))
            finally:
                it.issues = known
                world.boards.update(boards)
        return found

    async def rank_on_a_board_that_is_gone(it: Asked) -> object:
        gone = structs.replace(it.catalog, ranking_board="gid://gitlab/Board/99999")
        return await it.send("top/app#1", Rank(above=it.issue("top/app#2").id), gone)

    async def rank_over_rest(it: Asked) -> object:
        boardless = structs.replace(it.catalog, ranking_board=None)
        return await it.send("top/app#1", Rank(above=it.issue("top/app#2").id), boardless)

    async def dropped_milestone(it: Asked) -> object:
        found = it.catalog.milestone("top/sub/lib", "lib-1")
        assert found is not None
        wrong = (*it.catalog.milestones, structs.replace(found, owner="top"))
        return await it.send(
            "top/app#1", Edit(milestone="lib-1"), structs.replace(it.catalog, milestones=wrong)
        )

    async def wrong_id(it: Asked) -> object:
        labels = tuple(structs.replace(one, id="nonsense") for one in it.catalog.labels)
        edit = Edit(add=frozenset({"Deliverable"}))
        return await it.send("top/app#3", edit, structs.replace(it.catalog, labels=labels))

    async def renamed_person(it: Asked) -> object:
        people = tuple(
            structs.replace(one, username="before") if one.username == "eng_1" else one
            for one in it.catalog.people
        )
        edit = Edit(assign=frozenset({"before"}))
        return await it.send("top/app#3", edit, structs.replace(it.catalog, people=people))

    async def handed_on_label(it: Asked) -> object:
        """Another label has the title now that a known one had when it was read."""
        old = next(one for one in it.catalog.labels if one.title == "Deliverable")
        other = next(one for one in it.server.world.labels.values() if one.title == "Other")
        former = structs.replace(old, id=f"gid://gitlab/GroupLabel/{other.id}")
        labels = tuple(former if one.id == old.id else one for one in it.catalog.labels)
        edit = Edit(add=frozenset({"Deliverable"}))
        async with gateway_to(it.server, "top") as gateway:
            gateway.prefer_titles()
            known = structs.replace(it.catalog, labels=labels)
            return await gateway.send([it.op("top/app#3", edit)], it.issues, known)

    async def status_of_former_days(it: Asked) -> object:
        it.gateway._sender.statuses._ids = {
            "verification": "gid://gitlab/WorkItems::Statuses::Custom::Status/9999"
        }
        try:
            return await it.send("top/app#2", Edit(status="Verification"))
        finally:
            it.gateway._sender.statuses.forget()

    async def dropped_person(it: Asked) -> object:
        names = {one.username for one in it.server.world.users.values()}
        left = it.server.world.user("stranger") if "stranger" in names else None
        left = left or it.server.world.add_user("stranger", "Stranger")
        people = (*it.catalog.people, Person(id=f"gid://gitlab/User/{left.id}", username="stranger"))
        edit = Edit(assign=frozenset({"stranger"}))
        return await it.send("top/app#1", edit, structs.replace(it.catalog, people=people))

    return {
        "edit": lambda it: it.send("top/app#2", Edit(weight=3, add=frozenset({"Deliverable"}))),
        "status": lambda it: it.send("top/app#2", Edit(status="In dev")),
        "description": lambda it: it.send("top/app#2", Edit(description="New", description_was="")),
        "comment": lambda it: it.send("top/app#3", Comment(body="Hello")),
        "delete comment": lambda it: it.send("top/app#3", DeleteNote(of=OpId("x"), note=NO_NOTE)),
        "written note": written,
        "links": linked,
        "create": lambda it: it.send(
            "", Create(project="top/app", title="New", labels=frozenset({"type::bug"}))
        ),
        "rank": rank,
        "rank without a place": rank_unplaced,
        "rank over REST": rank_over_rest,
        "rank on a board that is gone": rank_on_a_board_that_is_gone,
        "forbidden": lambda it: it.send("top/locked#1", Edit(weight=2)),
        "dropped milestone": dropped_milestone,
        "dropped person": dropped_person,
        "wrong id": wrong_id,
        "label handed on": handed_on_label,
        "status of former days": status_of_former_days,
        "commands": lambda it: it.send("top/app#3", Comment(body="/unlabel ~none")),
        "renamed person": renamed_person,
    }


def setting_up() -> dict[str, Operation]:
    """The set-up of a first start, and what ``milestone open`` makes."""

    async def set_up(it: Asked) -> object:
        async with Discovery(it.account, LIMITS) as discovery:
            discovery._transport.pace = Unlimited()
            groups = await discovery.groups("top/app")
            found = await discovery.group("top")
            await discovery.group("many")
        return groups, config_text(propose(found, TODAY), TODAY)

    async def near(it: Asked) -> object:
        async with Discovery(it.account, LIMITS) as discovery:
            discovery._transport.pace = Unlimited()
            labels = await discovery.labels("top", "type")
            milestones = await discovery.milestones("top", "19")
            return labels, milestones, await discovery.group_at("top/app")

    async def create_board(it: Asked) -> object:
        it.without(board="Fresh")
        return await it.gateway.create_board("Fresh")

    async def create_board_in_community(it: Asked) -> object:
        it.without(board="Fresh")

        def created(*_: object) -> None:
            raise GitlabCreateError("", 404)

        with patch("gitlab.v4.objects.GroupBoardManager.create", created):
            return await it.gateway.create_board("Fresh")

    async def create_label(it: Asked) -> object:
        it.without(label="Fresh")
        return await it.gateway.create_labels(["Fresh"])

    async def finish_board(it: Asked) -> object:
        it.without(board="Fresh")
        made = await Admin(it.gateway.transport).create_board("top", "Fresh")
        wanted = WantedBoard(
            name="Fresh",
            milestone="19.7",
            labels=frozenset({"type::bug"}),
            lists=("workflow::in review", "workflow::in dev"),
        )
        return await Admin(it.gateway.transport).finish_board(it.catalog, made, wanted)

    async def finish_status_board(it: Asked) -> object:
        it.without(board="Fresh")
        made = await Admin(it.gateway.transport).create_board("top", "Fresh")
        names = ("In review", "In dev")
        found: list[object] = [await it.lists().known("top", names)]
        # The second time, its lists are in another order.
        for order in (names, names[::-1]):
            wanted = WantedBoard(name="Fresh", milestone="19.7", lists=order, statuses=True)
            found.append(await it.lists().finish("top", made, wanted))
        return found

    async def lists(it: Asked) -> object:
        board = min(it.server.world.boards)
        return await Admin(it.gateway.transport).lists("top", board), await it.lists().lists("top", board)

    async def planning_issue(it: Asked) -> object:
        one = Admin(it.gateway.transport)
        found = await one.planning_issues("top", ["type::bug"], "19.7", "top/app")
        wanted = IssueText(project="top/app", description="Text", milestone="19.7", title="19.7 planning")
        made = await one.create_issue(it.catalog, wanted)
        again = structs.replace(wanted, description="Other", seen=made)
        done = await one.update_issue(it.catalog, again, lambda seen: structs.replace(again, seen=seen))
        with suppress(UnknownName):
            it.server.world.delete(made.issue.reference)
        return found, made, done

    return {
        "set-up": set_up,
        "near matches": near,
        "boards": lambda it: Admin(it.gateway.transport).boards("top"),
        "lists": lists,
        "create board": create_board,
        "create board in Community": create_board_in_community,
        "create label": create_label,
        "finish board": finish_board,
        "finish board of statuses": finish_status_board,
        "planning issue": planning_issue,
    }


def signing_in() -> dict[str, Operation]:
    """Every way to sign in, and what becomes of a sign-in."""

    async def by_device(it: Asked) -> object:
        it.server.demo.oauth.interval = 0.001
        it.server.demo.oauth.approves = True
        signing_in = DeviceSignIn(it.nobody, CLIENT_ID, slower_by=0.001)
        with patch.multiple(device, SHORTEST_INTERVAL=0.0, LONGEST_INTERVAL=0.01, LONGEST_LIFE=0.5):
            code = await signing_in.start()
            return code, str(await signing_in.wait())

    async def loopback(it: Asked) -> object:
        it.server.demo.oauth.approves = True
        signing_in = LoopbackSignIn(it.nobody, CLIENT_ID)
        address = await signing_in.start()
        # The browser's way is no answer to us.
        async with httpx.AsyncClient(trust_env=False, follow_redirects=True) as browser:
            await browser.get(address.replace(it.server.url, it.server.demo.url))
        return str(await signing_in.wait())

    async def renew(it: Asked) -> object:
        async with oauth.opened(it.nobody, LIMITS) as transport:
            try:
                return str(await oauth.renew(transport, it.pair()))
            except oauth.Refused as refused:
                raise oauth.refusal(refused.code, it.nobody.host) from None

    async def revoke(it: Asked) -> object:
        async with oauth.opened(it.nobody, LIMITS) as transport:
            with suppress(oauth.Refused):
                await oauth.revoke(transport, it.pair())
        return None

    def quick(operation: Operation) -> Operation:
        """Without waits and limits, as everything else is asked here."""

        async def asked(it: Asked) -> object:
            with patch.object(oauth, "Transport", _quick_transport):
                return await operation(it)

        return asked

    found: dict[str, Operation] = {
        "device": by_device,
        "loopback": loopback,
        "renewal": renew,
        "revocation": revoke,
        "token": lambda it: check(it.account, it.account.token),
        "sign-in": lambda it: check(it.nobody, it.pair().access, kind="oauth"),
        "is it GitLab": lambda it: find_gitlab(it.nobody),
    }
    return {name: quick(operation) for name, operation in found.items()}


def _quick_transport(account: Account, _: object) -> Transport:
    transport = Transport(account, LIMITS)
    transport.pace = Unlimited()
    return transport
