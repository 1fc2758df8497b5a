"""Weight, milestone, workflow state and acceptance: the edits of a planning session."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from msgspec import structs

from glboard_core.board.batch import EditBatch
from glboard_core.board.columns import Column
from glboard_core.board.definition import role_of
from glboard_core.board.ranking import Where, ranked
from glboard_core.board.use_cases import Edits, reachable, sideways
from glboard_core.model.issue import Issue, IssueId
from glboard_core.model.milestone import Milestone
from glboard_core.model.workflow import STATES
from glboard_core.planning import confirmations
from glboard_tui.commands.compound import breakdown
from glboard_tui.commands.context import CommandContext
from glboard_tui.commands.labels import person_choices
from glboard_tui.screens.dialogs import Prompt
from glboard_tui.screens.picker import Choice, Result
from glboard_tui.texts import free_words

_BY_LETTER = {state.letter: state for state in STATES}
_MOST = 1_000_000


def weight(context: CommandContext, digit: str) -> None:
    """Set the digit as weight."""
    context.do(lambda edits, issues: edits.weight(issues, int(digit)))


def type_weight(context: CommandContext, _: str) -> None:
    """Type any weight; empty input clears it."""
    issues = context.targets()
    shown = {issue.weight for issue in issues}
    value = next(iter(shown)) if len(shown) == 1 else None

    def typed(text: str | None) -> None:
        if text is not None:
            number = int(text) if text.strip() else None
            context.do(lambda edits, on: edits.weight(on, number), on=issues)

    prompt = Prompt(
        "Weight" if len(issues) == 1 else f"Weight of {len(issues)} issues",
        value="" if value is None else str(value),
        placeholder="leave empty to clear",
        check=wrong_weight,
    )
    context.screen.app.push_screen(prompt, typed)


def wrong_weight(text: str) -> str:
    """Return what is wrong with a typed weight, or ""; empty input is valid and clears it."""
    text = text.strip()
    if text and not (text.isascii() and text.isdigit()):
        return "The weight must be a whole number, 0 or more."
    return f"The weight must be at most {_MOST:,}." if text and int(text) > _MOST else ""


def weight_ready(context: CommandContext, digit: str) -> None:
    """Set weight and ready. A weight over the limit first offers a breakdown (rule 22)."""
    number, issues = int(digit), context.targets()
    asked = confirmations.heavy(issues, number, context.settled)

    def ready() -> None:
        context.do(lambda edits, on: edits.weight_ready(on, number), on=issues)
        context.again = lambda: weight_ready(context, digit)

    def answered(answer: str) -> None:
        if answer == "b":
            breakdown(context, "")
            return
        context.settled |= settles
        ready()

    if asked is None:
        ready()
        return
    text, settles = asked
    words = {"b": "request breakdown", "y": f"set weight {number} and ready anyway"}
    context.ask(text, words, answered)


def to_milestone(name: str) -> Callable[[CommandContext, str], None]:
    """Return a command that sets the milestone ``name`` means today (``next``, a key of ``[milestones]``)."""

    def command(context: CommandContext, _: str) -> None:
        context.do(lambda edits, issues: edits.milestone_named(issues, name))

    return command


def no_milestone(context: CommandContext, _: str) -> None:
    """Remove the milestone."""
    context.do(lambda edits, issues: edits.milestone(issues, None))


def search_milestone(context: CommandContext, _: str) -> None:
    """Choose among the milestones that every target's project can see."""
    issues = context.targets()

    def picked(result: Result) -> None:
        title = result.add[0]
        context.do(lambda edits, on: edits.milestone(on, title), on=issues)

    context.pick("Milestone", milestone_choices(context, {issue.project for issue in issues}), picked)


def milestone_choices(context: CommandContext, projects: Collection[str]) -> list[Choice]:
    """Titles valid in all projects, with dates: current and future, then buckets, then past ones."""
    catalog, today = context.bridge.catalog, context.bridge.today
    if catalog is None or today is None:
        return []
    titles = dict.fromkeys(m.title for m in catalog.milestones)
    valid = [
        milestone
        for title in titles
        if all(catalog.milestone(project, title) for project in projects)
        and (milestone := catalog.find_milestone(title)) is not None
    ]

    def order(milestone: Milestone) -> tuple[int, int, str]:
        if not milestone.is_version or milestone.start is None or milestone.due is None:
            return 1, 0, milestone.title
        over = milestone.due < today
        days = milestone.start.toordinal()
        return (2, -days, milestone.title) if over else (0, days, milestone.title)

    def note(milestone: Milestone) -> str:
        dates = " to ".join(day.isoformat() for day in (milestone.start, milestone.due) if day)
        return " · ".join(word for word in (role_of(milestone.title, catalog, today), dates) if word)

    return [Choice(value=m.title, text=m.title, note=note(m)) for m in sorted(valid, key=order)]


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


