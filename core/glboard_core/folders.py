"""The folders that glboard has on this machine, by the customs of the system.

The library that knows them is imported on first use: most starts are given a file, or need none.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

#: What they are called, everywhere.
APP = "glboard"


def state_folder() -> Path:
    """Where state files, sign-ins and the last board are kept."""
    from platformdirs import user_state_path

    return user_state_path(APP)


def state_folder_of(env: Mapping[str, str], home: Path) -> Path:
    """The state folder of another environment and home than those of this process."""
    return Path(env.get("XDG_STATE_HOME") or home / ".local" / "state") / APP


def config_folder() -> Path:
    """Where the configuration is."""
    from platformdirs import user_config_path

    return user_config_path(APP)


def log_folder() -> Path:
    """Where the log is."""
    from platformdirs import user_log_path

    return user_log_path(APP)
