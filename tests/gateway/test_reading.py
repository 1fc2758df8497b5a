"""Reading over a socket: catalog, pages, single issues, details; every version and tier."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from msgspec import structs

from gateway.worlds import LABELS, ME, NAMES, NEEDS, QUICK, LoadedGateway, everything, gateway, make
from glboard_core.demo.http.server import DemoServer
from glboard_core.errors import EditForbidden, GroupNotFound, TokenRejected
from glboard_core.gitlab import markers
from glboard_core.gitlab.account import Account, Secret
from glboard_core.gitlab.gateway import GitLabGateway
from glboard_core.model.catalog_needs import Needs, titles_of
from glboard_core.model.issue import IssueId, Reference, parse_reference
from glboard_core.model.query import IssueQuery
from glboard_core.ports import Gateway


async def test_the_catalog_has_what_was_named(server: DemoServer) -> None:
    async with gateway(server) as one:
        catalog = await one.catalog(NAMES)
        # One round trip: two documents by name, and the token's scope.
        assert len(server.requests) == 2
        known = await one.catalog(structs.replace(NAMES, token=False), catalog)
        assert len(server.requests) == 3
    assert known == catalog
    assert catalog.group == "top"
    assert catalog.me.username == ME
    assert catalog.me.id.startswith("gid://gitlab/User/")
    assert catalog.server.enterprise
    assert catalog.server.has_weight
    assert catalog.server.can_write is True
    assert catalog.server.release >= (18, 5)
    assert {label.title for label in catalog.labels} == set(LABELS)
    assert catalog.color("type::bug") == "#aa0000"
    found = {m.title: m for m in catalog.milestones}
    assert found["19.8"].start == date(2026, 12, 12)
    assert found["19.8"].id.isdigit()
    assert (found["19.8"].active, found["19.1"].active) == (True, False)
    assert [p.username for p in catalog.people] == [ME, "eng_1", "eng_2"]
    assert catalog.projects == ()
    assert catalog.ranking_board is not None


async def test_nothing_is_read_page_by_page() -> None:
    world = make(issues=0)
    top = world.groups["top"]
    for n in range(230):
        world.add_label(top, f"other {n:03}")
        world.add_label(top, f"area::{n:03}")
        day = date(2026, 1, 1) + timedelta(days=2 * n)
        world.add_milestone(top, f"M{n:03}", day, day + timedelta(days=6))
        top.members[world.add_user(f"person_{n:03}", "").id] = 20
    names = structs.replace(NAMES, families=frozenset({"area::"}), labels=NAMES.labels | {"area::229"})
    async with DemoServer(world) as server, gateway(server) as one:
        catalog = await one.catalog(names)
        requests = len(server.requests)
    # Of a family that is too large for one answer, what is named is asked for by title.
    assert catalog.label("top/app", "area::229") is not None
    assert len(catalog.labels) == len(LABELS) + 101
    assert len(catalog.people) == 3
    # More milestones than one answer holds: by halves of the time.
    assert len(catalog.milestones) == 233
    assert requests <= 8


async def test_what_was_renamed_or_deleted_is_noticed_by_id(server: DemoServer) -> None:
    world = server.world
    async with gateway(server) as one:
        catalog = await one.catalog(NAMES)
        label = world.label_for(world.groups["top"], "Deliverable")
        assert label is not None
        world.rename_label(label, "Delivery")
        next(m for m in world.milestones.values() if m.title == "19.1").title = "old"
        again = await one.catalog(NAMES, catalog)
        assert again.label("top/app", "Deliverable") is None
        assert again.find_milestone("19.1") is None
        assert again.find_milestone("old") is not None


async def test_what_a_project_has_is_asked_once(server: DemoServer) -> None:
    async with gateway(server) as one:
        catalog = await one.catalog(NAMES)
        server.requests.clear()
        more = await one.extend_catalog(catalog, NEEDS)
        assert len(server.requests) == 2
        assert await one.extend_catalog(more, NEEDS) is more
        assert await one.extend_catalog(more, Needs()) is more
        assert len(server.requests) == 2
    assert more.label("top/sub/lib", "lib-only") is not None
    assert more.label("top/app", "lib-only") is None
    assert more.lacks("top/app", "lib-only")
    assert more.label("top/sub/lib", "sub-only") is not None
    assert more.label("top/app", "sub-only") is None
    assert more.milestone("top/sub/lib", "lib-1") is not None
    assert more.milestone("top/app", "lib-1") is None
    rights = {project.path: project.can_edit for project in more.projects}
    assert rights == {"top/app": True, "top/locked": False, "top/sub/lib": True}


async def test_many_needs_go_into_few_documents() -> None:
    world = make(issues=0)
    paths = [world.add_project(f"top/more/p{n:02}").full_path for n in range(23)]
    own = world.add_label(world.projects[paths[0]], "own")
    needs = Needs(
        labels=titles_of([*paths, "top/not/there"], ["own", "Deliverable"]),
        projects=frozenset({*paths, "top/not/there"}),
        people=frozenset({"eng_2", "nobody"}),
    )
    async with DemoServer(world) as server, gateway(server) as one:
        catalog = await one.catalog(structs.replace(NAMES, people=frozenset()))
        server.requests.clear()
        catalog = await one.extend_catalog(catalog, needs)
        assert len(server.requests) <= 5
    assert catalog.label_id(paths[0], "own").endswith(f"/{own.id}")
    assert catalog.lacks(paths[1], "own")
    assert sum(project.can_edit is True for project in catalog.projects) == 23
    assert catalog.project("top/not/there") is None
    assert catalog.person("eng_2") is not None
    assert catalog.person("nobody") is None
    assert not needs.unknown(catalog)


async def test_similar_names_are_found(server: DemoServer) -> None:
    async with gateway(server) as one:
        catalog = await one.catalog(NAMES)
        needs = Needs(
            below=frozenset({"Delivrable", "lib-only"}),
            near_milestones=frozenset({"lib-1", "nothing"}),
            project_names=frozenset({"lib"}),
        )
        catalog = await one.extend_catalog(catalog, needs)
    assert catalog.near_labels("Delivrable") == ("Deliverable",)
    assert catalog.lacks("top/app", "Delivrable")
    assert not catalog.lacks("top/app", "lib-only")  # some project has it
    assert catalog.milestone("top/sub/lib", "lib-1") is not None
    assert catalog.milestone("top/app", "lib-1") is None
    assert str(parse_reference("lib#1", catalog)) == "top/sub/lib#1"


async def test_pages_of_issues_tell_their_labels_milestones_and_people(server: DemoServer) -> None:
    server.world.edit("top/sub/lib#1", by=ME, milestone="lib-1", assignees=["eng_1"])
    async with gateway(server) as one:
        catalog = await one.catalog(structs.replace(NAMES, people=frozenset()))
        issues = await everything(one)
        ids = {issue.id for issue in issues}
        assert one.learned(catalog, lambda _: False) is catalog
        await everything(one)
        server.requests.clear()
        known = one.learned(catalog, ids.__contains__)
        assert known.label("top/sub/lib", "lib-only") is not None
        assert known.label("top/app", "lib-only") is None
        found = known.milestone("top/sub/lib", "lib-1")
        assert found is not None
        assert found.owner == "top/sub/lib"
        assert known.person("eng_1") is not None
        await everything(one)
        assert one.learned(known, ids.__contains__) is known


async def test_no_such_group(server: DemoServer) -> None:
    async with gateway(server, "nowhere") as one:
        with pytest.raises(GroupNotFound, match="nowhere"):
            await one.catalog(NAMES)
        with pytest.raises(GroupNotFound):
            await everything(one)
        with pytest.raises(GroupNotFound):
            await one.page(IssueQuery(), None)


async def test_a_wrong_token(server: DemoServer) -> None:
    async with gateway(server, token="glpat-wrong") as one:
        with pytest.raises(TokenRejected) as caught:
            await one.catalog(NAMES)
    assert "glpat-wrong" not in str(caught.value)


async def test_pages_hold_every_issue_once() -> None:
    world = make(issues=230)
    async with DemoServer(world) as server, gateway(server) as one:
        issues = await everything(one, labels=("type::bug",))
        assert len(issues) == len({issue.id for issue in issues}) == 230
        assert [issue.iid for issue in issues] == list(range(1, 231))
        assert len(server.requests.of("Issues")) == 3
        query, after = IssueQuery(labels=("type::bug",)), None
        for at in (0, 100, 200):
            page, after = await one.page(query, after)
            assert page == issues[at : at + 100]
        assert after is None


async def test_an_issue_that_moves_while_pages_are_read_comes_once() -> None:
    world = make(issues=150)
    async with DemoServer(world) as server, gateway(server) as one:
        pages = one.pages(IssueQuery())
        first = await anext(pages)
        world.move(first[0].reference, after="top/app#150")
        rest = [issue async for page in pages for issue in page]
    ids = [issue.id for issue in (*first, *rest)]
    assert len(ids) == len(set(ids)) == 152


async def test_an_issue_is_decoded_completely(server: DemoServer) -> None:
    world = server.world
    world.edit("top/app#1", by=ME, assignees=["eng_1", "eng_2"], confidential=True)
    world.block(world.issue("top/app#1"), world.issue("top/app#2"))
    world.comment("top/app#1", "Hello", by="eng_1")
    async with gateway(server) as one:
        issue = next(i for i in await everything(one) if i.reference == "top/app#1")
    assert issue.title == "Issue 1"
    assert issue.labels == {"type::bug"}
    assert (issue.milestone, issue.weight, issue.state) == ("19.7", 1, "opened")
    assert set(issue.assignees) == {"eng_1", "eng_2"}
    assert (issue.confidential, issue.blocked, issue.notes) == (True, True, 1)
    assert issue.web_url.endswith("/top/app/-/issues/1")
    assert issue.created_at.tzinfo is not None


async def test_equal_sets_are_one_object(server: DemoServer) -> None:
    async with gateway(server) as one:
        issues = await everything(one, labels=("type::bug",))
    assert len({id(issue.labels) for issue in issues}) == 1
    assert len({id(issue.project) for issue in issues}) == 1


async def test_filters(server: DemoServer) -> None:
    world = server.world
    world.edit("top/app#2", by=ME, milestone="19.8", add_labels=["Deliverable"])
    world.edit("top/app#3", by=ME, milestone=None)
    world.edit("top/app#4", by=ME, close=True)
    async with gateway(server) as one:

        async def found(**query: object) -> set[str]:
            return {issue.reference for issue in await everything(one, **query)}

        assert await found(milestone="19.8") == {"top/app#2"}
        assert await found(labels=("type::bug", "Deliverable")) == {"top/app#2"}
        assert "top/app#3" in await found(milestone="")
        assert "top/app#2" not in await found(milestone="")
        assert await found(state="closed") == {"top/app#4"}
        assert "top/app#4" not in await found(state="opened")
        soon = datetime.now(UTC) + timedelta(hours=1)
        assert await found(closed_after=soon) == set()
        assert await found(updated_after=soon) == set()
        closed = await everything(one, state="closed", closed_after=soon - timedelta(hours=2))
        assert [issue.state for issue in closed] == ["closed"]
        assert closed[0].closed_at is not None


async def test_most_recently_updated_first(server: DemoServer) -> None:
    server.world.clock.advance(60)
    server.world.edit("top/app#5", by=ME, title="Changed")
    async with gateway(server) as one:
        issues = await everything(one, order="updated")
    assert issues[0].reference == "top/app#5"
    assert [i.updated_at for i in issues] == sorted((i.updated_at for i in issues), reverse=True)


async def test_reading_by_id(context: LoadedGateway) -> None:
    gone = context.issue("top/app#2").id
    context.world.delete("top/app#2")
    asked = [*context.shown, IssueId("new:1"), IssueId("gid://gitlab/Issue/999999")]
    found = await context.gateway.read(asked)
    assert set(found) == set(context.shown) - {gone}
    assert found[context.issue("top/app#1").id] == context.issue("top/app#1")
    assert await context.gateway.read([]) == {}


async def test_a_confidential_issue_is_absent_for_a_guest(server: DemoServer) -> None:
    world = server.world
    guest = world.add_user("guest", "Guest")
    world.groups["top"].members[guest.id] = 10
    world.edit("top/app#1", by=ME, confidential=True)
    async with gateway(server, token=server.token_for("guest")) as one:
        issues = await everything(one)
        hidden = IssueId(f"gid://gitlab/Issue/{world.issue('top/app#1').id}")
        assert hidden not in await one.read([hidden])
    assert "top/app#1" not in {issue.reference for issue in issues}


async def test_finding_by_reference(context: LoadedGateway) -> None:
    context.world.edit("top/app#4", by=ME, close=True)
    known = [Reference("top/app", n) for n in (1, 4)] + [
        Reference("top/sub/lib", 1),
        Reference("top/locked", 1),
    ]
    wrong = [Reference("top/app", 99), Reference("no/where", 1)]
    found = await context.gateway.find([*known, *wrong])
    assert set(found) == set(known)
    assert all(issue.reference == str(one) for one, issue in found.items())
    assert found[known[1]].state == "closed"
    assert len(context.server.requests) == 1


async def test_finding_many() -> None:
    async with DemoServer(make(issues=120)) as server, gateway(server) as one:
        found = await one.find([Reference("top/app", n) for n in range(1, 121)])
        assert len(found) == 120
        assert await one.find([]) == {}


async def test_the_share_of_the_rate_limit(server: DemoServer) -> None:
    server.limit(10)
    async with gateway(server) as one:
        assert one.remaining is None
        await everything(one)
        assert one.remaining == 0.8


def test_a_gateway_is_a_gateway() -> None:
    one: Gateway = GitLabGateway(Account(url="https://host", token=Secret("t")), "top")
    assert one.now().tzinfo is not None


async def test_details(context: LoadedGateway) -> None:
    world = context.world
    world.edit("top/app#1", by=ME, description=markers.marked("One\r\ntwo\x1b]0;x\x07", "op-9"))
    for n in range(120):
        world.comment("top/app#1", f"Comment {n}", by="eng_1")
    world.comment("top/app#1", markers.marked("Mine", "op-7"), by=ME)
    detail = await context.gateway.detail(context.issue("top/app#1").id)
    assert (detail.description, detail.op) == ("One\ntwo", "op-9")
    said = [note for note in detail.notes if not note.system]
    assert [note.body for note in said[:2]] == ["Comment 0", "Comment 1"]
    assert (said[-1].body, said[-1].op, said[-1].author) == ("Mine", "op-7", ME)
    assert said[0].op is None


async def test_details_name_what_blocks_it(context: LoadedGateway) -> None:
    world = context.world
    waits, waited_for = world.issue("top/app#1"), world.issue("top/app#2")
    world.block(waits, waited_for)
    detail = await context.gateway.detail(context.issue("top/app#1").id)
    there = [(one.reference, one.title, one.state) for one in detail.blockers]
    assert there == [("top/app#2", waited_for.title, "opened")]


async def test_details_of_a_deleted_issue(context: LoadedGateway) -> None:
    with pytest.raises(EditForbidden):
        await context.gateway.detail(IssueId("gid://gitlab/Issue/999999"))


async def test_remote_text_is_clean(server: DemoServer) -> None:
    nasty = "fix [/api] crash\x1b]0;owned\x07 \u202eevil\x1b[2J"
    server.world.edit("top/app#1", by=ME, title=nasty)
    server.world.add_label(server.world.groups["top"], "bad\x1b[31mlabel")
    server.world.edit("top/app#1", by=ME, add_labels=["bad\x1b[31mlabel"])
    async with gateway(server) as one:
        issue = next(i for i in await everything(one) if i.reference == "top/app#1")
        catalog = one.learned(await one.catalog(NAMES), lambda _: True)
    assert issue.title == "fix [/api] crash evil"
    assert "badlabel" in issue.labels
    assert catalog.label("top/app", "badlabel") is not None


async def test_a_relative_address() -> None:
    async with DemoServer(make(), relative_url="/git/lab") as server, gateway(server) as one:
        assert server.url.endswith("/git/lab")
        assert (await one.catalog(NAMES)).group == "top"
        assert len(await everything(one)) == 8


@pytest.mark.parametrize("version", ["16.8", "17.5", "18.9", "19.3"])
async def test_every_version(version: str) -> None:
    async with DemoServer(make(version=version)) as server, gateway(server) as one:
        issues = await everything(one)
        catalog = await one.extend_catalog(await one.catalog(NAMES), NEEDS)
        assert len(issues) == 8
        assert catalog.server.version.startswith(version)
        assert {p.path: p.can_edit for p in catalog.projects}["top/locked"] is False
        assert await one.read([issues[0].id]) == {issues[0].id: issues[0]}


async def test_the_community_edition() -> None:
    async with DemoServer(make(edition="ce", tier="free", version="18.5")) as server, gateway(server) as one:
        # Without reading the catalog first.
        issues = await everything(one)
        catalog = await one.catalog(NAMES)
    assert len(issues) == 8
    assert not catalog.server.has_weight
    assert all(issue.weight is None for issue in issues)


@pytest.mark.parametrize("kinds", [{"edition": "ce", "tier": "free", "version": "18.5"}, {"tier": "free"}])
async def test_a_server_without_blocking_reports_none(kinds: dict[str, Any]) -> None:
    async with DemoServer(make(**kinds)) as server, gateway(server) as one:
        world = server.world
        world.block(world.issue("top/app#1"), world.issue("top/app#2"))
        # It tells whether there is a licence.
        await one.catalog(NAMES)
        detail = await one.detail(IssueId(f"gid://gitlab/Issue/{world.issue('top/app#1').id}"))
        assert detail.blockers == ()


async def test_a_wrong_edition_in_the_catalog_is_corrected() -> None:
    # An old catalog may be wrong about the server: missing fields are detected and left out.
    async with DemoServer(make()) as ee, gateway(ee) as one:
        wrong = (await one.catalog(NAMES)).server
    ce_world = make(edition="ce", tier="free", version="18.5")
    async with DemoServer(ce_world) as ce, gateway(ce, server=wrong) as one:
        assert len(await everything(one)) == 8
        refused = len(ce.requests)
        assert len(await everything(one)) == 8
        # Learned once.
        assert len(ce.requests) == refused + 1
        assert not (await one.catalog(NAMES)).server.has_weight


async def test_a_known_server_is_not_queried_again(server: DemoServer) -> None:
    async with gateway(server) as one:
        known = (await one.catalog(NAMES)).server
    server.requests.clear()
    async with gateway(server, server=known) as other:
        await everything(other)
    assert len(server.requests) == 1


async def test_the_servers_clock(server: DemoServer) -> None:
    server.world.clock.set(datetime(2027, 1, 5, 12, 0, tzinfo=UTC))
    async with gateway(server) as one:
        await one.catalog(NAMES)
        assert abs(one.now() - datetime(2027, 1, 5, 12, 0, tzinfo=UTC)) < timedelta(seconds=10)


async def test_a_gateway_can_be_used_after_it_was_closed(server: DemoServer) -> None:
    one = gateway(server, limits=QUICK)
    await one.catalog(NAMES)
    await one.close()
    await one.close()
    assert len(await everything(one)) == 8
    await one.close()
