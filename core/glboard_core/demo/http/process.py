"""Runs the embedded GitLab in a child process, so that it never shares the screen's thread.

Standard library only. The child watches its standard input, so it exits with its parent, even if that
crashes.
"""

from __future__ import annotations

import argparse
import ipaddress
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from types import TracebackType
from typing import IO, Literal

from glboard_core.environment import for_child

# The options of the embedded GitLab, and parsing them from a command line.

VERSIONS = ("16.8", "18.9", "19.3")
TIERS = ("free", "premium", "ultimate")
EDITIONS = ("ee", "ce")
SIZES = ("team", "org")
FLOWS = ("label", "status", "both")
DEFAULT_ISSUES = 300
DEFAULT_UNPLACED = 5


class OptionsError(ValueError):
    """Invalid or contradictory options."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """All options of a demo. `size` is a team's world of so many issues, or an organisation's; `unplaced` is
    the percentage of issues that have no place in the order yet. Port 0 is any free one. `as_of` (ISO 8601)
    is when the clock starts, by default now or the scenario's; `user` signs in, by default the EM. OAuth
    access tokens end after `token_life` seconds; with `approve`, sign-ins are granted without a click. `flow`
    is how the generated issues say their workflow state."""

    scenario: str | None = None
    size: Literal["team", "org"] = "team"
    issues: int = DEFAULT_ISSUES
    unplaced: int = DEFAULT_UNPLACED
    seed: int = 1
    flow: Literal["label", "status", "both"] = "label"
    as_of: str | None = None
    user: str | None = None
    host: str = "127.0.0.1"
    port: int = 0
    allow_remote: bool = False
    relative_url: str = ""
    latency_ms: float = 0
    faults: str = ""
    rate_limit: int | None = None
    plain_headers: bool = False
    token_life: int = 7200
    approve: bool = False
    tier: Literal["free", "premium", "ultimate"] = "ultimate"
    edition: Literal["ee", "ce"] = "ee"
    gitlab_version: str = "18.9"
    with_parent: bool = False

    def check(self) -> None:
        """Raises OptionsError for invalid options."""
        if not self.allow_remote and not is_loopback(self.host):
            raise OptionsError(
                f"{self.host} can be reached from other machines and only its token protects the demo; "
                "add --allow-remote if that is intended"
            )
        if self.issues < 1:
            raise OptionsError("a world needs at least one issue")
        if not 0 <= self.unplaced <= 100:
            raise OptionsError("--unplaced is a percentage: 0 to 100")
        if self.size not in SIZES:
            raise OptionsError(f"no size {self.size}; choose from {', '.join(SIZES)}")
        if self.size == "org" and (self.scenario is not None or self.issues != DEFAULT_ISSUES):
            raise OptionsError("--size org has its own issues; leave out --issues and --scenario")
        if self.flow not in FLOWS:
            raise OptionsError(f"no flow {self.flow}; choose from {', '.join(FLOWS)}")
        if self.flow != "label" and self.scenario is not None:
            raise OptionsError("a scenario has its own states; leave out --flow")
        if self.flow != "label" and (self.tier == "free" or self.edition == "ce"):
            raise OptionsError(
                f"--flow {self.flow} needs statuses: --edition ee and --tier premium or ultimate"
            )
        if self.token_life < 1:
            raise OptionsError("--token-life is a number of seconds: 1 or more")
        if not 0 <= self.port <= 65_535:
            raise OptionsError(f"invalid port {self.port}")
        if self.gitlab_version not in VERSIONS:
            known = ", ".join(VERSIONS)
            raise OptionsError(f"GitLab {self.gitlab_version} is not emulated; choose from {known}")
        if self.tier not in TIERS or self.edition not in EDITIONS:
            raise OptionsError(f"the {self.edition} edition has no tier {self.tier}")

    def arguments(self) -> list[str]:
        """The equivalent command line."""
        shown = f"[{self.host}]" if ":" in self.host else self.host
        found = ["--serve", f"{shown}:{self.port}"]
        for one in fields(self):
            value = getattr(self, one.name)
            if one.name in ("host", "port") or value == one.default:
                continue
            flag = "--latency" if one.name == "latency_ms" else "--" + one.name.replace("_", "-")
            found += [flag] if value is True else [flag, str(value)]
        return found


def is_loopback(host: str) -> bool:
    """Whether a host name or address is reachable only from this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def parse_address(text: str) -> tuple[str, int]:
    """Host and port of `HOST:PORT`, `HOST` or `:PORT`; an IPv6 address is in brackets."""
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        port = rest.removeprefix(":")
    else:
        host, _, port = text.partition(":")
    if port and not (port.isdecimal() and len(port) <= 5):
        raise OptionsError(f"{text!r} is not HOST:PORT")
    return host or "127.0.0.1", int(port or 0)


