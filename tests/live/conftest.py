"""Where the tests run: on the embedded GitLab, and on a real one if the environment names it.

``GLBOARD_LIVE_URL``, ``GLBOARD_LIVE_TOKEN`` (an owner's, with the scope api) and ``GLBOARD_LIVE_GROUP``, a
group to throw away: see CONTRIBUTING.md.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import pytest

from glboard_core.demo.http.server import DemoServer
from glboard_core.demo.world.clock import Clock
from glboard_core.demo.world.world import World
from glboard_core.gitlab.account import Secret, normal_url
from live.ground import Ground, Hours, Place, Remote, prepared
from support.engines import HASTE, QUICK

NAMES = ("GLBOARD_LIVE_URL", "GLBOARD_LIVE_TOKEN", "GLBOARD_LIVE_GROUP")
REAL = all(os.environ.get(name) for name in NAMES)


class WorldsClock:
    """The clock of the embedded GitLab, which is moved on."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def wait(self, seconds: float) -> None:
        self._clock.advance(seconds)


@contextmanager
def embedded(**kinds: str) -> Iterator[Place]:
    """The embedded GitLab with an empty group."""
    world = World(**kinds)  # type: ignore[arg-type]
    owner = world.add_user("em_willow", "Willow")
    world.owner_username = owner.username
    world.add_group("throwaway").members[owner.id] = 50
    with DemoServer(world) as server:
        yield Place(
            url=server.url,
            token=Secret(server.token),
            group="throwaway",
            clock=WorldsClock(world.clock),
            limits=QUICK,
            timing=HASTE,
        )


@contextmanager
def real() -> Iterator[Place]:
    """The GitLab that the environment names."""
    url, token, group = (os.environ[name] for name in NAMES)
    yield Place(url=normal_url(url, where=NAMES[0]), token=Secret(token.strip()), group=group, clock=Hours())


@pytest.fixture(
    scope="session",
    params=[
        "embedded",
        pytest.param("embedded, free", marks=pytest.mark.slow),
        pytest.param("embedded, 16.8", marks=pytest.mark.slow),
        *(["real"] if REAL else []),
    ],
)
def ground(request: pytest.FixtureRequest) -> Iterator[Ground]:
    """A group of our own with all that the tests need, made once."""
    kinds = {"embedded": {}, "embedded, free": {"tier": "free"}, "embedded, 16.8": {"version": "16.8"}}
    place = real() if request.param == "real" else embedded(**kinds[request.param])
    with place as found, prepared(found) as made:
        yield made


@pytest.fixture
async def remote(ground: Ground) -> AsyncIterator[Remote]:
    """A gateway as the owner of the token, with everything known that the tests write."""
    async with Remote(ground) as one:
        yield one
