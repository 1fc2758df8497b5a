"""Weight, milestone, workflow state, acceptance, and where a card is: the edits of a planning session."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from msgspec import structs

from glboard_core.board import use_cases
from glboard_core.board.definition import Column, milestone_for, milestone_title
from glboard_core.board.rules import MAX_WEIGHT
from glboard_core.board.use_cases import EditBatch, Edits, Where, accepted, ranked, reachable
from glboard_core.errors import NameUnknown
from glboard_core.model.issue import Issue, IssueId
from glboard_core.model.workflow import STATES
from glboard_tui.commands.compound import breakdown, closing
from glboard_tui.commands.context import CommandContext
from glboard_tui.screens.choices import milestone_choices, person_choices
from glboard_tui.screens.dialogs import wrong_weight
from glboard_tui.screens.picker import Choice
from glboard_tui.texts import free_words, rooms_words

_BY_LETTER = {state.letter: state for state in STATES}
#: The rule's code, the same as for accepting, so that one yes covers both.
_OVER = "over-weight"

# Weight, milestone, workflow state


def weight(context: CommandContext, digit: str) -> None:
    """Set the digit as weight."""
    context.do(lambda edits, issues: edits.weight(issues, int(digit)))


def type_weight(context: CommandContext, _: str) -> None:
    """Type any weight; empty input clears it."""
    issues = context.targets()
    shown = {issue.weight for issue in issues}
    value = next(iter(shown)) if len(shown) == 1 else None

    def typed(text: str) -> None:
        number = int(text) if text.strip() else None
        context.do(lambda edits, on: edits.weight(on, number), on=issues)

    context.prompt(
        "Weight" if len(issues) == 1 else f"Weight of {len(issues)} issues",
        typed,
        value="" if value is None else str(value),
        placeholder="leave empty to clear",
        check=wrong_weight,
    )


def weight_ready(context: CommandContext, digit: str) -> None:
    """Set weight and ready. A weight over the limit first offers a breakdown (rule 22)."""
    number, issues = int(digit), context.targets()
    fresh = {(issue.id, _OVER) for issue in issues} - context.asked

    def ready() -> None:
        context.do(lambda edits, on: edits.weight_ready(on, number), on=issues)
        context.again = lambda: weight_ready(context, digit)

    def answered(answer: str) -> None:
        if answer == "b":
            breakdown(context, "")
            return
        context.asked |= fresh
        ready()

    if number <= MAX_WEIGHT or not fresh:
        ready()
        return
    words = {"b": "request breakdown", "y": f"set weight {number} and ready anyway"}
    context.ask(f"Weight {number} is over {MAX_WEIGHT}. Break it down?", words, answered)


def to_milestone(context: CommandContext, name: str) -> None:
    """Set the milestone that ``name`` means today (``next``, a key of ``[milestones]``)."""
    catalog, today, settings = context.bridge.catalog, context.bridge.today, context.bridge.settings
    if catalog is None or today is None:
        return
    try:
        title = milestone_title(name, settings, catalog, today)
    except NameUnknown as error:
        context.tell(error)
        return

    def make(edits: Edits, issues: Sequence[Issue]) -> EditBatch:
        titles = {i.id: milestone_for(name, i.project, settings, catalog, today) for i in issues}
        return edits.milestones(issues, titles, title)

    context.do(make)


def no_milestone(context: CommandContext, _: str) -> None:
    """Remove the milestone."""
    context.do(lambda edits, issues: edits.milestone(issues, None))


def search_milestone(context: CommandContext, _: str) -> None:
    """Choose among the milestones that every target's project can see."""
    issues = context.targets()
    context.pick(
        "Milestone",
        milestone_choices(context.bridge, {issue.project for issue in issues}),
        lambda result: context.do(lambda edits, on: edits.milestone(on, result.add[0]), on=issues),
    )


def defer(context: CommandContext, _: str) -> None:
    """Move to the next milestone and remove Deliverable."""
    context.do(lambda edits, issues: edits.defer(issues))


def flow(context: CommandContext, letter: str) -> None:
    """Set a workflow state."""
    state = _BY_LETTER[letter]
    context.do(lambda edits, issues: edits.set_flow(issues, state))


def advance(context: CommandContext, _: str) -> None:
    """Advance by one workflow state."""
    context.do(lambda edits, issues: edits.advance(issues))


def take(context: CommandContext, _: str) -> None:
    """Assign to me and set in dev."""
    context.do(lambda edits, issues: edits.take(issues))


# Accepting


def accept(context: CommandContext, letter: str) -> None:
    """Accept for the person with that letter."""
    accept_for(context, context.targets(), context.bridge.people()[letter])


def accept_present(context: CommandContext, _: str) -> None:
    """Accept and keep the assignee."""
    accept_for(context, context.targets())


def accept_search(context: CommandContext, _: str) -> None:
    """Accept for a person found by search."""
    issues = context.targets()
    context.pick("Accept for", _takers(context), lambda result: accept_for(context, issues, result.add[0]))


