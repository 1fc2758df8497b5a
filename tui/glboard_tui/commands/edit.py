"""Weight, milestone, workflow state and acceptance: the edits of a planning session."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from msgspec import structs

from glboard_core.board.resolve import milestone_for, milestone_title, role_of
from glboard_core.board.rules import MAX_WEIGHT
from glboard_core.board.use_cases import EditBatch, Edits
from glboard_core.errors import NameUnknown
from glboard_core.model.issue import Issue
from glboard_core.model.milestone import Milestone
from glboard_core.model.workflow import STATES
from glboard_tui.commands.compound import breakdown
from glboard_tui.commands.context import CommandContext
from glboard_tui.commands.people import person_choices
from glboard_tui.compounds import accepted
from glboard_tui.screens.plan_words import free_words
from glboard_tui.screens.prompt import Prompt
from glboard_tui.widgets.choices import Choice, Result

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
