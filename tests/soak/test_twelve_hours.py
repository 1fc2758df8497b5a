"""Twelve hours of polling, a thousand times as fast: no growing memory, file or number of connections.

The server is another process, so that what is measured is the program. Run as
``python -m pytest -n0 -s tests/soak/test_twelve_hours.py``.
"""

from __future__ import annotations

from pathlib import Path

from support.steady import Day, live


async def test_twelve_hours_leave_no_trace(tmp_path: Path) -> None:
    day = await live(tmp_path / "state.sqlite3", polls=4_320)
    print(day.line())
    assert_flat(day)


def assert_flat(day: Day) -> None:
    """What was there after the first quarter is there at the end, and no more."""
    assert day.connections_at_end <= day.connections_early
    assert day.file_at_end <= day.file_early * 1.1
    assert day.memory_at_end <= day.memory_early + 400_000
