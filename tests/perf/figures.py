"""Figures, their minimum, median and maximum, and the table they are printed in as they come."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from statistics import median


@dataclass(frozen=True)
class Figure:
    """What was measured, where, in which unit, and every single value."""

    name: str
    what: str
    unit: str
    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle value."""
        return median(self.values)

    @property
    def line(self) -> str:
        """Name, what, minimum, median, maximum, unit, number of values."""
        digits = 2 if self.unit == "×" else 1 if self.unit == "ms" else 0
        three = (min(self.values), self.median, max(self.values))
        numbers = "".join(f"{value:>12,.{digits}f}" for value in three)
        return f"{self.name:<32} {self.what:<26}{numbers} {self.unit:<4} n={len(self.values)}"


@dataclass
class Table:
    """Figures, printed as they are added."""

    figures: list[Figure] = field(default_factory=list)

    def head(self, title: str) -> None:
        """Begin a part."""
        print(f"\n{title}\n{'':<59}{'min':>12}{'median':>12}{'max':>12}", flush=True)

    def add(self, name: str, what: str, unit: str, values: Sequence[float]) -> None:
        """Add a figure; one without a value (nothing of the kind happened) is left out."""
        if values:
            figure = Figure(name, what, unit, tuple(values))
            self.figures.append(figure)
            print(figure.line, flush=True)

    def as_data(self) -> list[dict[str, object]]:
        """For JSON."""
        return [
            {"name": f.name, "what": f.what, "unit": f.unit, "values": [round(v, 3) for v in f.values]}
            for f in self.figures
        ]


def machine() -> str:
    """What the figures were taken on, in a line."""
    return (
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}, Textual {version('textual')}"
    )


def wait_for_calm(share: float = 0.8, patience: float = 20.0) -> None:
    """Wait until so much of the processors is idle, on a machine shared with others; not for ever."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        idle, total = _processors()
        time.sleep(0.15)
        later_idle, later_total = _processors()
        if later_idle - idle >= share * (later_total - total):
            return


def _processors() -> tuple[int, int]:
    """Ticks that all processors were idle, and all their ticks."""
    ticks = [int(part) for part in Path("/proc/stat").read_text().partition("\n")[0].split()[1:9]]
    return ticks[3] + ticks[4], sum(ticks)


def spent(pid: int) -> float:
    """Milliseconds of processor time that a process has used so far: they depend less on who else runs."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def worked(pid: int) -> float:
    """Milliseconds that a process has run so far, to the microsecond; 0 where that is not told."""
    tasks = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e6


def peak(pid: int) -> float:
    """The most memory a process has held so far, in MiB; raises OSError where there is no /proc."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise OSError("no VmHWM")
