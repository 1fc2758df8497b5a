"""Keyrings for tests, as a package ``keyring`` on the path: one that works, and those that do not."""

from __future__ import annotations

from pathlib import Path

#: A keyring of one file; what it does is changed by the file ``mode`` next to it.
_PACKAGE = """
import json, pathlib
from keyring import errors
_FILE = pathlib.Path({place!r})
def _mode():
    try: mode = (_FILE.parent / "mode").read_text()
    except OSError: mode = ""
    if mode == "locked": raise errors.KeyringLocked("Secret text of the keyring")
    if mode == "broken": raise AssertionError("Secret text of the keyring")
    return mode
def _read():
    return json.loads(_FILE.read_text()) if _FILE.exists() else {{}}
def get_password(service, user):
    _mode()
    return _read().get(f"{{service}} {{user}}")
def set_password(service, user, text):
    if _mode() == "null": return
    _FILE.write_text(json.dumps({{**_read(), f"{{service}} {{user}}": text}}))
def delete_password(service, user):
    _mode()
    kept = _read()
    if kept.pop(f"{{service}} {{user}}", None) is None: raise errors.PasswordDeleteError("no")
    _FILE.write_text(json.dumps(kept))
"""
_ERRORS = """
class KeyringError(Exception): ...
class KeyringLocked(KeyringError): ...
class PasswordDeleteError(KeyringError): ...
"""


class FakeKeyring:
    """A package in a folder that is put on the path of a program."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "modules"
        self._file = folder / "ring" / "ring.json"
        package = self.path / "keyring"
        package.mkdir(parents=True)
        self._file.parent.mkdir()
        (package / "__init__.py").write_text(_PACKAGE.format(place=str(self._file)))
        (package / "errors.py").write_text(_ERRORS)

    @property
    def text(self) -> str:
        """All that is kept in it."""
        return self._file.read_text() if self._file.exists() else ""

    def become(self, mode: str) -> None:
        """``locked``, ``broken`` (another error), ``null`` (keeps nothing), or "" to work."""
        (self._file.parent / "mode").write_text(mode)
