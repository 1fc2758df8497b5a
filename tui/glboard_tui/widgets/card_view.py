"""From an issue to a card: which facts are worth showing on it, here and now.

Owns what is omitted: what the board's filter or the column already says, and what is the same on every card.
Pure. Remote text passes ``mask`` (share mode) before it goes anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from datetime import date

from msgspec import Struct, structs

from glboard_core.board import rules
from glboard_core.board.columns import Column
from glboard_core.board.definition import Board
from glboard_core.board.fields import health_words
from glboard_core.board.index import BoardIndex
from glboard_core.board.priorities import priorities_of
from glboard_core.config import LabelSettings
from glboard_core.model.issue import HealthStatus, Issue, IssueId
from glboard_core.model.merge_requests import MergeRequest, foremost
from glboard_core.model.milestone import present_titles
from glboard_core.model.workflow import WorkflowScheme
from glboard_core.planning.readiness import missing_codes, over_weight
from glboard_core.planning.reasons import card_words
from glboard_tui.bridge import Bridge
from glboard_tui.widgets.card import CardView, Chip, Fact, Flag, Tone
from glboard_tui.widgets.colors import Ink
from glboard_tui.widgets.column import Present

#: Days before a due date from which it is shown.
SOON = 7

#: What a card calls a state, and where space is short.
_WORDS: dict[str, tuple[str, str]] = {
    "validation backlog": ("validation backlog", "to validate"),
    "problem validation": ("problem validation", "problem"),
    "ready for design": ("ready for design", "to design"),
    "solution validation": ("solution validation", "solution"),
    "planning breakdown": ("planning breakdown", "breakdown"),
    "refinement": ("refinement", "refine"),
    "ready for development": ("ready", ""),
    "in review": ("in review", "review"),
    "verification": ("verification", "verify"),
    "awaiting security release": ("awaiting security release", "security"),
}
_TYPES = {"ignore": "ignored"}
_TONES: dict[str, Tone] = {
    "planning breakdown": "warn",
    "refinement": "warn",
    "ready for development": "good",
    "blocked": "bad",
    "complete": "good",
}
#: The colour of a state, on the edge of a card and on the head of a column.
_INKS: dict[str, Ink] = {
    "planning breakdown": "warn",
    "refinement": "warn",
    "ready for development": "good",
    "in dev": "accent",
    "in review": "violet",
    "verification": "teal",
    "awaiting security release": "teal",
    "blocked": "bad",
    "complete": "good",
}


def state_ink(name: str) -> Ink | None:
    """The colour of a workflow state; None if it has none."""
    return _INKS.get(name)


#: The start of labels that are the same on every card.
_SILENT = ("group::", "devops::", "section::", "Category:", "category:")


def short_reference(issue: Issue) -> str:
    """``project#12``: only the last part of the path, since all issues share the group."""
    return f"{issue.project.rpartition('/')[2]}#{issue.iid or 'new'}"


class CardContext(Struct, frozen=True, kw_only=True):
    """What a card depends on besides its issue. The functions are called for every card.

    ``labels`` are those a card says in its own words. ``mask`` returns the text to show instead of an issue's
    own (share mode), or None; ``view`` what everybody may see of it, ``reference`` its number. ``now`` tells
    whether an issue was changed a moment ago, for those who watch. ``warnings`` are short texts of broken
    rules. ``ready`` tells whether an issue
    whose workflow state says so is ready indeed (planning rule 3). ``over`` are titles of past milestones:
    what is open in one has slipped (planning rule 7).
    """

    flow: WorkflowScheme = WorkflowScheme()
    labels: LabelSettings = LabelSettings()
    has_weight: bool = True
    today: date | None = None
    color: Callable[[str], str | None] = lambda _: None
    short_name: Callable[[str], str] = lambda username: username
    warnings: Callable[[Issue], tuple[str, ...]] = lambda _: ()
    ready: Callable[[Issue], bool] = lambda _: True
    over: Container[str] = frozenset()
    #: Former titles of milestones, with the present ones.
    renamed: Mapping[str, str] = {}
    mask: Callable[[Issue], str | None] = lambda _: None
    view: Callable[[Issue], Issue] = lambda issue: issue
    reference: Callable[[Issue], str] = short_reference
    now: Callable[[IssueId], bool] = lambda _: False
    flag: Callable[[IssueId], Flag | None] = lambda _: None
    #: The merge requests that close an issue, and its days in its workflow state, as far as they are known.
    requests: Callable[[Issue], Sequence[MergeRequest]] = lambda _: ()
    days: Callable[[Issue], int | None] = lambda _: None
    #: What the filter asks for (``slipped``, a label in lower case): it comes first on every card.
    sought: Container[str] = frozenset()


