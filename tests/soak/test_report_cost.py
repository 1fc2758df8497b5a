"""What a report costs the first time, and when it is asked for again. Figures are printed, few are asserted.

``pytest -s tests/soak/test_report_cost.py``
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from glboard_core.demo.http.server import DemoServer
from glboard_core.demo.sample.generated import default_world
from glboard_core.demo.world.clock import Clock
from glboard_tui.cli.main import run

AT = datetime(2026, 12, 7, 15, tzinfo=UTC)


@pytest.mark.parametrize("kind", ["say-do", "scope"])
def test_what_a_report_requests(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("GLBOARD_GROUP", "demo-org")
    lines, events = [], []
    with DemoServer(default_world(clock=Clock(AT))) as server:
        monkeypatch.setenv("GITLAB_HOST", server.url)
        monkeypatch.setenv("GITLAB_TOKEN", server.token)
        printed = []
        for turn in ("first", "second"):
            server.requests.clear()
            began = time.perf_counter()
            assert run(["report", kind, "current"]) == 0
            seconds = time.perf_counter() - began
            printed.append(capsys.readouterr().out)
            events.append(len(server.requests.of("resource_")))
            lines.append(f"{kind} {turn}: {len(server.requests)} requests, {events[-1]} of them for events")
            lines[-1] += f", {seconds:.2f} s"
    with capsys.disabled():
        print("", *lines, sep="\n")
    assert printed[0] == printed[1]
    assert events[0] > 50
    assert events[1] == 0
