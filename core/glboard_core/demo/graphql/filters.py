"""From GraphQL arguments to an issue filter."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from graphql import GraphQLError

from glboard_core.demo.filtering import LOOSE, IssueFilter
from glboard_core.demo.graphql.context import Context


def _texts(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    many = [value] if isinstance(value, str) else value
    return tuple(one for one in many if one is not None)


def _numbers(values: Iterable[str] | None) -> frozenset[int] | None:
    if values is None:
        return None
    return frozenset(int(one) for one in values if one is not None and str(one).isdigit())


def _weight(value: str | None) -> int | None:
    """The weight argument is text in GraphQL; anything but digits finds nothing."""
    if value is None:
        return None
    return int(value) if value.isdigit() else -1


def _negated(wanted: IssueFilter, negated: dict[str, Any]) -> None:
    wanted.not_labels = _texts(negated.get("labelName"))
    wanted.not_milestones = _texts(negated.get("milestoneTitle"))
    wanted.not_milestone_is = negated.get("milestoneWildcardId")
    wanted.not_assignees = _texts(negated.get("assigneeUsernames", negated.get("assigneeUsername")))
    wanted.not_authors = _texts(negated.get("authorUsername"))
    wanted.not_iids = _numbers(negated.get("iids")) or frozenset()
    wanted.not_weight = _weight(negated.get("weight"))


def fill(wanted: IssueFilter, args: dict[str, Any], since: tuple[int, int]) -> IssueFilter:
    """Narrows a filter by the arguments of `issues`, `workItems` or a board list."""
    titles, wild = _texts(args.get("milestoneTitle")), args.get("milestoneWildcardId")
    if titles and wild:
        raise GraphQLError(
            "Only one of [milestoneTitle, milestoneWildcardId] arguments is allowed at the same time."
        )
    if args.get("weight") is not None and args.get("weightWildcardId") is not None:
        raise GraphQLError("Only one of [weight, weightWildcardId] arguments is allowed at the same time.")
    wanted.labels = (*wanted.labels, *_texts(args.get("labelName")))
    if titles:
        # A board in a milestone, asked for another one, shows nothing.
        both = tuple(one for one in titles if not wanted.milestones or one in wanted.milestones)
        wanted.milestones = both or ("\0nothing",)
    wanted.milestone_is = wild
    iids = _numbers(args.get("iids"))
    if args.get("iid") is not None:
        iids = (iids or frozenset()) | (_numbers([args["iid"]]) or frozenset())
    wanted.iids = iids
    if args.get("ids") is not None:
        wanted.ids = frozenset(args["ids"])
    if args.get("state") not in (None, "all") and wanted.state is None:
        wanted.state = args["state"]
    wanted.assignees = (
        *wanted.assignees, *_texts(args.get("assigneeUsernames")), *_texts(args.get("assigneeUsername")),
    )  # fmt: skip
    wanted.assignee_is = args.get("assigneeWildcardId")
    wanted.authors = _texts(args.get("authorUsername"))
    for ours, theirs in (("closed", "closed"), ("created", "created"), ("updated", "updated")):
        setattr(wanted, f"{ours}_after", args.get(f"{theirs}After"))
        setattr(wanted, f"{ours}_before", args.get(f"{theirs}Before"))
    wanted.confidential = args.get("confidential")
    wanted.search = args.get("search")
    if args.get("in"):
        wanted.search_in = frozenset(args["in"])
    if args.get("weight") is not None:
        wanted.weight = _weight(args["weight"])
    wanted.weight_is = args.get("weightWildcardId")
    if args.get("types"):
        wanted.kinds = frozenset(args["types"])
    wanted.include_archived = bool(args.get("includeArchived"))
    if args.get("not"):
        _negated(wanted, args["not"])
    either = args.get("or") or {}
    wanted.any_labels = _texts(either.get("labelNames"))
    wanted.any_assignees = _texts(either.get("assigneeUsernames"))
    wanted.authors = (*wanted.authors, *_texts(either.get("authorUsernames")))
    if since < (18, 0):
        for name in ("milestone_is", "not_milestone_is"):
            if getattr(wanted, name) in ("STARTED", "UPCOMING"):
                setattr(wanted, name, getattr(wanted, name) + LOOSE)
    return wanted


def in_projects(context: Context, projects: Iterable[Any], args: dict[str, Any]) -> IssueFilter:
    """The filter of the arguments over some projects."""
    idents = frozenset(one.id for one in projects)
    everything = len(idents) == len(context.world.projects)
    return fill(IssueFilter(projects=None if everything else idents), args, context.world.since)
