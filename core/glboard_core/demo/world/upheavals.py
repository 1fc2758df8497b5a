"""Renames, moves and deletions of whole places: what a client notices only by asking by id.

None of them moves the `updated_at` of an issue, except where an issue itself is moved.
"""

from __future__ import annotations

from copy import copy
from dataclasses import replace

from glboard_core.demo.world import boards, permissions
from glboard_core.demo.world.records import (
    NO_ACCESS,
    Group,
    Issue,
    Label,
    Milestone,
    Place,
    Project,
    User,
)
from glboard_core.demo.world.registry import Registry
from glboard_core.demo.world.world import World


def _refile(world: Registry, project: Project, full_path: str) -> None:
    del world.projects[project.full_path]
    world.moved_paths[project.full_path.lower()] = project
    project.full_path = full_path
    project.path = full_path.rpartition("/")[2]
    world.projects[full_path] = project
    world.moved_paths.pop(full_path.lower(), None)


def rename_project(world: Registry, project: Project, full_path: str) -> None:
    """Give a project another path, perhaps below another group. The old path redirects over REST only."""
    with world.lock:
        project.group = world.add_group(full_path.rpartition("/")[0])
        _refile(world, project, full_path)


def rename_group(world: Registry, group: Group, path: str) -> None:
    """Rename a group; the paths of everything below it follow."""
    with world.lock:
        old = group.full_path
        new = "/".join([*old.split("/")[:-1], path])
        group.path = path
        for one in [group, *world.groups_below(group)]:
            one.full_path = new + one.full_path.removeprefix(old)
        world.groups = {one.full_path: one for one in world.groups.values()}
        for project in world.projects_below(group):
            _refile(world, project, new + project.full_path.removeprefix(old))


def rename_user(world: Registry, user: User, username: str) -> None:
    """Rename a user."""
    with world.lock:
        user.username = username
        world.users = {one.username: one for one in world.users.values()}


def rename_milestone(world: Registry, milestone: Milestone, title: str) -> None:
    """Rename a milestone."""
    with world.lock:
        milestone.title = title
        world.index.rebuild()


def customise_statuses(world: Registry) -> None:
    """Give the group statuses of its own, under the same names: all of them get other ids."""
    with world.lock:
        world.former_statuses = {one.id: name for name, one in world.statuses.items() if not one.own}
        first = max(one.id for one in world.statuses.values()) + 100
        world.statuses = {
            name: replace(one, id=first + at, own=True)
            for at, (name, one) in enumerate(world.statuses.items())
        }


def rename_status(world: Registry, name: str, other: str) -> None:
    """Rename a status of the group; it keeps its id, and no issue's time moves."""
    with world.lock:
        named = {
            one: replace(status, name=other) if one == name else status
            for one, status in world.statuses.items()
        }
        world.statuses = {status.name: status for status in named.values()}
        for issue in world.index.issues.values():
            if issue.status == name:
                issue.status = other
        world.index.rebuild()


def promote_milestone(world: Registry, milestone: Milestone) -> Milestone:
    """Make a project's milestone one of its group: another id, on the same issues."""
    assert isinstance(milestone.owner, Project)
    with world.lock:
        made = world.add_milestone(milestone.owner.group, milestone.title, milestone.start, milestone.due)
        for issue in list(world.index.issues.values()):
            if issue.milestone is milestone:
                with world.index.moving(issue):
                    issue.milestone = made
        world.drop_milestone(milestone)
        return made


def promote_label(world: Registry, label: Label) -> Label:
    """Make a project's label one of its group: another id and class, on the same issues."""
    assert isinstance(label.owner, Project)
    with world.lock:
        group = label.owner.group
        below = world.projects_below(group)
        same = [one for one in world.labels.values() if one.title == label.title and one.owner in below]
        made = world.add_label(group, label.title, label.color, label.description)
        for issue in list(world.index.with_label(label.title)):
            if any(one in issue.labels for one in same):
                with world.index.moving(issue):
                    issue.labels = tuple(made if one in same else one for one in issue.labels)
        for one in same:
            world.drop_label(one)
        return made


