"""Apps of the pictures: style sheets parsed once."""

from __future__ import annotations

from support.styles import parse_once

parse_once()
