"""What makes an issue fit: whether it counts, can become a Deliverable, and has its organisational labels.

Owns the reason codes of eligibility (planning rule 4), the sums of weights (rule 5), what counts (rule 15)
and which labels are missing (rule 8). Readiness of a card belongs to ``board/rules.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Literal

from msgspec import Struct, structs

from glboard_core.board.rules import MAX_WEIGHT, types_of
from glboard_core.config import VERSION, LabelSettings
from glboard_core.model.issue import Issue, IssueId, same_scope
from glboard_core.model.milestone import Milestone, current, upcoming
from glboard_core.model.workflow import WorkflowScheme

READY = "ready for development"

Kind = Literal["keep", "type", "subtype", "category"]

#: The labels valid in the projects of these issues.
Valid = Callable[[Sequence[Issue]], Sequence[str]]


# Which issues count, and their weight (planning rules 5 and 15)


class Sum(Struct, frozen=True):
    """The sum of some issues: how many, their weight, and how many are unweighted (rule 5)."""

    count: int = 0
    weight: int = 0
    unweighted: int = 0


def counts(issue: Issue, names: LabelSettings) -> bool:
    """Whether the issue belongs to the group, is not ``type::ignore``, which never counts (rule 15), and was
    not moved to another project or promoted to an epic, which count instead (rule 6)."""
    if issue.moved or issue.promoted:
        return False
    return (not names.group or names.group in issue.labels) and names.ignore not in issue.labels


def planned(issues: Iterable[Issue], milestone: str, names: LabelSettings) -> list[Issue]:
    """The open issues of a milestone that count, in the order given (rules 10 to 12)."""
    return [i for i in issues if i.is_open and i.milestone == milestone and counts(i, names)]


def deliverables(issues: Iterable[Issue], milestone: str, names: LabelSettings) -> list[Issue]:
    """Those of ``planned`` that are accepted, with the label Deliverable."""
    return [i for i in planned(issues, milestone, names) if names.deliverable in i.labels]


def total(issues: Iterable[Issue]) -> Sum:
    """Count, weight and number of unweighted issues (rule 5)."""
    weights = [issue.weight for issue in issues]
    known = [weight for weight in weights if weight is not None]
    return Sum(count=len(weights), weight=sum(known), unweighted=len(weights) - len(known))


def over_weight(issue: Issue) -> bool:
    """Whether the weight is above 3, so the issue should be broken down (rule 5)."""
    return issue.weight is not None and issue.weight > MAX_WEIGHT


def flow_ready(issue: Issue, flow: WorkflowScheme) -> bool:
    """Whether the state is ready for development; of several the one farthest from completion (rule 4)."""
    state = flow.of(issue)
    return state is not None and state.name == READY


def open_for_deliverables(
    milestones: Iterable[Milestone], today: date, version: str = VERSION
) -> frozenset[str]:
    """Titles of milestones open for Deliverables: current and next (rule 4). ``today`` is the team's day."""
    known = list(milestones)
    found = (current(known, today, version), *upcoming(known, today, version)[:1])
    return frozenset(milestone.title for milestone in found if milestone is not None)


def reasons_against(
    issue: Issue,
    milestone: str,
    allowed: frozenset[str],
    flow: WorkflowScheme,
    names: LabelSettings,
    *,
    weights: bool = True,
) -> tuple[str, ...]:
    """Why the issue cannot become a Deliverable of ``milestone``; empty if it can (rule 4).

    ``allowed`` is ``open_for_deliverables``. Codes in the order of planning rule 26; ``other-milestone``
    also means that the requested milestone is neither current nor next. ``other-group`` and ``ignored`` are
    for issues requested by reference: no list contains them. ``weights``: the server has weights at all.
    """
    types = types_of(issue, names)
    ignored = names.ignore in issue.labels
    return held(
        {
            "closed": not issue.is_open,
            "other-milestone": issue.milestone != milestone or milestone not in allowed,
            "not-ready": not flow_ready(issue, flow),
            "no-weight": weights and issue.weight is None,
            "missing-type": not types,
            "several-types": len(types) > 1,
            "ignored": ignored,
            "other-group": not ignored and not counts(issue, names),
        }
    )


def held(codes: Mapping[str, bool]) -> tuple[str, ...]:
    """The codes that hold, in their order."""
    return tuple(code for code, holds in codes.items() if holds)


# Organisational labels (planning rule 8)


def missing_codes(issue: Issue, names: LabelSettings) -> tuple[str, ...]:
    """The codes of what is missing: devops, section, category, type, subtype (rules 8 and 9).

    A ``type::ignore`` issue needs only the group's label. A kind that is not configured is never missing.
    """
    if names.ignore in issue.labels:
        return ()
    types = types_of(issue, names)
    no_category = bool(names.categories) and issue.labels.isdisjoint(names.categories)
    return held(
        {
            "missing-label:devops": names.devops != "" and names.devops not in issue.labels,
            "missing-label:section": names.section != "" and names.section not in issue.labels,
            "missing-label:category": no_category,
            "missing-type": not types,
            "several-types": len(types) > 1,
            "missing-subtype": len(types) == 1 and not has_subtype(issue, types[0], names),
        }
    )


def has_subtype(issue: Issue, of_type: str, names: LabelSettings) -> bool:
    """Whether a label has the type's own prefix: ``type::bug`` needs a ``bug::…`` (rule 9)."""
    return bool(issue.scoped(_subtypes(of_type, names)))


def _subtypes(of_type: str, names: LabelSettings) -> str:
    return of_type.removeprefix(names.type_prefix) + "::"


def to_add(issue: Issue, names: LabelSettings) -> frozenset[str]:
    """The missing labels without a choice: group, devops, section, and the category if there is only one."""
    wanted = {names.group}
    if names.ignore not in issue.labels:
        wanted |= {names.devops, names.section}
        if len(names.categories) == 1:
            wanted |= set(names.categories)
    return frozenset(wanted - {""}) - issue.labels


# Completing the labels of issues


class LabelQuestion(Struct, frozen=True, kw_only=True):
    """Which label the issues get. ``of``: the type whose subtype is missing, or the types to choose from."""

    kind: Kind
    issues: tuple[Issue, ...]
    choices: tuple[str, ...]
    of: str = ""


def question(
    issues: Sequence[Issue], left: Collection[tuple[IssueId, Kind]], names: LabelSettings, valid: Valid
) -> LabelQuestion | None:
    """What to ask next; None if nothing is left to ask.

    ``left`` was skipped and is not asked again. A choice is only offered if its label exists.
    """
    for kind, of, found in _open(issues, names):
        asked = tuple(issue for issue in found if (issue.id, kind) not in left)
        if asked and (choices := _choices(kind, of, names, valid(asked))):
            return LabelQuestion(kind=kind, issues=asked, choices=choices, of=", ".join(of))
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
    if kind == "keep":
        return of
    if kind == "category":
        return tuple(title for title in names.categories if title in titles)
    prefix = names.type_prefix if kind == "type" else _subtypes(of[0], names)
    return tuple(title for title in titles if title.startswith(prefix))


def answered(issues: Sequence[Issue], asked: LabelQuestion, label: str) -> list[Issue]:
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
