"""Links between issues: which exist, and what adding and removing one writes.

A link is of one kind as seen from one of its two issues, and of the mirrored kind from the other. Two issues
have at most one, of whatever kind.
"""

from __future__ import annotations

from typing import Literal

from glboard_core.demo.world.records import Issue, User
from glboard_core.demo.world.registry import Registry

LinkKind = Literal["relates_to", "blocks", "is_blocked_by"]

#: What GitLab writes under an issue, by how the link looks from there.
_NOTED: dict[LinkKind, str] = {
    "relates_to": "marked this issue as related to",
    "blocks": "marked this issue as blocking",
    "is_blocked_by": "marked this issue as blocked by",
}
_MIRRORED: dict[LinkKind, LinkKind] = {
    "relates_to": "relates_to",
    "blocks": "is_blocked_by",
    "is_blocked_by": "blocks",
}


def linked_to(world: Registry, issue: Issue) -> list[tuple[Issue, LinkKind]]:
    """The issues linked to one, each with its kind as seen from this one."""
    found: list[tuple[Issue, LinkKind]] = [(one, "is_blocked_by") for one in issue.blocked_by]
    found += [(one, "blocks") for one in world.blocks(issue)]
    found += [(one, "relates_to") for one in issue.related]
    return found


def link_id(one: Issue, other: Issue) -> int:
    """The id of the link between two issues, the same from either side."""
    low, high = sorted((one.id, other.id))
    return (high * (high + 1)) // 2 + low


def link(world: Registry, issue: Issue, other: Issue, kind: LinkKind, actor: User) -> str:
    """Link two issues; returns the error, or ""."""
    if issue is other:
        return f"{_reference(issue, other)} cannot be added: cannot be related to itself"
    if any(one is other for one, _ in linked_to(world, issue)):
        return "Items are already linked"
    if kind == "relates_to":
        issue.related = (*issue.related, other)
        other.related = (*other.related, issue)
    else:
        blocked, blocker = (issue, other) if kind == "is_blocked_by" else (other, issue)
        world.block(blocked, blocker)
    _note(world, issue, other, kind, actor)
    return ""


def unlink(world: Registry, issue: Issue, other: Issue, actor: User) -> bool:
    """Remove the link between two issues; returns whether there was one."""
    if not any(one is other for one, _ in linked_to(world, issue)):
        return False
    for here, there in ((issue, other), (other, issue)):
        here.related = tuple(one for one in here.related if one is not there)
        world.unblock(here, there)
    for here, there in ((issue, other), (other, issue)):
        _told(world, here, f"removed the relation with {_reference(here, there)}", actor)
    return True


def _note(world: Registry, issue: Issue, other: Issue, kind: LinkKind, actor: User) -> None:
    _told(world, issue, f"{_NOTED[kind]} {_reference(issue, other)}", actor)
    _told(world, other, f"{_NOTED[_MIRRORED[kind]]} {_reference(other, issue)}", actor)


def _told(world: Registry, issue: Issue, body: str, actor: User) -> None:
    if world.traits.system_notes:
        world.note_change(issue, [body], actor)
    # The job that writes the note touches the issue, unless it was touched a moment ago.
    if not world.throttled(issue):
        with world.index.moving(issue):
            issue.updated = world.clock.now()
    world.tell(issue)


def _reference(here: Issue, other: Issue) -> str:
    return f"#{other.iid}" if here.project is other.project else other.reference
