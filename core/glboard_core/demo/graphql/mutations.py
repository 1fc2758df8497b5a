"""Mutations of issues: their arguments with all oddities, and the errors they report.

What GitLab silently drops is in `world/changes.py`. The traps of the arguments are here: before 19.3
`updateIssue` reads a milestone id raw, so that a global id is 0; `issueMoveList` takes only plain numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from graphql import GraphQLError

from glboard_core.demo.graphql.context import (
    Context,
    Fields,
    Info,
    TooManyIssues,
    context_of,
    not_available,
    writer,
)
from glboard_core.demo.graphql.issues import readable_board
from glboard_core.demo.world import boards, changes, notes, permissions, upheavals
from glboard_core.demo.world import boards as board_rules
from glboard_core.demo.world.changes import UNSET, Change
from glboard_core.demo.world.clock import moment
from glboard_core.demo.world.notes import comment, rewrite
from glboard_core.demo.world.records import (
    NO_ACCESS,
    Board,
    BoardList,
    Issue,
    Label,
    Milestone,
    Note,
    Project,
    User,
)
from glboard_core.demo.world.registry import InternalServerError
from glboard_core.demo.world.texts import whole
from glboard_core.demo.world.world import World

_NUMBER = re.compile(r"\d+")
_DURATION = re.compile(r"(\d+)(mo|w|d|h|m|s)")
_SECONDS = {"mo": 576_000, "w": 144_000, "d": 28_800, "h": 3600, "m": 60, "s": 1}
GIDS_READ_SINCE = (19, 3)


def plain(value: Any) -> int:
    """Ruby's `to_i`: the digits at the start, 0 for a global id."""
    found = _NUMBER.match(str(value))
    return int(found.group()) if found else 0


def either(value: Any) -> int:
    """A number from a global id or from digits."""
    return plain(str(value).rsplit("/", 1)[-1])


def duration(text: str) -> int:
    """Seconds from a duration such as `1h 30m`."""
    return sum(int(amount) * _SECONDS[unit] for amount, unit in _DURATION.findall(text))


def writable_project(context: Context, path: str) -> Project:
    """A project that is visible to the current user."""
    project = context.world.project_at(path)
    if project is None or not permissions.can_read_place(context.user, project):
        raise not_available()
    return project


def writable(info: Info, wish: dict[str, Any], *, admin: bool = False) -> Issue:
    """The issue a mutation names, or GitLab's error, which gives no reason."""
    writer(info)
    context = context_of(info)
    project = writable_project(context, wish["projectPath"])
    issue = context.world.issue_of(project, plain(wish["iid"]))
    may = permissions.can_admin if admin else permissions.can_update
    if issue is None or not context.may_see(issue) or not may(context.user, issue):
        raise not_available()
    return issue


def labels_by_id(world: World, values: Iterable[Any] | None) -> list[Label]:
    """Labels by ids in either form; unknown ones are ignored."""
    return [world.labels[one] for one in map(either, values or ()) if one in world.labels]


def _raw_milestone(world: World, value: Any) -> Milestone | changes.Unset | None:
    """`updateIssue` passes the id on unchanged: before 19.3 a global id matches nothing."""
    if value is None or str(value) in ("", "0"):
        return None
    number = either(value) if world.since >= GIDS_READ_SINCE else plain(value)
    return world.milestones.get(number, UNSET)


def simple_change(wish: dict[str, Any]) -> Change:
    """The arguments of a mutation that need no translation."""
    change = Change()
    for ours, theirs in (("title", "title"), ("description", "description"), ("due", "dueDate"),
                         ("weight", "weight"), ("health", "healthStatus")):  # fmt: skip
        if theirs in wish:
            value = wish[theirs]
            setattr(change, ours, value if value is not None or ours not in ("title", "description") else "")
    for ours, theirs in (("confidential", "confidential"), ("locked", "locked"), ("kind", "type")):
        if wish.get(theirs) is not None:
            setattr(change, ours, wish[theirs])
    if wish.get("stateEvent"):
        change.state = "close" if wish["stateEvent"] == "CLOSE" else "reopen"
    if wish.get("timeEstimate") is not None:
        change.time_estimate = duration(wish["timeEstimate"])
    return change