def parser() -> argparse.ArgumentParser:
    """The command line of `python -m glboard_core.demo`."""
    made = argparse.ArgumentParser(
        prog="python -m glboard_core.demo",
        description="Run the embedded GitLab; prints GITLAB_HOST, GLBOARD_GROUP and GITLAB_TOKEN first.",
    )
    default = DemoOptions()
    made.add_argument(
        "--serve",
        metavar="HOST:PORT",
        default="127.0.0.1:0",
        help="address to serve on; port 0 is any free one",
    )
    made.add_argument("--scenario", metavar="FILE", help="load the world from a file")
    made.add_argument(
        "--size",
        choices=SIZES,
        default=default.size,
        help="a team's world, or an organisation's of 100,000 issues",
    )
    made.add_argument(
        "--issues",
        type=int,
        default=default.issues,
        metavar="N",
        help="number of issues in a generated world",
    )
    made.add_argument(
        "--unplaced",
        type=int,
        default=default.unplaced,
        metavar="PERCENT",
        help="issues without a place in the order, in percent",
    )
    made.add_argument(
        "--seed", type=int, default=default.seed, metavar="S", help="seed of the generated world"
    )
    made.add_argument("--flow", choices=FLOWS, default=default.flow, help="where issues have their state")
    made.add_argument("--as-of", metavar="TIME", help="start time of the world's clock")
    made.add_argument(
        "--user", metavar="NAME", help="user to sign in as, such as eng_alder (default: the EM)"
    )
    made.add_argument(
        "--latency", type=float, default=0, metavar="MS", dest="latency_ms", help="delay of every request"
    )
    made.add_argument(
        "--faults", default="", metavar="SPEC", help="random faults, such as 429:0.1,reset-after:0.05"
    )
    made.add_argument("--rate-limit", type=int, metavar="N", help="requests per minute")
    made.add_argument(
        "--plain-headers", action="store_true", help="send no Date and RateLimit headers, as without a proxy"
    )
    made.add_argument("--tier", choices=TIERS, default=default.tier, help="licence tier")
    made.add_argument(
        "--edition", choices=EDITIONS, default=default.edition, help="enterprise or community edition"
    )
    made.add_argument(
        "--gitlab-version", choices=VERSIONS, default=default.gitlab_version, help="GitLab version to emulate"
    )
    made.add_argument(
        "--relative-url", default="", metavar="PATH", help="serve under a path, such as /gitlab"
    )
    made.add_argument(
        "--token-life",
        type=int,
        default=default.token_life,
        metavar="SECONDS",
        help="end OAuth access tokens after this time",
    )
    made.add_argument("--approve", action="store_true", help="grant OAuth sign-ins without a click")
    made.add_argument("--allow-remote", action="store_true", help="allow connections from other machines")
    made.add_argument("--with-parent", action="store_true", help="exit when standard input closes")
    return made


def parse(arguments: Sequence[str]) -> DemoOptions:
    """Options from a command line; invalid ones exit with status 2, as argparse does."""
    made = parser()
    values = vars(made.parse_args(arguments))
    try:
        host, port = parse_address(values.pop("serve"))
        options = DemoOptions(host=host, port=port, **values)
        options.check()
    except OptionsError as error:
        made.error(str(error))
    return options


_PATIENCE = 20.0
_WANTED = ("GITLAB_HOST", "GLBOARD_GROUP", "GITLAB_TOKEN")


class SpawnError(RuntimeError):
    """The child did not start; the message is its output."""


@dataclass(slots=True)
class SpawnedDemo:
    """A running child."""

    url: str
    token: str
    group: str
    _process: subprocess.Popen[bytes] = field(repr=False)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def stop(self) -> None:
        """Stops it; calling it twice does no harm."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> SpawnedDemo:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def spawn(options: DemoOptions | None = None) -> SpawnedDemo:
    """Starts a child and waits until it serves. Raises SpawnError, or OptionsError before that."""
    chosen = replace(options or DemoOptions(), with_parent=True)
    chosen.check()
    # -P: nothing is imported from the current folder.
    command = [sys.executable, "-P", "-m", "glboard_core.demo", *chosen.arguments()]
    environment = for_child()
    source = str(Path(__file__).resolve().parents[3])
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (source, environment.get("PYTHONPATH"))))
    with tempfile.TemporaryFile() as said:
        # In its own session, the child does not receive the Ctrl+C meant for the screen.
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            env=environment,
            start_new_session=True,
        )
        found = _read(process)
        if len(found) < len(_WANTED):
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()
            said.seek(0)
            message = said.read().decode("utf-8", "replace").strip()
            raise SpawnError(message or "the demo did not start")
    return SpawnedDemo(found["GITLAB_HOST"], found["GITLAB_TOKEN"], found["GLBOARD_GROUP"], process)


def _read(process: subprocess.Popen[bytes]) -> dict[str, str]:
    """The lines the child prints when it serves; fewer if it exits or takes too long."""
    output: IO[bytes] | None = process.stdout
    assert output is not None
    watchdog = threading.Timer(_PATIENCE, process.kill)
    watchdog.start()
    found: dict[str, str] = {}
    try:
        for line in output:
            name, _, value = line.decode("utf-8", "replace").strip().partition("=")
            if name in _WANTED:
                found[name] = value
            if len(found) == len(_WANTED):
                break
    finally:
        watchdog.cancel()
    return found
