"""Time zones by their names in the zone database, also where a system has none.

Standard library only.
"""

from __future__ import annotations

from io import BytesIO
from zoneinfo import ZoneInfo

#: UTC as a file of the database: one type of time, without any change.
_UTC = b"TZif" + bytes(35) + b"\x01\0\0\0\x04" + bytes(6) + b"UTC\0"


def zone_named(name: str) -> ZoneInfo:
    """The zone; UTC needs no database. Raises KeyError, ValueError or OSError for what is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, OSError):
        if name != "UTC":
            raise
    return ZoneInfo.from_file(BytesIO(_UTC), key=name)


def has_database() -> bool:
    """Whether there is a zone database at all."""
    try:
        ZoneInfo("Europe/London")
    except (KeyError, OSError):
        return False
    return True