def answer(info: Info, wish: dict[str, Any], issue: Issue, change: Change) -> dict[str, Any]:
    """Apply a change; the issue as it is now, whatever was dropped, or as it was wanted if refused."""
    world, user = writer(info)
    errors = changes.apply(world, issue, change, user)
    if change.description is not UNSET and not errors:
        notes.describe(world, issue, user)
    if errors:
        issue = changes.attempted(world, issue, change, user)
    return {"issue": issue, "errors": errors, "clientMutationId": wish.get("clientMutationId")}


def _update_issue(_: Any, info: Info, wish: dict[str, Any]) -> dict[str, Any]:
    world, _user = writer(info)
    if wish.get("labelIds") is not None and (wish.get("addLabelIds") or wish.get("removeLabelIds")):
        raise GraphQLError("labelIds is mutually exclusive with any of addLabelIds or removeLabelIds")
    issue = writable(info, wish)
    change = simple_change(wish)
    if "milestoneId" in wish:
        change.milestone = _raw_milestone(world, wish["milestoneId"])
    if "labelIds" in wish:
        change.labels = labels_by_id(world, wish["labelIds"])
    change.add_labels = labels_by_id(world, wish.get("addLabelIds"))
    change.remove_labels = labels_by_id(world, wish.get("removeLabelIds"))
    return answer(info, wish, issue, change)


def _set_assignees(_: Any, info: Info, wish: dict[str, Any]) -> dict[str, Any]:
    world, user = writer(info)
    issue = writable(info, wish)
    wanted: list[User] = []
    errors: list[str] = []
    for username in dict.fromkeys(wish["assigneeUsernames"]):
        one = world.user_named(username)
        if one is None:
            continue
        if permissions.level(one, issue.project) <= NO_ACCESS or not permissions.can_admin(user, issue):
            errors.append(f"Assignees Cannot assign @{username} to #{issue.iid}")
        else:
            wanted.append(one)
    mode = wish.get("operationMode") or "REPLACE"
    if mode == "APPEND":
        wanted = [*issue.assignees, *wanted]
    elif mode == "REMOVE":
        wanted = [one for one in issue.assignees if one not in wanted]
    done = answer(info, wish, issue, Change(assignees=wanted))
    return {**done, "errors": [*errors, *done["errors"]]}


def _set_weight(_: Any, info: Info, wish: dict[str, Any]) -> dict[str, Any]:
    issue = writable(info, wish)
    return answer(info, wish, issue, Change(weight=wish.get("weight")))


def _set_due(_: Any, info: Info, wish: dict[str, Any]) -> dict[str, Any]:
    issue = writable(info, wish)
    stamp = wish.get("dueDate")
    return answer(info, wish, issue, Change(due=None if stamp is None else moment(stamp).date()))


def _set_confidential(_: Any, info: Info, wish: dict[str, Any]) -> dict[str, Any]:
    return answer(info, wish, writable(info, wish), Change(confidential=wish["confidential"]))


def _set_locked(_: Any, info: Info, wish: dict[str, Any]) -> dict[str, Any]:
    return answer(info, wish, writable(info, wish), Change(locked=wish["locked"]))


def _check_move(wish: dict[str, Any]) -> None:
    lists = [name for name in ("fromListId", "toListId") if wish.get(name) is not None]
    beside = [name for name in ("moveBeforeId", "moveAfterId") if wish.get(name) is not None]
    place = wish.get("positionInList")
    if not lists and not beside and place is None:
        names = "fromListId, toListId, positionInList, moveAfterId, or moveBeforeId"
        raise GraphQLError(f"At least one of the arguments {names} is required")
    if len(lists) == 1:
        raise GraphQLError("Both fromListId and toListId must be present")
    if place is None:
        return
    if not lists:
        raise GraphQLError("Both fromListId and toListId are required when positionInList is given")
    if beside:
        raise GraphQLError("positionInList is mutually exclusive with any of moveBeforeId or moveAfterId")
    if place < -1:
        raise GraphQLError("positionInList must be >= 0 or -1")


