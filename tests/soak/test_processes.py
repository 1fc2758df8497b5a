"""Two processes of the program and another person edit the same 200 issues at once, for about a minute.

Run as ``python -m pytest -n0 -s tests/soak/test_processes.py``.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from glboard_core.demo.http.faults import Faults
from glboard_core.demo.http.server import DemoServer
from support.crashes import FAULTS, edit_together
from support.engines import build_world


@pytest.mark.parametrize("kill", [False, True])
def test_two_processes_and_another_person(tmp_path: Path, kill: bool) -> None:
    faults = Faults(dict(FAULTS), seed=9, slow_seconds=0.7)
    with DemoServer(build_world(issues=200), faults=faults) as server:
        found = edit_together(server, tmp_path / "state.sqlite3", edits=2_000, seed=9, issues=200, kill=kill)
    print(found.line())
    assert found.lost == []
    assert found.doubled == []
    assert found.edits >= 2_000
