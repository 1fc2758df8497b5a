"""Many polls leave nothing behind. The long form, twelve hours, is ``tests/soak/test_twelve_hours.py``."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.long_session import assert_flat, live


@pytest.mark.slow
def test_many_polls_leave_nothing_behind(tmp_path: Path) -> None:
    assert_flat(live(tmp_path / "state.sqlite3", polls=240))
