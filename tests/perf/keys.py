"""From a key to what it changes on the screen: time to the first and to the last byte, and bytes.

One program per size; keys one after another, each only when nothing has been written for a while. Whether a
key scrolled is seen on the screen.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from glboard_core.demo.http.process import DemoOptions, spawn
from perf.figures import Table, peak, worked
from perf.starts import COLUMNS, EMPTY, ROWS, header
from perf.worlds import account, column_of
from support.terminal import GLBOARD, Terminal

#: Silence after which a key has done what it does, and before the next one, in seconds.
QUIET = 0.08
#: Keys of one kind in a round.
MOVES = 20


@dataclass(frozen=True)
class Stroke:
    """One key: milliseconds to the first and last byte, bytes, milliseconds of processor time."""

    first: float
    last: float
    written: int
    worked: float


def press(terminal: Terminal, key: str) -> Stroke:
    """Press a key, and wait for silence. What it wrote is painted afterwards."""
    silence(terminal, QUIET)
    terminal.paints = False
    at, before = len(terminal.transcript), worked(terminal.pid)
    began = time.perf_counter()
    terminal.press(key)
    while not terminal.read(QUIET):
        if time.perf_counter() - began > 5:
            raise TimeoutError(f"nothing happened on {key!r}\n{terminal.screen.text}")
    while terminal.read(QUIET):
        pass
    pieces, after = terminal.transcript[at:], worked(terminal.pid)
    terminal.paints = True
    for _, data in pieces:
        terminal.screen.feed(data)
    return Stroke(
        first=(pieces[0][0] - began) * 1000,
        last=(pieces[-1][0] - began) * 1000,
        written=sum(len(data) for _, data in pieces),
        worked=after - before,
    )


def silence(terminal: Terminal, seconds: float) -> None:
    """Read until nothing has come for that long."""
    while terminal.read(seconds):
        pass


def top_card(terminal: Terminal) -> str:
    """The start of the first card of the first column: it changes when the column scrolls."""
    return terminal.screen.lines[5][2:24].strip()


def measure(table: Table, home: Path, sizes: Sequence[int], rounds: int) -> None:
    """Keys on columns of those sizes, and in the empty app."""
    table.head("Key to the first and to the last byte of what it changes (milliseconds), bytes a key")
    _empty(table, home, rounds)
    for size in sizes:
        options = DemoOptions(scenario=str(column_of(size, home)))
        with spawn(options) as server:
            arguments = [*GLBOARD, "open", "build"]
            began = time.perf_counter()
            with Terminal(
                arguments, home, columns=COLUMNS, rows=ROWS, environment=account(server)
            ) as terminal:
                terminal.wait(lambda text: header(text).endswith("live"), "all cards", 600)
                silence(terminal, 1.0)
                read = time.perf_counter() - began
                strokes = _session(terminal, rounds)
                memory = peak(terminal.pid)
        name = f"{size:,} cards"
        for what, some in strokes.items():
            _tell(table, name, what, some)
        table.add(name, "start to all read", "ms", [read * 1000])
        table.add(name, "peak memory", "MiB", [memory])


def _empty(table: Table, home: Path, rounds: int) -> None:
    with Terminal(EMPTY, home, columns=COLUMNS, rows=ROWS) as terminal:
        terminal.see("an empty app")
        silence(terminal, 0.5)
        _tell(table, "empty app", "any key", [press(terminal, "j") for _ in range(rounds * MOVES)])


def _session(terminal: Terminal, rounds: int) -> dict[str, list[Stroke]]:
    found: defaultdict[str, list[Stroke]] = defaultdict(list)
    for _ in range(rounds):
        scrolled = 0
        for _ in range(MOVES * 8):
            top = top_card(terminal)
            stroke = press(terminal, "j")
            moved = top_card(terminal) != top
            found["j, scrolling" if moved else "j, not scrolling"].append(stroke)
            scrolled += moved
            if scrolled >= 3:
                break
        for _ in range(3):
            found["Ctrl+D"].append(press(terminal, "\x04"))
        found["G (to the end)"].append(press(terminal, "G"))
        found["gg (to the top)"].append(_top(terminal))
        found["m (shows what can follow)"].append(press(terminal, "m"))
        # A lone Esc may be the start of another key, so it waits; the Kitty protocol has one of its own.
        found["Esc (hides it)"].append(press(terminal, "\x1b"))
        press(terminal, "m")
        found["Esc (hides it), Kitty"].append(press(terminal, "\x1b[27u"))
        found["Ctrl+P (opens the field to find anything)"].append(press(terminal, "\x10"))
        for letter in "card 77":
            found["a letter in it"].append(press(terminal, letter))
        press(terminal, "\x1b")
        for key in "LH":  # the focus goes with the card, and comes back with it
            found["L, H (move the card)"].append(press(terminal, key))
            terminal.wait(lambda text: "unsent" not in header(text), "GitLab to have it", 120)
            silence(terminal, 0.3)
    return found


def _top(terminal: Terminal) -> Stroke:
    press(terminal, "g")  # the strip of what can follow
    return press(terminal, "g")


def _tell(table: Table, name: str, what: str, strokes: Sequence[Stroke]) -> None:
    table.add(name, f"{what}: first", "ms", [stroke.first for stroke in strokes])
    table.add(name, f"{what}: last", "ms", [stroke.last for stroke in strokes])
    table.add(name, f"{what}: worked", "ms", [stroke.worked for stroke in strokes])
    table.add(name, f"{what}: wrote", "B", [stroke.written for stroke in strokes])
