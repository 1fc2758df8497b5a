"""Issues over REST: list (groups always include their subgroups), read, create, update, reorder, delete."""

from __future__ import annotations

from typing import Any

from graphql import GraphQLError

from glboard_core.demo.graphql.connections import cursor_key, cursor_of
from glboard_core.demo.graphql.mutations import THROTTLED, create_issue
from glboard_core.demo.rest import request, shapes
from glboard_core.demo.rest.request import Call, Refused, bad, forbidden, missing
from glboard_core.demo.world import boards, changes, links, notes, permissions, upheavals
from glboard_core.demo.world.changes import UNSET, Change
from glboard_core.demo.world.filters import LOOSE, IssueFilter
from glboard_core.demo.world.links import LinkKind
from glboard_core.demo.world.notes import comment
from glboard_core.demo.world.records import (
    OWNER,
    PLANNER,
    Issue,
    Label,
    Milestone,
    Note,
    Project,
    User,
)
from glboard_core.demo.world.registry import InternalServerError
from glboard_core.demo.world.search import key_of
from glboard_core.demo.world.texts import whole

_ORDERS = {
    "created_at": "CREATED",
    "updated_at": "UPDATED",
    "due_date": "DUE_DATE",
    "relative_position": "RELATIVE_POSITION",
    "weight": "WEIGHT",
    "title": "TITLE",
    "milestone_due": "MILESTONE_DUE",
}
_KEYSET = ("created_at", "updated_at", "due_date", "relative_position", "title")
_WILD = {"none": "NONE", "any": "ANY", "upcoming": f"UPCOMING{LOOSE}", "started": f"STARTED{LOOSE}"}
_MAX_INTEGER = 2**31 - 1
_CHANGES = (
    "add_labels",
    "assignee_id",
    "assignee_ids",
    "confidential",
    "created_at",
    "description",
    "discussion_locked",
    "due_date",
    "issue_type",
    "labels",
    "milestone_id",
    "remove_labels",
    "state_event",
    "title",
    "updated_at",
    "weight",
)


def _milestone(call: Call, wanted: IssueFilter) -> None:
    title, ident = call.text("milestone"), call.text("milestone_id")
    if title is not None and ident is not None:
        raise Refused(400, {"error": "milestone_id, milestone are mutually exclusive"})
    word = (title or ident or "").lower()
    if word in _WILD:
        wanted.milestone_is = _WILD[word]
    elif ident:
        wanted.milestone_id = call.number("milestone_id")
    elif title:
        wanted.milestones = (title,)


def _people(call: Call, wanted: IssueFilter) -> None:
    wanted.assignees = call.texts("assignee_username")
    ident = call.text("assignee_id")
    if ident is not None:
        word = ident.lower()
        if word in ("none", "any", "0"):
            wanted.assignee_is = "ANY" if word == "any" else "NONE"
        else:
            number = call.number("assignee_id")
            someone = call.world.user_of(number)
            named = [someone.username] if someone is not None else []
            wanted.assignees = (*wanted.assignees, *(named or ["\0nobody"]))
    wanted.authors = call.texts("author_username")


def _filter(call: Call, wanted: IssueFilter) -> IssueFilter:
    wanted.labels = call.texts("labels")
    wanted.state = call.choice("state", ("opened", "closed", "all"))
    _milestone(call, wanted)
    _people(call, wanted)
    negated = call.params.get("not")
    if isinstance(negated, dict):
        wanted.not_labels = call.texts("labels", negated)
        wanted.not_milestones = call.texts("milestone", negated)
        wanted.not_assignees = call.texts("assignee_username", negated)
        wanted.not_authors = call.texts("author_username", negated)
    for name in ("created_after", "created_before", "updated_after", "updated_before"):
        setattr(wanted, name, call.time(name))
    if call.has("iids"):
        wanted.iids = frozenset(call.numbers("iids"))
    wanted.confidential = call.flag("confidential")
    wanted.search = call.text("search")
    if call.has("in"):
        wanted.search_in = frozenset(one.upper() for one in call.texts("in"))
    weight = call.text("weight")
    if weight is not None and weight.lower() in ("none", "any"):
        wanted.weight_is = weight.upper()
    elif weight is not None:
        wanted.weight = call.number("weight")
    scope = call.choice(
        "scope", ("all", "created_by_me", "assigned_to_me", "created-by-me", "assigned-to-me")
    )
    if scope is not None and scope != "all":
        me = call.signed_in().username
        if scope.startswith("created"):
            wanted.authors = (me,)
        else:
            wanted.assignees = (*wanted.assignees, me)
    wanted.include_archived = wanted.include_archived or call.flag("non_archived", True) is False
    return wanted


