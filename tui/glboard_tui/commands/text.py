"""Text: comments, new issues, title and description; and undo, redo and repeat."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import App, SuspendNotSupported

from glboard_core.board.batch import EditBatch, commented, titled
from glboard_core.board.operations import Edit
from glboard_core.board.use_cases import joined, new_issue, split
from glboard_core.errors import GlboardError
from glboard_core.model.issue import IssueId
from glboard_tui.commands.context import CommandContext
from glboard_tui.screens.picker import Choice

if TYPE_CHECKING:
    from glboard_tui.screens.dialogs import Then


# Title and description in the person's own editor.

_FALLBACKS = ("nano", "vim", "vi")


def editor_command() -> list[str]:
    """Return the editor command. Raises GlboardError if there is none."""
    for name in ("VISUAL", "EDITOR"):
        if value := os.environ.get(name, "").strip():
            command = shlex.split(value)
            if command and shutil.which(command[0]):
                return command
            raise GlboardError(
                f"Editor “{value}” not found ({name}).", hint=f"Set {name} to an editor.", title="Editor"
            )
    for name in _FALLBACKS:
        if found := shutil.which(name):
            return [found]
    raise GlboardError(
        "No editor is configured.", hint="Set EDITOR, for example: export EDITOR=nano", title="Editor"
    )


def edit_in_editor(app: App[object], text: str) -> str | None:
    """Return the text after the editor exits; None if it exits with an error.

    Raises GlboardError if there is no editor, or no terminal for it.
    """
    command = editor_command()
    handle, name = tempfile.mkstemp(prefix="glboard-", suffix=".md")  # mode 0600
    path = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        try:
            with app.suspend():
                status = run([*command, name])
        except SuspendNotSupported:
            raise GlboardError(
                "Cannot open an editor from here.",
                hint="Start glboard in its own terminal.",
                title="Editor",
            ) from None
        return path.read_text(encoding="utf-8", errors="replace") if status == 0 else None
    except OSError as error:
        raise GlboardError(f"Cannot use the editor: {error.strerror or error}.", title="Editor") from None
    finally:
        with contextlib.suppress(FileNotFoundError):
            path.unlink()


def run(command: list[str]) -> int:
    """Run the editor until it exits; return its exit status."""
    return subprocess.run(command, check=False).returncode  # noqa: S603  (the person's own editor)


#: The draft key of a new issue's title; the desk uses it too if the issue was rejected.
_NEW = ("new",)


def comment(context: CommandContext, _: str) -> None:
    """Write one comment, posted on each of the targets."""
    issues = context.targets()
    key = tuple(issue.id for issue in issues)
    where = issues[0].reference if len(issues) == 1 else f"{len(issues)} issues, one comment on each"

    def written(answer: tuple[str, bool] | None) -> None:
        if answer is None:
            return
        text, send = answer
        if not send:
            if text.strip():
                context.drafts[key] = text
                context.say("Draft saved; press c to resume.")
            else:
                context.drafts.pop(key, None)
            return
        context.drafts.pop(key, None)
        context.do(lambda _, on: commented(on, text), on=issues)

    from glboard_tui.screens.dialogs import CommentDialog

    draft = CommentDialog("Comment", text=context.drafts.get(key, ""), note=where)
    context.screen.app.push_screen(draft, written)


def new(context: CommandContext, _: str) -> None:
    """Create an issue in the focused column, in the focused card's project unless another is chosen."""
    catalog = context.bridge.catalog
    if catalog is None:
        return
    projects = [p.path for p in catalog.projects if not p.archived and p.can_edit is not False]
    focused = context.screen.board.focused[0]
    issue = context.bridge.issue(focused) if focused else None
    kept = context.drafts.get(_NEW, "")
    if issue is not None and issue.project in projects:
        _title(context, issue.project, projects, kept)
    elif len(projects) == 1:
        _title(context, projects[0], projects, kept)
    elif projects:
        _choose_project(context, projects, kept)
    else:
        context.say("You cannot create issues in any project of this group.", bad=True)


