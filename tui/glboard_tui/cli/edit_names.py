"""Names in the options of ``glboard edit``: how people write them, and which of them do not exist."""

from __future__ import annotations

from collections.abc import Sequence

from glboard_core.errors import NameUnknown, UsageError
from glboard_core.model.catalog import Catalog
from glboard_core.model.issue import Issue

#: What a person can call themselves.
ME = "me"


def username(name: str) -> str:
    """A username, also as people write it: @name."""
    return name.strip().removeprefix("@")


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

    GitLab removes all assignees of an issue if one of them does not exist.
    """
    assigned = {name for issue in issues for name in issue.assignees}
    for name in names:
        if catalog.person(name) is None and name not in assigned:
            from difflib import get_close_matches

            known = [*(person.username for person in catalog.people), *assigned]
            near = get_close_matches(name, dict.fromkeys(known), 3)
            meant = f"Did you mean {' or '.join(f'@{one}' for one in near)}?" if near else ""
            hint = meant or "Give a username, or me. Only members of the group and assignees are known."
            raise UsageError(f"@{name}: no such user in {catalog.group}.", hint=hint)


def check_labels(catalog: Catalog, issues: Sequence[Issue], titles: Sequence[str]) -> None:
    """Raises NameUnknown for a label that none of the issues can have: then nothing is sent."""
    for title in titles:
        if not any(catalog.label(issue.project, title) for issue in issues):
            near = catalog.near_labels(title)
            meant = f"Did you mean {' or '.join(f'“{one}”' for one in near)}? " if near else ""
            raise NameUnknown(
                "label", title, near, hint=f"{meant}Else create it in GitLab, as a group label."
            )
