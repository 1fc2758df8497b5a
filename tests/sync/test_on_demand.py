"""Issues that a person names: read on demand, pinned in the mirror, edited like cards, and in no list."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from msgspec import structs

from glboard_core.board.definition import Board
from glboard_core.board.operations import Edit
from glboard_core.demo.http.server import DemoServer
from glboard_core.errors import IssueNotFound, UsageError
from glboard_core.model.address import IssueAddress, issue_address, on_server
from glboard_core.model.issue import Issue
from glboard_core.ports import Store
from glboard_core.sync.pinned import MOST
from support.engines import BRISK, GROUP_LABEL, ME, STILL, Session, build_world, session


@pytest.fixture
async def server() -> AsyncIterator[DemoServer]:
    """Besides the team's issues: app#13 of another team, elsewhere/tool#1 of another group, lib#13."""
    world = build_world()
    world.create("top/app", "Of another team", by=ME, add_labels=["type::bug"], milestone="19.7", weight=3)
    elsewhere = world.add_group("elsewhere")
    elsewhere.members[world.user(ME).id] = 40
    world.add_project("elsewhere/tool")
    world.create("elsewhere/tool", "Of another group", by=ME)
    for n in range(12):
        world.create("top/lib", f"Filler {n}", by=ME)
    world.clock.advance(120)
    async with DemoServer(world) as running:
        yield running


def address(text: str) -> IssueAddress:
    found = issue_address(text)
    assert found is not None
    return found


async def read(context: Session, text: str) -> list[str]:
    """The references of what a text leads to."""
    return [issue.reference for issue in await context.engine.on_demand.read(address(text))]


def shown(context: Session, reference: str) -> Issue | None:
    """The issue in the mirror, in lists or not."""
    return next(
        (i for one in context.engine.shown if (i := context.engine.shown[one]).reference == reference), None
    )


async def test_an_issue_out_of_scope_is_read_with_one_request_and_in_no_list(context: Session) -> None:
    before = len(list(context.engine.shown.matching(None)))
    assert await read(context, "top/app#13") == ["top/app#13"]
    assert len(context.server.requests) == 1
    assert shown(context, "top/app#13") is not None
    assert len(list(context.engine.shown.matching(None))) == before
    assert len(list(context.engine.shown.slim("19.7"))) == 12
    board: Board = context.engine.board("planning", "19.7")
    assert board.labels >= {GROUP_LABEL}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("app#13", ["top/app#13"]),
        ("APP#13", ["top/app#13"]),
        ("Top/App#13", ["top/app#13"]),
        ("elsewhere/tool#1", ["elsewhere/tool#1"]),
        ("https://HOST/Top/APP/-/work_items/13?show=x#note_4", ["top/app#13"]),
        ("https://HOST/elsewhere/tool/-/issues/1", ["elsewhere/tool#1"]),
        ("#13", ["top/app#13", "top/lib#13"]),
    ],
)
async def test_every_form_of_a_name_leads_to_it(context: Session, text: str, found: list[str]) -> None:
    assert sorted(await read(context, text.replace("HOST", "gitlab.example.com"))) == found
    assert len(context.server.requests) == 1


async def test_what_leads_nowhere_says_what_it_can_be(context: Session) -> None:
    with pytest.raises(IssueNotFound, match=r"top/app has no issue with this number.*confidential"):
        await read(context, "app#99")
    with pytest.raises(IssueNotFound, match=r"No issue with this number in the projects of top"):
        await read(context, "#77")
    with pytest.raises(IssueNotFound, match=r"Project “nowhere” not found"):
        await read(context, "nowhere#1")
    with pytest.raises(IssueNotFound, match=r"Issue secret/place#1 not found\. Check the project and number"):
        await read(context, "https://gitlab.example.com/secret/place/-/issues/1")


async def test_it_is_edited_and_undone_like_a_card(context: Session) -> None:
    for name, reference in (("app#13", "top/app#13"), ("elsewhere/tool#1", "elsewhere/tool#1")):
        (issue,) = await context.engine.on_demand.read(address(name))
        context.engine.perform([(issue.id, Edit(weight=5, title="Renamed"))], "weight 5")
        await context.settled()
        there = context.world.issue(reference)
        assert (there.weight, there.title) == (5, "Renamed")
        context.engine.undoing.undo()
        await context.settled()
        assert there.weight == issue.weight
        assert there.title == issue.title
        assert context.engine.failed == []


