"""How the whole suite runs: workers, generated examples, and that no test fails for being slow."""

from __future__ import annotations

import gc
import os

from hypothesis import HealthCheck, settings

# What the tests of a whole screen leave behind is collected too often by default: a tenth of the time.
gc.set_threshold(200_000, 50, 100)

settings.register_profile(
    "tests", deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("tests")


def pytest_xdist_auto_num_workers() -> int:
    """Three workers on two cores: a third of the time is spent waiting for servers, terminals and idle."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return cores + (cores + 1) // 2
