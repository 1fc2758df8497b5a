"""kill -9 of a real process at random moments, in the long form: at least 10,000 edits.

Run as ``python -m pytest -n0 -s tests/soak/test_crashes.py``; it prints what became of every change.
"""

from __future__ import annotations

from pathlib import Path

from glboard_core.demo.http.faults import Faults
from glboard_core.demo.http.server import DemoServer
from support.crashes import FAULTS, edit_and_kill
from support.engines import build_world


def test_ten_thousand_edits_survive(tmp_path: Path) -> None:
    faults = Faults(dict(FAULTS), seed=42, slow_seconds=0.7)
    with DemoServer(build_world(issues=60), faults=faults) as server:
        found = edit_and_kill(server, tmp_path / "state.sqlite3", edits=12_000, kills=100, seed=42, issues=60)
    print(found.line())
    assert found.lost == []
    assert found.doubled == []
    assert found.edits >= 10_000
