"""What opens with a key: time to the last byte, bytes and processor time of opening it, and of Esc.

One program against a demo's world of the size asked for, in a terminal of 160 by 45. The first opening of
each kind also imports and parses what it needs, so it is told apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from glboard_core.demo.http.process import DemoOptions, spawn
from perf.figures import Table, wait_for_calm
from perf.keys import Stroke, press, silence
from perf.starts import COLUMNS, ROWS, header
from perf.worlds import account, world_of
from support.terminal import GLBOARD, Terminal

#: What opens, and the keys that open it; the last one is measured.
OPENINGS: dict[str, str] = {
    "find anything": "\x10",
    "issue": "\r",
    "help": "?",
    "labels": "t",
    "assignees": "a",
    "milestones": "m/",
    "comment": "c",
    "new issue": "n",
    "a question": "gL",
    "capacity pane": "gr",
    "candidates": "gc",
    "refinement": "gq",
    "own work": "go",
    "triage": "gt",
    "Say/Do": "gs",
    "mix": "gX",
    "end of milestone": "ge",
    "decisions": "gD",
    "walk": "gn",
    "change log": "gh",
    "connection": "gi",
    "filter": "/",
}
#: The Kitty protocol's Esc: a lone one waits for what it might become.
ESCAPE = "\x1b[27u"


def measure(table: Table, home: Path, sizes: Sequence[int], rounds: int) -> None:
    """Open and close everything, in worlds with that many open issues in scope."""
    table.head("Opening: key to the last byte (ms), processor time (ms), bytes; the first apart")
    for size in sizes:
        with spawn(DemoOptions(issues=world_of(size))) as server:
            arguments = [*GLBOARD, "open", "planning"]
            with Terminal(
                arguments, home, columns=COLUMNS, rows=ROWS, environment=account(server)
            ) as terminal:
                terminal.wait(lambda text: header(text).endswith("live"), "all cards", 600)
                silence(terminal, 3.0)
                for what, keys in OPENINGS.items():
                    _open(table, f"{size:,} issues", what, terminal, keys, rounds)


def _open(table: Table, name: str, what: str, terminal: Terminal, keys: str, rounds: int) -> None:
    opened: list[Stroke] = []
    closed: list[Stroke] = []
    for _ in range(rounds + 1):
        wait_for_calm(patience=1.0)
        for key in keys[:-1]:
            press(terminal, key)
        opened.append(press(terminal, keys[-1]))
        closed.append(press(terminal, ESCAPE))
        silence(terminal, 0.1)
    first, *others = opened
    table.add(name, f"{what}, first: last", "ms", [first.last])
    table.add(name, f"{what}, first: worked", "ms", [first.worked])
    table.add(name, f"{what}: last", "ms", [stroke.last for stroke in others])
    table.add(name, f"{what}: worked", "ms", [stroke.worked for stroke in others])
    table.add(name, f"{what}: wrote", "B", [stroke.written for stroke in others])
    table.add(name, f"{what}, Esc: last", "ms", [stroke.last for stroke in closed])
    table.add(name, f"{what}, Esc: worked", "ms", [stroke.worked for stroke in closed])
    table.add(name, f"{what}, Esc: wrote", "B", [stroke.written for stroke in closed])
