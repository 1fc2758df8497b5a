"""Labels, milestones and boards over REST."""

from __future__ import annotations

from typing import Any

from glboard_core.demo.graphql.board_mutations import COLOR, label_problems
from glboard_core.demo.rest import request, shapes
from glboard_core.demo.rest.request import Call, Refused, bad, forbidden, missing
from glboard_core.demo.world import boards as rules
from glboard_core.demo.world import permissions, upheavals
from glboard_core.demo.world.finders import labels_of, milestones_of
from glboard_core.demo.world.records import Board, Group, Label, Milestone, Place, Project
from glboard_core.demo.world.texts import whole

# Labels


def _labels(call: Call, here: Place, places: list[Place]) -> Any:
    kept = labels_of(call.world, places, call.text("search"))
    counts = bool(call.flag("with_counts", False))
    answer = []
    for one in request.paged(call, kept):
        shape = shapes.label(one, here)
        if counts:
            held = call.world.index.with_label(one.title)
            shape["open_issues_count"] = sum(1 for each in held if one in each.labels and each.open)
            shape["closed_issues_count"] = sum(1 for each in held if one in each.labels and not each.open)
            shape["open_merge_requests_count"] = 0
        answer.append(shape)
    return answer


def group_labels(call: Call, name: str) -> Any:
    """The labels of a group, by default including its ancestors'."""
    here = request.group(call, name)
    places: list[Place] = [here]
    if call.flag("include_ancestor_groups", True):
        places += here.chain()[1:]
    if call.flag("include_descendant_groups", False):
        places += call.world.groups_below(here)
    if not call.flag("only_group_labels", True):
        places += call.world.projects_below(here)
    return _labels(call, here, places)


def project_labels(call: Call, name: str) -> Any:
    """The labels of a project, by default including its groups'."""
    here = request.project(call, name)
    inherited = call.flag("include_ancestor_groups", True)
    return _labels(call, here, permissions.owners_of(here) if inherited else [here])


def _create_label(call: Call, owner: Place) -> Any:
    request.plannable(call, owner)
    title, color = call.required("name"), call.required("color")
    problems = label_problems(call.world, owner, title, color)
    if "Title has already been taken" in problems:
        raise Refused(409, {"message": "Label already exists"})
    if problems:
        said: dict[str, list[str]] = {}
        for one in problems:
            said.setdefault(one.split(" ", 1)[0].lower(), []).append(one.split(" ", 1)[1])
        raise Refused(400, {"message": said})
    return 201, shapes.label(call.world.add_label(owner, title, color, call.text("description")), owner)


def create_group_label(call: Call, name: str) -> Any:
    """Create a group label."""
    return _create_label(call, request.group(call, name))


def create_project_label(call: Call, name: str) -> Any:
    """Create a project label."""
    return _create_label(call, request.project(call, name))


def _update_label(call: Call, label: Label) -> Any:
    request.plannable(call, label.owner)
    if not any(call.has(name) for name in ("new_name", "color", "description", "archived")):
        raise Refused(
            400,
            {"error": "new_name, color, description are missing, at least one parameter must be provided"},
        )
    if (color := call.text("color")) and not COLOR.fullmatch(color):
        raise Refused(400, {"message": {"color": ["must be a valid color code"]}})
    title = call.text("new_name")
    if title and title != label.title:
        problems = label_problems(call.world, label.owner, title, None)
        if problems:
            raise Refused(400, {"message": {"title": [one.split(" ", 1)[1] for one in problems]}})
        call.world.rename_label(label, title)
    label.color = color or label.color
    if call.has("description"):
        label.description = call.text("description")
    label.updated = call.world.clock.now()
    return shapes.label(label, label.owner)


def group_label(call: Call, name: str, label: str) -> Any:
    """One label of a group."""
    here = request.group(call, name)
    owner: Group | None = here
    if call.flag("include_ancestor_groups", True):
        # By number, one of a group above is found as well.
        known = call.world.labels.get(whole(label) or 0)
        while owner is not None and known is not None and known.owner is not owner:
            owner = owner.parent
    return shapes.label(request.label(call, owner or here, label), here)


def project_label(call: Call, name: str, label: str) -> Any:
    """One label of a project."""
    here = request.project(call, name)
    return shapes.label(request.label(call, here, label), here)


def update_group_label(call: Call, name: str, label: str) -> Any:
    """Update a group label."""
    return _update_label(call, request.label(call, request.group(call, name), label))


def update_project_label(call: Call, name: str, label: str) -> Any:
    """Update a project label."""
    return _update_label(call, request.label(call, request.project(call, name), label))


def _delete_label(call: Call, label: Label) -> Any:
    request.plannable(call, label.owner)
    call.world.drop_label(label)
    return 204, None


def delete_group_label(call: Call, name: str, label: str) -> Any:
    """Delete a group label; every event about it loses its name."""
    return _delete_label(call, request.label(call, request.group(call, name), label))