def _order(call: Call) -> str:
    by = call.choice("order_by", _ORDERS) or "created_at"
    way = call.choice("sort", ("asc", "desc")) or "desc"
    return f"{_ORDERS[by]}_{way.upper()}"


def _listed(call: Call, wanted: IssueFilter) -> list[shapes.Shape]:
    world, today = call.world, call.world.clock.today()
    order = _order(call)

    def may_see(one: Issue) -> bool:
        return permissions.can_read(call.user, one)

    number, size = request.window(call)
    page = world.index.page(wanted, order, may_see, today, first=size, skip=(number - 1) * size)
    total: int | None = world.index.count(wanted, may_see, today, request.MAX_TOTAL)
    if total is not None and total > request.MAX_TOTAL:
        total = None
    request.put_headers(call, number, size, more=page.has_next, total=total)
    detailed = bool(call.flag("with_labels_details", False))
    return [shapes.issue(call, one, detailed_labels=detailed) for one in page.issues]


def of_group(call: Call, group: str) -> Any:
    """The issues of a group and everything below it."""
    here = request.group(call, group)
    projects = call.world.projects_below(here)
    everything = len(projects) == len(call.world.projects)
    return _listed(
        call, _filter(call, IssueFilter(None if everything else frozenset(one.id for one in projects)))
    )


def of_project(call: Call, project: str) -> Any:
    """The issues of a project; the only list with keyset pages."""
    here = request.project(call, project)
    wanted = _filter(call, IssueFilter(frozenset({here.id}), include_archived=True))
    if call.text("pagination") != "keyset":
        return _listed(call, wanted)
    if (call.text("order_by") or "created_at") not in _KEYSET:
        raise Refused(405, {"error": "Keyset pagination is not yet available for this type of request"})
    order = _order(call)
    _, size = request.window(call)
    cursor = call.text("cursor")
    try:
        after = cursor_key(cursor, order) if cursor else None
    except GraphQLError:
        raise bad("cursor") from None
    page = call.world.index.page(
        wanted, order, lambda one: permissions.can_read(call.user, one), call.world.clock.today(), first=size,
        after=after,
    )  # fmt: skip
    following = cursor_of(order, key_of(page.issues[-1], order)) if page.has_next else None
    request.put_keyset_headers(call, size, following)
    return [shapes.issue(call, one) for one in page.issues]


def of_milestone(call: Call, group: str, ident: str) -> Any:
    """The issues of a group milestone."""
    milestone = request.milestone(call, request.group(call, group), ident)
    wanted = IssueFilter(milestone_id=milestone.id, milestones=(milestone.title,))
    return _listed(call, wanted)


def show(call: Call, project: str, iid: str) -> Any:
    """One issue."""
    return shapes.one_issue(call, request.issue(call, project, iid))


def _named(call: Call, project: Project, name: str) -> list[Label]:
    """Labels by title. Unknown ones are created as project labels: GitLab's trap."""
    found = []
    for title in call.texts(name):
        label = call.world.label_for(project, title)
        if label is None and permissions.can_plan(call.user, project):
            label = call.world.add_label(project, title)
        if label is not None:
            found.append(label)
    return found


def _milestone_wish(call: Call) -> Milestone | changes.Unset | None:
    if call.has("milestone_id"):
        ident = call.number("milestone_id", 0)
        return None if not ident else call.world.milestones.get(ident, UNSET)
    # Only the newest servers read the title; the others silently ignore it.
    if call.has("milestone") and call.world.since >= (19, 3):
        title = call.text("milestone")
        return next((one for one in call.world.milestones.values() if one.title == title), UNSET)
    return UNSET


def _assignees(call: Call) -> list[User] | changes.Unset:
    if not call.has("assignee_ids") and not call.has("assignee_id"):
        return UNSET
    idents = call.numbers("assignee_ids") if call.has("assignee_ids") else call.numbers("assignee_id")
    return call.world.users_of(idents)