def accept_for(context: CommandContext, issues: Sequence[Issue], username: str | None = None) -> None:
    """Accept; without a username assignees stay, and a question decides who takes the unassigned issues."""
    alone = sum(not issue.assignees for issue in issues)
    if username is not None or not alone:
        context.do(lambda edits, on: edits.accept(on, username), on=issues)
    else:
        # Accepting names a person (rule 4).
        context.pick(
            "Unassigned: accept for" if len(issues) == 1 else f"{alone} unassigned: accept those for",
            _takers(context),
            lambda result: context.do(lambda edits, on: accepted(edits, on, result.add[0]), on=issues),
        )
    context.again = lambda: accept_for(context, context.targets(), username)


def _takers(context: CommandContext) -> list[Choice]:
    """All group members, with their free capacity if known."""
    planning = context.planning
    rooms = planning.rooms()
    if planning.roster.blind:
        free = rooms_words(rooms, blind=True)
    else:
        free = {name: free_words(one.room or 0) for name, one in rooms.items()}
    choices = person_choices(context.bridge)
    return [structs.replace(choice, note=free.get(choice.value, choice.note)) for choice in choices]


def take_back(context: CommandContext, _: str) -> None:
    """Remove Deliverable."""
    context.do(lambda edits, issues: edits.take_back(issues))


# Columns, rank and closing: where a card is


def sideways(context: CommandContext, where: str) -> None:
    """Move to the column to the left or right."""
    index = context.bridge.index
    if index is None:
        return
    issues, column = context.targets(), context.column()
    to = use_cases.sideways(index, issues, column.key if column else None, 1 if where == "right" else -1)
    if not to:
        context.say("No column in that direction; use > for (unlisted) and (closed).")
        return
    move(context, issues, to, follow=not context.marked())
    context.again = lambda: sideways(context, where)


def to_column(context: CommandContext, letter: str) -> None:
    """Move to the column with that letter."""
    index = context.bridge.index
    target = reachable(index).get(letter) if index else None
    if target is None:
        context.say("This board has no such column.")
        return
    issues = context.targets()
    move(context, issues, {issue.id: target for issue in issues})
    context.again = lambda: to_column(context, letter)


def move(
    context: CommandContext, issues: Sequence[Issue], to: Mapping[IssueId, Column], *, follow: bool = False
) -> None:
    """Move cards, after asking once if a type changes or if more than one would be closed."""
    index, edits, column = context.bridge.index, context.bridge.edits(), context.column()
    if index is None or edits is None:
        return
    moves = edits.move(issues, index, column.key if column else None, to)

    def go(work: EditBatch) -> None:
        context.careful(work, follow=follow)

    if moves.closing > 1:
        context.ask(f"Close {moves.closing} issues?", {"y": "close them"}, lambda _: go(moves.work))
    elif moves.asks:
        answers = {"y": "change the type"}
        if moves.further is not None:
            answers = {
                "y": "change the type, keep the subtype label",
                "t": "change the type, remove the subtype label",
            }
        further, count = moves.further or moves.work, len(moves.work.changes)
        context.ask(
            f"Change the type of {count} issues?" if count > 1 else "Change the type of this issue?",
            answers,
            lambda answer: go(further if answer == "t" else moves.work),
            note="Its subtype label will no longer fit." if moves.further is not None else "",
        )
    elif moves.work.changes:
        go(moves.work)
    else:
        context.say("Already there.")


_RANKS: dict[str, Where] = {"up": "up", "down": "down", "top": "top", "bottom": "bottom"}


def rank(context: CommandContext, where: str) -> None:
    """Rank the targets up, down, to the top or to the bottom of the focused column."""
    index, column, catalog = context.bridge.index, context.column(), context.bridge.catalog
    cards = index.column(column.key) if index and column else None
    if index is None or cards is None or catalog is None:
        return
    if cards.column.kind == "closed":
        context.say("(closed) is sorted by closing time; reopen a card to rank it.")
        return
    if catalog.ranking_board is None:
        context.say("Cannot rank: GitLab keeps no manual order in a group without a board.", bad=True)
        return
    # The card stays in its column and keeps the focus, so that it can be ranked again.
    context.perform(ranked(index, cards, context.targets(), _RANKS[where]), follow=True)
    context.again = lambda: rank(context, where)


def complete(context: CommandContext, _: str) -> None:
    """Set the workflow state complete, and close."""
    _close(context, "Complete and close", lambda edits, issues: edits.complete(issues))
    context.again = lambda: complete(context, "")


def close(context: CommandContext, _: str) -> None:
    """Just close."""
    _close(context, "Close", lambda edits, issues: edits.set_state(issues, close=True))
    context.again = lambda: close(context, "")


def _close(context: CommandContext, what: str, make: Callable[[Edits, Sequence[Issue]], EditBatch]) -> None:
    issues = context.targets()
    closing(context, len(issues), lambda: context.do(make, on=issues), what)


def reopen(context: CommandContext, _: str) -> None:
    """Reopen."""
    context.do(lambda edits, issues: edits.set_state(issues, close=False))
