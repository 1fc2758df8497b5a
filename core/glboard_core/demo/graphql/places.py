"""Groups and projects: their content and members."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

from graphql import GraphQLError

from glboard_core.demo.graphql.connections import Connection, fill, found, in_projects, listed
from glboard_core.demo.graphql.context import Context, Fields, Info, context_of, gid
from glboard_core.demo.graphql.endpoint import Member, user_fields
from glboard_core.demo.world import permissions
from glboard_core.demo.world.clock import moment
from glboard_core.demo.world.filters import IssueFilter
from glboard_core.demo.world.finders import (
    SHORTEST,
    completed,
    labels_of,
    members_of,
    milestones_of,
    people,
    says,
)
from glboard_core.demo.world.records import (
    ACCESS_NAMES,
    DEVELOPER,
    Group,
    Label,
    Milestone,
    Place,
    Project,
    User,
)
from glboard_core.demo.world.texts import whole

_FAR = date(9999, 1, 1)
_MILESTONE_ORDER: dict[str, Callable[[Milestone], Any]] = {
    "DUE_DATE": lambda one: one.due or _FAR,
    "CREATED": lambda one: one.created,
    "UPDATED": lambda one: one.updated,
}


def _group_issues(group: Group, info: Info, **args: Any) -> Connection:
    context = context_of(info)
    # GitLab's default excludes subgroups, which can make a board look empty.
    inside = context.world.projects_below(group, deep=bool(args.get("includeSubgroups")))
    return found(context, in_projects(context, inside, args), args.get("sort"), args)


def _group_work_items(group: Group, info: Info, **args: Any) -> Connection:
    context = context_of(info)
    inside = context.world.projects_below(group, deep=bool(args.get("includeDescendants")))
    if args.get("excludeProjects"):
        inside = []
    return found(context, in_projects(context, inside, args), args.get("sort"), args)


def _project_issues(project: Project, info: Info, **args: Any) -> Connection:
    # An archived project shows its issues if it is named.
    since = context_of(info).world.since
    wanted = fill(IssueFilter(projects=frozenset({project.id})), args, since)
    wanted.include_archived = True
    return found(context_of(info), wanted, args.get("sort"), args)


def _project_issue(project: Project, info: Info, **args: Any) -> Any:
    if not args.get("iid") and not args.get("iids"):
        raise GraphQLError("Field 'issue' needs an iid")
    nodes = _project_issues(project, info, **args).nodes
    return nodes[0] if nodes else None


def _numbers(values: Iterable[str]) -> frozenset[int]:
    """Numbers from plain or global ids."""
    tails = [str(one).rsplit("/", 1)[-1] for one in values]
    return frozenset(number for one in tails if (number := whole(one)) is not None)


def _days(args: dict[str, Any]) -> tuple[date, date] | None:
    """The first and last day that milestones are asked for."""
    if args.get("timeframe") is not None:
        start, end = args["timeframe"]["start"], args["timeframe"]["end"]
        if start > end:
            raise GraphQLError("start must be before end")
        return start, end
    day = args.get("containingDate")
    return None if day is None else (moment(day).date(), moment(day).date())


def _milestones(place: Group | Project, info: Info, **args: Any) -> Connection:
    world = context_of(info).world
    places: list[Place] = [place]
    if args.get("includeAncestors"):
        places += place.group.chain() if isinstance(place, Project) else place.chain()[1:]
    if isinstance(place, Group) and args.get("includeDescendants"):
        places += [*world.groups_below(place), *world.projects_below(place)]
    kept = milestones_of(
        world, places, state=args.get("state"), title=args.get("title"), search=args.get("searchTitle"),
        within=_days(args),
        ids=_numbers(args["ids"]) if args.get("ids") is not None else None,
    )  # fmt: skip
    sort = (args.get("sort") or "DUE_DATE_ASC").upper()
    name = sort.removeprefix("EXPIRED_LAST_").rpartition("_")[0]
    order = _MILESTONE_ORDER[name]
    kept.sort(key=lambda one: (order(one), one.id), reverse=sort.endswith("_DESC"))
    if sort.startswith("EXPIRED_LAST_"):
        today = world.clock.today()
        kept.sort(key=lambda one: one.due is not None and one.due < today)
    return listed(kept, args)


def _labels(place: Group | Project, info: Info, **args: Any) -> Connection:
    world = context_of(info).world
    # A project's labels include those of the groups above it, asked for or not.
    places: list[Place] = permissions.owners_of(place) if isinstance(place, Project) else [place]
    if isinstance(place, Group) and args.get("includeAncestorGroups"):
        places += place.chain()[1:]
    if isinstance(place, Group) and args.get("includeDescendantGroups"):
        places += world.groups_below(place)
        if not args.get("onlyGroupLabels"):
            places += world.projects_below(place)
    kept = labels_of(
        world, places, args.get("searchTerm"), title=args.get("title"),
        search_in=args.get("searchIn") or ("TITLE", "DESCRIPTION"),
    )  # fmt: skip
    return listed(kept, args)


def _label(place: Group | Project, info: Info, title: str) -> Label | None:
    return context_of(info).world.label_for(place, title)


def _members(place: Group | Project, info: Info, **args: Any) -> Connection:
    world = context_of(info).world
    relations = args.get("relations")
    typename = "ProjectMember" if isinstance(place, Project) else "GroupMember"
    group = place.group if isinstance(place, Project) else place
    # Without relations GitLab gives direct and inherited members.
    inherited = relations is None or "INHERITED" in relations
    kept = members_of(world, place, inherited=inherited, search=args.get("search"))
    now = world.clock.now()
    return listed([Member(user, level, typename, group, now) for user, level in kept], args)


def _completed(place: Group | Project, info: Info, search: str | None = None) -> list[User]:
    return completed(context_of(info).world, place, search)


def _found(context: Context, kept: Iterable[Project], args: dict[str, Any]) -> Connection:
    """Those projects that match and are visible, newest first, or the most similar to the search."""
    if args.get("ids") is not None:
        idents = _numbers(args["ids"])
        kept = [one for one in kept if one.id in idents]
    if args.get("fullPaths") is not None:
        paths = {one.lower() for one in args["fullPaths"]}
        kept = [one for one in kept if one.full_path.lower() in paths]
    if args.get("membership"):
        kept = [one for one in kept if permissions.level(context.user, one)]
    if args.get("search"):
        above = bool(args.get("searchNamespaces"))
        kept = [
            one
            for one in kept
            if says(args["search"], one.full_path if above else one.path, one.name, one.description)
        ]
    seen = [one for one in kept if permissions.can_read_place(context.user, one)]
    similar = args.get("sort") == "SIMILARITY" and args.get("search")
    # The shorter the name around what was typed, the more of it was typed.
    return listed(sorted(seen, key=lambda one: (len(one.name) if similar else 0, -one.id)), args)


def _group_projects(group: Group, info: Info, **args: Any) -> Connection:
    context = context_of(info)
    kept = context.world.projects_below(group, deep=bool(args.get("includeSubgroups")))
    if args.get("includeArchived") is False:
        kept = [one for one in kept if not one.archived]
    return _found(context, kept, args)


def _all_projects(_: Any, info: Info, **args: Any) -> Connection:
    context = context_of(info)
    return _found(context, context.world.projects.values(), args)


def _groups_named(groups: Iterable[Group], text: str) -> list[Group]:
    """Those that a search finds: none with fewer than three letters."""
    return [one for one in groups if len(text) >= SHORTEST and says(text, one.path, one.name)]


def _all_groups(_: Any, info: Info, **args: Any) -> Connection:
    context = context_of(info)
    kept = list(context.world.groups.values())
    if args.get("ids") is not None:
        idents = _numbers(args["ids"])
        kept = [one for one in kept if one.id in idents]
    if args.get("search"):
        kept = _groups_named(kept, args["search"])
    seen = [one for one in kept if permissions.can_read_place(context.user, one)]
    if args.get("allAvailable") is False:
        seen = [one for one in seen if permissions.level(context.user, one)]
    return listed(sorted(seen, key=lambda one: one.name.lower()), args)


def _own_groups(user: User, info: Info, **args: Any) -> Connection:
    """The groups with a membership of the user's own: not those below them."""
    kept = [one for one in context_of(info).world.groups.values() if user.id in one.members]
    if args.get("search"):
        kept = _groups_named(kept, args["search"])
    return listed(sorted(kept, key=lambda one: one.name.lower()), args)


