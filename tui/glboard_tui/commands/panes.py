"""The planning process: capacity, candidates, triage, the lock, Say/Do. Most use the board's milestone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from glboard_core.errors import GlboardError
from glboard_core.model.milestone import Milestone
from glboard_tui.actions import BY_ID
from glboard_tui.commands.context import CommandContext

if TYPE_CHECKING:
    from glboard_tui.screens.issue_list import IssueList


def _milestone(context: CommandContext) -> Milestone | None:
    found = context.screen.plan.milestone()
    if found is None:
        context.say("No version milestone with dates to plan.")
    return found


def _show(context: CommandContext, listed: IssueList) -> None:
    """Show a list in place of the one on top."""
    if type(context.top) is type(listed):
        context.say("Already open; Esc closes it.")
        return
    context.make_way()
    context.screen.app.push_screen(listed, lambda _: context.screen.show_footer())


def room(context: CommandContext, _: str) -> None:
    """Toggle the capacity pane: next to the board, or over it in a narrow terminal."""
    if (milestone := _milestone(context)) is not None:
        if context.top is not None:
            context.make_way()
            if context.screen.docking.focus():
                return
        if context.screen.docking.toggle():
            return
        from glboard_tui.screens.capacity import Room

        context.screen.plan.reload()
        context.screen.app.push_screen(Room(context, milestone), lambda _: context.screen.show_header())


def candidates(context: CommandContext, _: str) -> None:
    """List the issues that could become a Deliverable."""
    from glboard_tui.screens.candidates import Candidates

    if (milestone := _milestone(context)) is not None:
        _show(context, Candidates(context, milestone))


def triage(context: CommandContext, _: str) -> None:
    """List the issues that need fixing."""
    from glboard_tui.screens.queues import Triage

    _show(context, Triage(context))


def refinement(context: CommandContext, _: str) -> None:
    """List the issues that need a weight."""
    from glboard_tui.screens.queues import Refinement

    _show(context, Refinement(context))


def own(context: CommandContext, _: str) -> None:
    """List the issues assigned to me."""
    from glboard_tui.screens.queues import OwnWork

    _show(context, OwnWork(context))


def mix(context: CommandContext, _: str) -> None:
    """Show the mix of work in the milestone."""
    from glboard_tui.screens.mix import MixList

    if (milestone := _milestone(context)) is not None:
        _show(context, MixList(context, milestone))


def say_do(context: CommandContext, _: str) -> None:
    """Show Say/Do of the board's milestone once it started, otherwise of the one that is ending."""
    from glboard_tui.screens.say_do import SayDoPane

    milestone, today = _milestone(context), context.bridge.today
    if milestone is None or today is None:
        return
    if milestone.start is not None and milestone.start > today:
        milestone = context.screen.plan.past.ending() or milestone
    _show(context, SayDoPane(context, milestone))


def planning_issue(context: CommandContext, _: str) -> None:
    """Open the planning issue of the milestone."""
    if (milestone := _milestone(context)) is None:
        return
    found = context.screen.plan.planning_issue(milestone)
    if found.issue is None:
        palette = context.screen.keymap.shown(BY_ID["palette"])
        context.say(f"No planning issue for {milestone.title} yet: {palette} “open” creates one.")
        return
    context.make_way()
    context.screen.open_detail(found.issue.id)
    context.say(found.doubt or f"The planning issue of {milestone.title}; o opens it in the browser.")


def end(context: CommandContext, _: str) -> None:
    """List what is left of the milestone that is ending."""
    from glboard_tui.screens.milestone_end import Ending

    milestone = context.screen.plan.past.ending()
    if milestone is None:
        context.say("No version milestone with dates is ending.")
        return
    _show(context, Ending(context, milestone))


def open_milestone(context: CommandContext, _: str) -> None:
    """Create or update the milestone's planning issue, boards and labels, after a preview."""
    from glboard_tui.screens.milestone_setup import OpeningPane

    if (milestone := _milestone(context)) is not None:
        context.screen.app.push_screen(OpeningPane(context, milestone))


def lock(context: CommandContext, _: str) -> None:
    """Lock the plan, or show what changed since it was locked."""
    plan, milestone = context.screen.plan, _milestone(context)
    if milestone is None:
        return
    try:
        changed = plan.past.scope(milestone)
    except GlboardError as error:
        context.tell(error)
        return

    from glboard_tui.screens.plan_lock import LockedPlan, ask_import, lock_now

    if changed is not None:
        pane = LockedPlan(context, milestone, changed)
        _show(context, pane)
        return
    one = milestone
    context.ask(
        f"Lock the current plan of {milestone.title}?",
        {"l": "lock it", "i": "import a colleague's"},
        lambda answer: lock_now(context, one) if answer == "l" else ask_import(context, one),
        note="Say/Do and scope then use the locked plan. It stays on this machine.",
    )
