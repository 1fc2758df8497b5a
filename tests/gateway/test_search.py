"""Searching labels, milestones, people and projects over a socket, as pickers do."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import date
from typing import Any

import pytest

from gateway.worlds import NAMES, gateway, make
from glboard_core.demo.http.server import DemoServer
from glboard_core.errors import NameUnknown, TimedOut
from glboard_core.gitlab import name_queries, search
from glboard_core.gitlab.gateway import GitLabGateway
from glboard_core.gitlab.search import place_of
from glboard_core.model.catalog import Server

BOTH = ("top/app", "top/sub/lib")

Search = Callable[[GitLabGateway], Coroutine[Any, Any, Any]]


@pytest.mark.parametrize(
    ("projects", "place"),
    [
        ((), ("group", "top")),
        (("top/app",), ("project", "top/app")),
        (("top/app", "top/sub/lib"), ("group", "top")),
        (("top/sub/lib", "top/sub/other/tool"), ("group", "top/sub")),
        (("top/sub/lib", "top/subway/lib"), ("group", "top")),
    ],
)
def test_what_several_projects_share_is_searched_in_the_group_above(
    projects: tuple[str, ...], place: tuple[str, str]
) -> None:
    assert place_of("top", projects) == place


@pytest.mark.parametrize("since", [(18, 9), (16, 8)])
async def test_labels_are_found_by_title_where_they_are_valid(since: tuple[int, int]) -> None:
    world = make(issues=0, version=f"{since[0]}.{since[1]}")
    world.add_label(world.groups["top"], "chores").description = "no bug"
    async with DemoServer(world) as server, gateway(server) as one:
        catalog = await one.catalog(NAMES)
        server.requests.clear()
        found = await one.search_labels("BUG", ("top/app",))
        assert [(label.title, label.owner) for label in found.items] == [("type::bug", "top")]
        assert (len(server.requests), found.more) == (1, False)
        # It is the label that the catalog knows.
        assert catalog.learn(labels=found.items) is catalog
        own = await one.search_labels("only", ("top/sub/lib",))
        assert [(label.title, label.owner) for label in own.items] == [
            ("lib-only", "top/sub/lib"),
            ("sub-only", "top/sub"),
        ]
        assert (await one.search_labels("only", BOTH)).items == ()
        learned = catalog.learn(labels=own.items)
    assert learned.label("top/sub/lib", "sub-only") is not None
    assert learned.label("top/app", "sub-only") is None


async def test_a_newer_server_that_cannot_search_titles_alone_is_asked_once_more() -> None:
    world = make(issues=0, version="16.8")
    async with DemoServer(world) as server, gateway(server, server=Server(version="18.1.0-ee")) as one:
        found = await one.search_labels("bug", ())
        await one.search_labels("feature", ())
    assert [label.title for label in found.items] == ["type::bug"]
    assert len(server.requests) == 3


async def test_more_is_reported_beyond_one_page() -> None:
    world = make(issues=0)
    for n in range(name_queries.SEARCHED + 1):
        world.add_label(world.groups["top"], f"area::{n:02}")
        user = world.add_user(f"tester_{n:02}", f"Tester {n:02}")
        world.groups["top"].members[user.id] = 30
    async with DemoServer(world) as server, gateway(server) as one:
        labels = await one.search_labels("area", BOTH)
        people = await one.search_people("Tester", "top/app")
        few = await one.search_people("tester_07", None)
    assert (len(labels.items), labels.more) == (name_queries.SEARCHED, True)
    assert (len(people.items), people.more) == (name_queries.SEARCHED, True)
    assert ([person.name for person in few.items], few.more) == (["Tester 07"], False)


async def test_only_active_milestones_are_found(server: DemoServer) -> None:
    async with gateway(server) as one:
        found = await one.search_milestones("19.", ("top/app",))
        own = await one.search_milestones("lib", ("top/sub/lib",))
        assert (await one.search_milestones("lib", BOTH)).items == ()
    assert [(m.title, m.owner, m.start) for m in found.items] == [
        ("19.7", "top", date(2026, 11, 14)),
        ("19.8", "top", date(2026, 12, 12)),
    ]
    assert [(m.title, m.owner) for m in own.items] == [("lib-1", "top/sub/lib")]


async def test_projects_are_found_with_what_one_can_do_there(server: DemoServer) -> None:
    server.world.projects["top/sub/lib"].archived = True
    async with gateway(server) as one:
        assert (await one.search_projects("lib")).items == ()
        locked = await one.search_projects("lock")
        app = await one.search_projects("app")
    assert [(project.path, project.can_edit) for project in (*locked.items, *app.items)] == [
        ("top/locked", False),
        ("top/app", True),
    ]


async def test_a_project_that_is_gone_is_an_error(server: DemoServer) -> None:
    async with gateway(server) as one:
        with pytest.raises(NameUnknown):
            await one.search_labels("bug", ("top/gone",))


async def test_a_search_that_takes_too_long_is_given_up(
    server: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "PATIENCE", 0.1)
    server.faults.next("slow", "SearchPeople")
    async with gateway(server) as one:
        with pytest.raises(TimedOut, match="did not respond to the search"):
            await one.search_people("em", None)
