"""Weight, milestone, workflow state and acceptance: the edits of a planning session."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from msgspec import structs

from glboard_core.board.definition import Column, milestone_for, milestone_title, role_of
from glboard_core.board.rules import MAX_WEIGHT
from glboard_core.board.use_cases import EditBatch, Edits, Where, accepted, ranked, reachable, sideways
from glboard_core.errors import NameUnknown
from glboard_core.model.issue import Issue, IssueId
from glboard_core.model.milestone import Milestone
from glboard_core.model.workflow import STATES
from glboard_tui.commands.compound import breakdown
from glboard_tui.commands.context import CommandContext
from glboard_tui.commands.labels import person_choices
from glboard_tui.screens.dialogs import Prompt
from glboard_tui.screens.picker import Choice, Result
from glboard_tui.texts import free_words

_BY_LETTER = {state.letter: state for state in STATES}
_MOST = 1_000_000
#: The rule's code, the same as for accepting, so that one yes covers both.
_OVER = "over-weight"


def weight(desk: CommandContext, digit: str) -> None:
    """Set the digit as weight."""
    desk.do(lambda planner, issues: planner.weight(issues, int(digit)))


def type_weight(desk: CommandContext, _: str) -> None:
    """Type any weight; empty input clears it."""
    issues = desk.targets()
    shown = {issue.weight for issue in issues}
    value = next(iter(shown)) if len(shown) == 1 else None

    def typed(text: str | None) -> None:
        if text is not None:
            number = int(text) if text.strip() else None
            desk.do(lambda planner, on: planner.weight(on, number), on=issues)

    prompt = Prompt(
        "Weight" if len(issues) == 1 else f"Weight of {len(issues)} issues",
        value="" if value is None else str(value),
        placeholder="leave empty to clear",
        check=wrong_weight,
    )
    desk.screen.app.push_screen(prompt, typed)


def wrong_weight(text: str) -> str:
    """Return what is wrong with a typed weight, or ""; empty input is valid and clears it."""
    text = text.strip()
    if text and not (text.isascii() and text.isdigit()):
        return "The weight must be a whole number, 0 or more."
    return f"The weight must be at most {_MOST:,}." if text and int(text) > _MOST else ""


def weight_ready(desk: CommandContext, digit: str) -> None:
    """Set weight and ready. A weight over the limit first offers a breakdown (EN-2)."""
    number, issues = int(digit), desk.targets()
    fresh = {(issue.id, _OVER) for issue in issues} - desk.asked

    def ready() -> None:
        desk.do(lambda planner, on: planner.weight_ready(on, number), on=issues)
        desk.again = lambda: weight_ready(desk, digit)

    def answered(answer: str) -> None:
        if answer == "b":
            breakdown(desk, "")
            return
        desk.asked |= fresh
        ready()

    if number <= MAX_WEIGHT or not fresh:
        ready()
        return
    words = {"b": "request breakdown", "y": f"set weight {number} and ready anyway"}
    desk.ask(f"Weight {number} is over {MAX_WEIGHT}. Break it down?", words, answered)


def to_milestone(name: str) -> Callable[[CommandContext, str], None]:
    """Return a command that sets the milestone ``name`` means today (``next``, a key of ``[milestones]``)."""

    def command(desk: CommandContext, _: str) -> None:
        catalog, today = desk.bridge.catalog, desk.bridge.today
        if catalog is None or today is None:
            return
        settings = desk.bridge.settings
        try:
            title = milestone_title(name, settings, catalog, today)
        except NameUnknown as error:
            desk.tell(error)
            return

        def make(planner: Edits, issues: Sequence[Issue]) -> EditBatch:
            titles = {i.id: milestone_for(name, i.project, settings, catalog, today) for i in issues}
            return planner.milestones(issues, titles, title)

        desk.do(make)

    return command


def no_milestone(desk: CommandContext, _: str) -> None:
    """Remove the milestone."""
    desk.do(lambda planner, issues: planner.milestone(issues, None))


def search_milestone(desk: CommandContext, _: str) -> None:
    """Choose among the milestones that every target's project can see."""
    issues = desk.targets()

    def picked(result: Result) -> None:
        title = result.add[0]
        desk.do(lambda planner, on: planner.milestone(on, title), on=issues)

    desk.pick("Milestone", milestone_choices(desk, {issue.project for issue in issues}), picked)


def milestone_choices(desk: CommandContext, projects: Collection[str]) -> list[Choice]:
    """Titles valid in all projects, with dates: current and future, then buckets, then past ones."""
    catalog, today = desk.bridge.catalog, desk.bridge.today
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


def defer(desk: CommandContext, _: str) -> None:
    """Move to the next milestone and remove Deliverable."""
    desk.do(lambda planner, issues: planner.defer(issues))


def flow(desk: CommandContext, letter: str) -> None:
    """Set a workflow state."""
    state = _BY_LETTER[letter]
    desk.do(lambda planner, issues: planner.set_flow(issues, state))


def advance(desk: CommandContext, _: str) -> None:
    """Advance by one workflow state."""
    desk.do(lambda planner, issues: planner.advance(issues))


def take(desk: CommandContext, _: str) -> None:
    """Assign to me and set in dev."""
    desk.do(lambda planner, issues: planner.take(issues))


def accept(desk: CommandContext, letter: str) -> None:
    """Accept for the person with that letter."""
    _accept(desk, desk.targets(), desk.bridge.people()[letter])


def accept_present(desk: CommandContext, _: str) -> None:
    """Accept and keep the assignee."""
    _accept(desk, desk.targets(), None)


def accept_search(desk: CommandContext, _: str) -> None:
    """Accept for a person found by search."""
    issues = desk.targets()
    desk.pick("Accept for", _takers(desk), lambda result: _accept(desk, issues, result.add[0]))


