"""What a real GitLab does that a client must live with, each of which can be switched off or on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True, kw_only=True)
class Traits:
    """The traits of a world."""

    protects_forms: bool = True
    """A write to a page that is no API is refused as a form without its secret (422, HTML); otherwise, as
    where a proxy answers first, there is no such page (404)."""
    races: float = 0
    """Seconds within which two writes of one issue's labels do not see each other, so that two of a scope
    stay. Writes of one request always see each other."""
    ranks_fail: bool = True
    """A rank next to an issue without a position is answered with HTTP 500."""
    boards_place: bool = True
    """Reading the issues of a board's list gives those without a position one."""
    maintenance: bool = False
    """It is in maintenance mode: reads work, writes are refused."""
    misses_neighbours: bool = True
    """A rank next to an issue that is gone is an error of the payload; otherwise nothing happens."""
    misplaces: int = 0
    """So many ranks re-space all issues, and leave the ranked one at the end."""
    partial_writes: bool = True
    """A change that is refused for one field has its labels and its state written all the same."""
    placing: float | None = 1.0
    """Seconds after which a background job has placed a new issue, and with it the others without a position;
    None for never."""
    system_notes: bool = True
    """Changes of fields that have no events of their own leave a system note."""
    work_item_ids: bool = False
    """The ids of issues are those of work items, as may become so without notice."""
    throttles: bool = True
    """A second change of labels or assignees by one person within a minute does not move `updatedAt`."""
