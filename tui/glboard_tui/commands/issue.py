"""What an issue has besides its place in the plan: its health status, its links, the tasks in its text."""

from __future__ import annotations

from glboard_core.board.fields import HEALTH_WORDS
from glboard_core.model.issue import HealthStatus
from glboard_tui.commands.context import CommandContext
from glboard_tui.screens.picker_source import Choice, FixedChoices

_NONE = ""


def health(context: CommandContext, _: str) -> None:
    """Choose a health status."""
    issues = context.targets()
    choices = [Choice(value=status, text=words) for status, words in HEALTH_WORDS.items()]
    values: dict[str, HealthStatus] = {status: status for status in HEALTH_WORDS}
    context.pick(
        "Health status" if len(issues) == 1 else f"Health status of {len(issues)} issues",
        FixedChoices([*choices, Choice(value=_NONE, text="none")]),
        lambda result: context.do(lambda edits, on: edits.health(on, values.get(result.add[0])), on=issues),
    )