def _users(_: Any, info: Info, **args: Any) -> Connection:
    world = context_of(info).world
    if args.get("usernames") is not None:
        kept = people(world, args["usernames"])
    else:
        kept = list(world.users.values())
    if args.get("ids") is not None:
        idents = _numbers(args["ids"])
        kept = [one for one in kept if one.id in idents]
    if args.get("search"):
        kept = [one for one in kept if says(args["search"].removeprefix("@"), one.username, one.name)]
    return listed(sorted(kept, key=lambda one: -one.id), args)


_PAGING = frozenset({"first", "last", "after", "before", "sort"})


def _all_issues(_: Any, info: Info, **args: Any) -> Connection:
    context = context_of(info)
    if not any(value for name, value in args.items() if name not in _PAGING):
        raise GraphQLError("You must provide at least one filter argument for this query")
    return found(context, in_projects(context, context.world.projects.values(), args), args.get("sort"), args)


def _descendants(group: Group, info: Info, **args: Any) -> Connection:
    kept = context_of(info).world.groups_below(group)
    if args.get("search"):
        kept = _groups_named(kept, args["search"])
    return listed(kept, args)


def _statuses(_: Group, info: Info, **args: Any) -> Connection | None:
    world = context_of(info).world
    return listed(list(world.statuses.values()), args) if world.licensed("premium") else None


