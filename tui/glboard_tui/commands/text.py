"""Text: comments, new issues, title and description; and undo, redo and repeat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from glboard_core.board.batch import EditBatch, commented, titled
from glboard_core.board.operations import Create, Edit, new_issue_id
from glboard_core.board.undo import Group
from glboard_core.board.use_cases import joined, split
from glboard_core.errors import GlboardError, SharedScreen
from glboard_core.model.issue import IssueId
from glboard_tui.commands.context import CommandContext
from glboard_tui.screens.choices import ProjectSource
from glboard_tui.screens.deletion import ask_to_delete
from glboard_tui.screens.editor import edit_in_editor

if TYPE_CHECKING:
    from glboard_tui.screens.prompts import Then

#: The draft key of a new issue's title; the context uses it too if the issue was rejected.
_NEW = ("new",)


def comment(context: CommandContext, _: str) -> None:
    """Write one comment, posted on each of the targets."""
    issues = context.targets()

    context.write(
        "Comment",
        tuple(issue.id for issue in issues),
        lambda text: context.do(lambda _, on: commented(on, text), on=issues),
        kept=f"Draft saved; press {context.keymap.key('text.comment')} to resume.",
        note=issues[0].reference if len(issues) == 1 else f"{len(issues)} issues, one comment on each",
    )


def new(context: CommandContext, _: str) -> None:
    """Create an issue in the focused column, in the focused card's project unless another is chosen."""
    catalog = context.bridge.catalog
    if catalog is None:
        return
    projects = [choice.value for choice in ProjectSource(context.bridge).known()]
    focused = context.board.focused[0]
    issue = context.bridge.issue(focused) if focused else None
    kept = context.drafts.get(_NEW, "")
    if issue is not None and issue.project in projects:
        _title(context, issue.project, kept)
    else:
        _choose_project(context, kept)


def _choose_project(context: CommandContext, title: str) -> None:
    context.pick(
        "New issue: in which project?",
        ProjectSource(context.bridge),
        lambda result: _title(context, result.add[0], title),
    )


def _title(context: CommandContext, project: str, title: str) -> None:
    board, column, edits = context.bridge.board, context.column(), context.bridge.edits()
    if board is None or edits is None:
        return
    flow = context.bridge.view.flow
    bare = edits.new_issue(board, column, project, "", flow)
    facts = [*sorted(bare.labels), bare.milestone or "no milestone", *bare.assignees]

    def typed(answer: tuple[str, Then] | None) -> None:
        if answer is None:
            return
        text, then = answer
        context.drafts.pop(_NEW, None)
        if then == "create":
            after = column.after_new(flow) if column is not None else Edit()
            _create(context, edits.new_issue(board, column, project, text, flow), after)
            return
        if text:
            context.drafts[_NEW] = text
        if then == "other":
            _choose_project(context, text)
        elif text:
            context.say(f"Title saved as draft; press {context.keymap.key('text.new')} to resume.")

    from glboard_tui.screens.prompts import NewIssue

    context.shell.app.push_screen(NewIssue(context.keymap, project, " · ".join(facts), title=title), typed)


def _create(context: CommandContext, change: Create, after: Edit) -> None:
    identity = new_issue_id()
    changes = ((identity, change), *(((identity, after),) if after != Edit() else ()))
    if context.perform(EditBatch(changes=changes, title="new issue")):
        context.board.focus_card(identity)
        if context.bridge.drafts.is_on:
            context.say("Staged. Created when you apply the draft.")
        else:
            context.say(f"Undo ({context.keymap.key('undo')}) closes it: GitLab cannot delete issues.")


def edit(context: CommandContext, _: str) -> None:
    """Edit title and description in $EDITOR; the description is first read from the server."""
    issues = context.targets()
    if len(issues) > 1:
        context.say("Edit title and description one issue at a time.")
    elif issues[0].is_new:
        context.say("GitLab has not created this issue yet; try again in a moment.")
    else:
        context.say("Loading the description …")
        context.shell.work(_edit(context, issues[0].id), "edit")


