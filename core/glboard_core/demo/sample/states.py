"""The workflow states of a world as statuses, or as labels and statuses, of which some differ."""

from __future__ import annotations

from glboard_core.demo.world.records import Issue
from glboard_core.demo.world.world import World

_PREFIX = "workflow::"
#: With both, every so manieth issue in development has another status than its label.
_DIFFERS = 5


def store_states(world: World, flow: str) -> None:
    """Give every issue a status: that of its label, which goes with `status` and stays with `both`."""
    if flow == "label":
        return
    names = {name.casefold(): name for name in world.statuses}
    line = list(world.statuses)
    built = 0
    for issue in world.index.issues.values():
        found = _state(issue)
        status = names.get(found, "Validation backlog" if issue.open else "Complete")
        if flow == "status":
            issue.labels = tuple(label for label in issue.labels if not label.title.startswith(_PREFIX))
        elif found in ("in dev", "in review"):
            built += 1
            if built % _DIFFERS == 0:
                status = line[line.index(status) + 1]
        issue.status = status
    world.index.rebuild()


def _state(issue: Issue) -> str:
    titles = (label.title for label in issue.labels if label.title.startswith(_PREFIX))
    return next((title.removeprefix(_PREFIX) for title in titles), "")
