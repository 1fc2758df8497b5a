"""Keeps a configuration file that the set-up wrote, and the one that was there before.

Owns the file on disk: written as a whole or not at all, readable only by its owner, never without a copy of
what it replaces.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Literal

from glboard_core.errors import ConfigError
from glboard_core.setup.proposal import Proposal
from glboard_core.setup.write import config_text, merged_text
from glboard_core.store import team_file

How = Literal["new", "replace", "merge"]
"""Write a file where there is none, replace the one that is there, or add to it what it does not say."""

#: Copies of earlier files at most; then one is to be removed by hand.
_MOST_COPIES = 99


def existing(path: Path) -> str | None:
    """The text of the file; None if there is none. Raises ConfigError."""
    return team_file.read(path)


def text_of(
    proposal: Proposal,
    today: date,
    *,
    how: How,
    before: str | None,
    more: Mapping[str, object] | None = None,
) -> str:
    """The text that will be written, with ``more`` in [gitlab].

    Raises ConfigError if the file to merge with is not TOML.
    """
    if how == "merge" and before is not None:
        return merged_text(before, proposal, more=more)
    return config_text(proposal, today, more=more)


def save(path: Path, text: str, *, seen: str | None) -> Path | None:
    """Write the file, if it still is what was ``seen``. Returns the copy of what was there, if anything was.

    Raises FileChanged and ConfigError.
    """
    copy = None
    if seen is not None and seen != text:
        copy = _copy_of(path)
        team_file.write(copy, seen, seen=None)
    team_file.write(path, text, seen=seen)
    return copy


def _copy_of(path: Path) -> Path:
    for number in range(1, _MOST_COPIES + 1):
        copy = path.with_name(f"{path.name}.bak{'' if number == 1 else number}")
        if not copy.exists():
            return copy
    raise ConfigError(
        f"cannot replace this file: there are already {_MOST_COPIES} backups.",
        where=str(path),
        hint="Delete the backups you no longer need (config.toml.bak…).",
    )
