"""Lists and dialogs: the planning process, failed changes, changes by others, help."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from glboard_core import logfile
from glboard_core.errors import GlboardError
from glboard_core.model.milestone import Milestone
from glboard_core.zones import zone_named
from glboard_tui import texts
from glboard_tui.commands.context import CommandContext

if TYPE_CHECKING:
    from glboard_tui.screens.issue_list import IssueList
    from glboard_tui.walks import WalkSource


def _milestone(context: CommandContext) -> Milestone | None:
    found = context.planning.milestone()
    if found is None:
        context.say("No version milestone with dates to plan.")
    return found


def _show(context: CommandContext, listed: IssueList) -> None:
    """Show a list in place of the one on top."""
    if type(context.top) is type(listed):
        context.say("Already open; Esc closes it.")
        return
    context.make_way()
    context.shell.app.push_screen(listed, lambda _: context.shell.show_footer())


def own(context: CommandContext, name: str) -> None:
    """Do what a pane alone can do: its method ``action_NAME``."""
    if (pane := context.pane) is not None:
        getattr(pane.own, f"action_{name}")()


def close(context: CommandContext, _: str) -> None:
    """Close the pane that has the keys."""
    if (pane := context.pane) is not None:
        pane.leave()


# Planning a milestone


def capacity(context: CommandContext, _: str) -> None:
    """Toggle the capacity pane: next to the board, or over it in a narrow terminal."""
    if (milestone := _milestone(context)) is None:
        return
    if context.top is not None:
        context.make_way()
        if context.dock.focus():
            return
    if not context.dock.toggle():
        from glboard_tui.screens.capacity import CapacityDialog

        context.planning.team_store.reload()
        context.shell.app.push_screen(
            CapacityDialog(context, milestone), lambda _: context.shell.show_header()
        )


def candidates(context: CommandContext, _: str) -> None:
    """List the issues that could become a Deliverable."""
    from glboard_tui.screens.candidates import Candidates

    if (milestone := _milestone(context)) is not None:
        _show(context, Candidates(context, milestone))


def connection(context: CommandContext, _: str) -> None:
    """Say how the connection is, why, and when GitLab is asked again; ask again at once on request."""
    bridge = context.bridge
    status, last = bridge.status, bridge.last_error
    state = status.freshness.replace("-", " ") if status is not None else "connecting"
    lines: list[str] = []
    if status is not None and status.next_try is not None:
        lines.append(f"Next retry within {status.next_try:.0f} s.")
    if last is not None:
        at = last[0].astimezone(zone_named(bridge.settings.ui.time_zone))
        lines += [f"Last error, {at:%H:%M:%S}: {last[1].message}", last[1].hint]
    else:
        lines.append("No error in this session.")
    lines += [f"Message: {message}" for message in reversed(bridge.messages)]
    lines += texts.live_words(bridge.live, bridge.settings.sync.poll)
    lines.append(f"Log: {logfile.shown_place()}")
    context.ask(
        f"Connection: {state}",
        {"r": "retry now"},
        lambda _: bridge.refresh(),
        note="\n".join(_once(lines)),
        hint="Esc closes",
    )


def walk(context: CommandContext, _: str) -> None:
    """Walk through the selection, what the filter shows, the focused column, or the list on top."""
    from glboard_tui.screens.walk import WalkPane

    if context.scope == "walk":
        context.say(f"A walk is already open; {context.keymap.key('escape')} ends it.")
    elif (source := _walked(context)) is None or not source.ids():
        context.say("No issues to walk through.")
    else:
        context.shell.app.push_screen(WalkPane(context, source), lambda _: context.shell.show_footer())


def _once(lines: Sequence[str]) -> list[str]:
    """The lines without those that say what one before says: why there are no live events, too."""
    return [one for at, one in enumerate(lines) if one and not any(one in said for said in lines[:at])]


def _walked(context: CommandContext) -> WalkSource | None:
    from glboard_tui import walks

    bridge, top, chosen = context.bridge, context.top, [issue.id for issue in context.selected()]
    if top is not None:
        if chosen:
            return walks.chosen_source(bridge, chosen, top.subject)
        return walks.list_source(bridge, lambda: top.listed.ids, top.listed, top.subject)
    if chosen:
        return walks.chosen_source(bridge, chosen, walks.board_name(bridge))
    if bridge.view.text:
        return walks.filter_source(bridge)
    if (column := context.column()) is None:
        return None
    return walks.column_source(bridge, column.key, context.board.state.title(column))


def queue(context: CommandContext, name: str) -> None:
    """List the issues that need fixing, those that need a weight, or those assigned to me."""
    from glboard_tui.screens.queues import OwnWork, Refinement, Triage

    queues = {"triage": Triage, "refinement": Refinement, "own-work": OwnWork}
    _show(context, queues[name](context))


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
        milestone = context.planning.history.ending() or milestone
    _show(context, SayDoPane(context, milestone))


def decisions(context: CommandContext, _: str) -> None:
    """List what is decided: in the call that goes on or just ended, else in the last week."""
    from glboard_tui.screens.decisions import DecisionsPane

    calls = context.planning.calls
    calls.reload()
    if (call := calls.first()) is None:
        context.say("No version milestone with dates to plan.")
    else:
        _show(context, DecisionsPane(context, call))


def planning_issue(context: CommandContext, _: str) -> None:
    """Open the planning issue of the milestone."""
    if (milestone := _milestone(context)) is None:
        return
    found = context.planning.planning_issue(milestone)
    if found.issue is None:
        key = context.keymap.key("palette")
        context.say(f"No planning issue for {milestone.title} yet: {key} “open” creates one.")
        return
    context.make_way()
    context.open_issue.open(found.issue.id)
    key = context.keymap.key("open.browser")
    context.say(found.doubt or f"The planning issue of {milestone.title}; {key} opens it in the browser.")


def end(context: CommandContext, _: str) -> None:
    """List what is left of the milestone that is ending."""
    from glboard_tui.screens.milestone_end import Ending

    milestone = context.planning.history.ending()
    if milestone is None:
        context.say("No version milestone with dates is ending.")
        return
    _show(context, Ending(context, milestone))


def open_milestone(context: CommandContext, _: str) -> None:
    """Create or update the milestone's planning issue, boards and labels, after a preview."""
    from glboard_tui.screens.milestone_setup import MilestoneSetupDialog

    if (milestone := _milestone(context)) is not None:
        context.shell.app.push_screen(MilestoneSetupDialog(context, milestone))


