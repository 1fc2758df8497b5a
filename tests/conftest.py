"""How the whole suite runs: workers, generated examples, no test fails for being slow, no token is left."""

from __future__ import annotations

import gc
import os
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings

from support.token_watch import pytest_configure, pytest_sessionfinish, pytest_terminal_summary

__all__ = ["pytest_configure", "pytest_sessionfinish", "pytest_terminal_summary"]

# What the tests of a whole screen leave behind is collected too often by default: a tenth of the time.
gc.set_threshold(200_000, 50, 100)

# No test reads the configuration or the state of whoever runs it, nor leaves any there. Except pip's.
_ours = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
if (pip := _ours / "pip" / "pip.conf").is_file():
    os.environ.setdefault("PIP_CONFIG_FILE", str(pip))
_home = tempfile.TemporaryDirectory(prefix="glboard-tests-")
os.environ |= {
    f"XDG_{kind}_HOME": f"{_home.name}/{kind.lower()}" for kind in ("CONFIG", "STATE", "DATA", "CACHE")
}

settings.register_profile(
    "tests", deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("tests")


def pytest_xdist_auto_num_workers() -> int:
    """Three workers on two cores: a third of the time is spent waiting for servers, terminals and idle."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return cores + (cores + 1) // 2
