"""How soon a change by another client is on the screen, by polling and by live events; and what idling costs.

The other client renames a card in view over REST; the time ends when the terminal shows the new title. Idling
is a program that no one touches, from its last key on: its processor time, and what it asks of the server.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

import httpx

from glboard_core.demo.http.process import DemoOptions, SpawnedDemo, spawn
from perf.figures import Table
from perf.starts import COLUMNS, ROWS, header
from perf.worlds import account
from support.terminal import GLBOARD, Terminal, clean_environment

#: The two ways, as ``[sync] live``.
WAYS = {"polling": "false", "live events": "true"}


def measure(table: Table, home: Path, runs: int, latency: float, idle: float) -> None:
    """Both ways in turns on one server each; ``idle`` is for how many seconds each is left alone."""
    for name, live in WAYS.items():
        config = home / f"live-{live}.toml"
        config.write_text(f"[sync]\nlive = {live}\n")
        with spawn(DemoOptions(latency_ms=latency)) as server:
            card = _card(server, home)
            arguments = [*GLBOARD, "--config", str(config), "open", "planning"]
            environment = account(server)
            with Terminal(arguments, home, columns=COLUMNS, rows=ROWS, environment=environment) as terminal:
                terminal.wait(lambda text: header(text).endswith("live"), "all cards", 60)
                table.head(f"A change by another client to a card in view, {latency:g} ms latency: {name}")
                took = [_seen(terminal, server, card, f"Change {n} by {live}") for n in range(runs)]
                table.add(name, "write to screen", "ms", took)
                used = _idle(terminal, idle)
                table.add(name, f"{idle:g} s idle: processor", "ms", [used * 1000])


def _card(server: SpawnedDemo, home: Path) -> str:
    """The REST path of the first card of the Planning board."""
    done = subprocess.run(
        [*GLBOARD, "show", "planning", "--format", "json"],
        env={**clean_environment(home), **account(server)},
        capture_output=True,
        check=True,
    )
    columns = json.loads(done.stdout)["columns"]
    reference = next(issue["reference"] for column in columns for issue in column["issues"])
    project, _, iid = reference.partition("#")
    return f"/api/v4/projects/{quote(project, safe='')}/issues/{iid}"


def _seen(terminal: Terminal, server: SpawnedDemo, card: str, title: str) -> float:
    """Milliseconds from the reply to the write until its title is on the screen; at a random time."""
    terminal.press("j")
    ready = time.monotonic() + 2.0 + 10.0 * int.from_bytes(os.urandom(1)) / 255
    while (left := ready - time.monotonic()) > 0:
        terminal.read(left)
    httpx.put(
        f"{server.url}{card}", json={"title": title}, headers={"Private-Token": server.token}, trust_env=False
    ).raise_for_status()
    began = time.perf_counter()
    terminal.see(title, seconds=60)
    return (time.perf_counter() - began) * 1000


def _idle(terminal: Terminal, seconds: float) -> float:
    """Seconds of processor time while no one touches the program."""
    terminal.press("k")
    began, until = _used(terminal.pid), time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        terminal.read(left)
    return _used(terminal.pid) - began


def _used(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
