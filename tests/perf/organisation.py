"""An organisation next to a small group, over a slow line: starts, memory, and commands.

A command is measured as a person runs it: a process of its own, from its start to its end.
"""

from __future__ import annotations

import json
import resource
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from glboard_core.demo.http.process import DemoOptions, SpawnedDemo, spawn
from perf import starts
from perf.figures import Table, wait_for_calm
from perf.worlds import account
from support.terminal import GLBOARD, clean_environment

#: Issues of the small group.
SMALL = 300
#: A project in which nothing may be changed.
READ_ONLY = "reference-models"


def measure(table: Table, home: Path, runs: int, latency: float) -> None:
    """Starts in a small group and in an organisation, in turns with those of the empty app."""
    with _served(latency) as servers:
        table.head(f"{latency:g} ms latency. {starts.HEAD}")
        kinds = [starts.empty()]
        for name, server in servers.items():
            kinds.append(starts.glboard(f"{name}, first start", account(server), fresh=True))
            kinds.append(starts.glboard(f"{name}, from the mirror", account(server)))
        starts.compare(table, home, kinds, runs)


def measure_commands(table: Table, home: Path, runs: int, latency: float) -> None:
    """Commands in a small group and in an organisation, in turns."""
    with _served(latency) as servers:
        table.head(f"Commands at {latency:g} ms latency (milliseconds, with the start of Python)")
        found: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
        for _ in range(runs):
            for name, server in servers.items():
                for act, took in _commands(server, Path(tempfile.mkdtemp(dir=home))).items():
                    found[name, act].append(took)
        for (name, act), values in found.items():
            table.add(name, act, "ms", values)


@contextmanager
def _served(latency: float) -> Iterator[dict[str, SpawnedDemo]]:
    places = {
        f"group of {SMALL} issues": DemoOptions(issues=SMALL, latency_ms=latency),
        "organisation": DemoOptions(size="org", latency_ms=latency),
    }
    servers = {name: spawn(options) for name, options in places.items()}
    try:
        yield servers
    finally:
        for server in servers.values():
            server.stop()


def _used() -> float:
    """Seconds of processor time of all commands that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _commands(server: SpawnedDemo, home: Path) -> dict[str, float]:
    """Milliseconds of commands, from an empty home on."""
    took: dict[str, float] = {}

    def run(act: str, *arguments: str) -> str:
        wait_for_calm()
        began, used = time.perf_counter(), _used()
        done = subprocess.run(
            [*GLBOARD, *arguments],
            env={**clean_environment(home), **account(server)},
            capture_output=True,
            text=True,
            check=True,
        )
        took[act] = (time.perf_counter() - began) * 1000
        took[f"{act}, processor"] = (_used() - used) * 1000
        return done.stdout

    board = json.loads(run("show planning, first", "show", "planning", "--format", "json"))
    references = [issue["reference"] for column in board["columns"] for issue in column["issues"]]
    one = next(reference for reference in references if READ_ONLY not in reference)
    run("show planning, again", "show", "planning")
    run("edit", "edit", one, "--weight", "7")
    run("undo", "undo")
    run("report triage, first", "report", "triage")
    run("report triage, again", "report", "triage")
    run("report say-do, first", "report", "say-do", "current")
    run("report say-do, again", "report", "say-do", "current")
    return took