def accept(context: CommandContext, letter: str) -> None:
    """Accept for the person with that letter."""
    _accept(context, context.targets(), context.bridge.people()[letter])


def accept_present(context: CommandContext, _: str) -> None:
    """Accept and keep the assignee."""
    _accept(context, context.targets(), None)


def accept_search(context: CommandContext, _: str) -> None:
    """Accept for a person found by search."""
    issues = context.targets()
    context.pick("Accept for", _takers(context), lambda result: _accept(context, issues, result.add[0]))


def accept_issues(context: CommandContext, issues: Sequence[Issue]) -> None:
    """Accept and keep the assignees; ask who takes the unassigned issues."""
    _accept(context, issues, None)


def _accept(context: CommandContext, issues: Sequence[Issue], username: str | None) -> None:
    alone = sum(not issue.assignees for issue in issues)
    if username is not None or not alone:
        context.do(lambda edits, on: edits.accept(on, username), on=issues)
    else:
        # Accepting names a person (rule 4): assignees stay, unassigned issues need one.
        context.pick(
            "Unassigned: accept for" if len(issues) == 1 else f"{alone} unassigned: accept those for",
            _takers(context),
            lambda result: context.do(
                lambda edits, on: edits.accept(on, None, otherwise=result.add[0]), on=issues
            ),
        )
    context.again = lambda: _accept(context, context.targets(), username)


def _takers(context: CommandContext) -> list[Choice]:
    """All group members, with their free capacity if known."""
    plan = context.screen.plan
    if plan.roster.blind:
        rooms = context.rooms()
    else:
        rooms = {name: free_words(one.room or 0) for name, one in plan.rooms().items()}
    return [
        structs.replace(choice, note=rooms.get(choice.value, choice.note))
        for choice in person_choices(context)
    ]


def take_back(context: CommandContext, _: str) -> None:
    """Remove Deliverable."""
    context.do(lambda edits, issues: edits.take_back(issues))


# Columns, rank and closing: where a card is.


def left(context: CommandContext, _: str) -> None:
    """Move to the previous column."""
    _sideways(context, -1)


def right(context: CommandContext, _: str) -> None:
    """Move to the next column."""
    _sideways(context, 1)


def _sideways(context: CommandContext, step: int) -> None:
    index = context.bridge.index
    if index is None:
        return
    issues = context.targets()
    column = context.column()
    to = sideways(index, issues, column.key if column else None, step)
    if not to:
        context.say("No column in that direction; use > for (unlisted) and (closed).")
        return
    alone = not context.selected()
    move(context, issues, to, follow=alone)
    context.again = lambda: _sideways(context, step)


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
    index, column = context.bridge.index, context.column()
    if index is None:
        return
    here = column.key if column else None

    def make(edits: Edits, on: Sequence[Issue]) -> EditBatch:
        return edits.move(on, index, here, to)

    edits = context.bridge.edits()
    if edits is not None and not make(edits, issues).changes:
        context.say("Already there.")
        return
    context.do(make, on=issues, follow=follow, again=False)


def rank(where: Where) -> Callable[[CommandContext, str], None]:
    """Return a command that ranks the targets of the focused column."""

    def command(context: CommandContext, _: str) -> None:
        index, column, catalog = context.bridge.index, context.column(), context.bridge.catalog
        cards = index.column(column.key) if index and column else None
        if index is None or cards is None or catalog is None:
            return
        if cards.column.is_closed:
            context.say("(closed) is sorted by closing time; reopen a card to rank it.")
            return
        if catalog.ranking_board is None:
            context.say("Cannot rank: GitLab keeps no manual order in a group without a board.", bad=True)
            return
        # The card stays in its column and keeps the focus, so that it can be ranked again.
        context.perform(ranked(index, cards, context.targets(), where), follow=True)
        context.again = lambda: command(context, "")

    return command


def complete(context: CommandContext, _: str) -> None:
    """Set the workflow state complete, and close."""
    context.do(lambda edits, issues: edits.complete(issues))


def close(context: CommandContext, _: str) -> None:
    """Just close."""
    context.do(lambda edits, issues: edits.set_state(issues, close=True))


def reopen(context: CommandContext, _: str) -> None:
    """Reopen."""
    context.do(lambda edits, issues: edits.set_state(issues, close=False))
