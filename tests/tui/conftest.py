"""Apps of all tests on screen: no animations, colours on, style sheets parsed once."""

from __future__ import annotations

import pytest

from glboard_tui import app
from support.styles import parse_once

parse_once()


@pytest.fixture(autouse=True)
def _plain_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEXTUAL_ANIMATIONS", "none")
    monkeypatch.delenv("NO_COLOR", raising=False)
    # What was told stays to be read, however slow the machine is.
    monkeypatch.setattr(app, "_READ", 600.0)
