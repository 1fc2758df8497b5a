"""What is around the terminal: a browser, the person's own editor, and the buffer of a multiplexer."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import webbrowser

from glboard_core.environment import for_child
from glboard_core.errors import GlboardError

#: Seconds that tmux has to take a text.
_PATIENCE = 2.0

_FALLBACKS = ("nano", "vim", "vi")


def has_browser() -> bool:
    """Whether a browser can be opened from here: not in a session without a desktop."""
    named = os.environ.get("BROWSER")
    if sys.platform.startswith("linux") and not named:
        desktop = ("DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME")
        if not any(os.environ.get(name) for name in desktop):
            return False
    try:
        webbrowser.get()
    except webbrowser.Error:
        return False
    return True


def to_tmux(text: str) -> bool:
    """Put a text into tmux's own buffer, and through it into the terminal's clipboard; whether it took it.

    tmux by default takes no clipboard text from programs in it.
    """
    tmux = shutil.which("tmux") if os.environ.get("TMUX") else None
    if tmux is None:
        return False
    # Before version 3.2 tmux has no -w.
    return any(_run([tmux, "load-buffer", *more, "-"], text) for more in (["-w"], []))


def _run(command: list[str], text: str) -> bool:
    try:
        return (
            subprocess.run(  # noqa: S603  (tmux, and the text goes to its standard input)
                command,
                input=text.encode(),
                env=for_child(),
                timeout=_PATIENCE,
                check=False,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            ).returncode
            == 0
        )
    except (OSError, subprocess.TimeoutExpired):
        return False


def editor_command() -> list[str]:
    """Return the editor command. Raises GlboardError if there is none."""
    for name in ("VISUAL", "EDITOR"):
        if value := os.environ.get(name, "").strip():
            try:
                command = shlex.split(value)
            except ValueError:
                raise GlboardError(
                    f"{name} has an unclosed quote: {value}",
                    hint=f"Set {name} to an editor.",
                    title="Editor",
                ) from None
            if command and shutil.which(command[0]):
                return command
            raise GlboardError(
                f"Editor “{value}” not found ({name}).", hint=f"Set {name} to an editor.", title="Editor"
            )
    for name in _FALLBACKS:
        if found := shutil.which(name):
            return [found]
    raise GlboardError(
        "No editor is configured.", hint="Set EDITOR, for example: export EDITOR=nano", title="Editor"
    )


def run_editor(command: list[str]) -> int:
    """Run the editor until it exits; return its exit status."""
    return subprocess.run(command, check=False, env=for_child()).returncode  # noqa: S603  (their own editor)
