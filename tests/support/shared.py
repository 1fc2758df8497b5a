"""The path of the reference material that some tests compare with; they skip if it is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = Path(__file__).parents[2].parent / "shared"
SCENARIO = SHARED / "scenario" / "custom-models-19.json"

needs_scenario = pytest.mark.skipif(
    not SCENARIO.is_file(), reason="the sample scenario (../shared/scenario) is not beside this checkout"
)
