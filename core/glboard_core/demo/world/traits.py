"""What a real GitLab does that a client must live with, each of which can be switched off or on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True, kw_only=True)
class Traits:
    """The traits of a world."""

    throttles: bool = True
    """A second change of labels or assignees by one person within a minute does not move `updatedAt`."""
