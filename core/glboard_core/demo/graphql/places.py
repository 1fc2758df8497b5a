"""Groups and projects: their content and members."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import date
from typing import Any

from graphql import GraphQLError

from glboard_core.demo.graphql.connections import Connection, fill, found, in_projects, listed
from glboard_core.demo.graphql.context import Fields, Info, context_of, gid
from glboard_core.demo.graphql.endpoint import Member
from glboard_core.demo.world import permissions
from glboard_core.demo.world.clock import moment
from glboard_core.demo.world.records import (
    DEVELOPER,
    NO_ACCESS,
    Group,
    Label,
    Milestone,
    Place,
    Project,
    User,
)
from glboard_core.demo.world.search import IssueFilter
from glboard_core.demo.world.world import World

_FAR = date(9999, 1, 1)
#: The most people that `autocompleteUsers` returns.
AUTOCOMPLETED = 20
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


def milestones_of(
    world: World, places: Iterable[Place], *, state: str | None = None, title: str | None = None,
    search: str | None = None, containing: date | None = None, ids: frozenset[int] | None = None,
) -> list[Milestone]:  # fmt: skip
    """The milestones of some places that match."""
    owners = set(places)
    kept = [one for one in world.milestones.values() if one.owner in owners]
    if ids is not None:
        kept = [one for one in kept if one.id in ids]
    if state in ("active", "closed"):
        kept = [one for one in kept if one.closed == (state == "closed")]
    if title is not None:
        kept = [one for one in kept if one.title == title]
    if search:
        kept = [one for one in kept if search.lower() in one.title.lower()]
    if containing is not None:
        kept = [one for one in kept if one.start and one.due and one.start <= containing <= one.due]
    return kept


def milestone_ids(values: Iterable[str]) -> frozenset[int]:
    """Numbers from plain or global ids."""
    tails = [str(one).rsplit("/", 1)[-1] for one in values]
    return frozenset(int(one) for one in tails if one.isdigit())


def _milestones(place: Group | Project, info: Info, **args: Any) -> Connection:
    world = context_of(info).world
    places: list[Place] = [place]
    if args.get("includeAncestors"):
        places += place.group.chain() if isinstance(place, Project) else place.chain()[1:]
    if isinstance(place, Group) and args.get("includeDescendants"):
        places += [*world.groups_below(place), *world.projects_below(place)]
    day = args.get("containingDate")
    kept = milestones_of(
        world, places, state=args.get("state"), title=args.get("title"), search=args.get("searchTitle"),
        containing=moment(day).date() if day is not None else None,
        ids=milestone_ids(args["ids"]) if args.get("ids") is not None else None,
    )  # fmt: skip
    sort = (args.get("sort") or "DUE_DATE_ASC").upper()
    name = sort.removeprefix("EXPIRED_LAST_").rpartition("_")[0]
    order = _MILESTONE_ORDER[name]
    kept.sort(key=lambda one: (order(one), one.id), reverse=sort.endswith("_DESC"))
    if sort.startswith("EXPIRED_LAST_"):
        today = world.clock.today()
        kept.sort(key=lambda one: one.due is not None and one.due < today)
    return listed(kept, args)


def labels_of(
    world: World,
    places: Iterable[Place],
    search: str | None = None,
    fields: Collection[str] = ("TITLE", "DESCRIPTION"),
) -> list[Label]:
    """The labels of some places, by title; `search` is looked for in these fields."""
    owners = set(places)
    kept = [one for one in world.labels.values() if one.owner in owners]
    if search:
        words = search.lower()
        kept = [
            one
            for one in kept
            if ("TITLE" in fields and words in one.title.lower())
            or ("DESCRIPTION" in fields and words in (one.description or "").lower())
        ]
    return sorted(kept, key=lambda one: (one.title.lower(), one.id))


def _labels(place: Group | Project, info: Info, **args: Any) -> Connection:
    world = context_of(info).world
    places: list[Place] = [place]
    if args.get("includeAncestorGroups"):
        places += place.group.chain() if isinstance(place, Project) else place.chain()[1:]
    if isinstance(place, Group) and args.get("includeDescendantGroups"):
        places += world.groups_below(place)
        if not args.get("onlyGroupLabels"):
            places += world.projects_below(place)
    # Servers without `searchIn` look in both.
    kept = labels_of(world, places, args.get("searchTerm"), args.get("searchIn", ("TITLE", "DESCRIPTION")))
    if args.get("title") is not None:
        kept = [one for one in kept if one.title == args["title"]]
    return listed(kept, args)


def _label(place: Group | Project, info: Info, title: str) -> Label | None:
    return context_of(info).world.label_for(place, title)


def members_of(world: World, place: Place, *, inherited: bool, typename: str) -> list[Member]:
    """The members of a place, by id."""
    group = place.group if isinstance(place, Project) else place
    found_members = []
    for user in sorted(world.users.values(), key=lambda one: one.id):
        level = permissions.level(user, place) if inherited else place.members.get(user.id, NO_ACCESS)
        if level > NO_ACCESS:
            found_members.append(Member(user, level, typename, group, world.clock.now()))
    return found_members


def _members(place: Group | Project, info: Info, **args: Any) -> Connection:
    relations = args.get("relations")
    typename = "ProjectMember" if isinstance(place, Project) else "GroupMember"
    # Without relations GitLab gives direct and inherited members.
    inherited = relations is None or "INHERITED" in relations
    kept = members_of(context_of(info).world, place, inherited=inherited, typename=typename)
    if args.get("search"):
        words = args["search"].lower()
        kept = [one for one in kept if words in one.user.username.lower() or words in one.user.name.lower()]
    return listed(kept, args)


def _autocomplete(place: Group | Project, info: Info, search: str | None = None) -> list[User]:
    """People who can be assigned, by name: at most GitLab's 20."""
    world = context_of(info).world
    places: list[Place] = [place]
    if isinstance(place, Group):
        places += [*world.groups_below(place), *world.projects_below(place)]
    words = (search or "").lower()
    kept = {
        member.user
        for one in places
        for member in members_of(world, one, inherited=True, typename="")
        if words in member.user.username.lower() or words in member.user.name.lower()
    }
    return sorted(kept, key=lambda user: (user.name.lower(), user.id))[:AUTOCOMPLETED]


