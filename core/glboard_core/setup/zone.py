"""This machine's time zone by its name in the zone database, as far as it tells.

Standard library only. Reads what the system has: TZ, the link at /etc/localtime, /etc/timezone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from zoneinfo import ZoneInfo

_FOLDER = "/zoneinfo/"
#: Other names of UTC.
_UTC = ("Etc/UTC", "Etc/UCT", "Etc/Universal", "Etc/Zulu", "UCT", "Universal", "Zulu", "GMT", "Etc/GMT")


def local_zone(env: Mapping[str, str] | None = None, root: Path = Path("/")) -> str:
    """The name, such as ``Europe/Berlin``; UTC if none is known."""
    found = next(filter(is_zone, _names(os.environ if env is None else env, root)), "UTC")
    return "UTC" if found in _UTC else found


def is_zone(name: str) -> bool:
    """Whether the zone database has it."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def _names(env: Mapping[str, str], root: Path) -> Iterator[str]:
    if text := env.get("TZ", "").lstrip(":"):
        yield text
        return
    with suppress(OSError):
        yield str((root / "etc/localtime").resolve()).partition(_FOLDER)[2]
    with suppress(OSError, UnicodeDecodeError):
        yield (root / "etc/timezone").read_text("utf-8").strip()[:100]