def _move(_: Any, info: Info, wish: dict[str, Any]) -> dict[str, Any]:
    world, user = writer(info)
    _check_move(wish)
    board = readable_board(context_of(info), wish["boardId"])
    if board is None:
        raise not_available()
    issue = writable(info, wish, admin=True)
    done: dict[str, Any] = {"issue": issue, "errors": [], "clientMutationId": wish.get("clientMutationId")}
    before, after = (_neighbour(world, issue, wish.get(name)) for name in ("moveBeforeId", "moveAfterId"))
    if before is UNSET or after is UNSET:
        if world.traits.misses_neighbours:
            return {**done, "errors": ["Resource not found"]}
        before, after = (None if one is UNSET else one for one in (before, after))
    if wish.get("fromListId") is not None:
        old, new = (_list_of(world, board, wish[name]) for name in ("fromListId", "toListId"))
        if old is new and before is after is wish.get("positionInList"):
            raise InternalServerError  # Its service returns nothing then, which 18.9 does not expect.
        done["errors"] = board_rules.move_card(world, issue, old, new, user)
        if wish.get("positionInList") is not None:
            board_rules.position_in(world, issue, new, wish["positionInList"], user)
    if not done["errors"] and (before is not None or after is not None):
        boards.move_between(world, issue, before, after)
    return done


def _list_of(world: World, board: Board, value: Any) -> BoardList:
    """A list of a board by its plain number; a global id or any other number breaks the server."""
    found = world.board_lists.get(whole(value) or 0)
    if found is None or found.board is not board:
        raise InternalServerError
    return found


def _neighbour(world: World, issue: Issue, value: Any) -> Issue | changes.Unset | None:
    """A neighbour by its plain number; UNSET if there is none in the same root group."""
    if value is None:
        return None
    if (number := whole(value)) is None:
        raise InternalServerError
    found = world.index.find(number)
    if found is None or found.project.root is not issue.project.root:
        return UNSET
    return found


def _move_issue(_: Any, info: Info, wish: dict[str, Any]) -> dict[str, Any]:
    world, user = writer(info)
    context = context_of(info)
    issue = writable(info, wish, admin=True)
    target = writable_project(context, wish["targetProjectPath"])
    done: dict[str, Any] = {"issue": issue, "errors": [], "clientMutationId": wish.get("clientMutationId")}
    if not permissions.can_plan(user, target):
        return {**done, "errors": ["Cannot move issue due to insufficient permissions!"]}
    made = upheavals.move_issue(world, issue, target, user)
    if made is not issue:
        context.moved.add(made.id)
    return {**done, "issue": made}


def _named_labels(world: World, project: Project, titles: Iterable[str], user: User) -> list[Label]:
    """Labels by title; unknown ones are created in the project, if that is allowed."""
    found = []
    for title in (one for one in titles if one == one.strip()):
        label = world.label_for(project, title)
        if label is None and permissions.can_plan(user, project):
            label = world.add_label(project, title)
        if label is not None:
            found.append(label)
    return found


def _create(_: Any, info: Info, wish: dict[str, Any]) -> dict[str, Any]:
    world, user = writer(info)
    context = context_of(info)
    project = writable_project(context, wish["projectPath"])
    if context.throttle_issue(user):
        raise TooManyIssues
    if project.archived or not project.issues_enabled:
        raise not_available()
    if wish.get("labels") is not None and wish.get("labelIds") is not None:
        raise GraphQLError("Only one of [labels, labelIds] arguments is allowed at the same time.")
    change = simple_change({name: value for name, value in wish.items() if name != "title"})
    errors = changes.problems(Change(title=wish["title"], weight=change.weight))
    if errors:
        return {"issue": None, "errors": errors, "clientMutationId": wish.get("clientMutationId")}
    if wish.get("milestoneId") is not None:
        change.milestone = world.milestones.get(wish["milestoneId"], UNSET)
    change.add_labels = [
        *_named_labels(world, project, wish.get("labels") or (), user),
        *(world.labels[one] for one in wish.get("labelIds") or () if one in world.labels),
    ]
    if wish.get("assigneeIds"):
        change.assignees = world.users_of(wish["assigneeIds"])
    issue = create_issue(world, project, wish["title"], user, change)
    return {"issue": issue, "errors": [], "clientMutationId": wish.get("clientMutationId")}