def _projects(group: Group, info: Info, **args: Any) -> Connection:
    context = context_of(info)
    kept = context.world.projects_below(group, deep=bool(args.get("includeSubgroups")))
    kept = [one for one in kept if permissions.can_read_place(context.user, one)]
    if args.get("includeArchived") is False:
        kept = [one for one in kept if not one.archived]
    if args.get("ids") is not None:
        idents = milestone_ids(args["ids"])
        kept = [one for one in kept if one.id in idents]
    if args.get("search"):
        kept = [one for one in kept if args["search"].lower() in one.full_path.lower()]
    if args.get("sort") == "SIMILARITY" and args.get("search"):
        words = args["search"].lower()
        # The share of the path that was typed: as good as GitLab's trigrams for short lists.
        return listed(sorted(kept, key=lambda one: (-len(words) / len(one.full_path), -one.id)), args)
    return listed(sorted(kept, key=lambda one: -one.id), args)


def _descendants(group: Group, info: Info, **args: Any) -> Connection:
    kept = context_of(info).world.groups_below(group)
    if args.get("search"):
        kept = [one for one in kept if args["search"].lower() in one.full_path.lower()]
    return listed(kept, args)


def _statuses(group: Group, info: Info, **args: Any) -> Connection:
    world = context_of(info).world
    return listed(list(world.statuses.values()) if world.licensed("premium") else [], args)


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


_PLACE: dict[str, Any] = {
    "visibility": lambda *_: "private",
    "milestones": _milestones,
    "labels": _labels,
    "label": _label,
    "autocompleteUsers": _autocomplete,
}


def _full_name(group: Group, *_: Any) -> str:
    return " / ".join(one.name for one in reversed(group.chain()))


def _open_count(project: Project, info: Info) -> int:
    context = context_of(info)
    return sum(1 for one in project.issues.values() if one.open and context.may_see(one))


FIELDS: Fields = {
    "Group": {
        **_PLACE,
        "id": lambda group, _: gid("Group", group.id),
        "fullName": _full_name,
        "webUrl": lambda group, info: f"{info.context.base_url}/groups/{group.full_path}",
        "issues": _group_issues,
        "workItems": _group_work_items,
        "groupMembers": _members,
        "projects": _projects,
        "descendantGroups": _descendants,
        "statuses": _statuses,
        "userPermissions": _group_permissions,
    },
    "Project": {
        **_PLACE,
        "id": lambda project, _: gid("Project", project.id),
        "nameWithNamespace": lambda project, _: f"{_full_name(project.group)} / {project.name}",
        "webUrl": lambda project, info: f"{info.context.base_url}/{project.full_path}",
        "issue": _project_issue,
        "issues": _project_issues,
        "openIssuesCount": _open_count,
        "projectMembers": _members,
        "userPermissions": _project_permissions,
    },
}