async def test_polls_and_reconciles_keep_it_up_to_date_and_never_drop_it(
    server: DemoServer, store: Store
) -> None:
    async with session(server, store, sync=BRISK) as context:
        found = [*await read(context, "app#13"), *await read(context, "elsewhere/tool#1")]
        issues = [shown(context, one) for one in found]
        context.engine.local_state.pinned.open = frozenset(i.id for i in issues if i is not None)
        for reference in found:
            context.world.edit(reference, by=ME, title=f"New title of {reference}")
        context.world.clock.advance(120)

        def titles() -> list[str]:
            return [one.title for reference in found if (one := shown(context, reference)) is not None]

        await context.until(lambda: titles() == [f"New title of {one}" for one in found])
        await context.engine.poller.reconcile()
        await context.engine.poller.load(anew=True)
        assert len(titles()) == 2
        assert not any("Of another" in one.title for one in context.engine.shown.matching(None))
    # Another session on the same state file knows it, and takes it for no card either.
    async with session(server, store) as context:
        assert shown(context, "top/app#13") is not None
        assert len(list(context.engine.shown.slim("19.7"))) == 12


async def test_one_that_enters_the_scope_by_an_edit_is_a_card(context: Session) -> None:
    (issue,) = await context.engine.on_demand.read(address("app#13"))
    context.engine.perform([(issue.id, Edit(add=frozenset({GROUP_LABEL})))], "label")
    assert len(list(context.engine.shown.slim("19.7"))) == 13
    await context.settled()
    await context.refreshed()
    assert len(list(context.engine.shown.slim("19.7"))) == 13
    context.engine.undoing.undo()
    assert len(list(context.engine.shown.slim("19.7"))) == 12


async def test_what_was_not_sent_is_sent_by_the_next_session(server: DemoServer, store: Store) -> None:
    async with session(server, store, sync=structs.replace(STILL, hold=3600)) as context:
        (issue,) = await context.engine.on_demand.read(address("app#13"))
        context.engine.perform([(issue.id, Edit(weight=8))], "weight 8")
    async with session(server, store) as context:
        await context.settled()
        assert context.world.issue("top/app#13").weight == 8
        assert context.engine.shown[issue.id].weight == 8
        # It may be seen by the poll as often as it likes: it is no card.
        await context.refreshed()
        assert len(list(context.engine.shown.slim("19.7"))) == 12


async def test_one_that_was_deleted_leaves(context: Session) -> None:
    (issue,) = await context.engine.on_demand.read(address("app#13"))
    context.world.delete("top/app#13")
    await context.engine.poller.reread([issue.id])
    assert issue.id not in context.engine.shown


async def test_the_oldest_leave_the_mirror_unless_something_needs_them(context: Session) -> None:
    (first,) = await context.engine.on_demand.read(address("app#13"))
    context.engine.perform([(first.id, Edit(weight=8))], "weight 8")
    await context.settled()
    (other,) = await context.engine.on_demand.read(address("elsewhere/tool#1"))
    for n in range(MOST):
        made = context.world.create("elsewhere/tool", f"More {n}", by=ME)
        await context.engine.on_demand.read(address(made.reference))
    # The last change can be undone; nothing needs the other.
    assert first.id in context.engine.shown
    assert other.id not in context.engine.shown


async def test_a_command_that_names_one_does_not_make_it_a_card(context: Session) -> None:
    context.engine.host = "gitlab.example.com"
    with pytest.raises(UsageError, match="is on another GitLab"):
        await context.engine.reader.load_issues(["https://gitlab.example.org/top/app/-/issues/13"])
    (issue,) = await context.engine.reader.load_issues(
        ["https://gitlab.example.com/top/app/-/issues/13#note_1"]
    )
    assert issue.id in context.engine.shown
    assert len(list(context.engine.shown.slim("19.7"))) == 12


def test_addresses_are_of_one_server() -> None:
    def local(text: str, server: str) -> str | None:
        found = on_server(address(text), server)
        return str(found) if found is not None else None

    url = "https://GitLab.Example.com/top/app/-/issues/12"
    assert local(url, "gitlab.example.com") == "top/app#12"
    assert local(url, "gitlab.example.com:443") == "top/app#12"
    assert local(url, "gitlab.example.org") is None
    assert local("http://host:8080/gitlab/top/app/-/issues/12/", "host:8080/gitlab") == "top/app#12"
    assert local("http://host:8080/top/app/-/issues/12/", "host:8080/gitlab") is None
    assert local("app#12", "anything") == "app#12"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "12",
        "#",
        "a crash in app#12 today",
        "me@example.com#1",
        "https://gitlab.example.com/top/app/-/merge_requests/12",
        "https://gitlab.example.com/groups/top/-/work_items/12",
        "ftp://gitlab.example.com/top/app/-/issues/12",
        "https://[bad/top/app/-/issues/12",
        "#" + "9" * 30,
        "https://gitlab.example.com/" + "a" * 3000 + "/-/issues/1",
    ],
)
def test_anything_else_is_no_address(text: str) -> None:
    assert issue_address(text) is None
