"""Two windows of the program on one state file, and another person, edit the same issues at once.

The long form is ``tests/soak/test_together.py``.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from glboard_core.board.op import Edit
from glboard_core.demo.faults import Faults
from glboard_core.demo.server import DemoServer
from glboard_core.store.sqlite import SqliteStore
from glboard_core.sync.events import IssuesChanged, Renamed
from support.engines import BRISK, build_world, window
from support.killing import FAULTS, edit_together


@pytest.mark.parametrize("kill", [False, True])
def test_two_processes_lose_and_double_nothing(tmp_path: Path, kill: bool) -> None:
    faults = Faults(dict(FAULTS), seed=3, slow_seconds=0.7)
    with DemoServer(build_world(), faults=faults) as server:
        found = edit_together(server, tmp_path / "s.sqlite3", edits=120, seed=3, issues=12, kill=kill)
    print(found.line())
    assert found.lost == []
    assert found.doubled == []
    assert found.edits >= 150
    assert found.made > found.edits / 3


async def test_a_change_in_one_window_is_seen_in_the_other(server: DemoServer, tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite3"
    one, two = SqliteStore(path), SqliteStore(path)
    async with window(server, one) as first, window(server, two) as second:
        new = second.create("By the second", weight=2)
        second.engine.perform([(new, Edit(weight=3))], "weight 3")
        second.edit("app#1", weight=8)
        await first.until(lambda: first.there("app#1").weight == 8)
        await second.until(lambda: second.engine.status.unsent == 0 and second.known("app#13"))
        await first.until(lambda: first.known("app#13") and first.issue("app#13").weight == 3)
        # The window that did not send knows the new issue by its real id, and can take it back.
        assert [event.old for event in second.told(Renamed)] == [new]
        assert not second.known("app#new")
        for _ in range(3):
            assert second.engine.undo() is not None
        await second.until(lambda: second.engine.status.unsent == 0)
        assert not second.there("app#13").open
        assert second.there("app#1").weight == 1
        # What goes in one goes in the other.
        first.world.delete("top/app#2")
        await first.engine.mirror.reconcile()
        gone = first.issue("app#3").id
        await second.until(lambda: not second.known("app#2"))
        assert second.engine.shown.get(gone) is not None
        assert any(
            after is None and before is not None
            for event in second.told(IssuesChanged)
            for before, after in event.changes
        )
    one.close()
    two.close()


async def test_the_second_window_takes_over_when_the_first_ends(server: DemoServer, tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite3"
    one, two = SqliteStore(path), SqliteStore(path)
    async with window(server, two, sync=BRISK) as second:
        async with window(server, one, sync=BRISK) as first:
            first.edit("app#1", weight=4)
            await first.settled()
            assert one.lead()
            assert not two.lead()
        one.close()
        second.edit("app#2", weight=5)
        await second.until(lambda: second.there("app#2").weight == 5)
        assert two.lead()
    two.close()
