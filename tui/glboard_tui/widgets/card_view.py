"""From an issue to a card: which facts are worth showing on it, here and now.

Owns what is omitted: what the board's filter or the column already says, and what is the same on every card.
Pure. Remote text passes ``mask`` (share mode) before it goes anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from datetime import date

from msgspec import Struct, structs

from glboard_core.board import rules
from glboard_core.board.columns import Column
from glboard_core.board.definition import Board
from glboard_core.board.index import BoardIndex
from glboard_core.config import LabelSettings
from glboard_core.model.issue import Issue, IssueId
from glboard_core.model.workflow import WorkflowScheme
from glboard_core.planning.readiness import missing_codes
from glboard_core.planning.reasons import card_words
from glboard_tui.bridge import Bridge
from glboard_tui.widgets.card import CardView, Chip, Fact, Flag, Tone
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


#: The start of labels that are the same on every card.
_SILENT = ("group::", "devops::", "section::", "Category:", "category:")


class CardContext(Struct, frozen=True, kw_only=True):
    """What a card depends on besides its issue. The functions are called for every card.

    ``labels`` are those a card says in its own words. ``mask`` returns the text to show instead of an issue's
    own (share mode), or None. ``warnings`` are short texts of broken rules. ``ready`` tells whether an issue
    whose workflow state says so is ready indeed (planning rule 3). ``over`` are titles of past milestones:
    what is open in one has slipped (planning rule 7).
    """

    flow: WorkflowScheme = WorkflowScheme()
    labels: LabelSettings = LabelSettings()
    has_weight: bool = True
    today: date | None = None
    color: Callable[[str], str | None] = lambda _: None
    initials: Callable[[str], str] = lambda username: username[:2].upper()
    warnings: Callable[[Issue], tuple[str, ...]] = lambda _: ()
    ready: Callable[[Issue], bool] = lambda _: True
    over: Container[str] = frozenset()
    mask: Callable[[Issue], str | None] = lambda _: None
    flag: Callable[[IssueId], Flag | None] = lambda _: None


def present(issue: Issue, column: Column, board: Board, context: CardContext) -> CardView:
    """The card of ``issue`` in ``column`` of ``board``."""
    mask = context.mask(issue)
    # All that is shown of a masked issue: it still counts.
    view = CardView(
        id=issue.id,
        title=issue.title if mask is None else mask,
        weight="" if not context.has_weight else "?" if issue.weight is None else str(issue.weight),
        masked=mask is not None,
        closed=not issue.is_open,
        flag=context.flag(issue.id),
    )
    if mask is not None:
        return view
    state = context.flow.of(issue)
    in_blocked = state is not None and state.name == "blocked" and column.tells != "workflow"
    return structs.replace(
        view,
        reference=short_reference(issue),
        facts=tuple(_facts(issue, column, board, context)),
        chips=_chips(issue, column, board, context),
        people=_people(issue, column, context),
        blocked=issue.blocked or in_blocked,
        confidential=issue.confidential,
        slipped=_slipped(issue, context),
        warnings=context.warnings(issue),
    )


def _slipped(issue: Issue, context: CardContext) -> int:
    """How often it slipped: its missed milestones; a past one counts even before it is labelled."""
    missed = sum(label.startswith(context.labels.missed_prefix) for label in issue.labels)
    return max(missed, int(issue.is_open and (issue.milestone or "") in context.over))


def short_reference(issue: Issue) -> str:
    """``project#12``: only the last part of the path, since all issues share the group."""
    return f"{issue.project.rpartition('/')[2]}#{issue.iid or 'new'}"


def _facts(issue: Issue, column: Column, board: Board, context: CardContext) -> list[Fact]:
    """The short facts, the most important first: what does not fit is dropped at the end."""
    names = context.labels
    facts: list[Fact] = []
    for prefix, letter in ((names.priority_prefix, "P"), (names.severity_prefix, "S")):
        for label in issue.scoped(prefix):
            value = label[len(prefix) :]
            urgent = value == "1"
            facts.append(Fact(f"{letter}{value}" if value.isdigit() else value, "bad" if urgent else "plain"))
    facts.extend(_flow_fact(issue, column, context))
    if column.tells != "milestone" and board.milestone is None and issue.milestone:
        facts.append(Fact(issue.milestone))
    if names.deliverable in issue.labels and names.deliverable not in board.labels | {column.value}:
        facts.append(Fact("D", "good"))
    if (due := _due(issue, context.today)) is not None:
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


def _flow_fact(issue: Issue, column: Column, context: CardContext) -> list[Fact]:
    state = context.flow.of(issue)
    if state is None or column.tells == "workflow" or state.name == "blocked":
        return []
    name = state.shown_as or state.name
    tone = _STATE_TONES.get(name, "plain")
    if name == "ready for development" and not context.ready(issue):
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


def _chips(issue: Issue, column: Column, board: Board, context: CardContext) -> tuple[Chip, ...]:
    names = context.labels
    said = (
        names.type_prefix,
        names.priority_prefix,
        names.severity_prefix,
        names.missed_prefix,
        context.flow.prefix,
        *_SILENT,
        *(label[len(names.type_prefix) :] + "::" for label in issue.scoped(names.type_prefix)),
    )
    hidden = board.labels | {column.value, names.deliverable, names.missed_deliverable}
    return tuple(
        Chip(label, context.color(label) or "#6e7681")
        for label in sorted(issue.labels)
        if label not in hidden and not label.startswith(said)
    )


def _people(issue: Issue, column: Column, context: CardContext) -> str:
    """Initials; for more than two people, the first and the number of others. ``-`` is unassigned."""
    if not issue.assignees:
        return "" if column.tells == "assignees" else "-"
    if len(issue.assignees) == 1 and column.tells == "assignees" and column.value == issue.assignees[0]:
        return ""
    names = [context.initials(username) for username in issue.assignees]
    return " ".join(names) if len(names) <= 2 else f"{names[0]} +{len(names) - 1}"


def presenter(bridge: Bridge, index: BoardIndex) -> Present:
    """Return the function that creates this board's cards; flags are read for every card."""
    labels, catalog, today = bridge.settings.labels, bridge.catalog, bridge.today
    people = {person.username: person.initials for person in catalog.people} if catalog else {}

    has_weight = catalog is None or catalog.server.has_weight

    def warnings(issue: Issue) -> tuple[str, ...]:
        broken = card_words(rules.warnings(issue, bridge.view.flow, labels, weights=has_weight))
        return (*broken, *missing_words(issue, labels))

    def flag(issue: IssueId) -> Flag | None:
        if bridge.is_failed(issue):
            return "failed"
        if bridge.is_conflicting(issue):
            return "conflict"
        if bridge.is_pending(issue):
            return "pending"
        return "unseen" if issue in bridge.unseen else None

    context = CardContext(
        flow=bridge.view.flow,
        labels=labels,
        has_weight=has_weight,
        today=today,
        color=catalog.color if catalog else lambda _: None,
        initials=lambda username: people.get(username, username[:2].upper()),
        warnings=warnings,
        ready=lambda issue: rules.ready(issue, bridge.view.flow, labels, weights=has_weight),
        over=frozenset(m.title for m in catalog.milestones if m.due and m.due < today)
        if catalog and today
        else frozenset(),
        mask=bridge.mask,
        flag=flag,
    )
    return lambda issue, column: present(issue, column, index.board, context)


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