def present(issue: Issue, column: Column, board: Board, context: CardContext) -> CardView:
    """The card of ``issue`` in ``column`` of ``board``."""
    mask = context.mask(issue)
    # All that is shown of a masked issue: it still counts.
    whole, issue = issue, context.view(issue)
    view = CardView(
        id=issue.id,
        title=issue.title if mask is None else mask,
        reference=context.reference(issue) if mask is not None else "",
        weight="" if not context.has_weight else "?" if issue.weight is None else str(issue.weight),
        masked=mask is not None,
        closed=not issue.is_open,
        flag=context.flag(issue.id),
        now=context.now(issue.id),
    )
    if mask is not None:
        return view
    facts = _sorted(_facts(issue, column, board, context), context.sought)
    names = context.labels
    accepted = whole.is_open and names.deliverable in whole.labels - board.labels - {column.value}
    return structs.replace(
        view,
        heavy=issue.is_open and over_weight(issue),
        reference=short_reference(issue),
        facts=tuple(facts),
        chips=_chips(issue, column, board, context),
        assignee=_assignee(issue, column, context),
        accepted=accepted,
        edge=_edge(issue, context),
        confidential=issue.confidential,
    )


def _edge(issue: Issue, context: CardContext) -> Ink:
    """The colour of its state; only what is ready indeed is green."""
    if not issue.is_open:
        return "muted"
    state = context.flow.of(issue)
    if issue.blocked or (state is not None and state.name == "blocked"):
        return "bad"
    if state is None:
        return "muted"
    if state.name == "ready for development" and not context.ready(issue):
        return "warn"
    return state_ink(state.shown_as or state.name) or "muted"


def _slipped(issue: Issue, context: CardContext) -> int:
    """How often it slipped: its missed milestones; a past one counts even before it is labelled."""
    missed = rules.missed(issue, context.labels, context.renamed)
    return max(missed, int(issue.is_open and (issue.milestone or "") in context.over))


_Named = tuple[str, Fact]
"""A fact, and what a filter calls it."""


def _sorted(facts: list[_Named], sought: Container[str]) -> list[Fact]:
    """The facts with those that the filter asks for first, where they are never dropped."""
    first = [structs.replace(fact, minor=False) for name, fact in facts if name in sought]
    return [*first, *(fact for name, fact in facts if name not in sought)]


def _facts(issue: Issue, column: Column, board: Board, context: CardContext) -> list[_Named]:
    """The short facts, the most important first: what does not fit is shortened or dropped at the end."""
    names = context.labels
    facts: list[_Named] = []
    if not issue.is_open:
        facts.append(("closed", Fact("closed", "good")))
    facts.extend(_flow_fact(issue, column, context))
    if context.flow.conflict(issue):
        # About the state, so it stands where that does, also where the column says the state.
        facts.append(("differing", Fact("label ≠ status", "warn", short="≠ status")))
    if times := _slipped(issue, context):
        times_words = f" ×{times}" if times > 1 else ""
        facts.append(("slipped", Fact(f"slipped{times_words}", "warn")))
    if issue.blocked or _in_blocked(issue, column, context):
        facts.append(("blocked", Fact("blocked", "bad")))
    facts.extend(_priority_facts(issue, column, names))
    severity = names.severity_prefix
    facts.extend(_graded(label, label[len(severity) :], "S") for label in issue.scoped(severity))
    facts.extend(_health(issue))
    if (due := _due(issue, context.today)) is not None:
        facts.append(("due", due))
    facts.extend(("", Fact(warning, "warn")) for warning in context.warnings(issue))
    requests = _request_facts(issue, context)
    facts.extend(("", fact) for fact in requests if not fact.minor)
    if column.tells != "milestone" and board.milestone is None and issue.milestone:
        facts.append(("", Fact(issue.milestone)))
    types = issue.scoped(names.type_prefix)
    if not (column.value in types and len(types) == 1):
        for label in types:
            kind = label[len(names.type_prefix) :]
            if label not in board.labels and label != column.value:
                facts.append((label.casefold(), Fact(_TYPES.get(kind, kind), minor=True)))
    facts.extend(("", fact) for fact in requests if fact.minor)
    if column.tells == "workflow" and issue.is_open and (days := context.days(issue)):
        facts.append(("", Fact(f"{days}d", minor=True)))
    for label in types:
        prefix = label[len(names.type_prefix) :] + "::"
        facts.extend(
            (subtype.casefold(), Fact(subtype[len(prefix) :], minor=True)) for subtype in issue.scoped(prefix)
        )
    return facts


def _priority_facts(issue: Issue, column: Column, names: LabelSettings) -> list[_Named]:
    found = priorities_of(issue.labels, names)
    if len(found) == 1 and column.value == found[0]:
        return []
    if names.priorities:
        most = names.priorities[0]
        return [(one.casefold(), Fact(one, "bad" if one == most else "plain")) for one in found]
    return [_graded(one, one[len(names.priority_prefix) :], "P") for one in found]


