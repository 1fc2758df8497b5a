"""What a report costs the first time, and when it is asked for again. Figures are printed, few are asserted.

``pytest -s tests/soak/test_report_cost.py``: a small group, and a team of 2,000 issues, without and with a
delay of 150 ms for each request.
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
from perf.worlds import world_of

AT = datetime(2026, 12, 7, 15, tzinfo=UTC)
SMALL, TEAM = 300, world_of(2_000)


@pytest.mark.parametrize(("issues", "delay"), [(SMALL, 0), (TEAM, 0), (TEAM, 150)])
@pytest.mark.parametrize("kind", ["say-do", "scope", "triage"])
def test_what_a_report_requests(
    kind: str,
    issues: int,
    delay: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("GLBOARD_GROUP", "demo-org")
    lines, events = [], []
    with DemoServer(default_world(issues=issues, clock=Clock(AT)), latency_ms=delay) as server:
        monkeypatch.setenv("GITLAB_HOST", server.url)
        monkeypatch.setenv("GITLAB_TOKEN", server.token)
        printed = []
        for turn in ("first", "second"):
            server.requests.clear()
            began = time.perf_counter()
            assert run(["report", kind, *(["current"] if kind != "triage" else [])]) == 0
            seconds = time.perf_counter() - began
            printed.append(capsys.readouterr().out)
            events.append(len(server.requests.of("resource_")))
            lines.append(f"{kind} of {issues} issues, {delay} ms, {turn}: {len(server.requests)} requests")
            lines[-1] += f", {events[-1]} of them for events, {seconds:.2f} s"
    with capsys.disabled():
        print("", *lines, sep="\n")
    # The first line has the time.
    assert printed[0].partition("\n")[2] == printed[1].partition("\n")[2]
    assert (events[0] > 0) == (kind != "triage")
    assert events[1] == 0
