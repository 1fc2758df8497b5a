"""Weight, milestone, workflow state, acceptance, and where a card is: the edits of a planning session."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from glboard_core.board import issue_cases, use_cases
from glboard_core.board.batch import EditBatch
from glboard_core.board.columns import Column
from glboard_core.board.ranking import Where, ranked
from glboard_core.board.rules import MAX_WEIGHT
from glboard_core.board.use_cases import Edits, reachable
from glboard_core.errors import GlboardError
from glboard_core.model.issue import Issue, IssueId
from glboard_core.model.workflow import STATES
from glboard_core.planning import confirmations
from glboard_tui.commands.compound import breakdown
from glboard_tui.commands.context import CommandContext, Make
from glboard_tui.screens.choices import MilestoneSource, PersonSource
from glboard_tui.screens.prompts import wrong_weight
from glboard_tui.texts import free_by_name

_BY_LETTER = {state.letter: state for state in STATES}

_PLAIN: dict[str, Make] = {
    "no milestone": lambda edits, issues: edits.milestone(issues, None),
    "defer": Edits.defer,
    "slip": Edits.slip,
    "advance": Edits.advance,
    "take": Edits.take,
    "not deliverable": Edits.take_back,
    "assign me": Edits.toggle_me,
    "complete": Edits.complete,
    "close": lambda edits, issues: edits.set_state(issues, close=True),
    "reopen": lambda edits, issues: edits.set_state(issues, close=False),
    "won't do": Edits.wont_do,
    "confidential": lambda _, issues: issue_cases.toggle_confidential(issues),
}


def plain(context: CommandContext, what: str) -> None:
    """Do one of the edits that need nothing but their issues: defer, slip, advance, take, close ..."""
    context.do(_PLAIN[what])


# Weight, milestone, workflow state


def weight(context: CommandContext, digit: str) -> None:
    """Set the digit as weight."""
    context.do(lambda edits, issues: edits.weight(issues, int(digit)))
    _say_if_heavy(context, int(digit))


def _say_if_heavy(context: CommandContext, number: int | None) -> None:
    """The rule for weights over the limit, where nothing is asked: a weight alone promises nothing."""
    if number is not None and number > MAX_WEIGHT:
        key = context.keymap.key("plan.breakdown")
        context.say(f"Weight {number} is over {MAX_WEIGHT}: {key} requests a breakdown.")


def type_weight(context: CommandContext, _: str) -> None:
    """Type any weight; empty input clears it."""
    issues = context.targets()
    shown = {issue.weight for issue in issues}
    value = next(iter(shown)) if len(shown) == 1 else None

    def typed(text: str) -> None:
        number = int(text) if text.strip() else None
        context.do(lambda edits, on: edits.weight(on, number), on=issues)
        _say_if_heavy(context, number)

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
    words = {"b": "request a breakdown", "y": "as it is"}
    context.ask(text, words, answered)


def to_milestone(context: CommandContext, name: str) -> None:
    """Set the milestone that ``name`` means today (``next``, a key of ``[milestones]``)."""
    context.do(lambda edits, issues: edits.milestone_named(issues, name))


def search_milestone(context: CommandContext, _: str) -> None:
    """Choose among the milestones that every target's project can see."""
    issues = context.targets()
    context.pick(
        "Milestone",
        MilestoneSource(context.bridge, {issue.project for issue in issues}),
        lambda result: context.do(lambda edits, on: edits.milestone(on, result.add[0]), on=issues),
    )


def flow(context: CommandContext, letter: str) -> None:
    """Set a workflow state."""
    context.do(lambda edits, issues: edits.set_flow(issues, _BY_LETTER[letter]))


def align(context: CommandContext, _: str) -> None:
    """Set label and status to the same state where they differ."""
    context.do(lambda edits, issues: edits.align_flow(issues))


# Accepting


def accept(context: CommandContext, letter: str) -> None:
    """Accept for the person with that letter; in a proposal, only propose that person."""
    username = context.bridge.people()[letter]
    if context.top is None or not context.top.propose_for(username):
        accept_for(context, context.targets(), username)


def accept_present(context: CommandContext, _: str) -> None:
    """Accept and keep the assignee."""
    accept_for(context, context.targets())