def delete_project_label(call: Call, name: str, label: str) -> Any:
    """Delete a project label."""
    return _delete_label(call, request.label(call, request.project(call, name), label))


def promote_label(call: Call, name: str, label: str) -> Any:
    """Make a project's label one of its group."""
    here = request.project(call, name)
    found = request.label(call, here, label)
    request.plannable(call, here.group)
    return shapes.label(upheavals.promote_label(call.world, found), here.group)


# Milestones


def _milestones(call: Call, here: Group | Project) -> Any:
    places: list[Place] = [here]
    if call.flag("include_ancestors", False):
        places += here.group.chain() if isinstance(here, Project) else here.chain()[1:]
    if isinstance(here, Group) and call.flag("include_descendants", False):
        places += [*call.world.groups_below(here), *call.world.projects_below(here)]
    day = call.day("containing_date")
    kept = milestones_of(
        call.world, places, state=call.choice("state", ("active", "closed", "all")), title=call.text("title"),
        search=call.text("search"), within=None if day is None else (day, day),
    )  # fmt: skip
    if call.has("iids"):
        kept = [one for one in kept if one.iid in call.numbers("iids")]
    kept.sort(
        key=lambda one: (one.due is None, one.due or one.start, one.id) if one.due else (True, None, one.id)
    )
    return [shapes.milestone(call, one) for one in request.paged(call, kept)]


def group_milestones(call: Call, name: str) -> Any:
    """The milestones of a group; those of its ancestors only on request."""
    return _milestones(call, request.group(call, name))


def project_milestones(call: Call, name: str) -> Any:
    """The milestones of a project; those of its groups only on request."""
    return _milestones(call, request.project(call, name))


def group_milestone(call: Call, name: str, ident: str) -> Any:
    """One milestone of a group."""
    return shapes.milestone(call, request.milestone(call, request.group(call, name), ident))


def project_milestone(call: Call, name: str, ident: str) -> Any:
    """One milestone of a project."""
    return shapes.milestone(call, request.milestone(call, request.project(call, name), ident))


def _hierarchy(call: Call, owner: Place) -> list[Place]:
    """Places that can share a milestone title only once."""
    if isinstance(owner, Project):
        return permissions.owners_of(owner)
    return [*owner.chain(), *call.world.groups_below(owner), *call.world.projects_below(owner)]


def _check_title(call: Call, owner: Place, title: str) -> None:
    if not title.strip():
        raise Refused(400, {"message": {"title": ["can't be blank"]}})
    if milestones_of(call.world, _hierarchy(call, owner), title=title):
        raise Refused(
            400, {"message": {"title": ["already being used for another group or project milestone."]}}
        )


def _check_dates(milestone_start: Any, milestone_due: Any) -> None:
    if milestone_start and milestone_due and milestone_start > milestone_due:
        raise Refused(400, {"message": {"due_date": ["must be greater than start date"]}})


def _create_milestone(call: Call, owner: Place) -> Any:
    request.plannable(call, owner)
    title = call.required("title")
    _check_title(call, owner, title)
    start, due = call.day("start_date"), call.day("due_date")
    _check_dates(start, due)
    made = call.world.add_milestone(owner, title, start, due)
    made.description = call.text("description") or ""
    return 201, shapes.milestone(call, made)


def create_group_milestone(call: Call, name: str) -> Any:
    """Create a group milestone."""
    return _create_milestone(call, request.group(call, name))


def create_project_milestone(call: Call, name: str) -> Any:
    """Create a project milestone."""
    return _create_milestone(call, request.project(call, name))


def _update_milestone(call: Call, milestone: Milestone) -> Any:
    request.plannable(call, milestone.owner)
    title = call.text("title")
    start = call.day("start_date") if call.has("start_date") else milestone.start
    due = call.day("due_date") if call.has("due_date") else milestone.due
    _check_dates(start, due)
    if title is not None and title != milestone.title:
        _check_title(call, milestone.owner, title)
        milestone.title = title
    milestone.start, milestone.due = start, due
    if call.has("description"):
        milestone.description = call.text("description") or ""
    event = call.choice("state_event", ("close", "activate"))
    if event is not None:
        milestone.closed = event == "close"
    milestone.updated = call.world.clock.now()
    call.world.index.rebuild()
    return shapes.milestone(call, milestone)


def update_group_milestone(call: Call, name: str, ident: str) -> Any:
    """Update a group milestone."""
    return _update_milestone(call, request.milestone(call, request.group(call, name), ident))


def update_project_milestone(call: Call, name: str, ident: str) -> Any:
    """Update a project milestone."""
    return _update_milestone(call, request.milestone(call, request.project(call, name), ident))


def _delete_milestone(call: Call, here: Place, ident: str) -> Any:
    request.plannable(call, here)
    call.world.drop_milestone(request.milestone(call, here, ident))
    return 204, None


def delete_group_milestone(call: Call, name: str, ident: str) -> Any:
    """Delete a group milestone."""
    return _delete_milestone(call, request.group(call, name), ident)


