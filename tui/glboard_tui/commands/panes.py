"""The planning process: capacity, candidates, triage, the lock, Say/Do. Most use the board's milestone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from glboard_core.errors import GlboardError
from glboard_core.model.milestone import Milestone
from glboard_tui.actions import BY_ID
from glboard_tui.commands.context import CommandContext

if TYPE_CHECKING:
    from glboard_tui.screens.issue_list import IssueList


def _milestone(desk: CommandContext) -> Milestone | None:
    found = desk.screen.plan.milestone()
    if found is None:
        desk.say("No version milestone with dates to plan.")
    return found


def _show(desk: CommandContext, listed: IssueList) -> None:
    """Show a list in place of the one on top."""
    if type(desk.top) is type(listed):
        desk.say("Already open; Esc closes it.")
        return
    desk.make_way()
    desk.screen.app.push_screen(listed, lambda _: desk.screen.show_footer())


def room(desk: CommandContext, _: str) -> None:
    """Toggle the capacity pane: next to the board, or over it in a narrow terminal."""
    if (milestone := _milestone(desk)) is not None:
        if desk.top is not None:
            desk.make_way()
            if desk.screen.docking.focus():
                return
        if desk.screen.docking.toggle():
            return
        from glboard_tui.screens.capacity import Room

        desk.screen.plan.reload()
        desk.screen.app.push_screen(Room(desk, milestone), lambda _: desk.screen.show_header())


def candidates(desk: CommandContext, _: str) -> None:
    """List the issues that could become a Deliverable."""
    from glboard_tui.screens.candidates import Candidates

    if (milestone := _milestone(desk)) is not None:
        _show(desk, Candidates(desk, milestone))


def triage(desk: CommandContext, _: str) -> None:
    """List the issues that need fixing."""
    from glboard_tui.screens.queues import Triage

    _show(desk, Triage(desk))


def refinement(desk: CommandContext, _: str) -> None:
    """List the issues that need a weight."""
    from glboard_tui.screens.queues import Refinement

    _show(desk, Refinement(desk))


def own(desk: CommandContext, _: str) -> None:
    """List the issues assigned to me."""
    from glboard_tui.screens.queues import OwnWork

    _show(desk, OwnWork(desk))


def mix(desk: CommandContext, _: str) -> None:
    """Show the mix of work in the milestone."""
    from glboard_tui.screens.mix import MixList

    if (milestone := _milestone(desk)) is not None:
        _show(desk, MixList(desk, milestone))


def say_do(desk: CommandContext, _: str) -> None:
    """Show Say/Do of the board's milestone once it started, otherwise of the one that is ending."""
    from glboard_tui.screens.say_do import SayDoPane

    milestone, today = _milestone(desk), desk.bridge.today
    if milestone is None or today is None:
        return
    if milestone.start is not None and milestone.start > today:
        milestone = desk.screen.plan.past.ending() or milestone
    _show(desk, SayDoPane(desk, milestone))


def planning_issue(desk: CommandContext, _: str) -> None:
    """Open the planning issue of the milestone."""
    if (milestone := _milestone(desk)) is None:
        return
    found = desk.screen.plan.planning_issue(milestone)
    if found.issue is None:
        palette = desk.screen.keymap.shown(BY_ID["palette"])
        desk.say(f"No planning issue for {milestone.title} yet: {palette} “open” creates one.")
        return
    desk.make_way()
    desk.screen.open_detail(found.issue.id)
    desk.say(found.doubt or f"The planning issue of {milestone.title}; o opens it in the browser.")


def end(desk: CommandContext, _: str) -> None:
    """List what is left of the milestone that is ending."""
    from glboard_tui.screens.milestone_end import Ending

    milestone = desk.screen.plan.past.ending()
    if milestone is None:
        desk.say("No version milestone with dates is ending.")
        return
    _show(desk, Ending(desk, milestone))


def open_milestone(desk: CommandContext, _: str) -> None:
    """Create or update the milestone's planning issue, boards and labels, after a preview."""
    from glboard_tui.screens.milestone_setup import OpeningPane

    if (milestone := _milestone(desk)) is not None:
        desk.screen.app.push_screen(OpeningPane(desk, milestone))


def lock(desk: CommandContext, _: str) -> None:
    """Lock the plan, or show what changed since it was locked."""
    plan, milestone = desk.screen.plan, _milestone(desk)
    if milestone is None:
        return
    try:
        changed = plan.past.scope(milestone)
    except GlboardError as error:
        desk.tell(error)
        return

    from glboard_tui.screens.plan_lock import LockedPlan, ask_import, lock_now

    if changed is not None:
        pane = LockedPlan(desk, milestone, changed)
        _show(desk, pane)
        return
    one = milestone
    desk.ask(
        f"Lock the current plan of {milestone.title}?",
        {"l": "lock it", "i": "import a colleague's"},
        lambda answer: lock_now(desk, one) if answer == "l" else ask_import(desk, one),
        note="Say/Do and scope then use the locked plan. It stays on this machine.",
    )
