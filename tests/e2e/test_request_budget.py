"""The budget of requests per act: what the table in ARCHITECTURE.md says is what acts cost.

A figure must be exact, so that the table stays true when an act becomes cheaper; with ``≤`` it is a bound,
where how many documents are sent depends on how fast the machine is.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from glboard_core.demo.http.server import DemoServer
from glboard_core.demo.sample.generated import default_world
from glboard_core.demo.world.clock import Clock
from glboard_core.demo.world.world import World
from support.acts import commands, in_the_app, long_commands, on_screen
from support.engines import NOW
from support.organisations import org_world

GROUP, ORGANISATION = "group", "organisation"
ROW = re.compile(r"\| (?P<act>[^|]+) \| (?P<group>[^|]+) \| (?P<organisation>[^|]+) \|")
CELL = re.compile(r"(?P<bound>≤ )?(?P<number>\d+)(?P<slow> \*)?")


class Budget:
    """One column of the table."""

    def __init__(self, size: str) -> None:
        text = (Path(__file__).parents[2] / "ARCHITECTURE.md").read_text("utf-8")
        table = text.partition("<!-- budget -->")[2].partition("<!-- end of budget -->")[0]
        self._cells: dict[str, re.Match[str]] = {}
        for row in ROW.finditer(table):
            if cell := CELL.fullmatch(row[size]):
                self._cells[row["act"]] = cell

    @property
    def acts(self) -> set[str]:
        """All that have a budget."""
        return set(self._cells)

    @property
    def quick(self) -> set[str]:
        """Those that the default run counts."""
        return {act for act, cell in self._cells.items() if not cell["slow"]}

    def broken(self, counted: dict[str, int]) -> dict[str, str]:
        """Acts that cost another number of requests than they should."""
        found = {}
        for act, number in counted.items():
            cell = self._cells[act]
            most = int(cell["number"])
            if number > most or (number < most and not cell["bound"]):
                found[act] = f"{number} instead of {cell[0]}"
        return found


def world_of(size: str) -> World:
    return org_world() if size == ORGANISATION else default_world(issues=300, clock=Clock(NOW))


@pytest.fixture(autouse=True)
def _machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine that has never asked anything, with a team."""
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    folder = tmp_path / "XDG_CONFIG_HOME" / "glboard"
    folder.mkdir(parents=True)
    (folder / "team.toml").write_text('[[people]]\nusername = "eng_alder"\n')
    monkeypatch.setenv("GLBOARD_GROUP", "demo-org")


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[World], DemoServer]]:
    """Serves worlds to the commands that follow."""
    with ExitStack() as stack:

        def served(world: World) -> DemoServer:
            server = stack.enter_context(DemoServer(world))
            monkeypatch.setenv("GITLAB_HOST", server.url)
            monkeypatch.setenv("GITLAB_TOKEN", server.token)
            return server

        yield served


@pytest.mark.slow
def test_acts_in_an_organisation_cost_what_the_table_says(
    serve: Callable[[World], DemoServer], tmp_path: Path
) -> None:
    budget, server = Budget(ORGANISATION), serve(org_world())
    counted = commands(server)
    counted |= asyncio.run(on_screen(server, tmp_path / "screen"))
    assert budget.broken(counted) == {}
    assert counted.keys() == budget.quick


@pytest.mark.slow
@pytest.mark.parametrize("size", [GROUP, ORGANISATION])
def test_all_acts_cost_what_the_table_says(
    size: str, serve: Callable[[World], DemoServer], tmp_path: Path
) -> None:
    budget = Budget(size)
    counted = long_commands(serve(world_of(size)))
    world = world_of(size)
    server = serve(world)
    counted |= commands(server)
    counted |= asyncio.run(on_screen(server, tmp_path / "screen", refresh=True))
    counted |= asyncio.run(in_the_app(world))
    assert budget.broken(counted) == {}
    assert counted.keys() == budget.acts
