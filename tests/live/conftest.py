"""Where the tests run: on the embedded GitLab, and on a real one if the environment names it.

``GLBOARD_LIVE_URL``, ``GLBOARD_LIVE_TOKEN`` (an owner's, with the scope api) and ``GLBOARD_LIVE_GROUP``, a
group to throw away: see CONTRIBUTING.md.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from live.ground import Ground, Remote, prepared
from live.servers import REAL, embedded, real


@pytest.fixture(
    scope="session",
    params=[
        "embedded",
        pytest.param("embedded, free", marks=pytest.mark.slow),
        pytest.param("embedded, 16.8", marks=pytest.mark.slow),
        pytest.param("embedded, 19.3", marks=pytest.mark.slow),
        pytest.param("embedded, community", marks=pytest.mark.slow),
        *(["real"] if REAL else []),
    ],
)
def ground(request: pytest.FixtureRequest) -> Iterator[Ground]:
    """A group of our own with all that the tests need, made once."""
    kinds = {
        "embedded": {},
        "embedded, free": {"tier": "free"},
        "embedded, 16.8": {"version": "16.8"},
        "embedded, 19.3": {"version": "19.3"},
        "embedded, community": {"tier": "free", "edition": "ce"},
    }
    place = real() if request.param == "real" else embedded(**kinds[request.param])
    with place as found, prepared(found) as made:
        yield made


@pytest.fixture
async def remote(ground: Ground) -> AsyncIterator[Remote]:
    """A gateway as the owner of the token, with everything known that the tests write."""
    async with Remote(ground) as one:
        yield one
