"""The person's own editor for longer texts: ``VISUAL``, ``EDITOR``, or a usual one."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import Any

from textual.app import App, SuspendNotSupported

from glboard_core.errors import ConfigError, GlboardError
from glboard_core.files import decoded, read_bytes
from glboard_core.model.clean_text import typed_body
from glboard_tui.terminal import editor_command, run_editor

_ANOTHER_EDITOR = "Set another, for example: export EDITOR=nano"
_NO_TERMINAL, _OWN_TERMINAL = "Cannot open an editor here.", "Start glboard in its own terminal."


def edit_in_editor(app: App[Any], text: str) -> str | None:
    """Return the text after the editor exits; None if it exits with an error.

    Raises GlboardError if there is no editor, or no terminal for it.
    """
    command = editor_command()
    handle, name = tempfile.mkstemp(prefix="glboard-", suffix=".md")  # mode 0600
    path = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        try:
            with app.suspend():
                status = run([*command, name])
        except SuspendNotSupported:
            raise GlboardError(_NO_TERMINAL, hint=_OWN_TERMINAL, title="Editor") from None
        return _written(path) if status == 0 else None
    except OSError as error:
        raise GlboardError(
            f"Cannot use the editor: {error.strerror or error}.",
            title="Editor",
            hint=_ANOTHER_EDITOR,
        ) from None
    finally:
        with contextlib.suppress(FileNotFoundError):
            path.unlink()


def edit_file(app: App[Any], path: Path) -> bool:
    """Open a file of a person's own in the editor; returns whether the editor ended without an error.

    Raises GlboardError if there is no editor, or no terminal for it.
    """
    command = editor_command()
    try:
        with app.suspend():
            return run([*command, str(path)]) == 0
    except SuspendNotSupported:
        raise GlboardError(_NO_TERMINAL, hint=_OWN_TERMINAL, title="Editor") from None
    except OSError as error:
        raise GlboardError(
            f"Cannot use the editor: {error.strerror or error}.", title="Editor", hint=_ANOTHER_EDITOR
        ) from None


def run(command: list[str]) -> int:
    """Run the editor until it exits; return its exit status."""
    return run_editor(command)


def _written(path: Path) -> str:
    """The text of a file, in whatever encoding the editor wrote it."""
    raw = read_bytes(path)
    try:
        text = decoded(raw, path.name)
    except ConfigError:
        try:
            text = raw.replace(b"\0", b"").decode()
        except UnicodeDecodeError:
            # An editor in a locale without UTF-8: every byte is a letter there.
            text = raw.decode("latin-1")
    return typed_body(text)
