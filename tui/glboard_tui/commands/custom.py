"""Commands of one's own: asks what has to be asked, runs one, and shows what it says."""

from __future__ import annotations

from collections.abc import Sequence

from glboard_core.board.custom_commands import invocations
from glboard_core.command_run import CommandRun
from glboard_core.command_template import CommandSettings, Invocation
from glboard_core.errors import GlboardError
from glboard_core.model.issue import Issue, IssueId
from glboard_tui.commands.context import CommandContext

#: So many command lines are shown in a question.
_SHOWN = 4


def run(context: CommandContext, number: str = "0") -> None:
    """Run the command with that number in the configuration, on the targets or the board."""
    own, commands = context.own_commands, context.bridge.settings.commands
    if int(number) >= len(commands):
        return
    command = commands[int(number)]
    if own.is_running and own.last is not None:
        key = context.keymap.key("pane.command-output")
        context.say(f"{own.last.name} is still running: {key} shows it.")
        return
    try:
        own.check()
    except GlboardError as error:
        context.tell(error)
        return
    issues = [issue for issue in context.targets() if not issue.is_new] if command.on == "card" else []
    if command.on == "card" and not issues:
        context.say("GitLab has not created this issue yet.")
        return
    board = context.bridge.board
    try:
        runs = invocations(command, issues, board.milestone if board is not None else None)
    except GlboardError as error:
        context.tell(error)
        return
    if command.confirm or len(runs) > 1 or own.must_ask(command):
        _ask(context, command, runs, issues)
    else:
        _start(context, command, runs, [issue.id for issue in issues])


def _ask(
    context: CommandContext, command: CommandSettings, runs: Sequence[Invocation], issues: Sequence[Issue]
) -> None:
    own = context.own_commands
    about = f" for {len(issues)} issues" if len(issues) > 1 else f" for {runs[0].about}" if issues else ""
    note = [f"$ {one.shown}" for one in runs[:_SHOWN]]
    if len(runs) > _SHOWN:
        note.append(f"… and {len(runs) - _SHOWN} more")
    if own.must_ask(command):
        note.append(f"This command comes from {own.file}, set with --config.")
    context.ask(
        f"Run {command.name}{about}?",
        {"y": "run it" if len(runs) == 1 else "run it for each issue in turn"},
        lambda _: _start(context, command, runs, [issue.id for issue in issues]),
        note="\n".join(note),
    )


def _start(
    context: CommandContext, command: CommandSettings, runs: Sequence[Invocation], issues: Sequence[IssueId]
) -> None:
    if context.own_commands.is_running:
        return
    started = context.own_commands.begin(command, runs, issues)
    context.shell.work(_run(context, command, started, issues), "command")
    _show(context)


async def _run(
    context: CommandContext, command: CommandSettings, started: CommandRun, issues: Sequence[IssueId]
) -> None:
    await started.run()
    if command.then == "refresh":
        await context.bridge.look_again(issues)
    if context.own_commands.pane is None:
        key = context.keymap.key("pane.command-output")
        context.say(f"{command.name}: {started.words}. {key} shows the output.", bad=not started.worked)


def output(context: CommandContext, _: str) -> None:
    """Show what the last command says, or said."""
    if context.own_commands.last is None:
        context.say("No custom command has run yet.")
    else:
        _show(context)


def again(context: CommandContext) -> None:
    """Run the last command again, on the same issues."""
    own = context.own_commands
    if own.command is not None and own.last is not None and not own.is_running:
        _start(context, own.command, own.last.runs, own.issues)


def _show(context: CommandContext) -> None:
    from glboard_tui.screens.command_output import CommandOutput

    own, pane = context.own_commands, CommandOutput(context, lambda: again(context))

    def closed(_: None) -> None:
        if own.pane is pane:
            own.pane = None
        context.shell.show_footer()

    own.pane = pane
    context.shell.app.push_screen(pane, closed)
