"""The filter language of ``/``: a line of text becomes a test on issues.

All words must match (title, reference or label, ignoring case). ``~label``, ``@user``, ``%milestone`` match
one of those; ``w:3``, ``w>2``, ``w:none`` the weight; ``is:`` a state. ``-`` or ``!`` negates a term, ``|``
between terms means either, double quotes keep spaces (with a backslash before a quote within). No filter is
invalid: anything else is a word. Letters are the same composed or decomposed.

``is:`` takes unweighted, weighted, unready, ready, slipped, mine, unassigned, blocked, confidential, closed,
deliverable, changed, over, and differing: label and status name different workflow states.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Collection, Container
from datetime import date
from difflib import get_close_matches
from functools import partial
from typing import Literal

from msgspec import Struct

from glboard_core.board import rules
from glboard_core.board.spelling import folded
from glboard_core.config import LabelSettings
from glboard_core.model.catalog import Catalog
from glboard_core.model.issue import Issue, IssueId
from glboard_core.model.milestone import by_title
from glboard_core.model.workflow import WorkflowScheme

#: The names of ``is:``.
STATE_NAMES = (
    *("unweighted", "weighted", "ready", "unready", "slipped", "mine", "unassigned", "blocked"),
    *("confidential", "closed", "deliverable", "changed", "over", "differing"),
)
#: Those that a board's own filter cannot have: they depend on what this session did.
PASSING = ("changed",)

TermKind = Literal["word", "label", "user", "milestone", "weight", "is"]
Test = Callable[[Issue], bool]

_TERM = re.compile(
    r"""(?P<bar>\|)|(?P<not>[-!])?(?P<lead>[~@%])?(?:"(?P<quoted>(?:[^"\\]|\\.)*)"?|(?P<bare>[^\s|"]+))"""
)
_WEIGHT = re.compile(r"(?:w|weight)(<=|>=|<|>|=|:)(\d{1,9}|none|any)", re.ASCII)
#: What begins like a weight and is none.
_NO_WEIGHT = re.compile(r"(?:w|weight)[<>=:].*", re.ASCII)
#: The beginning of a condition that is still being typed.
_BEGUN = re.compile(r"(?:(?:w|weight)(?:<=|>=|<|>|=|:)|is:)", re.ASCII)
_ESCAPED = re.compile(r"\\([\"\\])")
_COMPARE: dict[str, Callable[[int, int], bool]] = {
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
    "=": operator.eq,
    ":": operator.eq,
}
_LEADS: dict[str, TermKind] = {"~": "label", "@": "user", "%": "milestone"}


class Term(Struct, frozen=True):
    """One condition: its kind, its text, and whether it is negated."""

    kind: TermKind
    text: str
    negated: bool = False


class Query(Struct, frozen=True):
    """All groups must match; in a group, any one term."""

    groups: tuple[tuple[Term, ...], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.groups)


def parse(text: str) -> Query:
    """The query for a line of text. Never fails; blank text gives the empty query, which matches everything.

    >>> [[term.text for term in group] for group in parse("crash | slow -~bug is:unweighted").groups]
    [['crash', 'slow'], ['bug'], ['unweighted']]
    """
    groups: list[list[Term]] = []
    joined = False
    for match in _TERM.finditer(text):
        if match["bar"]:
            joined = bool(groups)
            continue
        if (term := _term(match)) is None:
            continue
        if not joined:
            groups.append([])
        groups[-1].append(term)
        joined = False
    return Query(tuple(tuple(group) for group in groups))


def quoted(text: str) -> str:
    """A name as a term of the language, in quotes if it needs them."""
    if not re.search(r"[\s|\"]", text):
        return text
    inside = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{inside}"'


def _term(match: re.Match[str]) -> Term | None:
    negated = bool(match["not"])
    quoted = match["quoted"]
    text = folded(_ESCAPED.sub(r"\1", quoted) if quoted is not None else match["bare"] or "")
    if not text:
        return None
    if match["lead"]:
        return Term(_LEADS[match["lead"]], text, negated)
    if quoted is None:
        if _BEGUN.fullmatch(text):
            return None
        if _NO_WEIGHT.fullmatch(text):
            return Term("weight", text, negated)
        if text.startswith("is:"):
            return Term("is", text[3:], negated)
    return Term("word", text, negated)


def compiled(query: Query, states: dict[str, Test]) -> Test | None:
    """The query as a test, or None if it matches everything. ``states`` maps ``is:`` names to tests.

    An ``is:`` that is not in ``states`` matches nothing, so a typo is noticed at once.
    """
    if not query:
        return None
    groups = [[_test(term, states) for term in group] for group in query.groups]
    return lambda issue: all(any(test(issue) for test in group) for group in groups)


def problems(query: Query, states: Collection[str]) -> tuple[str, ...]:
    """Why terms match nothing, a sentence each: an ``is:`` not in ``states``, a weight that is none."""
    found: list[str] = []
    for term in (term for group in query.groups for term in group):
        if term.kind == "is" and term.text not in states:
            near = get_close_matches(term.text, states, 1, 0.5)
            hint = f"did you mean is:{near[0]}?" if near else "? lists the known ones."
            found.append(f"Unknown filter is:{term.text}, so nothing matches; {hint}")
        if term.kind == "weight" and not _WEIGHT.fullmatch(term.text):
            found.append(
                f"{term.text} is not a weight, so nothing matches. Examples: w:3, w>2, w<=5, w:none."
            )
    return tuple(found)


class BoardFilter:
    """A board's own filter. Two of the same text are equal."""

    def __init__(self, text: str, test: Test) -> None:
        self.text = text
        self.fits = test

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BoardFilter) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)


