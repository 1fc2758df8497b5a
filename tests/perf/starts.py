"""From the start of the process to the first board, compared with the start of an empty app.

Every round starts each kind once, so that what else the machine does falls on all of them alike. What was
written is painted afterwards, piece by piece, to find when something could first be seen.
"""

from __future__ import annotations

import re
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from glboard_core.demo.http.process import DemoOptions, spawn
from perf.figures import Table, peak, spent, wait_for_calm
from perf.worlds import account, scope_of, world_of
from support.terminal import GLBOARD, Screen, Terminal

COLUMNS, ROWS = 160, 45
#: Silence after which a program has painted what it wants to, in seconds.
QUIET = 0.4
#: When waiting for a program is given up, in seconds.
PATIENCE = 120.0
#: The end of a frame, where the terminal shows it (synchronised output).
FRAME_END = b"\x1b[?2026l"

HEAD = "Start of the process to … (milliseconds; × is against the empty app of the same round)"

EMPTY = (sys.executable, str(Path(__file__).with_name("empty.py")))

CARD = re.compile(r"[\w…-]#\d+ ")
_COUNT = re.compile(r"■ bug +\d+  ")

Seen = Callable[[str], object]


@dataclass(frozen=True)
class Kind:
    """Something to start: what must be on the screen, by name, the last one at the end."""

    name: str
    arguments: Sequence[str]
    sights: Mapping[str, Seen]
    #: The bytes that come with the last sight; only then silence means that it is done.
    last: re.Pattern[bytes]
    environment: Mapping[str, str] = field(default_factory=dict)
    #: Start with an empty home each time, so that nothing is there from the start before.
    fresh: bool = False


@dataclass
class Run:
    """One start: milliseconds by sight, and of processor time until then, MiB, bytes."""

    sights: dict[str, float]
    spent: dict[str, float]
    memory: float
    written: int


def header(text: str) -> str:
    """The first line."""
    return text.partition("\n")[0]


def glboard(
    name: str, environment: Mapping[str, str], *arguments: str, cards: bool = True, fresh: bool = False
) -> Kind:
    """The program on a board."""
    return Kind(
        name,
        [*GLBOARD, *arguments, "open", "planning"],
        {
            "first frame": lambda text: "Planning" in header(text),
            "first board": CARD.search if cards else _COUNT.search,
            "all read": lambda text: header(text).endswith("live"),
        },
        re.compile(rb"live"),
        environment,
        fresh,
    )


def empty() -> Kind:
    """The empty app."""
    return Kind(
        "empty app", EMPTY, {"first frame": lambda text: "an empty app" in text}, re.compile(rb"empty")
    )


def start(kind: Kind, home: Path) -> Run:
    """Start once, wait for the last sight and silence, leave."""
    if kind.fresh:
        home = Path(tempfile.mkdtemp(dir=home))
    wait_for_calm()
    with Terminal(kind.arguments, home, columns=COLUMNS, rows=ROWS, environment=kind.environment) as terminal:
        terminal.paints = False
        last_seen = False
        clock: list[tuple[float, float]] = []
        while True:
            data = terminal.read(QUIET)
            clock.append((time.perf_counter(), spent(terminal.pid)))
            last_seen = last_seen or kind.last.search(data) is not None
            now = terminal.transcript[-1][0] if terminal.transcript else terminal.started
            if not data and last_seen:
                break
            if now - terminal.started > PATIENCE:
                raise TimeoutError(f"{kind.name} did not come up")
        memory = peak(terminal.pid)
        pieces = len(terminal.transcript)
        terminal.press("q")
        terminal.finish()
        del terminal.transcript[pieces:]
    sights = _when(kind.sights, terminal)
    return Run(
        sights=sights,
        spent={
            name: next(used for at, used in clock if (at - terminal.started) * 1000 >= seen)
            for name, seen in sights.items()
        },
        memory=memory,
        written=sum(len(data) for _, data in terminal.transcript),
    )


def _when(sights: Mapping[str, Seen], terminal: Terminal) -> dict[str, float]:
    """When each sight was first on the screen: at the end of the frame that brought it."""
    screen = Screen(COLUMNS, ROWS)
    found: dict[str, float] = {}
    waiting: list[str] = []
    in_frame = False
    for at, data in terminal.transcript:
        screen.feed(data)
        if (end := data.rfind(FRAME_END)) >= 0:
            in_frame = data.rfind(b"\x1b[?2026h") > end
        else:
            in_frame = in_frame or b"\x1b[?2026h" in data
        text = screen.text
        waiting += [
            name for name, seen in sights.items() if name not in found and name not in waiting and seen(text)
        ]
        if waiting and (end >= 0 or not in_frame):
            found.update(dict.fromkeys(waiting, (at - terminal.started) * 1000))
            waiting = []
    missing = set(sights) - set(found)
    if missing:
        raise RuntimeError(f"never seen: {', '.join(sorted(missing))}\n{screen.text}")
    return found


def measure(table: Table, home: Path, sizes: Sequence[int], runs: int) -> None:
    """Starts on an empty scope and on worlds of those sizes, and of the empty app.

    A first start has nothing on this machine; the others find what the start before them kept.
    """
    nobody = home / "nobody.toml"
    nobody.write_text('[labels]\ngroup = "group::nobody"\n')
    servers = [spawn(DemoOptions(issues=world_of(size))) for size in sizes]
    try:
        kinds = [empty()]
        if servers:
            config = ("--config", str(nobody))
            kinds.append(glboard("0 issues", account(servers[0]), *config, cards=False, fresh=True))
        for server in servers:
            size = scope_of(server, home)
            kinds.append(glboard(f"{size:,} issues, first start", account(server), fresh=True))
            kinds.append(glboard(f"{size:,} issues, mirror there", account(server)))
        table.head(HEAD)
        compare(table, home, kinds, runs)
    finally:
        for server in servers:
            server.stop()


def compare(table: Table, home: Path, kinds: Sequence[Kind], runs: int) -> None:
    """Start each kind so many times, in turns; the first one is what the others are compared with."""
    measured: dict[str, list[Run]] = {kind.name: [] for kind in kinds}
    for turn in range(runs + 1):
        for kind in kinds:
            run = start(kind, home)
            if turn:  # the first round only warms caches
                measured[kind.name].append(run)
    _tell(table, kinds, measured)


def _tell(table: Table, kinds: Sequence[Kind], measured: Mapping[str, Sequence[Run]]) -> None:
    base = [run.sights["first frame"] for run in measured[kinds[0].name]]
    for kind in kinds:
        runs = measured[kind.name]
        for sight in kind.sights:
            values = [run.sights[sight] for run in runs]
            table.add(kind.name, sight, "ms", values)
            table.add(kind.name, f"{sight}, processor", "ms", [run.spent[sight] for run in runs])
            if kind is not kinds[0]:
                table.add(kind.name, sight, "×", [v / b for v, b in zip(values, base, strict=True)])
        table.add(kind.name, "peak memory", "MiB", [run.memory for run in runs])
        table.add(kind.name, "written", "B", [run.written for run in runs])
