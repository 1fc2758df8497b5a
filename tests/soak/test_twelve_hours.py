"""Twelve hours of polling, a thousand times as fast: no growing memory, file or number of connections.

The server is another process, so that what is measured is the program. Run as
``python -m pytest -n0 -s tests/soak/test_twelve_hours.py``.
"""

from __future__ import annotations

from pathlib import Path

from support.long_session import assert_flat, live


def test_twelve_hours_leave_nothing_behind(tmp_path: Path) -> None:
    day = live(tmp_path / "state.sqlite3", polls=4_320)
    print(day.line())
    assert_flat(day)
