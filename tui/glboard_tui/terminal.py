"""What is around the terminal: whether a browser can be opened, and the buffer of a multiplexer."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import webbrowser

from glboard_core.environment import for_child

#: Seconds that tmux has to take a text.
_PATIENCE = 2.0


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
