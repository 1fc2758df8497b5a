"""The ways to sign in that are offered, in order: the same in the set-up and by ``glboard auth login``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

Way = Literal["device", "browser", "token"]


def ways(*, application: bool, opens: bool) -> Sequence[Way]:
    """The ways, the shortest first. ``application``: one is known; ``opens``: a browser can be opened here.

    Without an application its ID is asked for, so that the token is shorter.
    """
    by_application: tuple[Way, ...] = ("device", "browser") if opens else ("device",)
    return (*by_application, "token") if application else ("token", *by_application)


def lacking(*, application: bool) -> str:
    """What is added to a way that needs an application."""
    return "" if application else "; needs an application ID"
