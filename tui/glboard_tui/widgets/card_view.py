"""From an issue to a card: which facts are worth showing on it, here and now.

Owns what is omitted: what the board's filter or the column already says, and what is the same on every card.
Pure. Remote text passes ``mask`` (share mode) before it goes anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from datetime import date

from msgspec import Struct

from glboard_core.board import rules
from glboard_core.board.columns import Column
from glboard_core.board.definition import Board
from glboard_core.board.index import BoardIndex
from glboard_core.config import LabelSettings
from glboard_core.model.issue import Issue, IssueId
from glboard_core.model.workflow import WorkflowScheme
from glboard_core.planning.readiness import missing_codes
from glboard_core.planning.reasons import card_words
from glboard_tui.bridge import Asked, Bridge
from glboard_tui.widgets.card import CardView, Chip, Fact, Tone
from glboard_tui.widgets.column import Present

#: Days before a due date from which it is shown.
SOON = 7

_SHORT_STATES = {
    "validation backlog": "to validate",
    "problem validation": "problem",
    "ready for design": "to design",
    "solution validation": "solution",
    "planning breakdown": "breakdown",
    "refinement": "refine",
    "ready for development": "ready",
    "in review": "review",
    "verification": "verify",
    "awaiting security release": "security",
}
_TYPES = {"maintenance": "maint", "feature": "feature", "bug": "bug", "ignore": "ignored"}
_STATE_TONES: dict[str, Tone] = {"ready for development": "good", "blocked": "bad", "complete": "good"}


class Names(Struct, frozen=True, kw_only=True):
    """The labels a card shows in its own words, and those it never shows (the same on every card)."""

    type_prefix: str = "type::"
    priority_prefix: str = "priority::"
    severity_prefix: str = "severity::"
    missed_prefix: str = "missed:"
    deliverable: str = "Deliverable"
    missed_deliverable: str = "missed-deliverable"
    silent: tuple[str, ...] = ("group::", "devops::", "section::", "Category:", "category:")


def _no_words(_: Issue) -> tuple[str, ...]:
    return ()


def _is_ready(_: Issue) -> bool:
    return True


def _no_mask(_: Issue) -> str | None:
    return None


def _no_color(_: str) -> str | None:
    return None


def _two_letters(username: str) -> str:
    return username[:2].upper()


class Around(Struct, frozen=True, kw_only=True):
    """What a card shows besides the issue. The containers and functions are queried for every card.

    ``mask`` returns the text to show instead of an issue's title (share mode), or None. ``warnings`` are
    short names of broken rules. ``flow`` and ``names`` are configuration.
    """

    flow: WorkflowScheme = WorkflowScheme()
    names: Names = Names()
    has_weight: bool = True
    today: date | None = None
    color: Callable[[str], str | None] = _no_color
    initials: Callable[[str], str] = _two_letters
    warnings: Callable[[Issue], tuple[str, ...]] = _no_words
    #: Whether an issue in the state ready for development is really ready (planning rule 3).
    ready: Callable[[Issue], bool] = _is_ready
    #: Titles of past milestones: open issues in them have slipped (rule 7).
    over: Container[str] = frozenset()
    mask: Callable[[Issue], str | None] = _no_mask
    pending: Container[IssueId] = frozenset()
    failed: Container[IssueId] = frozenset()
    conflicts: Container[IssueId] = frozenset()
    glow: Container[IssueId] = frozenset()


def present(issue: Issue, column: Column, board: Board, around: Around) -> CardView:
    """The card of ``issue`` in ``column`` of ``board``."""
    weight = "" if not around.has_weight else "?" if issue.weight is None else str(issue.weight)
    words = around.mask(issue)
    if words is not None:
        # A masked issue shows only its weight and its state of change: it still counts.
        return CardView(
            id=issue.id,
            title=words,
            weight=weight,
            masked=True,
            closed=not issue.is_open,
            pending=issue.id in around.pending,
            failed=issue.id in around.failed,
            conflict=issue.id in around.conflicts,
            glow=issue.id in around.glow,
        )
    facts = _facts(issue, column, board, around)
    state = around.flow.of(issue)
    return CardView(
        id=issue.id,
        title=issue.title,
        reference=short_reference(issue),
        weight=weight,
        facts=tuple(facts),
        chips=_chips(issue, column, board, around),
        people=_people(issue, column, around),
        blocked=issue.blocked
        or (state is not None and state.name == "blocked" and column.tells != "workflow"),
        confidential=issue.confidential,
        closed=not issue.is_open,
        slipped=_slipped(issue, around),
        warnings=around.warnings(issue),
        pending=issue.id in around.pending,
        failed=issue.id in around.failed,
        conflict=issue.id in around.conflicts,
        glow=issue.id in around.glow,
    )


def _slipped(issue: Issue, around: Around) -> int:
    """How often it slipped: its missed milestones; a past one counts even before it is labelled."""
    missed = sum(label.startswith(around.names.missed_prefix) for label in issue.labels)
    return max(missed, int(issue.is_open and (issue.milestone or "") in around.over))


def short_reference(issue: Issue) -> str:
    """``project#12``: only the last part of the path, since all issues share the group."""
    return f"{issue.project.rpartition('/')[2]}#{issue.iid or 'new'}"