def _change(call: Call, project: Project) -> Change:
    change = Change(milestone=_milestone_wish(call), assignees=_assignees(call))
    if call.has("title"):
        change.title = call.text("title") or ""
    if call.has("description"):
        change.description = call.text("description") or ""
    if call.has("due_date"):
        change.due = call.day("due_date")
    if call.has("weight"):
        change.weight = call.number("weight")
        if change.weight is not None and change.weight > _MAX_INTEGER:
            raise InternalServerError
    for ours, theirs in (("confidential", "confidential"), ("locked", "discussion_locked")):
        if call.has(theirs):
            setattr(change, ours, bool(call.flag(theirs)))
    kind = call.choice("issue_type", ("issue", "incident", "test_case", "task"))
    if kind is not None:
        change.kind = kind.upper()
    event = call.choice("state_event", ("close", "reopen"))
    if event is not None:
        change.state = "close" if event == "close" else "reopen"
    if call.has("labels"):
        change.labels = _named(call, project, "labels")
    change.add_labels = _named(call, project, "add_labels")
    if call.has("remove_labels"):
        change.remove_labels = [
            one
            for title in call.texts("remove_labels")
            if (one := call.world.label_for(project, title)) is not None
        ]
    return change


def _messages(problems: list[str]) -> dict[str, Any]:
    """Validation messages, grouped by attribute."""
    found: dict[str, list[str]] = {}
    for one in problems:
        name, _, rest = one.partition(" ")
        found.setdefault(name.lower(), []).append(rest)
    return {"message": found}


def create(call: Call, project: str) -> Any:
    """Create an issue."""
    user, here = call.signed_in(), request.project(call, project)
    title = call.required("title")
    if call.asked.throttle_issue(user):
        raise Refused(429, {"message": {"error": THROTTLED}})
    if here.archived or not here.issues_enabled:
        raise forbidden()
    change = _change(call, here)
    problems = changes.problems(change)
    if problems:
        raise Refused(400, _messages(problems))
    change.title = UNSET
    return 201, shapes.one_issue(call, create_issue(call.world, here, title, user, change))


def update(call: Call, project: str, iid: str) -> Any:
    """Update an issue. `updated_at` sets the timestamp; it is not a precondition."""
    user, issue = call.signed_in(), request.issue(call, project, iid)
    known = (*_CHANGES, "milestone") if call.world.since >= (19, 3) else _CHANGES
    if not any(call.has(name) for name in known):
        raise Refused(
            400, {"error": f"{', '.join(known)} are missing, at least one parameter must be provided"}
        )
    if not permissions.can_update(user, issue):
        raise forbidden()
    change = _change(call, issue.project)
    problems = changes.apply(call.world, issue, change, user)
    if problems:
        raise Refused(400, _messages(problems))
    if change.description is not UNSET:
        notes.describe(call.world, issue, user)
    stamp = call.time("updated_at")
    if stamp is not None and permissions.level(user, issue.project) >= OWNER:
        with call.world.index.moving(issue):
            issue.updated = stamp
    return shapes.one_issue(call, issue)


def reorder(call: Call, project: str, iid: str) -> Any:
    """Rank an issue: `move_before_id` comes before it, `move_after_id` after it."""
    issue = request.issue(call, project, iid)
    if not permissions.can_admin(call.signed_in(), issue):
        raise forbidden()
    if not call.has("move_before_id") and not call.has("move_after_id"):
        raise bad("move_after_id, move_before_id", "are missing, at least one parameter must be provided")
    world = call.world
    before = world.index.find(call.number("move_before_id", 0) or 0)
    after = world.index.find(call.number("move_after_id", 0) or 0)
    for name, one in (("move_before_id", before), ("move_after_id", after)):
        if call.has(name) and (one is None or one.project.root is not issue.project.root):
            raise Refused(422, {"message": {"error": "Unprocessable Entity"}})
    boards.move_between(world, issue, before, after)
    return shapes.one_issue(call, issue)


def move(call: Call, project: str, iid: str) -> Any:
    """Move an issue to another project: a copy there, and the original closed."""
    user, issue = call.signed_in(), request.issue(call, project, iid)
    target = request.project(call, call.required("to_project_id"))
    if not permissions.can_admin(user, issue) or not permissions.can_plan(user, target):
        raise Refused(400, {"message": "Cannot move issue due to insufficient permissions!"})
    if target is issue.project:
        raise Refused(400, {"message": "Cannot move issue to project it originates from!"})
    return 201, shapes.one_issue(call, upheavals.move_issue(call.world, issue, target, user))