def delete_project_milestone(call: Call, name: str, ident: str) -> Any:
    """Delete a project milestone."""
    return _delete_milestone(call, request.project(call, name), ident)


# Boards


def boards(call: Call, name: str) -> Any:
    """The boards of a group."""
    here = request.group(call, name)
    kept = rules.boards_of(call.world, here)
    return [shapes.board(call, one) for one in request.paged(call, kept)]


def board(call: Call, name: str, ident: str) -> Any:
    """One board."""
    return shapes.board(call, request.board(call, request.group(call, name), ident))


def _scope(call: Call, made: Board) -> None:
    made.name = call.text("name", made.name) or made.name
    made.hide_backlog = bool(call.flag("hide_backlog_list", made.hide_backlog))
    made.hide_closed = bool(call.flag("hide_closed_list", made.hide_closed))
    if not call.world.licensed("premium"):
        return
    if call.has("milestone_id"):
        made.milestone = call.world.milestones.get(call.number("milestone_id", 0) or 0)
    if call.has("labels"):
        named = [call.world.label_for(made.group, title) for title in call.texts("labels")]
        made.labels = tuple(one for one in named if one is not None)
    if call.has("assignee_id"):
        ident = call.number("assignee_id", 0)
        made.assignee = call.world.user_of(ident)
    if call.has("weight"):
        made.weight = call.number("weight")


def _needs_enterprise(call: Call) -> None:
    if call.world.edition == "ce":
        raise Refused(404, {"error": "404 Not Found"})


def create_board(call: Call, name: str) -> Any:
    """Create a board; more than one is Premium. Only its name is read: filters are set afterwards.

    The Community Edition has no such call, nor the one to delete a board.
    """
    _needs_enterprise(call)
    here = request.group(call, name)
    request.plannable(call, here)
    title = call.required("name")
    if not rules.may_add_board(call.world, here):
        raise forbidden()
    made = call.world.add_board(here, title)
    return 201, shapes.board(call, made)


def update_board(call: Call, name: str, ident: str) -> Any:
    """Update a board."""
    here = request.group(call, name)
    request.plannable(call, here)
    made = request.board(call, here, ident)
    _scope(call, made)
    return shapes.board(call, made)


def delete_board(call: Call, name: str, ident: str) -> Any:
    """Delete a board."""
    _needs_enterprise(call)
    here = request.group(call, name)
    request.plannable(call, here)
    rules.drop_board(call.world, request.board(call, here, ident))
    return 204, None


def _list(call: Call, name: str, ident: str, list_id: str) -> Any:
    here = request.board(call, request.group(call, name), ident)
    for one in here.lists:
        if str(one.id) == list_id and one.position is not None:
            return one
    raise missing("")


def lists(call: Call, name: str, ident: str) -> Any:
    """The movable lists of a board."""
    here = request.board(call, request.group(call, name), ident)
    shown = [one for one in rules.lists_of(call.world, here) if one.position is not None]
    return [shapes.board_list(call, one) for one in request.paged(call, shown)]


def show_list(call: Call, name: str, ident: str, list_id: str) -> Any:
    """One list."""
    return shapes.board_list(call, _list(call, name, ident, list_id))


def create_list(call: Call, name: str, ident: str) -> Any:
    """Add a list to a board."""
    here = request.group(call, name)
    request.plannable(call, here)
    made = request.board(call, here, ident)
    given = [one for one in ("label_id", "milestone_id", "assignee_id") if call.has(one)]
    if len(given) != 1:
        raise Refused(
            400, {"error": "label_id, milestone_id, assignee_id are missing, exactly one must be provided"}
        )
    kind = given[0].removesuffix("_id")
    number = call.number(given[0], 0) or 0
    world = call.world
    target: object | None
    if kind == "label":
        label = world.labels.get(number)
        target = label if label is not None and label.owner in here.chain() else None
    elif kind == "milestone":
        target = world.milestones.get(number)
    else:
        target = world.user_of(number)
    if target is None:
        raise Refused(400, {"error": f"{kind.title()} not found!"})
    if rules.taken(made, kind, target):
        raise Refused(400, {"message": [rules.TAKEN[kind]]})
    column = world.add_list(made, kind)
    setattr(column, kind, target)
    return 201, shapes.board_list(call, column)


def update_list(call: Call, name: str, ident: str, list_id: str) -> Any:
    """Move a list."""
    request.plannable(call, request.group(call, name))
    column = _list(call, name, ident, list_id)
    position = call.number("position")
    if position is None:
        raise bad("position", "is missing")
    rules.place_list(column, position)
    return shapes.board_list(call, column)


def delete_list(call: Call, name: str, ident: str, list_id: str) -> Any:
    """Remove a list from a board."""
    request.plannable(call, request.group(call, name))
    rules.drop_list(call.world, _list(call, name, ident, list_id))
    return 204, None
