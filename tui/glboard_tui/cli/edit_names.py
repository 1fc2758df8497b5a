"""Names in the options of ``glboard edit``: how people write them, and which of them do not exist."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from glboard_core.errors import NameUnknown, UsageError
from glboard_core.model.catalog import Catalog
from glboard_core.model.issue import Issue

#: What a person can call themselves.
ME = "me"


def username(name: str) -> str:
    """A username, also as people write it: @name."""
    return name.strip().removeprefix("@")


def present_username(name: str, catalog: Catalog) -> str:
    """The username that a person has now: GitLab ignores the case, and a former one still means them."""
    folded = name.casefold()
    if known := next((one.username for one in catalog.people if one.username.casefold() == folded), None):
        return known
    # As in GitLab's quick actions: /assign me.
    return catalog.me.username if name == ME else catalog.present("person", name)


def label_title(text: str) -> str:
    """The title of a label, also as GitLab writes it in a text: ~bug, ~"to do"."""
    title = text.removeprefix("~")
    quoted = title != text and len(title) > 2 and title[0] == title[-1] == '"'
    return title[1:-1] if quoted else title


def word(text: str) -> str:
    """A word of ours, in any case."""
    return text.strip().lower()


def is_no_milestone(milestone: str, catalog: Catalog) -> bool:
    """Whether it means none: the word in any case, unless a milestone is called so."""
    return milestone == "none" or (word(milestone) == "none" and catalog.find_milestone(milestone) is None)


def check_people(catalog: Catalog, issues: Sequence[Issue], names: Sequence[str]) -> None:
    """Raises UsageError for somebody whom the screen would not offer: no member, and not assigned.

    GitLab removes all assignees of an issue if one of them does not exist, and takes no notice of one to
    remove who does not.
    """
    assigned = {name for issue in issues for name in issue.assignees}
    for name in names:
        if catalog.person(name) is None and name not in assigned:
            known = [*sorted(assigned), *(person.username for person in catalog.people)]
            meant = _meant([f"@{one}" for one in get_close_matches(name, dict.fromkeys(known), 3)])
            hint = meant or "Give a username, or me. Only members of the group and assignees are known."
            raise UsageError(f"@{name}: no such user in {catalog.group}.", hint=hint)


def check_labels(
    catalog: Catalog, issues: Sequence[Issue], add: Sequence[str], remove: Sequence[str]
) -> None:
    """Raises NameUnknown for a label that none of the issues can have: then nothing is sent."""
    on = {title for issue in issues for title in issue.labels}
    for title in (*add, *remove):
        if title in on or any(catalog.label(issue.project, title) for issue in issues):
            continue
        near = catalog.near_labels(title)
        if title in remove:
            # What is on the issues is what can be removed from them.
            near = tuple(dict.fromkeys((*get_close_matches(title, sorted(on), 3, 0.7), *near)))[:3]
            hint = _labels_meant(near) or _labels_of(issues)
        elif near:
            hint = f"{_labels_meant(near)} Otherwise, create it in GitLab as a group label."
        else:
            hint = "Create it in GitLab as a group label."
        raise NameUnknown("label", title, near, hint=hint)


def _labels_meant(near: Sequence[str]) -> str:
    return _meant([f"“{title}”" for title in near])


def _meant(near: Sequence[str]) -> str:
    """Names that somebody can have meant, as a question; "" if there are none."""
    return f"Did you mean {' or '.join(near)}?" if near else ""


def _labels_of(issues: Sequence[Issue]) -> str:
    if len(issues) > 1:
        return "None of the issues has a label with a similar title."
    shown = ", ".join(sorted(issues[0].labels))
    return f"Its labels: {shown}." if shown else "The issue has no labels."


def not_there(
    issue: Issue, labels: Sequence[str], people: Sequence[str], links: Sequence[str]
) -> Sequence[str]:
    """What of the labels and people to remove the issue does not have, and ``links`` it has not, in words."""
    return [
        *(f"the label “{title}” is not on it" for title in labels if title not in issue.labels),
        *(f"@{name} is not assigned" for name in people if name not in issue.assignees),
        *(f"{name} is not linked to it" for name in links),
    ]
