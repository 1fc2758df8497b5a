"""Title and description in the person's own editor.

Owns the temporary file: readable by nobody else, and gone afterwards. While the editor runs the program
stands still on purpose: what it painted would land in the editor's screen. What is unsent goes out after.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

from textual.app import App, SuspendNotSupported

from glboard_core.errors import GlboardError

_FALLBACKS = ("nano", "vim", "vi")


def editor_command() -> list[str]:
    """The editor to start. Raises GlboardError where there is none."""
    for name in ("VISUAL", "EDITOR"):
        if value := os.environ.get(name, "").strip():
            command = shlex.split(value)
            if command and shutil.which(command[0]):
                return command
            raise GlboardError(
                f"The editor “{value}” of {name} cannot be found.", hint=f"Set {name} to one.", title="Editor"
            )
    for name in _FALLBACKS:
        if found := shutil.which(name):
            return [found]
    raise GlboardError(
        "No editor is named.", hint="Set EDITOR, for example: export EDITOR=nano", title="Editor"
    )


def edit_in_editor(app: App[object], text: str) -> str | None:
    """The text as it is when the editor is left; None where it was left with an error.

    Raises GlboardError where there is no editor, or no terminal to give it.
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
            raise GlboardError(
                "An editor cannot be opened from here.",
                hint="Start glboard in a terminal of its own.",
                title="Editor",
            ) from None
        return path.read_text(encoding="utf-8", errors="replace") if status == 0 else None
    except OSError as error:
        raise GlboardError(
            f"The editor could not be used: {error.strerror or error}.", title="Editor"
        ) from None
    finally:
        with contextlib.suppress(FileNotFoundError):
            path.unlink()


def run(command: list[str]) -> int:
    """Run the editor to its end; its exit status."""
    return subprocess.run(command, check=False).returncode  # noqa: S603  (the person's own editor)
