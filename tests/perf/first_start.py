"""The very first start, over a slow line: from the process to the first cards, and to the whole board.

Nothing is on this machine, so all that is shown was read. How many cards a board has is asked of the command
line before; the rest of the scope may still be on its way when the board is whole, and is not waited for.
"""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from glboard_core.demo.http.process import DemoOptions, SpawnedDemo, spawn
from perf.figures import Table, peak
from perf.starts import CARD, COLUMNS, ROWS
from perf.worlds import account, world_of
from support.terminal import GLBOARD, Terminal, clean_environment

#: The board of the next milestone has some thirty cards in every world, the other one nearly all there are.
SMALL, LARGE = "planning", "milestones"
#: More issues than these are not waited for.
MOST = 10_000


def measure(table: Table, home: Path, sizes: Sequence[int], runs: int, latency: float) -> None:
    """First starts on worlds of those sizes, every answer delayed by ``latency`` milliseconds."""
    table.head(f"Very first start at {latency:g} ms latency to … (milliseconds)")
    for size in sizes:
        options = DemoOptions(issues=world_of(size), latency_ms=latency)
        with spawn(options) as server:
            for board in (SMALL, LARGE) if size <= MOST else (SMALL,):
                whole = _whole(server, home, board)
                found = [_start(server, home, board, whole) for _ in range(runs)]
                name = f"{size:,} issues, {board}"
                table.add(name, "first cards", "ms", [cards for cards, _, _ in found])
                table.add(name, "whole board", "ms", [board for _, board, _ in found])
                table.add(name, "memory then", "MiB", [memory for _, _, memory in found])


def _whole(server: SpawnedDemo, home: Path, board: str) -> Callable[[str], bool]:
    """What sees that every column says how many cards it has."""
    done = subprocess.run(
        [*GLBOARD, "show", board, "--format", "json"],
        env={**clean_environment(home), **account(server)},
        capture_output=True,
        text=True,
        check=True,
    )
    columns = [column for column in json.loads(done.stdout)["columns"] if column["count"]]
    heads = [
        re.compile(rf"■ {re.escape(column['name'].rpartition('::')[2])} +{column['count']}\b")
        for column in columns
    ]
    # Where not every name is on the screen in full, the header has the sum.
    total = f" {sum(column['count'] for column in columns)} issues"
    return lambda text: total in text or all(head.search(text) for head in heads)


def _start(
    server: SpawnedDemo, home: Path, board: str, whole: Callable[[str], bool]
) -> tuple[float, float, float]:
    """Milliseconds to the first cards and to the whole board, and MiB then."""
    fresh = Path(tempfile.mkdtemp(dir=home))
    arguments = [*GLBOARD, "open", board]
    with Terminal(arguments, fresh, columns=COLUMNS, rows=ROWS, environment=account(server)) as terminal:
        began = time.perf_counter()
        terminal.wait(lambda text: CARD.search(text) is not None, "the first cards", 120)
        cards = time.perf_counter()
        terminal.wait(whole, "the whole board", 600)
        read = time.perf_counter()
        memory = peak(terminal.pid)
    return (cards - began) * 1000, (read - began) * 1000, memory
