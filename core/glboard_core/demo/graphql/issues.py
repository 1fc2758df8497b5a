"""Issues, milestones, labels and notes as GraphQL shows them."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from glboard_core.demo.graphql.connections import Connection, fill, found, listed
from glboard_core.demo.graphql.context import Context, Fields, Info, context_of, gid
from glboard_core.demo.world import boards as rules
from glboard_core.demo.world import permissions
from glboard_core.demo.world.filters import IssueFilter
from glboard_core.demo.world.records import (
    PLANNER,
    Board,
    BoardList,
    Group,
    Issue,
    Label,
    Milestone,
    Note,
    Project,
)

_TASK = re.compile(r"^\s*(?:[-*+]|\d+\.)\s+\[([ xX~])\]\s", re.MULTILINE)


def licensed_weight(issue: Issue, info: Info) -> int | None:
    """The weight, null without a licence."""
    return issue.weight if context_of(info).world.licensed("premium") else None


def licensed_health(issue: Issue, info: Info) -> str | None:
    """The health status, null without a licence."""
    return issue.health if context_of(info).world.licensed("ultimate") else None


def status_of(issue: Issue, info: Info) -> Any:
    """The work item status, null without a licence."""
    world = context_of(info).world
    if not world.licensed("premium"):
        return None
    return world.statuses.get(world.status_of(issue))


def blockers(issue: Issue, info: Info) -> list[Issue]:
    """Open issues that block this one."""
    context = context_of(info)
    if not context.world.licensed("premium"):
        return []
    return [one for one in issue.blocked_by if one.open]


def blocking_count(issue: Issue, info: Info) -> int:
    """How many open issues this one blocks, whatever its own state."""
    world = context_of(info).world
    return len(world.blocked_by(issue)) if world.licensed("premium") else 0


def tasks(issue: Issue, *_: Any) -> dict[str, int]:
    """Counts the task list of a description."""
    if "[" not in issue.description:
        return {"count": 0, "completedCount": 0}
    marks = _TASK.findall(issue.description)
    return {"count": len(marks), "completedCount": sum(1 for mark in marks if mark in "xX")}


def described(issue: Issue, *_: Any) -> str | None:
    """The description; null if none was ever given."""
    return issue.description if issue.described or issue.description else None


def reference(issue: Issue, _: Any, full: bool | None = False) -> str:
    """`#12`, or with its project when full."""
    return issue.reference if full else f"#{issue.iid}"


def labels(issue: Issue, _: Any, **args: Any) -> Connection:
    """The labels by title."""
    return listed(issue.labels, args)


def assignees(issue: Issue, _: Any, **args: Any) -> Connection:
    """Who it is assigned to."""
    return listed(issue.assignees, args)


def visible_notes(context: Context, issue: Issue) -> list[Note]:
    """The comments visible to the current user."""
    may_read_internal = permissions.level(context.user, issue.project) >= PLANNER
    return [one for one in issue.notes or () if may_read_internal or not one.internal]


def notes(issue: Issue, info: Info, which: str | None = None, **args: Any) -> Connection:
    """The comments, oldest first."""
    shown = visible_notes(context_of(info), issue)
    if which == "ONLY_COMMENTS":
        shown = [one for one in shown if not one.system]
    elif which == "ONLY_ACTIVITY":
        shown = [one for one in shown if one.system]
    return listed(shown, args)


def _discussions(issue: Issue, info: Info, **args: Any) -> Connection:
    return listed([one for one in visible_notes(context_of(info), issue) if one.thread is None], args)


def _blocked_by_issues(issue: Issue, info: Info, **args: Any) -> Connection:
    context = context_of(info)
    return listed([one for one in blockers(issue, info) if context.may_see(one)], args)


def _participants(issue: Issue, _: Any, **args: Any) -> Connection:
    people = dict.fromkeys([issue.author, *issue.assignees, *(one.author for one in issue.notes or ())])
    return listed(list(people), args)


def _comments(issue: Issue, *_: Any) -> int:
    return sum(1 for one in issue.notes or () if not one.system)


def _permissions(issue: Issue, info: Info) -> dict[str, bool]:
    user = context_of(info).user
    update = permissions.can_update(user, issue)
    return {
        "adminIssue": permissions.can_admin(user, issue),
        "createNote": permissions.can_read(user, issue) and not issue.project.archived,
        "readIssue": permissions.can_read(user, issue),
        "reopenIssue": update,
        "updateIssue": update,
    }


def _note_permissions(note: Note, info: Info) -> dict[str, bool]:
    user = context_of(info).user
    mine = user is note.author or permissions.can_maintain(user, note.issue.project)
    return {"adminNote": mine, "readNote": True, "createNote": permissions.can_read(user, note.issue)}


def _note_url(note: Note, info: Info) -> str:
    return f"{context_of(info).base_url}{note.issue.path}#note_{note.id}"


def _thread(note: Note) -> list[Note]:
    """The notes of a thread, of which this one is the first."""
    return [one for one in note.issue.notes or () if one is note or one.thread is note]


def _discussion_id(note: Note, *_: Any) -> str:
    return f"gid://gitlab/Discussion/{note.id:040x}"


def _milestone_path(milestone: Milestone, *_: Any) -> str:
    prefix = "/groups" if isinstance(milestone.owner, Group) else ""
    return f"{prefix}/{milestone.owner.full_path}/-/milestones/{milestone.iid}"


def _expired(milestone: Milestone, info: Info) -> bool:
    return milestone.due is not None and milestone.due < context_of(info).world.clock.today()


def _upcoming(milestone: Milestone, info: Info) -> bool:
    today: date = context_of(info).world.clock.today()
    return milestone.start is not None and milestone.start > today


def _milestone_stats(milestone: Milestone, info: Info) -> dict[str, int]:
    context = context_of(info)
    held = [one for one in context.world.index.with_milestone(milestone.title) if one.milestone is milestone]
    seen = [one for one in held if context.may_see(one)]
    return {"totalIssuesCount": len(seen), "closedIssuesCount": sum(1 for one in seen if not one.open)}


def _issue_id(issue: Issue, info: Info) -> str:
    """The global id. What came into being by a move is called a work item at first."""
    context = context_of(info)
    kind = "WorkItem" if issue.id in context.moved or context.world.traits.work_item_ids else "Issue"
    return f"gid://gitlab/{kind}/{issue.id}"


_ISSUE: dict[str, Any] = {
    "id": _issue_id,
    "iid": lambda issue, _: str(issue.iid),
    "projectId": lambda issue, _: issue.project.id,
    "webPath": lambda issue, _: issue.path,
    "webUrl": lambda issue, info: info.context.base_url + issue.path,
    "reference": reference,
    "description": described,
    "state": lambda issue, _: "opened" if issue.open else "closed",
    # A type of one's own is none of GitLab's.
    "type": lambda issue, _: issue.kind if issue.kind.isupper() else None,
    "hidden": lambda *_: False,
    "discussionLocked": lambda issue, _: issue.locked,
    "createdAt": lambda issue, _: issue.created,
    "updatedAt": lambda issue, _: issue.updated,
    "updatedBy": lambda issue, _: issue.updated_by,
    "closedAt": lambda issue, _: issue.closed,
    "dueDate": lambda issue, _: issue.due,
    "totalTimeSpent": lambda *_: 0,
    "weight": licensed_weight,
    "healthStatus": licensed_health,
    "relativePosition": lambda issue, _: issue.position,
    # Both stay without a licence, where links are left from before.
    "blocked": lambda issue, _: any(one.open for one in issue.blocked_by),
    "blockedByCount": lambda issue, _: sum(1 for one in issue.blocked_by if one.open),
    "blockingCount": blocking_count,
    "blockedByIssues": _blocked_by_issues,
    "hasEpic": lambda *_: False,
    "hasParent": lambda *_: False,
    "iteration": lambda *_: None,
    "status": status_of,
    "assignees": assignees,
    "labels": labels,
    "participants": _participants,
    "subscribed": lambda issue, info: info.context.user in (issue.author, *issue.assignees),
    "taskCompletionStatus": tasks,
    "downvotes": lambda *_: 0,
    "userNotesCount": _comments,
    "userDiscussionsCount": _comments,
    "mergeRequestsCount": lambda issue, _: issue.mr_count,
    "moved": lambda issue, _: issue.moved_to is not None,
    "movedTo": lambda issue, _: issue.moved_to,
    "closedAsDuplicateOf": lambda issue, _: issue.duplicate_of,
    "notes": notes,
    "discussions": _discussions,
    "userPermissions": _permissions,
}


def _owner_is(kind: type[Group] | type[Project]) -> Any:
    return lambda milestone, _: milestone.owner if isinstance(milestone.owner, kind) else None


def _subgroup(milestone: Milestone, *_: Any) -> bool:
    return isinstance(milestone.owner, Group) and milestone.owner.parent is not None


_MILESTONE: dict[str, Any] = {
    "id": lambda milestone, _: gid("Milestone", milestone.id),
    "iid": lambda milestone, _: str(milestone.iid),
    "state": lambda milestone, _: "closed" if milestone.closed else "active",
    "startDate": lambda milestone, _: milestone.start,
    "dueDate": lambda milestone, _: milestone.due,
    "expired": _expired,
    "upcoming": _upcoming,
    "groupMilestone": lambda milestone, _: isinstance(milestone.owner, Group),
    "projectMilestone": lambda milestone, _: isinstance(milestone.owner, Project),
    "subgroupMilestone": _subgroup,
    "webPath": _milestone_path,
    "createdAt": lambda milestone, _: milestone.created,
    "updatedAt": lambda milestone, _: milestone.updated,
    "group": _owner_is(Group),
    "project": _owner_is(Project),
    "stats": _milestone_stats,
}


def label_gid(label: Label, *_: Any) -> str:
    """A label's global id names its owner's type: GroupLabel or ProjectLabel."""
    return gid("GroupLabel" if isinstance(label.owner, Group) else "ProjectLabel", label.id)


FIELDS: Fields = {
    "Issue": _ISSUE,
    "Milestone": _MILESTONE,
    "Label": {
        "id": label_gid,
        "archived": lambda *_: False,
        "createdAt": lambda label, _: label.created,
        "updatedAt": lambda label, _: label.updated,
    },
    "Note": {
        "id": lambda note, _: gid("Note", note.id),
        "createdAt": lambda note, _: note.created,
        "updatedAt": lambda note, _: note.updated,
        "url": _note_url,
        "discussion": lambda note, _: note.thread or note,
        "userPermissions": _note_permissions,
    },
    "Discussion": {
        "id": _discussion_id,
        "replyId": _discussion_id,
        "createdAt": lambda note, _: note.created,
        # A comment alone cannot be resolved; a reply makes it a thread.
        "resolvable": lambda note, _: len(_thread(note)) > 1,
        "resolved": lambda note, _: note.resolved and len(_thread(note)) > 1,
        "notes": lambda note, _, **args: listed(_thread(note), args),
    },
}


# Boards and their lists as GraphQL shows them. A board's own scope is Premium.

# Unlike everything else, boards can be read in one page.
MAX_BOARDS = 2000


def readable_board(context: Context, ident: int) -> Board | None:
    """A board, if its group is visible to the current user."""
    board = context.world.boards.get(ident)
    if board is None or board not in rules.boards_of(context.world, board.group):
        return None
    return board if permissions.can_read_place(context.user, board.group) else None


def _boards(group: Group, info: Info, ident: int | None = None, **args: Any) -> Connection:
    boards = rules.boards_of(context_of(info).world, group)
    if ident is not None:
        boards = [one for one in boards if one.id == ident]
    return listed(boards, args, MAX_BOARDS)


def _board(group: Group, info: Info, ident: int) -> Board | None:
    boards = rules.boards_of(context_of(info).world, group)
    return next((board for board in boards if board.id == ident), None)


def _lists(board: Board, info: Info, ident: int | None = None, **args: Any) -> Connection:
    lists = rules.lists_of(context_of(info).world, board)
    shown = [one for one in lists if ident is None or one.id == ident]
    return listed(shown, args)


def _wanted(column: BoardList, info: Info, filters: dict[str, Any] | None) -> tuple[IssueFilter, str]:
    wanted = rules.scope_of(context_of(info).world, column.board)
    order = rules.narrow(wanted, column)
    kept_milestone = wanted.milestone_id
    wanted = fill(wanted, filters or {}, context_of(info).world.since)
    wanted.milestone_id = kept_milestone
    return wanted, order


def _issues(column: BoardList, info: Info, filters: dict[str, Any] | None = None, **args: Any) -> Connection:
    context = context_of(info)
    wanted, order = _wanted(column, info, filters)
    page = found(context, wanted, order, args)
    # A read that writes: what the list shows has a position afterwards.
    if context.world.traits.boards_place and column.kind != "closed":
        rules.place(context.world, page.nodes)
    return page


def _count(column: BoardList, info: Info) -> int:
    context = context_of(info)
    wanted, _ = _wanted(column, info, None)
    return context.world.index.count(wanted, context.may_see, context.world.clock.today())


def _weight(column: BoardList, info: Info) -> int | None:
    context = context_of(info)
    if not context.world.licensed("premium"):
        return None
    wanted, _ = _wanted(column, info, None)
    issues = context.world.index.matching(wanted, context.may_see, context.world.clock.today())
    return sum(one.weight or 0 for one in issues)


BOARD_FIELDS: Fields = {
    "Group": {"boards": _boards, "board": _board},
    "Board": {
        "id": lambda board, _: gid("Board", board.id),
        "webPath": lambda board, _: board.path,
        "webUrl": lambda board, info: info.context.base_url + board.path,
        "createdAt": lambda board, _: board.created,
        "updatedAt": lambda board, _: board.updated,
        "hideBacklogList": lambda board, _: board.hide_backlog,
        "hideClosedList": lambda board, _: board.hide_closed,
        "iteration": lambda *_: None,
        "labels": lambda board, _, **args: listed(board.labels, args),
        "lists": _lists,
    },
    "BoardList": {
        "id": lambda column, _: gid("List", column.id),
        "listType": lambda column, _: column.kind,
        "iteration": lambda *_: None,
        "issuesCount": _count,
        "totalIssueWeight": _weight,
        "maxIssueCount": lambda *_: 0,
        "maxIssueWeight": lambda *_: 0,
        "limitMetric": lambda *_: "all_metrics",
        "issues": _issues,
    },
}
