"""kill -9 of a real process at random moments, with every kind of fault and another person at work.

The long form is ``tests/soak/test_crashes.py``.
"""

from __future__ import annotations

from pathlib import Path

from glboard_core.demo.http.faults import Faults
from glboard_core.demo.http.server import DemoServer
from support.crashes import FAULTS, edit_and_kill
from support.engines import build_world


def test_a_kill_at_any_time_loses_and_duplicates_nothing(tmp_path: Path) -> None:
    faults = Faults(dict(FAULTS), seed=5, slow_seconds=0.7)
    with DemoServer(build_world(), faults=faults) as server:
        found = edit_and_kill(server, tmp_path / "state.sqlite3", edits=250, kills=5, seed=5)
    print(found.line())
    assert found.lost == []
    assert found.doubled == []
    assert found.edits >= 200
    assert found.made > found.edits / 3