def _facts(issue: Issue, column: Column, board: Board, around: Around) -> list[Fact]:
    """The short facts, the most important first: what does not fit is dropped at the end."""
    names = around.names
    facts: list[Fact] = []
    for prefix, letter in ((names.priority_prefix, "P"), (names.severity_prefix, "S")):
        for label in issue.scoped(prefix):
            value = label[len(prefix) :]
            urgent = value == "1"
            facts.append(Fact(f"{letter}{value}" if value.isdigit() else value, "bad" if urgent else "plain"))
    facts.extend(_flow_fact(issue, column, around))
    if column.tells != "milestone" and board.milestone is None and issue.milestone:
        facts.append(Fact(issue.milestone))
    if names.deliverable in issue.labels and names.deliverable not in board.labels | {column.value}:
        facts.append(Fact("D", "good"))
    if (due := _due(issue, around.today)) is not None:
        facts.append(due)
    types = issue.scoped(names.type_prefix)
    if not (column.value in types and len(types) == 1):
        for label in types:
            kind = label[len(names.type_prefix) :]
            if label not in board.labels and label != column.value:
                facts.append(Fact(_TYPES.get(kind, kind), minor=True))
    for label in types:
        prefix = label[len(names.type_prefix) :] + "::"
        facts.extend(Fact(subtype[len(prefix) :], minor=True) for subtype in issue.scoped(prefix))
    return facts


def _flow_fact(issue: Issue, column: Column, around: Around) -> list[Fact]:
    state = around.flow.of(issue)
    if state is None or column.tells == "workflow" or state.name == "blocked":
        return []
    name = state.shown_as or state.name
    tone = _STATE_TONES.get(name, "plain")
    if name == "ready for development" and not around.ready(issue):
        tone = "plain"  # the warning says what is missing
    return [Fact(_SHORT_STATES.get(name, name), tone)]


def _due(issue: Issue, today: date | None) -> Fact | None:
    if issue.due is None or today is None or not issue.is_open:
        return None
    days = (issue.due - today).days
    if days < 0:
        return Fact("overdue", "bad")
    if days > SOON:
        return None
    return Fact("due today" if days == 0 else f"due {issue.due:%a}", "warn")


def _chips(issue: Issue, column: Column, board: Board, around: Around) -> tuple[Chip, ...]:
    names = around.names
    said = (
        names.type_prefix,
        names.priority_prefix,
        names.severity_prefix,
        names.missed_prefix,
        around.flow.prefix,
        *names.silent,
        *(label[len(names.type_prefix) :] + "::" for label in issue.scoped(names.type_prefix)),
    )
    hidden = board.labels | {column.value, names.deliverable, names.missed_deliverable}
    return tuple(
        Chip(label, around.color(label) or "#6e7681")
        for label in sorted(issue.labels)
        if label not in hidden and not label.startswith(said)
    )


def _people(issue: Issue, column: Column, around: Around) -> str:
    """Initials; for more than two people, the first and the number of others. ``-`` is unassigned."""
    if not issue.assignees:
        return "" if column.tells == "assignees" else "-"
    if len(issue.assignees) == 1 and column.tells == "assignees" and column.value == issue.assignees[0]:
        return ""
    names = [around.initials(username) for username in issue.assignees]
    return " ".join(names) if len(names) <= 2 else f"{names[0]} +{len(names) - 1}"


# How an issue becomes a card on this board: passes the bridge's data to ``widgets/card_view.py``.


def presenter(bridge: Bridge, index: BoardIndex) -> Present:
    """Return the function that creates this board's cards; flags are read for every card."""
    around = _around(bridge)

    def picture(issue: Issue, column: Column) -> CardView:
        return present(issue, column, index.board, around)

    return picture


def _around(bridge: Bridge) -> Around:
    names = bridge.settings.labels
    catalog = bridge.catalog
    today = bridge.today
    people = {person.username: person.initials for person in catalog.people} if catalog else {}
    return Around(
        flow=bridge.view.flow,
        names=Names(
            type_prefix=names.type_prefix,
            priority_prefix=names.priority_prefix,
            severity_prefix=names.severity_prefix,
            missed_prefix=names.missed_prefix,
            deliverable=names.deliverable,
            missed_deliverable=names.missed_deliverable,
        ),
        has_weight=catalog is None or catalog.server.has_weight,
        today=today,
        color=catalog.color if catalog else lambda _: None,
        initials=lambda username: people.get(username, username[:2].upper()),
        warnings=lambda issue: (
            *card_words(rules.warnings(issue, bridge.view.flow, names)),
            *missing_words(issue, names),
        ),
        ready=lambda issue: rules.ready(issue, bridge.view.flow, names),
        over=frozenset(m.title for m in catalog.milestones if m.due and m.due < today)
        if catalog and today
        else frozenset(),
        mask=bridge.mask,
        pending=Asked(bridge.is_pending),
        failed=Asked(bridge.is_failed),
        conflicts=Asked(bridge.is_conflicting),
        glow=bridge.unseen,
    )


def missing_words(issue: Issue, names: LabelSettings) -> tuple[str, ...]:
    """The group's required labels that this open issue lacks, in short (rule 8).

    A missing type is a warning of its own.
    """
    if not issue.is_open:
        return ()
    kinds = [
        code.removeprefix("missing-").removeprefix("label:")
        for code in missing_codes(issue, names)
        if code not in ("missing-type", "several-types")
    ]
    if not kinds:
        return ()
    return (f"no {kinds[0]}" if len(kinds) == 1 else f"{len(kinds)} labels missing",)