def accept_issues(desk: CommandContext, issues: Sequence[Issue]) -> None:
    """Accept and keep the assignees; ask who takes the unassigned issues."""
    _accept(desk, issues, None)


def _accept(desk: CommandContext, issues: Sequence[Issue], username: str | None) -> None:
    alone = sum(not issue.assignees for issue in issues)
    if username is not None or not alone:
        desk.do(lambda planner, on: planner.accept(on, username), on=issues)
    else:
        # Accepting names a person (7.4): assignees stay, unassigned issues need one.
        desk.pick(
            "Unassigned: accept for" if len(issues) == 1 else f"{alone} unassigned: accept those for",
            _takers(desk),
            lambda result: desk.do(lambda planner, on: accepted(planner, on, result.add[0]), on=issues),
        )
    desk.again = lambda: _accept(desk, desk.targets(), username)


def _takers(desk: CommandContext) -> list[Choice]:
    """All group members, with their free capacity if known."""
    plan = desk.screen.plan
    if plan.roster.blind:
        rooms = desk.rooms()
    else:
        rooms = {name: free_words(one.room or 0) for name, one in plan.rooms().items()}
    return [
        structs.replace(choice, note=rooms.get(choice.value, choice.note)) for choice in person_choices(desk)
    ]


def take_back(desk: CommandContext, _: str) -> None:
    """Remove Deliverable."""
    desk.do(lambda planner, issues: planner.take_back(issues))


# Columns, rank and closing: where a card is.


def left(desk: CommandContext, _: str) -> None:
    """Move to the previous column."""
    _sideways(desk, -1)


def right(desk: CommandContext, _: str) -> None:
    """Move to the next column."""
    _sideways(desk, 1)


def _sideways(desk: CommandContext, step: int) -> None:
    index = desk.bridge.index
    if index is None:
        return
    issues = desk.targets()
    column = desk.column()
    to = sideways(index, issues, column.key if column else None, step)
    if not to:
        desk.say("No column in that direction; use > for (unlisted) and (closed).")
        return
    alone = not desk.marked()
    move(desk, issues, to, follow=alone)
    desk.again = lambda: _sideways(desk, step)


def to_column(desk: CommandContext, letter: str) -> None:
    """Move to the column with that letter."""
    index = desk.bridge.index
    target = reachable(index).get(letter) if index else None
    if target is None:
        desk.say("This board has no such column.")
        return
    issues = desk.targets()
    move(desk, issues, {issue.id: target for issue in issues})
    desk.again = lambda: to_column(desk, letter)


def move(
    desk: CommandContext, issues: Sequence[Issue], to: Mapping[IssueId, Column], *, follow: bool = False
) -> None:
    """Move cards, after asking once if a type changes or if more than one would be closed."""
    index, planner, column = desk.bridge.index, desk.bridge.planner(), desk.column()
    if index is None or planner is None:
        return
    moves = planner.move(issues, index, column.key if column else None, to)

    def go(work: EditBatch) -> None:
        desk.careful(work, follow=follow)

    if moves.closing > 1:
        desk.ask(f"Close {moves.closing} issues?", {"y": "close them"}, lambda _: go(moves.work))
    elif moves.asks:
        answers = {"y": "change the type"}
        if moves.further is not None:
            answers = {
                "y": "change the type, keep the subtype label",
                "t": "change the type, remove the subtype label",
            }
        further = moves.further or moves.work
        desk.ask(
            f"Change the type of {len(moves.work.acts)} issues?"
            if len(moves.work.acts) > 1
            else "Change the type of this issue?",
            answers,
            lambda answer: go(further if answer == "t" else moves.work),
            note="Its subtype label will no longer fit." if moves.further is not None else "",
        )
    elif moves.work.acts:
        go(moves.work)
    else:
        desk.say("Already there.")


def rank(where: Where) -> Callable[[CommandContext, str], None]:
    """Return a command that ranks the targets of the focused column."""

    def command(desk: CommandContext, _: str) -> None:
        index, column, catalog = desk.bridge.index, desk.column(), desk.bridge.catalog
        cards = index.column(column.key) if index and column else None
        if index is None or cards is None or catalog is None:
            return
        if cards.column.kind == "closed":
            desk.say("(closed) is sorted by closing time; reopen a card to rank it.")
            return
        if catalog.ranking_board is None:
            desk.say("Cannot rank: GitLab keeps no manual order in a group without a board.", bad=True)
            return
        # The card stays in its column and keeps the focus, so that it can be ranked again.
        desk.perform(ranked(index, cards, desk.targets(), where), follow=True)
        desk.again = lambda: command(desk, "")

    return command


def complete(desk: CommandContext, _: str) -> None:
    """Set the workflow state complete, and close."""
    _closing(desk, "Complete and close", lambda on: desk.do(lambda p, issues: p.complete(issues), on=on))
    desk.again = lambda: complete(desk, "")


def close(desk: CommandContext, _: str) -> None:
    """Just close."""
    _closing(desk, "Close", lambda on: desk.do(lambda p, issues: p.set_state(issues, close=True), on=on))
    desk.again = lambda: close(desk, "")


def _closing(desk: CommandContext, what: str, go: Callable[[Sequence[Issue]], object]) -> None:
    issues = desk.targets()
    if len(issues) > 1:
        desk.ask(f"{what} {len(issues)} issues?", {"y": "close them"}, lambda _: _ignore(go(issues)))
    else:
        go(issues)


def _ignore(_: object) -> None:
    """Discard a result."""


def reopen(desk: CommandContext, _: str) -> None:
    """Reopen."""
    desk.do(lambda planner, issues: planner.set_state(issues, close=False))
