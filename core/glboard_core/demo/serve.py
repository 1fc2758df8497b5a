"""Runs the embedded GitLab until it is told to stop: what `glboard demo --serve` does.

Owns signals, standard output and the watch on the parent process. Building the world and serving it are
elsewhere.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from datetime import datetime
from types import FrameType

from glboard_core.demo.http.faults import Faults, FaultSpecError
from glboard_core.demo.http.server import DemoServer
from glboard_core.demo.options import DemoOptions, OptionsError
from glboard_core.demo.sample.generated import default_world
from glboard_core.demo.sample.scenario import ScenarioError, load_scenario
from glboard_core.demo.world.clock import Clock, moment, parse_time
from glboard_core.demo.world.world import World


def build_world(options: DemoOptions) -> World:
    """The world the options describe. Raises ScenarioError or OptionsError."""
    clock = Clock(_start(options.as_of)) if options.as_of else None
    tier, edition, version = options.tier, options.edition, options.gitlab_version
    if options.scenario:
        world = load_scenario(options.scenario, clock=clock, tier=tier, edition=edition, version=version)
    else:
        world = default_world(
            seed=options.seed, issues=options.issues, clock=clock, tier=tier, edition=edition, version=version
        )
    if options.user is not None:
        if options.user not in world.users:
            raise OptionsError(f"user {options.user} not found; choose from {', '.join(sorted(world.users))}")
        world.owner_username = options.user
    return world


def _start(text: str) -> datetime:
    try:
        return moment(parse_time(text))
    except ValueError:
        raise OptionsError(f"{text!r} is not a time") from None


def build_server(options: DemoOptions) -> DemoServer:
    """The server the options describe, not started."""
    return DemoServer(
        build_world(options),
        host=options.host,
        port=options.port,
        latency_ms=options.latency_ms,
        faults=Faults.parse(options.faults, seed=options.seed),
        relative_url=options.relative_url,
        rate_limit=options.rate_limit,
    )


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _watch_parent(stop: Callable[[], None]) -> None:
    """Standard input ends when the parent dies, however it dies."""

    def wait() -> None:
        while os.read(sys.stdin.fileno(), 4096):
            continue
        stop()

    threading.Thread(target=wait, name="glboard-demo-parent", daemon=True).start()


def serve(options: DemoOptions) -> int:
    """Prints where it is, serves until SIGINT, SIGTERM or the parent's end; the exit status."""
    done = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        done.set()

    try:
        options.check()
        server = build_server(options)
    except (OptionsError, FaultSpecError) as error:
        sys.stderr.write(f"glboard demo: {error}\n")
        return 2
    except ScenarioError as error:
        sys.stderr.write(f"glboard demo: {error}\n")
        return 1
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_signal)
    try:
        server.start()
    except OSError as error:
        sys.stderr.write(f"glboard demo: cannot listen on {options.host}:{options.port}: {error.strerror}\n")
        return 1
    _say(f"GITLAB_HOST={server.url}")
    _say(f"GLBOARD_GROUP={server.world.root.full_path}")
    _say(f"GITLAB_TOKEN={server.token}")
    if options.with_parent:
        _watch_parent(done.set)
    done.wait()
    server.stop()
    return 0
