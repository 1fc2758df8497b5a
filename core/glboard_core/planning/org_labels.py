"""The organisational labels every issue of the group carries (DOMAIN.md 7.8).

Owns which are missing and which of them can be added without a choice. It never removes a label: a foreign
group label stays until a person decides.
"""

from __future__ import annotations

from glboard_core.board.rules import types_of
from glboard_core.config import LabelSettings
from glboard_core.model.issue import Issue


def missing_codes(issue: Issue, names: LabelSettings) -> tuple[str, ...]:
    """The codes of what is missing: devops, section, category, type, subtype (7.8, 7.9).

    A ``type::ignore`` issue needs only the group's label. A kind that is not configured is never missing.
    """
    if names.ignore in issue.labels:
        return ()
    codes: list[str] = []
    if names.devops and names.devops not in issue.labels:
        codes.append("missing-label:devops")
    if names.section and names.section not in issue.labels:
        codes.append("missing-label:section")
    if names.categories and issue.labels.isdisjoint(names.categories):
        codes.append("missing-label:category")
    types = types_of(issue, names)
    if not types:
        codes.append("missing-type")
    elif len(types) > 1:
        codes.append("several-types")
    elif not has_subtype(issue, types[0], names):
        codes.append("missing-subtype")
    return tuple(codes)


def has_subtype(issue: Issue, of_type: str, names: LabelSettings) -> bool:
    """Whether a label has the type's own prefix: ``type::bug`` needs a ``bug::…`` (7.9)."""
    prefix = of_type.removeprefix(names.type_prefix) + "::"
    return any(label.startswith(prefix) for label in issue.labels)


def to_add(issue: Issue, names: LabelSettings) -> frozenset[str]:
    """The missing labels without a choice: group, devops, section, and the category if there is only one."""
    wanted = {names.group}
    if names.ignore not in issue.labels:
        wanted |= {names.devops, names.section}
        if len(names.categories) == 1:
            wanted |= set(names.categories)
    return frozenset(wanted - {""}) - issue.labels
