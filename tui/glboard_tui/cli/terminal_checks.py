"""The checks of the terminal: size, colours, encoding, keys, clipboard and multiplexer.

Owns what the environment tells of a terminal. It draws nothing and asks the terminal nothing.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress

from glboard_core.doctor.checks import Checks
from glboard_core.environment import for_child

#: Columns and lines that the screen is made for.
SMALLEST = (80, 24)
#: Milliseconds that a multiplexer may keep Esc back before it is felt.
SLOW_ESCAPE = 100
_PATIENCE = 2.0
_ALL = ("terminal", "colors", "encoding", "keys", "clipboard", "tmux")
#: Terminals that tell all keys apart (the kitty keyboard protocol), by what they put into the environment.
_TELLS_KEYS = re.compile(r"kitty|ghostty|wezterm|foot|alacritty|iterm|rio|warp", re.IGNORECASE)


def check_terminal(checks: Checks, env: Mapping[str, str] | None = None) -> None:
    """All of them; without a terminal they are skipped."""
    env = os.environ if env is None else env
    if (size := terminal_size()) is None:
        checks.skip(_ALL, "No terminal.")
        return
    _size(checks, size)
    _colors(checks, env)
    _encoding(checks)
    inside = "tmux" if env.get("TMUX") else "screen" if env.get("STY") else ""
    _keys(checks, env, inside)
    _clipboard(checks, env, inside)
    _multiplexer(checks, inside)


def terminal_size() -> tuple[int, int] | None:
    """Columns and lines of the terminal that any of the standard streams is; None without one."""
    for stream in (1, 2, 0):
        with suppress(OSError):
            size = os.get_terminal_size(stream)
            if size.columns and size.lines:
                return size.columns, size.lines
    return None


def _size(checks: Checks, size: tuple[int, int]) -> None:
    columns, lines = size
    figures = {"columns": columns, "lines": lines}
    text = f"{columns} by {lines}."
    if columns < SMALLEST[0] or lines < SMALLEST[1]:
        advice = f"Enlarge it to {SMALLEST[0]} by {SMALLEST[1]} or more, or use a smaller font."
        checks.warn("terminal", text, advice, **figures)
    else:
        checks.ok("terminal", text, **figures)


def _colors(checks: Checks, env: Mapping[str, str]) -> None:
    term, told = env.get("TERM", ""), env.get("COLORTERM", "").lower()
    figures = {"term": term, "colorterm": told, "no_color": bool(env.get("NO_COLOR"))}
    if term in ("", "dumb", "unknown"):
        named = f"TERM is {term}" if term else "TERM is not set"
        advice = "Set it to your terminal's type, usually TERM=xterm-256color."
        checks.fail("colors", f"{named}: cannot show the board.", advice, **figures)
    elif env.get("NO_COLOR"):
        advice = "Unset NO_COLOR to see label and state colors."
        checks.warn("colors", "None: NO_COLOR is set.", advice, **figures)
    elif told in ("truecolor", "24bit") or "direct" in term:
        checks.ok("colors", f"All ({term}).", colors="all", **figures)
    elif "256" in term or "kitty" in term or "ghostty" in term:
        checks.ok("colors", f"256 ({term}).", colors=256, **figures)
    else:
        advice = "If your terminal supports more, set TERM=xterm-256color or COLORTERM=truecolor."
        checks.warn("colors", f"16 ({term}): labels are not shown in their own colors.", advice, **figures)


def _encoding(checks: Checks) -> None:
    found = (sys.stdout.encoding or "unknown").lower()
    if "utf" in found:
        checks.ok("encoding", f"{found.upper()}.", encoding=found)
    else:
        advice = "Set a UTF-8 locale, such as LANG=C.UTF-8."
        checks.warn("encoding", f"{found.upper()}: lines and symbols are not shown.", advice, encoding=found)


def _keys(checks: Checks, env: Mapping[str, str], inside: str) -> None:
    announced = " ".join(env.get(name, "") for name in ("TERM", "TERM_PROGRAM", "LC_TERMINAL"))
    told = not inside and bool(_TELLS_KEYS.search(announced) or env.get("KITTY_WINDOW_ID"))
    text = "All keys work." if told else "Ctrl+Enter may arrive as Enter; Ctrl+S does the same."
    checks.ok("keys", text, all_told_apart=told)


def _clipboard(checks: Checks, env: Mapping[str, str], inside: str) -> None:
    if inside == "tmux":
        setting = _tmux("show-options", "-gv", "set-clipboard")
        figures = {"by": "tmux", "set_clipboard": setting}
        if setting == "off":
            advice = "Add to ~/.tmux.conf: set -g set-clipboard on"
            text = "tmux does not pass on copied text: set-clipboard is off."
            checks.warn("clipboard", text, advice, **figures)
        else:
            checks.ok("clipboard", "Through tmux's buffer.", **figures)
        return
    program = env.get("TERM_PROGRAM", "")
    refuses = (
        "screen" if inside == "screen"
        else "Terminal.app" if program == "Apple_Terminal"
        else "The Linux console" if env.get("TERM") == "linux"
        else "A VTE terminal (GNOME Terminal and others)" if env.get("VTE_VERSION")
        else ""
    )  # fmt: skip
    if refuses:
        advice = "Run glboard in tmux, or in a terminal that supports OSC 52, such as kitty."
        checks.warn("clipboard", f"{refuses} may refuse copied text.", advice, by="osc52")
    else:
        checks.ok("clipboard", "Through OSC 52; some terminals ask for permission first.", by="osc52")


def _multiplexer(checks: Checks, inside: str) -> None:
    if inside != "tmux":
        checks.ok("tmux", "screen." if inside else "None.", name=inside or None)
        return
    version = _tmux("-V") or "tmux"
    told = _tmux("show-options", "-sv", "escape-time")
    delay = int(told) if told.isdecimal() else 0
    figures = {"name": "tmux", "version": version, "escape_time": delay}
    if delay > SLOW_ESCAPE:
        advice = "Add to ~/.tmux.conf: set -sg escape-time 10"
        checks.warn("tmux", f"{version}; it delays Esc by {delay} ms.", advice, **figures)
    else:
        checks.ok("tmux", f"{version}.", **figures)


def _tmux(*arguments: str) -> str:
    """What tmux answers; "" if it does not."""
    program = shutil.which("tmux")
    if program is None:
        return ""
    try:
        done = subprocess.run(  # noqa: S603  (tmux, with arguments of ours)
            [program, *arguments],
            env=for_child(),
            timeout=_PATIENCE,
            check=False,
            capture_output=True,
            text=True,
            errors="replace",
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()[:60]