def accept_search(context: CommandContext, _: str) -> None:
    """Accept for a person found by search."""
    issues = context.targets()
    source = _takers(context, issues)
    context.pick("Accept for", source, lambda result: accept_for(context, issues, result.add[0]))


def accept_for(context: CommandContext, issues: Sequence[Issue], username: str | None = None) -> None:
    """Accept; without a username assignees stay, and a question decides who takes the unassigned issues."""
    alone = sum(not issue.assignees for issue in issues)
    if username is not None or not alone:
        context.do(lambda edits, on: edits.accept(on, username), on=issues)
    else:
        # Accepting names a person (rule 4).
        context.pick(
            "Unassigned: accept for" if len(issues) == 1 else f"{alone} unassigned: accept those for",
            _takers(context, issues),
            lambda result: context.do(
                lambda edits, on: edits.accept(on, None, otherwise=result.add[0]), on=issues
            ),
        )
    context.again = lambda: accept_for(context, context.targets(), username)


def _takers(context: CommandContext, issues: Sequence[Issue]) -> PersonSource:
    """People who can take these issues, with their free capacity if known and shown."""
    people = context.planning.people_with_days()
    share = context.bridge.share
    free = free_by_name(people, hidden=share.is_on) if share.names_people else {}
    return PersonSource(context.bridge, projects={issue.project for issue in issues}, notes=free)


# Columns and rank: where a card is


def sideways(context: CommandContext, where: str) -> None:
    """Move to the column to the left or right."""
    if (index := context.bridge.index) is None:
        return
    issues, column = context.targets(), context.column()
    to = use_cases.sideways(index, issues, column.key if column else None, 1 if where == "right" else -1)
    if not to:
        context.say("No column in that direction; use > for (unlisted) and (closed).")
        return
    move(context, issues, to, follow=not context.selected())
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
    if index is None:
        return
    here = column.key if column else None

    def make(edits: Edits, on: Sequence[Issue]) -> EditBatch:
        return edits.move(on, index, here, to)

    if edits is not None and not make(edits, issues).changes:
        context.say("Already there.")
        return
    context.do(make, on=issues, follow=follow, again=False)


_RANKS: dict[str, Where] = {"up": "up", "down": "down", "top": "top", "bottom": "bottom"}


def rank(context: CommandContext, where: str) -> None:
    """Rank the targets up, down, to the top or to the bottom of the focused column."""
    index, column, catalog = context.bridge.index, context.column(), context.bridge.catalog
    cards = index.column(column.key) if index and column else None
    if index is None or cards is None or catalog is None:
        return
    if cards.column.is_closed:
        context.say("(closed) is sorted by closing date; reopen an issue to rank it.")
        return
    if index.sorting.by != "rank":
        key = context.keymap.key("view.sort")
        context.say(
            f"Cannot rank: columns are sorted by {index.sorting.by}; {key} switches to GitLab's order."
        )
        return
    # A board makes no order for a fine-grained token: it may not read its lists.
    if catalog.ranking_board is None and not catalog.server.fine_grained and not index.has_order():
        _offer_board(context, where)
        return
    # The card stays in its column and keeps the focus, so that it can be ranked again.
    context.perform(ranked(index, cards, context.targets(), _RANKS[where]), follow=True)
    context.again = lambda: rank(context, where)


#: As GitLab names a group's first board.
_FIRST_BOARD = "Development"


def _offer_board(context: CommandContext, where: str) -> None:
    """Without any place in the manual order, GitLab needs an issue board to begin one."""

    def answered(letter: str) -> None:
        if letter == "y":
            context.say("Creating an issue board …")
            context.shell.work(_create_board(context, where), "board")

    context.ask(
        "Manual order needs an issue board in the group. Create one?",
        {"y": f"create board “{_FIRST_BOARD}” and rank"},
        answered,
        note="Everyone in the group sees it, under Plan > Issue boards. No issue changes.",
    )


async def _create_board(context: CommandContext, where: str) -> None:
    engine = context.bridge.engine
    if engine is None:
        return
    try:
        await engine.create_board(_FIRST_BOARD)
    except GlboardError as error:
        context.tell(error)
        return
    context.say(f"Board “{_FIRST_BOARD}” created.")
    rank(context, where)
