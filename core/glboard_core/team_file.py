"""Reading and writing ``team.toml``: whole or not at all, and never over what somebody else wrote.

Owns the file on disk: a change is written beside it and put in its place in one step, readable by its owner
alone where it is new. What stands in it is ``planning.team``'s.
"""

from __future__ import annotations

import os
from pathlib import Path

from glboard_core.errors import ConfigError, FileChanged


def read(path: Path) -> str | None:
    """The text as it is, line ends included; None where there is no file. Raises ConfigError."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return file.read()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot be read: {error}", where=str(path)) from None


def write(path: Path, text: str, *, seen: str | None) -> None:
    """Put ``text`` in the file's place, if that still holds what was ``seen`` (None: no file).

    Permissions stay as they are; a new file is its owner's alone. Raises FileChanged, and ConfigError where
    it cannot be written: in both cases the file is as it was.
    """
    import tempfile  # not before somebody edits: its own imports are many

    # A link (to a folder of settings under version control, say) stays a link.
    target = Path(os.path.realpath(path))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    except OSError as error:
        raise _unwritable(path, error) from None
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            os.chmod(name, target.stat().st_mode & 0o777)
        # The last look, as late as it can be.
        if read(path) != seen:
            raise FileChanged(
                "was changed by someone else in the meantime; nothing was written.", where=str(path)
            )
        os.replace(name, target)
    except OSError as error:
        raise _unwritable(path, error) from None
    finally:
        Path(name).unlink(missing_ok=True)


def remove(path: Path, *, seen: str) -> None:
    """Take a file away that still holds what was ``seen``. Raises FileChanged, and ConfigError."""
    if read(path) != seen:
        raise FileChanged("was changed by someone else in the meantime; the file was kept.", where=str(path))
    try:
        path.unlink()
    except OSError as error:
        raise _unwritable(path, error) from None


def _unwritable(path: Path, error: OSError) -> ConfigError:
    return ConfigError(
        f"cannot be written: {error.strerror or error}",
        where=str(path),
        hint="Nothing was changed. Check the folder's permissions and the free disk space.",
    )
