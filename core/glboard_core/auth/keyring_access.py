"""The system's keyring, through the optional package ``keyring``: read, write, delete, and why it cannot be.

Owns the errors of that package and of what it uses. It is imported on use: it takes longer than the start. It
can wait for a person to unlock it, so callers on the event loop use a thread.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

from glboard_core import logfile
from glboard_core.gitlab.account import Secret


class KeyringUnusable(Exception):
    """The keyring cannot be used; the text says why, in a few words."""


def is_installed() -> bool:
    """Whether the optional package is installed; whether it works is known on use."""
    from importlib.util import find_spec

    try:
        return find_spec("keyring") is not None
    except (ImportError, ValueError):
        return False


def install_command(prefix: str = sys.prefix) -> str:
    """The command that installs the optional package next to glboard, however that was installed."""
    parts = Path(prefix).parts
    if "pipx" in parts:
        return "pipx inject glboard keyring"
    place = logfile.short(Path(prefix))
    if "uv" in parts and "tools" in parts:
        return f"uv pip install --python {place} keyring"
    return f"{place}/bin/python -m pip install keyring"


def trouble() -> str:
    """Why the keyring cannot be used, in a few words; "" if it can, as far as reading tells."""
    try:
        read("glboard", "")
    except KeyringUnusable as problem:
        return str(problem)
    return ""


def read(service: str, user: str) -> Secret | None:
    """What is kept there; None for nothing. Raises KeyringUnusable."""
    found = _call("get_password", service, user)
    return Secret(found) if isinstance(found, str) and found else None


def write(service: str, user: str, secret: Secret) -> None:
    """Keep a secret. Raises KeyringUnusable, also if it was not kept: some backends keep nothing."""
    _call("set_password", service, user, secret.reveal())
    if read(service, user) != secret:
        raise KeyringUnusable("it stores nothing")


def delete(service: str, user: str) -> None:
    """Forget a secret; one that is not there is no error. Raises KeyringUnusable."""
    if read(service, user) is not None:
        _call("delete_password", service, user)


def _call(name: str, *arguments: str) -> Any:
    try:
        package = importlib.import_module("keyring")
        trouble = importlib.import_module("keyring.errors").KeyringError
    except ImportError:
        raise KeyringUnusable("the package keyring is not installed") from None
    try:
        return getattr(package, name)(*arguments)
    except trouble:
        pass  # its text can hold anything
    except Exception as problem:  # noqa: BLE001  (backends raise what the system's libraries raise)
        raise KeyringUnusable(f"it failed with {type(problem).__name__}") from None
    raise KeyringUnusable("it is locked or not available")