async def _edit(context: CommandContext, identity: IssueId) -> None:
    try:
        issue, detail = await context.bridge.reads.detail_to_edit(identity)
        if issue is None:
            return
        context.say("")
        before = joined(issue.title, detail.source)
        text = context.drafts.get(("edit", identity), before)
        if context.bridge.share.finds(text):
            raise SharedScreen
        after = edit_in_editor(context.shell.app, text)
    except GlboardError as error:
        context.tell(error)
        return
    if after is None or after == before:
        context.say("No changes.")
        return
    (title, description), was = split(after), split(before)[1]
    if not title:
        context.say("No changes: the first line is the title and cannot be empty.", bad=True)
        return
    context.drafts.pop(("edit", identity), None)
    changes: dict[str, str] = {}
    if title != issue.title:
        changes["title"] = title
    if description != was:
        changes["description"] = description
        changes["description_was"] = detail.source
    if not changes:
        context.say("No changes.")
        return
    change = Edit(**changes)  # type: ignore[arg-type]  # the names are those of Edit's own fields
    if context.perform(
        EditBatch(
            changes=((identity, change),),
            title=titled([issue], " and ".join(k for k in changes if "_" not in k)),
        )
    ):
        context.open_issue.reload()


def undo(context: CommandContext, _: str) -> None:
    """Undo the last change. If it was refused, offer to discard it rather than undo the one before.

    What was done last and cannot be undone is said first; the next key undoes the change before.
    """
    if words := context.bridge.undoing.no_undo:
        context.bridge.undoing.no_undo = ""
        before = context.bridge.undoing.words
        context.say(f"{words} {context.keymap.key('undo')} again: {before}." if before else words)
        return
    if (refused := context.bridge.undoing.refused) is not None:
        _offer_discard(context, refused)
        return
    if count := context.bridge.undoing.deletes:
        ask_to_delete(
            context,
            count,
            lambda: _undo(context),
            what=f" {context.keymap.key('undo')} would undo: {context.bridge.undoing.title}.",
            note=f"To undo an earlier change, press {context.keymap.key('pane.log')}.",
        )
        return
    _undo(context)


def _undo(context: CommandContext) -> None:
    try:
        found = context.bridge.undoing.undo()
    except GlboardError as error:
        context.tell(error)
        return
    if found is None:
        context.say("Nothing staged to undo." if context.bridge.drafts.is_on else "Nothing to undo.")
        return
    title, but = found
    context.shell.sync(follow=True)
    where = _go_to(context, context.bridge.undoing.last_step)
    context.say(" ".join(filter(None, (f"Undone: {title}.", but, where))))


def _offer_discard(context: CommandContext, refused: Group) -> None:
    title = context.bridge.words.title(refused)

    def discard(_: str) -> None:
        try:
            context.bridge.undoing.discard_refused()
        except GlboardError as error:
            context.tell(error)
            return
        context.shell.sync()
        context.say(f"Discarded: {title}. Nothing undone.")

    context.ask(
        f"GitLab rejected the last change: {title}. Discard it?",
        {"y": "discard it; keep earlier changes"},
        discard,
        note=f"To retry or edit it, press {context.keymap.key('pane.failed')}.",
    )


def redo(context: CommandContext, _: str) -> None:
    """Redo the last undone change."""
    try:
        title = context.bridge.undoing.redo()
    except GlboardError as error:
        context.tell(error)
        return
    context.shell.sync(follow=True)
    where = _go_to(context, context.bridge.undoing.last_step)
    context.say(" ".join(filter(None, (f"Redone: {title}.", where))) if title else "Nothing to redo.")


def _go_to(context: CommandContext, group: Group | None) -> str:
    """Focus a card that came back; if none is on this board, say where it is."""
    shown = [op.issue for op in group.ops if context.board.state.has(op.issue)] if group is not None else []
    if shown and context.board.focused[0] not in shown:
        context.board.focus_card(shown[0])
    if context.top is not None and group is not None:
        context.top.came_back([op.issue for op in group.ops])
    if shown or group is None or not group.ops or context.top is not None:
        return ""
    issue = context.bridge.issue(group.ops[0].issue)
    if issue is None:
        return ""
    reference = context.bridge.reference_of(issue)
    return f"Not on this board: {reference} in {issue.milestone or 'no milestone'}."


def repeat(context: CommandContext, _: str) -> None:
    """Repeat last edit on the current focus or selection."""
    if context.again is not None:
        context.again()
