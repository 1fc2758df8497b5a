"""GitLab's complexity score, as far as it can be known from outside (API note 1).

A field costs 1 and what is in it. A field with a resolver costs one more for sorting and five more for
searching, and a resolved connection is multiplied by 1 + page size / 100.
"""

from __future__ import annotations

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    parse,
)

#: Connections behind a resolver: multiplied by the page size.
RESOLVED = {
    "issues",
    "labels",
    "milestones",
    "boards",
    "lists",
    "groupMembers",
    "users",
    "projects",
    "notes",
    "workItems",
    "statuses",
}
DEAR = {"participants", "subscribed", "descriptionHtml", "titleHtml", "linkedWorkItems", "blockedByIssues"}


def score(text: str) -> int:
    """The estimated score of a document's operation."""
    document = parse(text)
    fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
    return max(
        round(_all(d.selection_set, fragments))
        for d in document.definitions
        if isinstance(d, OperationDefinitionNode)
    )


def _all(selections: SelectionSetNode | None, fragments: dict[str, FragmentDefinitionNode]) -> float:
    total = 0.0
    for one in selections.selections if selections else ():
        match one:
            case FieldNode():
                total += _field(one, fragments)
            case FragmentSpreadNode():
                total += _all(fragments[one.name.value].selection_set, fragments)
            case InlineFragmentNode():
                total += _all(one.selection_set, fragments)
    return total


def _field(field: FieldNode, fragments: dict[str, FragmentDefinitionNode]) -> float:
    name = field.name.value
    cost = _all(field.selection_set, fragments) + (5 if name in DEAR else 1)
    arguments = {a.name.value: a.value for a in field.arguments or ()}
    if name in RESOLVED:
        cost += ("sort" in arguments) + 5 * ("search" in arguments)
        first = arguments.get("first")
        size = int(first.value) if isinstance(first, IntValueNode) else 100
        cost *= 1 + min(size, 100) / 100
    return cost