def lock(context: CommandContext, _: str) -> None:
    """Lock the plan, or show what changed since it was locked."""
    if (milestone := _milestone(context)) is None:
        return
    try:
        changed = context.planning.history.scope(milestone)
    except GlboardError as error:
        context.tell(error)
        return
    from glboard_tui.screens.plan_lock import LockedPlan, ask_import, lock_now

    if changed is not None:
        _show(context, LockedPlan(context, milestone, changed))
        return
    context.ask(
        f"Lock the current plan of {milestone.title}?",
        {"l": "lock it", "i": "import a colleague's"},
        lambda answer: (lock_now if answer == "l" else ask_import)(context, milestone),
        note="Say/Do and scope use the locked plan. It stays on this computer.",
    )


# Changes, and help


def updates(context: CommandContext, _: str) -> None:
    """List the changes by others that were not looked at yet."""
    from glboard_tui.screens.queues import Updates

    if len(context.bridge.unseen):
        context.shell.app.push_screen(Updates(context), lambda _: context.shell.show_footer())
    else:
        context.say("No new changes by others.")


def failed(context: CommandContext, _: str) -> None:
    """Open the list of failed changes and conflicts."""
    from glboard_tui.screens.failed_changes import FailedList

    if context.bridge.changes.failed():
        context.shell.app.push_screen(FailedList(context), lambda _: context.shell.sync())
    else:
        context.say("No failed changes, no conflicts.")


def history(context: CommandContext, _: str) -> None:
    """Open the change log."""
    from glboard_tui.screens.change_log import ChangeLog

    context.shell.app.push_screen(ChangeLog(context))


def show_help(context: CommandContext, _: str) -> None:
    """Show all keys."""
    from glboard_tui.screens.help import Help

    context.shell.app.push_screen(Help(context.keymap, context.scope))
