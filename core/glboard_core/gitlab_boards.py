"""Boards of the group in GitLab as boards of one's own: their lists are the columns, their scope the filter.

Reads them once when asked; what of a board has no counterpart is said in its note.
"""

from __future__ import annotations

from msgspec import structs

from glboard_core.board.definition import flow_scheme, roles
from glboard_core.errors import NotConnected
from glboard_core.gitlab.gateway import transport_of
from glboard_core.gitlab.graphql import QueryRunner
from glboard_core.model.workflow import STATES
from glboard_core.setup.discover import found_boards
from glboard_core.setup.offered import OfferedBoard, offered_boards
from glboard_core.sync.engine import Engine

#: The roles of milestones that a board can name, as the configuration calls them.
_ROLES = {"current": "current", "next": "next", "after next": "after-next"}


async def gitlab_boards(engine: Engine) -> tuple[OfferedBoard, ...]:
    """The boards of the engine's group that have lists. Raises NotConnected, and what the gateway raises."""
    catalog, settings = engine.catalog, engine.settings
    if catalog is None:
        raise NotConnected
    runner = QueryRunner(transport_of(engine.gateway), catalog.server)
    found = await found_boards(runner, catalog.group)
    flow, today = flow_scheme(settings), roles(settings, catalog, engine.today())
    buckets = {title: key for key, titles in settings.milestones.items() for title in titles}
    # Of two states with one status, the first is shown.
    states = {
        title: state.name for state in reversed(STATES) for title in (flow.label(state), flow.status(state))
    }
    offers = offered_boards(
        found,
        group_label=settings.labels.group,
        milestone_name=lambda title: buckets.get(title) or _ROLES.get(today.get(title, "")) or title,
        states=lambda title: states.get(title, ""),
    )
    if settings.flow.backend != "label":
        return offers
    stated = {one.name for one in found if any(column.kind == "status" for column in one.lists)}
    return tuple(_noted(one) if one.title in stated else one for one in offers)


def _noted(offer: OfferedBoard) -> OfferedBoard:
    """An offer whose lists are statuses, which this configuration does not read."""
    words = 'its lists are statuses: set backend = "status" or "both" under [flow]'
    return structs.replace(offer, note="; ".join(filter(None, (offer.note, words))))
