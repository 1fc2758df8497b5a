"""``glboard config edit``: the file in the person's own editor, checked afterwards."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from glboard_core.errors import GlboardError, UsageError
from glboard_tui.cli import printing

if TYPE_CHECKING:
    from glboard_core.config_check import Mistake

#: Reads a file's mistakes, and tells them.
Check = Callable[[Path], list["Mistake"]]


def edit_file(path: Path, template: str, check: Check, *, checks: str) -> int:
    """Open the file (with the template if there is none) until it has no mistake or the person has enough.

    ``checks`` is the command that checks it. Returns the exit status: 0 if glboard can use the file as it is,
    1 if not. Raises UsageError without a terminal, and GlboardError without an editor.
    """
    from glboard_tui.terminal import editor_command, run_editor

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("No terminal to open an editor in.", hint=f"Edit {path}, then run: {checks}")
    command = editor_command()
    made = not path.exists()
    if made:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(template, encoding="utf-8")
    while True:
        status = run_editor([*command, str(path)])
        if status:
            raise GlboardError(
                f"The editor exited with status {status}.",
                hint=f"Set EDITOR to another editor, or check the file: {checks}",
            )
        if made and path.exists() and path.read_bytes() == template.encode():
            path.unlink()
            printing.echo("Nothing was written.")
            return 0
        wrong = [one for one in check(path) if not one.harmless]
        if not wrong:
            return 0
        if not printing.confirm("Edit it again?", default=True):
            return 1
