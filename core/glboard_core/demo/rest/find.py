"""The things a path names, if they exist for whoever asks."""

from __future__ import annotations

from glboard_core.demo.rest.request import Call, Refused, forbidden, missing
from glboard_core.demo.world import permissions
from glboard_core.demo.world.records import Board, Group, Issue, Label, Milestone, Place, Project


def group(call: Call, name: str) -> Group:
    """A group by number or path."""
    world = call.world
    found = world.groups.get(name)
    if found is None and name.isdigit():
        found = next((one for one in world.groups.values() if one.id == int(name)), None)
    if found is None or not permissions.can_read_place(call.user, found):
        raise missing("Group")
    return found


def project(call: Call, name: str) -> Project:
    """A project by number or path."""
    world = call.world
    found = world.projects.get(name)
    if found is None and name.isdigit():
        found = next((one for one in world.projects.values() if one.id == int(name)), None)
    if found is None or not permissions.can_read_place(call.user, found):
        raise missing("Project")
    return found


def issue(call: Call, name: str, iid: str) -> Issue:
    """An issue of a project by its number there."""
    here = project(call, name)
    if not iid.isdigit():
        raise Refused(400, {"error": "issue_iid is invalid"})
    found = here.issues.get(int(iid))
    if found is None or not permissions.can_read(call.user, found):
        raise missing("")
    return found


def label(call: Call, owner: Place, name: str) -> Label:
    """A label of a place by number or title."""
    for one in call.world.labels.values():
        if one.owner is owner and name in (str(one.id), one.title):
            return one
    raise missing("Label")


def milestone(call: Call, owner: Place, ident: str) -> Milestone:
    """A milestone of exactly this place."""
    found = call.world.milestones.get(int(ident)) if ident.isdigit() else None
    if found is None or found.owner is not owner:
        raise missing("")
    return found


def board(call: Call, owner: Group, ident: str) -> Board:
    """A board of exactly this group."""
    found = call.world.boards.get(int(ident)) if ident.isdigit() else None
    if found is None or found.group is not owner:
        raise missing("Board")
    return found


def plannable(call: Call, place: Place) -> None:
    """Refuses who may not plan here."""
    if not permissions.can_plan(call.signed_in(), place):
        raise forbidden()
