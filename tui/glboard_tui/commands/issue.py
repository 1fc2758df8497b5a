"""What an issue has besides its place in the plan: its health status, its links, the tasks in its text."""

from __future__ import annotations

from collections.abc import Sequence

from glboard_core.board import issue_cases
from glboard_core.board.batch import EditBatch, short, titled
from glboard_core.board.fields import HEALTH_WORDS
from glboard_core.board.operations import Edit
from glboard_core.board.tasks import Task, same_task, toggled
from glboard_core.errors import GlboardError
from glboard_core.model.issue import HealthStatus, Issue, IssueId, LinkedIssue, LinkKind, short_reference
from glboard_tui.commands.context import CommandContext
from glboard_tui.screens.dialogs import Waiting
from glboard_tui.screens.linkable_issues import LinkableIssues
from glboard_tui.screens.picker_source import Choice, FixedChoices

_NONE = ""


def health(context: CommandContext, _: str) -> None:
    """Choose a health status, if this GitLab has them: where not, that is said once and no more offered."""
    issues = context.targets()
    bridge = context.bridge

    def asked(there: bool) -> None:
        if there:
            _pick_health(context, issues)
        else:
            context.say(NO_HEALTH)

    if bridge.reads.health or bridge.drafts.is_on:
        _pick_health(context, issues)
        return
    waiting = Waiting("Health status", lambda: bridge.reads.has_health(issues[0]), note="Asking GitLab …")
    context.shell.app.push_screen(waiting, lambda there: asked(there) if there is not None else None)


NO_HEALTH = "This GitLab has no health statuses: they need an Ultimate license."


def _pick_health(context: CommandContext, issues: Sequence[Issue]) -> None:
    choices = [Choice(value=status, text=words) for status, words in HEALTH_WORDS.items()]
    values: dict[str, HealthStatus] = {status: status for status in HEALTH_WORDS}
    context.pick(
        "Health status" if len(issues) == 1 else f"Health status of {len(issues)} issues",
        FixedChoices([*choices, Choice(value=_NONE, text="none")]),
        lambda result: context.do(lambda _, on: issue_cases.health(on, values.get(result.add[0])), on=issues),
    )


# Links

_ASKS: dict[LinkKind, str] = {
    "is_blocked_by": "Blocked by which issue?",
    "blocks": "Blocks which issue?",
    "relates_to": "Related to which issue?",
}
_WORDS: dict[LinkKind, str] = {
    "is_blocked_by": "blocks it",
    "blocks": "blocked by it",
    "relates_to": "related",
}


def link(context: CommandContext, kind: str) -> None:
    """Link the targets to an issue that is found by typing."""
    issues = context.targets()
    kinds: dict[str, LinkKind] = {"blocked": "is_blocked_by", "blocks": "blocks", "related": "relates_to"}
    wanted = kinds[kind]
    catalog = context.bridge.catalog
    if wanted != "relates_to" and catalog is not None and not catalog.server.has_weight:
        key = context.keymap.key("link.related")
        context.say(f"Blocking links need GitLab Premium; {key} links issues as related.")
        return
    source = LinkableIssues(context.bridge, without=[issue.id for issue in issues])

    def picked(value: str) -> None:
        if (other := source.linked(value)) is not None:
            context.do(lambda _, on: issue_cases.link(on, other, wanted), on=issues)

    context.again = lambda: link(context, kind)
    context.pick(
        _ASKS[wanted],
        source,
        lambda result: picked(result.add[0]),
        note=short(issues[0]) if len(issues) == 1 else f"{len(issues)} issues",
    )


def unlink(context: CommandContext, _: str) -> None:
    """Choose one of the links of an issue, and remove it. They are read first."""
    issues = context.targets()
    if len(issues) > 1:
        context.say("Remove links one issue at a time.")
    elif issues[0].is_new:
        context.say("GitLab has not created this issue yet; try again in a moment.")
    else:
        context.say("Loading the links …")
        context.shell.work(_unlink(context, issues[0]), "edit")


async def _unlink(context: CommandContext, issue: Issue) -> None:
    try:
        links = (await context.bridge.reads.detail(issue.id)).links
    except GlboardError as error:
        context.tell(error)
        return
    context.say("")
    if context.refuses(context.now([issue])):
        return
    if not links:
        context.say("This issue has no links.")
        return
    bridge = context.bridge
    choices = [
        Choice(
            value=one.id,
            text=f"{bridge.text(short_reference(one.reference))} {bridge.title_of_linked(one)}",
            note=" · ".join(filter(None, (_WORDS[one.kind], "" if one.is_open else "closed"))),
        )
        for one in links
    ]
    context.pick(
        "Remove which link?",
        FixedChoices(choices),
        lambda result: _remove(context, issue, links, result.add[0]),
        note=short(issue),
    )


def _remove(context: CommandContext, issue: Issue, links: Sequence[LinkedIssue], value: str) -> None:
    context.do(
        lambda _, on: issue_cases.unlink({issue.id: links}, on, IssueId(value)), on=[issue], again=False
    )


# Tasks of the description


def task(context: CommandContext, where: str) -> None:
    """Focus the next or previous task of the open issue's description."""
    context.shell.work(_move(context, 1 if where == "next" else -1), "task")


async def _move(context: CommandContext, step: int) -> None:
    await context.open_issue.tasks.move(step)
    context.shell.show_footer()


def tick(context: CommandContext, _: str) -> None:
    """Tick the focused task, or not: the description is read first, since others may have changed it."""
    focused, issues = context.open_issue.tasks.focused, context.targets()
    if focused is not None and issues:
        context.shell.work(_tick(context, issues[0], *focused), "edit")


async def _tick(context: CommandContext, issue: Issue, number: int, wanted: Task) -> None:
    try:
        _, detail = await context.bridge.reads.detail_to_edit(issue.id)
    except GlboardError as error:
        context.tell(error)
        return
    there = same_task(detail.source, wanted, number)
    if there is None or there.box != wanted.box:
        context.say("The description has changed. Showing the current version.")
        context.open_issue.reload()
        return
    if not there.applies:
        context.say("This task is inapplicable; edit the description to change it.")
        return
    change = Edit(description=toggled(detail.source, there), description_was=detail.source)
    what = "task not done" if there.done else "task done"
    if context.perform(EditBatch(changes=((issue.id, change),), title=titled([issue], what))):
        context.open_issue.reload()