def create_issue(world: World, project: Project, title: str, user: User, change: Change) -> Issue:
    """Create an issue. It has no relative position yet: GitLab assigns one later, in the background."""
    issue = world.new_issue(project, title, user, world.clock.now())
    issue.history = []
    world.index.add(issue)
    changes.apply(world, issue, change, user, creating=True)
    notes.describe(world, issue, user)
    issue.updated_by = None  # created, not updated
    world.place_later()
    return issue


FIELDS: Fields = {
    "Mutation": {
        "updateIssue": _update_issue,
        "issueSetAssignees": _set_assignees,
        "issueSetWeight": _set_weight,
        "issueSetDueDate": _set_due,
        "issueSetConfidential": _set_confidential,
        "issueSetLocked": _set_locked,
        "issueMoveList": _move,
        "createIssue": _create,
        "issueMove": _move_issue,
    },
}


# Mutations of comments. A comment with only quick actions leaves no note.

THROTTLED = "This endpoint has been requested too many times. Try again later."


def _create_note(_: Any, info: Info, wish: dict[str, Any]) -> dict[str, Any]:
    world, user = writer(info)
    context = context_of(info)
    if context.throttle_note(user):
        raise GraphQLError(THROTTLED)
    issue = world.index.find(wish["noteableId"])
    if issue is None or not context.may_see(issue) or issue.project.archived:
        raise not_available()
    as_item = wish["noteableId"].kind == "WorkItem"
    internal = bool(wish.get("internal"))
    outcome = comment(world, issue, wish["body"], user, internal=internal, as_item=as_item)
    errors = outcome.errors
    if outcome.commands_only and world.since < (17, 0):
        # Older servers report success among the errors.
        errors = [f"Commands only {' '.join(outcome.messages)}"]
    status = None
    if outcome.commands:
        status = {
            "messages": outcome.messages,
            "errorMessages": outcome.failures or None,
            "commandNames": outcome.commands,
            "commandsOnly": outcome.commands_only,
        }
    return {
        "note": outcome.note,
        "errors": errors,
        "quickActionsStatus": status,
        "clientMutationId": wish.get("clientMutationId"),
    }


def _own_note(info: Info, ident: int) -> Note:
    world, user = writer(info)
    note = world.notes.get(ident)
    # System notes and archived projects are read-only; others' notes need a maintainer.
    if (
        note is None
        or note.system
        or note.issue.project.archived
        or not permissions.can_read(user, note.issue)
    ):
        raise not_available()
    if user is not note.author and not permissions.can_maintain(user, note.issue.project):
        raise not_available()
    return note


def _update_note(_: Any, info: Info, wish: dict[str, Any]) -> dict[str, Any]:
    note = _own_note(info, wish["id"])
    world, user = writer(info)
    outcome = rewrite(world, note, wish.get("body") or "", user)
    return {
        "note": outcome.note,
        "errors": outcome.errors,
        "clientMutationId": wish.get("clientMutationId"),
    }


def _destroy_note(_: Any, info: Info, wish: dict[str, Any]) -> dict[str, Any]:
    context_of(info).world.drop_note(_own_note(info, wish["id"]))
    return {"note": None, "errors": [], "clientMutationId": wish.get("clientMutationId")}


NOTE_FIELDS: Fields = {
    "Mutation": {"createNote": _create_note, "updateNote": _update_note, "destroyNote": _destroy_note},
    "UpdateNotePayload": {"quickActionsStatus": lambda *_: None},
    "DestroyNotePayload": {"quickActionsStatus": lambda *_: None},
}
