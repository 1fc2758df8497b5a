"""What a report costs the first time, and when it is asked for again. Figures are printed, few are asserted.

``pytest -n0 tests/soak/test_report_cost.py``: a small group, and a team of 2,000 issues in an organisation,
without and with a delay of 150 ms for each request.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from glboard_core.demo.http.server import DemoServer
from glboard_core.demo.sample.generated import default_world
from glboard_core.demo.world.clock import Clock
from glboard_core.demo.world.world import World
from glboard_tui.cli.main import run
from support.organisations import org_world

AT = datetime(2026, 12, 7, 15, tzinfo=UTC)


def group() -> World:
    """A team of 300 issues on its own."""
    return default_world(issues=300, clock=Clock(AT))


@pytest.mark.parametrize("delay", [0, 150])
@pytest.mark.parametrize("world", [group, org_world])
@pytest.mark.parametrize("kind", ["say-do", "scope", "triage"])
def test_what_a_report_requests(
    kind: str,
    world: Callable[[], World],
    delay: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("GLBOARD_GROUP", "demo-org")
    lines, events = [], []
    with DemoServer(world(), latency_ms=delay) as server:
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
            lines.append(f"{kind}, {world.__name__}, {delay} ms, {turn}: {len(server.requests)} requests")
            lines[-1] += f", {events[-1]} of them for events, {seconds:.2f} s"
    with capsys.disabled():
        print("", *lines, sep="\n")
    # The first line has the time.
    assert printed[0].partition("\n")[2] == printed[1].partition("\n")[2]
    assert (events[0] > 0) == (kind != "triage")
    assert events[1] == 0
