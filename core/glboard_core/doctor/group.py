"""The checks of the group: the names of the configuration, our roles, and how the workflow is stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from msgspec import structs

from glboard_core.board.definition import flow_scheme, milestone_title, resolve
from glboard_core.board.names_needed import BY_DATE, catalog_names
from glboard_core.config import Settings
from glboard_core.doctor.checks import Checks, counted, listed
from glboard_core.errors import NameUnknown
from glboard_core.gitlab.inspection import RoleInProject
from glboard_core.model.catalog import Catalog
from glboard_core.model.issue import Issue
from glboard_core.model.query import Found

#: GitLab's roles by their numbers.
ROLES = {
    0: "No access",
    5: "Minimal access",
    10: "Guest",
    15: "Planner",
    20: "Reporter",
    30: "Developer",
    40: "Maintainer",
    50: "Owner",
}
#: From this role on nothing that glboard does is refused.
DEVELOPER = 30
#: Of how many names that are missing a near one is shown.
MOST_NEAR = 4


def missing_labels(settings: Settings, catalog: Catalog, today: date) -> list[str]:
    """The labels of the configuration that the group itself does not have."""
    titles, group = catalog_names(settings, today).labels, catalog.group
    return sorted(title for title in titles if not catalog.label(group, catalog.present("label", title)))


def check_labels(checks: Checks, settings: Settings, catalog: Catalog, today: date) -> None:
    """The labels of the configuration: which exist in the group, which only below it, and what the others
    could be."""
    names = catalog_names(settings, today)
    group = catalog.group
    missing = missing_labels(settings, catalog, today)
    known = names.labels - {*missing}
    bare = sorted(
        prefix
        for prefix in names.families
        if not any(one.title.startswith(prefix) and one.owner == group for one in catalog.labels)
    )
    if settings.flow.labels and settings.labels.workflow_prefix in bare:
        # The states have labels of their own: one without is a state that the team does not use.
        prefix = settings.labels.workflow_prefix
        own = set(settings.flow.labels.values())
        missing = [title for title in missing if title in own or not title.startswith(prefix)]
        bare.remove(prefix)
    below = _below(catalog, missing)
    missing = [title for title in missing if title not in below]
    near = {title: [one for one in catalog.near_labels(title) if one != title] for title in missing}
    figures = {"found": len(known), "missing": near, "only_below": below, "unused_prefixes": bare}
    if not missing and not bare and not below:
        checks.ok("labels", f"All {len(known)} exist.", **figures)
        return
    essential = settings.labels.group
    text = f"{len(known)} exist"
    if missing:
        text += f", {len(missing)} do not: {listed(missing, MOST_NEAR)}"
    if below:
        text += f"; {_below_words(below)}"
    if not missing and not below:
        text += f"; no label starts with {listed(bare)}"
    text += "."
    advice = ""
    if missing or not below:
        advice = "Set the correct titles under [labels], or create the labels in GitLab."
    if told := _near_words(near):
        advice = f"Similar: {told}. {advice}"
    if below:
        advice = f"{advice} {_promote(below, group)}".strip()
    if essential and essential in missing:
        text = f"The group's label “{essential}” does not exist: all boards are empty. {text}"
        checks.fail("labels", text, f'{advice} To use no group label: group = "".', **figures)
    else:
        checks.warn("labels", text, advice, **figures)


def _below(catalog: Catalog, titles: Iterable[str]) -> dict[str, list[str]]:
    """Where those of these labels that are known below the group are: the paths of subgroups and projects."""
    wanted = {*titles}
    found: dict[str, set[str]] = {}
    for one in catalog.labels:
        if one.title in wanted and one.owner != catalog.group:
            found.setdefault(one.title, set()).add(one.owner)
    return {title: sorted(found[title]) for title in sorted(found)}


def _below_words(below: Mapping[str, Sequence[str]]) -> str:
    """Which labels or milestones exist below the group only, and where."""
    told = [f"“{title}” in {' and '.join(places[:2])}" for title, places in below.items()]
    more = f" and {len(told) - MOST_NEAR} more" if len(told) > MOST_NEAR else ""
    return f"{len(told)} only below the group: {', '.join(told[:MOST_NEAR])}{more}"


def _promote(below: Mapping[str, Sequence[str]], group: str) -> str:
    """What follows, and what to do about it."""
    them, they = ("them", "they are") if len(below) > 1 else ("it", "it is")
    return (
        f"Issues elsewhere cannot get {them}: in GitLab, promote {them} to the group,"
        f" or create {them} in {group}, where {they} valid for all projects."
    )


def check_milestones(checks: Checks, settings: Settings, catalog: Catalog, today: date) -> None:
    """The current and next milestone, and the titles of the configuration."""
    found: dict[str, str] = {}
    lost: dict[str, NameUnknown] = {}
    near: dict[str, list[str]] = {}
    for name in ("current", "next", *settings.milestones):
        try:
            found[name] = milestone_title(name, settings, catalog, today)
        except NameUnknown as error:
            lost[name] = error
            titles = settings.milestones.get(name, ())
            near[name] = list(catalog.near_milestones(titles[0])) if titles else []
    known = ", ".join(f"{name} is {title}" for name, title in found.items())
    owners = {
        title: one.owner for title in found.values() if (one := catalog.find_milestone(title)) is not None
    }
    below = {title: [owner] for title, owner in owners.items() if owner != catalog.group}
    figures = {"found": found, "missing": near, "only_below": below}
    if not lost and below:
        text = f"{known}; {_below_words(below)}."
        checks.warn("milestones", text, _promote(below, catalog.group), **figures)
        return
    if not lost:
        checks.ok("milestones", f"{known}.", **figures)
        return
    dated = [name for name in lost if name in BY_DATE]
    words = [f"no {name} milestone" for name in dated]
    unknown = [settings.milestones[name][0] for name in lost if name not in BY_DATE]
    single = len(unknown) == 1
    if unknown:
        words.append(f"{listed(unknown, MOST_NEAR)} {'does' if single else 'do'} not exist")
    text = "; ".join([*words, *filter(None, [known])])
    advice = ""
    if unknown:
        empty = [board.name for board in settings.boards if board.milestone in lost]
        boards = f"board {listed(empty)} is" if len(empty) == 1 else f"boards {listed(empty, MOST_NEAR)} are"
        what = ("it", "a milestone", "title") if single else ("them", "milestones", "titles")
        advice = f"Create {what[0]} in GitLab, as {what[1]} of {catalog.group}, or set the {what[2]} under"
        advice += " [milestones]."
        advice += f" Until then, the {boards} empty." if empty else ""
    if told := _near_words({settings.milestones[name][0]: near[name] for name in lost if near[name]}):
        advice = f"Similar: {told}. {advice}"
    if dated:
        advice = f"{advice} {lost[dated[0]].hint}".strip()
    checks.warn("milestones", f"{text[0].upper()}{text[1:]}.", advice, **figures)


def check_boards(checks: Checks, settings: Settings, catalog: Catalog, today: date) -> None:
    """Each configured board: whether its milestone and columns exist."""
    wrong: dict[str, list[str]] = {}
    for board in settings.boards:
        if warnings := list(resolve(board, settings, catalog, today).warnings):
            wrong[board.id] = warnings
    figures = {"boards": [board.id for board in settings.boards], "warnings": wrong}
    if not wrong:
        checks.ok("boards", f"All {len(settings.boards)} are complete.", **figures)
        return
    first, warnings = next(iter(wrong.items()))
    text = f"{listed(wrong)} {'is' if len(wrong) == 1 else 'are'} not complete. {first}: {warnings[0]}"
    checks.warn("boards", text, "Fix the names, or the board under [[boards]].", **figures)


def check_roles(checks: Checks, found: Found[RoleInProject]) -> None:
    """What we may do in the projects."""
    projects = found.items
    levels = {
        one.path: ROLES.get(one.level or 0, f"level {one.level}") for one in projects if one.level is not None
    }
    locked = sorted(one.path for one in projects if not one.can_edit)
    less = sorted(one.path for one in projects if one.can_edit and (one.level or DEVELOPER) < DEVELOPER)
    of = f"{counted(len(projects), 'project')}{' (the first)' if found.more else ''}"
    figures = {"projects": len(projects), "more": found.more, "roles": levels, "read_only": locked}
    if not projects:
        advice = "Ask for a role in its projects, or check the group path."
        checks.warn("roles", "The token has no access to any project in the group.", advice, **figures)
        return
    each = Counter(levels.values())
    said = ", ".join(f"{role} in {number:,}" for role, number in each.most_common())
    if locked:
        named = listed(locked)
        text = f"You cannot change issues in {len(locked):,} of {of}: {named}."
        advice = "Ask for at least the Planner role there (Reporter before GitLab 17.7)."
        checks.warn("roles", text, advice, **figures)
    elif less:
        roles = sorted({levels[path] for path in less})
        text = (
            f"{' and '.join(roles)} in {len(less):,} of {of}: {listed(less)}; issues can be changed in all."
        )
        advice = "Enough for planning; branches and merge requests need the Developer role."
        checks.warn("roles", text, advice, **figures)
    else:
        checks.ok("roles", f"{said or 'You can change issues in all'} of {of}.", **figures)


def check_flow(checks: Checks, settings: Settings, issues: Sequence[Issue]) -> None:
    """How the workflow is stored in GitLab, compared with the configuration, by issues changed last."""
    backend = settings.flow.backend
    scheme = flow_scheme(settings)
    labelled = [one for one in issues if scheme.by_label(one) is not None]
    stated = [one for one in issues if scheme.by_status(one) is not None]
    differ = [one.reference for one in issues if _differs(one, settings)]
    several = [one.reference for one in issues if len(scheme.labelled(one)) > 1]
    has_statuses = any(one.status for one in issues)
    figures = {
        "backend": backend,
        "issues": len(issues),
        "with_label": len(labelled),
        "with_status": len(stated),
        "differ": len(differ),
        "several_labels": len(several),
    }
    of = f"of the {counted(len(issues), 'issue')} most recently updated"
    what = {"label": "labels", "status": "statuses", "both": "labels and statuses"}[backend]
    if backend != "label" and issues and not has_statuses:
        checks.fail(
            "flow",
            f"The configuration uses statuses, but no issue has one {of}.",
            'Statuses need GitLab 18.5 and a license. Otherwise, set backend = "label" under [flow].',
            **figures,
        )
    elif backend == "both" and differ:
        text = f"Label and status disagree in {len(differ)} {of}: {_references(differ)}."
        advice = "The label is used. To set the other one: glboard edit REF --align-flow label (or status)."
        checks.warn("flow", text, advice, **figures)
    elif backend == "label" and stated and not labelled:
        checks.warn(
            "flow",
            f"No workflow label {of}, but {len(stated)} have a status that is a workflow state.",
            'Set backend = "status" under [flow].',
            **figures,
        )
    elif several and backend != "status":
        text = f"{len(several)} {of} have more than one workflow label: {_references(several)}."
        checks.warn("flow", text, "The one farthest from completion is used. Remove the others.", **figures)
    else:
        shares = f"{len(stated if backend == 'status' else labelled)} {of} have one"
        if backend == "both":
            shares = f"{len(labelled)} {of} have a label, {len(stated)} a status"
        checks.ok("flow", f"States are stored as {what}: {shares}.", **figures)


def _differs(issue: Issue, settings: Settings) -> bool:
    both = structs.replace(settings, flow=structs.replace(settings.flow, backend="both"))
    return flow_scheme(both).conflict(issue)


def _references(found: Iterable[str]) -> str:
    references = list(found)
    more = f" and {len(references) - 3} more" if len(references) > 3 else ""
    return f"{', '.join(references[:3])}{more}"


def _near_words(near: dict[str, list[str]]) -> str:
    told = [f"“{titles[0]}” for “{name}”" for name, titles in near.items() if titles]
    return ", ".join(told[:MOST_NEAR])
