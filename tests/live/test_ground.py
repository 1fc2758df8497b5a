"""What the tests make is deleted whatever happens, on the embedded GitLab."""

from __future__ import annotations

import pytest

from glboard_core.demo.http.server import DemoServer
from glboard_core.demo.world.world import World
from live.ground import PlainRest, Refused, prepared
from live.servers import place_on, world_of


def left(world: World) -> dict[str, int]:
    """How much of each kind there is."""
    kinds = ("groups", "projects", "labels", "milestones", "boards")
    return {kind: len(getattr(world, kind)) for kind in kinds} | {"issues": len(world.index.issues)}


def test_all_is_deleted_after_an_error() -> None:
    with DemoServer(world_of()) as server:
        before = left(server.world)

        def broken() -> None:
            with prepared(place_on(server)) as ground:
                ground.issue("Left alone")
                assert left(server.world)["projects"] == 2
                raise RuntimeError

        with pytest.raises(RuntimeError):
            broken()
        assert left(server.world) == before
        # And if already the preparation fails.
        server.faults.next("500", "POST /api/v4/groups", skip=8)
        with pytest.raises(Refused), prepared(place_on(server)):
            pass
        assert left(server.world) == before


def test_a_failure_that_passes_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PlainRest, "pause", 0.01)
    with DemoServer(world_of()) as server:
        before = left(server.world)
        with prepared(place_on(server)):
            for kind in ("502", "reset-before"):
                server.faults.next(kind, "DELETE /api/v4/groups")
            server.faults.next("429", "GET /api/v4/groups")
            server.faults.retry_after = 0
        assert left(server.world) == before


def test_projects_that_are_there_stay_where_none_can_be_made() -> None:
    world = world_of()
    for name in ("one", "two"):
        world.add_project(f"throwaway/{name}")
    with DemoServer(world) as server:
        before = left(world)
        server.faults.next("500", "POST /api/v4/projects", times=1)
        with prepared(place_on(server)) as ground:
            assert not ground.owned
            assert {ground.app, ground.lib} == {"throwaway/one", "throwaway/two"}
            ground.issue("Deleted alone")
        assert left(world) == before
