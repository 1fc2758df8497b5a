"""Servers for the tests of the embedded GitLab: a read-only one, one per module, others on demand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from demo.wire import NOW, Wire
from glboard_core.demo.http.server import DemoServer
from glboard_core.demo.sample.generated import default_world
from glboard_core.demo.world.clock import Clock
from glboard_core.demo.world.world import World

_OF_THE_WORLD = ("issues", "seed", "tier", "edition", "version")


@pytest.fixture(scope="session")
def reading() -> Iterator[Wire]:
    """A server that tests must not change."""
    with DemoServer(default_world(clock=Clock(NOW))) as server:
        wire = Wire(server)
        yield wire
        wire.close()


@pytest.fixture(scope="module")
def wire() -> Iterator[Wire]:
    """A server of this module: every test leaves what it does not own as it was."""
    with DemoServer(default_world(clock=Clock(NOW), seed=7)) as server:
        wire = Wire(server)
        yield wire
        wire.close()


@pytest.fixture
def serve() -> Iterator[Callable[..., Wire]]:
    """Makes servers with settings of their own, and of the world: issues, seed, tier, edition, version."""
    running: list[Wire] = []

    def make(world: World | None = None, **settings: Any) -> Wire:
        about = {name: settings.pop(name) for name in _OF_THE_WORLD if name in settings}
        made = world or default_world(clock=Clock(NOW), **{"issues": 60, **about})
        server = DemoServer(made, **settings).start()
        running.append(Wire(server))
        return running[-1]

    yield make
    for wire in running:
        wire.close()
        wire.server.stop()
