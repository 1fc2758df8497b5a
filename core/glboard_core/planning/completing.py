"""Complete the labels of issues: what can be added without a choice, and what has to be asked (7.8).

Owns the order of the questions and the effect of an answer. No label is removed, except the others of
several types once a person chose which one stays. Pure: issues in, issues with completed labels out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Literal

from msgspec import Struct, structs

from glboard_core.board.rules import types_of
from glboard_core.config import LabelSettings
from glboard_core.model.issue import Issue, IssueId, same_scope
from glboard_core.planning.org_labels import has_subtype, to_add

Kind = Literal["keep", "type", "subtype", "category"]

#: The labels valid in the projects of these issues.
Valid = Callable[[Sequence[Issue]], Sequence[str]]


class Question(Struct, frozen=True, kw_only=True):
    """Which label the issues get. ``of``: the type whose subtype is missing, or the types to choose from."""

    kind: Kind
    issues: tuple[Issue, ...]
    choices: tuple[str, ...]
    of: str = ""


def question(
    issues: Sequence[Issue], left: Collection[tuple[IssueId, Kind]], names: LabelSettings, valid: Valid
) -> Question | None:
    """What to ask next; None if nothing is left to ask.

    ``left`` was skipped and is not asked again. A choice is only offered if its label exists.
    """
    for kind, of, found in _open(issues, names):
        asked = tuple(issue for issue in found if (issue.id, kind) not in left)
        if asked and (choices := _choices(kind, of, names, valid(asked))):
            return Question(kind=kind, issues=asked, choices=choices, of=", ".join(of))
    return None


def _open(
    issues: Sequence[Issue], names: LabelSettings
) -> Iterable[tuple[Kind, tuple[str, ...], list[Issue]]]:
    """Kind, types and issues of what is missing; the type first, since an ignored issue needs no more."""
    alike: dict[tuple[str, ...], list[Issue]] = {}
    for issue in issues:
        alike.setdefault(types_of(issue, names), []).append(issue)
    for types, found in alike.items():
        if len(types) > 1:
            yield "keep", types, found
        elif not types:
            yield "type", types, found
        elif types[0] != names.ignore:
            yield "subtype", types, [issue for issue in found if not has_subtype(issue, types[0], names)]
    wanting = [i for i in issues if names.ignore not in i.labels and i.labels.isdisjoint(names.categories)]
    if len(names.categories) > 1:
        yield "category", (), wanting


def _choices(kind: Kind, of: tuple[str, ...], names: LabelSettings, titles: Sequence[str]) -> tuple[str, ...]:
    match kind:
        case "keep":
            return of
        case "type":
            return tuple(title for title in titles if title.startswith(names.type_prefix))
        case "subtype":
            prefix = of[0].removeprefix(names.type_prefix) + "::"
            return tuple(title for title in titles if title.startswith(prefix))
        case "category":
            return tuple(title for title in names.categories if title in titles)


def answered(issues: Sequence[Issue], asked: Question, label: str) -> list[Issue]:
    """The issues with the chosen label; of several types the others are removed."""
    of = {issue.id for issue in asked.issues}

    def given(issue: Issue) -> Issue:
        off = same_scope(label, issue.labels) if asked.kind == "keep" else frozenset()
        return structs.replace(issue, labels=(issue.labels | {label}) - off)

    return [given(issue) if issue.id in of else issue for issue in issues]


def completed(issue: Issue, names: LabelSettings, exists: Callable[[str], bool]) -> tuple[Issue, list[str]]:
    """The issue with the labels that need no choice, and the labels that its project does not have."""
    wanted = to_add(issue, names)
    there = frozenset(label for label in wanted if exists(label))
    return structs.replace(issue, labels=issue.labels | there), sorted(wanted - there)
