"""The servers: the embedded GitLab, and a real one that the environment names."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from msgspec import structs

from glboard_core.demo.http.server import DemoServer
from glboard_core.demo.world.clock import Clock
from glboard_core.demo.world.world import World
from glboard_core.gitlab.account import Secret, normal_url
from live.ground import Hours, Place
from support.engines import HASTE, QUICK

NAMES = ("GLBOARD_LIVE_URL", "GLBOARD_LIVE_TOKEN", "GLBOARD_LIVE_GROUP")
GIVEN = [name for name in NAMES if os.environ.get(name)]
REAL = len(GIVEN) == len(NAMES)
if GIVEN and not REAL:
    raise pytest.UsageError(f"set all of {', '.join(NAMES)}, or none")


class WorldsClock:
    """The clock of the embedded GitLab, which is moved on."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def wait(self, seconds: float) -> None:
        self._clock.advance(seconds)


#: No long waits between requests, but time for each: a loaded machine is no lost answer.
PATIENT = structs.replace(QUICK, read=15.0, total=30.0, patience=60.0)


def world_of(**kinds: str) -> World:
    """An empty group with an owner."""
    world = World(**kinds)  # type: ignore[arg-type]
    owner = world.add_user("em_willow", "Willow")
    world.owner_username = owner.username
    world.add_group("throwaway").members[owner.id] = 50
    return world


def place_on(server: DemoServer) -> Place:
    """That group, on a running server."""
    return Place(
        url=server.url,
        token=Secret(server.token),
        group="throwaway",
        clock=WorldsClock(server.world.clock),
        limits=PATIENT,
        timing=HASTE,
    )


@contextmanager
def embedded(**kinds: str) -> Iterator[Place]:
    """The embedded GitLab, of a tier and version."""
    with DemoServer(world_of(**kinds)) as server:
        yield place_on(server)


@contextmanager
def real() -> Iterator[Place]:
    """The GitLab that the environment names."""
    url, token, group = (os.environ[name].strip() for name in NAMES)
    yield Place(
        url=normal_url(url, where=NAMES[0]), token=Secret(token), group=group.strip("/"), clock=Hours()
    )