def _choose_project(context: CommandContext, projects: Sequence[str], title: str) -> None:
    choices = [Choice(value=path, text=path) for path in projects]
    context.pick(
        "New issue: in which project?", choices, lambda r: _title(context, r.add[0], projects, title)
    )


def _title(context: CommandContext, project: str, projects: Sequence[str], title: str) -> None:
    board, column = context.bridge.board, context.column()
    if board is None:
        return
    plan = new_issue(board, column, project, "", context.bridge.view.flow)
    facts = [*sorted(plan.labels), plan.milestone or "no milestone", *plan.assignees]

    def typed(answer: tuple[str, Then] | None) -> None:
        if answer is None:
            return
        text, then = answer
        context.drafts.pop(_NEW, None)
        if then == "create":
            _create(context, new_issue(board, column, project, text, context.bridge.view.flow))
            return
        if text:
            context.drafts[_NEW] = text
        if then == "other":
            _choose_project(context, projects, text)
        elif text:
            context.say("Title saved as draft; press n to resume.")

    from glboard_tui.screens.dialogs import NewIssue

    context.screen.app.push_screen(
        NewIssue(project, " · ".join(facts), title=title, several=len(projects) > 1), typed
    )


def _create(context: CommandContext, change: object) -> None:
    identity = context.bridge.new_issue_id()
    if context.perform(EditBatch(changes=((identity, change),), title="new issue")):  # type: ignore[arg-type]
        context.screen.board.focus_card(identity)
        context.say("Undo (u) closes it: GitLab cannot delete issues.")


def edit(context: CommandContext, _: str) -> None:
    """Edit title and description in $EDITOR; the description is first read from the server."""
    issues = context.targets()
    if len(issues) > 1:
        context.say("Edit title and description one issue at a time.")
    elif issues[0].is_new:
        context.say("GitLab has not created this issue yet; try again in a moment.")
    else:
        context.say("Loading the description …")
        context.screen.work(_edit(context, issues[0].id), "edit")


async def _edit(context: CommandContext, identity: IssueId) -> None:
    try:
        detail = await context.bridge.detail(identity)
        issue = context.bridge.issue(identity)
        if issue is None:
            return
        context.say("")
        before = joined(issue.title, detail.description)
        after = edit_in_editor(context.screen.app, context.drafts.get(("edit", identity), before))
    except GlboardError as error:
        context.tell(error)
        return
    if after is None or after == before:
        context.say("No changes.")
        return
    title, description = split(after)
    if not title:
        context.say("Nothing changed: the first line is the title and cannot be empty.", bad=True)
        return
    context.drafts.pop(("edit", identity), None)
    changes: dict[str, str] = {}
    if title != issue.title:
        changes["title"] = title
    if description != detail.description:
        changes["description"] = description
        changes["description_was"] = detail.description
    change = Edit(**changes)  # type: ignore[arg-type]  # the names are those of Edit's own fields
    if context.perform(
        EditBatch(
            changes=((identity, change),),
            title=titled([issue], " and ".join(k for k in changes if "_" not in k)),
        )
    ):
        context.screen.reload_detail()


def undo(context: CommandContext, _: str) -> None:
    """Undo the last change."""
    try:
        found = context.bridge.undo()
    except GlboardError as error:
        context.tell(error)
        return
    if found is None:
        context.say("Nothing to undo.")
        return
    title, but = found
    context.screen.sync(follow=True)
    context.say(f"Undone: {title}. {but}".strip())


def redo(context: CommandContext, _: str) -> None:
    """Redo the last undone change."""
    try:
        title = context.bridge.redo()
    except GlboardError as error:
        context.tell(error)
        return
    context.screen.sync(follow=True)
    context.say(f"Redone: {title}" if title else "Nothing to redo.")


def repeat(context: CommandContext, _: str) -> None:
    """Repeat the last edit on the current focus or selection."""
    if context.again is not None:
        context.again()


def failed(context: CommandContext, _: str) -> None:
    """Open the list of failed changes."""
    if not context.bridge.failed():
        context.say("No failed changes.")
        return
    from glboard_tui.screens.failed_changes import FailedList

    context.screen.app.push_screen(FailedList(context), lambda _: context.screen.sync())
