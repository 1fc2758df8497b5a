"""A request without a usable answer."""

from __future__ import annotations

from msgspec import Struct

from glboard_core.errors import GlboardError


class Failure(Struct, frozen=True):
    """A request without a usable answer.

    ``reached``: the server may have acted on it; ``again``: a retry makes sense; ``wait``: the seconds the
    server asked to wait; ``crashed``: GitLab itself failed on it, and no longer works on it; ``moved``: the
    path on this server that a redirect names, "" if it names none of the REST API.
    """

    error: GlboardError
    reached: bool = True
    again: bool = False
    wait: float | None = None
    crashed: bool = False
    moved: str = ""
