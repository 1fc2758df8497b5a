"""The signals that end a program with a screen: the terminal closed, or the machine shuts down."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable


def on_ending_signals(act: Callable[[int], None]) -> None:
    """Call ``act`` with the signal's number, so that the program quits cleanly and restores the terminal.

    To be called in the event loop.
    """
    loop = asyncio.get_running_loop()
    for name in ("SIGHUP", "SIGTERM"):
        number = getattr(signal, name, None)
        if number is not None:
            loop.add_signal_handler(number, act, int(number))