def schedule_deletion(world: Registry, project: Project) -> None:
    """Mark a project for deletion: its path and name change, and its issues leave the group's lists."""
    with world.lock:
        mark = f"-deletion_scheduled-{project.id}"
        _refile(world, project, project.full_path + mark)
        project.name += mark
        project.marked = world.clock.now()


def restore(world: Registry, project: Project) -> None:
    """Undo that a project is to be deleted."""
    with world.lock:
        mark = f"-deletion_scheduled-{project.id}"
        _refile(world, project, project.full_path.removesuffix(mark))
        project.name = project.name.removesuffix(mark)
        project.marked = None


def schedule_group_deletion(world: Registry, group: Group) -> None:
    """Mark a group with everything below it for deletion; its path changes, as that of a project does."""
    with world.lock:
        rename_group(world, group, f"{group.path}-deletion_scheduled-{group.id}")
        group.marked = world.clock.now()
        for project in world.projects_below(group):
            project.marked = group.marked


def drop_project(world: World, project: Project) -> None:
    """Delete a project for good, with its issues, labels and milestones."""
    with world.lock:
        for issue in list(project.issues.values()):
            world.delete(issue.reference)
        _drop_planning(world, project)
        world.moved_paths = {path: one for path, one in world.moved_paths.items() if one is not project}
        del world.projects[project.full_path]


def drop_group(world: World, group: Group) -> None:
    """Delete a group for good, with everything below it."""
    with world.lock:
        for project in world.projects_below(group):
            drop_project(world, project)
        for one in [*world.groups_below(group), group]:
            for board in [each for each in world.boards.values() if each.group is one]:
                boards.drop_board(world, board)
            _drop_planning(world, one)
            del world.groups[one.full_path]


def _drop_planning(world: Registry, place: Place) -> None:
    for label in [one for one in world.labels.values() if one.owner is place]:
        world.drop_label(label)
    for milestone in [one for one in world.milestones.values() if one.owner is place]:
        world.drop_milestone(milestone)


def move_issue(world: Registry, issue: Issue, target: Project, actor: User) -> Issue:
    """Move an issue to another project: a copy there, and the original closed. Labels and milestone come
    along where they exist there. The same project is no error and makes no copy."""
    if target is issue.project:
        return issue
    events = world.ensure_history(issue)
    made = world.new_issue(target, issue.title, issue.author, issue.created)
    for name in ("description", "confidential", "locked", "kind", "due", "weight", "health", "severity",
                 "status", "time_estimate", "position", "upvotes"):  # fmt: skip
        setattr(made, name, getattr(issue, name))
    labels = (world.label_for(target, one.title) for one in issue.labels)
    made.labels = tuple(one for one in labels if one is not None)
    if issue.milestone is not None and permissions.milestone_visible(issue.milestone, target):
        made.milestone = issue.milestone
    made.assignees = tuple(one for one in issue.assignees if permissions.level(one, target) > NO_ACCESS)
    made.updated, made.updated_by = world.clock.now(), actor
    made.history = [replace(one, id=world.next_id("event")) for one in events]
    for note in issue.notes or ():
        copied = copy(note)
        copied.id, copied.issue = world.next_id("note"), made
        world.notes[copied.id] = copied
        made.notes = [*(made.notes or ()), copied]
    world.index.add(made)
    with world.index.moving(issue):
        issue.moved_to, issue.open, issue.status = made, False, world.usual_statuses[2]
        issue.closed = issue.updated = made.updated
        issue.closed_by = issue.updated_by = actor
    world.record(issue, "state", "closed", None, actor)
    world.note_change(issue, [f"moved to {made.reference}"], actor)
    world.note_change(made, [f"moved from {issue.reference}"], actor)
    return made