def board_filter(text: str, states: dict[str, Test]) -> BoardFilter | None:
    """The filter of a board; None if every issue fits."""
    lasting = {name: test for name, test in states.items() if name not in PASSING}
    test = compiled(parse(text), lasting)
    return BoardFilter(text.strip(), test) if test is not None else None


def board_problems(text: str) -> tuple[str, ...]:
    """What is wrong with a board's own filter, a sentence each."""
    passing = [f"is:{name} depends on this session, so it cannot be in a board's filter." for name in PASSING]
    query = parse(text)
    named = {term.text for group in query.groups for term in group if term.kind == "is"}
    said = [line for line, name in zip(passing, PASSING, strict=True) if name in named]
    known = f"known: {', '.join(name for name in STATE_NAMES if name not in PASSING)}."
    return (*said, *(one.replace("? lists the known ones.", known) for one in problems(query, STATE_NAMES)))


def _test(term: Term, states: dict[str, Test]) -> Test:
    test = _positive(term, states)
    return (lambda issue: not test(issue)) if term.negated else test


def _positive(term: Term, states: dict[str, Test]) -> Test:
    text = term.text
    match term.kind:
        case "label":
            return lambda issue: any(text in folded(label) for label in issue.labels)
        case "user":
            if text in ("none", "nobody"):
                return lambda issue: not issue.assignees
            return lambda issue: any(text in folded(name) for name in issue.assignees)
        case "milestone":
            if text == "none":
                return lambda issue: issue.milestone is None
            return lambda issue: text in folded(issue.milestone or "")
        case "weight":
            return _weight_test(text)
        case "is":
            return states.get(text, _nothing)
        case "word":
            return lambda issue: (
                text in folded(issue.title)
                or text in folded(issue.reference)
                or any(text in folded(label) for label in issue.labels)
            )


def _nothing(_: Issue) -> bool:
    return False


def _weight_test(text: str) -> Test:
    match = _WEIGHT.fullmatch(text)
    if match is None:  # ``problems`` says so
        return _nothing
    sign, value = match[1], match[2]
    if value in ("none", "any"):
        return lambda issue: (issue.weight is None) == (value == "none")
    number, holds = int(value), _COMPARE[sign]
    return lambda issue: issue.weight is not None and holds(issue.weight, number)


def filter_states(
    catalog: Catalog,
    flow: WorkflowScheme,
    names: LabelSettings,
    today: date,
    changed: Container[IssueId] = frozenset(),
) -> dict[str, Test]:
    """The tests by ``is:`` name, for this server, these settings and this day.

    ``changed`` holds issues with unsent, failed or others' changes; it is asked on every test.
    """
    me = catalog.me.username
    milestones = by_title(catalog.milestones)
    ready = partial(rules.ready, flow=flow, names=names, weights=catalog.server.has_weight)
    return {
        "unweighted": lambda issue: issue.weight is None,
        "weighted": lambda issue: issue.weight is not None,
        "ready": ready,
        "unready": lambda issue: issue.is_open and not ready(issue),
        "slipped": lambda issue: rules.slipped(issue, names, milestones, today),
        "mine": lambda issue: me in issue.assignees,
        "unassigned": lambda issue: not issue.assignees,
        "blocked": lambda issue: (
            issue.blocked or ((state := flow.of(issue)) is not None and state.name == "blocked")
        ),
        "confidential": lambda issue: issue.confidential,
        "closed": lambda issue: not issue.is_open,
        "deliverable": lambda issue: names.deliverable in issue.labels,
        "changed": lambda issue: issue.id in changed,
        "over": lambda issue: issue.weight is not None and issue.weight > rules.MAX_WEIGHT,
        "differing": flow.conflict,
    }