def _graded(label: str, value: str, letter: str) -> _Named:
    word = f"{letter}{value}" if value.isdigit() else value
    return (label.casefold(), Fact(word, "bad" if value == "1" else "plain"))


def _request_facts(issue: Issue, context: CardContext) -> list[Fact]:
    """The merge request that tells most, while the issue is open; only a failed pipeline is no minor fact."""
    if not issue.is_open or (one := foremost(context.requests(issue))) is None or one.state == "closed":
        return []
    if one.is_failing:
        return [Fact(f"{one.number} pipeline failed", "bad", short="CI failed")]
    word = "draft" if one.draft and one.is_open else "merged" if one.state == "merged" else "open"
    return [Fact(f"{one.number} {word}", "good" if word == "merged" else "plain", minor=True)]


def _in_blocked(issue: Issue, column: Column, context: CardContext) -> bool:
    state = context.flow.of(issue)
    return state is not None and state.name == "blocked" and column.tells != "workflow"


def _flow_fact(issue: Issue, column: Column, context: CardContext) -> list[_Named]:
    state = context.flow.of(issue)
    if state is None or column.tells == "workflow" or state.name == "blocked":
        return []
    name = state.shown_as or state.name
    tone = _TONES.get(name, "plain")
    is_ready = name == "ready for development"
    if is_ready and not context.ready(issue):
        tone = "plain"  # the warning says what is missing
    word, short = _WORDS.get(name, (name, ""))
    return [("ready" if is_ready else name, Fact(word, tone, short=short))]


_HEALTH: dict[HealthStatus, tuple[Tone, str]] = {
    "onTrack": ("good", ""),
    "needsAttention": ("warn", "attention"),
    "atRisk": ("bad", ""),
}


def _health(issue: Issue) -> list[_Named]:
    """The health status; that an open issue is on track is worth only what space is left."""
    if issue.health_status is None or not issue.is_open:
        return []
    tone, short = _HEALTH[issue.health_status]
    words = health_words(issue.health_status)
    return [(words, Fact(words, tone, minor=tone == "good", short=short))]


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
    own = (column.value, names.deliverable, names.missed_deliverable, *names.priorities)
    hidden = board.labels | {*own}
    return tuple(
        Chip(label, context.color(label) or "#6e7681")
        for label in sorted(issue.labels)
        if label not in hidden and not label.startswith(said)
    )


def _assignee(issue: Issue, column: Column, context: CardContext) -> str:
    """``@elm``, with the number of others; ``·`` if unassigned."""
    names = issue.assignees
    if not names:
        return "" if column.tells == "assignees" else "·"
    if column.tells == "assignees" and column.value in names:
        return f"+{len(names) - 1}" if len(names) > 1 else ""
    more = f" +{len(names) - 1}" if len(names) > 1 else ""
    return f"@{context.short_name(names[0])}{more}"


def presenter(bridge: Bridge, index: BoardIndex) -> Present:
    """Return the function that creates this board's cards; flags are read for every card."""
    labels, catalog, today = bridge.settings.labels, bridge.catalog, bridge.today
    has_weight = catalog is None or catalog.server.has_weight

    def warnings(issue: Issue) -> tuple[str, ...]:
        codes = rules.warnings(issue, bridge.view.flow, labels, weights=has_weight)
        broken = card_words(code for code in codes if code != "label-status-conflict")
        return (*broken, *missing_words(issue, labels))

    def flag(issue: IssueId) -> Flag | None:
        if bridge.flags.is_failed(issue):
            return "failed"
        if bridge.flags.is_conflicting(issue):
            return "conflict"
        if bridge.drafts.is_staged(issue):
            return "staged"
        if bridge.flags.is_pending(issue):
            return "pending"
        return "unseen" if issue in bridge.unseen else None

    context = CardContext(
        flow=bridge.view.flow,
        labels=labels,
        has_weight=has_weight,
        today=today,
        color=catalog.color if catalog else lambda _: None,
        short_name=bridge.people_words.short,
        warnings=warnings,
        ready=lambda issue: rules.ready(issue, bridge.view.flow, labels, weights=has_weight),
        over=frozenset(m.title for m in catalog.milestones if m.due and m.due < today)
        if catalog and today
        else frozenset(),
        renamed=present_titles(catalog.milestones) if catalog else {},
        mask=bridge.mask,
        view=bridge.view_of,
        reference=(lambda _: "") if bridge.share.settings.hide_references else short_reference,
        now=bridge.share.is_marked,
        flag=flag,
        requests=bridge.reads.requests,
        days=lambda issue: bridge.reads.days(issue, bridge.view.flow),
        sought=bridge.view.sought,
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
