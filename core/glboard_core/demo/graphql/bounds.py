"""What a query may be before anything parses, validates or executes it.

A query of 1 kB can nest fragments so that it means a billion fields, and one of 10 kB can be deeper than a
parser's stack. Everything here is linear in the length of the query.
"""

from __future__ import annotations

from collections import Counter

from graphql.language import ast

#: GitLab allows 20 levels of fields, and says so itself; this only keeps the parser from overflowing.
MOST_DEPTH = 60
#: Fields that a query means with its fragments, and fields of one name in one selection.
MOST_FIELDS, MOST_ALIKE = 3_000, 100
#: Errors of one query: each quotes the value it is about, which can be as long as the query.
MOST_ERRORS = 20

_OPEN, _CLOSE = "{[(", "}])"


def too_deep(query: str) -> bool:
    """Whether braces nest deeper than any real query's, counting those in strings as well."""
    depth = 0
    for sign in query:
        if sign in _OPEN:
            depth += 1
            if depth > MOST_DEPTH:
                return True
        elif sign in _CLOSE:
            depth -= 1
    return False


def too_large(document: ast.DocumentNode) -> str | None:
    """Why a parsed query is refused, or None."""
    fragments = {
        one.name.value: one for one in document.definitions if isinstance(one, ast.FragmentDefinitionNode)
    }
    counted: dict[str, int] = {}
    counting: set[str] = set()

    def fields(selections: ast.SelectionSetNode | None) -> int:
        found = 0
        names: Counter[str] = Counter()
        for one in selections.selections if selections is not None else ():
            if isinstance(one, ast.FieldNode):
                names[(one.alias or one.name).value] += 1
                found += 1 + fields(one.selection_set)
            elif isinstance(one, ast.InlineFragmentNode):
                found += fields(one.selection_set)
            elif isinstance(one, ast.FragmentSpreadNode):
                found += of_fragment(one.name.value)
            if found > MOST_FIELDS or names.total() > MOST_FIELDS:
                return MOST_FIELDS + 1
        return MOST_FIELDS + 1 if any(count > MOST_ALIKE for count in names.values()) else found

    def of_fragment(name: str) -> int:
        if name in counting or name not in fragments:
            return 0  # a circle or an unknown name: the validation refuses it
        if name not in counted:
            counting.add(name)
            counted[name] = fields(fragments[name].selection_set)
            counting.discard(name)
        return counted[name]

    parts = (one for one in document.definitions if isinstance(one, ast.ExecutableDefinitionNode))
    if any(fields(one.selection_set) > MOST_FIELDS for one in parts):
        return "Recursive query - too many of fields"
    return None
