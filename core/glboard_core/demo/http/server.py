"""The embedded GitLab as an object: for tests, and for `glboard demo`.

Runs uvicorn in a background thread of this process. Owns the socket, the tokens and the thread; what is
served is `gate`'s. Stopping and starting again keeps port, tokens and world, which is what "offline" means.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from datetime import date, datetime
from types import FrameType, TracebackType

from glboard_core.demo.http import gate
from glboard_core.demo.http.cable import MOST_MESSAGE, Cable
from glboard_core.demo.http.faults import Faults, FaultSpecError
from glboard_core.demo.http.gate import Gate, Settings
from glboard_core.demo.http.journal import Journal
from glboard_core.demo.http.oauth import OAuth, Token
from glboard_core.demo.http.process import DemoOptions, OptionsError, is_loopback
from glboard_core.demo.http.transport import Server, configure, listen
from glboard_core.demo.sample.generated import default_world
from glboard_core.demo.sample.scenario import ScenarioError, load_scenario
from glboard_core.demo.world.clock import Clock, moment, parse_time
from glboard_core.demo.world.world import World
from glboard_core.model.printable import printable

_PATIENCE = 10.0


class ServerStuckError(RuntimeError):
    """The server did not start or stop in time."""


class DemoServer:
    """A GitLab on loopback. The limits of requests, notes and new issues are per minute and user; None is
    no limit."""

    def __init__(
        self,
        world: World,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        latency_ms: float = 0,
        faults: str | Faults | None = None,
        relative_url: str = "",
        token: str | None = None,
        rate_limit: int | None = None,
        note_limit: int | None = None,
        issue_limit: int | None = None,
        plain_headers: bool = False,
        token_life: float = 7200,
        approve: bool = False,
    ) -> None:
        self.world = world
        self.faults = faults if isinstance(faults, Faults) else Faults.parse(faults or "")
        prefix = relative_url.strip("/")
        names = frozenset() if is_loopback(host) else frozenset({host.lower(), socket.gethostname().lower()})
        self.settings = Settings(latency_ms, f"/{prefix}" if prefix else "", plain_headers, names)
        self.token = token or gate.mint()
        self._tokens = {self.token: Token(world.owner, "api")}
        self._gate = Gate(
            world,
            self.faults,
            self.settings,
            self._tokens,
            rate_limit=rate_limit,
            note_limit=note_limit,
            issue_limit=issue_limit,
        )
        self.oauth.life, self.oauth.approves = token_life, approve
        self._host, self._port = host, port
        self._server: Server | None = None
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def requests(self) -> Journal:
        """The request log."""
        return self._gate.journal

    @property
    def cable(self) -> Cable:
        """Its live events."""
        return self._gate.cable

    @property
    def oauth(self) -> OAuth:
        """Its sign-ins."""
        return self._gate.oauth

    @property
    def url(self) -> str:
        """Its address, without a trailing slash; the port is known once it was started."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}{self.settings.relative_url}"

    def token_for(self, username: str, scope: str = "api") -> str:
        """One more token, of any user; scope `granular` is a fine-grained one with all permissions."""
        made = gate.mint()
        self._tokens[made] = Token(self.world.user(username), scope)
        return made

    def expire(self, token: str) -> None:
        """Expires a token."""
        self._tokens[token].state = "expired"

    def ends(self, token: str, on: date) -> None:
        """Gives a token a last day."""
        self._tokens[token].expires = on

    def revoke(self, token: str) -> None:
        """Revokes a token."""
        self._tokens[token].state = "revoked"

    def rescope(self, token: str, scope: str) -> None:
        """Gives a token another scope, as if it had been exchanged."""
        self._tokens[token].scope = scope

    def block(self, token: str) -> None:
        """Blocks the account of a token."""
        self._tokens[token].state = "blocked"

    def limit(self, rate: int | None) -> None:
        """Sets the rate limit per user and minute."""
        self._gate.requests.limit = rate

    def start(self) -> DemoServer:
        """Serves; returns when it does."""
        bound = listen(self._host, self._port)
        self._port = bound.getsockname()[1]
        server = self._server = Server(configure(self._gate, MOST_MESSAGE), self._started)
        self._thread = threading.Thread(
            target=server.run, kwargs={"sockets": [bound]}, name="glboard-demo", daemon=True
        )
        self._thread.start()
        if not server.serving.wait(_PATIENCE):
            raise ServerStuckError("the demo server did not start")
        return self

    def _started(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._gate.stopping = asyncio.Event()

    def stop(self) -> None:
        """Stops serving; running requests are cut off."""
        if self._server is None or self._thread is None or self._loop is None:
            return
        for event in (self._gate.stopping, self._server.ending):
            if event is not None:
                self._loop.call_soon_threadsafe(event.set)
        self._thread.join(_PATIENCE)
        if self._thread.is_alive():
            raise ServerStuckError("the demo server did not stop")
        self._server = self._thread = self._loop = None

    def restart(self) -> None:
        """Stops and starts on the same port, with the same tokens and world."""
        self.stop()
        self.start()

    def __enter__(self) -> DemoServer:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> DemoServer:
        return await asyncio.to_thread(self.start)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.stop)


# Runs the embedded GitLab until it is told to stop: what `glboard demo --serve` does.


def build_world(options: DemoOptions) -> World:
    """The world the options describe. Raises ScenarioError or OptionsError."""
    clock = Clock(_start(options.as_of)) if options.as_of else None
    tier, edition, version = options.tier, options.edition, options.gitlab_version
    if options.scenario:
        world = load_scenario(options.scenario, clock=clock, tier=tier, edition=edition, version=version)
    elif options.size == "org":
        from glboard_core.demo.sample.organisation import organisation

        world = organisation(
            seed=options.seed, unplaced=options.unplaced, clock=clock, tier=tier, edition=edition,
            version=version,
        )  # fmt: skip
    else:
        world = default_world(
            seed=options.seed,
            issues=options.issues,
            unplaced=options.unplaced,
            clock=clock,
            tier=tier,
            edition=edition,
            version=version,
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
        plain_headers=options.plain_headers,
        token_life=options.token_life,
        approve=options.approve,
    )


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _complain(text: str) -> None:
    # It repeats what stands in a scenario, which somebody else may have written.
    sys.stderr.write(f"glboard demo: {printable(text)}\n")


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
        _complain(str(error))
        return 2
    except ScenarioError as error:
        _complain(str(error))
        return 1
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_signal)
    try:
        server.start()
    except OSError as error:
        _complain(f"cannot listen on {options.host}:{options.port}: {error.strerror}")
        return 1
    _say(f"GITLAB_HOST={server.url}")
    _say(f"GLBOARD_GROUP={server.world.root.full_path}")
    _say(f"GITLAB_TOKEN={server.token}")
    if options.with_parent:
        _watch_parent(done.set)
    done.wait()
    server.stop()
    return 0
