"""A world of the size of an organisation, for tests of what must not depend on that size.

It is made in a quarter of a second and then kept: a module that changes it must make one of its own.
"""

from __future__ import annotations

from functools import cache

from glboard_core.demo.sample.organisation import organisation
from glboard_core.demo.world.clock import Clock
from glboard_core.demo.world.world import World
from support.engines import NOW


def org_world() -> World:
    """An organisation of its own: 100,000 issues below demo-org, 2,000 with `group::custom models`."""
    return organisation(clock=Clock(NOW))


@cache
def shared_org_world() -> World:
    """The one organisation of the process, which no one changes."""
    return org_world()