def link(call: Call, project: str, iid: str) -> Any:
    """Relate an issue to another one; that one blocks the other is Premium."""
    source = request.issue(call, project, iid)
    target = request.issue(call, call.required("target_project_id"), call.required("target_issue_iid"))
    kind = call.choice("link_type", ("relates_to", "blocks", "is_blocked_by")) or "relates_to"
    if not permissions.can_read(call.signed_in(), target) or source.project.archived:
        raise forbidden()
    if kind != "relates_to" and not call.world.licensed("premium"):
        raise Refused(403, {"message": "Blocked issues not available for current license"})
    wanted: dict[str, LinkKind] = {"blocks": "blocks", "is_blocked_by": "is_blocked_by"}
    if links.link(call.world, source, target, wanted.get(kind, "relates_to"), call.signed_in()):
        raise Refused(409, {"message": "Issue(s) already assigned"})
    return 201, {
        "source_issue": shapes.issue(call, source),
        "target_issue": shapes.issue(call, target),
        "link_type": kind,
    }


def delete(call: Call, project: str, iid: str) -> Any:
    """Delete an issue."""
    issue = request.issue(call, project, iid)
    if permissions.level(call.signed_in(), issue.project) < OWNER:
        raise forbidden()
    call.world.delete(issue.reference)
    return 204, None


# Comments and resource events of issues over REST.


def list_notes(call: Call, project: str, iid: str) -> Any:
    """The comments of an issue, by default newest first."""
    issue = request.issue(call, project, iid)
    shown = [
        one
        for one in issue.notes or ()
        if not one.internal or permissions.level(call.user, issue.project) >= PLANNER
    ]
    updated = call.choice("order_by", ("created_at", "updated_at")) == "updated_at"
    shown.sort(
        key=lambda one: (one.updated if updated else one.created, one.id),
        reverse=call.choice("sort", ("asc", "desc")) != "asc",
    )
    return [shapes.note(call, one) for one in request.paged(call, shown)]


def _note(call: Call, project: str, iid: str, ident: str, *, own: bool = False) -> Note:
    issue = request.issue(call, project, iid)
    found = call.world.notes.get(whole(ident) or 0)
    if found is None or found.issue is not issue:
        raise missing("Note")
    if own and not (call.signed_in() is found.author or permissions.can_maintain(call.user, issue.project)):
        raise forbidden()
    return found


def note(call: Call, project: str, iid: str, ident: str) -> Any:
    """One comment."""
    return shapes.note(call, _note(call, project, iid, ident))


def create_note(call: Call, project: str, iid: str) -> Any:
    """Create a comment; quick actions alone return 202 and leave no note."""
    user, issue = call.signed_in(), request.issue(call, project, iid)
    body = call.required("body")
    if issue.project.archived:
        raise forbidden()
    if call.asked.throttle_note(user):
        raise Refused(429, {"message": {"error": THROTTLED}}, {"retry-after": "60"})
    outcome = comment(call.world, issue, body, user, internal=bool(call.flag("internal", False)))
    if outcome.note is not None:
        return 201, shapes.note(call, outcome.note)
    if outcome.failures:
        raise Refused(400, {"message": f"400 Bad request - {outcome.failures[0]}"})
    if outcome.commands_only:
        changes: dict[str, Any] = dict.fromkeys(outcome.commands, True)
        return 202, {"commands_changes": changes, "summary": outcome.messages}
    raise Refused(400, {"message": "400 Bad request - Note " + str({"note": ["can't be blank"]})})


def update_note(call: Call, project: str, iid: str, ident: str) -> Any:
    """Update a comment."""
    found = _note(call, project, iid, ident, own=True)
    found.body = call.required("body")
    found.updated = call.world.clock.now()
    return shapes.note(call, found)


def delete_note(call: Call, project: str, iid: str, ident: str) -> Any:
    """Delete a comment."""
    call.world.drop_note(_note(call, project, iid, ident, own=True))
    return 204, None


def _events(call: Call, project: str, iid: str, kind: str) -> Any:
    issue = request.issue(call, project, iid)
    kept = [one for one in call.world.ensure_history(issue) if one.kind == kind]
    kept.sort(key=lambda one: one.id)
    return [shapes.event(call, issue, one) for one in request.paged(call, kept)]


def label_events(call: Call, project: str, iid: str) -> Any:
    """Labels added and removed."""
    return _events(call, project, iid, "label")


def milestone_events(call: Call, project: str, iid: str) -> Any:
    """Milestones set and removed."""
    return _events(call, project, iid, "milestone")


def state_events(call: Call, project: str, iid: str) -> Any:
    """When it was closed and reopened."""
    return _events(call, project, iid, "state")


def weight_events(call: Call, project: str, iid: str) -> Any:
    """Its weight changes."""
    if not call.world.licensed("premium"):
        raise missing("")
    return _events(call, project, iid, "weight")


def iteration_events(call: Call, project: str, iid: str) -> Any:
    """The world has no iterations."""
    request.issue(call, project, iid)
    return list(request.paged(call, []))
