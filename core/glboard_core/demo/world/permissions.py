"""Permissions: who can see and do what, and what the licence allows.

Pure questions about users, places and issues; changes nothing. Levels are GitLab's: Guest 10, Planner 15,
Reporter 20, Developer 30, Maintainer 40, Owner 50.
"""

from __future__ import annotations

from glboard_core.demo.world.records import (
    GUEST,
    MAINTAINER,
    NO_ACCESS,
    PLANNER,
    Group,
    Issue,
    Label,
    Milestone,
    Place,
    Project,
    Tier,
    User,
)

_TIERS = ("free", "premium", "ultimate")


def licensed(tier: Tier, needed: Tier) -> bool:
    """Whether a tier includes the features of another."""
    return _TIERS.index(tier) >= _TIERS.index(needed)


def level(user: User | None, place: Place) -> int:
    """The highest access level of a user in a place, including inherited ones."""
    if user is None:
        return NO_ACCESS
    if isinstance(place, Project):
        if user.id in place.overrides:
            return place.overrides[user.id]
        return max(place.members.get(user.id, NO_ACCESS), level(user, place.group))
    return max(one.members.get(user.id, NO_ACCESS) for one in place.chain())


def can_read_place(user: User | None, place: Place) -> bool:
    """Whether a place is visible to a user: everything in the world is private."""
    return level(user, place) >= GUEST


def can_read(user: User | None, issue: Issue) -> bool:
    """Whether an issue is visible to a user."""
    here = level(user, issue.project)
    if here < GUEST:
        return False
    return not issue.confidential or here >= PLANNER or user is issue.author or user in issue.assignees


def can_admin(user: User | None, issue: Issue) -> bool:
    """`admin_issue`: labels, milestone, weight, moves. An archived project refuses everyone."""
    return not issue.project.archived and level(user, issue.project) >= PLANNER


def can_update(user: User | None, issue: Issue) -> bool:
    """`update_issue`: its author and assignees can change title and state without the Planner role."""
    if issue.project.archived or not can_read(user, issue):
        return False
    return can_admin(user, issue) or user is issue.author or user in issue.assignees


def can_plan(user: User | None, place: Place) -> bool:
    """Labels, milestones and boards of a place."""
    archived = isinstance(place, Project) and place.archived
    return not archived and level(user, place) >= PLANNER


def can_maintain(user: User | None, place: Place) -> bool:
    """Other people's notes, and deleting issues."""
    return level(user, place) >= MAINTAINER


def owners_of(project: Project) -> list[Place]:
    """The places whose labels and milestones an issue of a project can have."""
    return [project, *project.group.chain()]


def label_available(label: Label, project: Project) -> bool:
    """Whether an issue of a project can have a label."""
    return label.owner in owners_of(project)


def milestone_visible(milestone: Milestone, project: Project) -> bool:
    """Whether an issue of a project can have a milestone."""
    return milestone.owner in owners_of(project)


def within(project: Project, group: Group) -> bool:
    """Whether a project is in a group or one of its subgroups."""
    return group in project.group.chain()