def _lifecycles(_: Group, info: Info, **args: Any) -> Connection | None:
    """The one lifecycle of the top-level group; null without a licence."""
    world = context_of(info).world
    ident = gid("WorkItems::Statuses::Custom::Lifecycle", 1)
    own = {"id": ident, "name": "Default", "statuses": list(world.statuses.values())}
    return listed([own], args) if world.licensed("premium") else None


def _group_permissions(group: Group, info: Info) -> dict[str, bool]:
    user = context_of(info).user
    return {
        "adminIssue": permissions.can_plan(user, group),
        "readGroup": True,
        "createProjects": permissions.level(user, group) >= DEVELOPER,
    }


def _project_permissions(project: Project, info: Info) -> dict[str, bool]:
    user = context_of(info).user
    plan = permissions.can_plan(user, project)
    return {
        "adminIssue": plan,
        "adminProject": permissions.can_maintain(user, project),
        "createIssue": permissions.can_read_place(user, project) and not project.archived,
        "createLabel": plan,
        "readProject": True,
    }


def _own_level(project: Project, info: Info) -> dict[str, Any]:
    level = permissions.level(context_of(info).user, project)
    return {"integerValue": level, "stringValue": ACCESS_NAMES.get(level)}


_PLACE: dict[str, Any] = {
    "visibility": lambda *_: "private",
    "milestones": _milestones,
    "labels": _labels,
    "label": _label,
}


def _full_name(group: Group, *_: Any) -> str:
    return " / ".join(one.name for one in reversed(group.chain()))


def _open_count(project: Project, info: Info) -> int:
    context = context_of(info)
    context.world.index.read({project.id})
    return sum(1 for one in project.issues.values() if one.open and context.may_see(one))


FIELDS: Fields = {
    "Query": {"groups": _all_groups, "projects": _all_projects, "users": _users, "issues": _all_issues},
    "AutocompletedUser": user_fields(),
    "CurrentUser": {"groups": _own_groups},
    "Group": {
        **_PLACE,
        "id": lambda group, _: gid("Group", group.id),
        "fullName": _full_name,
        "webUrl": lambda group, info: f"{info.context.base_url}/groups/{group.full_path}",
        "issues": _group_issues,
        "workItems": _group_work_items,
        "groupMembers": _members,
        "autocompleteUsers": _completed,
        "projects": _group_projects,
        "descendantGroups": _descendants,
        "statuses": _statuses,
        "lifecycles": _lifecycles,
        "epicsEnabled": lambda _, info: context_of(info).world.licensed("premium"),
        "userPermissions": _group_permissions,
    },
    "Project": {
        **_PLACE,
        "id": lambda project, _: gid("Project", project.id),
        "nameWithNamespace": lambda project, _: f"{_full_name(project.group)} / {project.name}",
        "webUrl": lambda project, info: f"{info.context.base_url}/{project.full_path}",
        "markedForDeletionOn": lambda project, _: project.marked,
        "maxAccessLevel": _own_level,
        "issue": _project_issue,
        "issues": _project_issues,
        "workItems": _project_issues,
        "openIssuesCount": _open_count,
        "autocompleteUsers": _completed,
        "projectMembers": _members,
        "userPermissions": _project_permissions,
    },
}
